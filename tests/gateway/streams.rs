//! Streaming in both directions: parts arrive at once, and broken streams stay broken.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::http::read_until;
use crate::support::vendor::{open_request, read_rest, read_to_end_of_chunks, start_connected_server, start_vendor, within_a_minute};

#[tokio::test]
async fn response_parts_arrive_before_the_rest_is_sent() {
    for (headers, parts) in
        [("transfer-encoding: chunked", ["5\r\nfirst\r\n", "6\r\nsecond\r\n0\r\n\r\n"]), ("content-length: 11", ["first", "second"])]
    {
        let gate = Arc::new(Notify::new());
        let vendor_gate = Arc::clone(&gate);
        let url = start_vendor(move |mut stream, _| {
            let gate = Arc::clone(&vendor_gate);
            async move {
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{}", parts[0]).as_bytes()).await;
                gate.notified().await;
                let _ = stream.write_all(parts[1].as_bytes()).await;
            }
        })
        .await;
        let (server, key) = start_connected_server(&url, &[]).await;
        let mut stream = open_request(&server, "GET", &[("authorization", &key)], Some(0)).await;
        let mut seen = Vec::new();
        read_until(&mut stream, &mut seen, |seen| seen.contains("first")).await;
        gate.notify_one();
        let all = read_rest(stream, seen).await;
        assert!(all.starts_with("HTTP/1.1 200 OK\r\n") && all.contains(headers) && all.contains("second"), "{all}");
    }
}

/// Sends a body of unknown length, and one that is too large to be kept.
#[tokio::test]
async fn request_parts_arrive_before_the_rest_is_sent() {
    let large = "x".repeat(1 << 20);
    for (length, first, second) in [
        (None, "5\r\nfirst\r\n".to_owned(), "6\r\nsecond\r\n0\r\n\r\n".to_owned()),
        (Some(11 + large.len()), "first".to_owned(), format!("{large}second")),
    ] {
        let arrived = Arc::new(Notify::new());
        let arrives = Arc::clone(&arrived);
        let url = start_vendor(move |mut stream, request| {
            let arrives = Arc::clone(&arrives);
            async move {
                let mut seen = request.into_bytes();
                read_until(&mut stream, &mut seen, |seen| seen.contains("first")).await;
                arrives.notify_one();
                read_until(&mut stream, &mut seen, |seen| seen.contains("second")).await;
                let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nmade").await;
            }
        })
        .await;
        let (server, key) = start_connected_server(&url, &[]).await;
        let mut stream = open_request(&server, "POST", &[("authorization", &key)], length).await;
        stream.write_all(first.as_bytes()).await.expect("the host reads");
        within_a_minute(arrived.notified()).await;
        stream.write_all(second.as_bytes()).await.expect("the host reads");
        let all = read_rest(stream, Vec::new()).await;
        assert!(all.starts_with("HTTP/1.1 201 Created\r\n") && all.ends_with("made"), "{all}");
    }
}

