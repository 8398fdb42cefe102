//! An HTTP client that keeps nothing from the test: every header and every byte of a response.

use base64::Engine as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::evidence;

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request on a connection of its own, and reads the whole response.
pub(crate) async fn send(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut stream = open(url, method, path, headers, Some(body.len())).await;
    // A server that refuses a body may close before it has read all of it.
    let _ = stream.write_all(body).await;
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    let response = Response::parse(&text);
    response.record_evidence(path);
    response
}

/// Sends the head of a request. Its body is chunked if no length is given.
pub(crate) async fn open(url: &str, method: &str, path: &str, headers: &[(&str, &str)], length: Option<usize>) -> TcpStream {
    let host = url.strip_prefix("http://").expect("a test speaks plain http");
    let mut stream = TcpStream::connect(host).await.expect("the server listens");
    stream.write_all(build_head(host, method, path, headers, length).as_bytes()).await.expect("the server reads");
    stream
}

fn build_head(host: &str, method: &str, path: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
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

/// Reads until the text so far is enough, and fails if the stream ends before.
pub(crate) async fn read_until(stream: &mut TcpStream, seen: &mut Vec<u8>, is_enough: impl Fn(&str) -> bool) {
    let mut part = [0; 4096];
    while !is_enough(&String::from_utf8_lossy(seen)) {
        let count = stream.read(&mut part).await.expect("the stream is open");
        assert!(count > 0, "the stream ended early: {}", String::from_utf8_lossy(seen));
        seen.extend_from_slice(&part[..count]);
    }
}

/// Reads until a word has come, and returns all of the text so far.
pub(crate) async fn read_until_word(stream: &mut TcpStream, word: &str) -> String {
    let mut seen = Vec::new();
    read_until(stream, &mut seen, |seen| seen.contains(word)).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// Builds the value of an `authorization` header of the scheme Basic.
pub(crate) fn build_basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

impl Response {
    fn parse(text: &[u8]) -> Self {
        let end = text.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let head = std::str::from_utf8(&text[..end]).expect("a head is text");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).expect("a status");
        let headers: Vec<(String, String)> =
            lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let rest = &text[end + 4..];
        Self { status, headers, body: if is_chunked { join_chunks(rest) } else { rest.to_vec() } }
    }

    /// Records the body that a host showed, and the secrets that it handed out by design.
    fn record_evidence(&self, path: &str) {
        evidence::record_handed_out(&self.headers, &self.text());
        match path {
            "/v1/invoke" => evidence::record_shown("outcome", &self.body),
            "/metrics" => evidence::record_shown("metrics", &self.body),
            _ if self.header("connector-error").is_some() => evidence::record_shown("error", &self.body),
            _ => {}
        }
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

    /// Returns the kind of the host's own error, on which header and body agree.
    pub(crate) fn kind(&self) -> String {
        let error = self.json()["error"].clone();
        let kind = error["kind"].as_str().unwrap_or_else(|| panic!("expected an error of the host: {}", self.text())).to_owned();
        assert_eq!(self.header("connector-error"), Some(kind.as_str()));
        assert!(error["hint"].is_string() && error["message"].is_string(), "give the error a message and a hint: {error}");
        kind
    }
}

fn join_chunks(mut chunks: &[u8]) -> Vec<u8> {
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
