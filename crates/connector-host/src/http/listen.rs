//! Takes connections in, and lets those that are under way end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long the head of a request may take, the wait of a kept connection for its next one included.
const FOR_A_HEAD: Duration = Duration::from_secs(30);

/// Connections that may be open at once; more wait to be taken in.
const MOST_CONNECTIONS: usize = 4096;

/// Who connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves until `stop` ends, then waits for what is under way, at most as long as `drain`.
pub(super) async fn serve(listener: TcpListener, router: Router, drain: Duration, stop: impl Future<Output = ()>) {
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
        http.timer(TokioTimer::new()).header_read_timeout(FOR_A_HEAD);
        let connection = under_way.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    tracing::info!("stopping: no more connections are taken in");
    if tokio::time::timeout(drain, under_way.shutdown()).await.is_err() {
        tracing::warn!(seconds = drain.as_secs(), "what was still under way is cut off");
    }
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
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
