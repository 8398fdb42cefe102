//! Servers that answer as the test says, and a runtime before them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Retries, Runtime};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::runtime::{build, run};
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

/// A vendor that answers its requests in turn, and then falls silent.
pub(crate) struct Script {
    pub(crate) runtime: Runtime,
    /// The path and query of each request.
    asked: watch::Receiver<Vec<String>>,
    /// The number of callers that left before they were answered.
    left: watch::Receiver<usize>,
}

impl Script {
    pub(crate) async fn start(bodies: impl IntoIterator<Item = Value>) -> Self {
        Self::start_with(bodies.into_iter().map(|body| build_json_response("200 OK", &body.to_string()))).await
    }

    pub(crate) async fn start_with(responses: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let responses: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::new(Mutex::new(responses.into_iter().collect()));
        let (asks, asked) = watch::channel(Vec::new());
        let (leaves, left) = watch::channel(0);
        let url = serve_connections(move |mut stream| {
            let (responses, asks, leaves) = (Arc::clone(&responses), asks.clone(), leaves.clone());
            async move {
                let request = read_request(&mut stream).await;
                let Some(target) = request.split(' ').nth(1) else { return };
                let response = responses.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                asks.send_modify(|asked| asked.push(target.to_owned()));
                match response {
                    Some(response) => drop(stream.write_all(&response).await),
                    None => {
                        let _ = stream.read(&mut [0]).await;
                        leaves.send_modify(|left| *left += 1);
                    }
                }
            }
        })
        .await;
        Self { runtime: build_limited_runtime(&url), asked, left }
    }

    pub(crate) async fn read(&self, key: &str, input: Value, most: Option<u64>) -> Value {
        run(&self.runtime, Invocation::new(key).input(input).all_pages(most)).await
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn wait_for_requests(&self, count: usize) {
        self.asked.clone().wait_for(|asked| asked.len() >= count).await.expect("the vendor listens");
    }

    /// Waits until a caller left before it was answered.
    pub(crate) async fn wait_for_leaving(&self) {
        self.left.clone().wait_for(|left| *left > 0).await.expect("the vendor listens");
    }
}

/// Builds a page of a list that pages by a cursor.
pub(crate) fn by_cursor(ids: &[u64], next: Option<&str>) -> Value {
    let records: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"success": true, "data": records, "additional_data": {"next_cursor": next}})
}

/// Builds a page of a list that pages by a start.
pub(crate) fn by_start(ids: &[u64], next: Option<u64>) -> Value {
    let records: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"success": true, "data": records,
        "additional_data": {"pagination": {"more_items_in_collection": next.is_some(), "next_start": next}}})
}
