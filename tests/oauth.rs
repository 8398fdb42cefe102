//! The pages of OAuth, as a browser walks through them: by a link, from a marketplace, and all that is refused.

use pipedrive_sandbox::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
use serde_json::{Value, json};

use crate::served::{JSON, Reply, Served, ask};

/// A browser: it keeps the cookies of each host, and shows where it was sent.
#[derive(Default)]
pub(crate) struct Browser {
    jar: Vec<(String, String, String)>,
    /// All that it was given to keep secret.
    seen: Vec<String>,
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

impl Browser {
    async fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let at = url[7..].find('/').map_or(url.len(), |at| at + 7);
        let (host, path) = url.split_at(at);
        let cookies: Vec<String> =
            self.jar.iter().filter(|(of, ..)| of == host).map(|(_, name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        let reply = ask(host, method, path, &all, body.as_bytes()).await;
        for (_, cookie) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie has a name");
            self.jar.retain(|(of, other, _)| of != host || other != name);
            if !value.is_empty() {
                self.jar.push((host.to_owned(), name.to_owned(), value.to_owned()));
                self.seen.push(value.to_owned());
            }
        }
        if let Some(to) = reply.header("location") {
            self.seen.extend(["code=", "state=", "install="].iter().filter_map(|name| parameter(to, name)));
        }
        reply
    }

    pub(crate) async fn get(&mut self, url: &str) -> Reply {
        self.send("GET", url, &[], "").await
    }

    /// Opens a page of the host's that sends on to the vendor, and answers there as the nth of its people.
    pub(crate) async fn consent(&mut self, sent: &Reply, nth: usize, decision: &str) -> String {
        assert_eq!(sent.status, 303, "{}", sent.text());
        let to = sent.header("location").expect("it is sent on").to_owned();
        let page = self.get(&to).await.text();
        let token = between(&page, "name=\"page\" value=\"", "\"");
        let account = page.split("name=\"account\" value=\"").nth(nth + 1).map(|rest| between(rest, "", "\"")).expect("there are people");
        let form = format!("page={token}&account={}&decision={decision}", account.replace(':', "%3A"));
        let vendor = &to[..to[7..].find('/').expect("a path") + 7];
        let back = self.send("POST", &format!("{vendor}/oauth/authorize"), &[FORM], &form).await;
        back.header("location").unwrap_or_else(|| panic!("it is sent back: {}", back.text())).to_owned()
    }

    /// Opens a page that shows for whom an account will be connected, and goes on from it.
    pub(crate) async fn go_on(&mut self, served: &Served, url: &str) -> Reply {
        let page = self.get(url).await;
        assert_page(&page, 200, "Connect an account");
        assert!(page.text().contains("<dd id=\"owner\">"), "{}", page.text());
        let on = self.press(served, &page, "go-on", &[]).await;
        if on.status != 200 {
            return on;
        }
        let to = between(&on.text(), "content=\"0;url=", "\"").replace("&amp;", "&");
        Reply { status: 303, headers: vec![("location".to_owned(), to)], body: Vec::new() }
    }

    /// The same to its end: the nth of the vendor's people allows it.
    pub(crate) async fn connects(&mut self, served: &Served, url: &str, nth: usize) {
        let sent = self.go_on(served, url).await;
        let back = self.consent(&sent, nth, "allow").await;
        assert_page(&self.get(&back).await, 200, "Connected");
    }

    /// Installs from the marketplace: the vendor sends back without a state.
    pub(crate) async fn install(&mut self, served: &Served, nth: usize) -> String {
        let page = self.get(&format!("{}/marketplace/{DEMO_CLIENT_ID}", served.upstream())).await.text();
        let query = between(&page, "/oauth/authorize?", "\"").replace("&#38;", "&");
        let url = format!("{}/oauth/authorize?{query}", served.upstream());
        let sent = Reply { status: 303, headers: vec![("location".to_owned(), url)], body: Vec::new() };
        self.consent(&sent, nth, "allow").await
    }

    /// Presses a button of a page, whose form carries what it hides.
    async fn press(&mut self, served: &Served, page: &Reply, id: &str, headers: &[(&str, &str)]) -> Reply {
        let text = page.text();
        let form =
            text.split("<form ").find(|form| form.starts_with(&format!("id=\"{id}-form\""))).unwrap_or_else(|| panic!("no {id}: {text}"));
        let action = between(form, "action=\"", "\"");
        let fields: Vec<String> = form
            .split("name=\"")
            .skip(1)
            .map(|field| format!("{}={}", between(field, "", "\""), between(field, "value=\"", "\"")))
            .collect();
        let headers: Vec<_> = [FORM, ("sec-fetch-site", "same-origin")].into_iter().chain(headers.iter().copied()).collect();
        self.send("POST", &format!("{}{action}", served.url), &headers, &fields.join("&")).await
    }

