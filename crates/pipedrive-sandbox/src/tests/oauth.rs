//! The OAuth server: consent, tokens and their times, installation and its end, and failures on purpose.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::storage::Folder;
use super::{options, read, refused, send};
use crate::edge::faults::Fault;
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::facts::api::api;
use crate::value::open_error::OpenError;
use crate::{App, DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, Gate, RefreshTokens, SCOPES, Store, serve};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);
/// What a page must not take for markup, and what must come back as it was.
const STATE: &str = "a b&c=\"><script>ä";

const AUTHORIZE: &str = "/oauth/authorize";

fn open(options: Options) -> Sandbox {
    Sandbox::open(options).expect("a sandbox in memory opens")
}

fn two_companies() -> Sandbox {
    open(Options { companies: 2, ..options() })
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A page, which must be kept by nobody.
#[track_caller]
fn page(response: &Response<Bytes>, status: u16) -> String {
    let text = String::from_utf8(response.body().to_vec()).expect("a page is text");
    assert_eq!(response.status().as_u16(), status, "the page is {text}");
    for (header, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(response.headers()[header], value);
    }
    assert!(!response.headers().contains_key("location"), "a page leads nowhere by itself");
    text
}

fn visit(sandbox: &Sandbox, path: &str) -> Response<Bytes> {
    sandbox.respond(Request::builder().uri(path).body(Bytes::new()).expect("the test's request is valid"))
}

fn post(sandbox: &Sandbox, path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::builder().method("POST").uri(path).header("host", "127.0.0.1:8020");
    request = request.header("content-type", "application/x-www-form-urlencoded");
    if let Some((id, secret)) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
    }
    sandbox.respond(request.body(encoded(form).into()).expect("the test's request is valid"))
}

/// The one-time token of a page.
fn token_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"page\" value=\"").expect("a page that asks has a token");
    rest.split('"').next().expect("the value ends").to_owned()
}

fn consent_page(sandbox: &Sandbox, parameters: &[(&str, &str)]) -> String {
    page(&visit(sandbox, &format!("{AUTHORIZE}?{}", encoded(parameters))), 200)
}

