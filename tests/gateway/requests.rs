//! Requests through the gateway: forwarded headers, the connection in use, and errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::declare::Method;
use connector_core::run::{ForwardedBody, ForwardedRequest, Runtime};
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::json;

use crate::support::http::{JSON, Response};
use crate::support::repository::CONNECTORS;
use crate::support::runtime::{RenewingVault, build};
use crate::support::sandbox::{build_bearer, sandbox_options, start_sandbox};
use crate::support::server::Server;
use crate::support::vendor::{start_connected_server, start_echo_vendor};

const ECHO: &str = "/gateway/pipedrive/api/v2/echo";

/// Returns the status of an echo, and the token that the vendor got.
fn read_token(response: &Response) -> (u16, Option<String>) {
    let head = response.json()["head"].as_str().map(str::to_lowercase).unwrap_or_default();
    (response.status, head.lines().find_map(|line| line.strip_prefix("x-api-token: ").map(str::to_owned)))
}

#[tokio::test]
async fn forwards_requests_without_host_headers_and_responses_unchanged() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    let headers = [
        ("authorization", key.as_str()),
        JSON,
        ("cookie", "connector-session=secret"),
        ("x-api-token", "theirs"),
        ("connector-owner", "acme"),
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
        ("te", "trailers"),
        ("x-http-method-override", "DELETE"),
        ("x-custom", "kept"),
        ("x-custom", "twice"),
    ];
    let response = server.send("POST", "/gateway/pipedrive/api/v2/echo?a[]=1&b=%20c&b=2+3&", &headers, r#"{"x":1}"#).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let echo = response.json();
    let head = echo["head"].as_str().expect("a head").to_lowercase();
    assert_eq!(head.lines().next(), Some("post /api/v2/echo?a[]=1&b=%20c&b=2+3& http/1.1"), "forward the query unchanged");
    assert_eq!(echo["length"], 7);
    for kept in ["x-custom: kept", "x-custom: twice", "content-type: application/json", "x-api-token: token-1", "host: 127.0.0.1"] {
        assert!(head.contains(kept), "forward {kept}:\n{head}");
    }
    for dropped in ["authorization", "cookie", "theirs", "connector-owner", "forwarded", "\r\nte:", "override"] {
        assert!(!head.contains(dropped), "do not forward {dropped}:\n{head}");
    }
    assert_eq!((response.header("x-kept"), response.header("content-type")), (Some("1"), Some("text/html")));
    assert_eq!((response.header("set-cookie"), response.header("x-hop")), (None, None));
    assert_eq!((response.header("x-content-type-options"), response.header("content-security-policy")), (Some("nosniff"), Some("sandbox")));
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let response = server.send(method, "/gateway/pipedrive/v1/echo", &headers[..1], "").await;
        assert!(
            response.json()["head"].as_str().is_some_and(|head| head.starts_with(&format!("{method} /v1/echo HTTP"))),
            "{}",
            response.text()
        );
    }
}

#[tokio::test]
async fn passes_refusals_unchanged_and_rewrites_redirects() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    let missing = server.get("/gateway/pipedrive/api/v1/deals/9", &key).await;
    assert_eq!((missing.status, missing.header("connector-error")), (404, None));
    assert_eq!(missing.json(), json!({"success": false, "error": "Deal not found", "error_info": "x"}));
    assert_eq!(missing.header("deprecation"), Some("@1785542400"), "warn that this path of v1 is out of support");
    assert_eq!(missing.header("connector-instead"), Some("GET /api/v2/deals/{id}"));
    let nearby = server.get("/gateway/pipedrive/api/v2/near", &key).await;
    assert_eq!((nearby.status, nearby.header("location")), (302, Some("/gateway/pipedrive/api/v2/echo?a=1")));
    assert_eq!(nearby.header("deprecation"), None);
    let foreign = server.get("/gateway/pipedrive/api/v2/away", &key).await;
    assert_eq!((foreign.status, foreign.kind().as_str()), (502, "bad_answer"));
    assert!(!foreign.text().contains("evil"), "{}", foreign.text());
}

