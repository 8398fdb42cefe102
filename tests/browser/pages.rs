//! The host's pages of OAuth, as people see them and press their buttons.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::chromium::{Chromium, Person};
use crate::support::site::{Site, allow_access, company_name, summarize};
use crate::support::upstream::{build_response, start_upstream};

const INSTALL: &str = "__Host-connector-install";
const SESSION: &str = "__Host-connector-session";

/// Checks that the page asks for confirmation, and shows the facts of the account.
async fn assert_asks(person: &Person, owner: &str, account: &str) {
    assert_eq!(person.heading().await, "Connect this account?");
    assert_eq!(person.text("#owner").await, owner);
    for fact in ["#company", "#user", "#email"] {
        let shown = person.text(fact).await;
        assert!(!shown.is_empty() && account.contains(&shown), "{fact} shows {shown:?}, but the account is {account:?}");
    }
}

/// Starts over from the page, and connects an account.
async fn assert_starts_over(person: &Person, site: &Site, key: &str) {
    person.press("#start-over").await;
    person.press("#go-on").await;
    let account = allow_access(person, 0).await;
    assert_eq!(person.heading().await, "Connected");
    assert_eq!(site.read_connections(key).await, [summarize("ACTIVE", &account)]);
}

#[tokio::test]
async fn install_by_new_user_waits_for_sign_in_and_confirmation() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    let account = site.install(&ann, 1).await;
    assert_eq!((ann.heading().await.as_str(), ann.address().await), ("Sign in", site.page_url("/oauth/install")));
    let held = ann.cookie(INSTALL).await.expect("the browser has the cookie of the install");
    assert_eq!((held.secure(), held.http_only(), held.path()), (Some(true), Some(true), Some("/")));
    assert!(held.to_string().contains("SameSite=Lax"), "{held}");
    assert!(site.read_connections(&key).await.is_empty());
    // Without a sign-in the page does not continue.
    ann.press("#continue").await;
    assert_eq!(ann.heading().await, "Sign in");
    site.sign_in(&ann, "acme").await;
    assert_asks(&ann, "acme", &account).await;
    assert_eq!(site.read_connections(&key).await, [summarize("PENDING", &account)]);
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(site.read_connections(&key).await, [summarize("ACTIVE", &account)]);
    assert!(ann.cookie(INSTALL).await.is_none(), "remove the cookie of the install");
}

#[tokio::test]
async fn install_by_signed_out_user_keeps_their_other_connection() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    site.sign_in(&ann, "acme").await;
    ann.press("#connect").await;
    ann.press("#go-on").await;
    let first = allow_access(&ann, 0).await;
    assert_eq!(ann.heading().await, "Connected");
    site.sign_in(&ann, "acme").await;
    ann.press("#sign-out").await;
    assert_eq!(ann.heading().await, "You are signed out");
    assert!(ann.cookie(SESSION).await.is_none());

    let last = site.count_accounts(&ann).await - 1;
    let second = site.install(&ann, last).await;
    assert_ne!(company_name(&first), company_name(&second));
    assert_eq!(ann.heading().await, "Sign in");
    site.sign_in(&ann, "acme").await;
    assert_asks(&ann, "acme", &second).await;
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(site.read_connections(&key).await, [summarize("ACTIVE", &first), summarize("ACTIVE", &second)]);
}

#[tokio::test]
async fn install_by_signed_in_user_is_confirmed_or_declined() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    site.sign_in(&ann, "acme").await;
    let account = site.install(&ann, 0).await;
    assert_asks(&ann, "acme", &account).await;
    ann.press("#decline").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    assert!(site.read_connections(&key).await.is_empty());
    ann.open(&format!("{}/uninstall", site.marketplace_url())).await;
    assert_eq!(ann.text("main p").await, "Nobody has this app installed.", "revoke the grant at the vendor");

    let account = site.install(&ann, 0).await;
    assert_asks(&ann, "acme", &account).await;
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(site.read_connections(&key).await, [summarize("ACTIVE", &account)]);
}

