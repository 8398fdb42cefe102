//! The pages that a person sees: plain HTML without scripts, each button and form under an id that stays.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector_connections::Connection;
use sha2::{Digest, Sha256};

use crate::http::answer::{self, Refusal};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:34rem;padding:0 1rem;color:#222}\
    dt{color:#666}dd{margin:0 0 .5rem}form{display:inline-block;margin:1rem 1rem 0 0}button{font:inherit;padding:.5rem 1.2rem}";

/// Nothing is loaded, nothing runs, nobody frames it, and forms lead to this host alone. The one style is known by its hash.
fn policy() -> &'static HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let text = format!("default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
        HeaderValue::try_from(text).expect("it is plain text")
    })
}

/// A page: a heading and what stands below it.
pub(in crate::http) struct Page {
    status: StatusCode,
    title: String,
    body: String,
    goes_on: String,
}

impl Page {
    pub(in crate::http) fn new(title: &str) -> Self {
        Self { status: StatusCode::OK, title: title.to_owned(), body: String::new(), goes_on: String::new() }
    }

    pub(in crate::http) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Goes on to another place at once, by itself and by a link. A redirect would be the form's own, and some browsers hold
    /// each step of it, on the vendor's side too, against what the page with the form allows.
    pub(in crate::http) fn goes_on(mut self, to: &str) -> Self {
        self.goes_on = format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">", escaped(to));
        self.link("continue", to, "Go on")
    }

    /// A sentence.
    pub(in crate::http) fn text(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p>{}</p>", escaped(text));
        self
    }

    /// Facts under their names; those that are not known are left out.
    pub(in crate::http) fn facts(mut self, facts: &[(&str, &str, Option<&str>)]) -> Self {
        let known = facts.iter().filter_map(|(id, name, value)| Some((id, name, (*value)?)));
        let rows: String =
            known.map(|(id, name, value)| format!("<dt>{}</dt><dd id=\"{id}\">{}</dd>", escaped(name), escaped(value))).collect();
        if !rows.is_empty() {
            let _ = write!(self.body, "<dl>{rows}</dl>");
        }
        self
    }

    /// A link.
    pub(in crate::http) fn link(mut self, id: &str, to: &str, text: &str) -> Self {
        let _ = write!(self.body, "<p><a id=\"{id}\" href=\"{}\">{}</a></p>", escaped(to), escaped(text));
        self
    }

    /// A form of one button, with what it carries along.
    pub(in crate::http) fn button(mut self, id: &str, action: &str, hidden: &[(&str, &str)], text: &str) -> Self {
        let _ = write!(self.body, "<form id=\"{id}-form\" method=\"post\" action=\"{}\">", escaped(action));
        for (name, value) in hidden {
            let _ = write!(self.body, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value));
        }
        let _ = write!(self.body, "<button id=\"{id}\">{}</button></form>", escaped(text));
        self
    }

    pub(in crate::http) fn into_response(self) -> Response {
        let title = escaped(&self.title);
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}</style>{}</head><body><main><h1 id=\"title\">{title}</h1>{}</main></body></html>",
            self.goes_on, self.body
        );
        private(answer::of(self.status, "text/html; charset=utf-8", html))
    }
}

/// The page of an account that was connected.
pub(in crate::http) fn connected(connection: &Connection) -> Response {
    let page = Page::new("Connected").text("The account is connected. You can close this page.");
    let own: [(&str, &str, Option<&str>); 2] =
        [("owner", "Used by", Some(&connection.owner)), ("connection", "Connection", Some(&connection.name))];
    account(page, connection).facts(&own).into_response()
}

/// Whose account a connection is, as the vendor says.
pub(in crate::http) fn account(page: Page, connection: &Connection) -> Page {
    let known = &connection.metadata;
    page.facts(&[
        ("company", "Company", known.company.name.as_deref()),
        ("domain", "Address", known.api_domain.as_deref()),
        ("user", "User", known.user.name.as_deref()),
        ("email", "E-mail", known.user.email.as_deref()),
    ])
}

/// The page of a refusal: what is wrong, and what to do.
pub(in crate::http) fn refused(refusal: &Refusal) -> Response {
    let error = refusal.error();
    let page = Page::new("This did not work").status(refusal.status()).text(error.message());
    let page = error.hint().into_iter().fold(page, Page::text);
    let mut response = page.link("start-over", "/oauth/start", "Start over").into_response();
    response.headers_mut().insert(answer::ERROR, HeaderValue::from_static(error.kind().as_str()));
    response
}

/// What must not be kept, framed, or told to where a link leads.
pub(in crate::http) fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(CONTENT_SECURITY_POLICY, policy().clone());
    response
}

/// A text within HTML.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
        out
    })
}
