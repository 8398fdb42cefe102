//! `connector sandbox`: a sandbox as a process of its own.

use crate::support::browser::Browser;
use crate::support::http::{Reply, ask};
use crate::support::process::Host;
use serde_json::Value;

/// A sandbox by itself, and what it says as it starts. It ends with the test.
struct OwnSandbox {
    child: std::process::Child,
    url: String,
    said: String,
}

impl OwnSandbox {
    fn started(host: &Host, arguments: &[&str]) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = host.command(&[&["sandbox", "--memory", "--port", "0"], arguments].concat()).spawn().expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
        let url = said.first().and_then(|line| line.strip_prefix("Sandbox: ")).expect("it says where").to_owned();
        Self { child, url, said: said.join("\n") }
    }

    async fn token(&self, form: &str) -> Value {
        use base64::Engine as _;
        let app = format!("{}:{}", pipedrive_sandbox::DEMO_CLIENT_ID, pipedrive_sandbox::DEMO_CLIENT_SECRET);
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(app));
        let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        ask(&self.url, "POST", "/oauth/token", &headers, form.as_bytes()).await.json()
    }
}

impl Drop for OwnSandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sandbox_follows_its_flags() {
    let host = Host::new();
    let back = "http://127.0.0.1:1/back";
    let flags = ["--companies", "3", "--redirect-uri", "http://127.0.0.1:1/other", "--redirect-uri", back, "--rotate-refresh-tokens"];
    let sandbox = OwnSandbox::started(&host, &[&flags[..], &["--faults", "token=503,token=418"]].concat());
    assert_eq!(sandbox.said.matches("API token of ").count(), 3, "{}", sandbox.said);
    let id = pipedrive_sandbox::DEMO_CLIENT_ID;
    for told in [format!("{}/marketplace/{id}", sandbox.url), format!("Client secret: {}", pipedrive_sandbox::DEMO_CLIENT_SECRET)] {
        assert!(sandbox.said.contains(&told), "{told} is not in {}", sandbox.said);
    }
    for status in [503, 418] {
        assert_eq!(ask(&sandbox.url, "POST", "/oauth/token", &[], b"").await.status, status);
    }
    let encoded = back.replace(':', "%3A").replace('/', "%2F");
    let page = format!("{}/oauth/authorize?client_id={id}&redirect_uri={encoded}&state=s", sandbox.url);
    let sent = Reply { status: 303, headers: vec![("location".to_owned(), page)], body: Vec::new() };
    let returned = Browser::default().consent(&sent, 0, "allow").await;
    let code = returned.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_else(|| panic!("no code in {returned}"));
    let granted = sandbox.token(&format!("grant_type=authorization_code&code={code}&redirect_uri={encoded}")).await;
    let refresh = granted["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token in {granted}"));
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let renewed = sandbox.token(&form).await;
    assert!(renewed["refresh_token"].is_string() && renewed["refresh_token"] != refresh, "it is rotated: {renewed}");
    assert!(sandbox.token(&form).await["access_token"].is_null(), "the one before is worth nothing");
}

#[tokio::test]
async fn sandbox_limits_and_redirects_on_request() {
    let host = Host::new();
    let sandbox = OwnSandbox::started(&host, &["--redirect-downloads", "--daily-budget", "25"]);
    let token = [("x-api-token", pipedrive_sandbox::DEMO_API_TOKEN)];
    let file = ask(&sandbox.url, "GET", "/api/v1/files/1/download", &token, b"").await;
    assert_eq!(file.status, 302, "{}", file.text());
    let mut last = 200;
    for _ in 0..10 {
        last = ask(&sandbox.url, "GET", "/api/v1/users", &token, b"").await.status;
    }
    assert_eq!(last, 429, "the budget is spent");
    let limited = OwnSandbox::started(&host, &["--burst-limit", "1", "--faults", "token=hang"]);
    let mut burst = Vec::new();
    for _ in 0..5 {
        burst.push(ask(&limited.url, "GET", "/api/v1/users/me", &token, b"").await.status);
    }
    assert!(burst.contains(&429), "several in two seconds: {burst:?}");
}
