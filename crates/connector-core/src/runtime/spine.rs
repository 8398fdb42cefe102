//! The spine: find → read the input → choose the connection → build and send → read.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};
use tracing::{Instrument as _, debug};

use crate::declare::action::Declaration;
use crate::declare::method::Effect;
use crate::declare::page::{self, Paging};
use crate::declare::rule::Rule;
use crate::embed::cache::Cache;
use crate::embed::connections::{Chosen, Connections};
use crate::embed::ledger::Ledger;
use crate::embed::observer::{EndedCall, Observer};
use crate::embed::register::MatchRegister;
use crate::exchange::files::Files;
use crate::exchange::references::{NamedField, take_references};
use crate::exchange::view::flatten;
use crate::policy::retry::Retries;
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::{Catalogue, Entry};
use crate::runtime::deadline::Deadline;
use crate::runtime::estimate::plan_call;
use crate::runtime::estimate::planned::{BatchPlan, PlannedCall};
use crate::runtime::guarding::{Guard, ResolvedGuard, show_changes};
use crate::runtime::keyed::once::run_once;
use crate::runtime::keyed::tether::{Running, Tether, run_tethered};
use crate::runtime::naming::{ChangedRecord, Keeper, has_names, lead_faults, name_fields_or_warn, resolve_names};
use crate::runtime::pacing::Pacer;
use crate::runtime::pages::{check_options, end_run, read_all_pages, run_once_through};
use crate::runtime::session::Session;
use crate::runtime::streaming::{Outlet, RecordStream, stream_all_pages};
use crate::runtime::upsert::run_upsert;
use crate::runtime::watching::watch::Watch;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::fault::{Fault, FaultCode};
use crate::value::file::Upload;
use crate::value::invocation::Invocation;
use crate::value::options::{FieldNames, Pages};
use crate::value::outcome::{Answer, Outcome};
use crate::value::time_zone::TimeZone;
use crate::value::view::View;
use crate::value::wording::list_names;
use crate::wire::transport::Transport;

/// A runtime that carries out invocations. It is cheap to clone, and every clone shares one HTTP client.
///
/// ```
/// use connector_core::ErrorKind;
/// use connector_core::embed::{Credential, OneConnection};
/// use connector_core::run::{Invocation, Runtime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connector_core::Error> {
/// let account = OneConnection::new("acme", "https://acme.example", Credential::api_token("a token"))?;
/// // A program lists the connectors that it links here.
/// let runtime = Runtime::builder().connectors(&[]).connections(account).build()?;
///
/// let outcome = runtime.invoke(Invocation::new("getDeal")).await;
/// assert_eq!(outcome.error().map(|error| error.kind()), Some(ErrorKind::UnknownAction));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runtime(pub(super) Arc<Spine>);

