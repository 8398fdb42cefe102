//! Request smuggling, path tricks and a hostile vendor.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::read_until;
use crate::support::server::Server;
use crate::support::upstream::build_response;
use crate::support::vendor::{open_request, start_connected_server, start_echo_vendor, start_vendor, within_a_minute};

const ECHO: &str = "/gateway/pipedrive/api/v2/echo";

/// Sends these bytes unchanged, and returns all that comes back.
async fn send_raw(server: &Server, text: &str) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("the host listens");
    let _ = stream.write_all(text.as_bytes()).await;
    let mut seen = Vec::new();
    let _ = stream.read_to_end(&mut seen).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// Extracts the request that the vendor got, in lower case.
fn extract_echo(response: &str) -> String {
    let body = response.split("\r\n\r\n").nth(1).unwrap_or_default();
    let echo: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {response}"));
    format!("{}\r\n\r\n{}", echo["head"].as_str().expect("a head"), echo["length"]).to_lowercase()
}

/// A second length could turn one request into two.
#[tokio::test]
async fn rejects_requests_of_ambiguous_length() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    let ask = async |headers: &str, body: &str| {
        send_raw(
            &server,
            &format!("POST {ECHO} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\nconnection: close\r\n{headers}\r\n\r\n{body}"),
        )
        .await
    };
    for (headers, body) in [
        ("content-length: 3\r\ncontent-length: 4", "abcd"),
        ("content-length: 3, 3", "abc"),
        ("content-length: +3", "abc"),
        ("transfer-encoding: chunked, identity", "5\r\nfirst\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked\r\ntransfer-encoding: gzip", "5\r\nfirst\r\n0\r\n\r\n"),
        ("content-length : 3", "abc"),
        ("x-folded: a\r\n b", ""),
    ] {
        let response = ask(headers, body).await;
        assert!(response.starts_with("HTTP/1.1 400 ") && !response.contains("api/v2"), "{headers}: {response}");
    }
    for headers in ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"] {
        let head = extract_echo(&ask(headers, "5\r\nfirst\r\n0\r\n\r\n").await);
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{headers}: {head}");
    }
    // Aliases of headers, and headers that `connection` removes.
    let aliases =
        "content_length: 9\r\ntransfer_encoding: chunked\r\nx_api_token: theirs\r\nx-rewrite-url: /\r\nconnection: x-gone\r\nx-gone: 1";
    let head = extract_echo(&ask(&format!("{aliases}\r\ncontent-length: 3"), "abc").await);
    assert!(head.contains("\r\ncontent-length: 3\r\n") && head.ends_with("\r\n\r\n3"), "{head}");
    for dropped in ['_'.to_string().as_str(), "theirs", "x-gone", "rewrite", "chunked"] {
        assert!(!head.contains(dropped), "do not forward {dropped}: {head}");
    }
    let head = extract_echo(&ask("connection: content-length\r\ncontent-length: 3", "abc").await);
    assert!(head.contains("content-length: 3") && head.ends_with("\r\n\r\n3"), "{head}");
    // Bytes after the last chunk are a request of their own, without a key. After two lengths the connection closes.
    let two = format!("0\r\n\r\nGET {ECHO} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    let start = format!("POST {ECHO} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\ntransfer-encoding: chunked\r\n");
    for (headers, expected) in [(String::new(), &["200", "401"][..]), (format!("content-length: {}\r\n", two.len()), &["200"])] {
        let responses = send_raw(&server, &format!("{start}{headers}\r\n{two}")).await;
        let statuses: Vec<&str> = responses.split("HTTP/1.1 ").skip(1).map(|response| &response[..3]).collect();
        assert_eq!(statuses, expected, "{responses}");
    }
    // A GET may have a body.
    let read = format!("GET {ECHO} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    let head = extract_echo(&send_raw(&server, &format!("{read}5\r\nfirst\r\n0\r\n\r\n")).await);
    assert!(head.contains("content-length: 5") && head.ends_with("\r\n\r\n5"), "{head}");
}

/// Sends a request with this line and these headers, and returns all that comes back.
async fn request(server: &Server, key: &str, line: &str, headers: &str) -> String {
    send_raw(server, &format!("{line} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\nconnection: close\r\n{headers}\r\n")).await
}

#[tokio::test]
async fn rejects_targets_outside_the_vendor_api() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &["--rate", "0"]).await;
    for path in [
        "api/v2/../v1/echo",
        "api/v2/./echo",
        "api/v2/%2e%2E/echo",
        "api/v2/%252e%252e/echo",
        "api/v2/%25252525252e/echo",
        "api/v2/..;a=b/echo",
        "api/v2/..%3b/echo",
        "api/v2/%c0%ae%c0%ae/echo",
        "api/v2/echo%2f..%2fx",
        "api/v2/echo%5cx",
        "api/v2/echo%0d%0ax",
        "api/v2/echo%00",
        "api/v2//echo",
        "api/v2/",
        "/api/v2/echo",
        "api/v2/@evil.example",
        "api/v3/echo",
        "oauth/token",
    ] {
        let response = request(&server, &key, &format!("GET /gateway/pipedrive/{path}"), "").await;
        assert!(response.starts_with("HTTP/1.1 400 ") && response.contains("connector-error: invalid_in"), "{path}: {response}");
    }
    for (line, status) in [
        ("GET http://evil.example/api/v2/echo", 404),
        ("GET //gateway/pipedrive/api/v2/echo", 404),
        ("GET /gateway//pipedrive/api/v2/echo", 404),
        ("GET /gateway/x/../pipedrive/api/v2/echo", 404),
        ("CONNECT evil.example:443", 404),
        (&format!("TRACE {ECHO}"), 405),
        (&format!("HEAD {ECHO}"), 405),
        (&format!("PROPFIND {ECHO}"), 405),
    ] {
        let response = request(&server, &key, line, "").await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")) && response.contains("connector-error: "), "{line}: {response}");
        assert_eq!(status == 405, response.contains("allow: GET"), "{line}: {response}");
    }
    // A request goes to the connection's host, whichever host it names. An upgrade is not forwarded.
    let upgrade = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\n";
    let head = extract_echo(&request(&server, &key, &format!("GET http://evil.example{ECHO}?a[]=1&b='%20|+c#d"), upgrade).await);
    assert!(head.starts_with("get /api/v2/echo?a[]=1&b=%27%20|+c http/1.1\r\n"), "{head}");
    assert!(head.contains("host: 127.0.0.1:") && !head.contains("evil") && !head.contains("upgrade") && !head.contains("h2c"), "{head}");
}

