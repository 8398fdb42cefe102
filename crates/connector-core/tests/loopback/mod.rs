//! A vendor on loopback, whose answers a test writes.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An answer: the status with its reason, further header lines, and the JSON body.
pub(crate) type Answer = (&'static str, String, String);

/// Starts a server that answers each request by `answer`, which gets the head and the body. Returns its URL.
pub(crate) async fn serve(answer: fn(&str, &str) -> Answer) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(respond(stream, answer));
        }
    });
    url
}

async fn respond(mut stream: TcpStream, answer: fn(&str, &str) -> Answer) {
    let Some((head, body)) = read_request(&mut stream).await else { return };
    let (status, headers, body) = answer(&head, &body);
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).await.expect("the client reads");
}

/// Reads the head of a request, and as much of its body as `content-length` says.
async fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut request = String::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        request += std::str::from_utf8(&part[..read]).expect("a request is text");
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}
