//! The marketplace, and faults of the token endpoint.

use super::oauth::{
    AUTHORIZE, ask_token, assert_token_refused, consent_page, encode, install, is_accepted, open_page, post, read_page, read_page_token,
    read_refresh_token, refresh,
};
use super::{open_sandbox, options};
use crate::edge::faults::TokenFault;
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::{App, DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, Gate, RefreshTokens, serve};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Answers one request, and returns its head and its body.
fn serve_once(listener: TcpListener, answer: &'static str) -> thread::JoinHandle<(String, Value)> {
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the sandbox connects");
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
    let shown = read_page(&open_page(sandbox, &path), 200);
    read_page(&post(sandbox, &path, None, &[("page", &read_page_token(&shown)), ("account", account)]), 200)
}

/// A sandbox whose app has its callback at a free port of this machine.
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
        Self { sandbox: open_sandbox(Options { companies: 2, apps: vec![app], ..options() }), listener, uri }
    }
}

/// Follows the marketplace's link to an installation, and returns the code.
fn follow_marketplace_link(sandbox: &Sandbox, callback: &str, account: &str) -> String {
    let shown = read_page(&open_page(sandbox, &format!("/marketplace/{DEMO_CLIENT_ID}")), 200);
    let link = shown.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the page has a link").replace("&#38;", "&");
    let token = read_page_token(&read_page(&open_page(sandbox, &link), 200));
    let answer = post(sandbox, AUTHORIZE, None, &[("page", &token), ("account", account), ("decision", "allow")]);
    let location = answer.headers()["location"].to_str().expect("an address is ASCII");
    let code = location.strip_prefix(&format!("{callback}&code=")).expect("the callback gets a code");
    assert!(!code.contains('&'), "the callback should get a code and no state: {location}");
    code.to_owned()
}

fn install_from_marketplace(sandbox: &Sandbox, callback: &str, account: &str) -> Value {
    let code = follow_marketplace_link(sandbox, callback, account);
    ask_token(sandbox, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", callback)]).1
}

#[test]
fn app_is_notified_of_its_uninstallation() {
    let Callback { sandbox, listener, uri } = Callback::at("127.0.0.1");
    let tokens = install_from_marketplace(&sandbox, &uri, "7402:2");
    let pending = follow_marketplace_link(&sandbox, &uri, "7402:2");
    let notice = serve_once(listener, "HTTP/1.1 204 No Content\r\n\r\n");
    let shown = uninstall(&sandbox, "7402:2");
    assert!(shown.contains("answered 204"), "the page should show the status of the notice: {shown}");
    let (head, body) = notice.join().expect("the app got its request");
    assert!(head.starts_with("DELETE /back?x=1 HTTP/1.1\r\nhost: 127.0.0.1:"), "{head}");
    let credentials = STANDARD.encode(format!("{DEMO_CLIENT_ID}:{DEMO_CLIENT_SECRET}"));
    assert!(head.contains(&format!("authorization: Basic {credentials}\r\n")), "{head}");
    let expected = json!({ "client_id": DEMO_CLIENT_ID, "company_id": 7402, "user_id": 2, "timestamp": "2026-11-22T12:00:00Z" });
    assert_eq!(body, expected);

    assert!(!is_accepted(&sandbox, &tokens), "an uninstalled app should have no access");
    assert_token_refused(&refresh(&sandbox, &tokens), "invalid_grant", "refresh_token");
    let form = [("grant_type", "authorization_code"), ("code", pending.as_str()), ("redirect_uri", uri.as_str())];
    assert_token_refused(&ask_token(&sandbox, &form), "invalid_grant", "code is unknown");
    let again = install_from_marketplace(&sandbox, &uri, "7402:2");
    assert!(is_accepted(&sandbox, &again) && !is_accepted(&sandbox, &tokens), "only the tokens of the new installation should be valid");
}

#[test]
fn uninstalls_an_app_that_cannot_be_notified() {
    let Callback { sandbox, listener, uri } = Callback::at("app.localhost");
    let tokens = install_from_marketplace(&sandbox, &uri, "7402:2");
    let notice = serve_once(listener, "no HTTP\r\n");
    assert!(uninstall(&sandbox, "7402:2").contains("response is not HTTP"));
    notice.join().expect("a name below localhost is this machine");
    assert!(!is_accepted(&sandbox, &tokens));

    let remote = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, "http://192.0.2.1/back", &[]);
    let secure = App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, "https://127.0.0.1/back", &[]);
    for (app, part) in [(remote, "not on this machine"), (secure, "only send to http addresses")] {
        let sandbox = open_sandbox(Options { apps: vec![app], ..options() });
        ask_token(&sandbox, &[("grant_type", "exchange_api_token"), ("api_token", DEMO_API_TOKEN)]);
        let shown = uninstall(&sandbox, "1:1");
        assert!(shown.contains(part), "should say '{part}': {shown}");
    }
}

