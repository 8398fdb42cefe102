//! `connector sandbox`: a sandbox as a process of its own.

use pipedrive_sandbox::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
use serde_json::Value;

use crate::support::browser::{Browser, build_redirect, find_parameter};
use crate::support::http::{FORM, build_basic, send};
use crate::support::process::CommandLine;
use crate::support::sandbox::SandboxProcess;

async fn request_token(sandbox: &SandboxProcess, form: &str) -> Value {
    let basic = build_basic(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET);
    let headers = [("authorization", basic.as_str()), FORM];
    send(&sandbox.url, "POST", "/oauth/token", &headers, form.as_bytes()).await.json()
}

#[tokio::test]
async fn sandbox_follows_its_flags() {
    let cli = CommandLine::new();
    let back = "http://127.0.0.1:1/back";
    let flags = ["--companies", "3", "--redirect-uri", "http://127.0.0.1:1/other", "--redirect-uri", back, "--rotate-refresh-tokens"];
    let sandbox = SandboxProcess::start(&cli, &[&flags[..], &["--faults", "token=503,token=418"]].concat());
    assert_eq!(sandbox.messages.matches("API token of ").count(), 3, "{}", sandbox.messages);
    let id = DEMO_CLIENT_ID;
    for message in [format!("{}/marketplace/{id}", sandbox.url), format!("Client secret: {DEMO_CLIENT_SECRET}")] {
        assert!(sandbox.messages.contains(&message), "print {message}: {}", sandbox.messages);
    }
    for status in [503, 418] {
        assert_eq!(send(&sandbox.url, "POST", "/oauth/token", &[], b"").await.status, status);
    }
    let encoded = back.replace(':', "%3A").replace('/', "%2F");
    let page = format!("{}/oauth/authorize?client_id={id}&redirect_uri={encoded}&state=s", sandbox.url);
    let returned = Browser::default().consent(&build_redirect(page), 0, "allow").await;
    let code = find_parameter(&returned, "code=").unwrap_or_else(|| panic!("no code in {returned}"));
    let granted = request_token(&sandbox, &format!("grant_type=authorization_code&code={code}&redirect_uri={encoded}")).await;
    let refresh = granted["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token in {granted}"));
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let renewed = request_token(&sandbox, &form).await;
    assert!(renewed["refresh_token"].is_string() && renewed["refresh_token"] != refresh, "rotate the refresh token: {renewed}");
    assert!(request_token(&sandbox, &form).await["access_token"].is_null(), "refuse the former refresh token");
}

#[tokio::test]
async fn sandbox_holds_a_thousand_companies() {
    let cli = CommandLine::new();
    let file = cli.folder.path().join("tokens");
    let sandbox = SandboxProcess::start(&cli, &["--companies", "1000", "--tokens", &file.display().to_string()]);
    assert_eq!(sandbox.messages.matches("API token of ").count(), 3, "{}", sandbox.messages);
    assert!(sandbox.messages.contains("997 companies more; --tokens"), "{}", sandbox.messages);
    let text = std::fs::read_to_string(&file).expect("the tokens are there");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 1000);
    let token = lines[730]["apiToken"].as_str().expect("each line has a token");
    let me = send(&sandbox.url, "GET", "/api/v1/users/me", &[("x-api-token", token)], b"").await.json();
    assert_eq!((&me["data"]["company_id"], &me["data"]["company_domain"]), (&lines[730]["company"], &Value::from("company731")));
}

#[tokio::test]
async fn sandbox_limits_and_redirects_on_request() {
    let cli = CommandLine::new();
    let sandbox = SandboxProcess::start(&cli, &["--redirect-downloads", "--daily-budget", "25"]);
    let token = [("x-api-token", pipedrive_sandbox::DEMO_API_TOKEN)];
    let file = send(&sandbox.url, "GET", "/api/v1/files/1/download", &token, b"").await;
    assert_eq!(file.status, 302, "{}", file.text());
    let mut last = 200;
    for _ in 0..10 {
        last = send(&sandbox.url, "GET", "/api/v1/users", &token, b"").await.status;
    }
    assert_eq!(last, 429, "refuse requests beyond the daily budget");
    let spec = cli.folder.path().join("faults");
    std::fs::write(&spec, "# two rules\n429=#1@read\n500=always@write").expect("the test writes the file");
    let faulty = SandboxProcess::start(&cli, &["--faults", &format!("@{}", spec.display())]);
    for (method, status) in [("GET", 429), ("GET", 200), ("DELETE", 500)] {
        assert_eq!(send(&faulty.url, method, "/api/v2/deals/1", &token, b"").await.status, status, "{method}");
    }
}

#[tokio::test]
async fn sandbox_limits_requests_and_tells_at_its_end_what_it_refused() {
    let cli = CommandLine::new();
    let token = [("x-api-token", pipedrive_sandbox::DEMO_API_TOKEN)];
    let ask = async |sandbox: &SandboxProcess, path: &str| {
        let response = send(&sandbox.url, "GET", path, &token, b"").await;
        let told = ["x-ratelimit-limit", "x-ratelimit-reset", "x-daily-ratelimit-token-limit"]
            .map(|name| response.header(name).map(str::to_owned));
        (response.status, told.map(Option::unwrap_or_default).join(" "))
    };
    let limited = SandboxProcess::start(&cli, &["--burst-limit", "2/3600s", "--search-limit", "1", "--plan", "growth", "--seats", "2"]);
    for (path, status, told) in [
        ("/api/v1/users/me", 200, "2 3600 120000"),
        ("/api/v2/deals/search?term=deal", 200, "1 3600 120000"),
        ("/api/v2/deals/search?term=deal", 429, "1 3600 120000"),
        ("/api/v1/users/me", 200, "2 3600 120000"),
        ("/api/v1/users/me", 429, "2 3600 120000"),
        ("/api/v1/users/me", 429, "2 3600 120000"),
    ] {
        assert_eq!(ask(&limited, path).await, (status, told.to_owned()), "{path}");
    }
    let said = limited.stop();
    for line in [
        "Limits, general: 2 requests, 2 refused, fullest window 2 of 2, windows exceeded 1",
        "Limits, search: 1 requests, 1 refused, fullest window 1 of 1, windows exceeded 1",
    ] {
        assert!(said.lines().any(|said| said == line), "{line:?} should be a line of {said}");
    }
    let planned = SandboxProcess::start(&cli, &["--plan", "premium"]);
    assert_eq!(ask(&planned, "/api/v1/users/me").await, (200, "100 2 750000".to_owned()));
    let unlimited = SandboxProcess::start(&cli, &[]);
    assert_eq!(ask(&unlimited, "/api/v1/users/me").await, (200, "  ".to_owned()));
    assert_eq!(unlimited.stop(), "");
    for (flag, value) in
        [("--burst-limit", "0"), ("--burst-limit", "24/100"), ("--burst-limit", "24/0ms"), ("--burst-limit", "1/2h"), ("--plan", "gold")]
    {
        let refused = cli.run(&["sandbox", "--memory", "--port", "0", flag, value], "");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && said.contains(flag) && said.contains("write "), "{flag} {value}: {said}");
    }
}
