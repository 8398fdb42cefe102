//! `/gateway/{connector}/{native path}`: a request passed on to a connection's own host, streamed both ways.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use connector_connections::Status;
use connector_core::{Connector, Effect, Error, ErrorKind, Method, OutOfSupport, Passed, PassedBody, Passing};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_body::Body as _;

use super::answer::Refusal;
use super::routes::{Call, bad};
use super::{Settings, body};
use crate::terminal::connectors::CONNECTORS;

/// A body up to here is kept, so that it can be sent again after a 401.
const KEPT: u64 = 1 << 20;

/// Names the connection; in an answer, the one that was used.
const CONNECTION: HeaderName = HeaderName::from_static("connector-connection");

/// When the vendor's support ended, as RFC 9745 writes it.
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// What to call instead.
const INSTEAD: HeaderName = HeaderName::from_static("connector-instead");

pub(super) async fn pass(call: Call, body: Body) -> Result<Response, Refusal> {
    let connector = connector(&call)?;
    let method = method(&call)?;
    call.host.limit.take(call.caller.key(), Instant::now()).map_err(|wait| over(call.host.settings.rate, wait))?;
    let chosen = chosen(&call, connector, method).await?;
    let runtime = call.runtime()?;
    let Call { host, head, .. } = call;
    let target = native(&head.uri);
    let old = (connector.out_of_support)(method.as_str(), target.split('?').next().unwrap_or_default());
    let too_large = Arc::new(AtomicBool::new(false));
    let body = passed_body(method, body, &host.settings, &too_large).await?;
    let passing = Passing { method, target, headers: headers(head.headers, &host.settings.connection_header), body };
    let passed = runtime.pass(connector, Some(&chosen), passing).await;
    match passed {
        Ok(passed) => {
            let mut response = answer(passed, connector, old, host.settings.timeout);
            if let Ok(used) = HeaderValue::try_from(chosen) {
                response.headers_mut().insert(CONNECTION, used);
            }
            Ok(response)
        }
        Err(_) if too_large.load(Ordering::Relaxed) => Err(body::too_large(host.settings.max_body)),
        Err(error) => Err(error.into()),
    }
}

/// The URL that was meant, where a path lacks what stands before it.
pub(super) fn right_url(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/gateway").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let first = rest.split('/').nth(1).unwrap_or_default();
    let right = match CONNECTORS.iter().find(|connector| connector.key == first) {
        Some(connector) if path == rest => format!("/gateway{}", below(connector, rest)),
        Some(connector) => format!("/gateway/{}{}", connector.key, connector.roots[0]),
        None => {
            let connector = CONNECTORS.iter().find(|connector| connector.serves(rest).is_ok())?;
            format!("/gateway/{}{rest}", connector.key)
        }
    };
    Some(format!("Did you mean {right}?"))
}

fn below(connector: &Connector, path: &str) -> String {
    let native = path.strip_prefix('/').and_then(|rest| rest.strip_prefix(connector.key)).unwrap_or_default();
    if connector.serves(native).is_ok() { path.to_owned() } else { format!("/{}{}", connector.key, connector.roots[0]) }
}

fn connector(call: &Call) -> Result<&'static Connector, Refusal> {
    let key = call.param("connector");
    CONNECTORS.iter().copied().find(|connector| connector.key == key).ok_or_else(|| {
        let known: Vec<&str> = CONNECTORS.iter().map(|connector| connector.key).collect();
        let hint = right_url(call.head.uri.path()).unwrap_or_else(|| format!("There are: {}.", known.join(", ")));
        Refusal::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, "The first part of the path is no connector.", hint)
    })
}

fn method(call: &Call) -> Result<Method, Refusal> {
    let all = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    // The router answers HEAD as GET, and the vendor may not.
    all.into_iter().find(|method| method.as_str() == call.head.method.as_str()).ok_or_else(|| {
        let message = format!("The gateway does not pass {} on.", call.head.method);
        let known = "GET, POST, PUT, PATCH, DELETE";
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInvocation, message, format!("There are: {known}."))
            .with(ALLOW, HeaderValue::from_static(known))
    })
}

/// The path below the connector's name and the query, both as they came.
fn native(uri: &Uri) -> String {
    let all = uri.path_and_query().map_or("", |all| all.as_str());
    let at = all.match_indices('/').nth(2).map_or(all.len(), |(at, _)| at);
    all[at..].to_owned()
}

