//! The HTTP/1.1 server of a sandbox.

use std::error::Error;
use std::future::poll_fn;
use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::edge::broken::ConnectionEnd;
use crate::edge::fault_choice::ChosenFault;
use crate::edge::fault_effects::{break_response, wait_time};
use crate::edge::fault_kind::FaultKind;
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
            if let Err(error) = serve_connection(stream, sandbox).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

/// Serves a connection. A fault can end it in a way that a server would not.
async fn serve_connection(stream: TcpStream, sandbox: Sandbox) -> Result<(), Box<dyn Error + Send + Sync>> {
    let copy = sandbox.clone();
    // Boxed, as the connection must be taken apart after its end.
    let service = service_fn(move |request| Box::pin(handle(copy.clone(), request)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = poll_fn(|context| connection.poll_without_shutdown(context)).await else {
        return Ok(());
    };
    match error.source().and_then(|source| source.downcast_ref::<ServiceEnd>()) {
        Some(ServiceEnd::OnPurpose(end)) => Ok(end.write(connection.into_parts().io.into_inner(), sandbox.clock()).await?),
        _ => Err(error.into()),
    }
}

async fn handle(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, ServiceEnd> {
    let (head, body) = request.into_parts();
    let response = match read_body(body).await.map_err(ServiceEnd::ByClient)? {
        None => sandbox.respond_too_large(&Request::from_parts(head, Bytes::new()), MAX_BODY),
        Some(body) => respond_or_fail(sandbox, Request::from_parts(head, body)).await.map_err(ServiceEnd::OnPurpose)?,
    };
    Ok(response.map(Full::new))
}

/// Responds to a request, with its fault if it has one. The queue of the token endpoint precedes the rules.
async fn respond_or_fail(sandbox: Sandbox, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionEnd> {
    match sandbox.take_token_fault(&request) {
        None => {}
        Some(TokenFault::Status(status)) => return Ok(build_failure(status)),
        Some(TokenFault::ConnectionDropped) => return Err(ConnectionEnd::Closed),
        Some(TokenFault::ResponseLost) => {
            respond(sandbox, request, None).await;
            return Err(ConnectionEnd::Closed);
        }
        Some(TokenFault::Held(gate)) => {
            gate.pass().await;
            return Ok(respond(sandbox, request, None).await);
        }
    }
    let Some(fault) = sandbox.take_fault(&request) else {
        return Ok(respond(sandbox, request, None).await);
    };
    let response = if fault.kind == FaultKind::Latency {
        respond_late(sandbox, request, fault).await
    } else {
        respond(sandbox, request, Some(fault)).await
    };
    break_response(response, fault)
}

/// Carries a request out after a while, also if its client has gone by then.
async fn respond_late(sandbox: Sandbox, request: Request<Bytes>, fault: ChosenFault) -> Response<Bytes> {
    let copy = sandbox.clone();
    let work = tokio::spawn(async move {
        copy.clock().sleep(wait_time(fault)).await;
        respond(copy, request, Some(fault)).await
    });
    work.await.unwrap_or_else(|error| sandbox.respond_internal_error(&error))
}

async fn respond(sandbox: Sandbox, request: Request<Bytes>, fault: Option<ChosenFault>) -> Response<Bytes> {
    if !sandbox.blocks(&request) {
        return sandbox.respond_with(request, fault);
    }
    let copy = sandbox.clone();
    match tokio::task::spawn_blocking(move || sandbox.respond_with(request, fault)).await {
        Ok(response) => response,
        Err(error) => copy.respond_internal_error(&error),
    }
}

/// The reason for which a request has no response by the rules.
#[derive(Debug)]
enum ServiceEnd {
    ByClient(hyper::Error),
    OnPurpose(ConnectionEnd),
}

impl fmt::Display for ServiceEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByClient(error) => error.fmt(f),
            Self::OnPurpose(_) => f.write_str("the connection ends on purpose"),
        }
    }
}

impl Error for ServiceEnd {}

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