#[tokio::test]
async fn gateway_errors_say_what_to_do() {
    let server = Server::start(&start_echo_vendor().await, &["--max-body", "1", "--timeout", "1"]);
    let (key, unconnected) = (server.create_key("acme"), server.create_key("unconnected"));
    let (auth, without_connection) = (("authorization", key.as_str()), ("authorization", unconnected.as_str()));
    let first = server.connect(&key, "token-1").await;
    let large = "x".repeat((1 << 20) + 1);
    for (method, path, headers, body, status, kind, words) in [
        ("GET", ECHO, &[][..], "", 401, "unauthorized", "keys create"),
        ("GET", ECHO, &[auth, auth], "", 401, "unauthorized", "keys create"),
        ("GET", ECHO, &[without_connection], "", 400, "no_connection", "/v1/connections"),
        ("GET", ECHO, &[auth, ("connector-connection", "nope")], "", 400, "no_connection", "acme1"),
        ("GET", ECHO, &[auth, ("connector-connection", "acme1"), ("connector-connection", "acme1")], "", 400, "invalid_invocation", "once"),
        ("GET", "/gateway/api/v1/deals", &[auth], "", 404, "not_found", "/gateway/pipedrive/api/v1/deals"),
        ("GET", "/gateway/hubspot/api/v2/echo", &[auth], "", 404, "not_found", "pipedrive"),
        ("GET", "/pipedrive/api/v1/deals", &[auth], "", 404, "not_found", "/gateway/pipedrive/api/v1/deals"),
        ("GET", "/gateway/pipedrive/oauth/token", &[auth], "", 400, "invalid_input", "/api/v2/"),
        ("GET", "/gateway/pipedrive/api/v2/..%2f..%2foauth", &[auth], "", 400, "invalid_input", "/api/v2/"),
        ("HEAD", ECHO, &[auth], "", 405, "", ""),
        ("OPTIONS", ECHO, &[auth], "", 405, "invalid_invocation", "Allow"),
        ("POST", ECHO, &[auth], &large, 413, "invalid_invocation", "--max-body"),
    ] {
        let response = server.send(method, path, headers, body).await;
        assert_eq!(response.status, status, "{method} {path}: {}", response.text());
        if method != "HEAD" {
            assert_eq!(response.kind(), kind, "{method} {path}");
            assert!(response.text().contains(words), "{method} {path}: say {words:?} in {}", response.text());
        }
    }
    let timed_out = server.get("/gateway/pipedrive/api/v2/never", &key).await;
    assert_eq!((timed_out.status, timed_out.kind().as_str()), (504, "timed_out"));
    assert_eq!(timed_out.json()["error"]["retry"], "later", "a read can be repeated");
    // With two connections a read uses the older one, and a write must name one.
    let second = server.connect(&key, "token-2").await;
    let send = async |method: &str, headers: &[(&str, &str)]| read_token(&server.send(method, ECHO, headers, "").await);
    assert_eq!(send("GET", &[auth]).await, (200, Some("token-1".to_owned())));
    let refused = server.send("POST", ECHO, &[auth], "").await;
    assert_eq!((refused.status, refused.kind().as_str()), (409, "conflict"));
    assert!(refused.text().contains("acme1, acme2"), "{}", refused.text());
    for (named, token) in [(&second["connection_id"], "token-2"), (&second["name"], "token-2"), (&first["name"], "token-1")] {
        let headers = [auth, ("connector-connection", named.as_str().expect("a text"))];
        assert_eq!(send("POST", &headers).await, (200, Some(token.to_owned())));
    }
}

