//! What a person sees and presses, in a real browser: the host's pages of OAuth, and between them the vendor's own.

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::support::browser::{Browser, begun};
use crate::support::chromium::{Chromium, Person};
use crate::support::site::{Site, allow, company, is};

const INSTALL: &str = "__Host-connector-install";
const SESSION: &str = "__Host-connector-session";

/// The page that asks whether this account is to be connected names all that the vendor said of it.
async fn assert_asks(person: &Person, owner: &str, whose: &str) {
    assert_eq!(person.heading().await, "Connect this account?");
    assert_eq!(person.text("#owner").await, owner);
    for fact in ["#company", "#user", "#email"] {
        let told = person.text(fact).await;
        assert!(!told.is_empty() && whose.contains(&told), "{fact} is {told:?}, and the account is {whose:?}");
    }
}

/// The page leads on to a connection.
async fn assert_starts_over(person: &Person, site: &Site, key: &str) {
    person.press("#start-over").await;
    person.press("#go-on").await;
    let whose = allow(person, 0).await;
    assert_eq!(person.heading().await, "Connected");
    assert_eq!(site.connections(key).await, [is("ACTIVE", company(&whose))]);
}

#[tokio::test]
async fn install_by_new_user_waits_for_sign_in_and_confirmation() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    let whose = site.install(&ann, 1).await;
    assert_eq!((ann.heading().await.as_str(), ann.address().await), ("Sign in", site.at_path("/oauth/install")));
    let held = ann.cookie(INSTALL).await.expect("the browser keeps the handle");
    assert_eq!((held.secure(), held.http_only(), held.path()), (Some(true), Some(true), Some("/")));
    assert!(held.to_string().contains("SameSite=Lax"), "{held}");
    assert!(site.connections(&key).await.is_empty());
    // The link to go on leads nowhere yet.
    ann.press("#continue").await;
    assert_eq!(ann.heading().await, "Sign in");
    site.sign_in(&ann, "acme").await;
    assert_asks(&ann, "acme", &whose).await;
    assert_eq!(site.connections(&key).await, [is("PENDING", company(&whose))]);
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(site.connections(&key).await, [is("ACTIVE", company(&whose))]);
    assert!(ann.cookie(INSTALL).await.is_none(), "the handle is used up");
}

#[tokio::test]
async fn install_by_signed_out_user_keeps_their_other_connection() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    site.sign_in(&ann, "acme").await;
    ann.press("#connect").await;
    ann.press("#go-on").await;
    let first = allow(&ann, 0).await;
    assert_eq!(ann.heading().await, "Connected");
    site.sign_in(&ann, "acme").await;
    ann.press("#sign-out").await;
    assert_eq!(ann.heading().await, "You are signed out");
    assert!(ann.cookie(SESSION).await.is_none());

    let last = site.people(&ann).await - 1;
    let second = site.install(&ann, last).await;
    assert_ne!(company(&first), company(&second));
    assert_eq!(ann.heading().await, "Sign in");
    site.sign_in(&ann, "acme").await;
    assert_asks(&ann, "acme", &second).await;
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(site.connections(&key).await, [is("ACTIVE", company(&first)), is("ACTIVE", company(&second))]);
}

#[tokio::test]
async fn install_by_signed_in_user_is_confirmed_or_declined() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    site.sign_in(&ann, "acme").await;
    let whose = site.install(&ann, 0).await;
    assert_asks(&ann, "acme", &whose).await;
    ann.press("#decline").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    assert!(site.connections(&key).await.is_empty());
    ann.open(&format!("{}/uninstall", site.marketplace())).await;
    assert_eq!(ann.text("main p").await, "Nobody has this app installed.", "the vendor was told");

    let whose = site.install(&ann, 0).await;
    assert_asks(&ann, "acme", &whose).await;
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(site.connections(&key).await, [is("ACTIVE", company(&whose))]);
}

