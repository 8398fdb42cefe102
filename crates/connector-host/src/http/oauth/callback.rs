//! `GET /oauth/callback`: the browser is back from the vendor, with a state of ours or without any.

use axum::response::Response;
use connector_core::ErrorKind;
use secrecy::{ExposeSecret, SecretString};

use super::cookies::Cookie;
use super::pages::{Page, connected};
use super::{Installs, redirect, with_cookie};
use crate::http::answer::Refusal;
use crate::http::first_app;
use crate::http::routes::{Call, bad};

/// What the vendor sends a browser back with.
struct Returned {
    state: Option<String>,
    said: Said,
}

enum Said {
    Code(SecretString),
    Declined,
    /// Another failure, by the vendor's word for it.
    Failed(String),
}

pub(in crate::http) async fn callback(call: Call) -> Result<Response, Refusal> {
    call.host.needs_client()?;
    let Returned { state, said } = Returned::read(call.head.uri.query().unwrap_or_default())?;
    match (state, said) {
        // A state that is there must be good, whatever it holds: a bad one is never taken for none.
        (Some(state), said) => {
            let browser = call.cookie(Cookie::Browser).unwrap_or_default();
            match said {
                Said::Code(code) => Ok(connected(&call.host.vault.finish_authorization(&browser, &state, code).await?)),
                Said::Declined => {
                    call.host.vault.decline_authorization(&browser, &state).await?;
                    Ok(cancelled())
                }
                Said::Failed(word) => {
                    call.host.vault.decline_authorization(&browser, &state).await?;
                    Err(failed(&word))
                }
            }
        }
        (None, Said::Declined) => Ok(cancelled()),
        (None, Said::Failed(word)) => Err(failed(&word)),
        (None, Said::Code(code)) => install(&call, code).await,
    }
}

/// An install that did not begin here: its code connects nothing by itself, since whoever sent the browser may have made it.
async fn install(call: &Call, code: SecretString) -> Result<Response, Refusal> {
    let installs = &call.host.settings.installs;
    if *installs == Installs::Restart {
        return redirect("/oauth/start");
    }
    let held = match call.host.vault.hold_install(first_app(), code).await {
        Ok(held) => held,
        // No more are held for now. What anyone can fill must not keep people out: they authorize
        // once more instead, where a platform begins that.
        Err(error) if error.kind() == ErrorKind::RateLimited => {
            return match installs {
                Installs::Redirect(url) => redirect(&with_parameter(url, "error", "try_again")),
                Installs::Confirm | Installs::Restart => redirect("/oauth/start"),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let handle = held.handle.expose_secret();
    match installs {
        Installs::Redirect(url) => redirect(&with_parameter(url, "install", handle)),
        Installs::Confirm | Installs::Restart => Ok(with_cookie(redirect("/oauth/install")?, call.set(Cookie::Install, handle))),
    }
}

fn cancelled() -> Response {
    Page::new("Nothing was connected")
        .text("It was cancelled at Pipedrive, and nothing was connected.")
        .link("start-over", "/oauth/start", "Start over")
        .into_response()
}

fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{name}={value}")
}

/// A word of the vendor's is shown where it is one: anybody can write the address.
fn failed(word: &str) -> Refusal {
    let is_word = word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let message = if is_word {
        format!("The authorization failed at Pipedrive: {word}.")
    } else {
        "The authorization failed at Pipedrive.".to_owned()
    };
    bad(message, "Start over; if it fails again, tell whoever runs this host.")
}

impl Returned {
    fn read(query: &str) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let once = |name: &str| {
            let mut values = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone());
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                _ => Err(bad(format!("The answer has `{name}` twice."), "Begin again.")),
            }
        };
        let state = once("state")?;
        let said = match (once("code")?.filter(|code| !code.is_empty()), once("error")?) {
            (Some(code), None) => Said::Code(code.into()),
            (None, Some(word)) if matches!(word.as_str(), "user_denied" | "access_denied") => Said::Declined,
            (None, Some(word)) => Said::Failed(word),
            (Some(_), Some(_)) => return Err(bad("The answer holds both a code and an error.", "Begin again.")),
            (None, None) => return Err(bad("The answer holds neither a code nor an error.", "Begin again.")),
        };
        Ok(Self { state, said })
    }
}
