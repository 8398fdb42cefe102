//! The OAuth server: consent, apps and scopes.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::storage::Folder;
use super::{assert_refused, open_sandbox, options, read_response, send};
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::facts::api::api;
use crate::value::open_error::OpenError;
use crate::{App, DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, RefreshTokens, SCOPES, Store};

pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// A `state` with markup and special characters, which must come back unchanged.
pub(super) const STATE: &str = "a b&c=\"><script>ä";

pub(super) const AUTHORIZE: &str = "/oauth/authorize";

pub(super) fn open_two_companies() -> Sandbox {
    open_sandbox(Options { companies: 2, ..options() })
}

pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Reads a page, and checks that caches may not keep it.
#[track_caller]
pub(super) fn read_page(response: &Response<Bytes>, status: u16) -> String {
    let text = String::from_utf8(response.body().to_vec()).expect("a page is text");
    assert_eq!(response.status().as_u16(), status, "the page is {text}");
    for (header, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(response.headers()[header], value);
    }
    assert!(!response.headers().contains_key("location"), "a page should not redirect");
    text
}

pub(super) fn open_page(sandbox: &Sandbox, path: &str) -> Response<Bytes> {
    sandbox.respond(Request::builder().uri(path).body(Bytes::new()).expect("the test's request is valid"))
}

pub(super) fn post(sandbox: &Sandbox, path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::builder().method("POST").uri(path).header("host", "127.0.0.1:8020");
    request = request.header("content-type", "application/x-www-form-urlencoded");
    if let Some((id, secret)) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
    }
    sandbox.respond(request.body(encode(form).into()).expect("the test's request is valid"))
}

/// Reads the one-time token of a page.
pub(super) fn read_page_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"page\" value=\"").expect("a page that asks has a token");
    rest.split('"').next().expect("the value ends").to_owned()
}

pub(super) fn consent_page(sandbox: &Sandbox, parameters: &[(&str, &str)]) -> String {
    read_page(&open_page(sandbox, &format!("{AUTHORIZE}?{}", encode(parameters))), 200)
}

