//! `/oauth/start`: on to the vendor's page, by a link that opens once or for who is signed in.

use axum::body::Body;
use axum::response::Response;
use secrecy::ExposeSecret;

use super::cookies::Cookie;
use super::pages::Page;
use super::{check_csrf, csrf, forged, form, sign_in, with_cookie};
use crate::http::answer::Refusal;
use crate::http::first_app;
use crate::http::routes::Call;

const PURPOSE: &str = "start";

/// For whom an account will be connected. Opening it changes nothing: a link is also opened by programs that look at
/// mails, and whoever was sent one must see whose it is before they grant anything.
pub(in crate::http) async fn show(call: Call) -> Result<Response, Refusal> {
    call.host.needs_client()?;
    let query = call.query(&["link"])?;
    let link = query.first().map(|(_, link)| link.as_str());
    let (owner, name) = match link {
        Some(link) => {
            let connection = call.host.vault.find_by_link(link).await?;
            (connection.owner, Some(connection.name).filter(|name| *name != connection.id))
        }
        None => match call.visitor().await? {
            Some((owner, _)) => (owner, None),
            None => return Ok(sign_in::needed("Sign in to connect an account, or ask for a new link to connect it by.", "/oauth/start")),
        },
    };
    let browser = call.browser()?;
    let app = call.host.vault.app(first_app())?;
    let csrf = csrf(&browser, PURPOSE);
    let hidden: Vec<(&str, &str)> = [("csrf", csrf.as_str())].into_iter().chain(link.map(|link| ("link", link))).collect();
    let page = Page::new("Connect an account")
        .text(&format!("You go on to {}, and choose the account to connect. It will be used by:", app.label()))
        .facts(&[("owner", "Owner", Some(&owner)), ("connection", "Connection", name.as_deref())])
        .text("Go on only if you know them: they will see and change what you can.")
        .button("go-on", "/oauth/start", &hidden, "Go on");
    Ok(with_cookie(page.into_response(), call.set(Cookie::Browser, &browser)))
}

pub(in crate::http) async fn start(call: Call, body: Body) -> Result<Response, Refusal> {
    call.host.needs_client()?;
    call.query(&[])?;
    let browser = call.cookie(Cookie::Browser).ok_or_else(forged)?;
    let fields = form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf(&browser, PURPOSE))?;
    let link = fields.iter().find(|(name, _)| name == "link").map(|(_, link)| link.as_str());
    let authorization = match link {
        Some(link) => call.host.vault.open_link(link, &browser).await?,
        None => match call.visitor().await? {
            Some((owner, _)) => call.host.vault.authorize(&owner, first_app(), None, &browser).await?,
            None => return Ok(sign_in::needed("Sign in to connect an account.", "/oauth/start")),
        },
    };
    let page = Page::new("On to the account").goes_on(authorization.url.expose_secret());
    // The cookie must last as long as the state that it belongs to.
    Ok(with_cookie(page.into_response(), call.set(Cookie::Browser, &browser)))
}
