//! `/gateway/{connector}/{native path}`: passes a request on to the host of a connection, streamed both ways.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use connector_connections::Status;
use connector_core::declare::{Connector, Effect, Method, OutOfSupport};
use connector_core::run::{ForwardedBody, ForwardedRequest, ForwardedResponse};
use connector_core::{Error, ErrorKind};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_body::Body as _;

use crate::conduct::call::{Call, IDEMPOTENCY_KEY};
use crate::conduct::took_too_long;
use crate::host::Settings;
use crate::wire::body::{broke_off, read_body, too_large};
use crate::wire::refusal::Refusal;

/// The largest body that is kept, so that it can be sent again after a 401.
const MAX_KEPT_BODY: u64 = 1 << 20;

/// The header that names the connection; in a response, the one that was used.
const CONNECTION: HeaderName = HeaderName::from_static("connector-connection");

/// The header that says when the vendor's support ended, as RFC 9745 writes it.
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// The header that names what to call instead.
const INSTEAD: HeaderName = HeaderName::from_static("connector-instead");

pub(crate) async fn forward(call: Call, body: Body) -> Result<Response, Refusal> {
    let connector = find_connector(&call)?;
    let method = find_method(&call)?;
    if call.head.headers.contains_key(&IDEMPOTENCY_KEY) {
        return Err(Refusal::bad_request(
            "The gateway passes requests on as they are, and keeps no outcome under the header Idempotency-Key.",
            "Leave it out, or run the action by POST /v1/invoke, which takes it.",
        ));
    }
    let (runtime, target) = (call.runtime()?, native_target(&call.head.uri));
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let refuse = |refusal: Refusal| {
        runtime.record_unforwarded(connector, method, &path, refusal.error().kind());
        refusal
    };
    let is_within_rate = call.host.limit.take(call.caller.key, Instant::now());
    is_within_rate.map_err(|wait| refuse(build_rate_refusal(call.host.settings.rate, wait)))?;
    let chosen = choose_connection(&call, connector, method).await.map_err(refuse)?;
    let Call { host, head, .. } = call;
    let deprecation = (connector.out_of_support)(method.as_str(), &path);
    let broken = Arc::new(OnceLock::new());
    let body = prepare_body(method, body, &host.settings, &broken).await.map_err(refuse)?;
    let passing = ForwardedRequest::new(method, target, body)
        .with_headers(list_headers(head.headers, &host.settings.connection_header))
        .with_timeout(host.settings.timeout);
    let passed = runtime.forward(connector, Some(&chosen), passing).await;
    match passed {
        Ok(passed) => {
            let mut response = respond_with(passed, connector, deprecation, host.settings.timeout);
            if let Ok(used) = HeaderValue::try_from(chosen) {
                response.headers_mut().insert(CONNECTION, used);
            }
            Ok(response)
        }
        // A body that breaks also breaks the connection to the vendor, which is only a consequence.
        Err(error) => Err(match broken.get() {
            Some(io::ErrorKind::FileTooLarge) => too_large(host.settings.max_body),
            Some(io::ErrorKind::TimedOut) => took_too_long(&head.method),
            Some(_) => {
                broke_off("What was passed on of it ends there, so that the vendor got no whole request: send the whole body again.")
            }
            None => error.into(),
        }),
    }
}

