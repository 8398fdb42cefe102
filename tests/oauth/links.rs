//! Connecting by a link, and callbacks that are refused.

use serde_json::{Value, json};

use crate::support::browser::{Browser, assert_page, find_parameter};
use crate::support::server::Server;

#[tokio::test]
async fn link_connects_once_in_the_browser_that_opened_it() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let (id, url) = server.begin_connection(&key).await;
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    // A mail scanner may open the link: that does not use it up.
    assert_page(&other.get(&url).await, 200, "Connect an account");
    assert_eq!(server.send("HEAD", &url[server.url.len()..], &[], "").await.status, 405);
    // A form from another browser begins nothing.
    let page = other.get(&url).await;
    assert_page(&browser.press(&server, &page, "go-on", &[]).await, 403, "This did not work");
    let redirect = browser.go_on(&server, &url).await;
    let callback = browser.consent(&redirect, 0, "allow").await;
    assert!(callback.starts_with(&format!("{}/oauth/callback?", server.url)) && callback.contains("state="), "{callback}");
    // Another browser cannot use the state, nor use it up.
    assert_page(&other.get(&callback).await, 403, "This did not work");
    assert_eq!(server.read_connection(&key, &id).await["status"], "PENDING");
    assert_page(&browser.get(&callback).await, 200, "Connected");
    let connection = server.read_connection(&key, &id).await;
    assert_eq!(
        (&connection["status"], &connection["method"], &connection["url"]),
        (&json!("ACTIVE"), &json!("OAUTH2"), &Value::Null),
        "{connection}"
    );
    // The person loads the page again, or opens the link once more.
    assert_page(&browser.get(&callback).await, 200, "Connected");
    assert_page(&browser.get(&url).await, 200, "Connected");
    // Elsewhere the state is still used up.
    assert_page(&other.get(&callback).await, 403, "This did not work");
    assert_eq!(server.read_statuses(&key).await, ["ACTIVE"]);
    let outcome = server.invoke(&key, r#"{"action":"getCurrentUser"}"#).await;
    assert_eq!(outcome["data"]["email"], connection["metadata"]["user"]["email"], "{outcome}");
    let log = server.stop_and_read_log();
    for secret in browser.secrets.iter().chain(&other.secrets).chain([&find_parameter(&url, "link=").expect("a link"), &callback]) {
        assert!(!log.contains(secret.as_str()), "keep {secret} out of the log:\n{log}");
    }
}

#[tokio::test]
async fn malformed_or_forged_callbacks_connect_nothing() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let (_, url) = server.begin_connection(&key).await;
    let mut browser = Browser::default();
    browser.get(&url).await;
    for (query, status) in [
        ("code=a&error=user_denied", 400),
        ("code=a&code=b", 400),
        ("code=a&state=x&state=x", 400),
        ("", 400),
        ("code=", 400),
        ("code=a&state=", 403),
        ("code=a&state=forged", 403),
        ("error=user_denied&state=forged", 403),
    ] {
        let response = browser.get(&format!("{}/oauth/callback?{query}", server.url)).await;
        assert_page(&response, status, "This did not work");
        assert!(!browser.jar.iter().any(|(_, name, _)| name.contains("install")), "do not treat a bad state as none: {query}");
    }
    assert_eq!(server.read_statuses(&key).await, ["PENDING"]);
    assert_page(&browser.get(&format!("{}/oauth/start?link=forged", server.url)).await, 403, "This did not work");
    assert_page(&browser.get(&format!("{}/oauth/start?x=1", server.url)).await, 400, "This did not work");
    assert_page(&browser.get(&format!("{}/oauth/start", server.url)).await, 401, "Sign in");
    assert_page(&browser.get(&format!("{}/sign-in?token=forged", server.url)).await, 403, "This did not work");
}

