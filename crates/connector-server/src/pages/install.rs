//! `/oauth/install`: shows an install that came without a state, to be confirmed or declined.

use axum::body::Body;
use axum::response::Response;
use connector_connections::{ClaimedInstall, Revocation, STATE_LIFETIME};
use connector_core::ErrorKind;

use super::account::{add_account, connected_page};
use super::forms::{check_csrf, csrf_token, read_form, with_cookie};
use super::sign_in::ask_to_sign_in;
use crate::conduct::call::Call;
use crate::wire::cookies::Cookie;
use crate::wire::html::Page;
use crate::wire::refusal::Refusal;

pub(crate) async fn show_install(call: Call) -> Result<Response, Refusal> {
    call.host.require_client()?;
    call.query(&[])?;
    let Some(handle) = call.cookie(Cookie::Install) else { return Ok(expired_page()) };
    let Some((owner, session)) = call.find_visitor().await? else {
        return Ok(ask_to_sign_in("Sign in to finish the installation. It waits for five minutes.", "/oauth/install"));
    };
    let vault = &call.host.vault;
    let claimed = match vault.find_claimed_install(&owner, &handle).await? {
        Some(claimed) => claimed,
        None => match vault.claim_install(&owner, &handle).await {
            Ok(claimed) => claimed,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone) => return Ok(expired_page()),
            Err(error) => return Err(error.into()),
        },
    };
    let page = confirmation_page(call.host.vendor_name(Some(&claimed.connection)), &owner, &claimed, &csrf_token(&session, &handle));
    // The connection waits from now on, and the browser must keep the handle as long.
    Ok(with_cookie(page, call.set_cookie_for(Cookie::Install, &handle, STATE_LIFETIME)))
}

pub(crate) async fn confirm(call: Call, body: Body) -> Result<Response, Refusal> {
    let (owner, handle) = match read_decision(&call, body).await? {
        Decision::Made { owner, handle } => (owner, handle),
        Decision::Missing(page) => return Ok(page),
    };
    let page = match call.host.vault.confirm_install(&owner, &handle).await {
        Ok(connection) => connected_page(&connection),
        Err(error) if error.kind() == ErrorKind::NotFound => expired_page(),
        Err(error) => return Err(error.into()),
    };
    Ok(with_cookie(page, call.clear_cookie(Cookie::Install)))
}

pub(crate) async fn decline(call: Call, body: Body) -> Result<Response, Refusal> {
    let (owner, handle) = match read_decision(&call, body).await? {
        Decision::Made { owner, handle } => (owner, handle),
        Decision::Missing(page) => return Ok(page),
    };
    let claimed = call.host.vault.find_claimed_install(&owner, &handle).await?;
    let vendor = call.host.vendor_name(claimed.as_ref().map(|claimed| &claimed.connection));
    let page = match call.host.vault.decline_install(&owner, &handle).await {
        Ok(revocation) => Page::new("Nothing was connected").text(&match revocation {
            Revocation::StillUsed => {
                "The installation was declined. Another connection of yours uses the same access, and keeps it.".to_owned()
            }
            Revocation::No => format!("The installation was declined. {vendor} could not be told yet; it will be."),
            Revocation::NotOffered => {
                format!("The installation was declined. Remove the app in {vendor} too, which ends its access there.")
            }
            _ => "The installation was declined, and its access was given back.".to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(expired_page()),
        Err(error) => return Err(error.into()),
    };
    Ok(with_cookie(page.link("start-over", "/oauth/start", "Start over").into_response(), call.clear_cookie(Cookie::Install)))
}

/// The decision about an install.
enum Decision {
    Made {
        owner: String,
        handle: String,
    },
    /// Nobody decided; the page says why.
    Missing(Response),
}

/// Reads the decision from the form of the page that showed the install. Without cookies, the form is not read.
async fn read_decision(call: &Call, body: Body) -> Result<Decision, Refusal> {
    call.query(&[])?;
    let Some(handle) = call.cookie(Cookie::Install) else { return Ok(Decision::Missing(expired_page())) };
    let Some((owner, session)) = call.find_visitor().await? else {
        return Ok(Decision::Missing(ask_to_sign_in("You are signed out. Sign in to decide.", "/oauth/install")));
    };
    let fields = read_form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf_token(&session, &handle))?;
    Ok(Decision::Made { owner, handle })
}

fn confirmation_page(vendor: &str, owner: &str, claimed: &ClaimedInstall, csrf: &str) -> Response {
    let page = Page::new("Connect this account?")
        .text(&format!("Somebody installed the app in this {vendor}. Confirm only if it was you, and this is your company."));
    let page = add_account(page, &claimed.connection).facts(&[("owner", "To be used by", Some(owner))]);
    let page = match &claimed.renews {
        Some(known) => page.text(&format!("It renews the connection {}.", known.name)),
        None => page,
    };
    page.button("confirm", "/oauth/confirm", &[("csrf", csrf)], "Connect")
        .button("decline", "/oauth/decline", &[("csrf", csrf)], "Decline")
        .into_response()
}

fn expired_page() -> Response {
    Page::new("Nothing waits to be connected")
        .text("There is no installation in this browser, or it is too old, or it was finished already.")
        .link("start-over", "/oauth/start", "Start over")
        .into_response()
}
