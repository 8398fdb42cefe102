//! Floods, slow clients and eavesdroppers.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::browser::{Browser, assert_page};
use crate::support::http::{FORM, JSON, NDJSON, read_until_word};
use crate::support::server::Server;

/// Sends the head of a request and a part of its body.
async fn open_post(server: &Server, path: &str, headers: &[(&str, &str)], length: Option<usize>, part: &str) -> TcpStream {
    let mut stream = server.open("POST", path, headers, length).await;
    stream.write_all(part.as_bytes()).await.expect("the host reads");
    stream
}

#[tokio::test]
async fn unclaimed_installs_block_nobody() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let install_fifty = async |from: usize| {
        for code in from..from + 50 {
            let held = server.send("GET", &format!("/oauth/callback?code=made-up-{code}"), &[], "").await;
            assert_eq!(held.status, 303, "{}", held.text());
        }
    };
    futures_util::future::join_all((0..20).map(|part| install_fifty(part * 50))).await;
    let refused = server.send("GET", "/oauth/callback?code=one-more", &[], "").await;
    assert_eq!((refused.status, refused.header("location")), (303, Some("/oauth/start")), "hold no more installs");
    let key = server.create_key("acme");
    let mut browser = Browser::default();
    browser.sign_in(&server, "acme").await;
    let callback = browser.install(&server, 0).await;
    assert_eq!(browser.get(&callback).await.header("location"), Some("/oauth/start"));
    browser.connect(&server, &format!("{}/oauth/start", server.url), 0).await;
    assert_eq!(server.get("/v1/connections", &key).await.json()["connections"][0]["status"], "ACTIVE");
}

#[tokio::test]
async fn stalled_forms_block_no_program() {
    let (server, _) = Server::start_with_sandbox(&["--concurrency", "2"]).await;
    let key = server.create_key("acme");
    let cookie = ("cookie", "connector-browser=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(open_post(&server, "/sign-in", &[cookie, FORM], Some(8000), "csrf=").await);
    }
    // Programs, people and the vendor still get an answer.
    assert_eq!(server.get("/v1/actions", &key).await.status, 200);
    assert_page(&server.get("/oauth/start", "").await, 401, "Sign in");
    assert_eq!(server.send("DELETE", "/oauth/callback", &[JSON], "{}").await.status, 401);
    // A form whose sender goes on is read.
    stalled[7].write_all("x".repeat(7995).as_bytes()).await.expect("the host reads");
    let forged = read_until_word(&mut stalled[7], "\r\n\r\n").await;
    assert!(forged.starts_with("HTTP/1.1 403 "), "{forged}");
}

#[tokio::test]
async fn greedy_key_leaves_room_for_others() {
    let (server, _) = Server::start_with_sandbox(&["--concurrency", "4"]).await;
    let (greedy, other) = (server.create_key("acme"), server.create_key("other"));
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = open_post(&server, "/v1/invoke", &[("authorization", &greedy), NDJSON], None, "4\r\nbad\n\r\n").await;
        assert!(read_until_word(&mut stream, "invalid_invocation").await.starts_with("HTTP/1.1 200 "), "open a stream");
        open.push(stream);
    }
    let refused = server.get("/v1/actions", &greedy).await;
    assert_eq!((refused.status, refused.kind().as_str(), refused.header("retry-after")), (503, "rate_limited", Some("1")));
    assert_eq!(server.get("/v1/actions", &other).await.status, 200);
}

