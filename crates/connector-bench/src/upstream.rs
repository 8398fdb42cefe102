//! A server in another process with canned answers: HTTP/1.1, kept alive, a thread for each connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::one_core::{OneCore, Which};
use crate::{Failure, bodies};

/// What it answers, whole.
struct Answers {
    one: Vec<u8>,
    list: Vec<u8>,
    missing: Vec<u8>,
}

/// Serves until its stdin ends, so that it is not left behind where the bench is stopped.
pub(crate) fn serve() -> Result<(), Failure> {
    let _core = OneCore::keep(Which::Last);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let answers = Arc::new(Answers {
        one: answer("200 OK", &bodies::one()),
        list: answer("200 OK", &bodies::list()),
        missing: answer("404 Not Found", r#"{"success":false,"error":"There is no such canned answer"}"#),
    });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            // A client that goes away ends its thread alone.
            thread::spawn(move || drop(converse(stream, &answers)));
        }
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn converse(mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut held = Vec::new();
    let mut room = [0; 16 << 10];
    loop {
        let end = loop {
            if let Some(end) = end(&held).filter(|end| *end <= held.len()) {
                break end;
            }
            match stream.read(&mut room)? {
                0 => return Ok(()),
                read => held.extend_from_slice(&room[..read]),
            }
        };
        let answer = match () {
            () if held.starts_with(b"GET /api/v2/deals/1 ") || held.starts_with(b"POST /api/v2/deals ") => &answers.one,
            () if held.starts_with(b"GET /api/v2/deals?") => &answers.list,
            () => &answers.missing,
        };
        stream.write_all(answer)?;
        held.drain(..end);
    }
}

/// Where a request ends, once its head is there.
fn end(held: &[u8]) -> Option<usize> {
    let body = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let length = held[..body].split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(b"content-length:".len())?;
        name.eq_ignore_ascii_case(b"content-length:").then(|| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok())?
    });
    Some(body + length.unwrap_or(0))
}

/// An answer with the headers that Pipedrive sends and clients look at.
fn answer(status: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nDate: Sat, 31 Jan 2026 09:30:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\
         X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 99\r\nX-RateLimit-Reset: 2\r\nX-Daily-Requests-Left: 299999\r\n\
         Cache-Control: no-cache\r\nVary: Accept-Encoding\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}
