//! A client of HTTP/1.1, as small as the host's own responses allow. It reads lines as they come.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// A kept connection to the host.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
    host: String,
    authorization: String,
}

/// The head of a response, and the length of its body.
struct Head {
    status: u16,
    length: Length,
}

#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
}

/// A response, read whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(host: &str, key: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: host.to_owned(), authorization: format!("Bearer {key}") })
    }

    /// Posts JSON, and reads the response.
    pub(crate) async fn post(&mut self, path: &str, body: &[u8]) -> io::Result<Reply> {
        self.send(path, JSON, JSON, body).await?;
        let head = self.read_head().await?;
        let body = match head.length {
            Length::Known(length) => self.read_exactly(length).await?,
            Length::Chunked => {
                let mut body = Vec::new();
                while let Some(mut part) = self.read_chunk().await? {
                    body.append(&mut part);
                }
                body
            }
        };
        Ok(Reply { status: head.status, body })
    }

    /// Posts lines, and hands each line of the response to `take` as it comes. Another status than 200 is an error.
    pub(crate) async fn post_lines(&mut self, path: &str, body: &[u8], take: impl FnMut(&[u8])) -> io::Result<()> {
        self.send(path, LINES, LINES, body).await?;
        self.read_lines(take).await
    }

    /// Posts JSON, whose response is lines.
    pub(crate) async fn post_for_lines(&mut self, path: &str, body: &[u8], take: impl FnMut(&[u8])) -> io::Result<()> {
        self.send(path, JSON, LINES, body).await?;
        self.read_lines(take).await
    }

    async fn read_lines(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let head = self.read_head().await?;
        let Length::Chunked = head.length else {
            let Length::Known(length) = head.length else { return Ok(()) };
            let text = self.read_exactly(length).await?;
            return Err(wrong(format!("{} {}", head.status, String::from_utf8_lossy(&text))));
        };
        let mut open = Vec::new();
        while let Some(mut part) = self.read_chunk().await? {
            open.append(&mut part);
            while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
                take(&open[..end]);
                open.drain(..=end);
            }
        }
        if open.is_empty() { Ok(()) } else { Err(wrong("the last line of a stream has no end".to_owned())) }
    }

    async fn send(&mut self, path: &str, media: &str, accept: &str, body: &[u8]) -> io::Result<()> {
        let (host, authorization, length) = (&self.host, &self.authorization, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\ncontent-type: {media}\r\naccept: {accept}\r\n\
             content-length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat()).await
    }

    async fn read_head(&mut self) -> io::Result<Head> {
        let first = self.read_line().await?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| wrong(format!("no status: {first}")))?;
        let mut length = None;
        loop {
            let line = self.read_line().await?.to_ascii_lowercase();
            match line.split_once(": ") {
                _ if line.is_empty() => break,
                Some(("content-length", value)) => length = value.parse().ok().map(Length::Known),
                Some(("transfer-encoding", "chunked")) => length = Some(Length::Chunked),
                _ => {}
            }
        }
        Ok(Head { status, length: length.ok_or_else(|| wrong("a response without a length".to_owned()))? })
    }

    /// Reads a chunk of a body, or nothing at its end.
    async fn read_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = self.read_line().await?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| wrong(format!("no size of a chunk: {size}")))?;
        let part = self.read_exactly(size).await?;
        self.read_line().await?;
        Ok((size > 0).then_some(part))
    }

    async fn read_exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut part = vec![0; length];
        self.stream.read_exact(&mut part).await?;
        Ok(part)
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if !line.ends_with(b"\r\n") {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).map_err(|_| wrong("a head that is no text".to_owned()))
    }
}

/// Builds the error of a response that breaks no connection, but a promise.
fn wrong(what: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