#[tokio::test]
async fn link_connects_once_and_its_callback_cannot_be_replayed() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let (_, link) = site.server.begin_connection(&key).await;
    let ann = chromium.open_browser().await;
    ann.open(&link).await;
    assert_eq!((ann.heading().await.as_str(), ann.text("#owner").await.as_str()), ("Connect an account", "acme"));
    ann.press("#go-on").await;
    let account = allow_access(&ann, 0).await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(ann.text("#owner").await, "acme");
    for fact in ["#company", "#user", "#email"] {
        assert!(account.contains(&ann.text(fact).await), "{fact}");
    }
    let callback = ann.address().await;
    assert!(callback.contains("code=") && callback.contains("state="), "{callback}");
    ann.open(&callback).await;
    assert_eq!(ann.heading().await, "Connected", "a page that is loaded again is no error");
    assert_eq!(ann.text("main p").await, "The account was connected before. You can close this page.");
    // The code without its state looks like an install, but the vendor accepts a code once.
    site.sign_in(&ann, "acme").await;
    let (code, _) = callback.split_once("&state=").expect("the state is the last parameter");
    ann.open(code).await;
    assert_eq!(ann.heading().await, "Nothing waits to be connected");
    ann.open(&format!("{code}&state=forged")).await;
    assert_eq!(ann.heading().await, "This did not work");
    assert_eq!(site.read_connections(&key).await, [summarize("ACTIVE", &account)]);
}

#[tokio::test]
async fn cancelled_consent_is_explained_and_can_start_over() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    site.sign_in(&ann, "acme").await;
    // From the marketplace, then from the host.
    ann.open(&site.marketplace_url()).await;
    ann.press("a[href^='/oauth/authorize']").await;
    ann.press("button[value=cancel]").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    ann.press("#start-over").await;
    ann.press("#go-on").await;
    ann.press("button[value=cancel]").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    assert!(site.read_connections(&key).await.is_empty());
    assert_starts_over(&ann, &site, &key).await;
}

#[tokio::test]
async fn expired_code_leads_to_a_page_that_starts_over() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    site.install(&ann, 0).await;
    assert_eq!(ann.heading().await, "Sign in");
    site.clock.advance(std::time::Duration::from_mins(6));
    site.sign_in(&ann, "acme").await;
    assert_eq!(ann.heading().await, "Nothing waits to be connected");
    assert!(site.read_connections(&key).await.is_empty());
    assert_starts_over(&ann, &site, &key).await;
}

/// Opens the vendor's page in a window of a phone, where many users and scopes do not fit.
#[tokio::test]
async fn buttons_of_the_consent_page_need_no_scrolling() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    ann.resize_window(360, 480).await;
    let (_, link) = site.server.begin_connection(&key).await;
    ann.open(&link).await;
    ann.press("#go-on").await;
    ann.text("fieldset").await;
    for button in ["allow", "cancel"] {
        assert!(ann.is_in_view(&format!("button[value={button}]")).await, "the button {button} is in view");
    }
    assert!(!ann.is_in_view("li:last-of-type").await, "the page must be longer than the window");
}

#[tokio::test]
async fn person_who_cancels_by_a_link_is_led_back_without_a_sign_in() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    let (_, link) = site.server.begin_connection(&key).await;
    ann.open(&link).await;
    ann.press("#go-on").await;
    ann.press("button[value=cancel]").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    assert_starts_over(&ann, &site, &key).await;
}

