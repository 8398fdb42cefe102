//! A browser without scripts: it keeps cookies, follows redirects and presses buttons.

use pipedrive_sandbox::DEMO_CLIENT_ID;

use super::http::{FORM, Response, send};
use super::server::Server;

#[derive(Default)]
pub(crate) struct Browser {
    /// The cookies: host, name and value.
    pub(crate) jar: Vec<(String, String, String)>,
    /// The secrets that came its way: cookies, codes, states and handles.
    pub(crate) secrets: Vec<String>,
}

impl Browser {
    pub(crate) async fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let (host, path) = url.split_at(find_path(url));
        let cookies: Vec<String> =
            self.jar.iter().filter(|(other, ..)| other == host).map(|(_, name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        let response = send(host, method, path, &all, body.as_bytes()).await;
        for (_, cookie) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie has a name");
            self.jar.retain(|(owner, other, _)| owner != host || other != name);
            if !value.is_empty() {
                self.jar.push((host.to_owned(), name.to_owned(), value.to_owned()));
                self.secrets.push(value.to_owned());
            }
        }
        if let Some(to) = response.header("location") {
            self.secrets.extend(["code=", "state=", "install="].iter().filter_map(|name| find_parameter(to, name)));
        }
        response
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        self.send("GET", url, &[], "").await
    }

    /// Presses a button; the form carries its hidden fields.
    pub(crate) async fn press(&mut self, server: &Server, page: &Response, id: &str, headers: &[(&str, &str)]) -> Response {
        let text = page.text();
        let form =
            text.split("<form ").find(|form| form.starts_with(&format!("id=\"{id}-form\""))).unwrap_or_else(|| panic!("no {id}: {text}"));
        let action = text_between(form, "action=\"", "\"");
        let fields: Vec<String> = form
            .split("name=\"")
            .skip(1)
            .map(|field| format!("{}={}", text_between(field, "", "\""), text_between(field, "value=\"", "\"")))
            .collect();
        let headers: Vec<_> = [FORM, ("sec-fetch-site", "same-origin")].into_iter().chain(headers.iter().copied()).collect();
        self.send("POST", &format!("{}{action}", server.url), &headers, &fields.join("&")).await
    }

    /// Follows a redirect to the vendor, and decides there as the nth account. Returns the URL of the callback.
    pub(crate) async fn consent(&mut self, redirect: &Response, nth: usize, decision: &str) -> String {
        assert_eq!(redirect.status, 303, "{}", redirect.text());
        let to = redirect.header("location").expect("a redirect has a location").to_owned();
        let page = self.get(&to).await.text();
        let token = text_between(&page, "name=\"page\" value=\"", "\"");
        let account = page.split("name=\"account\" value=\"").nth(nth + 1).map(|rest| text_between(rest, "", "\""));
        let account = account.expect("the vendor offers accounts").replace(':', "%3A");
        let form = format!("page={token}&account={account}&decision={decision}");
        let vendor = &to[..find_path(&to)];
        let back = self.send("POST", &format!("{vendor}/oauth/authorize"), &[FORM], &form).await;
        back.header("location").unwrap_or_else(|| panic!("the vendor must redirect: {}", back.text())).to_owned()
    }

    /// Opens a link, confirms its owner, and returns the redirect to the vendor.
    pub(crate) async fn go_on(&mut self, server: &Server, link: &str) -> Response {
        let page = self.get(link).await;
        assert_page(&page, 200, "Connect an account");
        assert!(page.text().contains("<dd id=\"owner\">"), "{}", page.text());
        let next = self.press(server, &page, "go-on", &[]).await;
        if next.status != 200 {
            return next;
        }
        build_redirect(text_between(&next.text(), "content=\"0;url=", "\"").replace("&amp;", "&"))
    }

    /// Opens a link and allows the nth account.
    pub(crate) async fn connect(&mut self, server: &Server, link: &str, nth: usize) {
        let redirect = self.go_on(server, link).await;
        let callback = self.consent(&redirect, nth, "allow").await;
        assert_page(&self.get(&callback).await, 200, "Connected");
    }

    /// Installs the app from the marketplace. Returns the URL of the callback, which has no state.
    pub(crate) async fn install(&mut self, server: &Server, nth: usize) -> String {
        let page = self.get(&format!("{}/marketplace/{DEMO_CLIENT_ID}", server.upstream())).await.text();
        let query = text_between(&page, "/oauth/authorize?", "\"").replace("&#38;", "&");
        self.consent(&build_redirect(format!("{}/oauth/authorize?{query}", server.upstream())), nth, "allow").await
    }

    /// Signs in by a fresh link.
    pub(crate) async fn sign_in(&mut self, server: &Server, owner: &str) -> Response {
        let link = server.run(&["sign-in", "--owner", owner, "--public-url", &server.url], "");
        self.secrets.push(find_parameter(&link, "token=").expect("a token"));
        let page = self.get(&link).await;
        assert!(page.text().contains(&format!("<dd id=\"owner\">{owner}</dd>")), "{}", page.text());
        self.press(server, &page, "sign-in", &[]).await
    }

    /// Returns the value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.iter().find(|(_, other, _)| other == name).map(|(.., value)| value.clone())
    }
}

pub(crate) fn build_redirect(to: String) -> Response {
    Response { status: 303, headers: vec![("location".to_owned(), to)], body: Vec::new() }
}

/// Finds the start of the path in a URL of plain http.
fn find_path(url: &str) -> usize {
    let start = "http://".len();
    url[start..].find('/').map_or(url.len(), |at| at + start)
}

fn text_between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
    rest.split(end).next().unwrap_or_default().to_owned()
}

/// Finds a parameter of a URL; the name ends with `=`.
pub(crate) fn find_parameter(url: &str, name: &str) -> Option<String> {
    url.split(['?', '&']).find_map(|part| part.strip_prefix(name)).map(str::to_owned)
}

/// Checks the title of a page, and that it is not stored, runs no script and cannot be framed.
///
/// A customer reads it, so that it names no route, command or variable.
#[track_caller]
pub(crate) fn assert_page(response: &Response, status: u16, title: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    for word in ["/v1/", "`", "connector ", "CONNECTOR_"] {
        let page = response.text();
        let told = page.split("</style>").last().unwrap_or_default();
        assert!(!told.contains(word), "a customer has no use for {word:?}: {told}");
    }
    assert!(response.text().contains(&format!("<h1 id=\"title\">{title}</h1>")), "{title}: {}", response.text());
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff")] {
        assert_eq!(response.header(name), Some(value));
    }
    let policy = response.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("script"),
        "{policy}"
    );
}

/// Connects the nth account by a link, and returns the id of the connection.
pub(crate) async fn grant_connection(server: &Server, key: &str, nth: usize) -> String {
    let (id, link) = server.begin_connection(key).await;
    Browser::default().connect(server, &link, nth).await;
    id
}

/// Installs as the nth account, and returns the handle that the host hands over to a platform's page.
pub(crate) async fn hand_over_install(server: &Server, nth: usize, page: &str) -> String {
    let mut browser = Browser::default();
    let callback = browser.install(server, nth).await;
    let to = browser.get(&callback).await.header("location").expect("the install is handed over").to_owned();
    to.strip_prefix(page).unwrap_or_else(|| panic!("{to} must begin with {page}")).to_owned()
}
