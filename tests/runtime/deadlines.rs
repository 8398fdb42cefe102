//! Waits of every kind, each of which ends with the caller's time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Access, Connection, Connections, Credential};
use connector_core::run::{Invocation, Runtime, Source, Upload};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::support::runtime::{build, run};
use crate::support::upstream::{
    build_json_response, build_response, build_secret_connection, read_request, serve_connections, start_silent_upstream, start_upstream,
};

/// A point at which an engine's connections never answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Silence {
    Choosing,
    Access,
    Renewal,
}

/// Connections that fall silent at one point.
struct SilentVault {
    url: String,
    silence: Silence,
}

impl SilentVault {
    async fn fall_silent_at(&self, point: Silence) {
        if self.silence == point {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Connections for SilentVault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        self.fall_silent_at(Silence::Choosing).await;
        Ok(Connection::new("silent", &self.url))
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        self.fall_silent_at(Silence::Access).await;
        Access::new(&self.url, Credential::bearer("a token"))
    }

    async fn renew(&self, _connection: &Connection, _refused: &Access) -> Result<Option<Access>, Error> {
        self.fall_silent_at(Silence::Renewal).await;
        Ok(None)
    }
}

/// A file that is never read to its end.
struct EndlessFile;

impl Source for EndlessFile {
    fn size(&self) -> u64 {
        9
    }

    fn open(&self) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        Ok(Box::new(b"half".chain(Stuck)))
    }
}

/// A reader that has nothing, and a writer that takes nothing.
struct Stuck;

impl AsyncRead for Stuck {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// Runs a call that would wait for ever, and checks that its time ends it.
async fn time_out(what: &str, runtime: &Runtime, mut call: Invocation, retry: &str, requests: u32) -> Value {
    call.options.timeout = Duration::from_millis(300);
    let outcome = run(runtime, call).await;
    let (error, meta) = (&outcome["error"], &outcome["meta"]);
    assert_eq!((&error["kind"], &error["retry"]), (&json!("timed_out"), &json!(retry)), "{what}: {outcome}");
    assert_eq!(meta["requests"], requests, "{what}: {outcome}");
    outcome
}

fn write() -> Invocation {
    Invocation::new("addNote").input(json!({"dealId": 1, "content": "x"}))
}

/// A write that was answered by 401 was not carried out, however long the renewal takes.
#[tokio::test]
async fn time_covers_the_choice_the_access_and_the_renewal() {
    let url = start_upstream(build_json_response("401 Unauthorized", r#"{"success":false,"error":"unauthorized access"}"#)).await;
    for (what, silence, requests) in
        [("the choice", Silence::Choosing, 0), ("the access", Silence::Access, 0), ("the renewal", Silence::Renewal, 1)]
    {
        let runtime = build(Runtime::builder().connections(SilentVault { url: url.clone(), silence }));
        time_out(what, &runtime, write(), "later", requests).await;
    }
}

#[tokio::test]
async fn time_covers_a_silent_a_dripping_and_a_halting_answer() {
    let dripping = serve_connections(|mut stream| async move {
        read_request(&mut stream).await;
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while sent.is_ok() {
            sent = stream.write_all(b"1\r\n \r\n").await;
            tokio::task::yield_now().await;
        }
    })
    .await;
    let halting = serve_connections(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").await;
        std::future::pending::<()>().await;
    })
    .await;
    for (what, url) in [("silent", start_silent_upstream().await), ("halting", halting), ("dripping", dripping)] {
        let runtime = build(Runtime::builder().connections(build_secret_connection(&url)).largest_answer(usize::MAX));
        time_out(what, &runtime, Invocation::new("getNote").input(json!({"noteId": 1})), "later", 1).await;
        time_out(what, &runtime, write(), "unsafe", 1).await;
    }
}

#[tokio::test]
async fn time_covers_files_that_are_read_and_written() {
    let whole = start_upstream(build_response("200 OK", "content-type: text/plain\r\n", "hello")).await;
    let runtime = build(Runtime::builder().connections(build_secret_connection(&whole)));
    let fetched = Invocation::new("downloadFile").input(json!({"fileId": 1})).fetch_into(Stuck);
    time_out("a sink", &runtime, fetched, "later", 1).await;
    let silent = build(Runtime::builder().connections(build_secret_connection(&start_silent_upstream().await)));
    let sent = Invocation::new("addFile").input(json!({"dealId": 1})).file("file", Upload::source("a.txt", EndlessFile));
    time_out("a file", &silent, sent, "unsafe", 1).await;
}
