//! One call under way: what an action sees of it, and what it has cost so far.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::action::Effect;
use crate::catalogue::Entry;
use crate::connections::{Access, Connection, Credential};
use crate::error::{Error, ErrorKind, Retry};
use crate::outcome::Meta;
use crate::request::{Request, Role};
use crate::response::{Refusal, Response};
use crate::runtime::Inner;

/// One call under way.
pub struct Call<'a> {
    entry: &'a Entry,
    input: &'a Map<String, Value>,
    connection: &'a Connection,
    runtime: &'a Inner,
    session: &'a Session,
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
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("action", &self.entry.key()).field("connection", &self.connection.name).finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(
        entry: &'a Entry,
        input: &'a Map<String, Value>,
        connection: &'a Connection,
        runtime: &'a Inner,
        session: &'a Session,
    ) -> Self {
        Self { entry, input, connection, runtime, session }
    }

    pub(super) fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// The input, which has passed its checks.
    pub fn input(&self) -> &Map<String, Value> {
        self.input
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
        if self.session.dry_run {
            let header = if self.connection.api_token { self.token_header()? } else { "authorization" };
            let line = request.line(self.entry.key(), &self.connection.origin, header, role);
            self.session.state().would_send.push(line);
            return Err(Error::new(ErrorKind::Cancelled, "A dry run sends nothing."));
        }
        let access = self.runtime.connections.access(self.connection).await?;
        let mut response = self.sent(&request, &access, role).await?;
        // A 401 was not carried out, so that it is safe to send again under a fresh credential.
        if response.status == 401
            && let Some(fresh) = self.runtime.connections.renew(self.connection, &access).await?
        {
            response = self.sent(&request, &fresh, role).await?;
        }
        match response.status {
            200..=299 => Ok(response),
            300..=399 => Err(redirected(&response)),
            _ => {
                let refusal = Refusal::new(&response, request.declaration);
                Err((self.entry.connector().refusal)(&refusal))
            }
        }
    }

    async fn sent(&self, request: &Request, access: &Access, role: Role) -> Result<Response, Error> {
        let header = match access.credential() {
            Credential::Bearer(_) => "authorization",
            Credential::ApiToken(_) => self.token_header()?,
        };
        let told = self.connection.sandbox.then(|| (self.entry.key(), role));
        let connector = self.entry.connector();
        if !access.is_of(connector) {
            let message = format!("The host {} is none of {}'s, and no credential is sent there.", access.origin(), connector.label);
            return Err(
                Error::new(ErrorKind::NoConnection, message).with_hint(format!("Its hosts are below {}.", connector.domains.join(", ")))
            );
        }
        let writes = request.effect() != Effect::Read;
        // Only what is handed to the network counts, and may have been carried out.
        let leaves = || {
            let mut state = self.session.state();
            state.used.push(access.clone());
            state.meta.requests += 1;
            state.meta.attempts = state.meta.attempts.max(1);
            state.meta.tokens += request.cost;
            state.open_write = writes;
        };
        let result = self.runtime.transport.send(request, access, header, told, leaves).await;
        let mut state = self.session.state();
        state.open_write = false;
        if let Ok(response) = &result {
            state.meta.status = Some(response.status);
            state.wrote |= writes && (200..300).contains(&response.status);
        }
        result
    }

    fn token_header(&self) -> Result<&'static str, Error> {
        self.entry.connector().token_header().ok_or_else(|| {
            Error::new(ErrorKind::NoConnection, format!("{} takes no API token.", self.entry.connector().label))
                .with_hint("Connect it by OAuth.")
        })
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
        let mut input = Value::Object(self.input.clone());
        input.sort_all_objects();
        let parts = [self.entry.connector().key, &self.connection.name, self.entry.key()];
        parts.iter().fold(String::new(), |text, part| format!("{text}{}:{part}\n", part.len())) + &input.to_string()
    }
}

impl Session {
    pub(super) fn new(dry_run: bool) -> Self {
        Self { dry_run, state: Mutex::default() }
    }

    pub(super) fn chose(&self, connection: &Connection) {
        let mut state = self.state();
        state.meta.connection = Some(connection.name.clone());
        state.meta.sandbox = connection.sandbox;
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
    crate::response::bad_answer(
        &format!("The answer ({}) is a redirect to {}, which is not followed.", response.status, crate::catalogue::shortened(&to)),
        response.effect,
    )
}
