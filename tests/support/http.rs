//! A client that shows all of an answer.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::evidence;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// Sends a request, and reads all of its answer.
pub(crate) async fn ask(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let host = url.strip_prefix("http://").expect("a test speaks plain http");
    let mut stream = TcpStream::connect(host).await.expect("it listens");
    stream.write_all(head(host, method, path, headers, Some(body.len())).as_bytes()).await.expect("it reads");
    // Whoever refuses a body may not read it.
    let _ = stream.write_all(body).await;
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    Reply::read(&text).noted(path)
}

pub(crate) fn head(host: &str, method: &str, path: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
    let host = headers.iter().find(|(name, _)| *name == "host").map_or(host, |(_, host)| host);
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        head += &format!("{name}: {value}\r\n");
    }
    match length {
        Some(0) if method == "GET" => {}
        Some(length) => head += &format!("content-length: {length}\r\n"),
        None => head += "transfer-encoding: chunked\r\n",
    }
    head + "\r\n"
}

impl Reply {
    /// What a host shows of itself is kept, and so is what it hands out.
    pub(crate) fn noted(self, path: &str) -> Self {
        evidence::handed_out(&self.headers, &self.text());
        match path {
            "/v1/invoke" => evidence::shown("outcome", &self.body),
            "/metrics" => evidence::shown("metrics", &self.body),
            _ if self.header("connector-error").is_some() => evidence::shown("error", &self.body),
            _ => {}
        }
        self
    }

    pub(crate) fn read(text: &[u8]) -> Self {
        let end = text.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let head = std::str::from_utf8(&text[..end]).expect("a head is text");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).expect("a status");
        let headers: Vec<(String, String)> =
            lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let rest = &text[end + 4..];
        Self { status, headers, body: if chunked { joined(rest) } else { rest.to_vec() } }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The kind of an error of the host's own, whose header and body agree.
    pub(crate) fn kind(&self) -> String {
        let error = self.json()["error"].clone();
        let kind = error["kind"].as_str().unwrap_or_else(|| panic!("no error of ours: {}", self.text())).to_owned();
        assert_eq!(self.header("connector-error"), Some(kind.as_str()));
        assert!(error["hint"].is_string() && error["message"].is_string(), "{error}");
        kind
    }
}

pub(crate) fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&chunks[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok()).expect("a chunk's size");
        if size == 0 || chunks.len() < end + 2 + size {
            break;
        }
        body.extend_from_slice(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[end + 4 + size..];
    }
    body
}

pub(crate) const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

pub(crate) async fn until(stream: &mut TcpStream, seen: &mut Vec<u8>, done: impl Fn(&str) -> bool) {
    let mut part = [0; 4096];
    while !done(&String::from_utf8_lossy(seen)) {
        let count = stream.read(&mut part).await.expect("an answer comes");
        assert!(count > 0, "it ended early: {}", String::from_utf8_lossy(seen));
        seen.extend_from_slice(&part[..count]);
    }
}

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
