//! The gateway as those meet it who would make two requests of one, another one of it, or a vendor that means no good.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::until;
use crate::support::server::Served;
use crate::support::upstream::http;
use crate::support::vendor::{connected, echo_vendor, opened, soon, vendor as working};

const ECHO: &str = "/gateway/pipedrive/api/v2/echo";

/// Sends these bytes as they are, and gives all that comes back.
async fn raw(served: &Served, text: &str) -> String {
    let mut stream = TcpStream::connect(served.url.trim_start_matches("http://")).await.expect("it listens");
    let _ = stream.write_all(text.as_bytes()).await;
    let mut seen = Vec::new();
    let _ = stream.read_to_end(&mut seen).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// What the vendor was sent, in lower case.
fn told(answer: &str) -> String {
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    format!("{}\r\n\r\n{}", told["head"].as_str().expect("a head"), told["length"]).to_lowercase()
}

/// The head says once how long the body is, or the request is refused before anyone takes it for two.
#[tokio::test]
async fn rejects_requests_of_ambiguous_length() {
    let (served, key) = connected(&echo_vendor().await, &[]).await;
    let ask = async |headers: &str, body: &str| {
        raw(&served, &format!("POST {ECHO} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\nconnection: close\r\n{headers}\r\n\r\n{body}"))
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
        let answer = ask(headers, body).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && !answer.contains("api/v2"), "{headers}: {answer}");
    }
    for headers in ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"] {
        let head = told(&ask(headers, "5\r\nfirst\r\n0\r\n\r\n").await);
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{headers}: {head}");
    }
    // Names that some take for others, and names that the connection takes away.
    let aliases =
        "content_length: 9\r\ntransfer_encoding: chunked\r\nx_api_token: theirs\r\nx-rewrite-url: /\r\nconnection: x-gone\r\nx-gone: 1";
    let head = told(&ask(&format!("{aliases}\r\ncontent-length: 3"), "abc").await);
    assert!(head.contains("\r\ncontent-length: 3\r\n") && head.ends_with("\r\n\r\n3"), "{head}");
    for left in ['_'.to_string().as_str(), "theirs", "x-gone", "rewrite", "chunked"] {
        assert!(!head.contains(left), "{left} must not travel on: {head}");
    }
    let head = told(&ask("connection: content-length\r\ncontent-length: 3", "abc").await);
    assert!(head.contains("content-length: 3") && head.ends_with("\r\n\r\n3"), "{head}");
    // What follows the last chunk is a request of its own, which has no key; after two lengths nothing follows.
    let two = format!("0\r\n\r\nGET {ECHO} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    let start = format!("POST {ECHO} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\ntransfer-encoding: chunked\r\n");
    for (headers, wanted) in [(String::new(), &["200", "401"][..]), (format!("content-length: {}\r\n", two.len()), &["200"])] {
        let answers = raw(&served, &format!("{start}{headers}\r\n{two}")).await;
        let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, wanted, "{answers}");
    }
    // A read may have a body too.
    let read = format!("GET {ECHO} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    let head = told(&raw(&served, &format!("{read}5\r\nfirst\r\n0\r\n\r\n")).await);
    assert!(head.contains("content-length: 5") && head.ends_with("\r\n\r\n5"), "{head}");
}

#[tokio::test]
async fn rejects_targets_outside_the_vendor_api() {
    let (served, key) = connected(&echo_vendor().await, &["--rate", "0"]).await;
    let ask = async |line: &str, headers: &str| {
        raw(&served, &format!("{line} HTTP/1.1\r\nhost: h\r\nauthorization: {key}\r\nconnection: close\r\n{headers}\r\n")).await
    };
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
        "api/v2/echo?api_token=hunter2",
        "api/v2/echo?x=1&API_TOKEN=hunter2",
        "api/v2/echo?api%5ftoken=hunter2",
        "api/v2/echo?api_token[]=hunter2",
    ] {
        let answer = ask(&format!("GET /gateway/pipedrive/{path}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("connector-error: invalid_in"), "{path}: {answer}");
        assert!(!answer.contains("hunter2"), "a credential is not repeated: {answer}");
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
        let answer = ask(line, "").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("connector-error: "), "{line}: {answer}");
        assert_eq!(status == 405, answer.contains("allow: GET"), "{line}: {answer}");
    }
    // Whatever host is named, the connection's own is asked; a switch of protocols stays here.
    let upgrade = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\n";
    let head = told(&ask(&format!("GET http://evil.example{ECHO}?a[]=1&b='%20|+c#d"), upgrade).await);
    assert!(head.starts_with("get /api/v2/echo?a[]=1&b=%27%20|+c http/1.1\r\n"), "{head}");
    assert!(head.contains("host: 127.0.0.1:") && !head.contains("evil") && !head.contains("upgrade") && !head.contains("h2c"), "{head}");
    // Heads have a bound, by their size and by their number.
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    for headers in [format!("x-long: {}\r\n", "x".repeat(300_000)), many] {
        let answer = ask(&format!("GET {ECHO}"), &headers).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:.200}");
    }
    assert_eq!(told(&ask(&format!("GET {ECHO}"), &format!("x-long: {}\r\n", "y".repeat(30_000))).await).matches('y').count(), 30_000);
}

