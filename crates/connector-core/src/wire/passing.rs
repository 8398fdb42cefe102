//! Requests of callers that are forwarded with a connection's credential, and their responses.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use reqwest::Url;

use crate::declare::connector::Connector;
use crate::declare::method::{Effect, Method};
use crate::exchange::response::bad_answer;
use crate::value::error::Error;

/// A caller's request to forward to a connection's host.
#[non_exhaustive]
pub struct ForwardedRequest {
    /// The method.
    pub method: Method,
    /// The path and the query, unchanged.
    pub target: String,
    /// The headers. Those that concern only the caller and this host are not forwarded.
    pub headers: Vec<(String, Bytes)>,
    /// The body.
    pub body: ForwardedBody,
    /// The time for which it may wait until the limits of the connection have room for it.
    pub timeout: Duration,
}

impl ForwardedRequest {
    /// Builds a request without headers. The target is the path and the query.
    pub fn new(method: Method, target: impl Into<String>, body: ForwardedBody) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body, timeout: Duration::from_secs(30) }
    }

    /// Sets the time for which it may wait for the limits of the connection. The default is 30 seconds.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the headers.
    #[must_use]
    pub fn with_headers(mut self, headers: Vec<(String, Bytes)>) -> Self {
        self.headers = headers;
        self
    }
}

/// The body of a request to forward.
#[non_exhaustive]
pub enum ForwardedBody {
    /// The whole body, which can be sent again with a fresh credential.
    Kept(Bytes),
    /// A stream of the body, which can be sent once.
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

/// A response to forward: its head, and its body as a stream.
#[non_exhaustive]
pub struct ForwardedResponse {
    /// The status.
    pub status: u16,
    /// The headers, without hop-by-hop headers and cookies.
    pub headers: Vec<(String, Bytes)>,
    pub(crate) from: Url,
    pub(crate) parts: Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
}

/// Headers of one hop, which are never forwarded.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Request headers that are for this host, not for the vendor.
const REQUEST_HEADERS_DROPPED: [&str; 5] = ["host", "authorization", "cookie", "expect", "forwarded"];

/// Prefixes of request headers that are not forwarded. The last four could override the method or path.
const REQUEST_HEADER_PREFIXES_DROPPED: [&str; 7] =
    ["connector-", "x-connector-", "x-forwarded-", "x-http-method", "x-method-override", "x-original-", "x-rewrite-"];

/// Response headers that a browser would apply to this host, not to the vendor's.
const RESPONSE_HEADERS_DROPPED: [&str; 10] = [
    "alt-svc",
    "clear-site-data",
    "nel",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
];

/// Shows neither headers nor the query: they may hold secrets of the caller.
impl fmt::Debug for ForwardedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next();
        f.debug_struct("ForwardedRequest")
            .field("method", &self.method)
            .field("path", &path)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ForwardedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(bytes) => write!(f, "Kept({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl fmt::Debug for ForwardedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardedResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl ForwardedResponse {
    /// Returns the body as a stream.
    pub fn into_parts(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        self.parts
    }

    /// Returns the value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// Removes what would speak for this host or lead to another one.
    pub(crate) fn filter(mut self, effect: Effect) -> Result<Self, Error> {
        if self.status < 200 {
            return Err(bad_answer(&format!("The answer ({}) is not a final response.", self.status), effect));
        }
        remove_headers(&mut self.headers, |name| RESPONSE_HEADERS_DROPPED.contains(&name) || name.starts_with("connector-"));
        let mut leads_away = false;
        self.headers.retain_mut(|(name, value)| {
            if name != "location" {
                return true;
            }
            // The path alone is kept: the vendor's host does not know the caller.
            let target = find_local_target(&self.from, value);
            leads_away |= target.is_none();
            target.map(|target| *value = target.into()).is_some()
        });
        if leads_away && (300..400).contains(&self.status) {
            return Err(bad_answer("The answer is a redirect to another host, which is not forwarded.", effect));
        }
        Ok(self)
    }
}

impl ForwardedRequest {
    /// Clones the request, if its body is not a stream.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let ForwardedBody::Kept(bytes) = &self.body else { return None };
        Some(Self {
            method: self.method,
            target: self.target.clone(),
            headers: self.headers.clone(),
            body: ForwardedBody::Kept(bytes.clone()),
            timeout: self.timeout,
        })
    }

    /// Removes the headers that are not forwarded.
    pub(crate) fn filter(mut self, connector: &Connector) -> Self {
        remove_headers(&mut self.headers, |name| {
            let ours =
                REQUEST_HEADERS_DROPPED.contains(&name) || REQUEST_HEADER_PREFIXES_DROPPED.iter().any(|start| name.starts_with(start));
            ours || connector.is_credential_header(name)
        });
        if let ForwardedBody::Kept(bytes) = &self.body {
            // A second length could make two requests of one.
            let length = bytes.len().to_string();
            self.headers.retain(|(name, value)| !name.eq_ignore_ascii_case("content-length") || value == length.as_bytes());
        }
        self
    }
}

/// Removes hop-by-hop headers, those that `Connection` names, and those that `others` picks.
fn remove_headers(headers: &mut Vec<(String, Bytes)>, others: impl Fn(&str) -> bool) {
    // Some servers read `_` in a name as `-`.
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let named: Vec<String> =
        values.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(|name| plain(String::from_utf8_lossy(name).trim())).collect();
    // The chunks of a body give its length, whatever a length header says.
    let chunked = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    headers.retain(|(name, _)| {
        let plain = plain(name);
        let second_length = plain == "content-length" && (chunked || name.contains('_'));
        !HOP_BY_HOP.contains(&&*plain) && !named.contains(&plain) && !second_length && !others(&plain)
    });
}

/// Finds the path of a redirect, if it stays on its host.
fn find_local_target(from: &Url, to: &[u8]) -> Option<String> {
    let to = from.join(std::str::from_utf8(to).ok()?).ok().filter(|to| to.origin() == from.origin())?;
    let query = to.query().map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{}{query}", to.path()))
}
