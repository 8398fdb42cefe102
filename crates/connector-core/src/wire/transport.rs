//! The transport: the only file that builds an HTTP client.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::{Form, Part as FormPart};
use reqwest::{Client, Url};
use tokio::io::AsyncWriteExt;
use tracing::{Instrument as _, Span};

use crate::declare::connector::CredentialHeader;
use crate::declare::method::{Effect, Method};
use crate::embed::trace::TraceContext;
use crate::exchange::request::{Body, Part, Request, Role};
use crate::exchange::response::{Response, bad_answer};
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Reach, Retry};
use crate::value::file::{Content, Sink};
use crate::wire::passing::{ForwardedBody, ForwardedRequest, ForwardedResponse};
use crate::wire::places::{HeldPlace, HostPlaces};
use crate::wire::tls;
use crate::wire::upload::ReadFailure;

/// The settings of the transport.
#[derive(Clone, Debug)]
pub(crate) struct TransportSettings {
    pub(crate) largest_answer: usize,
    pub(crate) largest_file: u64,
    pub(crate) per_host: usize,
    pub(crate) proxy: Option<String>,
    pub(crate) authorities: Vec<u8>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self { largest_answer: 64 << 20, largest_file: 256 << 20, per_host: 64, proxy: None, authorities: Vec::new() }
    }
}

/// The HTTP client, with a cap on open requests to each host: 10,000 calls must not open 10,000 sockets.
pub(crate) struct Transport {
    pub(super) client: Client,
    settings: TransportSettings,
    hosts: Mutex<HashMap<String, Arc<HostPlaces>>>,
    /// The bridge that writes the `traceparent` of a request, if the vendor is to get one.
    bridge: OnceLock<Box<dyn TraceContext>>,
}

impl Transport {
    pub(crate) fn new(settings: TransportSettings) -> Result<Self, Error> {
        let wrong = |what: &str| Error::new(ErrorKind::Bug, format!("The runtime's {what} cannot be used."));
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls::build_config(&settings.authorities)?)
            // A library reads no variables, so it uses no proxy of the environment, and loopback stays loopback.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(settings.per_host)
            .user_agent(concat!("connector/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &settings.proxy {
            client = client.proxy(reqwest::Proxy::https(proxy).map_err(|error| wrong("proxy").with_source(error))?);
        }
        let client = client.build().map_err(|error| wrong("HTTP client").with_source(error))?;
        Ok(Self { client, settings, hosts: Mutex::default(), bridge: OnceLock::new() })
    }

    pub(super) fn set_bridge(&self, bridge: Box<dyn TraceContext>) {
        let _ = self.bridge.set(bridge);
    }

    /// Adds the `traceparent` of a span to a request, if the vendor is to get one.
    fn add_traceparent(&self, headers: &mut HeaderMap, span: &Span) {
        let written = self.bridge.get().and_then(|bridge| bridge.write_traceparent(span));
        if let Some(Ok(written)) = written.map(HeaderValue::try_from) {
            headers.insert("traceparent", written);
        }
    }

    /// Sends a request to the host of a connection, and returns the head of the response.
    ///
    /// Connections, by their numbers, take turns at the places of a host.
    pub(crate) async fn send(
        &self,
        request: &Request,
        access: &Access,
        credential: Option<CredentialHeader>,
        mark: Option<(&str, Role)>,
        connection: u64,
        on_sent: impl FnOnce() -> Result<Span, Error>,
    ) -> Result<OpenResponse, Error> {
        let (mut sent, read_failure) = self.build_request(request, access, credential, mark)?;
        let place = self.take_place(access.origin(), connection).await;
        let span = on_sent()?;
        self.add_traceparent(sent.headers_mut(), &span);
        let response = self.client.execute(sent).instrument(span.clone()).await;
        let response = response.map_err(|error| read_failure.explain(explain_failure(error, request.effect())));
        let response = response.inspect_err(|error| record_failure(&span, error))?;
        record_status(&span, response.status().as_u16());
        Ok(OpenResponse { response, effect: request.effect(), position: request.position, access: access.clone(), span, _place: place })
    }

