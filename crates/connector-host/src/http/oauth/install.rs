//! `/oauth/install`: an install that came without a state is named, and confirmed or declined by who is signed in.

use axum::body::Body;
use axum::response::Response;
use connector_connections::{ClaimedInstall, Revocation, STATE_LIFETIME};
use connector_core::ErrorKind;

use super::cookies::Cookie;
use super::pages::{Page, account, connected};
use super::{check_csrf, csrf, form, sign_in, with_cookie};
use crate::http::answer::Refusal;
use crate::http::routes::Call;

pub(in crate::http) async fn show(call: Call) -> Result<Response, Refusal> {
    call.host.needs_client()?;
    call.query(&[])?;
    let Some(handle) = call.cookie(Cookie::Install) else { return Ok(expired()) };
    let Some((owner, session)) = call.visitor().await? else {
        return Ok(sign_in::needed("Sign in to finish the installation. It waits for five minutes.", "/oauth/install"));
    };
    let vault = &call.host.vault;
    let claimed = match vault.find_claimed_install(&owner, &handle).await? {
        Some(claimed) => claimed,
        None => match vault.claim_install(&owner, &handle).await {
            Ok(claimed) => claimed,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone) => return Ok(expired()),
            Err(error) => return Err(error.into()),
        },
    };
    // From here on the connection waits, and the browser must keep the handle for as long.
    Ok(with_cookie(asked(&owner, &claimed, &csrf(&session, &handle)), call.set_for(Cookie::Install, &handle, STATE_LIFETIME)))
}

pub(in crate::http) async fn confirm(call: Call, body: Body) -> Result<Response, Refusal> {
    let (owner, handle) = match decided(&call, body).await? {
        Decided::By { owner, handle } => (owner, handle),
        Decided::Not(page) => return Ok(page),
    };
    let done = match call.host.vault.confirm_install(&owner, &handle).await {
        Ok(connection) => connected(&connection),
        Err(error) if error.kind() == ErrorKind::NotFound => expired(),
        Err(error) => return Err(error.into()),
    };
    Ok(with_cookie(done, call.clear(Cookie::Install)))
}

pub(in crate::http) async fn decline(call: Call, body: Body) -> Result<Response, Refusal> {
    let (owner, handle) = match decided(&call, body).await? {
        Decided::By { owner, handle } => (owner, handle),
        Decided::Not(page) => return Ok(page),
    };
    let page = match call.host.vault.decline_install(&owner, &handle).await {
        Ok(revoked) => Page::new("Nothing was connected").text(match revoked {
            Revocation::StillUsed => "The installation was declined. Its access is that of a connection that you have, and stays with it.",
            Revocation::No => "The installation was declined. Pipedrive could not be told yet; it will be.",
            _ => "The installation was declined, and its access was given back.",
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(expired()),
        Err(error) => return Err(error.into()),
    };
    Ok(with_cookie(page.link("start-over", "/oauth/start", "Start over").into_response(), call.clear(Cookie::Install)))
}

enum Decided {
    By {
        owner: String,
        handle: String,
    },
    /// Nobody did, and this page says why.
    Not(Response),
}

/// Who decides on which install, by a form of the page that showed it. Who brings no cookies has no form that is worth reading.
async fn decided(call: &Call, body: Body) -> Result<Decided, Refusal> {
    call.query(&[])?;
    let Some(handle) = call.cookie(Cookie::Install) else { return Ok(Decided::Not(expired())) };
    let Some((owner, session)) = call.visitor().await? else {
        return Ok(Decided::Not(sign_in::needed("You are signed out. Sign in to decide.", "/oauth/install")));
    };
    let fields = form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf(&session, &handle))?;
    Ok(Decided::By { owner, handle })
}

fn asked(owner: &str, claimed: &ClaimedInstall, csrf: &str) -> Response {
    let page = Page::new("Connect this account?")
        .text("Somebody installed the app in this Pipedrive. Confirm only if it was you, and this is your company.");
    let page = account(page, &claimed.connection).facts(&[("owner", "To be used by", Some(owner))]);
    let page = match &claimed.renews {
        Some(known) => page.text(&format!("It renews the connection {}.", known.name)),
        None => page,
    };
    page.button("confirm", "/oauth/confirm", &[("csrf", csrf)], "Connect")
        .button("decline", "/oauth/decline", &[("csrf", csrf)], "Decline")
        .into_response()
}

fn expired() -> Response {
    Page::new("Nothing waits to be connected")
        .text("There is no installation in this browser, or it is too old, or it was finished already.")
        .link("start-over", "/oauth/start", "Start over")
        .into_response()
}
