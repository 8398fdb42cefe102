//! Faults on purpose, as a client meets them over a connection.

mod broken;
mod lists;
mod refusals;
mod timing;

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{open_sandbox, options};
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::{DEMO_API_TOKEN, serve};

/// A sandbox with faults, behind a port of this machine.
struct FaultyServer {
    address: std::net::SocketAddr,
    sandbox: Sandbox,
}

/// A response as it came, byte by byte, and the error that ended it, if one did.
#[derive(Debug)]
struct RawResponse {
    text: String,
    error: Option<std::io::ErrorKind>,
}

impl FaultyServer {
    /// Must be called within a runtime of tokio.
    async fn start(faults: &str) -> Self {
        Self::start_with(Options { faults: faults.parse().expect("the test's faults are valid"), ..options() }).await
    }

    async fn start_with(options: Options) -> Self {
        let sandbox = open_sandbox(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(serve(listener, sandbox.clone()));
        Self { address, sandbox }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the sandbox listens")
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> RawResponse {
        self.send_as(DEMO_API_TOKEN, method, path, body).await
    }

    /// Sends a request, and reads all that comes until the connection ends.
    async fn send_as(&self, token: &str, method: &str, path: &str, body: &str) -> RawResponse {
        let mut stream = self.connect().await;
        stream.write_all(write_request(token, method, path, body).as_bytes()).await.expect("the request is sent");
        read_to_end(&mut stream).await
    }

    async fn get(&self, path: &str) -> RawResponse {
        self.send("GET", path, "").await
    }

    async fn create_deal(&self, title: &str) -> RawResponse {
        self.send("POST", "/api/v2/deals", &format!("{{\"title\":\"{title}\"}}")).await
    }

    /// Counts the deals of a title, in the sandbox itself.
    fn count_deals(&self, title: &str) -> usize {
        let deals = super::get_data(&self.sandbox, "/api/v2/deals?limit=500");
        deals.as_array().into_iter().flatten().filter(|deal| deal["title"] == title).count()
    }

    fn advance(&self, milliseconds: u64) {
        self.sandbox.clock().advance(Duration::from_millis(milliseconds));
    }
}

fn write_request(token: &str, method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nx-api-token: {token}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn read_to_end(stream: &mut TcpStream) -> RawResponse {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).await.err().map(|error| error.kind());
    RawResponse { text: String::from_utf8(bytes).expect("the response is text"), error }
}

impl RawResponse {
    fn status(&self) -> u16 {
        self.text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status in {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    fn length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_else(|| panic!("no length in {self:?}"))
    }

    fn fault(&self) -> Option<&str> {
        self.header("x-sandbox-fault")
    }
}
