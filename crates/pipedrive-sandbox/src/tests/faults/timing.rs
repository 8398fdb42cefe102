//! Faults that take time, which the test's clock gives them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::yield_now;

use super::{FaultyServer, read_to_end, write_request};
use crate::DEMO_API_TOKEN;
use crate::edge::options::Options;
use crate::tests::{get_data, options};
use crate::value::clock::Clock;

/// Sends a request for a deal, and gives the sandbox the turns to read it.
async fn begin_create(server: &FaultyServer) -> tokio::net::TcpStream {
    let mut stream = server.connect().await;
    let request = write_request(DEMO_API_TOKEN, "POST", "/api/v2/deals", "{\"title\":\"Slow\"}");
    stream.write_all(request.as_bytes()).await.expect("the request is sent");
    while server.sandbox.fault_counts().is_empty() {
        yield_now().await;
    }
    stream
}

#[tokio::test]
async fn latency_waits_before_the_work() {
    let server = FaultyServer::start("latency=always:1500ms@POST").await;
    let mut stream = begin_create(&server).await;
    server.advance(1499);
    for _ in 0..100 {
        yield_now().await;
    }
    assert_eq!(server.count_deals("Slow"), 0, "the request should wait");
    server.advance(1);
    let answer = read_to_end(&mut stream).await;
    assert_eq!((answer.status(), answer.fault()), (200, Some("latency")));
    assert_eq!(server.count_deals("Slow"), 1);
}

#[tokio::test]
async fn late_request_is_carried_out_although_its_client_has_gone() {
    let server = FaultyServer::start("latency=always:1s@POST").await;
    drop(begin_create(&server).await);
    // The sandbox serves another connection, so it has seen the end of the first.
    assert_eq!(server.get("/api/v2/deals/1").await.status(), 200);
    assert_eq!(server.count_deals("Slow"), 0);
    server.advance(1000);
    while server.count_deals("Slow") == 0 {
        yield_now().await;
    }
}

#[tokio::test]
async fn dripping_body_comes_in_parts() {
    let server = FaultyServer::start("drip=always:10s@POST").await;
    let mut stream = begin_create(&server).await;
    let (mut text, mut parts) = (String::new(), 0);
    let mut buffer = vec![0; 65_536];
    loop {
        match stream.read(&mut buffer).await.expect("the response can be read") {
            0 => break,
            length => text.push_str(std::str::from_utf8(&buffer[..length]).expect("the response is text")),
        }
        parts += 1;
        // A body of which the next part came early would have more parts than the clock had seconds.
        server.advance(1000);
    }
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("\"title\":\"Slow\"") && text.ends_with('}'), "{text}");
    assert_eq!(parts, 11, "the head and ten parts of the body should come, each at its time");
}

#[tokio::test]
async fn skewed_clock_shows_in_the_date_and_in_records() {
    for (faults, date, time) in [
        ("skew=always:1h", "Sun, 22 Nov 2026 13:00:00 GMT", "2026-11-22T13:00:00Z"),
        ("skew=always:-24h", "Sat, 21 Nov 2026 12:00:00 GMT", "2026-11-21T12:00:00Z"),
    ] {
        let server = FaultyServer::start(faults).await;
        let answer = server.create_deal("Skewed").await;
        assert_eq!((answer.status(), answer.header("date")), (200, Some(date)));
        assert_eq!((&answer.json()["data"]["add_time"], answer.header("date").is_some()), (&time.into(), true));
    }
}

#[tokio::test]
async fn machine_clock_waits_too() {
    let faults = "latency=always:1ms".parse().expect("the test's faults are valid");
    let server = FaultyServer::start_with(Options { faults, clock: Clock::system(), ..options() }).await;
    assert_eq!(server.get("/api/v2/deals/1").await.status(), 200);
    assert_eq!(get_data(&server.sandbox, "/api/v2/deals/1")["id"], 1, "a request that is not sent over a connection has no fault");
    assert_eq!(server.sandbox.fault_counts()[0].count, 1);
}
