//! One call under way: what an action sees of it, and what it has cost so far.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde_json::{Map, Value};

use crate::action::{Declaration, Effect, Method};
use crate::catalogue::Entry;
use crate::connections::Connection;
use crate::files::Files;
use crate::request::{Request, Role};
use crate::response::{Refusal, Response, bad_answer};
use crate::runtime::Inner;
use crate::runtime::transport::Opened;
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::file::{self, Sink};
use crate::value::outcome::{Answer, Meta};
use crate::value::wording::quote;

/// One call under way.
pub struct Call<'a> {
    entry: &'a Entry,
    given: &'a Given,
    connection: &'a Connection,
    runtime: &'a Inner,
    session: &'a Session,
}

/// What an action is run with: its input, which has passed its checks, and the files of it.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) input: Map<String, Value>,
    pub(crate) files: Files,
}

/// What a call has done so far; it outlives the work, so that a timeout can say what was sent.
pub(crate) struct Session {
    dry_run: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    meta: Meta,
    would_send: Vec<Value>,
    /// What was sent as a credential, so that no word of an error repeats it.
    used: Vec<Access>,
    /// A write that was handed to the network and has not answered.
    open_write: bool,
    /// A write that was carried out.
    wrote: bool,
    /// Where a fetched file goes.
    sink: Option<Sink>,
}

/// A file that was fetched, as an outcome shows it.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Fetched {
    content_type: String,
    file_name: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Where a redirect leads.
struct Target {
    url: Url,
    /// Whether that is another host.
    leaves: bool,
}

impl Target {
    fn of(opened: &Opened) -> Result<Self, Error> {
        let refused = |what: &str| bad_answer(&format!("The answer ({}) {what}.", opened.status()), Effect::Read);
        let to = opened.header("location").ok_or_else(|| refused("is a redirect to nowhere"))?;
        let url = opened.url().join(to).map_err(|_| refused("is a redirect to what is no URL"))?;
        let leaves = url.origin() != opened.url().origin();
        Ok(Self { url, leaves })
    }

    /// Only what anyone may read over https is read: an answer must not lead into the network that the host runs in.
    fn may_be_read(&self, local: bool) -> Result<(), Error> {
        let host = self.url.host_str().unwrap_or_default();
        let refused = |why: &str| {
            let message = format!("The file is a redirect to {}, which is not followed: {why}.", quote(host));
            Err(bad_answer(&message, Effect::Read))
        };
        match self.url.scheme() {
            "https" if !is_inside(host) => Ok(()),
            "https" | "http" if local && is_inside(host) => Ok(()),
            "https" => refused("it is an address inside a network"),
            _ => refused("it is not https"),
        }
    }

    fn path(&self) -> String {
        let path = self.url.path();
        self.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }
}

