//! The gateway hands each part on as it comes, both ways; what breaks off stays broken, and who goes away ends the work.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::http::until;
use crate::support::vendor::{connected, gone, opened, rest, soon, vendor};

#[tokio::test]
async fn response_parts_arrive_before_the_rest_is_sent() {
    for (headers, parts) in
        [("transfer-encoding: chunked", ["5\r\nfirst\r\n", "6\r\nsecond\r\n0\r\n\r\n"]), ("content-length: 11", ["first", "second"])]
    {
        let gate = Arc::new(Notify::new());
        let opens = Arc::clone(&gate);
        let url = vendor(move |mut stream, _| {
            let gate = Arc::clone(&opens);
            async move {
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{}", parts[0]).as_bytes()).await;
                gate.notified().await;
                let _ = stream.write_all(parts[1].as_bytes()).await;
            }
        })
        .await;
        let (served, key) = connected(&url, &[]).await;
        let mut stream = opened(&served, "GET", &[("authorization", &key)], Some(0)).await;
        let mut seen = Vec::new();
        until(&mut stream, &mut seen, |seen| seen.contains("first")).await;
        gate.notify_one();
        let all = rest(stream, seen).await;
        assert!(all.starts_with("HTTP/1.1 200 OK\r\n") && all.contains(headers) && all.contains("second"), "{all}");
    }
}

/// A body of unknown length, and one whose length is told and too large to be kept.
#[tokio::test]
async fn request_parts_arrive_before_the_rest_is_sent() {
    let large = "x".repeat(1 << 20);
    for (length, first, second) in [
        (None, "5\r\nfirst\r\n".to_owned(), "6\r\nsecond\r\n0\r\n\r\n".to_owned()),
        (Some(11 + large.len()), "first".to_owned(), format!("{large}second")),
    ] {
        let arrived = Arc::new(Notify::new());
        let arrives = Arc::clone(&arrived);
        let url = vendor(move |mut stream, request| {
            let arrives = Arc::clone(&arrives);
            async move {
                let mut seen = request.into_bytes();
                until(&mut stream, &mut seen, |seen| seen.contains("first")).await;
                arrives.notify_one();
                until(&mut stream, &mut seen, |seen| seen.contains("second")).await;
                let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nmade").await;
            }
        })
        .await;
        let (served, key) = connected(&url, &[]).await;
        let mut stream = opened(&served, "POST", &[("authorization", &key)], length).await;
        stream.write_all(first.as_bytes()).await.expect("it reads");
        soon(arrived.notified()).await;
        stream.write_all(second.as_bytes()).await.expect("it reads");
        let all = rest(stream, Vec::new()).await;
        assert!(all.starts_with("HTTP/1.1 201 Created\r\n") && all.ends_with("made"), "{all}");
    }
}

#[tokio::test]
async fn compressed_responses_pass_unchanged_and_only_on_request() {
    const BYTES: &[u8] = b"\x1f\x8b\x08\x00 not read by anyone on the way";
    let url = vendor(|mut stream, request| async move {
        let asked = request.to_lowercase().contains("\r\naccept-encoding: gzip, br\r\n");
        assert_eq!(asked, request.to_lowercase().contains("accept-encoding"));
        let coding = if asked { "gzip" } else { "identity" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", BYTES.len());
        let _ = stream.write_all(&[head.as_bytes(), BYTES].concat()).await;
    })
    .await;
    let (served, key) = connected(&url, &[]).await;
    let key = ("authorization", key.as_str());
    for (headers, coding) in [(&[key, ("accept-encoding", "gzip, br")][..], "gzip"), (&[key], "identity")] {
        let reply = served.ask("GET", "/gateway/pipedrive/api/v2/things", headers, "").await;
        assert_eq!((reply.status, reply.header("content-encoding"), reply.body.as_slice()), (200, Some(coding), BYTES));
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
        let url = vendor(move |mut stream, _| {
            let ends = Arc::clone(&ends);
            async move {
                let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{first}").as_bytes()).await;
                if stalls {
                    gone(&mut stream).await;
                    ends.notify_one();
                }
            }
        })
        .await;
        let (served, key) = connected(&url, &["--timeout", "1"]).await;
        let stream = opened(&served, "GET", &[("authorization", &key)], Some(0)).await;
        let all = rest(stream, Vec::new()).await;
        assert!(all.contains(headers) && all.contains("first") && !all.ends_with("0\r\n\r\n"), "{all}");
        if stalls {
            soon(ended.notified()).await;
        }
        assert!(served.log().contains("a response broke off"));
    }
}

/// Two lengths of one answer: the chunks are the truth, and the other one is not told.
#[tokio::test]
async fn chunked_length_wins_over_content_length() {
    let url = vendor(|mut stream, _| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(format!("{head}5\r\nfirst\r\n0\r\n\r\n").as_bytes()).await;
    })
    .await;
    let (served, key) = connected(&url, &[]).await;
    let reply = served.get("/gateway/pipedrive/api/v2/things", &key).await;
    assert_eq!((reply.header("content-length"), reply.text().as_str()), (None, "first"));
}

/// Before there is an answer, in the middle of one, and in the middle of the request's own body.
#[tokio::test]
async fn caller_disconnect_ends_the_vendor_request() {
    for (method, length, sent, answer) in [
        ("GET", Some(0), "", ""),
        ("GET", Some(0), "", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
        ("POST", None, "5\r\nfirst\r\n", ""),
    ] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let url = vendor(move |mut stream, request| {
            let tell = tell.clone();
            async move {
                let mut seen = request.into_bytes();
                until(&mut stream, &mut seen, |seen| seen.contains(sent.trim_end())).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = tell.send("reached");
                let _ = tell.send(if gone(&mut stream).await { "ended as a whole one" } else { "cut" });
            }
        })
        .await;
        let (served, key) = connected(&url, &[]).await;
        let mut stream = opened(&served, method, &[("authorization", &key)], length).await;
        stream.write_all(sent.as_bytes()).await.expect("it reads");
        assert_eq!(soon(told.recv()).await, Some("reached"));
        if !answer.is_empty() {
            until(&mut stream, &mut Vec::new(), |seen| seen.contains("first")).await;
        }
        drop(stream);
        assert_eq!(soon(told.recv()).await, Some("cut"), "{method} {answer:?}");
    }
}

/// The vendor need not read a body that it refuses, and a caller that stops in the middle of one does not hold it.
#[tokio::test]
async fn response_does_not_wait_for_the_request_body() {
    for (answer, status, word) in [
        ("HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\nconnection: close\r\n\r\ntoo much", "413", "too much"),
        ("", "504", "timed_out"),
    ] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let url = vendor(move |mut stream, request| {
            let tell = tell.clone();
            async move {
                let mut seen = request.into_bytes();
                until(&mut stream, &mut seen, |seen| seen.contains("first")).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = tell.send(if gone(&mut stream).await { "ended as a whole one" } else { "cut" });
            }
        })
        .await;
        let (served, key) = connected(&url, &["--timeout", "1"]).await;
        let mut stream = opened(&served, "POST", &[("authorization", &key)], None).await;
        stream.write_all(b"5\r\nfirst\r\n").await.expect("it reads");
        let mut seen = Vec::new();
        until(&mut stream, &mut seen, |seen| seen.starts_with(&format!("HTTP/1.1 {status} ")) && seen.contains(word)).await;
        assert_eq!(soon(told.recv()).await, Some("cut"), "{status}");
    }
}
