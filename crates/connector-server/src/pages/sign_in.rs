//! `/sign-in`: signs a person in, by a link that the command line printed.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use connector_core::ErrorKind;
use secrecy::ExposeSecret;

use super::forms::{check_csrf, csrf_token, find_field, forged, read_form, redirect, with_cookie};
use crate::conduct::call::Call;
use crate::wire::cookies::Cookie;
use crate::wire::html::Page;
use crate::wire::refusal::Refusal;

const PURPOSE: &str = "sign-in";
const SIGN_OUT: &str = "sign-out";

/// Shows the owner whom a link signs in. The page changes nothing: programs that scan mails open links too.
pub(crate) async fn show_sign_in(call: Call) -> Result<Response, Refusal> {
    let query = call.query(&["token"])?;
    let Some((_, token)) = query.first() else { return Ok(ask_to_sign_in("The address holds no sign-in link.", "/oauth/start")) };
    let Some(owner) = call.host.vault.check_sign_in_link(token).await? else { return show_signed_in(&call).await };
    let browser = call.browser_token()?;
    let page = Page::new("Sign in")
        .text("Accounts that you connect in this browser from now on will be used by:")
        .facts(&[("owner", "Owner", Some(&owner))])
        .button("sign-in", "/sign-in", &[("csrf", &csrf_token(&browser, PURPOSE)), ("token", token)], "Sign in");
    Ok(with_cookie(page.into_response(), call.set_cookie(Cookie::Browser, &browser)))
}

pub(crate) async fn sign_in(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    // A browser without a cookie has not seen the page of this form.
    let browser = call.cookie(Cookie::Browser).ok_or_else(forged)?;
    let fields = read_form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf_token(&browser, PURPOSE))?;
    let token = find_field(&fields, "token").unwrap_or_default();
    let Some((owner, session)) = call.host.vault.sign_in(token).await? else { return show_signed_in(&call).await };
    let session = session.expose_secret();
    let response = if call.cookie(Cookie::Install).is_some() { redirect("/oauth/install")? } else { signed_in_page(&owner, session) };
    Ok(with_cookie(response, call.set_cookie(Cookie::Session, session)))
}

/// Shows who is signed in, to a person who opens a used link or loads a page again.
async fn show_signed_in(call: &Call) -> Result<Response, Refusal> {
    let (owner, session) = call.find_visitor().await?.ok_or_else(used_link)?;
    Ok(signed_in_page(&owner, &session))
}

fn signed_in_page(owner: &str, session: &str) -> Response {
    Page::new("You are signed in")
        .facts(&[("owner", "Owner", Some(owner))])
        .link("connect", "/oauth/start", "Connect an account")
        .button("sign-out", "/sign-out", &[("csrf", &csrf_token(session, SIGN_OUT))], "Sign out")
        .into_response()
}

pub(crate) async fn sign_out(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let session = call.cookie(Cookie::Session).ok_or_else(forged)?;
    let fields = read_form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf_token(&session, SIGN_OUT))?;
    call.host.vault.sign_out(&session).await?;
    Ok(with_cookie(Page::new("You are signed out").into_response(), call.clear_cookie(Cookie::Session)))
}

/// Builds the page for a person who is not signed in.
pub(crate) fn ask_to_sign_in(why: &str, next: &str) -> Response {
    Page::new("Sign in")
        .status(StatusCode::UNAUTHORIZED)
        .text(why)
        .text("Ask whoever sent you here for a link to sign in. Open it in this browser, then go on.")
        .link("continue", next, "I am signed in: go on")
        .into_response()
}

fn used_link() -> Refusal {
    let hint = "Ask whoever sent you here for another.";
    Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "The link was used, or is too old.", hint)
}
