//! The sandbox: its parts, and the path of a request through them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use time::{Duration, OffsetDateTime};

use crate::edge::caller::{Caller, Credentials};
use crate::edge::fault_choice::{ChosenFault, FaultTarget};
use crate::edge::fault_effects::{fail, mark, refuse, shows_limits, wait_time};
use crate::edge::fault_kind::FaultKind;
use crate::edge::fault_source::{FaultCount, FaultSource};
use crate::edge::faults::{FaultQueue, TokenFault};
use crate::edge::limits::{Lane, LimitCount, LimitStatus, Limits};
use crate::edge::options::{Bearer, Downloads, Options};
use crate::edge::recording::Recording;
use crate::edge::storage::Storage;
use crate::engine::collection::Call;
use crate::engine::paging::repeat_page;
use crate::facts::api::{Route, api};
use crate::facts::validate;
use crate::oauth;
use crate::oauth::{Context, OauthServer};
use crate::objects::{TABLES, users};
use crate::value::clock::{Clock, stamp};
use crate::value::content::Content;
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;
use crate::world::company::{Companies, Company};
use crate::world::store::WorldStore;

/// A local Pipedrive. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

/// The parts of a sandbox.
struct Inner {
    store: WorldStore,
    companies: Companies,
    oauth: OauthServer,
    token_faults: FaultQueue,
    faults: Option<FaultSource>,
    bearers: Vec<Bearer>,
    clock: Clock,
    limits: Limits,
    /// The time for which no search finds a record that was added, if there is one.
    search_lag: Option<std::time::Duration>,
    recording: Option<Recording>,
    /// The file of issued secrets.
    secrets: Option<Recording>,
    /// The storage host, if downloads are redirected.
    storage: Option<Storage>,
    request_count: AtomicU64,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Opens a sandbox. Demo data in memory is built when a request first needs it.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let companies = Company::list(options.companies, &options.api_token)?;
        Ok(Self(Arc::new(Inner {
            limits: Limits::new(&options),
            search_lag: Some(options.search_lag).filter(|lag| !lag.is_zero()),
            store: WorldStore::open(&options.store, companies.len())?,
            companies: Companies::new(companies),
            oauth: OauthServer::open(options.apps, options.refresh_tokens)?,
            token_faults: FaultQueue::new([options.token_faults, options.faults.token.clone()].concat()),
            faults: FaultSource::new(options.faults),
            bearers: options.bearers,
            clock: options.clock,
            storage: (options.downloads == Downloads::Redirected).then(Storage::default),
            recording: options.record_file.as_deref().map(Recording::open).transpose()?,
            secrets: options.secrets_file.as_deref().map(Recording::open).transpose()?,
            request_count: AtomicU64::new(0),
        })))
    }

    /// Returns the companies with which the sandbox was opened.
    pub fn companies(&self) -> &[Company] {
        self.0.companies.list()
    }

    /// Returns the number of refreshes that were answered with tokens since the sandbox was opened.
    pub fn refresh_count(&self) -> u64 {
        self.0.oauth.refresh_count()
    }

    /// Queues a fault for a request to the token endpoint, behind the faults that are queued already.
    /// Only requests that arrive over [`serve`](crate::serve) take faults.
    pub fn add_token_fault(&self, fault: TokenFault) {
        self.0.token_faults.add(fault);
    }

    /// Lists the faults that were made so far of those in [`Options::faults`](crate::Options::faults).
    pub fn fault_counts(&self) -> Vec<FaultCount> {
        self.0.faults.as_ref().map(FaultSource::list_counts).unwrap_or_default()
    }

    /// Lists the requests that counted against limits so far, by token and lane. What has no limit is not counted.
    pub fn limit_counts(&self) -> Vec<LimitCount> {
        self.0.limits.list_counts()
    }

    /// Responds to one request.
    ///
    /// A request that uninstalls an app waits until the app was notified, if that is on this machine.
    pub fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.respond_with(request, None)
    }

    /// Responds to one request, with a fault if it has one.
    #[expect(clippy::needless_pass_by_value, reason = "a request is consumed by its response")]
    pub(crate) fn respond_with(&self, request: Request<Bytes>, fault: Option<ChosenFault>) -> Response<Bytes> {
        let now = self.0.clock.now();
        let Some(fault) = fault else { return self.0.respond(&request, None, now) };
        let skew = if fault.kind == FaultKind::Skew { fault.duration } else { Duration::ZERO };
        let now = now.checked_add(skew).unwrap_or(now);
        let mut limits = self.0.describe_limits(&request, now);
        let mut response = match refuse(fault, &mut limits) {
            Some(refusal) => self.0.build_response(&request, refusal, &limits, Some(fault)),
            None => self.0.respond(&request, Some(fault), now),
        };
        mark(&mut response, fault, now);
        response
    }

    pub(crate) fn respond_too_large(&self, request: &Request<Bytes>, limit: usize) -> Response<Bytes> {
        self.0.build_response(request, Err(Failure::too_large(limit)), &LimitStatus::default(), None)
    }

    pub(crate) fn respond_internal_error(&self, error: &dyn fmt::Display) -> Response<Bytes> {
        self.0.build_response(&Request::new(Bytes::new()), Err(Failure::internal(error)), &LimitStatus::default(), None)
    }

    /// Tells whether responding to a request blocks on a disk or a socket.
    pub(crate) fn blocks(&self, request: &Request<Bytes>) -> bool {
        matches!(self.0.store, WorldStore::File { .. }) || self.0.recording.is_some() || oauth::sends_notice(request)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &WorldStore {
        &self.0.store
    }

    /// Takes the next fault of the queue, if the request is one to the token endpoint.
    pub(crate) fn take_token_fault(&self, request: &Request<Bytes>) -> Option<TokenFault> {
        self.0.token_faults.take(request)
    }

    /// Takes the fault of a request by the rules, if it has one.
    pub(crate) fn take_fault(&self, request: &Request<Bytes>) -> Option<ChosenFault> {
        let source = self.0.faults.as_ref()?;
        let (query, now) = (request.uri().query().unwrap_or_default(), self.0.clock.now());
        let target = FaultTarget { method: request.method().as_str(), path: request.uri().path(), query };
        let caller = Caller::find(self.0.credentials(), request.headers(), query, now).ok();
        source.take(target, caller.as_ref(), now)
    }
}