#[tokio::test]
async fn rejects_credentials_in_query() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    for path in [
        "api/v2/echo?api_token=hunter2",
        "api/v2/echo?x=1&API_TOKEN=hunter2",
        "api/v2/echo?api%5ftoken=hunter2",
        "api/v2/echo?api_token[]=hunter2",
    ] {
        let response = request(&server, &key, &format!("GET /gateway/pipedrive/{path}"), "").await;
        assert!(response.starts_with("HTTP/1.1 400 ") && response.contains("connector-error: invalid_in"), "{path}: {response}");
        assert!(!response.contains("hunter2"), "do not repeat the credential: {response}");
    }
}

#[tokio::test]
async fn limits_size_and_number_of_headers() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    for headers in [format!("x-long: {}\r\n", "x".repeat(300_000)), many] {
        let response = request(&server, &key, &format!("GET {ECHO}"), &headers).await;
        assert!(response.starts_with("HTTP/1.1 431 "), "{response:.200}");
    }
    assert_eq!(
        extract_echo(&request(&server, &key, &format!("GET {ECHO}"), &format!("x-long: {}\r\n", "y".repeat(30_000))).await)
            .matches('y')
            .count(),
        30_000
    );
}

/// Expects `100 Continue` with a known and an unknown key.
#[tokio::test]
async fn asks_only_known_callers_for_their_body() {
    let (server, key) = start_connected_server(&start_echo_vendor().await, &[]).await;
    for (key, continues) in [(key.as_str(), true), ("Bearer ck_wrong", false)] {
        let mut stream = open_request(&server, "POST", &[("authorization", key), ("expect", "100-continue")], Some(5)).await;
        let mut seen = Vec::new();
        read_until(&mut stream, &mut seen, |seen| seen.contains("\r\n\r\n")).await;
        let first = String::from_utf8_lossy(&seen).into_owned();
        assert_eq!(first.starts_with("HTTP/1.1 100 Continue\r\n\r\n"), continues, "{first}");
        if continues {
            stream.write_all(b"first").await.expect("the host reads");
            let _ = stream.read_to_end(&mut seen).await;
            let response = String::from_utf8_lossy(&seen).replacen("HTTP/1.1 100 Continue\r\n\r\n", "", 1);
            assert!(
                response.starts_with("HTTP/1.1 200 ")
                    && extract_echo(&response).ends_with("\r\n\r\n5")
                    && !extract_echo(&response).contains("expect"),
                "{response}"
            );
        }
    }
}

