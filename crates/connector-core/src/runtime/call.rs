//! The call that an action is given: its input, its requests, and what it records.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::connector::Connector;
use crate::declare::method::Effect;
use crate::embed::connections::{Connection, Connections};
use crate::embed::observer::WordedRequest;
use crate::exchange::files::Files;
use crate::exchange::later::LaterChange;
use crate::exchange::references::TakenInput;
use crate::exchange::request::{Request, Role};
use crate::exchange::response::{Response, bad_answer};
use crate::policy::retry::Retries;
use crate::runtime::attempts::Attempts;
use crate::runtime::naming::definitions::{Definitions, Freshness, ListOf, Missed};
use crate::runtime::pacing::{Ask, Pacer, Permit};
use crate::runtime::session::Session;
use crate::runtime::stop::Stop;
use crate::runtime::watching::requests::{begin_request, find_template};
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Reach};
use crate::value::estimate::{Cost, CostBound};
use crate::value::options::{FieldNames, Priority};
use crate::value::wording::quote;
use crate::wire::transport::{OpenResponse, Transport};

/// A reader of lists that accounts define.
#[async_trait]
pub(super) trait DefinitionReader: Send + Sync {
    /// Returns a list that is fresh enough, from memory, the cache or the vendor.
    async fn get(&self, call: &Call<'_>, of: ListOf, freshness: Freshness) -> Result<Arc<Definitions>, Stop>;
}

/// A call under way.
pub struct Call<'a> {
    /// The key of the action or data source.
    pub(super) key: &'static str,
    pub(super) connector: &'static Connector,
    /// The declaration of the action. A data source has none.
    pub(super) declaration: Option<&'static Declaration>,
    pub(super) checked: &'a CheckedInput,
    pub(super) connection: &'a Connection,
    pub(super) connections: &'a dyn Connections,
    pub(super) transport: &'a Transport,
    pub(super) session: &'a Session,
    /// The lists that accounts define.
    pub(super) keeper: &'a dyn DefinitionReader,
    /// `true` if it reads for another call: it is sent in a dry run too, and adds no warnings.
    pub(super) helps: bool,
    /// The way in which custom fields are named in the data.
    pub(super) fields: FieldNames,
    pub(super) retries: Retries,
    pub(super) pacer: &'a Pacer,
    pub(super) priority: Priority,
    /// The deadline, beyond which nothing is sent again.
    pub(super) until: tokio::time::Instant,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("action", &self.key).field("connection", &self.connection.name).finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// Returns the input, which has passed its checks.
    pub fn input(&self) -> &Map<String, Value> {
        &self.checked.input
    }

    /// Returns the call with another input.
    pub(super) fn with_input<'b>(&'b self, checked: &'b CheckedInput) -> Call<'b> {
        Call { checked, ..*self }
    }

    /// Returns the call with the input in which names were resolved, if there were any.
    pub(super) fn with_resolved<'b>(&'b self, resolved: Option<&'b CheckedInput>) -> Call<'b> {
        Call { checked: resolved.unwrap_or(self.checked), ..*self }
    }

    /// Returns a call that reads for this one, with an input of its own.
    pub(super) fn as_helper<'b>(&'b self, checked: &'b CheckedInput) -> Call<'b> {
        Call { checked, helps: true, ..*self }
    }

    /// Returns a list that the account defines: kept for an hour, else read whole.
    pub async fn definitions(&self, of: ListOf) -> Result<Arc<Definitions>, Stop> {
        self.keeper.get(self, of, self.session.freshness()).await
    }

    /// Returns a list that the account defines, fresher than one in which a name was not found.
    ///
    /// It returns none if the list was read again for that name before.
    pub(super) async fn definitions_after_miss(
        &self,
        of: ListOf,
        known: &Definitions,
        missed: Missed<'_>,
    ) -> Result<Option<Arc<Definitions>>, Stop> {
        let Some(freshness) = known.miss(&missed).filter(|_| !self.session.has_seen(known.read_at())) else { return Ok(None) };
        let again = self.keeper.get(self, of, freshness).await?;
        again.remember_misses(known);
        Ok(Some(again))
    }

    /// Builds the request of a declared action from the input of this call.
    pub fn request(&self, declaration: &'static Declaration) -> Request {
        Request::build(declaration, &self.checked.input, &self.checked.files)
    }

    /// Checks that the connection was granted one of these scopes. It passes if the scopes are unknown.
    pub fn is_granted(&self, scopes: &[&str]) -> bool {
        self.connection.scopes.as_ref().is_none_or(|granted| scopes.iter().any(|scope| granted.iter().any(|other| other == scope)))
    }

