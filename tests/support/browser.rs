//! A browser without scripts: it keeps cookies, follows what it is sent, and presses the buttons of pages.

use pipedrive_sandbox::DEMO_CLIENT_ID;
use serde_json::Value;

use super::http::{FORM, JSON, Reply, ask};
use super::server::Served;

/// A browser: it keeps the cookies of each host, and shows where it was sent.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) jar: Vec<(String, String, String)>,
    /// All that it was given to keep secret.
    pub(crate) seen: Vec<String>,
}

impl Browser {
    pub(crate) async fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
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
    pub(crate) async fn press(&mut self, served: &Served, page: &Reply, id: &str, headers: &[(&str, &str)]) -> Reply {
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

pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
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

pub(crate) async fn connection(served: &Served, key: &str, id: &str) -> Value {
    served.get(&format!("/v1/connections/{id}"), key).await.json()["connection"].clone()
}

pub(crate) async fn statuses(served: &Served, key: &str) -> Vec<String> {
    let all = served.get("/v1/connections", key).await.json();
    all["connections"].as_array().expect("a list").iter().map(|one| one["status"].as_str().expect("a status").to_owned()).collect()
}
