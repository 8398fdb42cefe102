//! Authorization codes and tokens: issue, lifetime and revocation.

use super::oauth::{
    AUTHORIZE, DAY, MINUTE, SECOND, ask_token, assert_token_refused, consent_page, exchange_code, get_with_token, install, is_accepted,
    issue_code, open_page, open_two_companies, post, read_page, read_page_token, refresh, revoke,
};
use super::{open_sandbox, options, read_response, send};
use crate::edge::options::Options;
use crate::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, RefreshTokens};
use bytes::Bytes;
use http::Request;
use serde_json::json;

#[test]
fn code_is_valid_once_for_five_minutes() {
    let sandbox = open_sandbox(options());
    let code = issue_code(&sandbox, "1:1");
    assert_eq!(exchange_code(&sandbox, &code).0, 200);
    assert_token_refused(&exchange_code(&sandbox, &code), "invalid_grant", "already exchanged");
    assert_token_refused(&exchange_code(&sandbox, "made up"), "invalid_grant", "code is unknown");

    let (in_time, late) = (issue_code(&sandbox, "1:2"), issue_code(&sandbox, "1:3"));
    sandbox.clock().advance(4 * MINUTE + 59 * SECOND);
    assert_eq!(exchange_code(&sandbox, &in_time).0, 200);
    sandbox.clock().advance(SECOND);
    assert_token_refused(&exchange_code(&sandbox, &late), "invalid_grant", "code has expired");
}