/// Mallory plants codes and handles of her own account in Ann's browser.
#[tokio::test]
async fn codes_and_handles_planted_by_another_person_connect_nothing() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&[]).await;
    let (key, mallory_key) = (site.server.create_key("acme"), site.server.create_key("mallory"));
    let (ann, mut mallory) = (chromium.open_browser().await, Browser::default());
    site.sign_in(&ann, "acme").await;

    // A code with its state, which belongs to Mallory's browser.
    let (_, link) = site.server.begin_connection(&mallory_key).await;
    let redirect = mallory.go_on(&site.server, &link.replace(&site.url, &site.server.url)).await;
    let callback = mallory.consent(&redirect, 0, "allow").await;
    ann.open(&callback).await;
    assert_eq!(ann.heading().await, "This did not work");
    assert!(site.read_connections(&key).await.is_empty());

    // A code without state: the host asks first, and a form of another site cannot confirm.
    let callback = mallory.install(&site.server, 1).await;
    ann.open(&callback).await;
    assert_eq!(ann.heading().await, "Connect this account?");
    let foreign = start_foreign_site(&site.page_url("/oauth/confirm")).await;
    ann.open(&foreign).await;
    // The browser sends no cookies with that form.
    assert_eq!((ann.heading().await.as_str(), ann.address().await), ("Nothing waits to be connected", site.page_url("/oauth/confirm")));
    assert_eq!(read_statuses(&site, &key).await, ["PENDING"]);
    ann.open(&site.page_url("/oauth/install")).await;
    ann.press("#decline").await;
    assert!(site.read_connections(&key).await.is_empty());

    // The handle of an install: the host asks first. A claimed handle works for Mallory only.
    for is_claimed in [false, true] {
        let callback = mallory.install(&site.server, 1).await;
        mallory.get(&callback.replace(&site.url, &site.server.url)).await;
        let handle = mallory.cookie(INSTALL).expect("Mallory holds an install");
        if is_claimed {
            let path = format!("/v1/installs/{handle}/claim");
            let claimed = site.server.send("POST", &path, &[("authorization", &mallory_key)], "").await;
            assert_eq!(claimed.status, 200, "{}", claimed.text());
        }
        ann.add_cookie(INSTALL, &handle).await;
        ann.open(&site.page_url("/oauth/install")).await;
        let heading = if is_claimed { "Nothing waits to be connected" } else { "Connect this account?" };
        assert_eq!(ann.heading().await, heading);
        if !is_claimed {
            ann.press("#decline").await;
            assert_eq!(ann.heading().await, "Nothing was connected");
        }
        assert!(site.read_connections(&key).await.is_empty());
    }
}

async fn read_statuses(site: &Site, key: &str) -> Vec<String> {
    site.read_connections(key).await.into_iter().map(|(status, _)| status).collect()
}

/// Starts another site, whose page submits a form at once.
async fn start_foreign_site(to: &str) -> String {
    let page = format!(
        "<!doctype html><form method=\"post\" action=\"{to}\"><input name=\"csrf\" value=\"guessed\"></form>\
         <script>document.forms[0].submit()</script>"
    );
    let url = start_upstream(build_response("200 OK", "content-type: text/html\r\n", &page)).await;
    url.replace("127.0.0.1", "localhost")
}

#[tokio::test]
async fn reinstalling_renews_the_same_connection() {
    let Some(chromium) = Chromium::start() else { return };
    // The vendor sends its notice over plain http.
    let site = Site::start_on_this_machine().await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    site.sign_in(&ann, "acme").await;
    let account = site.install(&ann, 0).await;
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    let before = site.server.get("/v1/connections", &key).await.json();

    ann.open(&format!("{}/uninstall", site.marketplace_url())).await;
    ann.press("form button").await;
    assert_eq!(ann.heading().await, "Uninstalled");
    assert_eq!(ann.text("main p:last-of-type").await, "Its callback got a notice, and answered 200.");
    let gone = site.server.get("/v1/connections", &key).await.json();
    assert_eq!((&gone["connections"][0]["status"], &gone["connections"][0]["reason"]), (&json!("FAILED"), &json!("uninstalled")));

    assert_eq!(site.install(&ann, 0).await, account);
    assert_asks(&ann, "acme", &account).await;
    let name = before["connections"][0]["name"].as_str().expect("a name");
    assert!(ann.text("main").await.contains(&format!("It renews the connection {name}.")));
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    let after = site.server.get("/v1/connections", &key).await.json();
    assert_eq!(after["connections"].as_array().map(Vec::len), Some(1));
    assert_eq!(after["connections"][0]["connection_id"], before["connections"][0]["connection_id"]);
    assert_eq!(after["connections"][0]["status"], "ACTIVE");
}

#[tokio::test]
async fn install_can_be_restarted_with_a_state() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::start_over_https(&["--install", "restart"]).await;
    let key = site.server.create_key("acme");
    let ann = chromium.open_browser().await;
    site.sign_in(&ann, "acme").await;
    site.install(&ann, 0).await;
    ann.press("#go-on").await;
    let account = allow_access(&ann, 0).await;
    assert_eq!(ann.heading().await, "Connected");
    assert!(ann.address().await.contains("state="));
    assert_eq!(site.read_connections(&key).await, [summarize("ACTIVE", &account)]);
}
