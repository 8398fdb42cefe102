//! The HTTP/1.1 server of a sandbox.

use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::edge::faults::{TokenFault, build_failure};
use crate::edge::sandbox::Sandbox;

const MAX_BODY: usize = 10 << 20;
/// The part of a too large body that is still read, so that its sender can read the error response.
const MAX_DRAINED: usize = 128 << 20;

/// Serves all connections of a listener until the future is dropped.
pub async fn serve(listener: TcpListener, sandbox: Sandbox) -> io::Result<()> {
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // A connection that ended before it was accepted does not concern the next one.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off the delay of a connection");
        }
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| handle(sandbox.clone(), request));
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

async fn handle(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, ConnectionEnd> {
    let (head, body) = request.into_parts();
    let response = match read_body(body).await.map_err(ConnectionEnd::ByClient)? {
        None => sandbox.respond_too_large(&Request::from_parts(head, Bytes::new()), MAX_BODY),
        Some(body) => respond_or_fail(sandbox, Request::from_parts(head, body)).await?,
    };
    Ok(response.map(Full::new))
}

/// Responds to a request, with the next fault if there is one for it.
async fn respond_or_fail(sandbox: Sandbox, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionEnd> {
    match sandbox.take_fault(&request) {
        None => Ok(respond(sandbox, request).await),
        Some(TokenFault::Status(status)) => Ok(build_failure(status)),
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
    let copy = sandbox.clone();
    match tokio::task::spawn_blocking(move || sandbox.respond(request)).await {
        Ok(response) => response,
        Err(error) => copy.respond_internal_error(&error),
    }
}

/// The reason for which a connection closes without a response.
#[derive(Debug)]
enum ConnectionEnd {
    ByClient(hyper::Error),
    OnPurpose,
}

impl fmt::Display for ConnectionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByClient(error) => error.fmt(f),
            Self::OnPurpose => f.write_str("the response is left out on purpose"),
        }
    }
}

impl std::error::Error for ConnectionEnd {}

/// Reads a whole body; `None` if it is too large.
async fn read_body(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = BytesMut::new();
    let mut total = 0_usize;
    while let Some(frame) = body.frame().await.transpose()? {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        total += data.len();
        if total <= MAX_BODY {
            bytes.extend_from_slice(data);
        } else if total > MAX_DRAINED {
            break;
        }
    }
    Ok((total <= MAX_BODY).then(|| bytes.freeze()))
}