#[tokio::test]
async fn uses_the_default_connection_and_accepts_both_connection_headers() {
    let server = Server::start(&start_echo_vendor().await, &["--connection-header", "Maton-Connection"]);
    let key = server.create_key("acme");
    let [first, second] = [server.connect(&key, "token-1").await, server.connect(&key, "token-2").await];
    let auth = ("authorization", key.as_str());
    let post = async |headers: &[(&str, &str)]| read_token(&server.send("POST", ECHO, headers, "").await);
    let (one, two) = (first["name"].as_str().expect("a name"), second["name"].as_str().expect("a name"));
    assert_eq!(post(&[auth, ("connector-connection", two)]).await, (200, Some("token-2".to_owned())));
    assert_eq!(post(&[auth, ("connector-connection", two), ("maton-connection", one)]).await.0, 400, "refuse two names");
    assert_eq!(post(&[auth]).await.0, 409);
    let path = format!("/v1/connections/{}", second["connection_id"].as_str().expect("an id"));
    server.send("PATCH", &path, &[auth, JSON], r#"{"is_default":true}"#).await;
    assert_eq!(post(&[auth]).await, (200, Some("token-2".to_owned())));
    let read = server.send("GET", ECHO, &[auth], "").await;
    assert_eq!(read.header("connector-connection"), second["connection_id"].as_str());
}

#[tokio::test]
async fn connection_header_can_be_renamed_and_keys_have_a_rate_limit() {
    let server = Server::start(&start_echo_vendor().await, &["--connection-header", "Maton-Connection", "--rate", "1"]);
    let key = server.create_key("acme");
    let second = [server.connect(&key, "token-1").await, server.connect(&key, "token-2").await][1]["name"].clone();
    let headers = [("authorization", key.as_str()), ("maton-connection", second.as_str().expect("a name"))];
    let post = || server.send("POST", ECHO, &headers, "");
    let first = post().await;
    let head = first.json()["head"].as_str().expect("a head").to_lowercase();
    assert!(head.contains("x-api-token: token-2") && !head.contains("maton-connection"), "{head}");
    assert_eq!(first.header("connector-connection"), second.as_str(), "name the connection in the response");
    let responses = tokio::join!(post(), post(), post(), post(), post(), post(), post(), post());
    let refused = [responses.0, responses.1, responses.2, responses.3, responses.4, responses.5, responses.6, responses.7]
        .into_iter()
        .find(|response| response.status == 429);
    let refused = refused.expect("nine requests at once exceed one a second");
    assert_eq!((refused.kind().as_str(), refused.header("retry-after")), ("rate_limited", Some("1")));
}

/// Sends a body that is too large to be kept, so that it is streamed.
#[tokio::test]
async fn streams_large_bodies_with_their_length() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    let body = "x".repeat(3 << 20);
    let response = server.send("PUT", ECHO, &[("authorization", &key)], &body).await;
    let echo = response.json();
    assert_eq!(echo["length"], 3 << 20);
    let head = echo["head"].as_str().expect("a head").to_lowercase();
    assert!(head.contains("content-length: 3145728") && !head.contains("chunked"), "{head}");
}

/// A 401 renews once. A kept body is sent again; after a streamed one the next call has the fresh credential.
#[tokio::test]
async fn renews_on_401_and_repeats_only_kept_bodies() {
    let url =
        start_sandbox(pipedrive_sandbox::Options { bearers: vec![build_bearer("fresh", &["deals:full"])], ..sandbox_options() }).await;
    let renewed = Arc::new(AtomicU32::new(0));
    let vault = RenewingVault { url, renewed: Arc::clone(&renewed) };
    let runtime = build(Runtime::builder().connections(vault));
    let create = |body: ForwardedBody| {
        let headers = vec![("content-type".to_owned(), "application/json".into())];
        ForwardedRequest::new(Method::Post, "/api/v2/deals", body).with_headers(headers)
    };
    let text = r#"{"title":"ForwardedResponse on"}"#;
    let kept = runtime.forward(CONNECTORS[0], None, create(ForwardedBody::Kept(text.into()))).await.expect("the request is forwarded");
    assert_eq!((kept.status, renewed.load(Ordering::Relaxed)), (200, 1));
    let parts = futures_util::stream::iter([Ok(text.into())]);
    let streamed =
        runtime.forward(CONNECTORS[0], None, create(ForwardedBody::Stream(Box::pin(parts)))).await.expect("the request is forwarded");
    assert_eq!((streamed.status, renewed.load(Ordering::Relaxed)), (401, 2), "renew for the next call");
}

#[test]
fn debug_output_hides_headers_queries_and_bodies() {
    let passing = ForwardedRequest::new(Method::Get, "/api/v2/deals?api_token=hunter2", ForwardedBody::Kept("hunter2".into()))
        .with_headers(vec![("authorization".to_owned(), "Bearer hunter2".into())]);
    let received = connector_core::run::HttpResponse::new(200, r#"{"access_token":"hunter2"}"#);
    let shown = format!("{passing:?} {received:?}");
    assert!(!shown.contains("hunter2") && shown.contains("/api/v2/deals") && shown.contains("200"), "{shown}");
}

#[tokio::test]
async fn forwarded_writes_are_visible_to_actions() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let created = server.post("/gateway/pipedrive/api/v2/deals", &key, r#"{"title":"Through"}"#).await;
    let id = created.json()["data"]["id"].clone();
    let call = json!({"action": "getDeal", "input": {"dealId": id}}).to_string();
    let outcome = server.invoke(&key, &call).await;
    assert_eq!(outcome["data"]["title"], "Through", "{outcome}");
}
