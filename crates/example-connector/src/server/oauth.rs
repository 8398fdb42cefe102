//! The OAuth server: the page that gives out codes, and the endpoints of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::server::grants::{CLIENT_ID, CLIENT_SECRET, Grants, Issued, PUBLIC_CLIENT_ID, SCOPES};
use crate::server::message::{Received, Reply};

/// Answers a request below `/oauth/`.
pub(super) fn answer(grants: &mut Grants, request: &Received) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/oauth/authorize") => authorize(grants, &request.query),
        ("POST", "/oauth/token") => answer_client(request, |client, form| issue_tokens(grants, client, form)),
        ("POST", "/oauth/revoke") => answer_client(request, |client, form| {
            grants.revoke(client, find(form, "token"));
            Reply::empty(200)
        }),
        _ => refuse(404, "not_found"),
    }
}

/// Sends the browser back with a code. The person is signed in, and allows what is asked for.
fn authorize(grants: &mut Grants, query: &[(String, String)]) -> Reply {
    let (client, back) = (find(query, "client_id"), find(query, "redirect_uri"));
    // A redirect URI on this machine may have any port, as RFC 8252 says. No other one is registered.
    if ![CLIENT_ID, PUBLIC_CLIENT_ID].contains(&client) || !back.starts_with("http://127.0.0.1:") {
        return refuse(400, "invalid_request");
    }
    let scopes: Vec<String> = find(query, "scope").split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let challenge = find(query, "code_challenge");
    let error = match () {
        () if find(query, "response_type") != "code" => Some("unsupported_response_type"),
        () if challenge.len() != 43 || find(query, "code_challenge_method") != "S256" => Some("invalid_request"),
        () if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())) => Some("invalid_scope"),
        () => None,
    };
    let start = back.len() + 1;
    let mut to = form_urlencoded::Serializer::for_suffix(format!("{back}{}", if back.contains('?') { '&' } else { '?' }), start);
    match error {
        Some(error) => to.append_pair("error", error),
        None => to.append_pair("code", &grants.add_code(client, scopes, back, challenge)),
    };
    to.append_pair("state", find(query, "state"));
    Reply::empty(302).with_header("location", to.finish())
}

/// Reads the form of a client, and checks that it is the client that it says.
fn answer_client(request: &Received, answer: impl FnOnce(&str, &[(String, String)]) -> Reply) -> Reply {
    if request.content_type != "application/x-www-form-urlencoded" {
        return refuse(400, "invalid_request");
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    match (find(&form, "client_id"), find(&form, "client_secret")) {
        (client @ CLIENT_ID, CLIENT_SECRET) | (client @ PUBLIC_CLIENT_ID, "") => answer(client, &form),
        _ => refuse(401, "invalid_client"),
    }
}

fn issue_tokens(grants: &mut Grants, client: &str, form: &[(String, String)]) -> Reply {
    let issued = match find(form, "grant_type") {
        "authorization_code" => {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(find(form, "code_verifier")));
            grants.exchange(client, find(form, "code"), find(form, "redirect_uri"), &challenge)
        }
        "refresh_token" => grants.refresh(client, find(form, "refresh_token")),
        _ => return refuse(400, "unsupported_grant_type"),
    };
    let Some(Issued { access, refresh, scopes }) = issued else { return refuse(400, "invalid_grant") };
    let body = json!({
        "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600, "scope": scopes.join(" "),
    });
    Reply::json(200, body).with_header("cache-control", "no-store".to_owned())
}

fn refuse(status: u16, error: &str) -> Reply {
    Reply::json(status, json!({"error": error}))
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
}
