//! The HTTP client for requests before there is a connection.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::declare::connector::Connector;
use crate::declare::method::{Effect, Method};
use crate::embed::trace::TraceContext;
use crate::exchange::request::Request;
use crate::value::access::{Access, Credential};
use crate::value::error::{Error, ErrorKind};
use crate::wire::transport::{Transport, TransportSettings, explain_failure, read_body};

/// An HTTP client for requests before there is a connection: tokens, and the account of a token.
///
/// Clones share one client, and a runtime can be built on it.
#[derive(Clone)]
pub struct Http(Arc<Transport>);

/// The largest body of a response, in bytes.
const MOST: usize = 1 << 20;

/// The largest text of metrics, in bytes.
const MOST_OF_METRICS: usize = 16 << 20;

/// A response.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The body, which is bounded.
    pub body: Bytes,
}

impl HttpResponse {
    /// Builds a response from its status and body.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into() }
    }
}

/// Shows no body: it may hold tokens.
impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).field("length", &self.body.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// Builds a client with a proxy for https, and with certificate authorities beside the public ones, as PEM.
    pub fn new(proxy: Option<String>, authorities: Vec<u8>) -> Result<Self, Error> {
        Transport::new(TransportSettings { proxy, authorities, ..TransportSettings::default() }).map(|transport| Self(Arc::new(transport)))
    }

    /// Posts a form to an OAuth server, with Basic authentication if a user is given: over https, or to this machine.
    pub async fn post_form(&self, url: &str, basic: Option<(&str, &SecretString)>, form: &[(&str, &str)]) -> Result<HttpResponse, Error> {
        let url = Url::parse(url)
            .map_err(|error| Error::new(ErrorKind::NoConnection, "The URL of the OAuth server is invalid.").with_source(error))?;
        // The rule of a connection's host holds here too: a secret goes over https, or stays on this machine.
        Access::new(&url.origin().ascii_serialization(), Credential::bearer(""))?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.0.client.post(url);
        let request = match basic {
            Some((user, password)) => request.basic_auth(user, Some(password.expose_secret())),
            None => request,
        };
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")).body(body);
        self.answer(request, Effect::Write, MOST).await
    }

    /// Reads a path of the host of an access, with its credential.
    pub async fn get(&self, connector: &Connector, access: &Access, path: &str) -> Result<HttpResponse, Error> {
        let header = connector.credential_header(access)?;
        let request = Request::new(Method::Get, path, 0);
        let (sent, _) = self.0.build_request(&request, access, header, None)?;
        self.answer(reqwest::RequestBuilder::from_parts(self.0.client.clone(), sent), Effect::Read, MOST).await
    }

    /// Reads a URL of another host of the operator, as its metrics, with a bearer token if one is given.
    ///
    /// A token goes over https, or to this machine.
    pub async fn fetch(&self, url: &str, bearer: Option<&SecretString>) -> Result<HttpResponse, Error> {
        let url = parse_url(url)?;
        let request = self.0.client.get(url.clone());
        let request = match bearer {
            Some(token) => {
                Access::new(&url.origin().ascii_serialization(), Credential::bearer(""))?;
                request.bearer_auth(token.expose_secret())
            }
            None => request,
        };
        self.answer(request, Effect::Read, MOST_OF_METRICS).await
    }

    /// Posts bytes to a service of the operator, as a collector of traces, with these headers.
    pub async fn post(&self, url: &str, headers: &[(String, Bytes)], body: Bytes) -> Result<HttpResponse, Error> {
        let mut request = self.0.client.post(parse_url(url)?).body(body);
        for (name, value) in headers {
            request = request.header(name, value.as_ref());
        }
        self.answer(request, Effect::Write, MOST).await
    }

    /// Sends with each request of a call the `traceparent` of its span, so that the vendor's own traces join it.
    ///
    /// It holds for the runtimes that are built on this client. A bridge that is set before stays.
    pub fn propagate_traces(&self, bridge: impl TraceContext + 'static) {
        self.0.set_bridge(Box::new(bridge));
    }

    async fn answer(&self, request: reqwest::RequestBuilder, effect: Effect, most: usize) -> Result<HttpResponse, Error> {
        const LONGEST: std::time::Duration = std::time::Duration::from_secs(30);
        let mut response = request.timeout(LONGEST).send().await.map_err(|error| explain_failure(error, effect))?;
        let (status, declared) = (response.status().as_u16(), response.content_length());
        Ok(HttpResponse { status, body: read_body(&mut response, declared, most, effect).await? })
    }

    pub(crate) fn transport(&self) -> Arc<Transport> {
        Arc::clone(&self.0)
    }
}

fn parse_url(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|error| Error::new(ErrorKind::InvalidInput, "It is no URL, as http://127.0.0.1:8030.").with_source(error))
}