#[tokio::test]
async fn link_connects_once_and_its_callback_cannot_be_replayed() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let key = site.served.key("acme");
    let (_, link) = begun(&site.served, &key).await;
    let ann = chromium.person().await;
    ann.open(&link).await;
    assert_eq!((ann.heading().await.as_str(), ann.text("#owner").await.as_str()), ("Connect an account", "acme"));
    ann.press("#go-on").await;
    let whose = allow(&ann, 0).await;
    assert_eq!(ann.heading().await, "Connected");
    assert_eq!(ann.text("#owner").await, "acme");
    for fact in ["#company", "#user", "#email"] {
        assert!(whose.contains(&ann.text(fact).await), "{fact}");
    }
    let back = ann.address().await;
    assert!(back.contains("code=") && back.contains("state="), "{back}");
    ann.open(&back).await;
    assert_eq!(ann.heading().await, "This did not work", "a state is good once");
    // The code by itself, as an install would bring it: the vendor takes it no more.
    site.sign_in(&ann, "acme").await;
    let (code, _) = back.split_once("&state=").expect("a state stands last");
    ann.open(code).await;
    assert_eq!(ann.heading().await, "Nothing waits to be connected");
    ann.open(&format!("{code}&state=forged")).await;
    assert_eq!(ann.heading().await, "This did not work");
    assert_eq!(site.connections(&key).await, [is("ACTIVE", company(&whose))]);
}

#[tokio::test]
async fn cancelled_consent_is_explained_and_can_start_over() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    site.sign_in(&ann, "acme").await;
    // From the marketplace, and from here.
    ann.open(&site.marketplace()).await;
    ann.press("a[href^='/oauth/authorize']").await;
    ann.press("button[value=cancel]").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    ann.press("#start-over").await;
    ann.press("#go-on").await;
    ann.press("button[value=cancel]").await;
    assert_eq!(ann.heading().await, "Nothing was connected");
    assert!(site.connections(&key).await.is_empty());
    assert_starts_over(&ann, &site, &key).await;
}

#[tokio::test]
async fn expired_code_leads_to_a_page_that_starts_over() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    site.install(&ann, 0).await;
    assert_eq!(ann.heading().await, "Sign in");
    site.clock.advance(std::time::Duration::from_mins(6));
    site.sign_in(&ann, "acme").await;
    assert_eq!(ann.heading().await, "Nothing waits to be connected");
    assert!(site.connections(&key).await.is_empty());
    assert_starts_over(&ann, &site, &key).await;
}

/// Somebody gets a code or a handle of their own account into another's browser.
#[tokio::test]
async fn codes_and_handles_planted_by_another_person_connect_nothing() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&[]).await;
    let (key, theirs) = (site.served.key("acme"), site.served.key("mallory"));
    let (ann, mut mallory) = (chromium.person().await, Browser::default());
    site.sign_in(&ann, "acme").await;

    // A code with its state: the state is mallory's browser's.
    let (_, link) = begun(&site.served, &theirs).await;
    let sent = mallory.go_on(&site.served, &link.replace(&site.url, &site.served.url)).await;
    let back = mallory.consent(&sent, 0, "allow").await;
    ann.open(&back).await;
    assert_eq!(ann.heading().await, "This did not work");
    assert!(site.connections(&key).await.is_empty());

    // A code without: it is asked whose account it is, and nothing happens by itself, nor by another site's form.
    let back = mallory.install(&site.served, 1).await;
    ann.open(&back).await;
    assert_eq!(ann.heading().await, "Connect this account?");
    let other = other_site(&site.at_path("/oauth/confirm")).await;
    ann.open(&other).await;
    // Her cookies do not come along from there.
    assert_eq!((ann.heading().await.as_str(), ann.address().await), ("Nothing waits to be connected", site.at_path("/oauth/confirm")));
    assert_eq!(statuses(&site, &key).await, ["PENDING"]);
    ann.open(&site.at_path("/oauth/install")).await;
    ann.press("#decline").await;
    assert!(site.connections(&key).await.is_empty());

    // The handle of an install that mallory holds: it is asked too. One that mallory claimed is nobody else's.
    for claims in [false, true] {
        let back = mallory.install(&site.served, 1).await;
        mallory.get(&back.replace(&site.url, &site.served.url)).await;
        let handle = mallory.held(INSTALL).expect("mallory holds an install");
        if claims {
            let path = format!("/v1/installs/{handle}/claim");
            let claimed = site.served.ask("POST", &path, &[("authorization", &theirs)], "").await;
            assert_eq!(claimed.status, 200, "{}", claimed.text());
        }
        ann.plant(INSTALL, &handle).await;
        ann.open(&site.at_path("/oauth/install")).await;
        let asks = if claims { "Nothing waits to be connected" } else { "Connect this account?" };
        assert_eq!(ann.heading().await, asks);
        if !claims {
            ann.press("#decline").await;
            assert_eq!(ann.heading().await, "Nothing was connected");
        }
        assert!(site.connections(&key).await.is_empty());
    }
}

