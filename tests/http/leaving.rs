//! Clients that leave, and bodies that break off: what is under way ends, and nothing more reaches the vendor.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::support::http::{JSON, NDJSON, read_until};
use crate::support::server::Server;
use crate::support::upstream::{build_json_response, build_response};
use crate::support::vendor::{open_request, read_rest, read_to_end_of_chunks, start_connected_server, start_vendor, within_a_minute};

/// Starts a vendor that tells of each request, gives these answers in turn, and then none.
///
/// It tells when the host gives up.
async fn start_counting_vendor(answers: Vec<Vec<u8>>) -> (String, UnboundedReceiver<&'static str>) {
    let (sender, events) = mpsc::unbounded_channel();
    let answers = std::sync::Arc::new(std::sync::Mutex::new(answers.into_iter()));
    let url = start_vendor(move |mut stream, _| {
        let (sender, answers) = (sender.clone(), std::sync::Arc::clone(&answers));
        async move {
            let _ = sender.send("request");
            let answer = answers.lock().expect("no vendor panicked").next();
            match answer {
                Some(answer) => {
                    let _ = stream.write_all(&answer).await;
                    let _ = sender.send("answered");
                }
                None => {
                    read_to_end_of_chunks(&mut stream).await;
                    let _ = sender.send("given up");
                }
            }
        }
    })
    .await;
    (url, events)
}

async fn post(server: &Server, key: &str, media: (&str, &str), body: &str) -> TcpStream {
    let headers = [("authorization", key), media];
    let mut stream = server.open("POST", "/v1/invoke", &headers, Some(body.len())).await;
    stream.write_all(body.as_bytes()).await.expect("the host reads");
    stream
}

/// Waits until the one place for programs is free: then the host has ended all that the client began.
async fn wait_for_the_place(server: &Server, key: &str) {
    within_a_minute(async { while server.get("/v1/actions", key).await.status != 200 {} }).await;
}

/// Leaves in the wait before an attempt, while a list is read whole, and within a stream of lines.
#[tokio::test]
async fn client_that_leaves_ends_its_work_within_one_request() {
    let limited = build_response("429 Too Many Requests", "content-type: application/json\r\nretry-after: 3000\r\n", "{}");
    let page = build_json_response("200 OK", r#"{"success":true,"data":[{"id":1}],"additional_data":{"next_cursor":"c2"}}"#);
    let patient = r#"{"action":"getNote","input":{"noteId":1},"options":{"timeoutMs":3600000}}"#;
    let whole = r#"{"action":"getDeals","options":{"pages":"all"}}"#;
    let lines = format!("{patient}\n{patient}\n{patient}\n");
    for (what, answers, media, body, until) in [
        ("a wait", vec![limited.clone()], JSON, patient, &["request", "answered"][..]),
        ("a wait of a line", vec![limited], NDJSON, &*lines, &["request", "answered"]),
        ("an answer", vec![], JSON, patient, &["request"]),
        ("the second page", vec![page], JSON, whole, &["request", "answered", "request"]),
        ("the first line", vec![], NDJSON, &*lines, &["request"]),
    ] {
        let (vendor, mut events) = start_counting_vendor(answers).await;
        let (server, key) = start_connected_server(&vendor, &["--concurrency", "1"]).await;
        let client = post(&server, &key, media, body).await;
        for event in until {
            assert_eq!(within_a_minute(events.recv()).await, Some(*event), "{what}");
        }
        drop(client);
        if until.last() == Some(&"request") {
            assert_eq!(within_a_minute(events.recv()).await, Some("given up"), "{what}");
        }
        wait_for_the_place(&server, &key).await;
        assert_eq!(events.try_recv().ok(), None, "{what}: nothing more may reach the vendor");
    }
}

/// Breaks the chunks of a body: the caller is told so, and nobody else is blamed.
#[tokio::test]
async fn broken_chunk_is_the_callers_fault() {
    let note = build_json_response("200 OK", r#"{"success":true,"data":{"id":1}}"#);
    let (vendor, mut events) = start_counting_vendor(vec![note]).await;
    let (server, key) = start_connected_server(&vendor, &[]).await;
    let key = ("authorization", key.as_str());
    let line = "{\"action\":\"getNote\",\"input\":{\"noteId\":1}}\n";
    let line = format!("{:x}\r\n{line}\r\n", line.len());
    for (path, headers, good, reached) in [
        ("/v1/invoke", &[key, JSON][..], "5\r\n{\"act\r\n", None),
        ("/v1/invoke", &[key, NDJSON], &*line, Some("answered")),
        ("/gateway/pipedrive/api/v2/things", &[key], "5\r\nfirst\r\n", Some("given up")),
    ] {
        let mut stream = server.open("POST", path, headers, None).await;
        stream.write_all(good.as_bytes()).await.expect("the host reads");
        let mut seen = Vec::new();
        if reached.is_some() {
            assert_eq!(within_a_minute(events.recv()).await, Some("request"), "{path}");
        }
        if reached == Some("answered") {
            read_until(&mut stream, &mut seen, |seen| seen.contains(r#""ok":true"#)).await;
        }
        stream.write_all(b"no length\r\n").await.expect("the host reads");
        let all = read_rest(stream, seen).await;
        let status = if reached == Some("answered") { "200" } else { "400" };
        assert!(all.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {all}");
        assert!(all.contains(r#""kind":"invalid_invocation""#) && all.contains("The body broke off."), "{path}: {all}");
        assert!(!all.contains("unsafe") && !all.contains("unreachable"), "{path}: {all}");
        if let Some(reached) = reached {
            assert_eq!(within_a_minute(events.recv()).await, Some(reached), "{path}");
        }
    }
    // A body of a known length that ends before it.
    let mut stream = open_request(&server, "POST", &[key], Some(2 << 20)).await;
    stream.write_all(b"first").await.expect("the host reads");
    assert_eq!(within_a_minute(events.recv()).await, Some("request"));
    stream.shutdown().await.expect("the host reads");
    assert_eq!(within_a_minute(events.recv()).await, Some("given up"), "the vendor must see no whole request");
}
