//! Serves canned responses from another process: HTTP/1.1 with keep-alive, a thread for each connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::bodies;
use crate::measure::Failure;
use crate::one_core::{CorePosition, OneCore};

/// The number of records of the list that is given in pages of 500.
pub(crate) const LONG_LIST: u64 = 100_000;

/// The responses as they are sent, head and body.
struct CannedResponses {
    one: Vec<u8>,
    list: Vec<u8>,
    fields: Vec<u8>,
    missing: Vec<u8>,
}

/// Serves until its stdin ends, so that it does not outlive a bench that was stopped.
pub(crate) fn serve() -> Result<(), Failure> {
    let _core = OneCore::pin(CorePosition::Last);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let responses = Arc::new(CannedResponses {
        one: build_response("200 OK", &bodies::one()),
        list: build_response("200 OK", &bodies::list()),
        fields: build_response("200 OK", &bodies::fields()),
        missing: build_response("404 Not Found", r#"{"success":false,"error":"There is no such canned response"}"#),
    });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let responses = Arc::clone(&responses);
            // A client that disconnects ends its own thread only.
            thread::spawn(move || drop(serve_connection(stream, &responses)));
        }
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn serve_connection(mut stream: TcpStream, responses: &CannedResponses) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut held = Vec::new();
    let mut room = [0; 16 << 10];
    loop {
        let end = loop {
            if let Some(end) = find_end(&held).filter(|end| *end <= held.len()) {
                break end;
            }
            match stream.read(&mut room)? {
                0 => return Ok(()),
                read => held.extend_from_slice(&room[..read]),
            }
        };
        if let Some(page) = find_page(&held) {
            stream.write_all(&build_response("200 OK", &page))?;
            held.drain(..end);
            continue;
        }
        let response = match () {
            () if held.starts_with(b"GET /api/v2/deals/1 ") || held.starts_with(b"POST /api/v2/deals ") => &responses.one,
            () if held.starts_with(b"GET /api/v2/deals?") => &responses.list,
            () if held.starts_with(b"GET /api/v2/dealFields?") => &responses.fields,
            () => &responses.missing,
        };
        stream.write_all(response)?;
        held.drain(..end);
    }
}

/// Writes the page of the long list that a request asks for: `limit` and the cursor say which one.
fn find_page(held: &[u8]) -> Option<String> {
    let target = std::str::from_utf8(held.strip_prefix(b"GET /api/v2/deals?limit=")?.split(|byte| *byte == b' ').next()?).ok()?;
    if target == "1" {
        return Some(bodies::page(1, 1, Some(2)));
    }
    let target = target.strip_prefix("500")?;
    let first = target.strip_prefix("&cursor=cursor-").map_or(Some(1), |first| first.parse().ok())?;
    let next = first + 500;
    Some(bodies::page(first, 500, (next <= LONG_LIST).then_some(next)))
}

/// Finds the end of a request once its head has arrived.
fn find_end(held: &[u8]) -> Option<usize> {
    let body = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let length = held[..body].split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(b"content-length:".len())?;
        name.eq_ignore_ascii_case(b"content-length:").then(|| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok())?
    });
    Some(body + length.unwrap_or(0))
}

/// Builds a response with the headers that Pipedrive sends and clients read.
fn build_response(status: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nDate: Sat, 31 Jan 2026 09:30:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\
         X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 99\r\nX-RateLimit-Reset: 2\r\nX-Daily-Requests-Left: 299999\r\n\
         Cache-Control: no-cache\r\nVary: Accept-Encoding\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}
