//! A request of somebody else's, passed on as it came: the connection's credential is added, and nothing is read.

use std::fmt;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use reqwest::Url;

use crate::declare::connector::Connector;
use crate::declare::method::{Effect, Method};
use crate::exchange::response::bad_answer;
use crate::value::error::Error;

/// A request to be passed on to a connection's host.
pub struct ForwardedRequest {
    /// The method.
    pub method: Method,
    /// The path and the query, as they came.
    pub target: String,
    /// The headers, as they came; those that are the caller's and the host's own affair are left out.
    pub headers: Vec<(String, Bytes)>,
    /// The body.
    pub body: ForwardedBody,
}

/// The body of a request that is passed on.
pub enum ForwardedBody {
    /// All of it, so that it can be sent again under a fresh credential.
    Kept(Bytes),
    /// Part by part as it comes: it can be sent once.
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

/// What came back: the head, and the body as it comes.
pub struct ForwardedResponse {
    /// The status.
    pub status: u16,
    /// The headers, without those that are for one hop and without cookies.
    pub headers: Vec<(String, Bytes)>,
    pub(crate) from: Url,
    pub(crate) parts: Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
}

/// Headers of one hop, which end with it.
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

/// Headers that are for whoever takes the request in, not for the vendor.
const REQUEST_HEADERS_DROPPED: [&str; 5] = ["host", "authorization", "cookie", "expect", "forwarded"];

/// The same by how they begin; the last ones would make another request of it on the way.
const REQUEST_HEADER_PREFIXES_DROPPED: [&str; 7] =
    ["connector-", "x-connector-", "x-forwarded-", "x-http-method", "x-method-override", "x-original-", "x-rewrite-"];

/// Headers of an answer that a browser would take for the word of the host that passes it on.
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

/// Headers and the query may hold the caller's own secrets.
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
    /// The body, part by part.
    pub fn into_parts(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        self.parts
    }

    /// What of an answer the caller sees: nothing that speaks for another host or for this one, and no way elsewhere.
    pub(crate) fn filter(mut self, effect: Effect) -> Result<Self, Error> {
        if self.status < 200 {
            return Err(bad_answer(&format!("The answer ({}) is not one to this request.", self.status), effect));
        }
        remove_headers(&mut self.headers, |name| RESPONSE_HEADERS_DROPPED.contains(&name) || name.starts_with("connector-"));
        let mut leads_away = false;
        self.headers.retain_mut(|(name, value)| {
            if name != "location" {
                return true;
            }
            // The place alone: the vendor's host would not know the caller.
            let target = find_local_target(&self.from, value);
            leads_away |= target.is_none();
            target.map(|target| *value = target.into()).is_some()
        });
        if leads_away && (300..400).contains(&self.status) {
            return Err(bad_answer("The answer is a redirect to another host, which is not passed on.", effect));
        }
        Ok(self)
    }
}

impl ForwardedRequest {
    /// The same once more, where the body was kept.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let ForwardedBody::Kept(bytes) = &self.body else { return None };
        Some(Self {
            method: self.method,
            target: self.target.clone(),
            headers: self.headers.clone(),
            body: ForwardedBody::Kept(bytes.clone()),
        })
    }

    /// Leaves out the headers that do not travel on.
    pub(crate) fn filter(mut self, connector: &Connector) -> Self {
        let token = connector.token_header();
        remove_headers(&mut self.headers, |name| {
            let ours =
                REQUEST_HEADERS_DROPPED.contains(&name) || REQUEST_HEADER_PREFIXES_DROPPED.iter().any(|start| name.starts_with(start));
            ours || Some(name) == token
        });
        if let ForwardedBody::Kept(bytes) = &self.body {
            // Two lengths of one body are two requests.
            let length = bytes.len().to_string();
            self.headers.retain(|(name, value)| !name.eq_ignore_ascii_case("content-length") || value == length.as_bytes());
        }
        self
    }
}

/// Leaves out the headers of one hop, those that `Connection` names as such, and those that `others` says.
fn remove_headers(headers: &mut Vec<(String, Bytes)>, others: impl Fn(&str) -> bool) {
    // Some take `_` in a name for `-`.
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let named: Vec<String> =
        values.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(|name| plain(String::from_utf8_lossy(name).trim())).collect();
    // A body that came in chunks is as long as they are, whatever a length beside them says.
    let chunked = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    headers.retain(|(name, _)| {
        let plain = plain(name);
        let second_length = plain == "content-length" && (chunked || name.contains('_'));
        !HOP_BY_HOP.contains(&&*plain) && !named.contains(&plain) && !second_length && !others(&plain)
    });
}

/// Where a redirect leads on the host that it came from.
fn find_local_target(from: &Url, to: &[u8]) -> Option<String> {
    let to = from.join(std::str::from_utf8(to).ok()?).ok().filter(|to| to.origin() == from.origin())?;
    let query = to.query().map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{}{query}", to.path()))
}