impl Inner {
    fn credentials(&self) -> Credentials<'_> {
        Credentials { store: &self.store, companies: &self.companies, bearers: &self.bearers }
    }

    /// Describes the limits of a request that is not counted.
    fn describe_limits(&self, request: &Request<Bytes>, now: OffsetDateTime) -> LimitStatus {
        let query = request.uri().query().unwrap_or_default();
        let caller = Caller::find(self.credentials(), request.headers(), query, now);
        caller.map(|caller| self.limits.build_status(&caller, Lane::find(request.uri().path()), now)).unwrap_or_default()
    }

    /// Responds to a request that no fault refuses, as of a time.
    fn respond(&self, request: &Request<Bytes>, fault: Option<ChosenFault>, now: OffsetDateTime) -> Response<Bytes> {
        let mut limits = LimitStatus::default();
        let fails = fault.is_some_and(|fault| fault.kind == FaultKind::ErrorAfter);
        let elsewhere = if oauth::is_oauth_path(request.uri().path()) {
            Some(oauth::respond(&Context {
                store: &self.store,
                companies: &self.companies,
                server: &self.oauth,
                request,
                now,
                on_secret: &|secret| self.record_secret(secret),
            }))
        } else {
            self.storage.as_ref().and_then(|storage| storage.respond(request))
        };
        match elsewhere {
            Some(response) if !fails => response,
            Some(_) => self.build_response(request, Err(fail()), &limits, fault),
            None => {
                let result = self.run(request, fault, now, &mut limits);
                self.build_response(request, if fails { Err(fail()) } else { result }, &limits, fault)
            }
        }
    }

    /// Runs a request to the API. All such requests take this path.
    fn run(
        &self,
        request: &Request<Bytes>,
        fault: Option<ChosenFault>,
        now: OffsetDateTime,
        limits: &mut LimitStatus,
    ) -> Result<(StatusCode, Content), Failure> {
        let uri_query = request.uri().query().unwrap_or_default();
        let caller = Caller::find(self.credentials(), request.headers(), uri_query, now)?;
        self.limits.count(&caller, Lane::find(request.uri().path()), now, limits)?;
        let (operation, variables) = match api().route(request.method().as_str(), request.uri().path()) {
            Route::Found { operation, variables } => (operation, variables),
            Route::Unknown => return Err(Failure::new(StatusCode::NOT_FOUND, "Unknown path.")),
            Route::OtherMethod => {
                return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."));
            }
            Route::Retired => {
                return Err(Failure::new(StatusCode::GONE, "This endpoint is out of support. Use API v2."));
            }
        };
        let action = TABLES.find_action(operation).ok_or_else(|| {
            let sentence = format!("The sandbox does not serve {} {} yet.", operation.method, operation.path);
            Failure::new(StatusCode::NOT_IMPLEMENTED, sentence)
        })?;
        if !caller.has_any_scope(&operation.scopes) {
            return Err(Failure::scope_mismatch());
        }
        validate::check_variables(operation, &variables)?;
        let query = validate::check_query(operation, uri_query)?;
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = validate::check_body(api(), operation, content_type, request.body())?;
        self.limits.spend(&caller, operation.cost.unwrap_or(0), now, limits)?;
        let lag = fault.filter(|fault| fault.kind == FaultKind::SearchLag).map(wait_time).or(self.search_lag);
        let call = Call {
            tables: &TABLES,
            operation,
            variables,
            query,
            body: body.fields,
            file: body.file,
            now,
            user: caller.user,
            found_until: lag.and_then(|lag| Duration::try_from(lag).ok()).and_then(|lag| now.checked_sub(lag)).map(stamp),
        };
        let content = if action.writes() {
            let content = self.store.write(|world| {
                let state = world.company_mut(caller.company).ok_or_else(Failure::unauthorized)?;
                users::check_caller(state, &call)?;
                action.write(state, &call)
            })?;
            self.clock.tick();
            content
        } else {
            self.store.read(|world| {
                let state = world.company(caller.company).ok_or_else(Failure::unauthorized)?;
                users::check_caller(state, &call)?;
                action.read(state, &call)
            })?
        };
        match (content, &self.storage) {
            (Content::Json(mut body), _) => {
                if fault.is_some_and(|fault| fault.kind == FaultKind::DuplicatePage) {
                    repeat_page(&mut body, uri_query);
                }
                Ok((StatusCode::from_u16(operation.success().0).unwrap_or(StatusCode::OK), Content::Json(body)))
            }
            (Content::File(file), Some(storage)) => Ok((StatusCode::FOUND, Content::Elsewhere(storage.add(file, request.headers())))),
            (content, _) => Ok((StatusCode::from_u16(operation.success().0).unwrap_or(StatusCode::OK), content)),
        }
    }

    /// Appends a secret to the file of issued secrets, if there is one.
    fn record_secret(&self, secret: &str) {
        if let Some(secrets) = &self.secrets {
            secrets.append_line(secret.to_owned());
        }
    }

    /// Records a request, and builds its response with the headers that all responses have.
    fn build_response(
        &self,
        request: &Request<Bytes>,
        result: Result<(StatusCode, Content), Failure>,
        limits: &LimitStatus,
        fault: Option<ChosenFault>,
    ) -> Response<Bytes> {
        let (status, content) = result.unwrap_or_else(|failure| (failure.status, Content::Json(failure.body())));
        if let Some(recording) = &self.recording {
            recording.append_request(request, status, &content.describe(), fault.map(|fault| fault.kind));
        }
        let mut response = content.into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let shows_limits = shows_limits(fault);
        for (name, value) in limits.headers().filter(|_| shows_limits) {
            headers.insert(HeaderName::from_static(name), value);
        }
        let number = self.request_count.fetch_add(1, Ordering::Relaxed);
        if let Ok(id) = HeaderValue::from_str(&format!("00000000-0000-4000-8000-{number:012x}")) {
            headers.insert("x-correlation-id", id);
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert("x-401-by-gw", HeaderValue::from_static("true"));
            }
            StatusCode::TOO_MANY_REQUESTS if shows_limits => {
                if let Some(seconds) = limits.retry_after() {
                    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
            }
            _ => {}
        }
        response
    }
}