    /// Checks that the connection was granted one scope of each of these lists. It passes if the scopes are unknown.
    pub fn is_granted_all(&self, lists: &[&[&str]]) -> bool {
        lists.iter().all(|scopes| self.is_granted(scopes))
    }

    /// Adds a warning to the outcome.
    pub fn warn(&self, warning: impl Into<String>) {
        if !self.helps {
            self.session.lock().meta.warnings.push(warning.into());
        }
    }

    /// Sends the action's own request, the last one, and returns the response. A refusal is an error.
    ///
    /// A dry run sends nothing, and an estimate ends here.
    pub async fn send(&self, request: Request) -> Result<Response, Stop> {
        self.plan(&request, true)?;
        self.dispatch(request, if self.helps { Role::Helper } else { Role::Own }).await
    }

    /// Sends another request in place of the action's own. Recorded traffic marks it as a helper.
    pub async fn send_instead(&self, request: Request) -> Result<Response, Stop> {
        self.plan(&request, true)?;
        self.dispatch(request, Role::Helper).await
    }

    /// Sends a request beside the action's own, and before it. Recorded traffic marks it as a helper.
    ///
    /// An estimate sends it too if it reads, so that it knows what follows.
    pub async fn send_helper(&self, request: Request) -> Result<Response, Stop> {
        self.plan(&request, false)?;
        self.dispatch(request, Role::Helper).await
    }

    /// Counts a request in an estimate, which ends with the action's own.
    pub(super) fn plan(&self, request: &Request, is_own: bool) -> Result<(), Stop> {
        if !self.session.is_estimate {
            return Ok(());
        }
        let is_sent = self.helps || (!is_own && request.effect() == Effect::Read);
        let lane = self.connector.limits.find_lane(&request.path);
        self.session.plan_request(Cost::in_lane(lane, 1, request.cost.into()), !is_sent);
        if is_sent {
            return Ok(());
        }
        if !is_own {
            self.session.doubt(CostBound::Least, "Requests that depend on an earlier one follow: the call costs this at least.");
        }
        Err(Stop::Planned(Value::Null))
    }

    /// Sends a request until it is answered, or must not be sent again.
    async fn dispatch(&self, request: Request, role: Role) -> Result<Response, Stop> {
        let mut attempts = self.begin(&request, role);
        loop {
            match self.dispatch_once(&request, role, &attempts).await {
                Err(Stop::Failed(error)) => attempts.wait_to_repeat(error).await?,
                result => return result,
            }
        }
    }

