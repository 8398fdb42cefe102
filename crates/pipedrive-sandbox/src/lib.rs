//! A stateful Pipedrive to develop against: it answers as the API documents say, and remembers what it was told.

mod account;
mod activity_types;
mod answer;
mod attached;
mod caller;
mod calls;
mod collections;
mod comments;
mod company;
mod computed;
mod facts;
mod fields;
mod files;
mod filters;
mod flow;
mod followers;
mod leads;
mod limits;
mod mail;
mod merge;
mod oauth;
mod options;
mod participants;
mod permitted;
mod pictures;
mod products;
mod read;
mod recording;
mod related;
mod reports;
mod roles;
mod rules;
mod search;
mod seed;
mod server;
mod statistics;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod value;
mod world;
mod write;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

pub use company::Company;
pub use oauth::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, Fault, Gate, RefreshTokens, SCOPES};
pub use server::serve;
pub use store::Store;
pub use value::clock::Clock;
pub use value::open_error::OpenError;

use answer::Call;
use caller::Caller;
use facts::api::{Route, api};
use facts::validate;
use limits::{Limits, Standing};
use recording::Recording;
use storage::Storage;
use store::Kept;
use value::content::Content;
use value::failure::Failure;

/// The API token that a sandbox accepts unless told otherwise.
pub const DEMO_API_TOKEN: &str = "5a4db0c5a4db0c5a4db0c5a4db0c5a4db0c5a4db";

/// How a sandbox is to be.
#[derive(Clone)]
pub struct Options {
    pub store: Store,
    /// How many demo companies there are at least, 1 to 3; a state file keeps those that it has.
    pub companies: usize,
    /// Accepted in the header `x-api-token`, with every scope, for the first company. Those of the others follow from it.
    pub api_token: String,
    /// OAuth access tokens that are accepted for the first company, without an app; their scopes are enforced.
    pub bearers: Vec<Bearer>,
    /// Apps that may be installed and ask for tokens.
    pub apps: Vec<App>,
    pub refresh_tokens: RefreshTokens,
    /// What befalls the first requests to the token endpoint, each once, in this order.
    pub token_faults: Vec<Fault>,
    pub clock: Clock,
    /// Gets one JSON line for each request served.
    pub record: Option<PathBuf>,
    /// Gets each code and token that is issued, one a line, so that a test can look for them where they must not be.
    pub issued: Option<PathBuf>,
    /// Requests in two seconds for each token; without it no request is refused.
    pub burst_limit: Option<u32>,
    /// Tokens to spend in a day; without it no request is refused.
    pub daily_budget: Option<u64>,
    pub downloads: Downloads,
}

/// How the bytes of a file are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Downloads {
    /// At once.
    #[default]
    Direct,
    /// By a redirect to a storage host under a token that serves once, as files in the cloud are.
    Redirected,
}

/// An OAuth access token and what it may do.
#[derive(Clone)]
pub struct Bearer {
    pub token: String,
    pub scopes: Vec<String>,
    /// The demo user that it acts as; the first unless told otherwise.
    pub user: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store: Store::Memory,
            companies: 1,
            api_token: DEMO_API_TOKEN.to_owned(),
            bearers: Vec::new(),
            apps: vec![App::demo()],
            refresh_tokens: RefreshTokens::default(),
            token_faults: Vec::new(),
            clock: Clock::system(),
            record: None,
            issued: None,
            burst_limit: None,
            daily_budget: None,
            downloads: Downloads::default(),
        }
    }
}

impl Options {
    /// For the developer of one app: the sandbox knows it in place of the demo app.
    pub fn for_app(app: App) -> Self {
        Self { apps: vec![app], ..Self::default() }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("store", &self.store)
            .field("companies", &self.companies)
            .field("bearers", &self.bearers)
            .field("apps", &self.apps)
            .field("refresh_tokens", &self.refresh_tokens)
            .field("token_faults", &self.token_faults)
            .field("clock", &self.clock)
            .field("record", &self.record)
            .field("issued", &self.issued)
            .field("burst_limit", &self.burst_limit)
            .field("daily_budget", &self.daily_budget)
            .field("downloads", &self.downloads)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("scopes", &self.scopes).field("user", &self.user).finish_non_exhaustive()
    }
}

