//! One call under way.

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::connector::Connector;
use crate::declare::method::Effect;
use crate::embed::connections::{Connection, Connections};
use crate::exchange::files::Files;
use crate::exchange::request::{Request, Role};
use crate::exchange::response::{Response, bad_answer};
use crate::runtime::session::Session;
use crate::runtime::stop::Stop;
use crate::value::access::Access;
use crate::value::error::Error;
use crate::value::wording::quote;
use crate::wire::transport::{OpenResponse, Transport};

/// One call under way.
pub struct Call<'a> {
    /// The key of the action or data source.
    pub(super) key: &'static str,
    pub(super) connector: &'static Connector,
    pub(super) checked: &'a CheckedInput,
    pub(super) connection: &'a Connection,
    pub(super) connections: &'a dyn Connections,
    pub(super) transport: &'a Transport,
    pub(super) session: &'a Session,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("action", &self.key).field("connection", &self.connection.name).finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// The input, which has passed its checks.
    pub fn input(&self) -> &Map<String, Value> {
        &self.checked.input
    }

    /// The request of a declared action with the input of this call.
    pub fn request(&self, declaration: &'static Declaration) -> Request {
        Request::build(declaration, &self.checked.input, &self.checked.files)
    }

    /// Whether the connection was granted one of these scopes; one that does not know its scopes is taken at its word.
    pub fn is_granted(&self, scopes: &[&str]) -> bool {
        self.connection.scopes.as_ref().is_none_or(|granted| scopes.iter().any(|scope| granted.iter().any(|other| other == scope)))
    }

    /// Says something that the caller should know.
    pub fn warn(&self, warning: impl Into<String>) {
        self.session.lock().meta.warnings.push(warning.into());
    }

    /// Sends the action's own request and gives its answer; a refusal is an error. In a dry run nothing is sent.
    pub async fn send(&self, request: Request) -> Result<Response, Stop> {
        self.dispatch(request, Role::Own).await
    }

    /// The same for a request that goes elsewhere than the action's own endpoint; recorded traffic marks it.
    pub async fn send_helper(&self, request: Request) -> Result<Response, Stop> {
        self.dispatch(request, Role::Helper).await
    }

    async fn dispatch(&self, request: Request, role: Role) -> Result<Response, Stop> {
        let most = self.transport.largest_answer();
        let response = self.open(&request, role).await?;
        let response = self.record_response(response.read(most).await)?;
        match response.status {
            200..=299 => Ok(response),
            300..=399 => Err(explain_redirect(&response).into()),
            _ => Err(response.read_refusal(self.connector, request.declaration).into()),
        }
    }

    /// The head of the answer to a request, sent again under a fresh credential where that mends a 401.
    pub(super) async fn open(&self, request: &Request, role: Role) -> Result<OpenResponse, Stop> {
        if self.session.dry_run {
            let header = if self.connection.api_token { self.connector.require_token_header()? } else { "authorization" };
            let line = request.describe(self.key, &self.connection.origin, header, role);
            return Err(Stop::Planned(line));
        }
        let access = self.connections.access(self.connection).await?;
        let opened = self.send_once(request, &access, role).await?;
        if opened.status() != 401 {
            return Ok(opened);
        }
        // A 401 was not carried out, so that it is safe to send again under a fresh credential.
        let fresh = self.connections.renew(self.connection, &access).await?;
        match fresh {
            Some(fresh) => {
                drop(opened);
                Ok(self.send_once(request, &fresh, role).await?)
            }
            None => Ok(opened),
        }
    }

    async fn send_once(&self, request: &Request, access: &Access, role: Role) -> Result<OpenResponse, Error> {
        let header = self.connector.credential_header(access)?;
        let mark = self.connection.sandbox.then_some((self.key, role));
        // Only what is handed to the network counts, and may have been carried out.
        let on_sent = || self.session.record_sent(request.cost, request.effect() != Effect::Read, access);
        let result = self.transport.send(request, access, header, mark, on_sent).await;
        if result.is_err() {
            self.session.lock().open_write = false;
        }
        result
    }

    /// A response that came to its end, or did not.
    pub(super) fn record_response(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        let mut state = self.session.lock();
        state.open_write = false;
        if let Ok(response) = &result {
            state.meta.status = Some(response.status);
            state.wrote |= response.effect != Effect::Read && (200..300).contains(&response.status);
        }
        result
    }

    pub(crate) fn record_replay(&self) {
        self.session.lock().meta.replayed = true;
    }

    /// The same text for the same connection, action and input.
    pub(crate) fn fingerprint(&self) -> String {
        let mut input = Value::Object(self.checked.input.clone());
        input.sort_all_objects();
        let parts = [self.connector.key, &self.connection.name, self.key];
        parts.iter().fold(String::new(), |text, part| format!("{text}{}:{part}\n", part.len())) + &input.to_string()
    }
}

/// What an action is run with: its input, which has passed its checks, and the files of it.
#[derive(Debug, Default)]
pub(crate) struct CheckedInput {
    pub(crate) input: Map<String, Value>,
    pub(crate) files: Files,
}

fn explain_redirect(response: &Response) -> Error {
    let to = response.header("location").unwrap_or("nowhere");
    // A redirect's query may carry what the host was given.
    let to = to.split(['?', '#']).next().unwrap_or_default().replace(response.access.credential().secret(), "[redacted]");
    bad_answer(&format!("The answer ({}) is a redirect to {}, which is not followed.", response.status, quote(&to)), response.effect)
}