    /// Begins the attempts of a request.
    pub(super) fn begin(&self, request: &Request, role: Role) -> Attempts<'_> {
        Attempts::new(self.session, self.retries, self.until, request, role)
    }

    async fn dispatch_once(&self, request: &Request, role: Role, attempts: &Attempts<'_>) -> Result<Response, Stop> {
        let most = self.transport.largest_answer();
        let response = self.open(request, role, attempts).await?;
        let response = self.record_response(response.read(most).await)?;
        match response.status {
            200..=299 => Ok(response),
            300..=399 => Err(explain_redirect(&response).into()),
            404 | 410 if attempts.may_have_deleted() => {
                self.warn("The deletion was sent again after a failure, and found nothing to delete: it counts as carried out.");
                Ok(Response { status: 204, body: Bytes::new(), ..response })
            }
            _ => Err(self.read_refusal(&response, request).into()),
        }
    }

    /// Reads what a refusal means, in the connector's words.
    pub(super) fn read_refusal(&self, response: &Response, request: &Request) -> Error {
        // A request that code built needs one list of those of the action, and nobody knows which.
        let of_action = self.declaration.filter(|declaration| !declaration.scopes_all.is_empty());
        let needed: Vec<_> = request.declaration.or(of_action).into_iter().flat_map(Declaration::scope_lists).collect();
        let missing: Vec<_> = needed.iter().copied().filter(|scopes| needed.len() > 1 && !self.is_granted(scopes)).collect();
        let lists = if missing.is_empty() || self.connection.scopes.is_none() { needed } else { missing };
        let error =
            response.read_refusal(self.connector, request.declaration, (request.method, &request.path), &lists).with_reach(Reach::Refused);
        match self.session.lock().pause {
            Some(pause) if error.kind() == ErrorKind::RateLimited && error.retry_after_ms().is_none() => {
                error.with_retry_after_ms(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
            }
            _ => error,
        }
    }

    /// Sends a request and returns the head of the response. After a 401 it tries once with a fresh credential.
    pub(super) async fn open(&self, request: &Request, role: Role, attempts: &Attempts<'_>) -> Result<OpenResponse, Stop> {
        if self.session.is_dry_run() && !self.helps {
            let header = self.connector.planned_header(self.connection.api_token)?;
            let line = request.describe(self.key, &self.connection.origin, header, role);
            return Err(Stop::Planned(line));
        }
        let permit = self.admit(request, attempts).await?;
        // A credential may expire while a request waits, so it is asked for after that.
        let access = self.connections.access(self.connection).await?;
        let opened = self.send_once(request, &access, role, (permit, attempts.count_failed())).await?;
        if opened.status() != 401 {
            return Ok(opened);
        }
        // A request answered by 401 was not carried out, so it is safe to send it again.
        self.session.lock().open_write = false;
        let fresh = self.connections.renew(self.connection, &access).await?;
        match fresh {
            Some(fresh) => {
                drop(opened);
                self.session.lock().tally.refreshes += 1;
                let permit = self.admit(request, attempts).await?;
                Ok(self.send_once(request, &fresh, role, (permit, attempts.count_failed() + 1)).await?)
            }
            None => Ok(opened),
        }
    }

    /// Waits until the limits of the connection have room for a request.
    async fn admit(&self, request: &Request, attempts: &Attempts<'_>) -> Result<Permit, Error> {
        let ask = Ask {
            connector: self.connector,
            connection: self.connection,
            path: &request.path,
            cost: request.cost,
            priority: self.priority,
            until: self.until,
            ticket: attempts.ticket.get().copied(),
        };
        let permit = self.pacer.admit(ask).await?;
        let _ = attempts.ticket.set(permit.ticket);
        self.session.record_wait(permit.waited);
        Ok(permit)
    }

    /// Sends a request under its permit. The number counts how often it was sent before.
    async fn send_once(
        &self,
        request: &Request,
        access: &Access,
        role: Role,
        (permit, resend): (Permit, u32),
    ) -> Result<OpenResponse, Error> {
        let header = self.connector.credential_header(access)?;
        let mark = self.connection.sandbox.then_some((self.key, role));
        let writes = request.effect() != Effect::Read;
        if let Err(error) = self.session.prepare_to_send(writes).await {
            permit.withdraw();
            return Err(error);
        }
        // A request counts, and may have been carried out, once it is handed to the network.
        let on_sent = || {
            self.session.begin_to_send(request.cost, writes, access)?;
            Ok(begin_request(request, self.connector, access, resend))
        };
        self.note_worded(request, role);
        let result = self.transport.send(request, access, header, mark, permit.connection(), on_sent).await;
        match &result {
            Ok(opened) => self.session.record_limits(permit.hear(opened.status(), |name| opened.header(name))),
            Err(error) => {
                self.session.lock().open_write = false;
                if matches!(error.reach(), None | Some(Reach::Unsent)) {
                    permit.withdraw();
                }
            }
        }
        result
    }

    /// Notes a request that the caller worded, for the observer.
    fn note_worded(&self, request: &Request, role: Role) {
        if self.session.is_observed && role == Role::Own && request.declaration.is_none() {
            let template = find_template(request, self.connector);
            self.session.lock().tally.worded.get_or_insert(WordedRequest { method: request.method, template });
        }
    }

    /// Records the response, or that it did not arrive whole.
    pub(super) fn record_response(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        let mut state = self.session.lock();
        state.open_write = false;
        if let Ok(response) = &result {
            state.meta.status = Some(response.status);
            if response.effect != Effect::Read && (200..300).contains(&response.status) {
                state.record_write();
            }
        }
        result
    }

    pub(crate) fn record_replay(&self) {
        self.session.lock().meta.replayed = true;
    }
}

/// An input that has passed its checks, and its files.
#[derive(Debug, Default)]
pub(crate) struct CheckedInput {
    pub(crate) input: Map<String, Value>,
    pub(crate) files: Files,
    /// The inputs in which references stand. They are not in `input` until they are resolved.
    pub(crate) taken: Vec<TakenInput>,
    /// The changes to lists of a record that is not known yet.
    pub(crate) later: Vec<LaterChange>,
}

fn explain_redirect(response: &Response) -> Error {
    let to = response.header("location").unwrap_or("nowhere");
    // The query of a redirect may repeat a secret.
    let to = to.split(['?', '#']).next().unwrap_or_default();
    let to = response.access.redaction().redact(to);
    bad_answer(&format!("The answer ({}) is a redirect to {}, which is not followed.", response.status, quote(&to)), response.effect)
}
