//! A server on loopback that answers each request by a function.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The status of a response with its reason, and the JSON body.
pub(crate) type Answer = (&'static str, String);

/// Starts a server that answers each request by `answer`, which gets the head and the body. Returns its URL.
pub(crate) async fn serve(answer: impl Fn(&str, &str) -> Answer + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(respond(stream, answer.clone()));
        }
    });
    url
}

async fn respond(mut stream: TcpStream, answer: impl Fn(&str, &str) -> Answer) {
    let Some(request) = read_request(&mut stream).await else { return };
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
    let (status, body) = answer(head, body);
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // A client that has gone sees nothing: its call has failed by then.
    let _ = stream.write_all((head + &body).as_bytes()).await;
}

/// Reads the head of a request, and as much of its body as the head says.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    while !is_whole(&request) {
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&part[..count]);
    }
    Some(String::from_utf8_lossy(&request).into_owned())
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let find = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(|value| value.trim().to_owned()));
    match find("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => request.len() >= end + 4 + length,
        None => find("transfer-encoding").is_none() || request.ends_with(b"0\r\n\r\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_whole_once_its_body_is_there() {
        for (request, whole) in [
            ("GET / HTTP/1.1\r\n", false),
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", true),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", true),
        ] {
            assert_eq!(is_whole(request.as_bytes()), whole, "{request}");
        }
    }
}