/// Runs on two threads, since another process revokes the key while the stream is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_key_ends_its_open_stream() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let line = "{\"action\":\"getStage\",\"input\":{\"stageId\":1}}\n";
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    let mut stream = open_post(&server, "/v1/invoke", &[("authorization", &key), NDJSON], None, &chunk).await;
    assert!(read_until_word(&mut stream, "\"ok\":true").await.contains("\"ok\":true"));
    server.revoke_key("acme");
    stream.write_all(chunk.as_bytes()).await.expect("the stream is open");
    let rest = read_until_word(&mut stream, "0\r\n\r\n").await;
    assert!(rest.contains("\"kind\":\"unauthorized\"") && rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn rejects_foreign_host_names() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let port = server.url.rsplit(':').next().expect("a port").to_owned();
    for foreign in ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "user@localhost", ""] {
        let named = format!("{foreign}:{port}");
        for path in ["/sign-in?token=x", "/oauth/start", "/oauth/callback?code=x", "/oauth/install"] {
            let response = server.send("GET", path, &[("host", &named)], "").await;
            assert!(matches!(response.status, 400 | 421), "{named}{path}: {}", response.text());
            assert_eq!(response.header("set-cookie"), None, "{named}{path}");
        }
        assert!(matches!(server.send("GET", "/metrics", &[("host", &named)], "").await.status, 400 | 401), "{named}");
    }
    for own in ["localhost", "127.0.0.1", "[::1]"] {
        let named = format!("{own}:{port}");
        assert_page(&server.send("GET", "/oauth/start", &[("host", &named)], "").await, 401, "Sign in");
        assert_eq!(server.send("GET", "/metrics", &[("host", &named)], "").await.status, 200);
    }
    // A program with a key may use any host name.
    let key = server.create_key("acme");
    let by_name = server.send("GET", "/v1/actions", &[("host", "connector.internal:8030"), ("authorization", &key)], "").await;
    assert_eq!(by_name.status, 200);
}

#[tokio::test]
async fn public_host_shows_metrics_to_operators_only() {
    let (server, _) = Server::start_with_sandbox(&["--public-url", "https://connect.example"]).await;
    assert_eq!(server.get("/metrics", "none").await.status, 401, "a proxy may make any request look local");
    assert_eq!(server.get("/metrics", &server.create_operator_key()).await.status, 200);
    for own in ["Connect.example", "connect.example:443"] {
        assert_page(&server.send("GET", "/oauth/start", &[("host", own)], "").await, 401, "Sign in");
    }
    assert_eq!(server.send("GET", "/oauth/start", &[("host", "connect.example:80")], "").await.status, 421);
}

#[tokio::test]
async fn vendor_refusal_is_not_reported_as_a_bad_key() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    let body = json!({"api_token": "0".repeat(40), "api_domain": server.upstream()}).to_string();
    let response = server.post("/v1/connections", &key, &body).await;
    assert_eq!(
        (response.status, response.kind().as_str(), response.header("www-authenticate")),
        (422, "unauthorized", None),
        "{}",
        response.text()
    );
    let begun =
        server.post("/v1/connections", &key, &json!({"redirectUri": format!("{}/oauth/callback", server.url)}).to_string()).await.json();
    let id = begun["connection"]["connection_id"].as_str().expect("an id");
    let response = server.post(&format!("/v1/connections/{id}/exchange"), &key, r#"{"code":"made-up"}"#).await;
    assert_eq!((response.status, response.kind().as_str()), (410, "gone"), "{}", response.text());
    assert_ne!(server.read_connection(&key, id).await["status"], Value::Null);
}

/// Writes `=` as `%3D`, as a mailer does, and pastes a token where a host belongs.
#[tokio::test]
async fn misplaced_secrets_are_not_logged() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    for path in ["/sign-in?token%3Dsecret-word", "/oauth/start?link%3Dsecret-word", "/v1/actions?secret-word=1"] {
        assert!(server.get(path, &key).await.status >= 400, "{path}");
    }
    let body = json!({"api_token": "secret-word", "api_domain": "secret-word"}).to_string();
    let response = server.post("/v1/connections", &key, &body).await;
    assert_eq!(response.status, 400, "{}", response.text());
    let log = server.stop_and_read_log();
    assert!(log.contains("route=\"/sign-in\"") && !log.contains("secret-word"), "{log}");
}