#[tokio::test]
async fn compressed_responses_pass_unchanged_and_only_on_request() {
    const BYTES: &[u8] = b"\x1f\x8b\x08\x00 that nobody decodes";
    let url = start_vendor(|mut stream, request| async move {
        let is_asked_for = request.to_lowercase().contains("\r\naccept-encoding: gzip, br\r\n");
        assert_eq!(is_asked_for, request.to_lowercase().contains("accept-encoding"));
        let coding = if is_asked_for { "gzip" } else { "identity" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", BYTES.len());
        let _ = stream.write_all(&[head.as_bytes(), BYTES].concat()).await;
    })
    .await;
    let (server, key) = start_connected_server(&url, &[]).await;
    let key = ("authorization", key.as_str());
    for (headers, coding) in [(&[key, ("accept-encoding", "gzip, br")][..], "gzip"), (&[key], "identity")] {
        let response = server.send("GET", "/gateway/pipedrive/api/v2/things", headers, "").await;
        assert_eq!((response.status, response.header("content-encoding"), response.body.as_slice()), (200, Some(coding), BYTES));
    }
}

#[tokio::test]
async fn broken_or_stalled_responses_never_look_complete() {
    for (headers, first, stalls) in [
        ("transfer-encoding: chunked", "5\r\nfirst\r\n", false),
        ("content-length: 500", "first", false),
        ("transfer-encoding: chunked", "5\r\nfirst\r\n", true),
        ("content-length: 500", "first", true),
    ] {
        let ended = Arc::new(Notify::new());
        let ends = Arc::clone(&ended);
        let url = start_vendor(move |mut stream, _| {
            let ends = Arc::clone(&ends);
            async move {
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{first}").as_bytes()).await;
                if stalls {
                    read_to_end_of_chunks(&mut stream).await;
                    ends.notify_one();
                }
            }
        })
        .await;
        let (server, key) = start_connected_server(&url, &["--timeout", "1"]).await;
        let stream = open_request(&server, "GET", &[("authorization", &key)], Some(0)).await;
        let all = read_rest(stream, Vec::new()).await;
        assert!(all.contains(headers) && all.contains("first") && !all.ends_with("0\r\n\r\n"), "{all}");
        if stalls {
            within_a_minute(ended.notified()).await;
        }
        assert!(server.stop_and_read_log().contains("a response broke off"));
    }
}

/// A response with chunks and a content-length has the length of its chunks.
#[tokio::test]
async fn chunked_length_wins_over_content_length() {
    let url = start_vendor(|mut stream, _| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(format!("{head}5\r\nfirst\r\n0\r\n\r\n").as_bytes()).await;
    })
    .await;
    let (server, key) = start_connected_server(&url, &[]).await;
    let response = server.get("/gateway/pipedrive/api/v2/things", &key).await;
    assert_eq!((response.header("content-length"), response.text().as_str()), (None, "first"));
}

/// Disconnects before the response, within it, and within the body of the request.
#[tokio::test]
async fn caller_disconnect_ends_the_vendor_request() {
    for (method, length, part, response) in [
        ("GET", Some(0), "", ""),
        ("GET", Some(0), "", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
        ("POST", None, "5\r\nfirst\r\n", ""),
    ] {
        let (sender, mut events) = mpsc::unbounded_channel();
        let url = start_vendor(move |mut stream, request| {
            let sender = sender.clone();
            async move {
                let mut seen = request.into_bytes();
                read_until(&mut stream, &mut seen, |seen| seen.contains(part.trim_end())).await;
                let _ = stream.write_all(response.as_bytes()).await;
                let _ = sender.send("reached");
                let _ = sender.send(if read_to_end_of_chunks(&mut stream).await { "complete" } else { "cut" });
            }
        })
        .await;
        let (server, key) = start_connected_server(&url, &[]).await;
        let mut stream = open_request(&server, method, &[("authorization", &key)], length).await;
        stream.write_all(part.as_bytes()).await.expect("the host reads");
        assert_eq!(within_a_minute(events.recv()).await, Some("reached"));
        if !response.is_empty() {
            read_until(&mut stream, &mut Vec::new(), |seen| seen.contains("first")).await;
        }
        drop(stream);
        assert_eq!(within_a_minute(events.recv()).await, Some("cut"), "{method} {response:?}");
    }
}

/// A vendor may refuse a body before its end, and a caller that stops within one times out.
#[tokio::test]
async fn response_does_not_wait_for_the_request_body() {
    for (response, status, word) in [
        ("HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\nconnection: close\r\n\r\ntoo much", "413", "too much"),
        ("", "504", "\"retry\":\"unsafe\""),
    ] {
        let (sender, mut events) = mpsc::unbounded_channel();
        let url = start_vendor(move |mut stream, request| {
            let sender = sender.clone();
            async move {
                let mut seen = request.into_bytes();
                read_until(&mut stream, &mut seen, |seen| seen.contains("first")).await;
                let _ = stream.write_all(response.as_bytes()).await;
                let _ = sender.send(if read_to_end_of_chunks(&mut stream).await { "complete" } else { "cut" });
            }
        })
        .await;
        let (server, key) = start_connected_server(&url, &["--timeout", "1"]).await;
        let mut stream = open_request(&server, "POST", &[("authorization", &key)], None).await;
        stream.write_all(b"5\r\nfirst\r\n").await.expect("the host reads");
        let mut seen = Vec::new();
        read_until(&mut stream, &mut seen, |seen| seen.starts_with(&format!("HTTP/1.1 {status} ")) && seen.contains(word)).await;
        assert_eq!(within_a_minute(events.recv()).await, Some("cut"), "{status}");
    }
}
