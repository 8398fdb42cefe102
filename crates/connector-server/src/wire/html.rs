//! Pages for people: plain HTML without scripts. The ids of buttons and forms are stable.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::refusal::{ERROR, Refusal};
use super::response::{HTML, respond};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:34rem;padding:0 1rem;color:#222}\
    dt{color:#666}dd{margin:0 0 .5rem}form{display:inline-block;margin:1rem 1rem 0 0}button{font:inherit;padding:.5rem 1.2rem}";

/// Builds the content security policy: nothing is loaded, run or framed, and forms lead to this host alone.
fn content_security_policy() -> &'static HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let text = format!("default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
        HeaderValue::try_from(text).expect("it is plain text")
    })
}

/// A page: a heading, and the elements below it.
pub(crate) struct Page {
    status: StatusCode,
    title: String,
    body: String,
    refresh: String,
}

impl Page {
    pub(crate) fn new(title: &str) -> Self {
        Self { status: StatusCode::OK, title: title.to_owned(), body: String::new(), refresh: String::new() }
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Leads on to a URL at once, and by a link.
    ///
    /// After a form, some browsers hold each step of a redirect, also at the vendor, against the policy of the form's page.
    pub(crate) fn forward_to(mut self, to: &str) -> Self {
        self.refresh = format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">", escape(to));
        self.link("continue", to, "Go on")
    }

    /// Adds a sentence.
    pub(crate) fn text(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p>{}</p>", escape(text));
        self
    }

    /// Adds facts under their names. Facts without a value are left out.
    pub(crate) fn facts(mut self, facts: &[(&str, &str, Option<&str>)]) -> Self {
        let known = facts.iter().filter_map(|(id, name, value)| Some((id, name, (*value)?)));
        let rows: String =
            known.map(|(id, name, value)| format!("<dt>{}</dt><dd id=\"{id}\">{}</dd>", escape(name), escape(value))).collect();
        if !rows.is_empty() {
            let _ = write!(self.body, "<dl>{rows}</dl>");
        }
        self
    }

    /// Adds a link.
    pub(crate) fn link(mut self, id: &str, to: &str, text: &str) -> Self {
        let _ = write!(self.body, "<p><a id=\"{id}\" href=\"{}\">{}</a></p>", escape(to), escape(text));
        self
    }

    /// Adds a form with one button and hidden fields.
    pub(crate) fn button(mut self, id: &str, action: &str, hidden: &[(&str, &str)], text: &str) -> Self {
        let _ = write!(self.body, "<form id=\"{id}-form\" method=\"post\" action=\"{}\">", escape(action));
        for (name, value) in hidden {
            let _ = write!(self.body, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
        }
        let _ = write!(self.body, "<button id=\"{id}\">{}</button></form>", escape(text));
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let title = escape(&self.title);
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}</style>{}</head><body><main><h1 id=\"title\">{title}</h1>{}</main></body></html>",
            self.refresh, self.body
        );
        protect(respond(self.status, HTML, html))
    }
}

/// Builds the page of a refusal: its message and its hint.
pub(crate) fn refusal_page(refusal: &Refusal) -> Response {
    let error = refusal.error();
    let page = Page::new("This did not work").status(refusal.status()).text(error.message());
    let page = error.hint().into_iter().fold(page, Page::text);
    let mut response = page.link("start-over", "/oauth/start", "Start over").into_response();
    response.headers_mut().insert(ERROR, HeaderValue::from_static(error.kind().as_str()));
    response
}

/// Adds headers that keep a response out of frames, and its URL out of `Referer`.
pub(crate) fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(CONTENT_SECURITY_POLICY, content_security_policy().clone());
    response
}

/// Escapes a text for HTML.
fn escape(text: &str) -> String {
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
