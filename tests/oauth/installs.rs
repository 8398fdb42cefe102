//! Installs from the marketplace: held, confirmed by hand or declined, and an uninstall.

use pipedrive_sandbox::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
use serde_json::{Value, json};

use crate::support::browser::{Browser, assert_page, begun, connection, handed_over, statuses};
use crate::support::http::{FORM, JSON};
use crate::support::server::Served;

#[tokio::test]
async fn install_waits_for_sign_in_and_confirmation() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let (key, others) = (served.key("acme"), served.key("other"));
    let mut browser = Browser::default();
    let back = browser.install(&served, 0).await;
    assert!(back.contains("code=") && !back.contains("state="), "{back}");
    let held = browser.get(&back).await;
    assert_eq!((held.status, held.header("location")), (303, Some("/oauth/install")));
    let install = format!("{}/oauth/install", served.url);
    assert_page(&browser.get(&install).await, 401, "Sign in");
    let signed_in = browser.sign_in(&served, "acme").await;
    assert_eq!(signed_in.header("location"), Some("/oauth/install"), "what waits goes on: {}", signed_in.text());
    let page = browser.get(&install).await;
    assert_page(&page, 200, "Connect this account?");
    let kept = page.header("set-cookie").expect("the handle is kept for as long as the connection waits");
    assert!(kept.contains("Max-Age=600;"), "{kept}");
    for named in ["id=\"company\"", "id=\"user\"", "id=\"email\"", "<dd id=\"owner\">acme</dd>"] {
        assert!(page.text().contains(named), "{named}: {}", page.text());
    }
    assert_eq!(browser.get(&install).await.text(), page.text(), "loaded anew it is the same");
    assert_eq!(statuses(&served, &key).await, ["PENDING"]);
    // Neither another site, nor a form without the right word, nor another person decides.
    assert_page(&browser.press(&served, &page, "confirm", &[("sec-fetch-site", "cross-site")]).await, 403, "This did not work");
    let reply = browser.send("POST", &format!("{}/oauth/confirm", served.url), &[FORM], "csrf=guessed").await;
    assert_page(&reply, 403, "This did not work");
    let mut thief =
        Browser { jar: browser.jar.iter().filter(|(_, name, _)| name.contains("install")).cloned().collect(), ..Browser::default() };
    thief.sign_in(&served, "other").await;
    assert_page(&thief.get(&install).await, 200, "Nothing waits to be connected");
    assert_page(&thief.press(&served, &page, "confirm", &[]).await, 403, "This did not work");
    assert_page(&Browser::default().press(&served, &page, "confirm", &[]).await, 200, "Nothing waits to be connected");
    assert_eq!((statuses(&served, &key).await, statuses(&served, &others).await), (vec!["PENDING".to_owned()], vec![]));

    assert_page(&browser.press(&served, &page, "confirm", &[]).await, 200, "Connected");
    assert_eq!(statuses(&served, &key).await, ["ACTIVE"]);
    assert_page(&browser.get(&install).await, 200, "Nothing waits to be connected");
    let log = served.log();
    for secret in browser.seen.iter().chain(&thief.seen) {
        assert!(!log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn declined_install_is_revoked_and_a_session_can_start_over() {
    let (served, sandbox) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let mut browser = Browser::default();
    browser.sign_in(&served, "acme").await;
    let back = browser.install(&served, 1).await;
    browser.get(&back).await;
    let page = browser.get(&format!("{}/oauth/install", served.url)).await;
    assert_page(&browser.press(&served, &page, "decline", &[]).await, 200, "Nothing was connected");
    assert!(statuses(&served, &key).await.is_empty());
    let uninstall = browser.get(&format!("{}/marketplace/{DEMO_CLIENT_ID}/uninstall", served.upstream())).await.text();
    assert!(uninstall.contains("Nobody has this app installed"), "the vendor was told: {uninstall}");
    browser.connects(&served, &format!("{}/oauth/start", served.url), 0).await;
    assert_eq!((statuses(&served, &key).await, sandbox.refresh_count()), (vec!["ACTIVE".to_owned()], 0));
}

#[tokio::test]
async fn install_is_handed_to_a_platform_or_restarted() {
    let (served, _) = Served::before_sandbox(&["--install-redirect", "https://platform.example/setup?a=1"]).await;
    let (key, other) = (served.key("acme"), served.key("other"));
    let handle = handed_over(&served, 0, "https://platform.example/setup?a=1&install=").await;
    let decide =
        async |what: &str, key: &str| served.ask("POST", &format!("/v1/installs/{handle}/{what}"), &[("authorization", key)], "").await;
    let claimed = decide("claim", &key).await;
    assert_eq!(
        (&claimed.json()["connection"]["status"], &claimed.json()["renews"]),
        (&json!("PENDING"), &Value::Null),
        "{}",
        claimed.text()
    );
    assert!(claimed.json()["connection"]["metadata"]["user"]["email"].is_string(), "{}", claimed.text());
    for what in ["claim", "confirm", "decline"] {
        assert_eq!(decide(what, &other).await.status, 404, "{what}");
    }
    assert_eq!(decide("claim", &key).await.json(), claimed.json(), "asked again, it is the same");
    assert_eq!(decide("confirm", &key).await.json()["connection"]["status"], "ACTIVE");

    let (served, _) = Served::before_sandbox(&["--install", "restart"]).await;
    let mut browser = Browser::default();
    let back = browser.install(&served, 0).await;
    let again = browser.get(&back).await;
    assert_eq!((again.status, again.header("location"), again.header("set-cookie")), (303, Some("/oauth/start"), None));
}

/// The vendor ends what one user's install gave before by the next one.
#[tokio::test]
async fn install_of_a_connected_account_does_no_harm() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let (id, url) = begun(&served, &key).await;
    let mut browser = Browser::default();
    browser.connects(&served, &url, 0).await;
    browser.sign_in(&served, "acme").await;
    let works = async || served.get("/gateway/pipedrive/api/v1/users/me", &key).await.status;
    for decides in ["decline", "confirm"] {
        let back = browser.install(&served, 0).await;
        browser.get(&back).await;
        let page = browser.get(&format!("{}/oauth/install", served.url)).await;
        assert!(page.text().contains("It renews the connection"), "{}", page.text());
        assert_eq!(works().await, 200, "before anybody decides");
        let decided = browser.press(&served, &page, decides, &[]).await;
        assert_eq!((decided.status, works().await), (200, 200), "{decides}: {}", decided.text());
    }
    // Connected once more by a link: what was begun tells what it became.
    let (again, url) = begun(&served, &key).await;
    browser.connects(&served, &url, 0).await;
    assert_eq!(connection(&served, &key, &again).await["connection_id"], json!(id));
    assert_eq!((statuses(&served, &key).await, works().await), (vec!["ACTIVE".to_owned()], 200));
}

#[tokio::test]
async fn uninstall_notices_must_come_from_the_vendor() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let (id, url) = begun(&served, &key).await;
    let mut browser = Browser::default();
    browser.connects(&served, &url, 0).await;
    let made = connection(&served, &key, &id).await;
    let (company, user) = (&made["metadata"]["company"]["id"], &made["metadata"]["user"]["id"]);
    let notice = json!({"client_id": DEMO_CLIENT_ID, "company_id": company, "user_id": user, "timestamp": "now"}).to_string();
    let basic = |secret: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{DEMO_CLIENT_ID}:{secret}")))
    };
    for wrong in [basic("wrong"), basic(""), "Basic !".to_owned(), key.clone(), String::new()] {
        let reply = served.ask("DELETE", "/oauth/callback", &[("authorization", &wrong), JSON], &notice).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Basic")), "{wrong}");
    }
    let right = basic(DEMO_CLIENT_SECRET);
    let unreadable = served.ask("DELETE", "/oauth/callback", &[("authorization", &right), JSON], "{}").await;
    assert_eq!(unreadable.status, 400);
    assert_eq!(connection(&served, &key, &id).await["status"], "ACTIVE");
    // One that is older than the grant concerns what was granted before it, however it writes its time.
    for before in [json!("2026-11-22T12:00:00Z"), json!("2026-11-22 12:00:00"), json!(1_795_348_800), json!("1795348800000")] {
        let old = notice.replace("\"now\"", &before.to_string());
        let told = served.ask("DELETE", "/oauth/callback", &[("authorization", &right), JSON], &old).await;
        assert_eq!(told.json(), json!({"ok": true}));
        assert_eq!(connection(&served, &key, &id).await["status"], "ACTIVE", "{before}");
    }
    let told = served.ask("DELETE", "/oauth/callback", &[("authorization", &right), JSON], &notice).await;
    assert_eq!(told.json(), json!({"ok": true}));
    let gone = connection(&served, &key, &id).await;
    assert_eq!((&gone["status"], &gone["reason"]), (&json!("FAILED"), &json!("uninstalled")), "{gone}");
    assert!(gone["url"].is_string(), "a link leads back: {gone}");
    let call = r#"{"action":"getCurrentUser"}"#;
    let outcome = served.ask("POST", "/v1/invoke", &[("authorization", &key), JSON], call).await.json();
    assert_eq!(outcome["error"]["kind"], "reconnect_required", "{outcome}");
    let passed = served.get("/gateway/pipedrive/api/v1/users/me", &key).await;
    assert_eq!((passed.status, passed.kind().as_str()), (400, "no_connection"), "{}", passed.text());
}
