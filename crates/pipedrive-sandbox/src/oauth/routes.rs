//! The paths of the OAuth server and of the marketplace.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::oauth::pages::ErrorPage;
use crate::oauth::visit::Visit;
use crate::oauth::{marketplace, pages, token};

/// Tells whether a path belongs to the OAuth server or the marketplace. Any request there may carry a secret.
pub(crate) fn is_oauth_path(path: &str) -> bool {
    matches!(segments(path).first(), Some(&("oauth" | "marketplace")))
}

/// Tells whether answering a request includes a request to the app that is uninstalled.
pub(crate) fn calls_out(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST && matches!(segments(request.uri().path())[..], ["marketplace", _, "uninstall"])
}

pub(crate) fn is_token_request(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST && segments(request.uri().path()) == ["oauth", "token"]
}

pub(crate) fn respond(visit: &Visit) -> Response<Bytes> {
    let answer = match (visit.request.method().as_str(), &segments(visit.request.uri().path())[..]) {
        ("POST", ["oauth", "token"]) => return token::issue(visit),
        ("POST", ["oauth", "revoke"]) => return token::revoke(visit),
        ("GET", ["oauth", "authorize"]) => pages::ask_consent(visit),
        ("POST", ["oauth", "authorize"]) => pages::take_consent(visit),
        ("GET", ["marketplace", client_id]) => marketplace::show(visit, client_id),
        ("GET", ["marketplace", client_id, "uninstall"]) => marketplace::ask_uninstall(visit, client_id),
        ("POST", ["marketplace", client_id, "uninstall"]) => marketplace::uninstall(visit, client_id),
        (_, ["oauth", "token" | "revoke" | "authorize"] | ["marketplace", _] | ["marketplace", _, "uninstall"]) => {
            Err(ErrorPage::new(StatusCode::METHOD_NOT_ALLOWED, "This address takes another method."))
        }
        _ => Err(ErrorPage::new(StatusCode::NOT_FOUND, "There is no such page.")),
    };
    answer.unwrap_or_else(ErrorPage::into_response)
}

/// Splits a path. A slash at the end changes nothing: the documents write `/oauth/token/` too.
fn segments(path: &str) -> Vec<&str> {
    path.strip_suffix('/').unwrap_or(path).split('/').skip(1).collect()
}
