//! The routes of the OAuth server and of the marketplace.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::oauth::context::Context;
use crate::oauth::pages::PageError;
use crate::oauth::{marketplace, pages, token};

/// Tells whether a path belongs to the OAuth server or the marketplace. Requests there may carry a secret.
pub(crate) fn is_oauth_path(path: &str) -> bool {
    matches!(split_path(path).first(), Some(&("oauth" | "marketplace")))
}

/// Tells whether the response to a request waits for a notice to an app.
pub(crate) fn sends_notice(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST && matches!(split_path(request.uri().path())[..], ["marketplace", _, "uninstall"])
}

pub(crate) fn is_token_request(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST && split_path(request.uri().path()) == ["oauth", "token"]
}

pub(crate) fn respond(context: &Context) -> Response<Bytes> {
    let answer = match (context.request.method().as_str(), &split_path(context.request.uri().path())[..]) {
        ("POST", ["oauth", "token"]) => return token::issue(context),
        ("POST", ["oauth", "revoke"]) => return token::revoke(context),
        ("GET", ["oauth", "authorize"]) => pages::show_consent(context),
        ("POST", ["oauth", "authorize"]) => pages::handle_consent(context),
        ("GET", ["marketplace", client_id]) => marketplace::show_app(context, client_id),
        ("GET", ["marketplace", client_id, "uninstall"]) => marketplace::show_uninstall(context, client_id),
        ("POST", ["marketplace", client_id, "uninstall"]) => marketplace::uninstall(context, client_id),
        (_, ["oauth", "token" | "revoke" | "authorize"] | ["marketplace", _] | ["marketplace", _, "uninstall"]) => {
            Err(PageError::new(StatusCode::METHOD_NOT_ALLOWED, "This address does not take this method."))
        }
        _ => Err(PageError::new(StatusCode::NOT_FOUND, "There is no such page.")),
    };
    answer.unwrap_or_else(|error| error.to_page())
}

/// Splits a path into segments. A slash at its end is ignored, as the documents also write `/oauth/token/`.
fn split_path(path: &str) -> Vec<&str> {
    path.strip_suffix('/').unwrap_or(path).split('/').skip(1).collect()
}
