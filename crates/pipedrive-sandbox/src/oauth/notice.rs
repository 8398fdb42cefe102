//! The notice that an app on this machine gets when a user uninstalls it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use serde_json::json;
use time::OffsetDateTime;

use crate::oauth::apps::App;
use crate::value::clock::stamp;
use crate::world::grants::Grantor;

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_STATUS_LINE: u64 = 1024;

/// Sends the `DELETE` to the app's callback, and returns the status of the response.
///
/// It writes one request to a connection of its own, so that the sandbox needs no HTTP client.
pub(super) fn send(app: &App, by: &Grantor, now: OffsetDateTime) -> Result<u16, String> {
    let uri: Uri = app.callback().parse().map_err(|_| "its address is not valid".to_owned())?;
    let host = uri.authority().map_or("", http::uri::Authority::as_str);
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut stream = TcpStream::connect_timeout(&resolve(&uri)?, TIMEOUT).map_err(|e| e.to_string())?;
    let body = json!({ "client_id": app.client_id, "company_id": by.company, "user_id": by.user, "timestamp": stamp(now) }).to_string();
    let credentials = STANDARD.encode(format!("{}:{}", app.client_id, app.client_secret));
    let request = format!(
        "DELETE {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Basic {credentials}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let exchange = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream.take(MAX_STATUS_LINE)).read_line(&mut line)?;
        Ok(line)
    };
    let line = exchange(&mut stream).map_err(|e: std::io::Error| e.to_string())?;
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.trim().parse().ok());
    status.ok_or_else(|| "its response is not HTTP".to_owned())
}

/// Resolves an address, which must be on this machine: the notice carries the app's credentials.
fn resolve(uri: &Uri) -> Result<SocketAddr, String> {
    if uri.scheme_str() != Some("http") {
        return Err("the sandbox can only send to http addresses".to_owned());
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(80);
    // Names below `localhost` mean this machine, even if its resolver does not know them.
    let host = if host == "localhost" || host.ends_with(".localhost") { "127.0.0.1" } else { host };
    let address = (host, port).to_socket_addrs().ok().and_then(|mut all| all.find(|candidate| candidate.ip().is_loopback()));
    address.ok_or_else(|| "its address is not on this machine".to_owned())
}
