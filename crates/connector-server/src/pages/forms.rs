//! Forms, redirects and cookies of the pages.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::{Error, ErrorKind};
use sha2::{Digest, Sha256};

use crate::conduct::MAX_FORM;
use crate::conduct::call::Call;
use crate::wire::body::{media_type, read_small_body, unsupported_media_type};
use crate::wire::cookies::Cookie;
use crate::wire::html::protect;
use crate::wire::refusal::Refusal;
use crate::wire::response::{FORM, respond};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Redirects a browser, which does not tell where it came from.
pub(crate) fn redirect(to: &str) -> Result<Response, Refusal> {
    let mut to =
        HeaderValue::try_from(to).map_err(|_| Refusal::bad_request("The address of the next page is no valid header.", "Start over."))?;
    to.set_sensitive(true);
    let mut response = protect(respond(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "Go on.\n"));
    response.headers_mut().insert(LOCATION, to);
    Ok(response)
}

pub(crate) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

impl Call {
    pub(crate) fn cookie(&self, cookie: Cookie) -> Option<String> {
        self.host.settings.cookies().read(&self.head.headers, cookie)
    }

    pub(crate) fn set_cookie(&self, cookie: Cookie, value: &str) -> HeaderValue {
        self.host.settings.cookies().set(cookie, value)
    }

    pub(crate) fn set_cookie_for(&self, cookie: Cookie, value: &str, lifetime: Duration) -> HeaderValue {
        self.host.settings.cookies().set_for(cookie, value, lifetime)
    }

    pub(crate) fn clear_cookie(&self, cookie: Cookie) -> HeaderValue {
        self.host.settings.cookies().clear(cookie)
    }

    /// Finds the owner who is signed in in this browser, and the session.
    pub(crate) async fn find_visitor(&self) -> Result<Option<(String, String)>, Refusal> {
        let Some(session) = self.cookie(Cookie::Session) else { return Ok(None) };
        Ok(self.host.vault.check_session(&session).await?.map(|owner| (owner, session)))
    }

    /// Reads the token of this browser, or generates one to be set.
    pub(crate) fn browser_token(&self) -> Result<String, Refusal> {
        match self.cookie(Cookie::Browser) {
            Some(browser) if browser.len() >= 32 => Ok(browser),
            _ => generate_secret(),
        }
    }
}

/// Generates 256 random bits as text.
fn generate_secret() -> Result<String, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::new(ErrorKind::Bug, "The machine gives no random bytes."))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Computes the CSRF token of a form, for one browser and one purpose.
pub(crate) fn csrf_token(secret: &str, purpose: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("csrf\n{purpose}\n{secret}")))
}

/// Computes the mark of a finished authorization, from its state.
pub(crate) fn mark_finished(state: &str) -> String {
    csrf_token(state, "finished")
}

/// Reads a form that a page of this host sent, each field once.
pub(crate) async fn read_form(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, Refusal> {
    // A browser says where a form comes from. Other programs have no cookies to misuse.
    if headers.get_all(SITE).iter().any(|site| site != "same-origin") {
        return Err(forged());
    }
    match media_type(headers).as_deref() {
        Some(FORM) => {}
        other => return Err(unsupported_media_type(other, &[FORM])),
    }
    let text = read_small_body(body, MAX_FORM).await?;
    let fields: Vec<(String, String)> = form_urlencoded::parse(&text).into_owned().collect();
    let twice = fields.iter().enumerate().any(|(at, (name, _))| fields[..at].iter().any(|(other, _)| other == name));
    if twice { Err(Refusal::bad_request("A field of the form is there twice.", "Load the page again.")) } else { Ok(fields) }
}

/// Refuses a form without the expected CSRF token. Digests are compared, so that the time reveals nothing.
pub(crate) fn check_csrf(fields: &[(String, String)], expected: &str) -> Result<(), Refusal> {
    let token = find_field(fields, "csrf").unwrap_or_default();
    if Sha256::digest(token) == Sha256::digest(expected) { Ok(()) } else { Err(forged()) }
}

/// Finds a field of a form.
pub(crate) fn find_field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// Refuses a form that no page of this host sent.
pub(crate) fn forged() -> Refusal {
    let hint = "Load the page again, and press its button.";
    Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "The form does not come from a page of this host.", hint)
}
