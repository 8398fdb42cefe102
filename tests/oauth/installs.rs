//! Installs from the marketplace: held, then confirmed or declined; and uninstalls.

use pipedrive_sandbox::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
use serde_json::{Value, json};

use crate::support::browser::{Browser, assert_page, grant_connection, hand_over_install};
use crate::support::http::{FORM, build_basic};
use crate::support::server::{Server, build_uninstall_notice};

#[tokio::test]
async fn install_waits_for_sign_in_and_confirmation() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let (key, others) = (server.create_key("acme"), server.create_key("other"));
    let mut browser = Browser::default();
    let callback = browser.install(&server, 0).await;
    assert!(callback.contains("code=") && !callback.contains("state="), "{callback}");
    let held = browser.get(&callback).await;
    assert_eq!((held.status, held.header("location")), (303, Some("/oauth/install")));
    let install = format!("{}/oauth/install", server.url);
    assert_page(&browser.get(&install).await, 401, "Sign in");
    let signed_in = browser.sign_in(&server, "acme").await;
    assert_eq!(signed_in.header("location"), Some("/oauth/install"), "continue with the pending install: {}", signed_in.text());
    let page = browser.get(&install).await;
    assert_page(&page, 200, "Connect this account?");
    let cookie = page.header("set-cookie").expect("the page keeps the handle while the connection waits");
    assert!(cookie.contains("Max-Age=600;"), "{cookie}");
    for element in ["id=\"company\"", "id=\"user\"", "id=\"email\"", "<dd id=\"owner\">acme</dd>"] {
        assert!(page.text().contains(element), "{element}: {}", page.text());
    }
    assert_eq!(browser.get(&install).await.text(), page.text(), "show the same page again");
    assert_eq!(server.read_statuses(&key).await, ["PENDING"]);
    // Another site, a form with a wrong token and another person cannot decide.
    assert_page(&browser.press(&server, &page, "confirm", &[("sec-fetch-site", "cross-site")]).await, 403, "This did not work");
    let response = browser.send("POST", &format!("{}/oauth/confirm", server.url), &[FORM], "csrf=guessed").await;
    assert_page(&response, 403, "This did not work");
    let mut thief =
        Browser { jar: browser.jar.iter().filter(|(_, name, _)| name.contains("install")).cloned().collect(), ..Browser::default() };
    thief.sign_in(&server, "other").await;
    assert_page(&thief.get(&install).await, 200, "Nothing waits to be connected");
    assert_page(&thief.press(&server, &page, "confirm", &[]).await, 403, "This did not work");
    assert_page(&Browser::default().press(&server, &page, "confirm", &[]).await, 200, "Nothing waits to be connected");
    assert_eq!((server.read_statuses(&key).await, server.read_statuses(&others).await), (vec!["PENDING".to_owned()], vec![]));

    assert_page(&browser.press(&server, &page, "confirm", &[]).await, 200, "Connected");
    assert_eq!(server.read_statuses(&key).await, ["ACTIVE"]);
    assert_page(&browser.get(&install).await, 200, "Nothing waits to be connected");
    let log = server.stop_and_read_log();
    for secret in browser.secrets.iter().chain(&thief.secrets) {
        assert!(!log.contains(secret.as_str()), "keep {secret} out of the log:\n{log}");
    }
}

#[tokio::test]
async fn declined_install_is_revoked_and_a_session_can_start_over() {
    let (server, sandbox) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let mut browser = Browser::default();
    browser.sign_in(&server, "acme").await;
    let callback = browser.install(&server, 1).await;
    browser.get(&callback).await;
    let page = browser.get(&format!("{}/oauth/install", server.url)).await;
    assert_page(&browser.press(&server, &page, "decline", &[]).await, 200, "Nothing was connected");
    assert!(server.read_statuses(&key).await.is_empty());
    let uninstall = browser.get(&format!("{}/marketplace/{DEMO_CLIENT_ID}/uninstall", server.upstream())).await.text();
    assert!(uninstall.contains("Nobody has this app installed"), "revoke the grant at the vendor: {uninstall}");
    browser.connect(&server, &format!("{}/oauth/start", server.url), 0).await;
    assert_eq!((server.read_statuses(&key).await, sandbox.refresh_count()), (vec!["ACTIVE".to_owned()], 0));
}

