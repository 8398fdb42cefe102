//! A server of a sandbox over HTTP/1.1.

use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::edge::faults::{TokenFault, fail};
use crate::edge::sandbox::Sandbox;

const MAX_BODY: usize = 10 << 20;
/// The bytes of a too large body that are still read, so that the client can read the refusal.
const MAX_DRAINED: usize = 128 << 20;

/// Serves every connection of a listener until the future is dropped.
pub async fn serve(listener: TcpListener, sandbox: Sandbox) -> io::Result<()> {
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // A connection that ended before it was accepted does not affect the next one.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with delays");
        }
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(sandbox.clone(), request));
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, ConnectionEnd> {
    let (head, body) = request.into_parts();
    let response = match read(body).await.map_err(ConnectionEnd::Early)? {
        None => sandbox.refuse_too_large(&Request::from_parts(head, Bytes::new()), MAX_BODY),
        Some(body) => answer_or_fail(sandbox, Request::from_parts(head, body)).await?,
    };
    Ok(response.map(Full::new))
}

/// Answers a request, or lets it meet its fault.
async fn answer_or_fail(sandbox: Sandbox, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionEnd> {
    match sandbox.take_fault(&request) {
        None => Ok(respond(sandbox, request).await),
        Some(TokenFault::Status(status)) => Ok(fail(status)),
        Some(TokenFault::ConnectionDropped) => Err(ConnectionEnd::OnPurpose),
        Some(TokenFault::ResponseLost) => {
            respond(sandbox, request).await;
            Err(ConnectionEnd::OnPurpose)
        }
        Some(TokenFault::Held(gate)) => {
            gate.pass().await;
            Ok(respond(sandbox, request).await)
        }
    }
}

async fn respond(sandbox: Sandbox, request: Request<Bytes>) -> Response<Bytes> {
    if !sandbox.blocks(&request) {
        return sandbox.respond(request);
    }
    let refused = sandbox.clone();
    match tokio::task::spawn_blocking(move || sandbox.respond(request)).await {
        Ok(response) => response,
        Err(error) => refused.fail_internally(&error),
    }
}

/// The reason for which a connection closes without a response.
#[derive(Debug)]
enum ConnectionEnd {
    Early(hyper::Error),
    OnPurpose,
}

impl fmt::Display for ConnectionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Early(error) => error.fmt(f),
            Self::OnPurpose => f.write_str("the response is left out on purpose"),
        }
    }
}

impl std::error::Error for ConnectionEnd {}

/// Reads the whole body; none if it is too large.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut kept = BytesMut::new();
    let mut total = 0_usize;
    while let Some(frame) = body.frame().await.transpose()? {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        total += data.len();
        if total <= MAX_BODY {
            kept.extend_from_slice(data);
        } else if total > MAX_DRAINED {
            break;
        }
    }
    Ok((total <= MAX_BODY).then(|| kept.freeze()))
}
