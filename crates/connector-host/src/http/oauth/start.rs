//! `GET /oauth/start`: to the vendor's page, by a link that opens once or for who is signed in.

use axum::response::Response;
use secrecy::ExposeSecret;

use super::cookies::Cookie;
use super::{redirect, sign_in, with_cookie};
use crate::http::answer::Refusal;
use crate::http::first_app;
use crate::http::routes::Call;

pub(in crate::http) async fn start(call: Call) -> Result<Response, Refusal> {
    call.host.needs_client()?;
    let query = call.query(&["link"])?;
    let browser = call.browser()?;
    let authorization = match query.first() {
        Some((_, link)) => call.host.vault.open_link(link, &browser).await?,
        None => match call.visitor().await? {
            Some((owner, _)) => call.host.vault.authorize(&owner, first_app(), None, &browser).await?,
            None => return Ok(sign_in::needed("Sign in to connect an account.", "/oauth/start")),
        },
    };
    let response = redirect(authorization.url.expose_secret())?;
    Ok(with_cookie(response, call.set(Cookie::Browser, &browser)))
}