/// Suggests the URL of the gateway that a wrong path was meant to be.
pub(crate) fn suggest_url(connectors: &[&'static Connector], path: &str) -> Option<String> {
    let rest = path.strip_prefix("/gateway").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let first = rest.split('/').nth(1).unwrap_or_default();
    let url = match connectors.iter().find(|connector| connector.key == first) {
        Some(connector) if path == rest => format!("/gateway{}", complete_path(connector, rest)),
        Some(connector) => format!("/gateway/{}{}", connector.key, connector.roots[0]),
        None => {
            let connector = connectors.iter().find(|connector| connector.check_path(rest).is_ok())?;
            format!("/gateway/{}{rest}", connector.key)
        }
    };
    Some(format!("Did you mean {url}?"))
}

/// Completes a path below the name of a connector: adds the root of its API, unless it is there.
fn complete_path(connector: &Connector, path: &str) -> String {
    let native = path.strip_prefix('/').and_then(|rest| rest.strip_prefix(connector.key)).unwrap_or_default();
    if connector.check_path(native).is_ok() { path.to_owned() } else { format!("/{}{}", connector.key, connector.roots[0]) }
}

fn find_connector(call: &Call) -> Result<&'static Connector, Refusal> {
    call.host.catalogue().find_connector(Some(call.param("connector"))).map_err(|error| {
        let suggestion = suggest_url(call.host.catalogue().connectors(), call.head.uri.path());
        let hint = suggestion.unwrap_or_else(|| error.hint().unwrap_or_default().to_owned());
        Refusal::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, "The path names no connector.", hint)
    })
}

fn find_method(call: &Call) -> Result<Method, Refusal> {
    let all = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    // HEAD is refused: the router treats it as GET, and the vendor may not.
    all.into_iter().find(|method| method.as_str() == call.head.method.as_str()).ok_or_else(|| {
        let message = format!("The gateway does not pass {} on.", call.head.method);
        let known = "GET, POST, PUT, PATCH, DELETE";
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInvocation, message, format!("There are: {known}."))
            .with_header(ALLOW, HeaderValue::from_static(known))
    })
}

/// Cuts the connector's name off a URL. The path below it and the query stay as they came.
fn native_target(uri: &Uri) -> String {
    let all = uri.path_and_query().map_or("", |all| all.as_str());
    let at = all.match_indices('/').nth(2).map_or(all.len(), |(at, _)| at);
    all[at..].to_owned()
}

/// Chooses the connection that is named, else the default one, else the oldest active one.
///
/// A write is refused if several connections could be meant. Failed ones count: what was meant for them must not land in
/// another account.
async fn choose_connection(call: &Call, connector: &Connector, method: Method) -> Result<String, Refusal> {
    if let Some(named) = find_named(call)? {
        return Ok(named.to_owned());
    }
    let finished = call.finished_connections(connector.key).await?;
    if let Some(default) = finished.iter().find(|connection| connection.is_default) {
        return Ok(default.id.clone());
    }
    let Some(oldest) = finished.iter().find(|connection| connection.status == Status::Active) else {
        let message = format!("There is no active connection of {}.", connector.label);
        return Err(Refusal::new(StatusCode::BAD_REQUEST, ErrorKind::NoConnection, message, "POST /v1/connections begins one."));
    };
    if finished.len() > 1 && method.effect() != Effect::Read {
        let names: Vec<&str> = finished.iter().map(|connection| connection.name.as_str()).collect();
        let header = &call.host.settings.connection_header;
        let hint = format!("Name one in the header {header}, or mark one as the default: {}.", names.join(", "));
        let message = "There are several connections, and a write must not land in the wrong one.";
        return Err(Refusal::new(StatusCode::CONFLICT, ErrorKind::Conflict, message, hint));
    }
    Ok(oldest.id.clone())
}