#[derive(Clone)]
pub(super) struct Spine {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) connections: Arc<dyn Connections>,
    pub(super) ledger: Arc<dyn Ledger>,
    /// The values by which upserts look for records.
    pub(super) register: Arc<dyn MatchRegister>,
    /// The lists that accounts define.
    pub(super) keeper: Keeper,
    /// The calls that may outlive their callers.
    pub(super) running: Running,
    pub(super) transport: Arc<Transport>,
    /// The view of a call that names none, over a connection that names none.
    pub(super) view: View,
    pub(super) retries: Retries,
    /// The observer of all calls.
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// The limits of all connections.
    pub(super) pacer: Arc<Pacer>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("entries", &self.0.catalogue.entries().len()).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Builds a runtime for other connections, another ledger and another cache. It shares all else.
    ///
    /// Without a ledger or a cache it shares that too: for connections of another owner, give others.
    #[must_use]
    pub fn with_connections(
        &self,
        connections: impl Connections + 'static,
        ledger: Option<Box<dyn Ledger>>,
        cache: Option<Box<dyn Cache>>,
    ) -> Self {
        let (catalogue, transport) = (Arc::clone(&self.0.catalogue), Arc::clone(&self.0.transport));
        Self(Arc::new(Spine {
            catalogue,
            connections: Arc::new(connections),
            ledger: ledger.map_or_else(|| Arc::clone(&self.0.ledger), Arc::from),
            register: Arc::clone(&self.0.register),
            keeper: self.0.keeper.with_cache(cache),
            running: self.0.running.clone(),
            transport,
            view: self.0.view,
            retries: self.0.retries,
            observer: self.0.observer.clone(),
            pacer: Arc::clone(&self.0.pacer),
        }))
    }

    /// Builds a runtime whose upserts are told from those of others by another register. It shares all else.
    #[must_use]
    pub fn with_register(&self, register: impl MatchRegister + 'static) -> Self {
        Self(Arc::new(Spine { register: Arc::new(register), ..Spine::clone(&self.0) }))
    }

    /// Builds a runtime that tells another observer of its calls. It shares all else.
    #[must_use]
    pub fn with_observer(&self, observer: impl Observer + 'static) -> Self {
        Self(Arc::new(Spine { observer: Some(Arc::new(observer)), ..Spine::clone(&self.0) }))
    }

    /// Tells the observer of an invocation that could not be read, and so was never begun.
    pub fn record_refused(&self, outcome: &Outcome) {
        if let Some(observer) = &self.0.observer {
            observer.observe(&EndedCall::new(outcome.error().map(Error::kind), outcome.meta()));
        }
    }

    /// Returns the catalogue of all that can be invoked.
    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    /// Carries out an invocation. The future borrows nothing, so it can be spawned. Dropping it cancels the call.
    ///
    /// A write under an idempotency key that was sent is not cancelled: it runs to its end, and the ledger keeps its outcome.
    pub fn invoke(&self, invocation: Invocation) -> impl Future<Output = Outcome> + Send + use<> {
        let spine = Arc::clone(&self.0);
        async move {
            if invocation.options.idempotency_key.is_none() || invocation.options.sends_nothing_of_its_own() {
                return spine.invoke(invocation, None, None, None).await;
            }
            let (id, action, running) = (invocation.id.clone(), invocation.action.clone(), spine.running.clone());
            let done = run_tethered(&running, |tether| async move { spine.invoke(invocation, Some(tether), None, None).await }).await;
            done.unwrap_or_else(|error| Outcome::from_failure(id, Some(action), error))
        }
        .in_current_span()
    }

    /// Gives other hosts the permits back that this one leased by its [`Meter`](crate::embed::Meter).
    ///
    /// Without one it does nothing.
    ///
    /// A process calls it before it ends, and uses no runtime that shares this one's parts after it: its calls would wait in vain.
    pub async fn give_back_permits(&self) {
        self.0.pacer.give_back().await;
    }

    /// Waits until no call under an idempotency key is running, here or in a runtime that was built from this one.
    ///
    /// A host that stops waits for it, since such calls outlive their callers. Each ends within its own timeout.
    pub async fn wait_until_idle(&self) {
        self.0.running.wait_until_none().await;
    }

    /// Carries out an invocation given as JSON text. One that cannot be read has an outcome too.
    pub fn invoke_json(&self, text: &[u8]) -> impl Future<Output = Outcome> + Send + use<> {
        let read = Invocation::from_json(text).map(|invocation| self.invoke(invocation));
        let read = read.inspect_err(|refused| self.record_refused(refused));
        async move {
            match read {
                Ok(outcome) => outcome.await,
                Err(refused) => *refused,
            }
        }
    }

    /// Reads a list whole, and gives its records one by one as pages arrive; at last a summary. Memory stays flat.
    ///
    /// The invocation asks for all pages. Nothing is sent before the stream is polled, which spawns a task of Tokio that reads
    /// one page ahead. Dropping the stream cancels the call.
    ///
    /// ```
    /// use connector_core::ErrorKind;
    /// use connector_core::run::{Invocation, Runtime, Streamed};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), connector_core::Error> {
    /// # let runtime = Runtime::builder().build()?;
    /// let mut deals = runtime.stream(Invocation::new("getDeals").all_pages(None));
    /// while let Some(streamed) = deals.next().await {
    ///     match streamed {
    ///         Streamed::Record(deal) => println!("{}", deal.as_str()),
    ///         Streamed::Summary(summary) => {
    ///             // No connector is linked here. Of a list that broke off, `next` goes on after the last record.
    ///             assert_eq!(summary.error().map(|error| error.kind()), Some(ErrorKind::UnknownAction));
    ///             assert_eq!((summary.page().count, &summary.page().next), (0, &None));
    ///         }
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(&self, invocation: Invocation) -> RecordStream {
        let (spine, outlet) = (Arc::clone(&self.0), Arc::new(Outlet::default()));
        let given_to = Arc::clone(&outlet);
        RecordStream::new(outlet, Box::pin(async move { spine.invoke(invocation, None, Some(&given_to), None).await }.in_current_span()))
    }

    /// Streams a list by an invocation given as JSON text. One that cannot be read has a summary too.
    pub fn stream_json(&self, text: &[u8]) -> RecordStream {
        match Invocation::from_json(text) {
            Ok(invocation) => self.stream(invocation),
            Err(refused) => {
                self.record_refused(&refused);
                RecordStream::from(*refused)
            }
        }
    }
}