async fn statuses(site: &Site, key: &str) -> Vec<String> {
    site.connections(key).await.into_iter().map(|(status, _)| status).collect()
}

/// A page of another site that sends a form at once.
async fn other_site(to: &str) -> String {
    let page = format!(
        "<!doctype html><form method=\"post\" action=\"{to}\"><input name=\"csrf\" value=\"guessed\"></form>\
         <script>document.forms[0].submit()</script>"
    );
    let answer = crate::support::upstream::http("200 OK", "content-type: text/html\r\n", &page);
    let url = crate::support::upstream::served(move |mut stream| {
        let answer = answer.clone();
        async move {
            crate::support::upstream::read_request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        }
    })
    .await;
    url.replace("127.0.0.1", "localhost")
}

#[tokio::test]
async fn reinstalling_renews_the_same_connection() {
    let Some(chromium) = Chromium::start() else { return };
    // The vendor's notice comes over plain http here.
    let site = Site::on_this_machine().await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    site.sign_in(&ann, "acme").await;
    let whose = site.install(&ann, 0).await;
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    let before = site.served.get("/v1/connections", &key).await.json();

    ann.open(&format!("{}/uninstall", site.marketplace())).await;
    ann.press("form button").await;
    assert_eq!(ann.heading().await, "Uninstalled");
    assert_eq!(ann.text("main p:last-of-type").await, "Its callback was told, and answered 200.");
    let gone = site.served.get("/v1/connections", &key).await.json();
    assert_eq!((&gone["connections"][0]["status"], &gone["connections"][0]["reason"]), (&json!("FAILED"), &json!("uninstalled")));

    assert_eq!(site.install(&ann, 0).await, whose);
    assert_asks(&ann, "acme", &whose).await;
    let name = before["connections"][0]["name"].as_str().expect("a name");
    assert!(ann.text("main").await.contains(&format!("It renews the connection {name}.")));
    ann.press("#confirm").await;
    assert_eq!(ann.heading().await, "Connected");
    let after = site.served.get("/v1/connections", &key).await.json();
    assert_eq!(after["connections"].as_array().map(Vec::len), Some(1));
    assert_eq!(after["connections"][0]["connection_id"], before["connections"][0]["connection_id"]);
    assert_eq!(after["connections"][0]["status"], "ACTIVE");
}

#[tokio::test]
async fn install_can_be_restarted_with_a_state() {
    let Some(chromium) = Chromium::start() else { return };
    let site = Site::over_https(&["--install", "restart"]).await;
    let key = site.served.key("acme");
    let ann = chromium.person().await;
    site.sign_in(&ann, "acme").await;
    site.install(&ann, 0).await;
    ann.press("#go-on").await;
    let whose = allow(&ann, 0).await;
    assert_eq!(ann.heading().await, "Connected");
    assert!(ann.address().await.contains("state="));
    assert_eq!(site.connections(&key).await, [is("ACTIVE", company(&whose))]);
}