#[tokio::test]
async fn install_is_handed_to_a_platform_or_restarted() {
    let (server, _) = Server::start_with_sandbox(&["--install-redirect", "https://platform.example/setup?a=1"]).await;
    let (key, other) = (server.create_key("acme"), server.create_key("other"));
    let handle = hand_over_install(&server, 0, "https://platform.example/setup?a=1&install=").await;
    let decide = async |decision: &str, key: &str| {
        server.send("POST", &format!("/v1/installs/{handle}/{decision}"), &[("authorization", key)], "").await
    };
    let claimed = decide("claim", &key).await;
    assert_eq!(
        (&claimed.json()["connection"]["status"], &claimed.json()["renews"]),
        (&json!("PENDING"), &Value::Null),
        "{}",
        claimed.text()
    );
    assert!(claimed.json()["connection"]["metadata"]["user"]["email"].is_string(), "{}", claimed.text());
    for decision in ["claim", "confirm", "decline"] {
        assert_eq!(decide(decision, &other).await.status, 404, "{decision}");
    }
    assert_eq!(decide("claim", &key).await.json(), claimed.json(), "a second claim must return the same");
    assert_eq!(decide("confirm", &key).await.json()["connection"]["status"], "ACTIVE");

    let (server, _) = Server::start_with_sandbox(&["--install", "restart"]).await;
    let mut browser = Browser::default();
    let callback = browser.install(&server, 0).await;
    let again = browser.get(&callback).await;
    assert_eq!((again.status, again.header("location"), again.header("set-cookie")), (303, Some("/oauth/start"), None));
}

/// The vendor revokes a user's former grants with the next install.
#[tokio::test]
async fn install_of_a_connected_account_does_no_harm() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let (id, url) = server.begin_connection(&key).await;
    let mut browser = Browser::default();
    browser.connect(&server, &url, 0).await;
    browser.sign_in(&server, "acme").await;
    let call_status = async || server.get("/gateway/pipedrive/api/v1/users/me", &key).await.status;
    for decision in ["decline", "confirm"] {
        let callback = browser.install(&server, 0).await;
        browser.get(&callback).await;
        let page = browser.get(&format!("{}/oauth/install", server.url)).await;
        assert!(page.text().contains("It renews the connection"), "{}", page.text());
        assert_eq!(call_status().await, 200, "keep the connection working before a decision");
        let decided = browser.press(&server, &page, decision, &[]).await;
        assert_eq!((decided.status, call_status().await), (200, 200), "{decision}: {}", decided.text());
    }
    // A pending connection of the same account leads to the existing one.
    let (again, url) = server.begin_connection(&key).await;
    browser.connect(&server, &url, 0).await;
    assert_eq!(server.read_connection(&key, &again).await["connection_id"], json!(id));
    assert_eq!((server.read_statuses(&key).await, call_status().await), (vec!["ACTIVE".to_owned()], 200));
}

#[tokio::test]
async fn uninstall_notices_must_come_from_the_vendor() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let id = grant_connection(&server, &key, 0).await;
    let notice = build_uninstall_notice(&server.read_connection(&key, &id).await);
    let basic = |secret: &str| build_basic(DEMO_CLIENT_ID, secret);
    for wrong in [basic("wrong"), basic(""), "Basic !".to_owned(), key.clone(), String::new()] {
        let response = server.notify_of_uninstall(&wrong, &notice).await;
        assert_eq!((response.status, response.header("www-authenticate")), (401, Some("Basic")), "{wrong}");
    }
    let right = basic(DEMO_CLIENT_SECRET);
    let unreadable = server.notify_of_uninstall(&right, "{}").await;
    assert_eq!(unreadable.status, 400);
    assert_eq!(server.read_connection(&key, &id).await["status"], "ACTIVE");
    // A notice older than the grant is about a former grant, in each format of time.
    for before in [json!("2026-11-22T12:00:00Z"), json!("2026-11-22 12:00:00"), json!(1_795_348_800), json!("1795348800000")] {
        let old = notice.replace("\"now\"", &before.to_string());
        let accepted = server.notify_of_uninstall(&right, &old).await;
        assert_eq!(accepted.json(), json!({"ok": true}));
        assert_eq!(server.read_connection(&key, &id).await["status"], "ACTIVE", "{before}");
    }
    let accepted = server.notify_of_uninstall(&right, &notice).await;
    assert_eq!(accepted.json(), json!({"ok": true}));
    let failed = server.read_connection(&key, &id).await;
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("FAILED"), &json!("uninstalled")), "{failed}");
    assert!(failed["url"].is_string(), "offer a link to reconnect: {failed}");
    let outcome = server.invoke(&key, r#"{"action":"getCurrentUser"}"#).await;
    assert_eq!(outcome["error"]["kind"], "reconnect_required", "{outcome}");
    let passed = server.get("/gateway/pipedrive/api/v1/users/me", &key).await;
    assert_eq!((passed.status, passed.kind().as_str()), (400, "no_connection"), "{}", passed.text());
}