    /// Fetches a URL that a response refers to, without a credential.
    pub(crate) async fn fetch_public(
        &self,
        url: Url,
        access: &Access,
        on_sent: impl FnOnce() -> Result<Span, Error>,
    ) -> Result<OpenResponse, Error> {
        let place = self.take_place(&url.origin().ascii_serialization(), 0).await;
        let span = on_sent()?;
        let response = self.client.get(url).send().instrument(span.clone()).await.map_err(|error| explain_failure(error, Effect::Read));
        let response = response.inspect_err(|error| record_failure(&span, error))?;
        record_status(&span, response.status().as_u16());
        Ok(OpenResponse { response, effect: Effect::Read, position: 0, access: access.clone(), span, _place: place })
    }

    pub(crate) fn largest_answer(&self) -> usize {
        self.settings.largest_answer
    }

    pub(crate) fn largest_file(&self) -> u64 {
        self.settings.largest_file
    }

    pub(super) fn build_request(
        &self,
        request: &Request,
        access: &Access,
        credential: Option<CredentialHeader>,
        mark: Option<(&str, Role)>,
    ) -> Result<(reqwest::Request, ReadFailure), Error> {
        let url = resolve(access, &request.target())?;
        let mut read_failure = ReadFailure::default();
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 3);
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name).map_err(|error| refuse_to_send("header's name").with_source(error))?;
            let value =
                HeaderValue::try_from(value).map_err(|error| refuse_to_send(&format!("value of the header {name}")).with_source(error))?;
            headers.append(name, value);
        }
        if let Some(credential) = credential {
            headers.insert(credential.name, write_credential(credential, access)?);
        }
        if let Some((action, role)) = mark {
            headers.extend(HeaderValue::try_from(action).ok().map(|action| (HeaderName::from_static("x-connector-action"), action)));
            if role == Role::Helper {
                headers.insert("x-connector-helper", HeaderValue::from_static("true"));
            }
        }
        let built = self.client.request(to_reqwest_method(request.method), url);
        let built = match &request.body {
            Body::Empty => built,
            Body::Json(text) => built.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(text.clone()),
            Body::Form(pairs) => {
                let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                built.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")).body(text)
            }
            Body::Multipart(parts) => built.multipart(build_form(parts, &mut read_failure)?),
        };
        let built = built.headers(headers).build();
        let built = built.map_err(|error| Error::new(ErrorKind::Bug, "The request cannot be built.").with_source(error))?;
        Ok((built, read_failure))
    }

    /// Forwards a caller's request to the connection's host, and returns the head of the response.
    pub(crate) async fn forward(
        &self,
        passing: ForwardedRequest,
        access: &Access,
        credential: Option<CredentialHeader>,
        connection: u64,
        on_sent: impl FnOnce() -> Result<Span, Error>,
    ) -> Result<ForwardedResponse, Error> {
        let url = resolve(access, &passing.target)?;
        let mut headers = HeaderMap::with_capacity(passing.headers.len() + 1);
        for (name, value) in passing.headers {
            let name = HeaderName::try_from(name).map_err(|error| refuse_to_send("header's name").with_source(error))?;
            let value = HeaderValue::from_maybe_shared(value)
                .map_err(|error| refuse_to_send(&format!("value of the header {name}")).with_source(error))?;
            headers.append(name, value);
        }
        if let Some(credential) = credential {
            headers.insert(credential.name, write_credential(credential, access)?);
        }
        let built = self.client.request(to_reqwest_method(passing.method), url).headers(headers);
        let built = match passing.body {
            // An empty body is not sent: some servers refuse a read that has a length.
            ForwardedBody::Kept(bytes) if bytes.is_empty() => built,
            ForwardedBody::Kept(bytes) => built.body(bytes),
            ForwardedBody::Stream(parts) => built.body(reqwest::Body::wrap_stream(parts)),
        };
        let place = self.take_place(access.origin(), connection).await;
        let effect = passing.method.effect();
        let span = on_sent()?;
        let response = built.send().instrument(span.clone()).await.map_err(|error| explain_failure(error, effect));
        let response = response.inspect_err(|error| record_failure(&span, error))?;
        record_status(&span, response.status().as_u16());
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        let (status, headers, from) = (response.status().as_u16(), headers.collect(), response.url().clone());
        let parts = Parts { parts: Box::pin(response.bytes_stream()), effect, so_far: 0, span, _place: place };
        Ok(ForwardedResponse { status, headers, from, parts: Box::pin(parts) })
    }

    /// Takes a place for one more open request of a connection to a host.
    async fn take_place(&self, origin: &str, connection: u64) -> HeldPlace {
        let host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            match hosts.get(origin) {
                Some(host) => Arc::clone(host),
                None => Arc::clone(hosts.entry(origin.to_owned()).or_insert_with(|| HostPlaces::new(self.settings.per_host))),
            }
        };
        host.take(connection).await
    }
}

