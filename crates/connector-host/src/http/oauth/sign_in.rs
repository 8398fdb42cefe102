//! `/sign-in`: a person is signed in by a link that the command line printed.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use connector_core::ErrorKind;
use secrecy::ExposeSecret;

use super::cookies::Cookie;
use super::pages::Page;
use super::{check_csrf, csrf, form, redirect, with_cookie};
use crate::http::answer::Refusal;
use crate::http::routes::Call;

const PURPOSE: &str = "sign-in";
const SIGN_OUT: &str = "sign-out";

/// Whom the link signs in. Opening it changes nothing: a link is also opened by programs that look at mails.
pub(in crate::http) async fn show(call: Call) -> Result<Response, Refusal> {
    let query = call.query(&["token"])?;
    let Some((_, token)) = query.first() else { return Ok(needed("There is no link to sign in by.", "/oauth/start")) };
    let owner = call.host.vault.check_sign_in_link(token).await?.ok_or_else(used)?;
    let browser = call.browser()?;
    let page = Page::new("Sign in")
        .text("What is installed or connected in this browser from now on is connected for:")
        .facts(&[("owner", "Owner", Some(&owner))])
        .button("sign-in", "/sign-in", &[("csrf", &csrf(&browser, PURPOSE)), ("token", token)], "Sign in");
    Ok(with_cookie(page.into_response(), call.set(Cookie::Browser, &browser)))
}

pub(in crate::http) async fn sign_in(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    // Without a cookie of this browser's there is no page that it could have come from.
    let browser = call.cookie(Cookie::Browser).ok_or_else(super::forged)?;
    let fields = form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf(&browser, PURPOSE))?;
    let token = fields.iter().find(|(name, _)| name == "token").map_or("", |(_, value)| value);
    let (owner, session) = call.host.vault.sign_in(token).await?.ok_or_else(used)?;
    let response = if call.cookie(Cookie::Install).is_some() {
        redirect("/oauth/install")?
    } else {
        let page = Page::new("You are signed in").facts(&[("owner", "Owner", Some(&owner))]);
        let page = page.link("connect", "/oauth/start", "Connect an account");
        page.button("sign-out", "/sign-out", &[("csrf", &csrf(session.expose_secret(), SIGN_OUT))], "Sign out").into_response()
    };
    Ok(with_cookie(response, call.set(Cookie::Session, session.expose_secret())))
}

pub(in crate::http) async fn sign_out(call: Call, body: Body) -> Result<Response, Refusal> {
    call.query(&[])?;
    let session = call.cookie(Cookie::Session).ok_or_else(super::forged)?;
    let fields = form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf(&session, SIGN_OUT))?;
    call.host.vault.sign_out(&session).await?;
    Ok(with_cookie(Page::new("You are signed out").into_response(), call.clear(Cookie::Session)))
}

/// The page for a guest.
pub(super) fn needed(why: &str, next: &str) -> Response {
    Page::new("Sign in")
        .status(StatusCode::UNAUTHORIZED)
        .text(why)
        .text("Whoever runs this host prints a link for you with `connector sign-in --owner NAME`. Open it in this browser; what waits goes on from there.")
        .link("continue", next, "I am signed in: go on")
        .into_response()
}

fn used() -> Refusal {
    let hint = "Ask for another: `connector sign-in --owner NAME` prints one.";
    Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "The link was used, or is too old.", hint)
}