#[tokio::test]
async fn cancelled_authorization_is_explained_and_can_restart() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let (id, url) = server.begin_connection(&key).await;
    let mut browser = Browser::default();
    let redirect = browser.go_on(&server, &url).await;
    let callback = browser.consent(&redirect, 0, "cancel").await;
    let cancelled = browser.get(&callback).await;
    assert_page(&cancelled, 200, "Nothing was connected");
    let declined = server.get(&format!("/v1/connections/{id}"), &key).await;
    assert_eq!((declined.status, declined.kind().as_str()), (410, "gone"), "remove the pending connection and say why");
    // The page leads back to the connection of the same owner, although nobody is signed in.
    let page = cancelled.text();
    let again = page.split("id=\"start-over\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a way back");
    browser.connect(&server, &format!("{}{again}", server.url), 0).await;
    assert_eq!(server.read_statuses(&key).await, ["ACTIVE"]);
    // Without a state nobody knows where the person came from.
    let cancelled = browser.get(&format!("{}/oauth/callback?error=user_denied", server.url)).await;
    assert_page(&cancelled, 200, "Nothing was connected");
    assert!(!cancelled.text().contains("href"), "lead no customer to a page that they cannot use: {}", cancelled.text());
    let failed = browser.get(&format!("{}/oauth/callback?error=server_error", server.url)).await;
    assert_page(&failed, 400, "This did not work");
    assert!(failed.text().contains("server_error"), "{}", failed.text());
}

#[tokio::test]
async fn session_is_no_key_and_missing_app_is_explained() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let mut browser = Browser::default();
    let signed_in = browser.sign_in(&server, "acme").await;
    for path in ["/v1/connections", "/v1/actions", "/gateway/pipedrive/api/v1/users/me"] {
        assert_eq!(browser.get(&format!("{}{path}", server.url)).await.status, 401, "{path}");
    }
    let old_cookies = browser.jar.clone();
    assert_page(&browser.press(&server, &signed_in, "sign-out", &[]).await, 200, "You are signed out");
    browser.jar = old_cookies;
    assert_page(&browser.get(&format!("{}/oauth/start", server.url)).await, 401, "Sign in");
    let (server, messages) = Server::start_without_app(server.upstream());
    assert!(messages.contains("CONNECTOR_CLIENT_ID") && messages.contains("CONNECTOR_PUBLIC_URL"), "{messages}");
    for path in ["/oauth/start", "/oauth/callback?code=x", "/oauth/install"] {
        let page = Browser::default().get(&format!("{}{path}", server.url)).await;
        assert_page(&page, 503, "This did not work");
        assert!(page.text().contains("Accounts cannot be connected here yet."), "{}", page.text());
    }
    let key = server.create_key("acme");
    let refused = server.post("/v1/connections", &key, "{}").await;
    assert_eq!((refused.status, refused.kind().as_str()), (400, "no_connection"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect_command_waits_for_the_browser() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let (link, wait_for_stdout) =
        server.start_command(&["connect", "--public-url", &server.url, "--name", "by-browser"], "Open this link in a browser, once: ");
    let mut browser = Browser::default();
    browser.connect(&server, &link, 0).await;
    let printed: Value = serde_json::from_str(&wait_for_stdout()).expect("connect prints the connection");
    assert_eq!((&printed["status"], &printed["owner"]), (&json!("ACTIVE"), &json!("local")), "{printed}");
}

/// Needs no account of Pipedrive.
#[tokio::test]
async fn link_works_with_the_hosts_own_sandbox() {
    let server = Server::start_with_own_sandbox();
    let key = server.create_key("acme");
    let (id, url) = server.begin_connection(&key).await;
    let mut browser = Browser::default();
    browser.connect(&server, &url, 2).await;
    assert_eq!(server.read_connection(&key, &id).await["status"], "ACTIVE");
    let response = server.get("/gateway/pipedrive/api/v2/deals?limit=1", &key).await;
    assert_eq!((response.status, response.json()["data"].as_array().map(Vec::len)), (200, Some(1)), "{}", response.text());
}
