//! The account of a connection, on a page.

use axum::response::Response;
use connector_connections::Connection;

use crate::wire::html::Page;

/// Builds the page of an account that was connected.
pub(crate) fn connected_page(connection: &Connection) -> Response {
    let page = Page::new("Connected").text("The account is connected. You can close this page.");
    let own: [(&str, &str, Option<&str>); 2] =
        [("owner", "Used by", Some(&connection.owner)), ("connection", "Connection", Some(&connection.name))];
    add_account(page, connection).facts(&own).into_response()
}

/// Builds the page of what was finished before: it was opened or loaded again.
pub(crate) fn finished_page() -> Response {
    Page::new("Connected").text("The account was connected before. You can close this page.").into_response()
}

/// Adds the account of a connection, as the vendor describes it.
pub(crate) fn add_account(page: Page, connection: &Connection) -> Page {
    let known = &connection.metadata;
    page.facts(&[
        ("company", "Company", known.company.name.as_deref()),
        ("domain", "Address", known.api_domain.as_deref()),
        ("user", "User", known.user.name.as_deref()),
        ("email", "E-mail", known.user.email.as_deref()),
    ])
}