/// Reads the name from the header of the settings, or from `Connector-Connection`, which always works.
fn find_named(call: &Call) -> Result<Option<&str>, Refusal> {
    let header = &call.host.settings.connection_header;
    match (call.header(header)?, call.header(&CONNECTION)?) {
        (Some(one), Some(other)) if one != other => {
            Err(Refusal::bad_request(format!("The headers {header} and {CONNECTION} name two connections."), "Send one of them."))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// Keeps a small body, and the one of a read, which is rarely there. Another body is passed on as it comes.
///
/// If that one breaks, `broken` tells why.
async fn prepare_body(
    method: Method,
    body: Body,
    settings: &Settings,
    broken: &Arc<OnceLock<io::ErrorKind>>,
) -> Result<ForwardedBody, Refusal> {
    let limit = settings.max_body;
    let size = body.size_hint().exact();
    if size.is_some_and(|size| size > limit as u64) {
        return Err(too_large(limit));
    }
    if size.is_some_and(|size| size <= MAX_KEPT_BODY) || method.effect() == Effect::Read {
        return Ok(ForwardedBody::Kept(read_body(body, limit).await?));
    }
    let (broken, mut received) = (Arc::clone(broken), 0);
    let parts = body.into_data_stream().map_err(io::Error::other);
    let parts = limit_pauses(parts, settings.timeout, || io::ErrorKind::TimedOut.into());
    let parts = parts.and_then(move |part| {
        received += part.len();
        std::future::ready(if received > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(part) })
    });
    let parts = parts.inspect_err(move |error| {
        let _ = broken.set(error.kind());
    });
    Ok(ForwardedBody::Stream(Box::pin(parts)))
}

fn list_headers(mut headers: HeaderMap, connection: &HeaderName) -> Vec<(String, Bytes)> {
    headers.remove(connection);
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}

/// Builds the response from the vendor's, unchanged. A browser must not take it for a page of this host.
fn respond_with(mut passed: ForwardedResponse, connector: &Connector, deprecation: Option<OutOfSupport>, max_pause: Duration) -> Response {
    let status = StatusCode::from_u16(passed.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = std::mem::take(&mut passed.headers);
    let stalled = || Error::new(ErrorKind::TimedOut, "The response stopped for too long.");
    let parts = limit_pauses(passed.into_parts(), max_pause, stalled);
    let mut response = Response::new(Body::from_stream(parts.inspect_err(|error| tracing::warn!(%error, "a response broke off"))));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_maybe_shared(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if let Some(to) = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()) {
        let to = HeaderValue::try_from(format!("/gateway/{}{to}", connector.key)).expect("two paths are a valid header value");
        response.headers_mut().insert(LOCATION, to);
    }
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    if let Some(deprecation) = deprecation {
        let since = HeaderValue::try_from(format!("@{}", deprecation.since)).expect("digits are a valid header value");
        response.headers_mut().insert(DEPRECATION, since);
        if let Some(instead) = deprecation.instead {
            response.headers_mut().insert(INSTEAD, HeaderValue::from_static(instead));
        }
    }
    response
}

/// Ends a stream with an error if a part takes too long, since it would keep its place for ever.
fn limit_pauses<E: Send + 'static>(
    parts: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    max_pause: Duration,
    stalled: fn() -> E,
) -> impl Stream<Item = Result<Bytes, E>> + Send {
    stream::unfold(Some(Box::pin(parts)), move |parts| async move {
        let mut parts = parts?;
        let part = match tokio::time::timeout(max_pause, parts.next()).await {
            Ok(part) => part?,
            Err(_) => Err(stalled()),
        };
        let is_open = part.is_ok();
        Some((part, is_open.then_some(parts)))
    })
}

fn build_rate_refusal(rate: u32, wait: Duration) -> Refusal {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let error = Error::new(ErrorKind::RateLimited, format!("This key sent more than {rate} requests in a second."));
    error.with_hint("Wait for the seconds in the header Retry-After.").with_retry_after_ms(milliseconds).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn broken_body_tells_why() {
        let mut settings = Settings::default();
        (settings.max_body, settings.timeout) = (4, Duration::from_millis(1));
        let stalled = Body::from_stream(stream::pending::<io::Result<Bytes>>());
        let large = Body::from_stream(stream::iter(["four", "!"].map(io::Result::Ok)));
        let cut = Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::TimedOut))]));
        for (body, kind) in [(stalled, io::ErrorKind::TimedOut), (large, io::ErrorKind::FileTooLarge), (cut, io::ErrorKind::Other)] {
            let broken = Arc::new(OnceLock::new());
            let prepared = prepare_body(Method::Post, body, &settings, &broken).await.expect("the body is not read yet");
            let ForwardedBody::Stream(parts) = prepared else { panic!("a body of unknown size must be a stream") };
            assert_eq!(parts.try_for_each(async |_| Ok(())).await.expect_err("the body breaks").kind(), kind);
            assert_eq!(broken.get(), Some(&kind));
        }
    }
}
