//! The pages of OAuth, as a browser walks through them by a link, and all that is refused.

use serde_json::{Value, json};

use crate::support::browser::{Browser, assert_page, begun, connection, parameter, statuses};
use crate::support::http::JSON;
use crate::support::server::Served;

#[tokio::test]
async fn link_connects_once_in_the_browser_that_opened_it() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let (id, url) = begun(&served, &key).await;
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    // Opening the link uses nothing up: a program that looks at mails does it too.
    assert_page(&other.get(&url).await, 200, "Connect an account");
    assert_eq!(served.ask("HEAD", &url[served.url.len()..], &[], "").await.status, 405);
    // A form of another browser's page begins nothing here.
    let page = other.get(&url).await;
    assert_page(&browser.press(&served, &page, "go-on", &[]).await, 403, "This did not work");
    let sent = browser.go_on(&served, &url).await;
    let back = browser.consent(&sent, 0, "allow").await;
    assert!(back.starts_with(&format!("{}/oauth/callback?", served.url)) && back.contains("state="), "{back}");
    // A state in another browser is refused, and used up nothing.
    assert_page(&other.get(&back).await, 403, "This did not work");
    assert_eq!(connection(&served, &key, &id).await["status"], "PENDING");
    assert_page(&browser.get(&back).await, 200, "Connected");
    let made = connection(&served, &key, &id).await;
    assert_eq!((&made["status"], &made["method"], &made["url"]), (&json!("ACTIVE"), &json!("OAUTH2"), &Value::Null), "{made}");
    assert_page(&browser.get(&back).await, 403, "This did not work");
    assert_page(&browser.get(&url).await, 409, "This did not work");
    let call = r#"{"action":"getCurrentUser"}"#;
    let outcome = served.ask("POST", "/v1/invoke", &[("authorization", &key), JSON], call).await.json();
    assert_eq!(outcome["data"]["email"], made["metadata"]["user"]["email"], "{outcome}");
    let log = served.log();
    for secret in browser.seen.iter().chain(&other.seen).chain([&parameter(&url, "link=").expect("a link"), &back]) {
        assert!(!log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn malformed_or_forged_callbacks_connect_nothing() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let (_, url) = begun(&served, &key).await;
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
        let reply = browser.get(&format!("{}/oauth/callback?{query}", served.url)).await;
        assert_page(&reply, status, "This did not work");
        assert!(!browser.jar.iter().any(|(_, name, _)| name.contains("install")), "a bad state is not taken for none: {query}");
    }
    assert_eq!(statuses(&served, &key).await, ["PENDING"]);
    assert_page(&browser.get(&format!("{}/oauth/start?link=forged", served.url)).await, 403, "This did not work");
    assert_page(&browser.get(&format!("{}/oauth/start?x=1", served.url)).await, 400, "This did not work");
    assert_page(&browser.get(&format!("{}/oauth/start", served.url)).await, 401, "Sign in");
    assert_page(&browser.get(&format!("{}/sign-in?token=forged", served.url)).await, 403, "This did not work");
}

#[tokio::test]
async fn cancelled_authorization_is_explained_and_can_restart() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let (id, url) = begun(&served, &key).await;
    let mut browser = Browser::default();
    let sent = browser.go_on(&served, &url).await;
    let back = browser.consent(&sent, 0, "cancel").await;
    assert_page(&browser.get(&back).await, 200, "Nothing was connected");
    let declined = served.get(&format!("/v1/connections/{id}"), &key).await;
    assert_eq!((declined.status, declined.kind().as_str()), (410, "gone"), "what waited for it is gone, and it is said why");
    // Another one leads on.
    let (_, url) = begun(&served, &key).await;
    browser.connects(&served, &url, 0).await;
    assert_page(&browser.get(&format!("{}/oauth/callback?error=user_denied", served.url)).await, 200, "Nothing was connected");
    let failed = browser.get(&format!("{}/oauth/callback?error=server_error", served.url)).await;
    assert_page(&failed, 400, "This did not work");
    assert!(failed.text().contains("server_error"), "{}", failed.text());
}

#[tokio::test]
async fn session_is_no_key_and_missing_app_is_explained() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let mut browser = Browser::default();
    let signed_in = browser.sign_in(&served, "acme").await;
    for path in ["/v1/connections", "/v1/actions", "/gateway/pipedrive/api/v1/users/me"] {
        assert_eq!(browser.get(&format!("{}{path}", served.url)).await.status, 401, "{path}");
    }
    let held = browser.jar.clone();
    assert_page(&browser.press(&served, &signed_in, "sign-out", &[]).await, 200, "You are signed out");
    browser.jar = held;
    assert_page(&browser.get(&format!("{}/oauth/start", served.url)).await, 401, "Sign in");
    let (served, said) = Served::without_app(served.upstream());
    assert!(said.contains("CONNECTOR_CLIENT_ID") && said.contains("CONNECTOR_PUBLIC_URL"), "{said}");
    for path in ["/oauth/start", "/oauth/callback?code=x", "/oauth/install"] {
        let page = Browser::default().get(&format!("{}{path}", served.url)).await;
        assert_page(&page, 503, "This did not work");
        assert!(page.text().contains("CONNECTOR_CLIENT_ID"), "{}", page.text());
    }
    let key = served.key("acme");
    let refused = served.ask("POST", "/v1/connections", &[("authorization", &key), JSON], "{}").await;
    assert_eq!((refused.status, refused.kind().as_str()), (400, "no_connection"));
}

/// The command line waits for the browser, whoever serves the pages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect_command_waits_for_the_browser() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let (link, ended) =
        served.waiting(&["connect", "--public-url", &served.url, "--name", "by-browser"], "Open this link in a browser, once: ");
    let mut browser = Browser::default();
    browser.connects(&served, &link, 0).await;
    let printed: Value = serde_json::from_str(&ended()).expect("it prints the connection");
    assert_eq!((&printed["status"], &printed["owner"]), (&json!("ACTIVE"), &json!("local")), "{printed}");
}

/// Everything can be walked through without an account.
#[tokio::test]
async fn link_works_with_the_hosts_own_sandbox() {
    let served = Served::with_its_own_sandbox();
    let key = served.key("acme");
    let (id, url) = begun(&served, &key).await;
    let mut browser = Browser::default();
    browser.connects(&served, &url, 2).await;
    assert_eq!(connection(&served, &key, &id).await["status"], "ACTIVE");
    let reply = served.get("/gateway/pipedrive/api/v2/deals?limit=1", &key).await;
    assert_eq!((reply.status, reply.json()["data"].as_array().map(Vec::len)), (200, Some(1)), "{}", reply.text());
}
