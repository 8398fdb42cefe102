//! The authority that a request names, and the machine that it comes from.

use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::listen::Peer;

/// Finds the authority that a request names: in its target, else in its header `Host`.
pub(crate) fn find_authority(head: &Parts) -> Option<&str> {
    head.uri.authority().map(Authority::as_str).or_else(|| head.headers.get(HOST)?.to_str().ok())
}

/// Checks whether an authority is this machine, at any port.
pub(crate) fn is_this_machine(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    !authority.as_str().contains('@') && matches!(authority.host(), "127.0.0.1" | "localhost" | "[::1]")
}

/// Checks whether an authority is the one of a public URL, with or without the default port.
pub(crate) fn is_authority_of(authority: &str, public_url: &str) -> bool {
    let (scheme, public) = public_url.split_once("://").unwrap_or_default();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(default_port).unwrap_or(authority).eq_ignore_ascii_case(public)
}

/// Checks whether a program of this machine sent a request itself, and did not forward it as a proxy does.
pub(crate) fn is_from_this_machine(head: &Parts) -> bool {
    let is_forwarded = head.headers.keys().any(|name| name == "forwarded" || name.as_str().starts_with("x-forwarded-") || name == "via");
    let is_loopback = head.extensions.get::<Peer>().is_some_and(|peer| peer.0.is_loopback());
    !is_forwarded && is_loopback && find_authority(head).is_some_and(is_this_machine)
}
