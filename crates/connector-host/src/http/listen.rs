//! Takes connections in, and lets those that are under way end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// How long the head of a request may take, the wait of a kept connection for its next one included.
const FOR_A_HEAD: Duration = Duration::from_secs(30);

/// About how many bytes the head of a request may have: what all connections hold together has a bound.
const LARGEST_HEAD: usize = 64 << 10;

/// Connections that may be open at once; more wait to be taken in.
const MOST_CONNECTIONS: usize = 4096;

/// Who connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// How long others may keep this host waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// A peer that takes nothing of its answer.
    pub(super) unread: Duration,
    /// What is still under way once the host stops.
    pub(super) drain: Duration,
}

/// A stream whose peer takes what is sent: one that does not would hold its request's place for ever.
struct Taken {
    stream: TcpStream,
    unread: Duration,
    /// Set while the peer takes nothing.
    until: Option<Pin<Box<Sleep>>>,
}

/// Serves until `stop` ends, then waits for what is under way; until when it may take to end.
pub(super) async fn serve(listener: TcpListener, router: Router, patience: Patience, stop: impl Future<Output = ()>) -> Instant {
    let open = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let under_way = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (permit, (stream, peer)) = tokio::select! {
            taken = taken_in(&listener, &open) => taken,
            () = &mut stop => break,
        };
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            router.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(FOR_A_HEAD).max_buf_size(LARGEST_HEAD);
        let stream = Taken { stream, unread: patience.unread, until: None };
        let connection = under_way.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    let until = Instant::now() + patience.drain;
    tracing::info!("stopping: no more connections are taken in");
    if tokio::time::timeout_at(until, under_way.shutdown()).await.is_err() {
        tracing::warn!(seconds = patience.drain.as_secs(), "what was still under way is cut off");
    }
    until
}

/// The next connection, once there is room for it.
async fn taken_in(listener: &TcpListener, open: &Arc<Semaphore>) -> (OwnedSemaphorePermit, (TcpStream, SocketAddr)) {
    let permit = Arc::clone(open).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers would wait for the peer's acknowledgement.
                let _ = stream.set_nodelay(true);
                return (permit, (stream, peer));
            }
            // One that is gone before it was taken in says nothing about the next.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            // Out of files or memory, say: those that are open will end.
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken in for now");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Taken {
    /// What a write came to, or that the peer took nothing for too long.
    fn in_time(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.until = None;
            return written;
        }
        let unread = self.unread;
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(unread)));
        ready!(until.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Taken {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Taken {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