/// The parameters that an answer to a page sends to the app's callback.
fn decide(sandbox: &Sandbox, page: &str, account: &str, decision: &str) -> Vec<(String, String)> {
    let answer = post(sandbox, AUTHORIZE, None, &[("page", &token_of(page)), ("account", account), ("decision", decision)]);
    assert_eq!(answer.status(), 303, "{answer:?}");
    let location = answer.headers()["location"].to_str().expect("an address is ASCII");
    let (callback, query) = location.split_once('?').expect("the callback gets parameters");
    assert_eq!(callback, DEMO_REDIRECT_URI);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn code_for(sandbox: &Sandbox, account: &str) -> String {
    let page = consent_page(sandbox, &[("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)]);
    let mut parameters = decide(sandbox, &page, account, "allow");
    assert_eq!(parameters.len(), 1, "without a state there is a code alone: {parameters:?}");
    parameters.remove(0).1
}

fn ask_token(sandbox: &Sandbox, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = post(sandbox, "/oauth/token", Some((DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)), form);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    read(&answer)
}

fn exchange(sandbox: &Sandbox, code: &str) -> (u16, Value) {
    ask_token(sandbox, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", DEMO_REDIRECT_URI)])
}

fn refresh(sandbox: &Sandbox, tokens: &Value) -> (u16, Value) {
    ask_token(sandbox, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token(tokens))])
}

fn refresh_token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().expect("an answer has a refresh token")
}

/// The tokens of a new installation.
fn install(sandbox: &Sandbox, account: &str) -> Value {
    let (status, tokens) = exchange(sandbox, &code_for(sandbox, account));
    assert_eq!(status, 200, "a fresh code should be exchanged: {tokens}");
    tokens
}

fn revoke(sandbox: &Sandbox, client: (&str, &str), token: &Value) -> u16 {
    let token = token.as_str().expect("a token is a text");
    post(sandbox, "/oauth/revoke", Some(client), &[("token", token)]).status().as_u16()
}

/// Asks the API with an access token.
fn with_token(sandbox: &Sandbox, tokens: &Value, path: &str) -> (u16, Value) {
    let token = tokens["access_token"].as_str().expect("an answer has an access token");
    let request = Request::builder().uri(path).header("authorization", format!("Bearer {token}"));
    read(&sandbox.respond(request.body(Bytes::new()).expect("the test's request is valid")))
}

fn works(sandbox: &Sandbox, tokens: &Value) -> bool {
    match with_token(sandbox, tokens, "/v1/users/me") {
        (200, _) => true,
        answer => {
            refused(&answer, 401, "unauthorized access");
            false
        }
    }
}

#[track_caller]
fn token_refused(answer: &(u16, Value), error: &str, part: &str) {
    let description = answer.1["error_description"].as_str().unwrap_or_default();
    assert!(
        answer.0 == 400 && answer.1["error"] == error && description.contains(part),
        "should be a 400 {error} that says '{part}'; it is {} {}",
        answer.0,
        answer.1
    );
    assert_eq!(answer.1["message"], description, "clients look for either name");
}

#[test]
fn consent_leads_back_with_a_code_and_the_state() {
    let sandbox = two_companies();
    let parameters = [("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI), ("state", STATE)];
    let page = consent_page(&sandbox, &parameters);
    for part in ["Demo app", "<li>deals:full</li>", "Ada Sandbox", "Brightpath Ltd", "value=\"7402:3\""] {
        assert!(page.contains(part), "the page should name {part}: {page}");
    }
    let sent = decide(&sandbox, &page, "7402:3", "allow");
    assert_eq!((sent[0].0.as_str(), sent.len()), ("code", 2));
    assert_eq!(sent[1], ("state".to_owned(), STATE.to_owned()), "a state comes back as it was");

    let (status, tokens) = exchange(&sandbox, &sent[0].1);
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["api_domain"], "http://127.0.0.1:8020");
    let scopes: Vec<&str> = tokens["scope"].as_str().expect("scopes are a text").split(',').collect();
    assert!(scopes.len() == SCOPES.len() && scopes.contains(&"deals:full") && scopes.last() == Some(&"base"), "{scopes:?}");
    let access = tokens["access_token"].as_str().expect("a token is a text");
    assert!(access.starts_with("v1u:") && (700..=768).contains(&access.len()), "clients must have room for 768 characters");
    let me = with_token(&sandbox, &tokens, "/v1/users/me").1["data"].clone();
    assert_eq!((&me["company_id"], &me["id"], &me["company_domain"]), (&json!(7402), &json!(3), &json!("brightpath")));
}

#[test]
fn a_person_may_refuse() {
    let sandbox = open(options());
    let parameters = [("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI), ("state", "s")];
    let sent = decide(&sandbox, &consent_page(&sandbox, &parameters), "1:1", "cancel");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(sent, [pair("error", "user_denied"), pair("state", "s")]);
    let sent = decide(&sandbox, &consent_page(&sandbox, &parameters[..2]), "1:1", "cancel");
    assert_eq!(sent, [pair("error", "user_denied")]);
}

#[test]
fn a_page_is_answered_once_and_in_time() {
    let sandbox = open(options());
    let parameters = [("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)];
    let shown = consent_page(&sandbox, &parameters);
    let answer =
        |token: &str, account: &str| post(&sandbox, AUTHORIZE, None, &[("page", token), ("account", account), ("decision", "allow")]);
    for account in ["1:99", "7402:1", "1", ""] {
        let text = page(&answer(&token_of(&shown), account), 400);
        assert!(text.contains("Pick a company"), "{account:?} is nobody: {text}");
    }
    decide(&sandbox, &shown, "1:1", "allow");
    for token in [token_of(&shown).as_str(), "made up", ""] {
        assert!(page(&answer(token, "1:1"), 400).contains("answered before"));
    }
    let old = token_of(&consent_page(&sandbox, &parameters));
    sandbox.clock().advance(30 * MINUTE);
    assert!(page(&answer(&old, "1:1"), 400).contains("too old"));

    let crowded_out = token_of(&consent_page(&sandbox, &parameters));
    for _ in 0..100 {
        sandbox.clock().advance(SECOND);
        consent_page(&sandbox, &parameters);
    }
    assert!(page(&answer(&crowded_out, "1:1"), 400).contains("too old"), "pages that nobody answers should not add up");
}

#[test]
fn who_is_not_registered_is_sent_nowhere() {
    let sandbox = open(options());
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
        (&[app, ("redirect_uri", DEMO_REDIRECT_URI), ("code_challenge", "x")], 400, "code_challenge is not known"),
    ] {
        let text = page(&visit(&sandbox, &format!("{AUTHORIZE}?{}", encoded(parameters))), status);
        assert!(text.contains(part) && !text.contains("<b>") && !text.contains("<script>"), "should say '{part}': {text}");
    }
    page(&visit(&sandbox, "/oauth/other"), 404);
    page(&visit(&sandbox, "/oauth/token"), 405);
}

#[test]
fn what_an_app_is_called_is_no_markup() {
    let app = App { name: "<script>\"'&".to_owned(), ..App::demo() };
    let sandbox = open(Options { companies: 3, ..Options::for_app(app) });
    for path in [format!("/marketplace/{DEMO_CLIENT_ID}"), format!("/marketplace/{DEMO_CLIENT_ID}/uninstall")] {
        let text = page(&visit(&sandbox, &path), 200);
        assert!(text.contains("&#60;script&#62;&#34;&#39;&#38;") && !text.contains("<script>"), "{text}");
    }
    let text = consent_page(&sandbox, &[("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)]);
    assert!(text.contains("&#60;script&#62;") && text.contains("Kettle &#38; Crane"), "{text}");
}

#[test]
fn a_code_serves_once_for_five_minutes() {
    let sandbox = open(options());
    let code = code_for(&sandbox, "1:1");
    assert_eq!(exchange(&sandbox, &code).0, 200);
    token_refused(&exchange(&sandbox, &code), "invalid_grant", "already exchanged");
    token_refused(&exchange(&sandbox, "made up"), "invalid_grant", "code is unknown");

    let (in_time, late) = (code_for(&sandbox, "1:2"), code_for(&sandbox, "1:3"));
    sandbox.clock().advance(4 * MINUTE + 59 * SECOND);
    assert_eq!(exchange(&sandbox, &in_time).0, 200);
    sandbox.clock().advance(SECOND);
    token_refused(&exchange(&sandbox, &late), "invalid_grant", "code has expired");
}

#[test]
fn a_code_is_its_apps_and_its_addresses() {
    let mut other = App::new("other", "other secret", DEMO_REDIRECT_URI, &["deals:read"]);
    other.redirect_uris.push("https://other.example/callback?kept=1".to_owned());
    let mut demo = App::demo();
    demo.redirect_uris.push("https://demo.example/".to_owned());
    let sandbox = open(Options { apps: vec![demo, other], ..options() });
    let code = code_for(&sandbox, "1:1");
    let form = |uri| [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
    let of_other = post(&sandbox, "/oauth/token", Some(("other", "other secret")), &form(DEMO_REDIRECT_URI));
    token_refused(&read(&of_other), "invalid_grant", "code is unknown");
    token_refused(&ask_token(&sandbox, &form("https://demo.example/")), "invalid_grant", "not the one that code was sent to");
    token_refused(&ask_token(&sandbox, &form("https://evil.example/")), "invalid_request", "registered");
    token_refused(&ask_token(&sandbox, &form("nowhere")), "invalid_request", "redirect_uri is no address");
    assert_eq!(exchange(&sandbox, &code).0, 200, "who may not use a code does not use it up");

    let parameters = [("client_id", "other"), ("redirect_uri", "https://other.example/callback?kept=1")];
    let token = token_of(&consent_page(&sandbox, &parameters));
    let answer = post(&sandbox, AUTHORIZE, None, &[("page", &token), ("account", "1:1"), ("decision", "cancel")]);
    assert_eq!(answer.headers()["location"], "https://other.example/callback?kept=1&error=user_denied");
}

#[test]
fn a_client_proves_who_it_is() {
    let sandbox = open(options());
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let with = |basic, form: &[(&str, &str)]| read(&post(&sandbox, "/oauth/token", basic, form));
    token_refused(&with(Some((DEMO_CLIENT_ID, "wrong")), &form), "invalid_client", "are wrong");
    token_refused(&with(Some(("nobody", DEMO_CLIENT_SECRET)), &form), "invalid_client", "are wrong");
    token_refused(&with(None, &form), "invalid_request", "client_id is missing");
    let in_body = |secret| [form[0], form[1], ("client_id", DEMO_CLIENT_ID), ("client_secret", secret)];
    token_refused(&with(None, &in_body("wrong")), "invalid_client", "are wrong");
    token_refused(&with(None, &in_body(DEMO_CLIENT_SECRET)), "invalid_grant", "refresh_token is unknown");
    let unreadable = Request::builder().method("POST").uri("/oauth/token").header("authorization", "Basic ?");
    let unreadable = unreadable.header("content-type", "application/x-www-form-urlencoded").body(Bytes::new());
    let answer = sandbox.respond(unreadable.expect("the test's request is valid"));
    token_refused(&read(&answer), "invalid_client", "cannot be read");
}

#[test]
fn a_token_request_is_a_form_that_says_what_it_wants() {
    let sandbox = open(options());
    token_refused(&ask_token(&sandbox, &[]), "invalid_request", "grant_type is missing");
    token_refused(&ask_token(&sandbox, &[("grant_type", "password")]), "unsupported_grant_type", "exchange_api_token");
    token_refused(&ask_token(&sandbox, &[("grant_type", "authorization_code")]), "invalid_request", "code is missing");
    token_refused(&ask_token(&sandbox, &[("grant_type", "refresh_token")]), "invalid_request", "refresh_token is missing");
    let doubled = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")];
    token_refused(&ask_token(&sandbox, &doubled), "invalid_request", "grant_type is given twice");
    let as_json = send(&sandbox, "POST", "/oauth/token", json!({ "grant_type": "refresh_token" }));
    token_refused(&as_json, "invalid_request", "application/x-www-form-urlencoded");
}

#[test]
fn an_api_token_becomes_an_installation() {
    let sandbox = two_companies();
    let tokens = |token: &str| ask_token(&sandbox, &[("grant_type", "exchange_api_token"), ("api_token", token)]);
    for (place, company) in sandbox.companies().iter().enumerate() {
        let (status, answer) = tokens(&company.api_token);
        assert_eq!(status, 200, "the token of company {place} should be exchanged: {answer}");
        assert_eq!(with_token(&sandbox, &answer, "/v1/users/me").1["data"]["company_id"], company.id);
    }
    token_refused(&tokens("made up"), "invalid_grant", "api_token is unknown");
}

#[test]
fn tokens_live_as_long_as_documented() {
    let sandbox = open(options());
    let first = install(&sandbox, "1:1");
    sandbox.clock().advance(59 * MINUTE + 59 * SECOND);
    assert!(works(&sandbox, &first));
    sandbox.clock().advance(SECOND);
    assert!(!works(&sandbox, &first), "an access token dies after an hour");

    for _ in 0..2 {
        sandbox.clock().advance(59 * DAY);
        let (status, again) = refresh(&sandbox, &first);
        assert_eq!((status, &again["refresh_token"]), (200, &first["refresh_token"]), "each use gives 60 days more");
        assert!(works(&sandbox, &again));
    }
    assert_eq!(sandbox.refreshes(), 2);
    sandbox.clock().advance(60 * DAY);
    token_refused(&refresh(&sandbox, &first), "invalid_grant", "refresh_token is unknown");
    assert_eq!(sandbox.refreshes(), 2, "what is refused is no refresh");
}

#[test]
fn a_rotated_refresh_token_serves_once() {
    let sandbox = open(Options { refresh_tokens: RefreshTokens::Rotated, ..options() });
    let first = install(&sandbox, "1:1");
    let (status, second) = refresh(&sandbox, &first);
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    token_refused(&refresh(&sandbox, &first), "invalid_grant", "already exchanged");
    assert_eq!(refresh(&sandbox, &second).0, 200);
    assert!(works(&sandbox, &first), "an access token outlives the refresh");
}

#[test]
fn revoking_takes_what_was_named() {
    let other = App::new("other", "other secret", DEMO_REDIRECT_URI, &[]);
    let sandbox = open(Options { apps: vec![App::demo(), other], ..options() });
    let demo = (DEMO_CLIENT_ID, DEMO_CLIENT_SECRET);
    let first = install(&sandbox, "1:1");
    let second = refresh(&sandbox, &first).1;
    for token in [&first["access_token"], &first["refresh_token"]] {
        assert_eq!(revoke(&sandbox, ("other", "other secret"), token), 200);
    }
    assert!(works(&sandbox, &first), "another app's tokens are not its to take");
    assert_eq!(revoke(&sandbox, demo, &json!("made up")), 200);
    assert_eq!(revoke(&sandbox, (DEMO_CLIENT_ID, "wrong"), &first["refresh_token"]), 400);

    assert_eq!(revoke(&sandbox, demo, &first["access_token"]), 200);
    assert_eq!((works(&sandbox, &first), works(&sandbox, &second)), (false, true), "an access token takes only itself");
    assert_eq!(revoke(&sandbox, demo, &second["refresh_token"]), 200);
    assert!(!works(&sandbox, &second), "a refresh token takes the installation");
    token_refused(&refresh(&sandbox, &second), "invalid_grant", "refresh_token");
    let shown = page(&visit(&sandbox, &format!("/marketplace/{DEMO_CLIENT_ID}/uninstall")), 200);
    assert!(shown.contains("Nobody has this app installed"), "{shown}");
}

#[test]
fn installing_again_ends_what_was_before() {
    let sandbox = two_companies();
    let (first, elsewhere) = (install(&sandbox, "1:1"), install(&sandbox, "7402:1"));
    let second = install(&sandbox, "1:1");
    assert_eq!((works(&sandbox, &first), works(&sandbox, &second)), (false, true));
    token_refused(&refresh(&sandbox, &first), "invalid_grant", "refresh_token");
    assert!(works(&sandbox, &elsewhere), "the same user's id in another company is another installation");
}

#[test]
fn a_token_does_what_its_scopes_allow_in_its_company() {
    let app = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, &["deals:read"]);
    let sandbox = open(Options { companies: 2, apps: vec![app], ..options() });
    let (first, second) = (install(&sandbox, "1:2"), install(&sandbox, "7402:2"));
    assert_eq!(first["scope"], "deals:read,base", "every app has base");
    refused(&with_token(&sandbox, &first, "/api/v2/persons/1"), 403, "Scope and URL mismatch");
    let deal = send(&sandbox, "POST", "/api/v2/deals", json!({ "title": "Of the first" })).1["data"]["id"].clone();
    let path = format!("/api/v2/deals/{deal}");
    assert_eq!(with_token(&sandbox, &first, &path).1["data"]["title"], "Of the first");
    refused(&with_token(&sandbox, &second, &path), 404, "Deal not found");
    assert_ne!(with_token(&sandbox, &first, "/api/v2/deals/1"), with_token(&sandbox, &second, "/api/v2/deals/1"));
}

#[test]
fn every_scope_can_be_asked_for() {
    let unknown: Vec<&String> =
        api().operations().iter().flat_map(|o| &o.scopes).filter(|scope| !SCOPES.contains(&scope.as_str())).collect();
    assert!(unknown.is_empty(), "add to SCOPES: {unknown:?}");
}

#[test]
fn apps_are_registered_rightly() {
    let wrong = |apps: Vec<App>, part: &str| {
        let error = Sandbox::open(Options { apps, ..options() }).expect_err("such an app should be refused");
        assert!(matches!(&error, OpenError::Options { reason } if reason.contains(part)), "should say '{part}': {error}");
    };
    wrong(vec![App::demo(), App::demo()], "is registered twice");
    wrong(vec![App::new("", "x", DEMO_REDIRECT_URI, &[])], "needs a client id");
    wrong(vec![App { redirect_uris: Vec::new(), ..App::demo() }], "needs a redirect URI");
    for uri in ["/callback", "ftp://host/", "http://host/#part", "http://host/ä", "javascript:alert(1)"] {
        wrong(vec![App::new("a", "x", uri, &[])], "no http or https address");
    }
    wrong(vec![App::new("a", "x", DEMO_REDIRECT_URI, &["deals:write"])], "deals:write");
    let debug = format!("{:?}", options());
    assert!(debug.contains(DEMO_CLIENT_ID) && !debug.contains(DEMO_CLIENT_SECRET), "a secret is not shown: {debug}");
}

#[test]
fn grants_are_in_the_file_and_secrets_are_not() {
    let folder = Folder::new("grants");
    let open = || open(Options { store: Store::File(folder.state()), refresh_tokens: RefreshTokens::Rotated, ..options() });
    let (one, other) = (open(), open());
    let code = code_for(&one, "1:1");
    let tokens = exchange(&other, &code).1;
    assert!(works(&one, &tokens), "what one process issued another accepts");
    token_refused(&exchange(&one, &code), "invalid_grant", "already exchanged");
    let text = fs::read_to_string(folder.state()).expect("the file is there");
    let secrets = [code.as_str(), refresh_token(&tokens), tokens["access_token"].as_str().expect("a token"), DEMO_CLIENT_SECRET];
    assert!(secrets.iter().all(|secret| !text.contains(secret)), "no secret is written down");
    assert_eq!(refresh(&open(), &tokens).0, 200, "after a start too");
}

#[test]
fn nothing_of_it_is_recorded() {
    let path = std::env::temp_dir().join(format!("pipedrive-sandbox-oauth-{}.jsonl", std::process::id()));
    let sandbox = open(Options { record: Some(path.clone()), ..options() });
    let tokens = install(&sandbox, "1:1");
    visit(&sandbox, &format!("/marketplace/{DEMO_CLIENT_ID}"));
    post(&sandbox, "/oauth/tokens", None, &[("client_secret", DEMO_CLIENT_SECRET)]);
    post(&sandbox, "/api/v1/oauth/token", None, &[("client_secret", DEMO_CLIENT_SECRET)]);
    visit(&sandbox, &format!("/api/v2/deals?limit=1&api%5ftoken={DEMO_API_TOKEN}"));
    assert!(works(&sandbox, &tokens));
    let text = fs::read_to_string(&path).expect("the recording is there");
    fs::remove_file(&path).expect("the recording can be removed");
    let urls: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON")["url"].clone()).collect();
    assert_eq!(urls, ["http://localhost/api/v2/deals?limit=1&api_token=[redacted]", "http://localhost/v1/users/me"]);
    assert!(!text.contains("v1u:") && !text.contains(DEMO_API_TOKEN) && !text.contains(DEMO_CLIENT_SECRET), "no credential is recorded");
}

/// Takes one request and answers it; gives its head and its body.
fn one_request(listener: TcpListener, answer: &'static str) -> thread::JoinHandle<(String, Value)> {
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the sandbox calls");
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).expect("the head is text"), 0, "the head should end: {head}");
        }
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        let mut body = vec![0; length.expect("the request says how long it is")];
        reader.read_exact(&mut body).expect("the body is whole");
        reader.get_mut().write_all(answer.as_bytes()).expect("the sandbox waits for an answer");
        (head, serde_json::from_slice(&body).expect("the body is JSON"))
    })
}

fn uninstall(sandbox: &Sandbox, account: &str) -> String {
    let path = format!("/marketplace/{DEMO_CLIENT_ID}/uninstall");
    let shown = page(&visit(sandbox, &path), 200);
    page(&post(sandbox, &path, None, &[("page", &token_of(&shown)), ("account", account)]), 200)
}

/// An app whose callback is at a free port of this machine.
struct Callback {
    sandbox: Sandbox,
    listener: TcpListener,
    uri: String,
}

impl Callback {
    fn at(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
        let uri = format!("http://{host}:{}/back?x=1", listener.local_addr().expect("it has an address").port());
        let app = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &uri, &["deals:read"]);
        Self { sandbox: open(Options { companies: 2, apps: vec![app], ..options() }), listener, uri }
    }
}

/// Starts an installation from the marketplace, as its link leads.
fn code_from_marketplace(sandbox: &Sandbox, callback: &str, account: &str) -> String {
    let shown = page(&visit(sandbox, &format!("/marketplace/{DEMO_CLIENT_ID}")), 200);
    let link = shown.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the page has a link").replace("&#38;", "&");
    let token = token_of(&page(&visit(sandbox, &link), 200));
    let answer = post(sandbox, AUTHORIZE, None, &[("page", &token), ("account", account), ("decision", "allow")]);
    let location = answer.headers()["location"].to_str().expect("an address is ASCII");
    let code = location.strip_prefix(&format!("{callback}&code=")).expect("the callback gets a code");
    assert!(!code.contains('&'), "and no state: {location}");
    code.to_owned()
}

fn install_from_marketplace(sandbox: &Sandbox, callback: &str, account: &str) -> Value {
    let code = code_from_marketplace(sandbox, callback, account);
    ask_token(sandbox, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", callback)]).1
}

#[test]
fn an_app_is_told_of_its_uninstallation() {
    let Callback { sandbox, listener, uri } = Callback::at("127.0.0.1");
    let tokens = install_from_marketplace(&sandbox, &uri, "7402:2");
    let pending = code_from_marketplace(&sandbox, &uri, "7402:2");
    let heard = one_request(listener, "HTTP/1.1 204 No Content\r\n\r\n");
    let shown = uninstall(&sandbox, "7402:2");
    assert!(shown.contains("answered 204"), "the page should say how it went: {shown}");
    let (head, body) = heard.join().expect("the app got its request");
    assert!(head.starts_with("DELETE /back?x=1 HTTP/1.1\r\nhost: 127.0.0.1:"), "{head}");
    let credentials = STANDARD.encode(format!("{DEMO_CLIENT_ID}:{DEMO_CLIENT_SECRET}"));
    assert!(head.contains(&format!("authorization: Basic {credentials}\r\n")), "{head}");
    let expected = json!({ "client_id": DEMO_CLIENT_ID, "company_id": 7402, "user_id": 2, "timestamp": "2026-11-22T12:00:00Z" });
    assert_eq!(body, expected);

    assert!(!works(&sandbox, &tokens), "an uninstalled app has no access");
    token_refused(&refresh(&sandbox, &tokens), "invalid_grant", "refresh_token");
    let form = [("grant_type", "authorization_code"), ("code", pending.as_str()), ("redirect_uri", uri.as_str())];
    token_refused(&ask_token(&sandbox, &form), "invalid_grant", "code is unknown");
    let again = install_from_marketplace(&sandbox, &uri, "7402:2");
    assert!(works(&sandbox, &again) && !works(&sandbox, &tokens), "who installs again gets other tokens");
}

#[test]
fn an_app_that_cannot_be_told_is_uninstalled_all_the_same() {
    let Callback { sandbox, listener, uri } = Callback::at("app.localhost");
    let tokens = install_from_marketplace(&sandbox, &uri, "7402:2");
    let heard = one_request(listener, "no HTTP\r\n");
    assert!(uninstall(&sandbox, "7402:2").contains("did not answer as a server does"));
    heard.join().expect("a name below localhost is this machine");
    assert!(!works(&sandbox, &tokens));

    let remote = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, "http://192.0.2.1/back", &[]);
    let secure = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, "https://127.0.0.1/back", &[]);
    for (app, part) in [(remote, "not on this machine"), (secure, "http addresses alone")] {
        let sandbox = open(Options { apps: vec![app], ..options() });
        ask_token(&sandbox, &[("grant_type", "exchange_api_token"), ("api_token", DEMO_API_TOKEN)]);
        let shown = uninstall(&sandbox, "1:1");
        assert!(shown.contains(part), "should say '{part}': {shown}");
    }
}

#[test]
fn uninstalling_needs_the_page_and_an_installation() {
    let sandbox = open(options());
    let path = format!("/marketplace/{DEMO_CLIENT_ID}/uninstall");
    page(&visit(&sandbox, "/marketplace/nobody/uninstall"), 404);
    page(&visit(&sandbox, "/marketplace/nobody"), 404);
    let tokens = install(&sandbox, "1:1");
    let consent = token_of(&consent_page(&sandbox, &[("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)]));
    for token in ["", "made up", consent.as_str()] {
        page(&post(&sandbox, &path, None, &[("page", token), ("account", "1:1")]), 400);
    }
    let token = token_of(&page(&visit(&sandbox, &path), 200));
    let text = page(&post(&sandbox, &path, None, &[("page", &token), ("account", "1:2")]), 400);
    assert!(text.contains("does not have the app installed"), "{text}");
    assert!(works(&sandbox, &tokens));
}

/// Sends a refresh over a socket and reads the whole answer; empty where the connection just closes.
fn refresh_over_socket(address: SocketAddr, token: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the sandbox listens");
    let body = encoded(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    let credentials = STANDARD.encode(format!("{DEMO_CLIENT_ID}:{DEMO_CLIENT_SECRET}"));
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: brightpath.localhost:{}\r\nauthorization: Basic {credentials}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        address.port(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is text");
    answer
}

#[test]
fn the_token_endpoint_fails_on_purpose() {
    let gate = Gate::closed();
    let faults = vec![Fault::Status(503), Fault::Dropped, Fault::Held(gate.clone())];
    let sandbox = open(Options { refresh_tokens: RefreshTokens::Rotated, token_faults: faults, ..options() });
    let tokens = install(&sandbox, "1:1");
    let first = refresh_token(&tokens).to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let served = sandbox.clone();
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(serve(listener, served.clone()));
        let ask = |token: String| tokio::task::spawn_blocking(move || refresh_over_socket(address, &token));
        let asked = async |token: String| ask(token).await.expect("the client does not panic");
        assert!(asked(first.clone()).await.starts_with("HTTP/1.1 503"));
        assert_eq!(asked(first.clone()).await, "", "the connection should close without an answer");
        assert_eq!(served.refreshes(), 0, "nothing was carried out so far");

        let held = ask(first.clone());
        gate.reached().await;
        assert_eq!(served.refreshes(), 0, "what is held is not carried out");
        gate.open();
        let answer = held.await.expect("the client does not panic");
        let answer: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("it has a body")).expect("it is JSON");
        assert_eq!(answer["api_domain"], format!("http://brightpath.localhost:{}", address.port()), "as the client reached it");

        served.fail_token_request(Fault::AnswerLost);
        let second = refresh_token(&answer).to_owned();
        assert_eq!(asked(second.clone()).await, "");
        assert_eq!(served.refreshes(), 2, "the refresh was carried out, and its answer lost");
        assert!(asked(second).await.contains("invalid_grant"), "so that the token it was sent is worth nothing");
    });
}
