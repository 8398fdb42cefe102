//! `/oauth/start`: leads to the vendor's page, by a link that opens once or for the owner who is signed in.

use axum::body::Body;
use axum::response::Response;
use connector_core::ErrorKind;
use connector_core::declare::Connector;
use secrecy::ExposeSecret;

use super::account::finished_page;
use super::forms::{check_csrf, csrf_token, find_field, forged, read_form, with_cookie};
use super::sign_in::ask_to_sign_in;
use crate::conduct::call::Call;
use crate::host::Host;
use crate::wire::cookies::Cookie;
use crate::wire::html::Page;
use crate::wire::refusal::Refusal;

const PURPOSE: &str = "start";

/// Shows the owner for whom an account will be connected.
///
/// The page changes nothing: programs that scan mails open links too, and people must see the owner before they grant
/// access.
pub(crate) async fn show_start(call: Call) -> Result<Response, Refusal> {
    call.host.require_client()?;
    let (query, named) = call.query_of_connector(&["link"])?;
    let link = query.first().map(|(_, link)| link.as_str());
    let (owner, name, app) = match link {
        Some(link) => {
            let connection = match call.host.vault.find_by_link(link).await {
                Ok(connection) => connection,
                Err(error) if error.kind() == ErrorKind::Conflict => return Ok(finished_page()),
                Err(error) => return Err(error.into()),
            };
            (connection.owner, Some(connection.name).filter(|name| *name != connection.id), connection.app)
        }
        None => match call.find_visitor().await? {
            Some((owner, _)) => match call.host.find_only(named) {
                Some(connector) => (owner, None, connector.key.to_owned()),
                None => return Ok(choice_page(&call.host)),
            },
            None => {
                let why = "Sign in to connect an account, or ask for a new link to connect it by.";
                return Ok(ask_to_sign_in(why, &start_path(&call.host, named)));
            }
        },
    };
    let browser = call.browser_token()?;
    let app = call.host.vault.app(&app)?;
    let csrf = csrf_token(&browser, PURPOSE);
    let target = link.map(|link| ("link", link)).or(named.map(|connector| ("connector", connector.key)));
    let hidden: Vec<(&str, &str)> = [("csrf", csrf.as_str())].into_iter().chain(target).collect();
    let page = Page::new("Connect an account")
        .text(&format!("On the next page, at {}, choose the account to connect. It will be used by:", app.label()))
        .facts(&[("owner", "Owner", Some(&owner)), ("connection", "Connection", name.as_deref())])
        .text("Go on only if you know this owner, who will be able to see and change all that you can.")
        .button("go-on", "/oauth/start", &hidden, "Go on");
    Ok(with_cookie(page.into_response(), call.set_cookie(Cookie::Browser, &browser)))
}

pub(crate) async fn begin(call: Call, body: Body) -> Result<Response, Refusal> {
    call.host.require_client()?;
    call.query(&[])?;
    let browser = call.cookie(Cookie::Browser).ok_or_else(forged)?;
    let fields = read_form(&call.head.headers, body).await?;
    check_csrf(&fields, &csrf_token(&browser, PURPOSE))?;
    let link = find_field(&fields, "link");
    let named = find_field(&fields, "connector").map(|named| call.host.find_connector(named)).transpose()?;
    let authorization = match link {
        Some(link) => call.host.vault.open_link(link, &browser).await?,
        None => match call.find_visitor().await? {
            Some((owner, _)) => match call.host.find_only(named) {
                Some(connector) => call.host.vault.authorize(&owner, connector.key, None, &browser).await?,
                None => return Ok(choice_page(&call.host)),
            },
            None => return Ok(ask_to_sign_in("Sign in to connect an account.", &start_path(&call.host, named))),
        },
    };
    let page = Page::new("On to the account").forward_to(authorization.url.expose_secret());
    // The cookie must live as long as the state.
    Ok(with_cookie(page.into_response(), call.set_cookie(Cookie::Browser, &browser)))
}

/// Builds the page on which a person chooses the vendor.
fn choice_page(host: &Host) -> Response {
    let connectors = host.catalogue().connectors().iter().filter(|connector| host.has_client(connector.key));
    let page = Page::new("Connect an account").text("Choose where the account is.");
    connectors.fold(page, |page, connector| page.link(connector.key, &host.start_path(connector), connector.label)).into_response()
}

/// Builds the path of this page, for the connector that was named.
fn start_path(host: &Host, named: Option<&Connector>) -> String {
    named.map_or_else(|| "/oauth/start".to_owned(), |connector| host.start_path(connector))
}
