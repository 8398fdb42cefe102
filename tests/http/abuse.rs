//! Who fills, holds up or listens: the host goes on for all others, and tells them nothing.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::browser::{Browser, assert_page};
use crate::support::http::{FORM, JSON, NDJSON, head};
use crate::support::server::Served;

/// A request whose head is sent, and a part of its body.
async fn begun(served: &Served, path: &str, headers: &[(&str, &str)], length: Option<usize>, part: &str) -> TcpStream {
    let host = served.url.strip_prefix("http://").expect("plain http");
    let mut stream = TcpStream::connect(host).await.expect("it listens");
    stream.write_all(head(host, "POST", path, headers, length).as_bytes()).await.expect("it reads");
    stream.write_all(part.as_bytes()).await.expect("it reads");
    stream
}

/// What came until it holds a text, or ended.
async fn until(stream: &mut TcpStream, word: &str) -> String {
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains(word) {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(count) => seen.extend_from_slice(&part[..count]),
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn unclaimed_installs_block_nobody() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let many = async |from: usize| {
        for code in from..from + 50 {
            let held = served.ask("GET", &format!("/oauth/callback?code=made-up-{code}"), &[], "").await;
            assert_eq!(held.status, 303, "{}", held.text());
        }
    };
    futures_util::future::join_all((0..20).map(|part| many(part * 50))).await;
    let over = served.ask("GET", "/oauth/callback?code=one-more", &[], "").await;
    assert_eq!((over.status, over.header("location")), (303, Some("/oauth/start")), "no more are held");
    let key = served.key("acme");
    let mut browser = Browser::default();
    browser.sign_in(&served, "acme").await;
    let back = browser.install(&served, 0).await;
    assert_eq!(browser.get(&back).await.header("location"), Some("/oauth/start"));
    browser.connects(&served, &format!("{}/oauth/start", served.url), 0).await;
    assert_eq!(served.get("/v1/connections", &key).await.json()["connections"][0]["status"], "ACTIVE");
}

#[tokio::test]
async fn stalled_forms_block_no_program() {
    let (served, _) = Served::before_sandbox(&["--concurrency", "2"]).await;
    let key = served.key("acme");
    let cookie = ("cookie", "connector-browser=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(begun(&served, "/sign-in", &[cookie, FORM], Some(8000), "csrf=").await);
    }
    // They hold no place: neither a program's, nor a person's, nor the vendor's.
    assert_eq!(served.get("/v1/actions", &key).await.status, 200);
    assert_page(&served.get("/oauth/start", "").await, 401, "Sign in");
    assert_eq!(served.ask("DELETE", "/oauth/callback", &[JSON], "{}").await.status, 401);
    // One whose sender goes on is read.
    stalled[7].write_all("x".repeat(7995).as_bytes()).await.expect("it is read");
    let forged = until(&mut stalled[7], "\r\n\r\n").await;
    assert!(forged.starts_with("HTTP/1.1 403 "), "{forged}");
}

#[tokio::test]
async fn greedy_key_leaves_room_for_others() {
    let (served, _) = Served::before_sandbox(&["--concurrency", "4"]).await;
    let (greedy, other) = (served.key("acme"), served.key("other"));
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = begun(&served, "/v1/invoke", &[("authorization", &greedy), NDJSON], None, "4\r\nbad\n\r\n").await;
        assert!(until(&mut stream, "invalid_invocation").await.starts_with("HTTP/1.1 200 "), "a stream is open");
        open.push(stream);
    }
    let over = served.get("/v1/actions", &greedy).await;
    assert_eq!((over.status, over.kind().as_str(), over.header("retry-after")), (503, "rate_limited", Some("1")));
    assert_eq!(served.get("/v1/actions", &other).await.status, 200);
}

