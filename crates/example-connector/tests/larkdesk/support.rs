//! A server, a runtime that is connected to it, and requests that no runtime would send.

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Retries, Runtime};
use example_connector::CONNECTOR;
use example_connector::server::{LarkdeskServer, NORTH_TOKEN};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A runtime before a server of its own.
pub(crate) struct Desk {
    pub(crate) server: LarkdeskServer,
    pub(crate) runtime: Runtime,
}

impl Desk {
    /// Starts a server, and a runtime with the token that a person copied from the account `North`.
    pub(crate) async fn start() -> Self {
        Self::start_with(Credential::api_token(NORTH_TOKEN)).await
    }

    /// Starts a server, and a runtime with a credential of its own.
    pub(crate) async fn start_with(credential: Credential) -> Self {
        let server = LarkdeskServer::start().await.expect("a port of this machine is free");
        let connection = OneConnection::new("north", server.url(), credential).expect("loopback is allowed");
        // A test that makes a request fail looks at its first answer.
        let builder = Runtime::builder().connectors(&[&CONNECTOR]).connections(connection).retries(Retries::none());
        let runtime = builder.build().expect("the declarations fit");
        Self { server, runtime }
    }

    /// Invokes an action or data source.
    pub(crate) async fn invoke(&self, key: &str, input: Value) -> Value {
        let outcome = self.runtime.invoke(Invocation::new(key).input(input)).await;
        serde_json::from_slice(&outcome.to_json()).expect("an outcome is JSON")
    }
}

/// A reply of the server.
pub(crate) struct RawReply {
    pub(crate) status: u16,
    pub(crate) head: String,
    body: String,
}

impl RawReply {
    /// Returns the value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
    }

    /// Returns the body as JSON, or null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Sends a request as it is written, with the token of the account `North`.
pub(crate) async fn send(server: &LarkdeskServer, method: &str, target: &str, content_type: &str, body: &str) -> RawReply {
    let host = server.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("the server listens");
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {NORTH_TOKEN}\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("the server answers text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a reply has a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a head has a status");
    RawReply { status, head: head.to_owned(), body: body.to_owned() }
}