/// Whether a host is this machine, or an address that the public network does not have.
fn is_inside(host: &str) -> bool {
    use std::net::IpAddr;
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => {
            let carrier = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            carrier || address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => is_inside(&mapped.to_string()),
            None => address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local(),
        },
        Err(_) => host == "localhost" || host.ends_with(".localhost") || !host.contains('.'),
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("action", &self.entry.key()).field("connection", &self.connection.name).finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(entry: &'a Entry, given: &'a Given, connection: &'a Connection, runtime: &'a Inner, session: &'a Session) -> Self {
        Self { entry, given, connection, runtime, session }
    }

    pub(super) fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// The input, which has passed its checks.
    pub fn input(&self) -> &Map<String, Value> {
        &self.given.input
    }

    /// The request of a declared action with the input of this call.
    pub fn request(&self, declaration: &'static Declaration) -> Request {
        Request::of(declaration, &self.given.input, &self.given.files)
    }

    /// Whether the connection was granted one of these scopes; one that does not know its scopes is taken at its word.
    pub fn grants(&self, scopes: &[&str]) -> bool {
        self.connection.scopes.as_ref().is_none_or(|granted| scopes.iter().any(|scope| granted.iter().any(|other| other == scope)))
    }

    /// Says something that the caller should know.
    pub fn warn(&self, warning: impl Into<String>) {
        self.session.state().meta.warnings.push(warning.into());
    }

    /// Sends the action's own request and gives its answer; a refusal is an error. In a dry run nothing is sent.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        self.dispatch(request, Role::Own).await
    }

    /// The same for a request that goes elsewhere than the action's own endpoint; recorded traffic marks it.
    pub async fn send_beside(&self, request: Request) -> Result<Response, Error> {
        self.dispatch(request, Role::Helper).await
    }

    async fn dispatch(&self, request: Request, role: Role) -> Result<Response, Error> {
        let most = self.runtime.transport.largest_answer();
        let response = self.opened(&request, role).await?;
        let response = self.noted(response.whole(most).await)?;
        match response.status {
            200..=299 => Ok(response),
            300..=399 => Err(redirected(&response)),
            _ => Err(self.refused(&response, &request)),
        }
    }

    /// Fetches a file, to where the caller wants it or into the answer. Redirects are followed, over https alone, and
    /// what stands on another host gets no credential.
    pub async fn download(&self, request: Request) -> Result<Answer, Error> {
        const MOST_HOPS: usize = 5;
        let mut opened = self.opened(&request, Role::Own).await?;
        let mut left = false;
        for _ in 0..MOST_HOPS {
            if !matches!(opened.status(), 301 | 302 | 303 | 307 | 308) {
                break;
            }
            let target = Target::of(&opened)?;
            left |= target.leaves;
            drop(opened);
            opened = if left {
                let access = self.runtime.connections.access(self.connection).await?;
                target.may_be_read(access.is_local())?;
                let leaves = || self.session.left(0, false, &access);
                self.runtime.transport.elsewhere(target.url, &access, leaves).await?
            } else {
                self.opened(&Request::new(Method::Get, target.path(), 0), Role::Helper).await?
            };
        }
        self.session.state().meta.status = Some(opened.status());
        match opened.status() {
            200..=299 => {}
            300..=399 => return Err(bad_answer(&format!("The file is not found within {MOST_HOPS} redirects."), request.effect())),
            status if left => {
                return Err(bad_answer(&format!("The host that keeps the file refuses it ({status})."), request.effect()));
            }
            _ => {
                let response = self.noted(opened.whole(self.runtime.transport.largest_answer()).await)?;
                return Err(self.refused(&response, &request));
            }
        }
        let content_type = opened.header("content-type").unwrap_or("application/octet-stream").to_owned();
        let last = opened.url().path_segments().and_then(|mut segments| segments.next_back()).filter(|last| last.contains('.'));
        let file_name = opened.header("content-disposition").and_then(file::named).or_else(|| last.map(str::to_owned));
        let file_name = file_name.unwrap_or_else(|| "file".to_owned());
        let sink = self.session.state().sink.take();
        let (size, base64) = match sink {
            Some(mut sink) => (opened.into_sink(&mut sink, self.runtime.transport.largest_file()).await?, None),
            None => {
                let body = opened.whole(self.runtime.transport.largest_answer()).await?.body;
                (body.len() as u64, Some(STANDARD.encode(&body)))
            }
        };
        Ok(Answer::of(&Fetched { content_type, file_name, size, base64 }))
    }

    /// The head of the answer to a request, sent again under a fresh credential where that mends a 401.
    async fn opened(&self, request: &Request, role: Role) -> Result<Opened, Error> {
        if self.session.dry_run {
            let header = if self.connection.api_token { self.entry.connector().needs_token_header()? } else { "authorization" };
            let line = request.line(self.entry.key(), &self.connection.origin, header, role);
            self.session.state().would_send.push(line);
            return Err(Error::new(ErrorKind::Cancelled, "A dry run sends nothing."));
        }
        let access = self.runtime.connections.access(self.connection).await?;
        let opened = self.sent(request, &access, role).await?;
        if opened.status() != 401 {
            return Ok(opened);
        }
        // A 401 was not carried out, so that it is safe to send again under a fresh credential.
        let fresh = self.runtime.connections.renew(self.connection, &access).await?;
        match fresh {
            Some(fresh) => {
                drop(opened);
                self.sent(request, &fresh, role).await
            }
            None => Ok(opened),
        }
    }

    async fn sent(&self, request: &Request, access: &Access, role: Role) -> Result<Opened, Error> {
        let header = self.entry.connector().credential_header(access)?;
        let told = self.connection.sandbox.then(|| (self.entry.key(), role));
        // Only what is handed to the network counts, and may have been carried out.
        let leaves = || self.session.left(request.cost, request.effect() != Effect::Read, access);
        let result = self.runtime.transport.send(request, access, header, told, leaves).await;
        if result.is_err() {
            self.session.state().open_write = false;
        }
        result
    }

    /// A response that came to its end, or did not.
    fn noted(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        let mut state = self.session.state();
        state.open_write = false;
        if let Ok(response) = &result {
            state.meta.status = Some(response.status);
            state.wrote |= response.effect != Effect::Read && (200..300).contains(&response.status);
        }
        result
    }

    fn refused(&self, response: &Response, request: &Request) -> Error {
        (self.entry.connector().refusal)(&Refusal::new(response, request.declaration))
    }

    pub(super) fn would_send(&self) -> Option<Vec<Value>> {
        let lines = std::mem::take(&mut self.session.state().would_send);
        (!lines.is_empty()).then_some(lines)
    }

    pub(super) fn replayed(&self) {
        self.session.state().meta.replayed = true;
    }

    /// The same text for the same connection, action and input.
    pub(super) fn fingerprint(&self) -> String {
        let mut input = Value::Object(self.given.input.clone());
        input.sort_all_objects();
        let parts = [self.entry.connector().key, &self.connection.name, self.entry.key()];
        parts.iter().fold(String::new(), |text, part| format!("{text}{}:{part}\n", part.len())) + &input.to_string()
    }
}

