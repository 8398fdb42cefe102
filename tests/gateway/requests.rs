//! The gateway: what of a request travels on, what of an answer comes back, and which connection it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::{Method, PassedBody, Passing, Runtime};
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::json;

use crate::support::engine::{Vault, bearer, sandbox};
use crate::support::http::JSON;
use crate::support::server::Served;
use crate::support::vendor::echo_vendor;
use crate::support::world::{CONNECTORS, options};

#[tokio::test]
async fn forwards_requests_without_host_headers_and_responses_unchanged() {
    let served = Served::before(&echo_vendor().await, &[]);
    let key = served.key("acme");
    served.connect(&key, "token-1").await;
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
    let reply = served.ask("POST", "/gateway/pipedrive/api/v2/echo?a[]=1&b=%20c&b=2+3&", &headers, r#"{"x":1}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told = reply.json();
    let head = told["head"].as_str().expect("a head").to_lowercase();
    assert_eq!(head.lines().next(), Some("post /api/v2/echo?a[]=1&b=%20c&b=2+3& http/1.1"), "the query is untouched");
    assert_eq!(told["length"], 7);
    for kept in ["x-custom: kept", "x-custom: twice", "content-type: application/json", "x-api-token: token-1", "host: 127.0.0.1"] {
        assert!(head.contains(kept), "{kept} must travel on:\n{head}");
    }
    for left in ["authorization", "cookie", "theirs", "connector-owner", "forwarded", "\r\nte:", "override"] {
        assert!(!head.contains(left), "{left} must not travel on:\n{head}");
    }
    assert_eq!((reply.header("x-kept"), reply.header("content-type")), (Some("1"), Some("text/html")));
    assert_eq!((reply.header("set-cookie"), reply.header("x-hop")), (None, None));
    assert_eq!((reply.header("x-content-type-options"), reply.header("content-security-policy")), (Some("nosniff"), Some("sandbox")));
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let reply = served.ask(method, "/gateway/pipedrive/v1/echo", &headers[..1], "").await;
        assert!(reply.json()["head"].as_str().is_some_and(|head| head.starts_with(&format!("{method} /v1/echo HTTP"))), "{}", reply.text());
    }
}

#[tokio::test]
async fn passes_refusals_unchanged_and_rewrites_redirects() {
    let served = Served::before(&echo_vendor().await, &[]);
    let key = served.key("acme");
    served.connect(&key, "token-1").await;
    let missing = served.get("/gateway/pipedrive/api/v1/deals/9", &key).await;
    assert_eq!((missing.status, missing.header("connector-error")), (404, None));
    assert_eq!(missing.json(), json!({"success": false, "error": "Deal not found", "error_info": "x"}));
    assert_eq!(missing.header("deprecation"), Some("@1785542400"), "v1 is out of support there");
    assert_eq!(missing.header("connector-instead"), Some("GET /api/v2/deals/{id}"));
    let near = served.get("/gateway/pipedrive/api/v2/near", &key).await;
    assert_eq!((near.status, near.header("location")), (302, Some("/gateway/pipedrive/api/v2/echo?a=1")));
    assert_eq!(near.header("deprecation"), None);
    let away = served.get("/gateway/pipedrive/api/v2/away", &key).await;
    assert_eq!((away.status, away.kind().as_str()), (502, "bad_answer"));
    assert!(!away.text().contains("evil"), "{}", away.text());
}

