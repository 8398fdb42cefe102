//! A server that answers what the test says, and a runtime before it.

use std::sync::Arc;

use connector_core::{Credential, OneConnection, Runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::world::CONNECTORS;

pub(crate) const SECRET: &str = "hunter2-hunter2-hunter2";

/// A server that reads a request and answers with these bytes, then closes.
pub(crate) async fn upstream(answer: impl Into<Vec<u8>>) -> String {
    let answer = Arc::new(answer.into());
    served(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        }
    })
    .await
}

pub(crate) async fn served<F, W>(work: F) -> String
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(work(stream));
        }
    });
    url
}

/// Reads the head and as much of the body as its length says.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    loop {
        let head = text.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head) = head {
            let told = String::from_utf8_lossy(&text[..head]).to_lowercase();
            let length = told
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .and_then(|length| length.parse().ok())
                .unwrap_or(0_usize);
            if text.len() >= head + 4 + length {
                return String::from_utf8_lossy(&text).into_owned();
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&text).into_owned(),
            Ok(count) => text.extend_from_slice(&part[..count]),
        }
    }
}

pub(crate) fn runtime(url: &str) -> Runtime {
    let connection = OneConnection::new("acme", url, Credential::bearer(SECRET)).expect("loopback is a host");
    Runtime::builder()
        .connectors(&CONNECTORS)
        .connections(connection)
        .largest_answer(1 << 20)
        .largest_file(2 << 20)
        .build()
        .expect("the runtime is sound")
}

pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn json_answer(status: &str, body: &str) -> Vec<u8> {
    http(status, "content-type: application/json\r\n", body)
}
