//! Vendors behind a host: one that echoes requests, and one whose responses a test writes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::read_until;
use super::server::Server;
use super::upstream::{build_json_response, build_response, read_request, serve_connections};

/// Starts a vendor that echoes the requests it gets. The last digit of a token is the number of its company.
pub(crate) async fn start_echo_vendor() -> String {
    serve_connections(|mut stream| async move {
        let request = read_request(&mut stream).await;
        if request.contains(" /api/v2/never ") {
            std::future::pending::<()>().await;
        }
        let _ = stream.write_all(&build_echo(&request)).await;
    })
    .await
}

fn build_echo(request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let json = |status: &str, body: &Value| build_json_response(status, &body.to_string());
    match path.split('?').next().unwrap_or_default() {
        "/api/v1/users/me" => build_user(request),
        "/api/v2/away" => build_response("302 Found", "location: https://evil.example/api/v2/deals\r\n", ""),
        "/api/v2/near" => build_response("302 Found", "location: /api/v2/echo?a=1\r\n", ""),
        "/api/v1/deals/9" => json("404 Not Found", &json!({"success": false, "error": "Deal not found", "error_info": "x"})),
        _ => {
            let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
            let echo = json!({"head": head, "length": body.len()}).to_string();
            let headers = "content-type: text/html\r\nset-cookie: a=b\r\nx-hop: 1\r\nx-kept: 1\r\nconnection: close, x-hop\r\n";
            format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{echo}", echo.len()).into_bytes()
        }
    }
}

/// Builds the answer that identifies the token of a request.
pub(crate) fn build_user(request: &str) -> Vec<u8> {
    let token = request.lines().find_map(|line| line.to_lowercase().strip_prefix("x-api-token: ").map(str::to_owned)).unwrap_or_default();
    let number: u32 = token.chars().last().and_then(|last| last.to_digit(10)).unwrap_or(0);
    let user = json!({
        "id": number, "name": "U", "email": "u@acme.example",
        "company_id": number, "company_name": format!("Company {number}"), "company_domain": format!("acme{number}"),
    });
    build_json_response("200 OK", &json!({"success": true, "data": user}).to_string())
}

/// Starts a vendor that identifies tokens and leaves every other request to `handle`.
///
/// `handle` gets the head, and the part of the body that came with it.
pub(crate) async fn start_vendor<W>(handle: impl Fn(TcpStream, String) -> W + Clone + Send + 'static) -> String
where
    W: Future<Output = ()> + Send + 'static,
{
    serve_connections(move |mut stream| {
        let handle = handle.clone();
        async move {
            let mut request = Vec::new();
            read_until(&mut stream, &mut request, |seen| seen.contains("\r\n\r\n")).await;
            let request = String::from_utf8(request).expect("a request is text");
            if request.contains(" /api/v1/users/me ") {
                let _ = stream.write_all(&build_user(&request)).await;
            } else {
                handle(stream, request).await;
            }
        }
    })
    .await
}

/// Starts a host before a vendor, and connects the owner of a fresh key to it.
pub(crate) async fn start_connected_server(vendor: &str, arguments: &[&str]) -> (Server, String) {
    let server = Server::start(vendor, arguments);
    let key = server.create_key("acme");
    server.connect(&key, "token-1").await;
    (server, key)
}

/// Sends the head of a request through the gateway.
pub(crate) async fn open_request(server: &Server, method: &str, headers: &[(&str, &str)], length: Option<usize>) -> TcpStream {
    server.open(method, "/gateway/pipedrive/api/v2/things", headers, length).await
}

/// Waits for an event that a defect would prevent.
pub(crate) async fn within_a_minute<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), event).await.expect("the event must come: one side waits for ever")
}

/// Reads until the other side closes.
pub(crate) async fn read_rest(mut stream: TcpStream, mut seen: Vec<u8>) -> String {
    let _ = within_a_minute(stream.read_to_end(&mut seen)).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// Reads until the other side closes, and returns true if it sent the end of a chunked body.
pub(crate) async fn read_to_end_of_chunks(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let _ = stream.read_to_end(&mut seen).await;
    seen.ends_with(b"0\r\n\r\n")
}