#[tokio::test]
async fn gateway_errors_say_what_to_do() {
    let served = Served::before(&echo_vendor().await, &["--max-body", "1", "--timeout", "1"]);
    let (key, lonely) = (served.key("acme"), served.key("lonely"));
    let (auth, alone) = (("authorization", key.as_str()), ("authorization", lonely.as_str()));
    let first = served.connect(&key, "token-1").await;
    let large = "x".repeat((1 << 20) + 1);
    for (method, path, headers, body, status, kind, word) in [
        ("GET", "/gateway/pipedrive/api/v2/echo", &[][..], "", 401, "unauthorized", "keys create"),
        ("GET", "/gateway/pipedrive/api/v2/echo", &[auth, auth], "", 401, "unauthorized", "keys create"),
        ("GET", "/gateway/pipedrive/api/v2/echo", &[alone], "", 400, "no_connection", "/v1/connections"),
        ("GET", "/gateway/pipedrive/api/v2/echo", &[auth, ("connector-connection", "nope")], "", 400, "no_connection", "acme1"),
        (
            "GET",
            "/gateway/pipedrive/api/v2/echo",
            &[auth, ("connector-connection", "acme1"), ("connector-connection", "acme1")],
            "",
            400,
            "invalid_invocation",
            "once",
        ),
        ("GET", "/gateway/api/v1/deals", &[auth], "", 404, "not_found", "/gateway/pipedrive/api/v1/deals"),
        ("GET", "/gateway/hubspot/api/v2/echo", &[auth], "", 404, "not_found", "pipedrive"),
        ("GET", "/pipedrive/api/v1/deals", &[auth], "", 404, "not_found", "/gateway/pipedrive/api/v1/deals"),
        ("GET", "/gateway/pipedrive/oauth/token", &[auth], "", 400, "invalid_input", "/api/v2/"),
        ("GET", "/gateway/pipedrive/api/v2/..%2f..%2foauth", &[auth], "", 400, "invalid_input", "/api/v2/"),
        ("HEAD", "/gateway/pipedrive/api/v2/echo", &[auth], "", 405, "", ""),
        ("OPTIONS", "/gateway/pipedrive/api/v2/echo", &[auth], "", 405, "invalid_invocation", "Allow"),
        ("POST", "/gateway/pipedrive/api/v2/echo", &[auth], &large, 413, "invalid_invocation", "--max-body"),
    ] {
        let reply = served.ask(method, path, headers, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        if method != "HEAD" {
            assert_eq!(reply.kind(), kind, "{method} {path}");
            assert!(reply.text().contains(word), "{method} {path}: {word} is not in {}", reply.text());
        }
    }
    let never = served.get("/gateway/pipedrive/api/v2/never", &key).await;
    assert_eq!((never.status, never.kind().as_str()), (504, "timed_out"));
    // A second connection: a read takes the oldest, a write must say which.
    let second = served.connect(&key, "token-2").await;
    let token = async |method: &str, headers: &[(&str, &str)]| {
        let reply = served.ask(method, "/gateway/pipedrive/api/v2/echo", headers, "").await;
        let head = reply.json()["head"].as_str().map(str::to_lowercase).unwrap_or_default();
        (reply.status, head.lines().find_map(|line| line.strip_prefix("x-api-token: ").map(str::to_owned)))
    };
    assert_eq!(token("GET", &[auth]).await, (200, Some("token-1".to_owned())));
    let refused = served.ask("POST", "/gateway/pipedrive/api/v2/echo", &[auth], "").await;
    assert_eq!((refused.status, refused.kind().as_str()), (409, "conflict"));
    assert!(refused.text().contains("acme1, acme2"), "{}", refused.text());
    for (named, wanted) in [(&second["connection_id"], "token-2"), (&second["name"], "token-2"), (&first["name"], "token-1")] {
        let headers = [auth, ("connector-connection", named.as_str().expect("a text"))];
        assert_eq!(token("POST", &headers).await, (200, Some(wanted.to_owned())));
    }
}

#[tokio::test]
async fn uses_the_default_connection_and_accepts_both_connection_headers() {
    let served = Served::before(&echo_vendor().await, &["--connection-header", "Maton-Connection"]);
    let key = served.key("acme");
    let [first, second] = [served.connect(&key, "token-1").await, served.connect(&key, "token-2").await];
    let auth = ("authorization", key.as_str());
    let ask = async |headers: &[(&str, &str)]| {
        let reply = served.ask("POST", "/gateway/pipedrive/api/v2/echo", headers, "").await;
        let head = reply.json()["head"].as_str().map(str::to_lowercase).unwrap_or_default();
        (reply.status, head.lines().find_map(|line| line.strip_prefix("x-api-token: ").map(str::to_owned)))
    };
    let (one, two) = (first["name"].as_str().expect("a name"), second["name"].as_str().expect("a name"));
    assert_eq!(ask(&[auth, ("connector-connection", two)]).await, (200, Some("token-2".to_owned())));
    assert_eq!(ask(&[auth, ("connector-connection", two), ("maton-connection", one)]).await.0, 400, "two are named");
    assert_eq!(ask(&[auth]).await.0, 409);
    let path = format!("/v1/connections/{}", second["connection_id"].as_str().expect("an id"));
    served.ask("PATCH", &path, &[auth, JSON], r#"{"is_default":true}"#).await;
    assert_eq!(ask(&[auth]).await, (200, Some("token-2".to_owned())));
    let read = served.ask("GET", "/gateway/pipedrive/api/v2/echo", &[auth], "").await;
    assert_eq!(read.header("connector-connection"), second["connection_id"].as_str());
}

#[tokio::test]
async fn connection_header_can_be_renamed_and_keys_have_a_rate_limit() {
    let served = Served::before(&echo_vendor().await, &["--connection-header", "Maton-Connection", "--rate", "1"]);
    let key = served.key("acme");
    let second = [served.connect(&key, "token-1").await, served.connect(&key, "token-2").await][1]["name"].clone();
    let headers = [("authorization", key.as_str()), ("maton-connection", second.as_str().expect("a name"))];
    let ask = || served.ask("POST", "/gateway/pipedrive/api/v2/echo", &headers, "");
    let first = ask().await;
    let head = first.json()["head"].as_str().expect("a head").to_lowercase();
    assert!(head.contains("x-api-token: token-2") && !head.contains("maton-connection"), "{head}");
    assert_eq!(first.header("connector-connection"), second.as_str(), "an answer tells whose it is");
    let replies = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask(), ask(), ask());
    let over = [replies.0, replies.1, replies.2, replies.3, replies.4, replies.5, replies.6, replies.7]
        .into_iter()
        .find(|reply| reply.status == 429);
    let over = over.expect("nine at once are more than one a second");
    assert_eq!((over.kind().as_str(), over.header("retry-after")), ("rate_limited", Some("1")));
}

/// Larger than what is kept: it is passed on part by part, and an answer comes back the same way.
#[tokio::test]
async fn streams_large_bodies_with_their_length() {
    let served = Served::before(&echo_vendor().await, &[]);
    let key = served.key("acme");
    served.connect(&key, "token-1").await;
    let body = "x".repeat(3 << 20);
    let reply = served.ask("PUT", "/gateway/pipedrive/api/v2/echo", &[("authorization", &key)], &body).await;
    let told = reply.json();
    assert_eq!(told["length"], 3 << 20);
    let head = told["head"].as_str().expect("a head").to_lowercase();
    assert!(head.contains("content-length: 3145728") && !head.contains("chunked"), "{head}");
}

/// A 401 renews once. What was kept is sent again; what was streamed is not, and the next call has the fresh credential.
#[tokio::test]
async fn renews_on_401_and_repeats_only_kept_bodies() {
    let url = sandbox(pipedrive_sandbox::Options { bearers: vec![bearer("fresh", &["deals:full"])], ..options() }).await;
    let renewed = Arc::new(AtomicU32::new(0));
    let vault = Vault { url, renewed: Arc::clone(&renewed) };
    let runtime = Runtime::builder().connectors(&CONNECTORS).connections(vault).build().expect("the runtime is sound");
    let create = |body: PassedBody| Passing {
        method: Method::Post,
        target: "/api/v2/deals".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".into())],
        body,
    };
    let text = r#"{"title":"Passed on"}"#;
    let kept = runtime.pass(CONNECTORS[0], None, create(PassedBody::Kept(text.into()))).await.expect("it is passed on");
    assert_eq!((kept.status, renewed.load(Ordering::Relaxed)), (200, 1));
    let parts = futures_util::stream::iter([Ok(text.into())]);
    let streamed = runtime.pass(CONNECTORS[0], None, create(PassedBody::Stream(Box::pin(parts)))).await.expect("it is passed on");
    assert_eq!((streamed.status, renewed.load(Ordering::Relaxed)), (401, 2), "it was renewed for the next call");
}

#[test]
fn debug_output_hides_headers_queries_and_bodies() {
    let passing = Passing {
        method: Method::Get,
        target: "/api/v2/deals?api_token=hunter2".to_owned(),
        headers: vec![("authorization".to_owned(), "Bearer hunter2".into())],
        body: PassedBody::Kept("hunter2".into()),
    };
    let came = connector_core::HttpAnswer { status: 200, body: r#"{"access_token":"hunter2"}"#.into() };
    let shown = format!("{passing:?} {came:?}");
    assert!(!shown.contains("hunter2") && shown.contains("/api/v2/deals") && shown.contains("200"), "{shown}");
}

/// The gateway and the actions have one state behind them.
#[tokio::test]
async fn forwarded_writes_are_visible_to_actions() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    served.connect(&key, DEMO_API_TOKEN).await;
    let created = served.ask("POST", "/gateway/pipedrive/api/v2/deals", &[("authorization", &key), JSON], r#"{"title":"Through"}"#).await;
    let id = created.json()["data"]["id"].clone();
    let call = json!({"action": "getDeal", "input": {"dealId": id}}).to_string();
    let outcome = served.ask("POST", "/v1/invoke", &[("authorization", &key), JSON], &call).await.json();
    assert_eq!(outcome["data"]["title"], "Through", "{outcome}");
}