/// The body of a response that is forwarded as a stream.
struct Parts<S> {
    parts: Pin<Box<S>>,
    effect: Effect,
    so_far: u64,
    /// The span of the request, which ends with its body.
    span: Span,
    /// The request stays open until its body is read.
    _place: HeldPlace,
}

impl<S: Stream<Item = reqwest::Result<Bytes>>> Stream for Parts<S> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let part = ready!(self.parts.as_mut().poll_next(context));
        Poll::Ready(part.map(|part| match part {
            Ok(part) => {
                self.so_far += part.len() as u64;
                Ok(part)
            }
            Err(error) => Err(explain_cut(error, self.so_far, self.effect)).inspect_err(|error| record_failure(&self.span, error)),
        }))
    }
}

/// A response whose head was received.
pub(crate) struct OpenResponse {
    response: reqwest::Response,
    effect: Effect,
    position: u64,
    access: Access,
    /// The span of the request, which ends with its body.
    span: Span,
    /// The request stays open until its body is read.
    _place: HeldPlace,
}

impl OpenResponse {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    pub(crate) fn url(&self) -> &Url {
        self.response.url()
    }

    /// Reads the whole response, which may have `most` bytes.
    pub(crate) async fn read(mut self, most: usize) -> Result<Response, Error> {
        // The headers are taken, not cloned. The length is read before.
        let declared = self.response.content_length();
        let headers = std::mem::take(self.response.headers_mut());
        let status = self.status();
        let body = read_body(&mut self.response, declared, most, self.effect).await;
        let body = body.inspect_err(|error| record_failure(&self.span, error))?;
        Ok(Response { status, headers, body, effect: self.effect, position: self.position, access: self.access })
    }

    /// Writes the body to `sink`, up to `most` bytes, and returns how many there were.
    pub(crate) async fn write_to(mut self, sink: &mut Sink, most: u64) -> Result<u64, Error> {
        let too_large = || bad_answer(&format!("The file is larger than {most} bytes."), self.effect);
        if self.response.content_length().is_some_and(|declared| declared > most) {
            return Err(too_large());
        }
        let write_failed = |error| Error::new(ErrorKind::Cancelled, "The file cannot be written to its destination.").with_source(error);
        let mut size = 0_u64;
        while let Some(chunk) = self.response.chunk().await.map_err(|error| explain_cut(error, size, self.effect))? {
            size += chunk.len() as u64;
            if size > most {
                return Err(too_large());
            }
            sink.write_all(&chunk).await.map_err(write_failed)?;
        }
        sink.shutdown().await.map_err(write_failed)?;
        Ok(size)
    }
}

