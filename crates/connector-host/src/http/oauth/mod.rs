//! The pages of OAuth: `/oauth/start`, `/oauth/callback`, `/oauth/install` and `/sign-in`.

mod callback;
mod cookies;
mod install;
mod pages;
mod sign_in;
mod start;
mod uninstalled;

use std::time::Duration;

use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::ErrorKind;
use sha2::{Digest, Sha256};

use super::answer::{self, Refusal};
use super::routes::{Call, bad};
use super::{Host, body};
use cookies::Cookie;

pub(super) use callback::callback;
pub(super) use cookies::Cookies;
pub(super) use install::{confirm, decline, show as install};
pub(super) use pages::refused;
pub(super) use sign_in::{show as sign_in_page, sign_in, sign_out};
pub(super) use start::{show as start_page, start};
pub(super) use uninstalled::uninstalled;

/// What a form may have at most, in bytes.
pub(super) const LARGEST_FORM: usize = 8 << 10;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What becomes of an install that comes without a state, as from a marketplace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Installs {
    /// It is held until somebody signs in, and confirmed on a page of this host.
    Confirm,
    /// A platform takes it over: its page is told a handle, which it claims and confirms.
    Redirect(String),
    /// Its code is thrown away, and an authorization begins here.
    Restart,
}

/// Sends a browser elsewhere; where it came from is not told.
fn redirect(to: &str) -> Result<Response, Refusal> {
    let mut to = HeaderValue::try_from(to).map_err(|_| bad("The next page's address cannot be sent.", "Begin again."))?;
    to.set_sensitive(true);
    let mut response = pages::private(answer::of(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "Go on.\n"));
    response.headers_mut().insert(LOCATION, to);
    Ok(response)
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

impl Call {
    fn cookie(&self, cookie: Cookie) -> Option<String> {
        self.host.settings.cookies().read(&self.head.headers, cookie)
    }

    fn set(&self, cookie: Cookie, value: &str) -> HeaderValue {
        self.host.settings.cookies().set(cookie, value)
    }

    fn set_for(&self, cookie: Cookie, value: &str, lives: Duration) -> HeaderValue {
        self.host.settings.cookies().set_for(cookie, value, lives)
    }

    fn clear(&self, cookie: Cookie) -> HeaderValue {
        self.host.settings.cookies().clear(cookie)
    }

    /// Who is signed in in this browser, and by which session.
    async fn visitor(&self) -> Result<Option<(String, String)>, Refusal> {
        let Some(session) = self.cookie(Cookie::Session) else { return Ok(None) };
        Ok(self.host.vault.check_session(&session).await?.map(|owner| (owner, session)))
    }

    /// The token of this browser: the one that it has, else a fresh one to be set.
    fn browser(&self) -> Result<String, Refusal> {
        match self.cookie(Cookie::Browser) {
            Some(browser) if browser.len() >= 32 => Ok(browser),
            _ => secret(),
        }
    }
}

impl Host {
    /// Refused where nobody registered this host with the vendor.
    fn needs_client(&self) -> Result<(), Refusal> {
        if self.settings.has_client {
            return Ok(());
        }
        let hint = "Whoever runs this host sets CONNECTOR_CLIENT_ID, CONNECTOR_CLIENT_SECRET and CONNECTOR_PUBLIC_URL, or starts it with --sandbox.";
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::NoConnection, "No app of Pipedrive is set up on this host.", hint))
    }
}

/// 256 random bits as text.
fn secret() -> Result<String, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| connector_core::Error::new(ErrorKind::Bug, "The machine gives no random bytes."))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What a form carries to show that it is of a page of this host's, for this browser and this purpose.
fn csrf(secret: &str, purpose: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("csrf\n{purpose}\n{secret}")))
}

/// A form that a page of this host's sent, its fields each once.
async fn form(headers: &HeaderMap, posted: axum::body::Body) -> Result<Vec<(String, String)>, Refusal> {
    const FORM: &str = "application/x-www-form-urlencoded";
    // A browser says where a form comes from; what is no browser has no cookies to be misused.
    if headers.get_all(SITE).iter().any(|site| site != "same-origin") {
        return Err(forged());
    }
    match body::media(headers).as_deref() {
        Some(FORM) => {}
        other => return Err(body::wrong_media(other, &[FORM])),
    }
    let text = body::small(posted, LARGEST_FORM).await?;
    let fields: Vec<(String, String)> = form_urlencoded::parse(&text).into_owned().collect();
    let twice = fields.iter().enumerate().any(|(at, (name, _))| fields[..at].iter().any(|(other, _)| other == name));
    if twice { Err(bad("A field of the form is there twice.", "Load the page again.")) } else { Ok(fields) }
}

/// Refuses a form that does not carry the right word. Digests are compared: time tells nothing of them.
fn check_csrf(fields: &[(String, String)], wanted: &str) -> Result<(), Refusal> {
    let given = fields.iter().find(|(name, _)| name == "csrf").map_or("", |(_, value)| value);
    if Sha256::digest(given) == Sha256::digest(wanted) { Ok(()) } else { Err(forged()) }
}

fn forged() -> Refusal {
    let hint = "Load the page again, and press its button.";
    Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "The form is not of a page of this host's.", hint)
}