/// A local Pipedrive. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    kept: Kept,
    companies: Vec<Company>,
    oauth: oauth::Server,
    bearers: Vec<Bearer>,
    clock: Clock,
    limits: Limits,
    recording: Option<Recording>,
    issued: Option<Recording>,
    /// Where downloads are redirected to, if they are.
    storage: Option<Storage>,
    served: AtomicU64,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Opens the store. The demo data of one in memory is made when a request first needs it.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let companies = Company::of(&options)?;
        Ok(Self(Arc::new(Inner {
            kept: Kept::open(&options.store, companies.len())?,
            companies,
            oauth: oauth::Server::open(&options)?,
            bearers: options.bearers,
            limits: Limits::new(options.burst_limit, options.daily_budget),
            clock: options.clock,
            storage: (options.downloads == Downloads::Redirected).then(Storage::default),
            recording: options.record.as_deref().map(Recording::open).transpose()?,
            issued: options.issued.as_deref().map(Recording::open).transpose()?,
            served: AtomicU64::new(0),
        })))
    }

    /// The companies that it was opened with.
    pub fn companies(&self) -> &[Company] {
        &self.0.companies
    }

    /// How many refreshes were answered with tokens since it was opened.
    pub fn refreshes(&self) -> u64 {
        self.0.oauth.refreshes()
    }

    /// What befalls the next request to the token endpoint, once, after the faults that are still to come. Only what
    /// [`serve`] answers meets them.
    pub fn fail_token_request(&self, fault: Fault) {
        self.0.oauth.add_fault(fault);
    }

    /// Answers one request. What it does beside answering is to change the store, and to tell an app on this machine that
    /// it was uninstalled, for which it waits.
    #[expect(clippy::needless_pass_by_value, reason = "a request is used up by its answer")]
    pub fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        if oauth::is_place(request.uri().path()) {
            return oauth::respond(&self.0, &request);
        }
        if let Some(response) = self.0.storage.as_ref().and_then(|storage| storage.answer(&request)) {
            return response;
        }
        let mut standing = self.0.limits.untouched();
        let answer = self.0.answer(&request, &mut standing);
        self.0.finish(&request, answer, &standing)
    }

    pub(crate) fn refuse_too_large(&self, request: &Request<Bytes>, limit: usize) -> Response<Bytes> {
        self.0.finish(request, Err(Failure::too_large(limit)), &self.0.limits.untouched())
    }

    pub(crate) fn internal(&self, error: &dyn fmt::Display) -> Response<Bytes> {
        self.0.finish(&Request::new(Bytes::new()), Err(Failure::internal(error)), &self.0.limits.untouched())
    }

    /// Whether answering waits for a disk or a socket.
    pub(crate) fn waits(&self, request: &Request<Bytes>) -> bool {
        matches!(self.0.kept, Kept::File { .. }) || self.0.recording.is_some() || oauth::calls_out(request)
    }

    pub(crate) fn fault_of(&self, request: &Request<Bytes>) -> Option<Fault> {
        self.0.oauth.fault_of(request)
    }
}

impl Inner {
    /// The one path that all requests take.
    fn answer(&self, request: &Request<Bytes>, standing: &mut Standing) -> Result<(StatusCode, Content), Failure> {
        let query = request.uri().query().unwrap_or_default();
        let now = self.clock.now();
        let caller = Caller::of(self, request.headers(), query, now)?;
        self.limits.count(&caller, now, standing)?;
        let (operation, variables) = match api().route(request.method().as_str(), request.uri().path()) {
            Route::Found { operation, variables } => (operation, variables),
            Route::Unknown => return Err(Failure::new(StatusCode::NOT_FOUND, "Unknown path.")),
            Route::OtherMethod => {
                return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."));
            }
            Route::Retired => {
                return Err(Failure::new(StatusCode::GONE, "This endpoint is out of support; use API v2."));
            }
        };
        let action = answer::action(operation).ok_or_else(|| {
            let sentence = format!("{} {} is documented, and the sandbox does not serve it yet.", operation.method, operation.path);
            Failure::new(StatusCode::NOT_IMPLEMENTED, sentence)
        })?;
        if !caller.may(&operation.scopes) {
            return Err(Failure::scope_mismatch());
        }
        validate::variables(operation, &variables)?;
        let query = validate::query(operation, query)?;
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = validate::body(api(), operation, content_type, request.body())?;
        self.limits.spend(&caller, operation.cost.unwrap_or(0), now, standing)?;
        let call = Call { operation, variables, query, body: body.fields, file: body.file, now, user: caller.user };
        let content = if action.writes() {
            let content = self.kept.write(|world| {
                let state = world.company_mut(caller.company).ok_or_else(Failure::unauthorized)?;
                call.of_a_user(state)?;
                action.write(state, &call)
            })?;
            self.clock.tick();
            content
        } else {
            self.kept.read(|world| {
                let state = world.company(caller.company).ok_or_else(Failure::unauthorized)?;
                call.of_a_user(state)?;
                action.read(state, &call)
            })?
        };
        match (content, &self.storage) {
            (Content::File(file), Some(storage)) => Ok((StatusCode::FOUND, Content::Elsewhere(storage.lay_ready(file, request.headers())))),
            (content, _) => Ok((StatusCode::from_u16(operation.success().0).unwrap_or(StatusCode::OK), content)),
        }
    }

    fn finish(&self, request: &Request<Bytes>, answer: Result<(StatusCode, Content), Failure>, standing: &Standing) -> Response<Bytes> {
        let (status, content) = answer.unwrap_or_else(|failure| (failure.status, Content::Json(failure.body())));
        if let Some(recording) = &self.recording {
            recording.append(request, status, &content.recorded());
        }
        let mut response = content.into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in standing.headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        if let Ok(id) = HeaderValue::from_str(&format!("00000000-0000-4000-8000-{number:012x}")) {
            headers.insert("x-correlation-id", id);
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert("x-401-by-gw", HeaderValue::from_static("true"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from(standing.retry_after()));
            }
            _ => {}
        }
        response
    }
}