impl Spine {
    /// Carries out an invocation. With an outlet, the records of its list go there.
    ///
    /// As a line of a batch it is estimated.
    pub(super) async fn invoke(
        &self,
        invocation: Invocation,
        tether: Option<Arc<Tether>>,
        outlet: Option<&Outlet>,
        batch: Option<&Arc<BatchPlan>>,
    ) -> Outcome {
        let Invocation { id, action, connector, connection, input, options, files, sink, faults, held: _held, guard } = invocation;
        let wants_file = sink.is_some();
        let sink = sink.and_then(|sink| sink.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut session = Session::new(options.dry_run, options.refreshes_definitions, sink, tether).guarded_by(guard);
        session.is_observed = self.observer.is_some();
        let session = session.with_estimate(PlannedCall::begin(&options, batch));
        let deadline = Deadline { until: tokio::time::Instant::now() + options.timeout, allowed: options.timeout, session: &session };
        let found = self.catalogue.find(connector.as_deref(), &action);
        let connector = found.as_ref().ok().map(|entry| entry.connector().key);
        let found_entry = found.as_ref().ok().copied();
        let watch = Watch::begin(self.observer.as_deref(), &session, found_entry, options.idempotency_key.as_deref());
        let work = async {
            let entry = found?;
            watch.admit()?;
            check_not_removed(entry)?;
            options.check_key()?;
            options.check_estimate()?;
            check_options(entry, &options, outlet.is_some())?;
            if wants_file && !entry.declaration().is_some_and(|declaration| declaration.returns.is_file()) {
                return Err(refuse_sink(entry));
            }
            let mut checked = self.check_input(entry, input, files, faults, options.time_zone.as_ref())?;
            let guard = Guard::begin(&self.catalogue, entry, &options)?;
            let chosen = deadline.enforce(Chosen::choose(&*self.connections, entry.connector(), connection.as_deref())).await?;
            session.record_connection(&chosen.connection);
            watch.record_connection(&chosen.connection);
            let view = options.view.or(chosen.connection.view).unwrap_or(self.view);
            let flat = entry.declaration().filter(|_| view == View::Flat);
            if let Some(declaration) = flat {
                add_inputs_of_flat_view(declaration, &mut checked.input);
            }
            session.add_warning(find_overridden(entry, &checked.input));
            checked.files.list_doubts().for_each(|doubt| session.add_warning(Some(doubt)));
            let call = Call {
                key: entry.key(),
                connector: entry.connector(),
                declaration: entry.declaration(),
                checked: &checked,
                connection: &chosen.connection,
                connections: chosen.connections(),
                transport: &self.transport,
                session: &session,
                keeper: &self.keeper,
                helps: false,
                fields: if options.dry_run.is_asked() { FieldNames::Keys } else { options.fields },
                retries: self.retries,
                pacer: &self.pacer,
                priority: options.priority,
                until: deadline.until,
            };
            let key = options.idempotency_key.as_deref().filter(|_| !options.dry_run.is_asked() && entry.effect() != Effect::Read);
            // Under a key names are resolved once it is claimed: a replay costs no look-up.
            let is_early = if key.is_some() { options.resolve.is_some() } else { outlet.is_some() || options.pages == Pages::All };
            let resolve = async || Box::pin(resolve_names(&self.catalogue, entry, &call, &ChangedRecord::new(entry))).await;
            let resolved = if is_early && has_names(entry, &call) { deadline.enforce(resolve()).await? } else { None };
            let ready = call.with_resolved(resolved.as_ref());
            let result = match key {
                _ if session.is_estimate => {
                    let work = self.run_by_name(entry, &ready, &guard);
                    Box::pin(deadline.enforce(plan_call(entry, (&call, &ready), &options, (&self.ledger, key), work))).await
                }
                // A read may be carried out twice.
                Some(key) => {
                    let work = self.run_by_name(entry, &ready, &guard);
                    Box::pin(run_once(&self.ledger, (key, options.resolve), (&call, &ready), &deadline, work)).await
                }
                _ if let Some(outlet) = outlet => {
                    let plan = flat.and_then(|_| entry.flat_plan()).filter(|_| !options.dry_run.is_asked());
                    if plan.is_some() {
                        session.record_view(view);
                    }
                    return Box::pin(stream_all_pages(entry, &ready, options.max_items, &deadline, plan, outlet)).await;
                }
                _ if options.pages == Pages::All => Box::pin(read_all_pages(entry, &ready, options.max_items, &deadline)).await,
                _ => deadline.enforce(self.run_by_name(entry, &ready, &guard)).await,
            };
            let result = match result.map_err(|error| session.explain_part(error)) {
                // The pages of a list that is read whole are named one by one.
                Ok(answer) if ready.fields != FieldNames::Keys && (options.pages == Pages::One || session.is_estimate) => {
                    Box::pin(deadline.enforce(name_fields_or_warn(entry, &ready, answer))).await
                }
                Err(error) => Err(Box::pin(lead_faults(entry, &call, &deadline, error)).await),
                result => result,
            };
            match (result, flat.and_then(|_| entry.flat_plan())) {
                (Ok(answer), Some(plan)) if !options.dry_run.is_asked() && !session.is_estimate => {
                    session.record_view(view);
                    Ok(Answer { data: flatten(plan, &answer.data, answer.page.as_ref()), ..answer })
                }
                (result, _) => result,
            }
        };
        let result = match outlet {
            Some(outlet) => Box::pin(outlet.run(work).instrument(watch.span())).await,
            None => work.instrument(watch.span()).await,
        };
        let result = session.end_estimate(result);
        let meta = watch.take_meta();
        let kind = result.as_ref().err().map(Error::kind);
        debug!(
            action,
            connection = meta.connection,
            status = meta.status,
            tokens = meta.tokens,
            elapsed_ms = meta.elapsed_ms,
            error = kind.map(ErrorKind::as_str),
            "invoked"
        );
        watch.end(kind, &meta);
        Outcome { id, action: Some(action), connector, result, meta }
    }

    /// Runs a call once the names in its input are resolved and its record was looked at, if there is need.
    async fn run_by_name(&self, entry: &Entry, call: &Call<'_>, guard: &Guard<'_>) -> Result<Answer, Error> {
        if guard.is_idle() && !has_names(entry, call) {
            return self.run_through(entry, call).await;
        }
        Box::pin(self.run_resolved(entry, call, guard)).await
    }

    /// Runs a call with its names resolved.
    ///
    /// If the vendor refuses what lists that were kept gave, they are read again, once: a field may have been deleted.
    async fn run_resolved(&self, entry: &Entry, call: &Call<'_>, guard: &Guard<'_>) -> Result<Answer, Error> {
        let guard = guard.resolve(&self.catalogue, call).await?;
        let record = ChangedRecord::new(entry);
        let resolved = resolve_names(&self.catalogue, entry, call, &record).await?;
        let result = self.run_guarded(entry, &call.with_resolved(resolved.as_ref()), &guard, &record).await;
        let (Err(error), Some(resolved)) = (&result, &resolved) else { return result };
        let is_refused = matches!(error.kind(), ErrorKind::UpstreamRejected | ErrorKind::NotFound);
        if !is_refused || error.retry() != Retry::Never || !call.session.demand_fresh_lists() {
            return result;
        }
        // The record may have been changed meanwhile.
        let record = ChangedRecord::new(entry);
        match resolve_names(&self.catalogue, entry, call, &record).await? {
            Some(again) if again.input != resolved.input => {
                self.run_guarded(entry, &call.with_resolved(Some(&again)), &guard, &record).await
            }
            _ => result,
        }
    }

    /// Runs a call after a look at its record, if one is asked for.
    async fn run_guarded(
        &self,
        entry: &Entry,
        call: &Call<'_>,
        guard: &ResolvedGuard<'_>,
        record: &ChangedRecord,
    ) -> Result<Answer, Error> {
        let changes = guard.look(call, record).await?;
        let answer = self.run_through(entry, call).await?;
        match changes.filter(|_| call.session.is_dry_run()) {
            Some(changes) => show_changes(call, &answer, &changes),
            None => Ok(answer),
        }
    }

    /// Carries a call out: an upsert by the actions that it is made of, any other once.
    async fn run_through(&self, entry: &Entry, call: &Call<'_>) -> Result<Answer, Error> {
        let Some(upsert) = entry.upsert() else { return run_once_through(entry, call).await };
        let result = Box::pin(run_upsert(&self.catalogue, &self.register, (entry, upsert), call)).await;
        end_run(entry, call, result)
    }

    /// Checks the input, and decodes its files. Times that name no zone are in `zone`.
    fn check_input(
        &self,
        entry: &Entry,
        mut input: Map<String, Value>,
        files: Vec<(String, Upload)>,
        mut faults: Vec<Fault>,
        zone: Option<&TimeZone>,
    ) -> Result<CheckedInput, Error> {
        let fields = entry.fields();
        if matches!(entry.declaration().and_then(Declaration::paging), Some(Paging::Cursor { .. })) {
            faults.extend(page::take_start(&mut input));
        }
        let taken = take_references(entry.named_fields(), &mut input, &mut faults);
        let mut files = Files::attach(files, &fields, &mut input, &mut faults);
        let rules: Vec<&Rule> = entry.declaration().into_iter().flat_map(Declaration::rules).collect();
        let read = entry.checks().read(input, &fields, &rules, entry.takes_null_as_absent(), zone, &taken);
        let (input, mut found) = read.map_or_else(|found| (Map::new(), found), |input| (input, Vec::new()));
        if found.is_empty() {
            found = files.decode(&fields, &input, self.transport.largest_file());
        }
        for fault in found.into_iter().map(|fault| explain_bare_name(entry, explain_not_taken(entry.declaration(), fault))) {
            // A fault found in the text explains more than one found in the value.
            if !faults.iter().any(|known| known.path() == fault.path()) {
                faults.push(fault);
            }
        }
        if faults.is_empty() {
            Ok(CheckedInput { input, files, taken, ..CheckedInput::default() })
        } else {
            Err(Error::invalid_input(entry.key(), faults))
        }
    }
}

/// Adds the inputs that the flat view gives where the caller does not.
fn add_inputs_of_flat_view(declaration: &Declaration, input: &mut Map<String, Value>) {
    for (name, value) in declaration.when_flat {
        input.entry(*name).or_insert_with(|| (*value).into());
    }
}

/// Finds inputs that the vendor ignores because another one overrides them, and words the warning.
fn find_overridden(entry: &Entry, input: &Map<String, Value>) -> Option<String> {
    let fields = entry.fields();
    let field = fields.iter().find(|field| !field.overrides.is_empty() && input.contains_key(field.name))?;
    let ignored: Vec<&str> = field.overrides.iter().copied().filter(|name| input.contains_key(*name)).collect();
    (!ignored.is_empty()).then(|| {
        format!("`{}` overrides {}: {} ignores what is overridden.", field.name, list_names(&ignored, "and"), entry.connector().label)
    })
}

/// Fails if the vendor removed the action, whatever the input.
fn check_not_removed(entry: &Entry) -> Result<(), Error> {
    let declaration = entry.declaration();
    let Some(instead) = declaration.and_then(|declaration| declaration.removed) else { return Ok(()) };
    let label = entry.connector().label;
    Err(Error::new(ErrorKind::RemovedUpstream, format!("{label} removed the API that {} called.", entry.key())).with_hint(instead))
}

fn refuse_sink(entry: &Entry) -> Error {
    Error::new(ErrorKind::InvalidInvocation, format!("The action {} fetches no file.", entry.key()))
        .with_hint("Leave out the destination of the file.")
}

/// Says how a name is given, in a fault of a text where an ID is taken.
fn explain_bare_name(entry: &Entry, fault: Fault) -> Fault {
    let FaultCode::WrongType { value, .. } = fault.code() else { return fault };
    let is_named = |known: &&NamedField| !known.is_list && fault.path().strip_prefix('/') == Some(known.field.name);
    let takes_name = entry.named_fields().iter().find(is_named).is_some_and(|known| known.words.contains(&"name"));
    if takes_name && value.starts_with('"') { Fault::at(fault.path(), FaultCode::BareName { value: value.clone() }) } else { fault }
}

/// Adds the reason to a fault of an input that the action does not take on purpose.
fn explain_not_taken(declaration: Option<&Declaration>, fault: Fault) -> Fault {
    let without = declaration.into_iter().flat_map(|declaration| declaration.without);
    match without.into_iter().find(|(name, _)| fault.path().strip_prefix('/') == Some(name)) {
        Some((_, why)) => Fault::at(fault.path(), FaultCode::NotTaken { why }),
        None => fault,
    }
}
