//! Several connectors over HTTP: `?connector=`, connections, authorizations and installs of each.

use example_connector::server::{CLIENT_ID, LarkdeskServer, NORTH_TOKEN};
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::browser::{Browser, assert_page, find_parameter};
use crate::support::example::start_larkdesk;
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::server::Server;

const GET_TICKET: &str = r#"{"action": "getTicket", "input": {"ticketId": 1}}"#;
const GET_STAGE: &str = r#"{"action": "getStage", "input": {"stageId": 1}}"#;

/// Starts a host of two connectors, and a key of the owner `acme`.
async fn start(arguments: &[&str]) -> (Server, String, LarkdeskServer) {
    let (sandbox, larkdesk) = (start_sandbox(sandbox_options()).await, start_larkdesk().await);
    let server = Server::start_of_two(&sandbox, larkdesk.url(), arguments);
    let key = server.create_key("acme");
    (server, key, larkdesk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_is_that_of_the_connector_in_the_query() {
    let (server, key, _) = start(&[]).await;
    let get = async |path: &str| server.get(path, &key).await;
    let count = |listed: &Value, name: &str| listed[name].as_array().map_or(0, Vec::len);
    for (path, name, of_larkdesk) in [("/v1/actions", "actions", 11), ("/v1/data-sources", "dataSources", 3)] {
        assert_eq!(count(&get(&format!("{path}?connector=larkdesk")).await.json(), name), of_larkdesk);
        let of_pipedrive = count(&get(&format!("{path}?connector=pipedrive")).await.json(), name);
        assert_eq!(count(&get(path).await.json(), name), of_larkdesk + of_pipedrive);
    }

    let ambiguous = get("/v1/actions/selectPerson").await;
    assert_eq!(
        (ambiguous.status, ambiguous.json()["error"]["hint"].as_str()),
        (400, Some("Give `connector`: larkdesk or pipedrive.")),
        "{}",
        ambiguous.text()
    );
    let described = get("/v1/actions/selectPerson?connector=larkdesk").await.json();
    assert_eq!(
        (&described["description"], &described["example"]["data"][0]["key"]),
        (&json!("Select a person by the email address."), &json!("ada@north.example"))
    );
    assert_eq!(get("/v1/actions/getTicket").await.json()["key"], "getTicket", "a key of one connector needs no name");
    assert_eq!(get("/v1/manifest?connector=larkdesk").await.json()["connector"]["key"], "larkdesk");
    for path in
        ["/v1/manifest", "/v1/manifest?connector=lark", "/v1/actions?connector=lark", "/v1/actions?connector=larkdesk&connector=larkdesk"]
    {
        assert_eq!(get(path).await.status, 400, "{path}");
    }
    assert_eq!(get("/v1/manifest").await.json()["error"]["hint"], "Name one as ?connector=KEY: pipedrive or larkdesk.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_connector_has_its_own_account() {
    let (server, key, larkdesk) = start(&[]).await;
    let refused = server.invoke(&key, GET_TICKET).await;
    assert_eq!(
        (&refused["error"]["kind"], &refused["error"]["message"]),
        (&json!("no_connection"), &json!("No connection of Larkdesk is set up."))
    );
    server.connect(&key, DEMO_API_TOKEN).await;
    assert_eq!(server.invoke(&key, GET_TICKET).await["error"]["kind"], "no_connection", "an account of another connector is none");
    let body = json!({"app": "larkdesk", "api_token": NORTH_TOKEN}).to_string();
    let connected = server.post("/v1/connections", &key, &body).await;
    assert_eq!((connected.status, &connected.json()["connection"]["metadata"]["company"]["name"]), (201, &json!("North")));
    assert_eq!(server.invoke(&key, GET_TICKET).await["data"]["subject"], "Cannot sign in");
    assert_eq!(server.invoke(&key, GET_STAGE).await["data"]["id"], 1);

    let ambiguous = server.invoke(&key, r#"{"action": "selectPerson"}"#).await;
    assert_eq!(ambiguous["error"]["hint"], "Give `connector`: larkdesk or pipedrive.", "{ambiguous}");
    let outcome = server.invoke(&key, r#"{"connector": "larkdesk", "action": "selectPerson"}"#).await;
    assert_eq!(outcome["data"][0]["key"], "ada@north.example", "{outcome}");
    let metrics = server.get("/metrics", "").await.text();
    for line in [
        r#"connector_invocations_total{connector="larkdesk",action="selectPerson",result="ok"} 1"#,
        r#"connector_invocations_total{connector="unknown",action="unknown",result="invalid_invocation"} 1"#,
        r#"connector_invocations_total{connector="pipedrive",action="getStage",result="ok"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
    assert!(larkdesk.requests().iter().all(|request| request.contains(" /v1/")), "{:?}", larkdesk.requests());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateway_passes_requests_to_the_vendor_in_the_path() {
    let (server, key, larkdesk) = start(&[]).await;
    server.connect(&key, DEMO_API_TOKEN).await;
    let body = json!({"app": "larkdesk", "api_token": NORTH_TOKEN}).to_string();
    assert_eq!(server.post("/v1/connections", &key, &body).await.status, 201);

    let listed = server.get("/gateway/larkdesk/v1/tickets?limit=1", &key).await;
    assert_eq!((listed.status, &listed.json()[0]["subject"]), (200, &json!("Cannot sign in")), "{}", listed.text());
    assert!(
        listed.header("link").is_some_and(|link| link.ends_with("/v1/tickets?limit=1&afterId=1>; rel=\"next\"")),
        "{:?}",
        listed.headers
    );
    let ticket = r#"{"subject": "By the gateway", "requesterEmail": "ada@north.example"}"#;
    let created = server.post("/gateway/larkdesk/v1/tickets", &key, ticket).await;
    assert_eq!((created.status, &created.json()["id"]), (201, &json!(4)), "{}", created.text());
    let deleted = server.delete("/gateway/larkdesk/v1/tickets/4", &key).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    let refused = server.get("/gateway/larkdesk/v1/tickets/4", &key).await;
    assert_eq!((refused.status, &refused.json()["code"]), (404, &json!("not_found")), "the vendor's own refusal: {}", refused.text());
    let of_pipedrive = server.get("/gateway/pipedrive/api/v2/stages/1", &key).await;
    assert_eq!((of_pipedrive.status, &of_pipedrive.json()["data"]["id"]), (200, &json!(1)), "{}", of_pipedrive.text());
    // The path of one vendor is none of the other's API.
    assert_eq!(server.get("/gateway/larkdesk/api/v2/stages/1", &key).await.status, 400);
    assert!(!larkdesk.requests().iter().any(|request| request.contains("stages")));
}

/// Signs in, and begins an authorization on the page of this path. Returns the URL of the vendor's page.
async fn go_to_vendor(browser: &mut Browser, server: &Server, path: &str) -> String {
    let redirect = browser.go_on(server, &format!("{}{path}", server.url)).await;
    redirect.header("location").expect("the page leads to the vendor").to_owned()
}

/// Opens the vendor's page, which sends the browser back. Returns the URL of the callback.
async fn consent(browser: &mut Browser, page: &str) -> String {
    let back = browser.get(page).await;
    assert_eq!(back.status, 302, "{}", back.text());
    back.header("location").expect("a redirect has a location").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_chooses_the_vendor_and_connects_with_a_challenge() {
    let (server, key, larkdesk) = start(&[]).await;
    server.connect(&key, DEMO_API_TOKEN).await;
    let mut browser = Browser::default();
    let asked = browser.get(&format!("{}/oauth/start?connector=larkdesk", server.url)).await;
    assert!(asked.text().contains("href=\"/oauth/start?connector=larkdesk\""), "go on to the same connector: {}", asked.text());
    browser.sign_in(&server, "acme").await;
    let choice = browser.get(&format!("{}/oauth/start", server.url)).await;
    assert_page(&choice, 200, "Connect an account");
    for connector in ["pipedrive", "larkdesk"] {
        assert!(choice.text().contains(&format!("id=\"{connector}\" href=\"/oauth/start?connector={connector}\"")), "{}", choice.text());
    }
    let to = go_to_vendor(&mut browser, &server, "/oauth/start?connector=larkdesk").await;
    assert!(to.starts_with(&format!("{}/oauth/authorize?", larkdesk.url())) && to.contains("client_id=lark-client"), "{to}");
    assert!(to.contains("&code_challenge=") && to.contains("&code_challenge_method=S256"), "{to}");
    assert_eq!(find_parameter(&to, "scope=").as_deref(), Some("tickets%3Aread+tickets%3Awrite+people%3Aread"));
    let back = find_parameter(&to, "redirect_uri=").expect("a redirect URI");
    assert!(back.ends_with("%2Foauth%2Fcallback%3Fconnector%3Dlarkdesk"), "each connector has a redirect URI of its own: {back}");
    let callback = consent(&mut browser, &to).await;
    assert!(callback.starts_with(&format!("{}/oauth/callback?connector=larkdesk&code=", server.url)), "{callback}");
    // A code that came by the redirect URI of another vendor is not given to this one.
    let mixed = browser.get(&callback.replace("connector=larkdesk&", "")).await;
    assert_page(&mixed, 400, "This did not work");
    assert_eq!(larkdesk.count_grants(), 0, "no code was exchanged");
    assert_page(&browser.get(&callback).await, 200, "Connected");
    assert_eq!(larkdesk.count_grants(), 1);
    assert_eq!(server.invoke(&key, GET_TICKET).await["data"]["subject"], "Cannot sign in");
    assert_eq!(server.invoke(&key, GET_STAGE).await["data"]["id"], 1, "the other vendor has its own account");
    larkdesk.expire_access_tokens();
    assert_eq!(server.invoke(&key, GET_TICKET).await["ok"], true, "a token that ended is renewed");

    let to = go_to_vendor(&mut browser, &server, "/oauth/start?connector=pipedrive").await;
    assert!(to.starts_with(&format!("{}/oauth/authorize?", server.upstream())), "{to}");
    assert!(find_parameter(&to, "redirect_uri=").is_some_and(|uri| uri.ends_with("%2Foauth%2Fcallback")), "this URI is as it was: {to}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_of_a_connection_leads_to_its_own_vendor() {
    let (server, key, larkdesk) = start(&[]).await;
    // A program that names none is told which there are, and the link of a connection knows its own.
    let unnamed = server.post("/v1/connections", &key, "{}").await;
    assert_eq!(
        (unnamed.status, unnamed.json()["error"]["hint"].as_str()),
        (400, Some("Name one as the member app: pipedrive or larkdesk."))
    );
    let begun = server.post("/v1/connections", &key, r#"{"connector": "larkdesk"}"#).await.json();
    let text = |name: &str| begun["connection"][name].as_str().expect("a text").to_owned();
    assert_eq!(text("app"), "larkdesk");
    let mut browser = Browser::default();
    let page = browser.get(&text("url")).await.text();
    assert!(page.contains("at Larkdesk, choose the account"), "{page}");
    let redirect = browser.go_on(&server, &text("url")).await;
    let callback = consent(&mut browser, redirect.header("location").expect("the page leads to the vendor")).await;
    assert_page(&browser.get(&callback).await, 200, "Connected");
    let connection = server.read_connection(&key, &text("connection_id")).await;
    assert_eq!((&connection["status"], &connection["metadata"]["user"]["email"]), (&json!("ACTIVE"), &json!("ada@north.example")));
    let outcome = server.invoke(&key, r#"{"action": "deleteTicket", "input": {"ticketId": 3}}"#).await;
    assert_eq!((&outcome["ok"], &outcome["data"]), (&json!(true), &json!(null)), "{outcome}");
    let removed = server.delete(&format!("/v1/connections/{}", text("connection_id")), &key).await;
    assert_eq!((removed.status, larkdesk.count_grants()), (200, 0), "{}", removed.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn install_belongs_to_the_connector_of_its_redirect() {
    let (server, key, larkdesk) = start(&["--install-redirect", "https://platform.example/setup"]).await;
    let claim = async |callback: &str| {
        let held = Browser::default().get(callback).await;
        let to = held.header("location").unwrap_or_else(|| panic!("hold the install: {}", held.text())).to_owned();
        let handle = find_parameter(&to, "install=").expect("a handle");
        server.post(&format!("/v1/installs/{handle}/claim"), &key, "").await
    };
    let back = format!("{}/oauth/callback?connector=larkdesk", server.url).replace(':', "%3A").replace('?', "%3F");
    let page = format!("{}/oauth/install?client_id={CLIENT_ID}&redirect_uri={back}", larkdesk.url());
    let callback = consent(&mut Browser::default(), &page).await;
    let claimed = claim(&callback).await;
    assert_eq!((claimed.status, &claimed.json()["connection"]["app"]), (200, &json!("larkdesk")), "{}", claimed.text());
    // The code is none of the other vendor's, which refuses it: nothing of one vendor is sent to the other.
    let seen = larkdesk.requests().len();
    let refused = claim(&consent(&mut Browser::default(), &page).await.replace("connector=larkdesk&", "")).await;
    assert!(refused.status >= 400 && refused.text().contains("Pipedrive"), "{}", refused.text());
    assert_eq!(larkdesk.requests().len(), seen + 1, "the vendor's page alone was opened");
    let unknown = Browser::default().get(&format!("{}/oauth/callback?connector=lark&code=granted", server.url)).await;
    assert_page(&unknown, 400, "This did not work");
}