/// Whoever waits to be told to send a body is told by us, once it is known who they are.
#[tokio::test]
async fn asks_only_known_callers_for_their_body() {
    let (served, key) = connected(&echo_vendor().await, &[]).await;
    for (key, continues) in [(key.as_str(), true), ("Bearer ck_wrong", false)] {
        let mut stream = opened(&served, "POST", &[("authorization", key), ("expect", "100-continue")], Some(5)).await;
        let mut seen = Vec::new();
        until(&mut stream, &mut seen, |seen| seen.contains("\r\n\r\n")).await;
        let first = String::from_utf8_lossy(&seen).into_owned();
        assert_eq!(first.starts_with("HTTP/1.1 100 Continue\r\n\r\n"), continues, "{first}");
        if continues {
            stream.write_all(b"first").await.expect("it reads");
            let _ = stream.read_to_end(&mut seen).await;
            let answer = String::from_utf8_lossy(&seen).replacen("HTTP/1.1 100 Continue\r\n\r\n", "", 1);
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && told(&answer).ends_with("\r\n\r\n5") && !told(&answer).contains("expect"),
                "{answer}"
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
    let url = working(move |mut stream, request| {
        let (spoofed, many) = (spoofed.to_owned(), many.clone());
        async move {
            let own = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
            let answer = match request.split('/').nth(3).and_then(|rest| rest.split(' ').next()).unwrap_or_default() {
                "spoofs" => http("401 Unauthorized", &spoofed, "no"),
                "made" => http("201 Created", &format!("location: http://{own}/api/v2/made/1?a=b#c\r\n"), ""),
                "made-elsewhere" => http("201 Created", "location: https://evil.example/api/v2/made/1\r\n", ""),
                "switches" => b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: evil\r\n\r\n".to_vec(),
                "unchanged" => b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\ncontent-length: 5\r\n\r\n".to_vec(),
                "done" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
                "many" => http("200 OK", &many, ""),
                "splits" => http("200 OK", "x-a: 1\r\n x-b: 2\r\n", ""),
                "nonsense" => b"nonsense\r\n\r\n".to_vec(),
                other => panic!("nobody asks for {other}"),
            };
            let _ = stream.write_all(&answer).await;
        }
    })
    .await;
    let (served, key) = connected(&url, &["--rate", "0"]).await;
    let ask = async |path: &str| served.get(&format!("/gateway/pipedrive/api/v2/{path}"), &key).await;
    let spoofed = ask("spoofs").await;
    assert_eq!((spoofed.status, spoofed.text().as_str()), (401, "no"));
    let kept: Vec<&str> = spoofed.headers.iter().filter(|(name, _)| name == "x-kept").map(|(_, value)| value.as_str()).collect();
    assert_eq!(kept, ["1", "2"]);
    assert!(spoofed.header("www-authenticate").is_some() && spoofed.header("x-request-id") != Some("theirs"));
    for name in ["connector-error", "connector-instead", "set-cookie", "strict-transport-security", "alt-svc", "clear-site-data", "refresh"]
    {
        assert_eq!(spoofed.header(name), None, "{name}");
    }
    let made = ask("made").await;
    assert_eq!((made.status, made.header("location")), (201, Some("/gateway/pipedrive/api/v2/made/1?a=b")));
    assert_eq!((ask("made-elsewhere").await.status, ask("made-elsewhere").await.header("location")), (201, None));
    // No body is whole without one.
    let unchanged = ask("unchanged").await;
    assert_eq!((unchanged.status, unchanged.header("etag"), unchanged.body.len()), (304, Some("\"1\""), 0));
    assert_eq!((ask("done").await.status, ask("done").await.body.len()), (204, 0));
    for (path, kind) in [("switches", "bad_answer"), ("many", "unreachable"), ("splits", "unreachable"), ("nonsense", "unreachable")] {
        let reply = ask(path).await;
        assert_eq!((reply.status, reply.kind().as_str()), (502, kind), "{path}");
        assert!(!reply.text().contains("evil"), "{}", reply.text());
    }
}

/// Who takes nothing of its answer does not keep its place, nor the vendor's.
#[tokio::test]
async fn unread_responses_are_ended() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let url = working(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let part = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while stream.write_all(part.as_bytes()).await.is_ok() {}
            let _ = tell.send("cut");
        }
    })
    .await;
    let (served, key) = connected(&url, &["--timeout", "1"]).await;
    let unread = opened(&served, "GET", &[("authorization", &key)], Some(0)).await;
    assert_eq!(soon(told.recv()).await, Some("cut"));
    drop(unread);
}
