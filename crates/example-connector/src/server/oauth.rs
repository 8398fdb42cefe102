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
        ("GET", "/oauth/install") => install(grants, &request.query),
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
    if ![CLIENT_ID, PUBLIC_CLIENT_ID].contains(&client) || !is_registered(back) {
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
    let outcome = match error {
        Some(error) => ("error", error.to_owned()),
        None => ("code", grants.add_code(client, scopes, back, Some(challenge))),
    };
    send_back(back, &[outcome, ("state", find(query, "state").to_owned())])
}

/// Sends the browser of a person who installs the app at the vendor to the app, with a code.
///
/// The app asked for nothing, so that there is no challenge, and no state. Only a client with a secret can use the code.
fn install(grants: &mut Grants, query: &[(String, String)]) -> Reply {
    let back = find(query, "redirect_uri");
    if find(query, "client_id") != CLIENT_ID || !is_registered(back) {
        return refuse(400, "invalid_request");
    }
    send_back(back, &[("code", grants.add_code(CLIENT_ID, SCOPES.map(str::to_owned).into(), back, None))])
}

/// Checks a redirect URI. One on this machine may have any port (RFC 8252), and no other one is registered.
fn is_registered(redirect_uri: &str) -> bool {
    redirect_uri.starts_with("http://127.0.0.1:")
}

fn send_back(redirect_uri: &str, pairs: &[(&str, String)]) -> Reply {
    let start = redirect_uri.len() + 1;
    let mut to =
        form_urlencoded::Serializer::for_suffix(format!("{redirect_uri}{}", if redirect_uri.contains('?') { '&' } else { '?' }), start);
    Reply::empty(302).with_header("location", to.extend_pairs(pairs).finish())
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
            let verifier = Some(find(form, "code_verifier")).filter(|verifier| !verifier.is_empty());
            let challenge = verifier.map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
            grants.exchange(client, find(form, "code"), find(form, "redirect_uri"), challenge.as_deref())
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
