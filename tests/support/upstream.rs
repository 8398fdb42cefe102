//! Servers that answer as the test says, and a runtime before them.

use std::sync::Arc;

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Retries, Runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::runtime::build;
use super::sandbox::bind;

pub(crate) const SECRET: &str = "hunter2-hunter2-hunter2";

/// Starts a server that reads a request, answers with these bytes and closes. Returns its URL.
pub(crate) async fn start_upstream(response: impl Into<Vec<u8>>) -> String {
    let response = Arc::new(response.into());
    serve_connections(move |mut stream| {
        let response = Arc::clone(&response);
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(&response).await;
        }
    })
    .await
}

/// Starts a server that reads each request and never answers.
pub(crate) async fn start_silent_upstream() -> String {
    serve_connections(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await
}

/// Starts a server that hands each connection to `handle`. Returns its URL.
pub(crate) async fn serve_connections<F, W>(handle: F) -> String
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let (listener, url) = bind().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    url
}

/// Reads the head of a request and as much of its body as `content-length` says.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    loop {
        let end = text.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&text[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .and_then(|length| length.parse().ok())
                .unwrap_or(0_usize);
            if text.len() >= end + 4 + length {
                return String::from_utf8_lossy(&text).into_owned();
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&text).into_owned(),
            Ok(count) => text.extend_from_slice(&part[..count]),
        }
    }
}

/// Builds a runtime that holds `SECRET`, limits answers and files to a few megabytes, and sends nothing again.
pub(crate) fn build_limited_runtime(url: &str) -> Runtime {
    let builder = Runtime::builder().connections(build_secret_connection(url)).retries(Retries::none());
    build(builder.largest_answer(1 << 20).largest_file(2 << 20))
}

pub(crate) fn build_secret_connection(url: &str) -> OneConnection {
    OneConnection::new("acme", url, Credential::bearer(SECRET)).expect("the host is allowed")
}

/// Builds a response that closes its connection.
pub(crate) fn build_response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn build_json_response(status: &str, body: &str) -> Vec<u8> {
    build_response(status, "content-type: application/json\r\n", body)
}
