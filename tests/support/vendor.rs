//! Vendors that the gateway stands before: one that tells what it was asked, and one that does as a test says.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::{head, until};
use super::server::Served;
use super::upstream::{http, read_request, served as upstream};

/// A vendor that tells what it was asked, and whose a token is by its last letter.
pub(crate) async fn echo_vendor() -> String {
    upstream(|mut stream| async move {
        let request = read_request(&mut stream).await;
        if request.contains(" /api/v2/never ") {
            std::future::pending::<()>().await;
        }
        let _ = stream.write_all(&answered(&request)).await;
    })
    .await
}

pub(crate) fn answered(request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let json = |status: &str, body: &Value| http(status, "content-type: application/json\r\n", &body.to_string());
    let token = request.lines().find_map(|line| line.to_lowercase().strip_prefix("x-api-token: ").map(str::to_owned)).unwrap_or_default();
    match path.split('?').next().unwrap_or_default() {
        "/api/v1/users/me" => {
            let user: u32 = token.chars().last().and_then(|last| last.to_digit(10)).unwrap_or(0);
            let company = json!({"id": user, "name": "U", "email": "u@acme.example", "company_id": user, "company_name": format!("Company {user}"), "company_domain": format!("acme{user}")});
            json("200 OK", &json!({"success": true, "data": company}))
        }
        "/api/v2/away" => http("302 Found", "location: https://evil.example/api/v2/deals\r\n", ""),
        "/api/v2/near" => http("302 Found", "location: /api/v2/echo?a=1\r\n", ""),
        "/api/v1/deals/9" => json("404 Not Found", &json!({"success": false, "error": "Deal not found", "error_info": "x"})),
        _ => {
            let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
            let told = json!({"head": head, "length": body.len()}).to_string();
            let headers = "content-type: text/html\r\nset-cookie: a=b\r\nx-hop: 1\r\nx-kept: 1\r\nconnection: close, x-hop\r\n";
            format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{told}", told.len()).into_bytes()
        }
    }
}

/// A vendor that says whose a token is, and leaves the rest to `work`, which is given the head and what came with it.
pub(crate) async fn vendor<W>(work: impl Fn(TcpStream, String) -> W + Clone + Send + 'static) -> String
where
    W: Future<Output = ()> + Send + 'static,
{
    upstream(move |mut stream| {
        let work = work.clone();
        async move {
            let mut request = Vec::new();
            until(&mut stream, &mut request, |seen| seen.contains("\r\n\r\n")).await;
            let request = String::from_utf8(request).expect("it is text");
            if request.contains(" /api/v1/users/me ") {
                let _ = stream.write_all(&answered(&request)).await;
            } else {
                work(stream, request).await;
            }
        }
    })
    .await
}

/// A host before a vendor, and a key whose owner is connected to it.
pub(crate) async fn connected(vendor: &str, arguments: &[&str]) -> (Served, String) {
    let served = Served::before(vendor, arguments);
    let key = served.key("acme");
    served.connect(&key, "token-1").await;
    (served, key)
}

/// A request that is still open: its head is sent.
pub(crate) async fn opened(served: &Served, method: &str, headers: &[(&str, &str)], length: Option<usize>) -> TcpStream {
    let host = served.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("it listens");
    let head = head(host, method, "/gateway/pipedrive/api/v2/things", headers, length);
    stream.write_all(head.as_bytes()).await.expect("it reads");
    stream
}

/// What comes soon, where a defect would have it never come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), what).await.expect("somebody stands still, and nobody ends it")
}

/// All that comes until the other side is done.
pub(crate) async fn rest(mut stream: TcpStream, mut seen: Vec<u8>) -> String {
    let _ = soon(stream.read_to_end(&mut seen)).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// Reads until the other side is gone, and says whether the body had come to its end.
pub(crate) async fn gone(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let _ = stream.read_to_end(&mut seen).await;
    seen.ends_with(b"0\r\n\r\n")
}
