//! `GET /oauth/callback`: the target of the vendor's redirect, with a state of this host or without one.

use axum::response::Response;
use connector_connections::{BeginOptions, Connection};
use connector_core::declare::Connector;
use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};

use super::account::{connected_page, finished_page};
use super::forms::{mark_finished, redirect, with_cookie};
use crate::conduct::call::Call;
use crate::host::Installs;
use crate::wire::cookies::Cookie;
use crate::wire::html::Page;
use crate::wire::refusal::Refusal;

/// The query of the vendor's redirect.
struct Redirect {
    state: Option<String>,
    /// The connector that the redirect URI names.
    connector: Option<String>,
    result: AuthorizationResult,
}

/// The result of an authorization at the vendor.
enum AuthorizationResult {
    Code(SecretString),
    Declined,
    /// Another failure, as the vendor names it.
    Failed(String),
}

pub(crate) async fn finish(call: Call) -> Result<Response, Refusal> {
    call.host.require_client()?;
    let Redirect { state, connector, result } = Redirect::parse(call.head.uri.query().unwrap_or_default())?;
    // A state that is there must be valid. An invalid one never counts as none.
    match (state, result) {
        (Some(state), AuthorizationResult::Code(code)) => {
            let mark = mark_finished(&state);
            if call.cookie(Cookie::Finished).is_some_and(|finished| finished == mark) {
                return Ok(finished_page());
            }
            check_vendor(&call, &state, connector.as_deref()).await?;
            let connection = call.host.vault.finish_authorization(&find_browser(&call), &state, code).await?;
            Ok(with_cookie(connected_page(&connection), call.set_cookie(Cookie::Finished, &mark)))
        }
        (Some(state), AuthorizationResult::Declined) => {
            let declined = decline(&call, &state).await?;
            let again = match &declined {
                Some(declined) => find_way_back(&call, declined).await?,
                None => None,
            };
            Ok(cancelled_page(call.host.vendor_name(declined.as_ref()), again.as_deref()))
        }
        (Some(state), AuthorizationResult::Failed(error)) => {
            Err(failed(call.host.vendor_name(decline(&call, &state).await?.as_ref()), &error))
        }
        (None, AuthorizationResult::Code(code)) => hold_install(&call, call.host.choose_redirected(connector.as_deref())?, code).await,
        (None, AuthorizationResult::Declined) => {
            // Only a person who is signed in can begin without a link.
            let again = call.find_visitor().await?.map(|_| "/oauth/start");
            Ok(cancelled_page(find_vendor(&call, connector.as_deref()), again))
        }
        (None, AuthorizationResult::Failed(error)) => Err(failed(find_vendor(&call, connector.as_deref()), &error)),
    }
}

fn find_browser(call: &Call) -> String {
    call.cookie(Cookie::Browser).unwrap_or_default()
}

/// Ends the authorization of a state, and returns the connection that waited for it.
async fn decline(call: &Call, state: &str) -> Result<Option<Connection>, Refusal> {
    Ok(call.host.vault.decline_authorization(&find_browser(call), state).await?)
}

/// Finds the path by which a person who cancelled can begin again, if there is one.
///
/// An owner who is signed in begins as before. Anybody else came by a link, which is used up: the connection is begun anew for them.
async fn find_way_back(call: &Call, declined: &Connection) -> Result<Option<String>, Refusal> {
    if call.find_visitor().await?.is_some_and(|(owner, _)| owner == declined.owner) {
        return Ok(Some(call.host.start_path(call.host.find_connector(&declined.app)?)));
    }
    // An owner may have too many unfinished connections.
    Ok(begin_anew(call, declined).await.ok())
}

/// Begins a connection like one that was cancelled, and returns the path of its link.
async fn begin_anew(call: &Call, declined: &Connection) -> Result<String, Error> {
    let name = Some(declined.name.as_str()).filter(|name| *name != declined.id);
    let options = BeginOptions::default().with_name(name).with_view(declined.view);
    let begun = call.host.vault.begin(&declined.owner, &declined.app, options).await?.connection;
    let link = call.host.vault.create_link(&begun.owner, &begun.id).await?;
    Ok(format!("/oauth/start?link={}", link.expose_secret()))
}