/// On two threads: the key is revoked by another process while the stream is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_key_ends_its_open_stream() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    served.connect(&key, DEMO_API_TOKEN).await;
    let line = "{\"action\":\"getStage\",\"input\":{\"stageId\":1}}\n";
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    let mut stream = begun(&served, "/v1/invoke", &[("authorization", &key), NDJSON], None, &chunk).await;
    assert!(until(&mut stream, "\"ok\":true").await.contains("\"ok\":true"));
    let id = served.run(&["keys", "list", "--owner", "acme"], "").split('\t').next().expect("an id").to_owned();
    served.run(&["keys", "revoke", &id, "--owner", "acme"], "");
    stream.write_all(chunk.as_bytes()).await.expect("it is open");
    let rest = until(&mut stream, "0\r\n\r\n").await;
    assert!(rest.contains("\"kind\":\"unauthorized\"") && rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn rejects_foreign_host_names() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let port = served.url.rsplit(':').next().expect("a port").to_owned();
    for other in ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "user@localhost", ""] {
        let named = format!("{other}:{port}");
        for path in ["/sign-in?token=x", "/oauth/start", "/oauth/callback?code=x", "/oauth/install"] {
            let reply = served.ask("GET", path, &[("host", &named)], "").await;
            assert!(matches!(reply.status, 400 | 421), "{named}{path}: {}", reply.text());
            assert_eq!(reply.header("set-cookie"), None, "{named}{path}");
        }
        assert!(matches!(served.ask("GET", "/metrics", &[("host", &named)], "").await.status, 400 | 401), "{named}");
    }
    for own in ["localhost", "127.0.0.1", "[::1]"] {
        let named = format!("{own}:{port}");
        assert_page(&served.ask("GET", "/oauth/start", &[("host", &named)], "").await, 401, "Sign in");
        assert_eq!(served.ask("GET", "/metrics", &[("host", &named)], "").await.status, 200);
    }
    // A program knows whom it asks, by any name, and has its key.
    let key = served.key("acme");
    let by_name = served.ask("GET", "/v1/actions", &[("host", "connector.internal:8030"), ("authorization", &key)], "").await;
    assert_eq!(by_name.status, 200);
}

#[tokio::test]
async fn public_host_shows_metrics_to_operators_only() {
    let (served, _) = Served::before_sandbox(&["--public-url", "https://connect.example"]).await;
    assert_eq!(served.get("/metrics", "none").await.status, 401, "what a proxy passes on may look as if it came from here");
    assert_eq!(served.get("/metrics", &served.operator_key()).await.status, 200);
    for own in ["Connect.example", "connect.example:443"] {
        assert_page(&served.ask("GET", "/oauth/start", &[("host", own)], "").await, 401, "Sign in");
    }
    assert_eq!(served.ask("GET", "/oauth/start", &[("host", "connect.example:80")], "").await.status, 421);
}

#[tokio::test]
async fn vendor_refusal_is_not_reported_as_a_bad_key() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    let headers = [("authorization", key.as_str()), JSON];
    let body = json!({"api_token": "0".repeat(40), "api_domain": served.upstream()}).to_string();
    let reply = served.ask("POST", "/v1/connections", &headers, &body).await;
    assert_eq!((reply.status, reply.kind().as_str(), reply.header("www-authenticate")), (422, "unauthorized", None), "{}", reply.text());
    let begun = served
        .ask("POST", "/v1/connections", &headers, &json!({"redirectUri": format!("{}/oauth/callback", served.url)}).to_string())
        .await
        .json();
    let id = begun["connection"]["connection_id"].as_str().expect("an id");
    let reply = served.ask("POST", &format!("/v1/connections/{id}/exchange"), &headers, r#"{"code":"made-up"}"#).await;
    assert_eq!((reply.status, reply.kind().as_str()), (410, "gone"), "{}", reply.text());
    assert_ne!(served.get(&format!("/v1/connections/{id}"), &key).await.json()["connection"]["status"], Value::Null);
}

/// A mailer writes `=` as `%3D`, and somebody pastes a token where a host belongs: neither must end up in the log.
#[tokio::test]
async fn misplaced_secrets_are_not_logged() {
    let (served, _) = Served::before_sandbox(&[]).await;
    let key = served.key("acme");
    for path in ["/sign-in?token%3Dsecret-word", "/oauth/start?link%3Dsecret-word", "/v1/actions?secret-word=1"] {
        assert!(served.get(path, &key).await.status >= 400, "{path}");
    }
    let body = json!({"api_token": "secret-word", "api_domain": "secret-word"}).to_string();
    let reply = served.ask("POST", "/v1/connections", &[("authorization", &key), JSON], &body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let log = served.log();
    assert!(log.contains("route=\"/sign-in\"") && !log.contains("secret-word"), "{log}");
}