#[tokio::test]
async fn vendor_headers_cannot_speak_for_the_host() {
    let spoofed = "connector-error: unauthorized\r\nconnector-instead: GET /evil\r\nx-request-id: theirs\r\nset-cookie: a=b\r\n\
                   strict-transport-security: max-age=9\r\nalt-svc: h3=\"evil.example:443\"\r\nclear-site-data: \"*\"\r\n\
                   refresh: 0; url=https://evil.example/\r\nwww-authenticate: Bearer\r\nx-kept: 1\r\nx-kept: 2\r\n";
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let url = start_vendor(move |mut stream, request| {
        let (spoofed, many) = (spoofed.to_owned(), many.clone());
        async move {
            let own = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
            let response = match request.split('/').nth(3).and_then(|rest| rest.split(' ').next()).unwrap_or_default() {
                "spoofs" => build_response("401 Unauthorized", &spoofed, "no"),
                "created" => build_response("201 Created", &format!("location: http://{own}/api/v2/made/1?a=b#c\r\n"), ""),
                "created-elsewhere" => build_response("201 Created", "location: https://evil.example/api/v2/made/1\r\n", ""),
                "switches" => b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: evil\r\n\r\n".to_vec(),
                "unchanged" => b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\ncontent-length: 5\r\n\r\n".to_vec(),
                "done" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
                "many" => build_response("200 OK", &many, ""),
                "splits" => build_response("200 OK", "x-a: 1\r\n x-b: 2\r\n", ""),
                "nonsense" => b"nonsense\r\n\r\n".to_vec(),
                other => panic!("the test asks for no {other}"),
            };
            let _ = stream.write_all(&response).await;
        }
    })
    .await;
    let (server, key) = start_connected_server(&url, &["--rate", "0"]).await;
    let ask = async |path: &str| server.get(&format!("/gateway/pipedrive/api/v2/{path}"), &key).await;
    let spoofed = ask("spoofs").await;
    assert_eq!((spoofed.status, spoofed.text().as_str()), (401, "no"));
    let kept: Vec<&str> = spoofed.headers.iter().filter(|(name, _)| name == "x-kept").map(|(_, value)| value.as_str()).collect();
    assert_eq!(kept, ["1", "2"]);
    assert!(spoofed.header("www-authenticate").is_some() && spoofed.header("x-request-id") != Some("theirs"));
    for name in ["connector-error", "connector-instead", "set-cookie", "strict-transport-security", "alt-svc", "clear-site-data", "refresh"]
    {
        assert_eq!(spoofed.header(name), None, "{name}");
    }
    let created = ask("created").await;
    assert_eq!((created.status, created.header("location")), (201, Some("/gateway/pipedrive/api/v2/made/1?a=b")));
    assert_eq!((ask("created-elsewhere").await.status, ask("created-elsewhere").await.header("location")), (201, None));
    // Responses without a body are complete.
    let unchanged = ask("unchanged").await;
    assert_eq!((unchanged.status, unchanged.header("etag"), unchanged.body.len()), (304, Some("\"1\""), 0));
    assert_eq!((ask("done").await.status, ask("done").await.body.len()), (204, 0));
    for (path, kind) in [("switches", "bad_answer"), ("many", "unreachable"), ("splits", "unreachable"), ("nonsense", "unreachable")] {
        let response = ask(path).await;
        assert_eq!((response.status, response.kind().as_str()), (502, kind), "{path}");
        assert!(!response.text().contains("evil"), "{}", response.text());
    }
}

/// A caller that reads nothing must not hold its place, nor the vendor's.
#[tokio::test]
async fn unread_responses_are_ended() {
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let url = start_vendor(move |mut stream, _| {
        let sender = sender.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let part = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while stream.write_all(part.as_bytes()).await.is_ok() {}
            let _ = sender.send("cut");
        }
    })
    .await;
    let (server, key) = start_connected_server(&url, &["--timeout", "1"]).await;
    let unread = open_request(&server, "GET", &[("authorization", &key)], Some(0)).await;
    assert_eq!(within_a_minute(events.recv()).await, Some("cut"));
    drop(unread);
}