pub(super) async fn read_body(
    response: &mut reqwest::Response,
    declared: Option<u64>,
    most: usize,
    effect: Effect,
) -> Result<Bytes, Error> {
    let too_large = || bad_answer(&format!("The answer is larger than {most} bytes."), effect);
    let declared = usize::try_from(declared.unwrap_or(0)).unwrap_or(usize::MAX);
    if declared > most {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    let cut = |error, so_far: usize| explain_cut(error, so_far as u64, effect).with_reach(Reach::Answering);
    while let Some(chunk) = response.chunk().await.map_err(|error| cut(error, body.len()))? {
        if body.is_empty() && chunk.len() >= declared {
            // The whole body came at once and needs no copy.
            if chunk.len() > most {
                return Err(too_large());
            }
            if declared > 0 {
                return Ok(chunk);
            }
        }
        if body.len() + chunk.len() > most {
            return Err(too_large());
        }
        body.reserve(declared.saturating_sub(body.len()).max(chunk.len()));
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn explain_cut(error: reqwest::Error, so_far: u64, effect: Effect) -> Error {
    bad_answer(&format!("The answer broke off after {so_far} bytes."), effect).with_source(error.without_url())
}

fn build_form(parts: &[Part], read_failure: &mut ReadFailure) -> Result<Form, Error> {
    parts.iter().try_fold(Form::new(), |form, part| {
        let mut built = match &part.content {
            Content::Bytes(bytes) => FormPart::stream(reqwest::Body::from(bytes.clone())),
            Content::Source(source) => {
                let parts = read_failure.open(source.as_ref())?;
                FormPart::stream_with_length(reqwest::Body::wrap_stream(parts), source.size())
            }
        };
        if let Some(file) = &part.file_name {
            built = built.file_name(file.clone());
        }
        if let Some(media) = &part.content_type {
            built = built.mime_str(media).map_err(|error| refuse_to_send("part's media type").with_source(error))?;
        }
        Ok(form.part(part.name.clone(), built))
    })
}

/// Records the status of a response in the span of its request.
fn record_status(span: &Span, status: u16) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", i64::from(status));
    if status >= 400 {
        span.record("error.type", status.to_string());
        span.record("otel.status_code", "ERROR");
    }
}

/// Records in the span of a request that no whole response came.
fn record_failure(span: &Span, error: &Error) {
    span.record("error.type", error.kind().as_str());
    span.record("otel.status_code", "ERROR");
}

/// Resolves a path and a query to a URL on the connection's host.
fn resolve(access: &Access, target: &str) -> Result<Url, Error> {
    let url = Url::parse(&format!("{}{target}", access.origin()));
    let url = url.map_err(|error| Error::new(ErrorKind::Bug, "The request's URL cannot be read.").with_source(error))?;
    // Last line of defence: whatever the path holds, a token goes to the connection's host alone.
    if url.as_str().strip_prefix(access.origin()).is_some_and(|rest| rest.starts_with('/')) {
        return Ok(url);
    }
    Err(Error::new(ErrorKind::Bug, "The request would leave the connection's own host."))
}

/// Writes the header value of the credential.
fn write_credential(header: CredentialHeader, access: &Access) -> Result<HeaderValue, Error> {
    let value = HeaderValue::try_from(format!("{}{}", header.prefix, access.credential().secret()));
    let mut value = value.map_err(|_| {
        Error::new(ErrorKind::NoConnection, "The connection's token has a character that a header cannot carry.")
            .with_hint("Copy the token again.")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn to_reqwest_method(method: Method) -> reqwest::Method {
    match method {
        Method::Head => reqwest::Method::HEAD,
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn refuse_to_send(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("The {what} cannot be sent."))
}

/// Explains why no response came. A failed connect sent nothing; a later failure may follow a delivery.
pub(super) fn explain_failure(error: reqwest::Error, effect: Effect) -> Error {
    let connected = !error.is_connect();
    let message = if connected { "The connection broke before an answer came." } else { "The host cannot be reached." };
    let failure = Error::new(ErrorKind::Unreachable, message).with_reach(if connected { Reach::Sent } else { Reach::Unsent });
    let failure = match effect {
        Effect::Write | Effect::Destructive if connected => {
            failure.with_retry(Retry::Unsafe).with_hint("The request may have been carried out: check before you repeat it.")
        }
        _ => failure.with_hint("Nothing was changed: check the connection's host, and try again."),
    };
    failure.with_source(error.without_url())
}