#[test]
fn code_is_bound_to_its_app_and_redirect_uri() {
    let mut other = App::new("other", "other secret", DEMO_REDIRECT_URI, &["deals:read"]);
    other.redirect_uris.push("https://other.example/callback?kept=1".to_owned());
    let mut demo = App::demo();
    demo.redirect_uris.push("https://demo.example/".to_owned());
    let sandbox = open_sandbox(Options { apps: vec![demo, other], ..options() });
    let code = issue_code(&sandbox, "1:1");
    let form = |uri| [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
    let answer = post(&sandbox, "/oauth/token", Some(("other", "other secret")), &form(DEMO_REDIRECT_URI));
    assert_token_refused(&read_response(&answer), "invalid_grant", "code is unknown");
    assert_token_refused(&ask_token(&sandbox, &form("https://demo.example/")), "invalid_grant", "not the one that code was sent to");
    assert_token_refused(&ask_token(&sandbox, &form("https://evil.example/")), "invalid_request", "registered");
    assert_token_refused(&ask_token(&sandbox, &form("nowhere")), "invalid_request", "not a valid address");
    assert_eq!(exchange_code(&sandbox, &code).0, 200, "a refused exchange should not use up the code");

    let parameters = [("client_id", "other"), ("redirect_uri", "https://other.example/callback?kept=1")];
    let token = read_page_token(&consent_page(&sandbox, &parameters));
    let answer = post(&sandbox, AUTHORIZE, None, &[("page", &token), ("account", "1:1"), ("decision", "cancel")]);
    assert_eq!(answer.headers()["location"], "https://other.example/callback?kept=1&error=user_denied");
}

#[test]
fn rejects_wrong_client_credentials() {
    let sandbox = open_sandbox(options());
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let send_form = |basic, form: &[(&str, &str)]| read_response(&post(&sandbox, "/oauth/token", basic, form));
    assert_token_refused(&send_form(Some((DEMO_CLIENT_ID, "wrong")), &form), "invalid_client", "are wrong");
    assert_token_refused(&send_form(Some(("nobody", DEMO_CLIENT_SECRET)), &form), "invalid_client", "are wrong");
    assert_token_refused(&send_form(None, &form), "invalid_request", "client_id is missing");
    let in_body = |secret| [form[0], form[1], ("client_id", DEMO_CLIENT_ID), ("client_secret", secret)];
    assert_token_refused(&send_form(None, &in_body("wrong")), "invalid_client", "are wrong");
    assert_token_refused(&send_form(None, &in_body(DEMO_CLIENT_SECRET)), "invalid_grant", "refresh_token is unknown");
    let unreadable = Request::builder().method("POST").uri("/oauth/token").header("authorization", "Basic ?");
    let unreadable = unreadable.header("content-type", "application/x-www-form-urlencoded").body(Bytes::new());
    let answer = sandbox.respond(unreadable.expect("the test's request is valid"));
    assert_token_refused(&read_response(&answer), "invalid_client", "not valid Basic authentication");
}

#[test]
fn rejects_malformed_token_requests() {
    let sandbox = open_sandbox(options());
    assert_token_refused(&ask_token(&sandbox, &[]), "invalid_request", "grant_type is missing");
    assert_token_refused(&ask_token(&sandbox, &[("grant_type", "password")]), "unsupported_grant_type", "exchange_api_token");
    assert_token_refused(&ask_token(&sandbox, &[("grant_type", "authorization_code")]), "invalid_request", "code is missing");
    assert_token_refused(&ask_token(&sandbox, &[("grant_type", "refresh_token")]), "invalid_request", "refresh_token is missing");
    let doubled = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")];
    assert_token_refused(&ask_token(&sandbox, &doubled), "invalid_request", "grant_type is given twice");
    let as_json = send(&sandbox, "POST", "/oauth/token", json!({ "grant_type": "refresh_token" }));
    assert_token_refused(&as_json, "invalid_request", "application/x-www-form-urlencoded");
}

#[test]
fn exchanges_an_api_token_for_an_installation() {
    let sandbox = open_two_companies();
    let tokens = |token: &str| ask_token(&sandbox, &[("grant_type", "exchange_api_token"), ("api_token", token)]);
    for (place, company) in sandbox.companies().iter().enumerate() {
        let (status, answer) = tokens(&company.api_token);
        assert_eq!(status, 200, "the token of company {place} should be exchanged: {answer}");
        assert_eq!(get_with_token(&sandbox, &answer, "/v1/users/me").1["data"]["company_id"], company.id);
    }
    assert_token_refused(&tokens("made up"), "invalid_grant", "api_token is unknown");
}

#[test]
fn tokens_expire_as_documented() {
    let sandbox = open_sandbox(options());
    let first = install(&sandbox, "1:1");
    sandbox.clock().advance(59 * MINUTE + 59 * SECOND);
    assert!(is_accepted(&sandbox, &first));
    sandbox.clock().advance(SECOND);
    assert!(!is_accepted(&sandbox, &first), "an access token should expire after an hour");

    for _ in 0..2 {
        sandbox.clock().advance(59 * DAY);
        let (status, again) = refresh(&sandbox, &first);
        assert_eq!((status, &again["refresh_token"]), (200, &first["refresh_token"]), "each refresh should extend the lifetime by 60 days");
        assert!(is_accepted(&sandbox, &again));
    }
    assert_eq!(sandbox.refresh_count(), 2);
    sandbox.clock().advance(60 * DAY);
    assert_token_refused(&refresh(&sandbox, &first), "invalid_grant", "refresh_token is unknown");
    assert_eq!(sandbox.refresh_count(), 2, "a refused refresh should not count");
}

#[test]
fn rotated_refresh_token_is_valid_once() {
    let sandbox = open_sandbox(Options { refresh_tokens: RefreshTokens::Rotated, ..options() });
    let first = install(&sandbox, "1:1");
    let (status, second) = refresh(&sandbox, &first);
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_token_refused(&refresh(&sandbox, &first), "invalid_grant", "already exchanged");
    assert_eq!(refresh(&sandbox, &second).0, 200);
    assert!(is_accepted(&sandbox, &first), "an access token should stay valid after a refresh");
}

#[test]
fn revokes_only_the_named_token() {
    let other = App::new("other", "other secret", DEMO_REDIRECT_URI, &[]);
    let sandbox = open_sandbox(Options { apps: vec![App::demo(), other], ..options() });
    let demo = (DEMO_CLIENT_ID, DEMO_CLIENT_SECRET);
    let first = install(&sandbox, "1:1");
    let second = refresh(&sandbox, &first).1;
    for token in [&first["access_token"], &first["refresh_token"]] {
        assert_eq!(revoke(&sandbox, ("other", "other secret"), token), 200);
    }
    assert!(is_accepted(&sandbox, &first), "an app should not be able to revoke another app's tokens");
    assert_eq!(revoke(&sandbox, demo, &json!("made up")), 200);
    assert_eq!(revoke(&sandbox, (DEMO_CLIENT_ID, "wrong"), &first["refresh_token"]), 400);

    assert_eq!(revoke(&sandbox, demo, &first["access_token"]), 200);
    assert_eq!(
        (is_accepted(&sandbox, &first), is_accepted(&sandbox, &second)),
        (false, true),
        "revoking an access token should end that alone"
    );
    assert_eq!(revoke(&sandbox, demo, &second["refresh_token"]), 200);
    assert!(!is_accepted(&sandbox, &second), "revoking a refresh token should end the installation");
    assert_token_refused(&refresh(&sandbox, &second), "invalid_grant", "refresh_token");
    let shown = read_page(&open_page(&sandbox, &format!("/marketplace/{DEMO_CLIENT_ID}/uninstall")), 200);
    assert!(shown.contains("Nobody has this app installed"), "{shown}");
}

#[test]
fn new_installation_ends_the_earlier_one() {
    let sandbox = open_two_companies();
    let (first, elsewhere) = (install(&sandbox, "1:1"), install(&sandbox, "7402:1"));
    let second = install(&sandbox, "1:1");
    assert_eq!((is_accepted(&sandbox, &first), is_accepted(&sandbox, &second)), (false, true));
    assert_token_refused(&refresh(&sandbox, &first), "invalid_grant", "refresh_token");
    assert!(is_accepted(&sandbox, &elsewhere), "an installation in another company should stay, also for the same user id");
}