#[test]
fn uninstalling_requires_the_page_and_an_installation() {
    let sandbox = open_sandbox(options());
    let path = format!("/marketplace/{DEMO_CLIENT_ID}/uninstall");
    read_page(&open_page(&sandbox, "/marketplace/nobody/uninstall"), 404);
    read_page(&open_page(&sandbox, "/marketplace/nobody"), 404);
    let tokens = install(&sandbox, "1:1");
    let consent = read_page_token(&consent_page(&sandbox, &[("client_id", DEMO_CLIENT_ID), ("redirect_uri", DEMO_REDIRECT_URI)]));
    for token in ["", "made up", consent.as_str()] {
        read_page(&post(&sandbox, &path, None, &[("page", token), ("account", "1:1")]), 400);
    }
    let token = read_page_token(&read_page(&open_page(&sandbox, &path), 200));
    let text = read_page(&post(&sandbox, &path, None, &[("page", &token), ("account", "1:2")]), 400);
    assert!(text.contains("does not have the app installed"), "{text}");
    assert!(is_accepted(&sandbox, &tokens));
}

/// Sends a refresh over a socket, and reads the whole response; empty if the connection closes without one.
fn refresh_over_socket(address: SocketAddr, token: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the sandbox listens");
    let body = encode(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
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
fn token_requests_meet_the_ordered_faults() {
    let gate = Gate::closed();
    let faults = vec![TokenFault::Status(503), TokenFault::ConnectionDropped, TokenFault::Held(gate.clone())];
    let sandbox = open_sandbox(Options { refresh_tokens: RefreshTokens::Rotated, token_faults: faults, ..options() });
    let tokens = install(&sandbox, "1:1");
    let first = read_refresh_token(&tokens).to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let served = sandbox.clone();
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(serve(listener, served.clone()));
        let ask = |token: String| tokio::task::spawn_blocking(move || refresh_over_socket(address, &token));
        let ask_and_wait = async |token: String| ask(token).await.expect("the client does not panic");
        assert!(ask_and_wait(first.clone()).await.starts_with("HTTP/1.1 503"));
        assert_eq!(ask_and_wait(first.clone()).await, "", "the connection should close without a response");
        assert_eq!(served.refresh_count(), 0, "no refresh should have been carried out so far");

        let held = ask(first.clone());
        gate.wait_for_request().await;
        assert_eq!(served.refresh_count(), 0, "a held request should not be carried out");
        gate.open();
        let answer = held.await.expect("the client does not panic");
        let answer: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("it has a body")).expect("it is JSON");
        assert_eq!(
            answer["api_domain"],
            format!("http://brightpath.localhost:{}", address.port()),
            "api_domain should have the host that the client used"
        );

        served.add_token_fault(TokenFault::ResponseLost);
        let second = read_refresh_token(&answer).to_owned();
        assert_eq!(ask_and_wait(second.clone()).await, "");
        assert_eq!(served.refresh_count(), 2, "the refresh should be carried out although its response is lost");
        assert!(ask_and_wait(second).await.contains("invalid_grant"), "the refresh token should be invalid after the lost response");
    });
}
