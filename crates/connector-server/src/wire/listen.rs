//! Accepts connections, and waits at the end for those that are open.

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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep};

/// The timeout of the head of a request. It includes the idle time of a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest head of a request in bytes, approximately. It bounds the memory of all connections together.
const MAX_HEAD: usize = 64 << 10;

/// The largest number of open connections. Others wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;

/// The address of the client of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The timeouts of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// The time for which a client may read nothing of its response.
    pub(crate) unread: Duration,
    /// The time that open requests get to end when the host stops.
    pub(crate) drain: Duration,
}

/// A stream that fails if its client reads nothing: its request would keep its place for ever.
struct ClientStream {
    stream: TcpStream,
    unread: Duration,
    /// Set while the client reads nothing.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Serves until `stop` ends, then waits for open requests. Returns the deadline of that wait.
pub(crate) async fn run(listener: TcpListener, router: Router, timeouts: Timeouts, stop: impl Future<Output = ()>) -> Instant {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let open_connections = GracefulShutdown::new();
    // Connections end at once when the sender is dropped.
    let (keeps_open, cut) = watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let (permit, (stream, peer)) = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = &mut stop => break,
        };
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            router.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
        let stream = ClientStream { stream, unread: timeouts.unread, deadline: None };
        let connection = open_connections.watch(http.serve_connection(TokioIo::new(stream), service));
        let mut cut = cut.clone();
        tokio::spawn(async move {
            tokio::select! {
                result = connection => if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                },
                _ = cut.changed() => {}
            }
            drop(permit);
        });
    }
    drop(listener);
    let deadline = Instant::now() + timeouts.drain;
    tracing::info!("stopping: no more connections are accepted");
    if tokio::time::timeout_at(deadline, open_connections.shutdown()).await.is_err() {
        tracing::warn!(seconds = timeouts.drain.as_secs(), "requests that did not end in time were cut off");
    }
    drop(keeps_open);
    deadline
}

/// Accepts the next connection, once there is room for it.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> (OwnedSemaphorePermit, (TcpStream, SocketAddr)) {
    let permit = Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Otherwise a small response would wait for an acknowledgement of the client.
                let _ = stream.set_nodelay(true);
                return (permit, (stream, peer));
            }
            // A client that left before it was accepted says nothing about the next one.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            // Files or memory may have run out, until open connections end.
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted for now");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl ClientStream {
    /// Passes the result of a write on, unless the client read nothing for too long.
    fn check_time(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let unread = self.unread;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(unread)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check_time(context, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.check_time(context, written)
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
