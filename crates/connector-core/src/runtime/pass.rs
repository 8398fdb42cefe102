//! A request of somebody else's, passed on as it came: the connection's credential is added, and nothing is read.

use std::fmt;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use reqwest::Url;

use crate::action::{Effect, Method};
use crate::connections::Access;
use crate::connector::Connector;
use crate::error::{Error, ErrorKind};
use crate::response::bad_answer;
use crate::runtime::Runtime;

/// A request to be passed on to a connection's host.
#[derive(Debug)]
pub struct Passing {
    /// The method.
    pub method: Method,
    /// The path and the query, as they came.
    pub target: String,
    /// The headers, as they came; those that are the caller's and the host's own affair are left out.
    pub headers: Vec<(String, Bytes)>,
    /// The body.
    pub body: PassedBody,
}

/// The body of a request that is passed on.
pub enum PassedBody {
    /// All of it, so that it can be sent again under a fresh credential.
    Kept(Bytes),
    /// Part by part as it comes: it can be sent once.
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

/// What came back: the head, and the body as it comes.
pub struct Passed {
    /// The status.
    pub status: u16,
    /// The headers, without those that are for one hop and without cookies.
    pub headers: Vec<(String, Bytes)>,
    pub(super) from: Url,
    pub(super) parts: Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
}

/// Headers of one hop, which end with it.
const OF_ONE_HOP: [&str; 9] = [
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
const FOR_THE_HOST: [&str; 5] = ["host", "authorization", "cookie", "expect", "forwarded"];

/// The same by how they begin; the last ones would make another request of it on the way.
const FOR_THE_HOST_FROM: [&str; 6] = ["connector-", "x-connector-", "x-forwarded-", "x-http-method", "x-method-override", "x-original-"];

impl fmt::Debug for PassedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(bytes) => write!(f, "Kept({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passed").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Passed {
    /// The body, part by part.
    pub fn into_parts(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        self.parts
    }

    /// What of an answer the caller sees: no cookies of the vendor's, and no way to another host.
    fn seen(mut self, effect: Effect) -> Result<Self, Error> {
        let named = named_by_connection(&self.headers);
        self.headers.retain(|(name, _)| !OF_ONE_HOP.contains(&&**name) && !named.contains(name) && name != "set-cookie");
        if !(300..400).contains(&self.status) {
            return Ok(self);
        }
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| name == "location") {
            let to = std::str::from_utf8(value).ok().and_then(|to| self.from.join(to).ok());
            let Some(to) = to.filter(|to| to.origin() == self.from.origin()) else {
                return Err(bad_answer("The answer is a redirect to another host, which is not passed on.", effect));
            };
            // The place alone: the vendor's host would not know the caller.
            let query = to.query().map_or_else(String::new, |query| format!("?{query}"));
            *value = format!("{}{query}", to.path()).into();
        }
        Ok(self)
    }
}

impl Passing {
    /// The same once more, where the body was kept.
    fn again(&self) -> Option<Self> {
        let PassedBody::Kept(bytes) = &self.body else { return None };
        Some(Self {
            method: self.method,
            target: self.target.clone(),
            headers: self.headers.clone(),
            body: PassedBody::Kept(bytes.clone()),
        })
    }

    /// Leaves out the headers that do not travel on.
    fn without_ours(mut self, connector: &Connector) -> Self {
        let named = named_by_connection(&self.headers);
        let token = connector.token_header();
        self.headers.retain(|(name, _)| {
            let name = name.to_ascii_lowercase();
            let ours = FOR_THE_HOST.contains(&&*name) || FOR_THE_HOST_FROM.iter().any(|start| name.starts_with(start));
            !ours && !OF_ONE_HOP.contains(&&*name) && !named.contains(&name) && Some(&*name) != token
        });
        self
    }
}

impl Runtime {
    /// Passes a request on to a connection's host, and its answer back. A 401 renews the credential once; the request is
    /// sent again where its body was kept. A redirect is not followed: one to another host is a failure.
    pub async fn pass(&self, connector: &'static Connector, connection: Option<&str>, passing: Passing) -> Result<Passed, Error> {
        let path = passing.target.split('?').next().unwrap_or_default();
        connector.serves(path).map_err(|why| {
            Error::new(ErrorKind::InvalidInput, format!("The path cannot be passed on: {why}.")).with_hint(format!(
                "It is {}'s own path, below {}.",
                connector.label,
                connector.roots.join(" or ")
            ))
        })?;
        let passing = passing.without_ours(connector);
        let chosen = self.0.connections.choose(connector.key, connection).await?;
        let access = self.0.connections.access(&chosen).await?;
        let (effect, again) = (passing.method.effect(), passing.again());
        let passed = self.handed(connector, passing, &access).await?;
        if passed.status != 401 {
            return passed.seen(effect);
        }
        // A 401 was not carried out, so that it is safe to send again under a fresh credential.
        let fresh = self.0.connections.renew(&chosen, &access).await?;
        match fresh.zip(again) {
            Some((fresh, again)) => {
                drop(passed);
                self.handed(connector, again, &fresh).await?.seen(effect)
            }
            None => passed.seen(effect),
        }
    }

    async fn handed(&self, connector: &'static Connector, passing: Passing, access: &Access) -> Result<Passed, Error> {
        let header = connector.credential_header(access)?;
        self.0.transport.pass(passing, access, header).await.map_err(|error| error.without(access.credential().secret()))
    }
}

/// The headers that `Connection` names as being for one hop.
fn named_by_connection(headers: &[(String, Bytes)]) -> Vec<String> {
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let names = values.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    names.map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect()
}