    /// The value of a cookie that it has.
    pub(crate) fn held(&self, cookie: &str) -> Option<String> {
        self.jar.iter().find(|(_, name, _)| name == cookie).map(|(.., value)| value.clone())
    }

    pub(crate) async fn sign_in(&mut self, served: &Served, owner: &str) -> Reply {
        let link = served.run(&["sign-in", "--owner", owner, "--public-url", &served.url], "");
        self.seen.push(parameter(&link, "token=").expect("a token"));
        let page = self.get(&link).await;
        assert!(page.text().contains(&format!("<dd id=\"owner\">{owner}</dd>")), "{}", page.text());
        self.press(served, &page, "sign-in", &[]).await
    }
}

fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
    rest.split(end).next().unwrap_or_default().to_owned()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    url.split(['?', '&']).find_map(|part| part.strip_prefix(name)).map(str::to_owned)
}

/// A page that keeps nothing, runs nothing and is framed by nobody.
pub(crate) fn assert_page(reply: &Reply, status: u16, title: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert!(reply.text().contains(&format!("<h1 id=\"title\">{title}</h1>")), "{title}: {}", reply.text());
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff")] {
        assert_eq!(reply.header(name), Some(value));
    }
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("script"),
        "{policy}"
    );
}

pub(crate) async fn begun(served: &Served, key: &str) -> (String, String) {
    let begun = served.ask("POST", "/v1/connections", &[("authorization", key), JSON], "{}").await.json();
    let text = |name: &str| begun["connection"][name].as_str().expect("a text").to_owned();
    (text("connection_id"), text("url"))
}

/// A connection that one of the vendor's people grants; its id.
pub(crate) async fn granted(served: &Served, key: &str, nth: usize) -> String {
    let (id, url) = begun(served, key).await;
    Browser::default().connects(served, &url, nth).await;
    id
}

/// The handle of an install by one of the vendor's people, which the host hands over to a platform's page.
pub(crate) async fn handed_over(served: &Served, nth: usize, page: &str) -> String {
    let mut browser = Browser::default();
    let back = browser.install(served, nth).await;
    let to = browser.get(&back).await.header("location").expect("it is handed over").to_owned();
    to.strip_prefix(page).unwrap_or_else(|| panic!("{to}")).to_owned()
}

async fn connection(served: &Served, key: &str, id: &str) -> Value {
    served.get(&format!("/v1/connections/{id}"), key).await.json()["connection"].clone()
}

async fn statuses(served: &Served, key: &str) -> Vec<String> {
    let all = served.get("/v1/connections", key).await.json();
    all["connections"].as_array().expect("a list").iter().map(|one| one["status"].as_str().expect("a status").to_owned()).collect()
}

#[tokio::test]
async fn a_link_connects_an_account_once_in_the_browser_that_opened_it() {
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
async fn an_answer_of_the_vendor_s_that_is_not_sound_is_refused_and_binds_nothing() {
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
async fn a_cancelled_authorization_says_so_and_can_begin_again() {
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
async fn an_install_from_the_marketplace_waits_for_its_owner_and_is_confirmed_by_hand() {
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
async fn a_declined_install_gives_its_access_back_and_a_session_can_start_over() {
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
    assert_eq!((statuses(&served, &key).await, sandbox.refreshes()), (vec!["ACTIVE".to_owned()], 0));
}

#[tokio::test]
async fn an_install_can_be_handed_to_a_platform_or_begun_anew() {
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
async fn an_install_of_an_account_that_is_connected_does_it_no_harm() {
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
async fn an_uninstall_is_believed_of_the_vendor_alone() {
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

#[tokio::test]
async fn a_session_is_no_key_and_a_host_without_an_app_says_so() {
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
async fn the_command_line_waits_until_the_account_is_connected() {
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
async fn with_a_sandbox_of_its_own_a_link_leads_through() {
    let served = Served::with_its_own_sandbox();
    let key = served.key("acme");
    let (id, url) = begun(&served, &key).await;
    let mut browser = Browser::default();
    browser.connects(&served, &url, 2).await;
    assert_eq!(connection(&served, &key, &id).await["status"], "ACTIVE");
    let reply = served.get("/gateway/pipedrive/api/v2/deals?limit=1", &key).await;
    assert_eq!((reply.status, reply.json()["data"].as_array().map(Vec::len)), (200, Some(1)), "{}", reply.text());
}