/// Checks that the redirect used the redirect URI of the vendor that the authorization is for.
///
/// Else one vendor could send the code of another one here, to be given to itself.
async fn check_vendor(call: &Call, state: &str, named: Option<&str>) -> Result<(), Refusal> {
    if call.host.catalogue().connectors().len() == 1 {
        return Ok(());
    }
    let expected = call.host.vault.find_by_state(state).await?.app;
    if call.host.choose_redirected(named)?.key == expected {
        return Ok(());
    }
    Err(Refusal::bad_request("The redirect is not from the vendor of this authorization.", "Start over."))
}

/// Finds the name of the vendor of a redirect that came without a state.
fn find_vendor(call: &Call, named: Option<&str>) -> &'static str {
    call.host.choose_redirected(named).map_or("the vendor", |connector| connector.label)
}

/// Holds an install that did not begin here. Its code connects nothing by itself: an attacker may have made it.
async fn hold_install(call: &Call, connector: &Connector, code: SecretString) -> Result<Response, Refusal> {
    let installs = &call.host.settings.installs;
    let start = call.host.start_path(connector);
    if *installs == Installs::Restart {
        return redirect(&start);
    }
    let held = match call.host.vault.hold_install(connector.key, code).await {
        Ok(held) => held,
        // No more installs are held for now. Anyone can fill the places, which must not keep people out: they
        // authorize once more, where a platform begins that.
        Err(error) if error.kind() == ErrorKind::RateLimited => {
            return match installs {
                Installs::Redirect(url) => redirect(&add_parameter(url, "error", "try_again")),
                Installs::Confirm | Installs::Restart => redirect(&start),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let handle = held.handle.expose_secret();
    match installs {
        Installs::Redirect(url) => redirect(&add_parameter(url, "install", handle)),
        Installs::Confirm | Installs::Restart => Ok(with_cookie(redirect("/oauth/install")?, call.set_cookie(Cookie::Install, handle))),
    }
}

/// Builds the page of a person who cancelled. It leads back to where they can begin again.
fn cancelled_page(vendor: &str, again: Option<&str>) -> Response {
    let page = Page::new("Nothing was connected").text(&format!("You cancelled at {vendor}, and nothing was connected."));
    match again {
        Some(again) => page.link("start-over", again, "Start over"),
        None => page.text("To connect an account after all, begin again where you came from."),
    }
    .into_response()
}

fn add_parameter(url: &str, name: &str, value: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{name}={value}")
}

/// Refuses an authorization that failed. The error is shown if it is a plain word: anybody can write the address.
fn failed(vendor: &str, error: &str) -> Refusal {
    let is_word = error.len() <= 40 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let message =
        if is_word { format!("The authorization failed at {vendor}: {error}.") } else { format!("The authorization failed at {vendor}.") };
    Refusal::bad_request(message, "Start over; if it fails again, tell whoever sent you here.")
}

impl Redirect {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let once = |name: &str| {
            let mut values = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone());
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                _ => Err(Refusal::bad_request(format!("The redirect has its {name} twice."), "Start over.")),
            }
        };
        let (state, connector) = (once("state")?, once("connector")?);
        let result = match (once("code")?.filter(|code| !code.is_empty()), once("error")?) {
            (Some(code), None) => AuthorizationResult::Code(code.into()),
            (None, Some(error)) if matches!(error.as_str(), "user_denied" | "access_denied") => AuthorizationResult::Declined,
            (None, Some(error)) => AuthorizationResult::Failed(error),
            (Some(_), Some(_)) => return Err(Refusal::bad_request("The redirect holds both a code and an error.", "Start over.")),
            (None, None) => return Err(Refusal::bad_request("The redirect holds neither a code nor an error.", "Start over.")),
        };
        Ok(Self { state, connector, result })
    }
}
