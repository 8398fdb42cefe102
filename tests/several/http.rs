//! Several connectors over HTTP: `?connector=`, connections, authorizations and installs of each.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::bakery::{TOKEN, start_bakery};
use crate::support::browser::{Browser, assert_page, find_parameter};
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::server::Server;

/// Starts a host of two connectors, and a key of the owner `acme`.
async fn start(arguments: &[&str]) -> (Server, String, String) {
    let (sandbox, bakery) = (start_sandbox(sandbox_options()).await, start_bakery().await);
    let server = Server::start_of_two(&sandbox, &bakery, arguments);
    let key = server.create_key("acme");
    (server, key, bakery)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_is_that_of_the_connector_in_the_query() {
    let (server, key, _) = start(&[]).await;
    let get = async |path: &str| server.get(path, &key).await;
    let count = |listed: &Value, name: &str| listed[name].as_array().map_or(0, Vec::len);
    assert_eq!(count(&get("/v1/actions?connector=bakery").await.json(), "actions"), 2);
    let all = get("/v1/actions").await.json();
    assert_eq!(count(&all, "actions"), 2 + count(&get("/v1/actions?connector=pipedrive").await.json(), "actions"));
    assert_eq!(count(&get("/v1/data-sources?connector=bakery").await.json(), "dataSources"), 0);
    assert_eq!(count(&get("/v1/data-sources").await.json(), "dataSources"), 3);

    let ambiguous = get("/v1/actions/getCurrencies").await;
    assert_eq!(
        (ambiguous.status, ambiguous.json()["error"]["hint"].as_str()),
        (400, Some("Give `connector`: bakery or pipedrive.")),
        "{}",
        ambiguous.text()
    );
    let described = get("/v1/actions/getCurrencies?connector=bakery").await.json();
    assert_eq!((&described["endpoint"]["path"], &described["example"]["data"]), (&json!("/v1/currencies"), &json!([{"code": "BUN"}])));
    assert_eq!(get("/v1/actions/getOrder").await.json()["key"], "getOrder", "a key of one connector needs no name");
    assert_eq!(get("/v1/manifest?connector=bakery").await.json()["connector"]["key"], "bakery");
    for path in
        ["/v1/manifest", "/v1/manifest?connector=bread", "/v1/actions?connector=bread", "/v1/actions?connector=bakery&connector=bakery"]
    {
        assert_eq!(get(path).await.status, 400, "{path}");
    }
    assert_eq!(get("/v1/manifest").await.json()["error"]["hint"], "Name one as ?connector=KEY: pipedrive or bakery.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_connector_has_its_own_account() {
    let (server, key, bakery) = start(&[]).await;
    let order = r#"{"action": "getOrder", "input": {"orderId": 1}}"#;
    let refused = server.invoke(&key, order).await;
    assert_eq!(
        (&refused["error"]["kind"], &refused["error"]["message"]),
        (&json!("no_connection"), &json!("No connection of Bakery is set up."))
    );
    server.connect(&key, DEMO_API_TOKEN).await;
    assert_eq!(server.invoke(&key, order).await["error"]["kind"], "no_connection", "an account of another connector is none");
    let body = json!({"app": "bakery", "api_token": TOKEN, "api_domain": bakery}).to_string();
    assert_eq!(server.post("/v1/connections", &key, &body).await.status, 201);
    assert_eq!(server.invoke(&key, order).await["data"]["bread"], "rye for token 1");
    assert_eq!(server.invoke(&key, r#"{"action": "getStage", "input": {"stageId": 1}}"#).await["data"]["id"], 1);

    let ambiguous = server.invoke(&key, r#"{"action": "getCurrencies"}"#).await;
    assert_eq!(ambiguous["error"]["hint"], "Give `connector`: bakery or pipedrive.", "{ambiguous}");
    let outcome = server.invoke(&key, r#"{"connector": "bakery", "action": "getCurrencies"}"#).await;
    assert_eq!(outcome["data"], json!([{"code": "BUN"}]), "{outcome}");
    let passed = server.get("/gateway/bakery/v1/currencies", &key).await;
    assert_eq!(passed.json()["data"], json!([{"code": "BUN"}]), "{}", passed.text());
    let metrics = server.get("/metrics", "").await.text();
    for line in [
        r#"connector_invocations_total{connector="bakery",action="getCurrencies",result="ok"} 1"#,
        r#"connector_invocations_total{connector="unknown",action="unknown",result="invalid_invocation"} 1"#,
        r#"connector_invocations_total{connector="pipedrive",action="getStage",result="ok"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
}

/// Signs in, and begins an authorization on the page of this path. Returns the URL of the vendor's page.
async fn go_to_vendor(browser: &mut Browser, server: &Server, path: &str) -> String {
    let redirect = browser.go_on(server, &format!("{}{path}", server.url)).await;
    redirect.header("location").expect("the page leads to the vendor").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_chooses_the_vendor_or_a_link_names_it() {
    let (server, key, bakery) = start(&[]).await;
    let mut browser = Browser::default();
    let asked = browser.get(&format!("{}/oauth/start?connector=bakery", server.url)).await;
    assert!(asked.text().contains("href=\"/oauth/start?connector=bakery\""), "go on to the same connector: {}", asked.text());
    browser.sign_in(&server, "acme").await;
    let choice = browser.get(&format!("{}/oauth/start", server.url)).await;
    assert_page(&choice, 200, "Connect an account");
    for connector in ["pipedrive", "bakery"] {
        assert!(choice.text().contains(&format!("id=\"{connector}\" href=\"/oauth/start?connector={connector}\"")), "{}", choice.text());
    }
    let to = go_to_vendor(&mut browser, &server, "/oauth/start?connector=bakery").await;
    assert!(to.starts_with(&format!("{bakery}/oauth/authorize?")) && to.contains("client_id=bakery-client"), "{to}");
    let back = find_parameter(&to, "redirect_uri=").expect("a redirect URI");
    assert!(back.ends_with("%2Foauth%2Fcallback%3Fconnector%3Dbakery"), "each connector has a redirect URI of its own: {back}");
    let state = find_parameter(&to, "state=").expect("a state");
    let callback = format!("{}/oauth/callback?connector=bakery&code=granted&state={state}", server.url);
    // A code that came by the redirect URI of another vendor is not given to this one.
    let mixed = browser.get(&callback.replace("connector=bakery&", "")).await;
    assert_page(&mixed, 400, "This did not work");
    assert_eq!(server.read_statuses(&key).await, ["PENDING"]);
    assert_page(&browser.get(&callback).await, 200, "Connected");
    let outcome = server.invoke(&key, r#"{"action": "getOrder", "input": {"orderId": 1}}"#).await;
    assert_eq!(outcome["data"]["bread"], "rye for bearer 1", "{outcome}");

    let to = go_to_vendor(&mut browser, &server, "/oauth/start?connector=pipedrive").await;
    assert!(to.starts_with(&format!("{}/oauth/authorize?", server.upstream())), "{to}");
    assert!(find_parameter(&to, "redirect_uri=").is_some_and(|uri| uri.ends_with("%2Foauth%2Fcallback")), "this URI is as it was: {to}");
    // A program that names none is told which there are, and the link of a connection knows its own.
    let unnamed = server.post("/v1/connections", &key, "{}").await;
    assert_eq!((unnamed.status, unnamed.json()["error"]["hint"].as_str()), (400, Some("Name one as the member app: pipedrive or bakery.")));
    let begun = server.post("/v1/connections", &key, r#"{"connector": "bakery"}"#).await.json();
    let link = begun["connection"]["url"].as_str().expect("a link").to_owned();
    assert_eq!(begun["connection"]["app"], "bakery");
    let page = browser.get(&link).await.text();
    assert!(page.contains("at Bakery, choose the account"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn install_belongs_to_the_connector_of_its_redirect() {
    let (server, key, _) = start(&["--install-redirect", "https://platform.example/setup"]).await;
    let install = async |query: &str| {
        let held = Browser::default().get(&format!("{}/oauth/callback?{query}", server.url)).await;
        let to = held.header("location").unwrap_or_else(|| panic!("hold the install: {}", held.text())).to_owned();
        let handle = find_parameter(&to, "install=").expect("a handle");
        server.post(&format!("/v1/installs/{handle}/claim"), &key, "").await
    };
    let claimed = install("connector=bakery&code=granted").await;
    assert_eq!((claimed.status, &claimed.json()["connection"]["app"]), (200, &json!("bakery")), "{}", claimed.text());
    // The code is none of the other vendor's, which refuses it: nothing of one vendor is sent to the other.
    let refused = install("code=granted").await;
    assert!(refused.status >= 400 && refused.text().contains("Pipedrive"), "{}", refused.text());
    let unknown = Browser::default().get(&format!("{}/oauth/callback?connector=bread&code=granted", server.url)).await;
    assert_page(&unknown, 400, "This did not work");
}