/// Answers a consent page, and returns the parameters for the app's callback.
pub(super) fn decide(sandbox: &Sandbox, page: &str, account: &str, decision: &str) -> Vec<(String, String)> {
    let answer = post(sandbox, AUTHORIZE, None, &[("page", &read_page_token(page)), ("account", account), ("decision", decision)]);
    assert_eq!(answer.status(), 303, "{answer:?}");
    let location = answer.headers()["location"].to_str().expect("an address is ASCII");
    let (callback, query) = location.split_once('?').expect("the callback gets parameters");
    assert_eq!(callback, DEMO_REDIRECT_URI);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

pub(super) fn issue_code(sandbox: &Sandbox, account: &str) -> String {
    let page = consent_page(sandbox, &[("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)]);
    let mut parameters = decide(sandbox, &page, account, "allow");
    assert_eq!(parameters.len(), 1, "without a state the callback should get a code alone: {parameters:?}");
    parameters.remove(0).1
}

pub(super) fn ask_token(sandbox: &Sandbox, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = post(sandbox, "/oauth/token", Some((DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)), form);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    read_response(&answer)
}

pub(super) fn exchange_code(sandbox: &Sandbox, code: &str) -> (u16, Value) {
    ask_token(sandbox, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", DEMO_REDIRECT_URI)])
}

pub(super) fn refresh(sandbox: &Sandbox, tokens: &Value) -> (u16, Value) {
    ask_token(sandbox, &[("grant_type", "refresh_token"), ("refresh_token", read_refresh_token(tokens))])
}

pub(super) fn read_refresh_token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().expect("an answer has a refresh token")
}

/// Installs the app, and returns its tokens.
pub(super) fn install(sandbox: &Sandbox, account: &str) -> Value {
    let (status, tokens) = exchange_code(sandbox, &issue_code(sandbox, account));
    assert_eq!(status, 200, "a fresh code should be exchanged: {tokens}");
    tokens
}

pub(super) fn revoke(sandbox: &Sandbox, client: (&str, &str), token: &Value) -> u16 {
    let token = token.as_str().expect("a token is a text");
    post(sandbox, "/oauth/revoke", Some(client), &[("token", token)]).status().as_u16()
}

/// Sends a request to the API with an access token.
pub(super) fn get_with_token(sandbox: &Sandbox, tokens: &Value, path: &str) -> (u16, Value) {
    let token = tokens["access_token"].as_str().expect("an answer has an access token");
    let request = Request::builder().uri(path).header("authorization", format!("Bearer {token}"));
    read_response(&sandbox.respond(request.body(Bytes::new()).expect("the test's request is valid")))
}

pub(super) fn is_accepted(sandbox: &Sandbox, tokens: &Value) -> bool {
    match get_with_token(sandbox, tokens, "/v1/users/me") {
        (200, _) => true,
        answer => {
            assert_refused(&answer, 401, "unauthorized access");
            false
        }
    }
}

#[track_caller]
pub(super) fn assert_token_refused(answer: &(u16, Value), error: &str, part: &str) {
    let description = answer.1["error_description"].as_str().unwrap_or_default();
    assert!(
        answer.0 == 400 && answer.1["error"] == error && description.contains(part),
        "should be a 400 {error} that says '{part}'; it is {} {}",
        answer.0,
        answer.1
    );
    assert_eq!(answer.1["message"], description, "both members should have the description, as clients read either");
}

#[test]
fn consent_redirects_with_a_code_and_the_state() {
    let sandbox = open_two_companies();
    let parameters = [("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI), ("state", STATE)];
    let page = consent_page(&sandbox, &parameters);
    for part in ["Demo app", "<li>deals:full</li>", "Ada Sandbox", "Brightpath Ltd", "value=\"7402:3\""] {
        assert!(page.contains(part), "the page should name {part}: {page}");
    }
    let sent = decide(&sandbox, &page, "7402:3", "allow");
    assert_eq!((sent[0].0.as_str(), sent.len()), ("code", 2));
    assert_eq!(sent[1], ("state".to_owned(), STATE.to_owned()), "the state should come back unchanged");

    let (status, tokens) = exchange_code(&sandbox, &sent[0].1);
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["api_domain"], "http://127.0.0.1:8020");
    let scopes: Vec<&str> = tokens["scope"].as_str().expect("scopes are a text").split(',').collect();
    assert!(scopes.len() == SCOPES.len() && scopes.contains(&"deals:full") && scopes.last() == Some(&"base"), "{scopes:?}");
    let access = tokens["access_token"].as_str().expect("a token is a text");
    assert!(
        access.starts_with("v1u:") && (700..=768).contains(&access.len()),
        "an access token should be nearly as long as documented, 768 characters"
    );
    let me = get_with_token(&sandbox, &tokens, "/v1/users/me").1["data"].clone();
    assert_eq!((&me["company_id"], &me["id"], &me["company_domain"]), (&json!(7402), &json!(3), &json!("brightpath")));
}

#[test]
fn cancelled_consent_redirects_with_an_error() {
    let sandbox = open_sandbox(options());
    let parameters = [("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI), ("state", "s")];
    let sent = decide(&sandbox, &consent_page(&sandbox, &parameters), "1:1", "cancel");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(sent, [pair("error", "user_denied"), pair("state", "s")]);
    let sent = decide(&sandbox, &consent_page(&sandbox, &parameters[..2]), "1:1", "cancel");
    assert_eq!(sent, [pair("error", "user_denied")]);
}

#[test]
fn page_can_be_answered_once_and_in_time() {
    let sandbox = open_sandbox(options());
    let parameters = [("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)];
    let shown = consent_page(&sandbox, &parameters);
    let answer =
        |token: &str, account: &str| post(&sandbox, AUTHORIZE, None, &[("page", token), ("account", account), ("decision", "allow")]);
    for account in ["1:99", "7402:1", "1", ""] {
        let text = read_page(&answer(&read_page_token(&shown), account), 400);
        assert!(text.contains("Pick a company"), "{account:?} should not be accepted: {text}");
    }
    decide(&sandbox, &shown, "1:1", "allow");
    for token in [read_page_token(&shown).as_str(), "made up", ""] {
        assert!(read_page(&answer(token, "1:1"), 400).contains("answered before"));
    }
    let old = read_page_token(&consent_page(&sandbox, &parameters));
    sandbox.clock().advance(30 * MINUTE);
    assert!(read_page(&answer(&old, "1:1"), 400).contains("too old"));

    let oldest = read_page_token(&consent_page(&sandbox, &parameters));
    for _ in 0..100 {
        sandbox.clock().advance(SECOND);
        consent_page(&sandbox, &parameters);
    }
    assert!(read_page(&answer(&oldest, "1:1"), 400).contains("too old"), "the oldest page should expire when there are too many");
}

#[test]
fn never_redirects_to_unregistered_addresses() {
    let sandbox = open_sandbox(options());
    let app = ("client_id", DEMO_CLIENT_ID);
    let longer = format!("{DEMO_REDIRECT_URI}/");
    for (parameters, status, part) in [
        (&[app][..], 400, "Invalid redirect URL"),
        (&[app, ("redirect_uri", "http://evil.example/<script>")], 400, "Invalid redirect URL"),
        (&[app, ("redirect_uri", &longer)], 400, "Invalid redirect URL"),
        (&[("client_id", "<b>"), ("redirect_uri", DEMO_REDIRECT_URI)], 404, "App not found"),
        (&[("redirect_uri", DEMO_REDIRECT_URI)], 404, "App not found"),
        (&[app, app, ("redirect_uri", DEMO_REDIRECT_URI)], 400, "client_id is given twice"),
        (&[app, ("redirect_uri", DEMO_REDIRECT_URI), ("<b>", ""), ("<b>", "")], 400, "&#60;b&#62; is given twice"),
        (&[app, ("redirect_uri", DEMO_REDIRECT_URI), ("code_challenge", "x")], 400, "code_challenge is not supported"),
    ] {
        let text = read_page(&open_page(&sandbox, &format!("{AUTHORIZE}?{}", encode(parameters))), status);
        assert!(text.contains(part) && !text.contains("<b>") && !text.contains("<script>"), "should say '{part}': {text}");
    }
    read_page(&open_page(&sandbox, "/oauth/other"), 404);
    read_page(&open_page(&sandbox, "/oauth/token"), 405);
}

#[test]
fn escapes_the_name_of_an_app() {
    let app = App { name: "<script>\"'&".to_owned(), ..App::demo() };
    let sandbox = open_sandbox(Options { companies: 3, ..Options::for_app(app) });
    for path in [format!("/marketplace/{DEMO_CLIENT_ID}"), format!("/marketplace/{DEMO_CLIENT_ID}/uninstall")] {
        let text = read_page(&open_page(&sandbox, &path), 200);
        assert!(text.contains("&#60;script&#62;&#34;&#39;&#38;") && !text.contains("<script>"), "{text}");
    }
    let text = consent_page(&sandbox, &[("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)]);
    assert!(text.contains("&#60;script&#62;") && text.contains("Kettle &#38; Crane"), "{text}");
}

#[test]
fn token_is_limited_to_its_scopes_and_company() {
    let app = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, &["deals:read"]);
    let sandbox = open_sandbox(Options { companies: 2, apps: vec![app], ..options() });
    let (first, second) = (install(&sandbox, "1:2"), install(&sandbox, "7402:2"));
    assert_eq!(first["scope"], "deals:read,base", "every app should have the scope base");
    assert_refused(&get_with_token(&sandbox, &first, "/api/v2/persons/1"), 403, "Scope and URL mismatch");
    let deal = send(&sandbox, "POST", "/api/v2/deals", json!({ "title": "Of the first" })).1["data"]["id"].clone();
    let path = format!("/api/v2/deals/{deal}");
    assert_eq!(get_with_token(&sandbox, &first, &path).1["data"]["title"], "Of the first");
    assert_refused(&get_with_token(&sandbox, &second, &path), 404, "Deal not found");
    assert_ne!(get_with_token(&sandbox, &first, "/api/v2/deals/1"), get_with_token(&sandbox, &second, "/api/v2/deals/1"));
}

#[test]
fn every_documented_scope_can_be_requested() {
    let unknown: Vec<&String> =
        api().operations().iter().flat_map(|o| &o.scopes).filter(|scope| !SCOPES.contains(&scope.as_str())).collect();
    assert!(unknown.is_empty(), "add to SCOPES: {unknown:?}");
}

#[test]
fn rejects_wrongly_registered_apps() {
    let wrong = |apps: Vec<App>, part: &str| {
        let error = Sandbox::open(Options { apps, ..options() }).expect_err("such an app should be refused");
        assert!(matches!(&error, OpenError::Options { reason } if reason.contains(part)), "should say '{part}': {error}");
    };
    wrong(vec![App::demo(), App::demo()], "is registered twice");
    wrong(vec![App::new("", "x", DEMO_REDIRECT_URI, &[])], "needs a client id");
    wrong(vec![App { redirect_uris: Vec::new(), ..App::demo() }], "needs a redirect URI");
    for uri in ["/callback", "ftp://host/", "http://host/#part", "http://host/ä", "javascript:alert(1)"] {
        wrong(vec![App::new("a", "x", uri, &[])], "must be an http or https address");
    }
    wrong(vec![App::new("a", "x", DEMO_REDIRECT_URI, &["deals:write"])], "deals:write");
    let debug = format!("{:?}", options());
    assert!(debug.contains(DEMO_CLIENT_ID) && !debug.contains(DEMO_CLIENT_SECRET), "a debug form should show no secret: {debug}");
}

#[test]
fn state_file_has_grants_without_secrets() {
    let folder = Folder::new();
    let open = || open_sandbox(Options { store: Store::File(folder.state()), refresh_tokens: RefreshTokens::Rotated, ..options() });
    let (one, other) = (open(), open());
    let code = issue_code(&one, "1:1");
    let tokens = exchange_code(&other, &code).1;
    assert!(is_accepted(&one, &tokens), "another sandbox on the same file should accept the token");
    assert_token_refused(&exchange_code(&one, &code), "invalid_grant", "already exchanged");
    let text = fs::read_to_string(folder.state()).expect("the file is there");
    let secrets = [code.as_str(), read_refresh_token(&tokens), tokens["access_token"].as_str().expect("a token"), DEMO_CLIENT_SECRET];
    assert!(secrets.iter().all(|secret| !text.contains(secret)), "the file should have no secret");
    assert_eq!(refresh(&open(), &tokens).0, 200, "a new sandbox on the same file should accept the refresh token");
}

#[test]
fn oauth_requests_are_not_recorded() {
    let folder = Folder::new();
    let sandbox = open_sandbox(Options { record_file: Some(folder.recording()), ..options() });
    let tokens = install(&sandbox, "1:1");
    open_page(&sandbox, &format!("/marketplace/{DEMO_CLIENT_ID}"));
    post(&sandbox, "/oauth/tokens", None, &[("client_secret", DEMO_CLIENT_SECRET)]);
    post(&sandbox, "/api/v1/oauth/token", None, &[("client_secret", DEMO_CLIENT_SECRET)]);
    open_page(&sandbox, &format!("/api/v2/deals?limit=1&api%5ftoken={DEMO_API_TOKEN}"));
    assert!(is_accepted(&sandbox, &tokens));
    let text = fs::read_to_string(folder.recording()).expect("the recording is there");
    let urls: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON")["url"].clone()).collect();
    assert_eq!(urls, ["http://localhost/api/v2/deals?limit=1&api_token=[redacted]", "http://localhost/v1/users/me"]);
    assert!(
        !text.contains("v1u:") && !text.contains(DEMO_API_TOKEN) && !text.contains(DEMO_CLIENT_SECRET),
        "the recording should have no credential"
    );
}