/// The connection that is named, else the one that is marked as the default, else the oldest active one; a write does not
/// guess, and a failed one counts: what was meant for it must not land in another account.
async fn chosen(call: &Call, connector: &Connector, method: Method) -> Result<String, Refusal> {
    if let Some(named) = named(call)? {
        return Ok(named.to_owned());
    }
    let finished = call.finished(connector.key).await?;
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

/// What a header names: the one that the settings say, or our own, which works beside it.
fn named(call: &Call) -> Result<Option<&str>, Refusal> {
    let header = &call.host.settings.connection_header;
    match (call.header(header)?, call.header(&CONNECTION)?) {
        (Some(one), Some(other)) if one != other => {
            Err(bad(format!("The headers {header} and {CONNECTION} name two connections."), "Send one of them."))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// A small body is kept, and so is one of a read, which has none as a rule; another is passed on as it comes.
async fn passed_body(method: Method, body: Body, settings: &Settings, too_large: &Arc<AtomicBool>) -> Result<PassedBody, Refusal> {
    let most = settings.max_body;
    let told = body.size_hint().exact();
    if told.is_some_and(|told| told > most as u64) {
        return Err(body::too_large(most));
    }
    if told.is_some_and(|told| told <= KEPT) || method.effect() == Effect::Read {
        return Ok(PassedBody::Kept(body::whole(body, most).await?));
    }
    let (too_large, mut so_far) = (Arc::clone(too_large), 0);
    let parts = body.into_data_stream().map_err(io::Error::other);
    let parts = while_it_goes_on(parts, settings.timeout, || io::ErrorKind::TimedOut.into()).and_then(move |part| {
        so_far += part.len();
        if so_far > most {
            too_large.store(true, Ordering::Relaxed);
            return std::future::ready(Err(io::Error::other("the body is too large")));
        }
        std::future::ready(Ok(part))
    });
    Ok(PassedBody::Stream(Box::pin(parts)))
}

fn headers(mut headers: HeaderMap, connection: &HeaderName) -> Vec<(String, Bytes)> {
    headers.remove(connection);
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}

/// The vendor's answer as it came. A browser must not take it for a page of ours.
fn answer(mut passed: Passed, connector: &Connector, old: Option<OutOfSupport>, longest_pause: Duration) -> Response {
    let status = StatusCode::from_u16(passed.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = std::mem::take(&mut passed.headers);
    let stalled = || Error::new(ErrorKind::TimedOut, "The answer did not go on in time.");
    let parts = while_it_goes_on(passed.into_parts(), longest_pause, stalled);
    let mut response = Response::new(Body::from_stream(parts.inspect_err(|error| tracing::warn!(%error, "an answer broke off"))));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_maybe_shared(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if let Some(to) = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()) {
        let to = HeaderValue::try_from(format!("/gateway/{}{to}", connector.key)).expect("a path after a path is a header's value");
        response.headers_mut().insert(LOCATION, to);
    }
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    if let Some(old) = old {
        let since = HeaderValue::try_from(format!("@{}", old.since)).expect("digits are a header's value");
        response.headers_mut().insert(DEPRECATION, since);
        if let Some(instead) = old.instead {
            response.headers_mut().insert(INSTEAD, HeaderValue::from_static(instead));
        }
    }
    response
}

/// The parts of a body until one is too long in coming: whoever stalls would hold a place for ever. The body ends broken
/// then, and never as if it were whole.
fn while_it_goes_on<E: Send + 'static>(
    parts: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    longest_pause: Duration,
    stalled: fn() -> E,
) -> impl Stream<Item = Result<Bytes, E>> + Send {
    stream::unfold(Some(Box::pin(parts)), move |parts| async move {
        let mut parts = parts?;
        let part = match tokio::time::timeout(longest_pause, parts.next()).await {
            Ok(part) => part?,
            Err(_) => Err(stalled()),
        };
        let goes_on = part.is_ok();
        Some((part, goes_on.then_some(parts)))
    })
}

fn over(rate: u32, wait: Duration) -> Refusal {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let error = Error::new(ErrorKind::RateLimited, format!("This key made more than {rate} requests within a second."));
    error.with_hint("Wait as long as Retry-After says.").with_retry_after_ms(milliseconds).into()
}
