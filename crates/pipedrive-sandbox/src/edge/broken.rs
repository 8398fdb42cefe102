//! Responses that break the rules of HTTP on purpose: they are written to the socket byte by byte.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LENGTH;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::value::clock::Clock;

/// The number of parts of a body that drips.
const DROPS: usize = 10;
/// The bytes of a body that a wrong length leaves out.
const LEFT_OUT: usize = 7;

/// The end of a connection that does not follow the rules.
#[derive(Clone, Debug)]
pub(crate) enum ConnectionEnd {
    /// It closes without a response.
    Closed,
    /// It is reset without a response.
    Reset,
    /// It closes after the head and half of the body.
    Cut(Box<Response<Bytes>>),
    /// It closes after a response with a length that is too small.
    WrongLength(Box<Response<Bytes>>),
    /// It closes after a response that takes this long.
    Drip(Box<Response<Bytes>>, Duration),
}

impl ConnectionEnd {
    /// Writes the rest of a connection, and closes it.
    pub(crate) async fn write(&self, mut stream: TcpStream, clock: &Clock) -> io::Result<()> {
        match self {
            Self::Closed => {}
            // Closing a socket that does not linger sends a reset.
            Self::Reset => return stream.set_zero_linger(),
            Self::Cut(response) => {
                let body = response.body();
                stream.write_all(&write_head(response, body.len().max(1))).await?;
                stream.write_all(&body[..body.len() / 2]).await?;
            }
            Self::WrongLength(response) => {
                let body = response.body();
                stream.write_all(&write_head(response, body.len().saturating_sub(LEFT_OUT))).await?;
                stream.write_all(body).await?;
            }
            Self::Drip(response, duration) => {
                let body = response.body();
                stream.write_all(&write_head(response, body.len())).await?;
                let size = body.len().div_ceil(DROPS).max(1);
                let pause = *duration / u32::try_from(body.len().div_ceil(size)).unwrap_or(1).max(1);
                for part in body.chunks(size) {
                    clock.sleep(pause).await;
                    stream.write_all(part).await?;
                }
            }
        }
        stream.shutdown().await
    }
}

fn write_head(response: &Response<Bytes>, length: usize) -> Vec<u8> {
    let status = response.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default()).into_bytes();
    for (name, value) in response.headers().iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend(format!("content-length: {length}\r\nconnection: close\r\n\r\n").bytes());
    head
}