impl Session {
    pub(super) fn new(dry_run: bool, sink: Option<Sink>) -> Self {
        Self { dry_run, state: Mutex::new(State { sink, ..State::default() }) }
    }

    pub(super) fn chose(&self, connection: &Connection) {
        let mut state = self.state();
        state.meta.connection = Some(connection.name.clone());
        state.meta.sandbox = connection.sandbox;
    }

    /// A request is handed to the network.
    fn left(&self, cost: u32, writes: bool, access: &Access) {
        let mut state = self.state();
        state.used.push(access.clone());
        state.meta.requests += 1;
        state.meta.attempts = state.meta.attempts.max(1);
        state.meta.tokens += cost;
        state.open_write = writes;
    }

    pub(super) fn warn_of(&self, warning: Option<String>) {
        self.state().meta.warnings.extend(warning);
    }

    pub(super) fn meta(&self) -> Meta {
        std::mem::take(&mut self.state().meta)
    }

    /// The failure without any credential that was sent: a vendor may quote what it got.
    pub(super) fn cleaned(&self, error: Error) -> Error {
        self.state().used.iter().fold(error, |error, access| error.without(access.credential().secret()))
    }

    pub(super) fn timed_out(&self, limit: Duration) -> Error {
        let error = Error::new(ErrorKind::TimedOut, format!("There was no outcome within {} ms.", limit.as_millis()));
        let (open, wrote) = {
            let state = self.state();
            (state.open_write, state.wrote)
        };
        if open || wrote {
            error.with_retry(Retry::Unsafe).with_hint("The request was sent and may have been carried out: look before you repeat it.")
        } else {
            error.with_hint("Nothing was changed: try again, or raise options.timeoutMs.")
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and a count is worth reading even if something did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn redirected(response: &Response) -> Error {
    let to = response.header("location").unwrap_or("nowhere");
    // A redirect's query may carry what the host was given.
    let to = to.split(['?', '#']).next().unwrap_or_default().replace(response.access.credential().secret(), "[redacted]");
    bad_answer(&format!("The answer ({}) is a redirect to {}, which is not followed.", response.status, quote(&to)), response.effect)
}
