//! The sandbox: its parts, and the path of a request through them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::edge::caller::{Caller, Credentials};
use crate::edge::faults::{FaultQueue, TokenFault};
use crate::edge::limits::{LimitStatus, Limits};
use crate::edge::options::{Bearer, Downloads, Options};
use crate::edge::recording::Recording;
use crate::edge::storage::Storage;
use crate::engine::collection::Call;
use crate::facts::api::{Route, api};
use crate::facts::validate;
use crate::oauth;
use crate::oauth::{Context, OauthServer};
use crate::objects::{TABLES, users};
use crate::value::clock::Clock;
use crate::value::content::Content;
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;
use crate::world::company::Company;
use crate::world::store::WorldStore;

/// A local Pipedrive. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

/// The parts of a sandbox.
struct Inner {
    store: WorldStore,
    companies: Vec<Company>,
    oauth: OauthServer,
    faults: FaultQueue,
    bearers: Vec<Bearer>,
    clock: Clock,
    limits: Limits,
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
            store: WorldStore::open(&options.store, companies.len())?,
            companies,
            oauth: OauthServer::open(options.apps, options.refresh_tokens)?,
            faults: FaultQueue::new(options.token_faults),
            bearers: options.bearers,
            limits: Limits::new(options.burst_limit, options.daily_budget),
            clock: options.clock,
            storage: (options.downloads == Downloads::Redirected).then(Storage::default),
            recording: options.record_file.as_deref().map(Recording::open).transpose()?,
            secrets: options.secrets_file.as_deref().map(Recording::open).transpose()?,
            request_count: AtomicU64::new(0),
        })))
    }

    /// Returns the companies with which the sandbox was opened.
    pub fn companies(&self) -> &[Company] {
        &self.0.companies
    }

    /// Returns the number of refreshes that were answered with tokens since the sandbox was opened.
    pub fn refresh_count(&self) -> u64 {
        self.0.oauth.refresh_count()
    }

    /// Queues a fault for a request to the token endpoint, behind the faults that are queued already.
    /// Only requests that arrive over [`serve`](crate::serve) take faults.
    pub fn add_token_fault(&self, fault: TokenFault) {
        self.0.faults.add(fault);
    }

    /// Responds to one request.
    ///
    /// A request that uninstalls an app waits until the app was notified, if that is on this machine.
    #[expect(clippy::needless_pass_by_value, reason = "a request is consumed by its response")]
    pub fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        if oauth::is_oauth_path(request.uri().path()) {
            return oauth::respond(&Context {
                store: &self.0.store,
                companies: &self.0.companies,
                server: &self.0.oauth,
                request: &request,
                now: self.0.clock.now(),
                on_secret: &|secret| self.0.record_secret(secret),
            });
        }
        if let Some(response) = self.0.storage.as_ref().and_then(|storage| storage.respond(&request)) {
            return response;
        }
        let mut limits = self.0.limits.build_status();
        let result = self.0.run(&request, &mut limits);
        self.0.build_response(&request, result, &limits)
    }

    pub(crate) fn respond_too_large(&self, request: &Request<Bytes>, limit: usize) -> Response<Bytes> {
        self.0.build_response(request, Err(Failure::too_large(limit)), &self.0.limits.build_status())
    }

    pub(crate) fn respond_internal_error(&self, error: &dyn fmt::Display) -> Response<Bytes> {
        self.0.build_response(&Request::new(Bytes::new()), Err(Failure::internal(error)), &self.0.limits.build_status())
    }

    /// Tells whether responding to a request blocks on a disk or a socket.
    pub(crate) fn blocks(&self, request: &Request<Bytes>) -> bool {
        matches!(self.0.store, WorldStore::File { .. }) || self.0.recording.is_some() || oauth::sends_notice(request)
    }

    #[cfg(test)]
    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &WorldStore {
        &self.0.store
    }

    pub(crate) fn take_fault(&self, request: &Request<Bytes>) -> Option<TokenFault> {
        self.0.faults.take(request)
    }
}

impl Inner {
    /// Runs a request to the API. All such requests take this path.
    fn run(&self, request: &Request<Bytes>, limits: &mut LimitStatus) -> Result<(StatusCode, Content), Failure> {
        let query = request.uri().query().unwrap_or_default();
        let now = self.clock.now();
        let credentials = Credentials { store: &self.store, companies: &self.companies, bearers: &self.bearers };
        let caller = Caller::find(credentials, request.headers(), query, now)?;
        self.limits.count(&caller, now, limits)?;
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
        let query = validate::check_query(operation, query)?;
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = validate::check_body(api(), operation, content_type, request.body())?;
        self.limits.spend(&caller, operation.cost.unwrap_or(0), now, limits)?;
        let call = Call { tables: &TABLES, operation, variables, query, body: body.fields, file: body.file, now, user: caller.user };
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
    ) -> Response<Bytes> {
        let (status, content) = result.unwrap_or_else(|failure| (failure.status, Content::Json(failure.body())));
        if let Some(recording) = &self.recording {
            recording.append_request(request, status, &content.describe());
        }
        let mut response = content.into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in limits.headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
        let number = self.request_count.fetch_add(1, Ordering::Relaxed);
        if let Ok(id) = HeaderValue::from_str(&format!("00000000-0000-4000-8000-{number:012x}")) {
            headers.insert("x-correlation-id", id);
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert("x-401-by-gw", HeaderValue::from_static("true"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from(limits.retry_after()));
            }
            _ => {}
        }
        response
    }
}
