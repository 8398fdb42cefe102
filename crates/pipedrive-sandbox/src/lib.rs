//! A stateful Pipedrive to develop against: it answers as the API documents say, and remembers what it was told.

mod account;
mod answer;
mod api;
mod calls;
mod clock;
mod collections;
mod computed;
mod content;
mod failure;
mod fields;
mod files;
mod filters;
mod form;
mod limits;
mod merge;
mod money;
mod options;
mod read;
mod recording;
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
mod validate;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

pub use clock::Clock;
pub use server::serve;
pub use store::Store;

use answer::Call;
use api::{Route, api};
use content::Content;
use failure::Failure;
use limits::{Limits, Standing};
use recording::Recording;
use storage::Storage;
use store::Kept;

/// The API token that a sandbox accepts unless told otherwise.
pub const DEMO_API_TOKEN: &str = "5a4db0c5a4db0c5a4db0c5a4db0c5a4db0c5a4db";

/// How a sandbox is to be.
#[derive(Clone)]
pub struct Options {
    pub store: Store,
    /// Accepted in the header `x-api-token`, with every scope.
    pub api_token: String,
    /// OAuth access tokens that are accepted; their scopes are enforced.
    pub bearers: Vec<Bearer>,
    pub clock: Clock,
    /// Gets one JSON line for each request served.
    pub record: Option<PathBuf>,
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
            api_token: DEMO_API_TOKEN.to_owned(),
            bearers: Vec::new(),
            clock: Clock::system(),
            record: None,
            burst_limit: None,
            daily_budget: None,
            downloads: Downloads::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("store", &self.store)
            .field("bearers", &self.bearers)
            .field("clock", &self.clock)
            .field("record", &self.record)
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

/// Why a sandbox cannot be opened. An unreadable file is left as it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    Corrupt { path: PathBuf, reason: String },
    Newer { path: PathBuf, version: u32 },
    Unreadable { path: PathBuf, reason: String },
    Unwritable { path: PathBuf, reason: String },
}

impl OpenError {
    fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: error.to_string() }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { path, reason } => {
                write!(f, "{} is no state file of the sandbox ({reason}); move it away to start anew.", path.display())
            }
            Self::Newer { path, version } => {
                write!(f, "{} is of version {version}, which a newer sandbox wrote; use that one or another file.", path.display())
            }
            Self::Unreadable { path, reason } => {
                write!(f, "{} cannot be read: {reason}.", path.display())
            }
            Self::Unwritable { path, reason } => {
                write!(f, "{} cannot be written: {reason}.", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// A local Pipedrive. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    kept: Kept,
    api_token: String,
    bearers: Vec<Bearer>,
    clock: Clock,
    limits: Limits,
    recording: Option<Recording>,
    /// Where downloads are redirected to, if they are.
    storage: Option<Storage>,
    served: AtomicU64,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

/// Who is asking.
enum Caller<'a> {
    ApiToken,
    OAuth(&'a Bearer),
}

impl Sandbox {
    /// Opens the store. The demo data of one in memory is made when a request first needs it.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Ok(Self(Arc::new(Inner {
            kept: Kept::open(&options.store)?,
            api_token: options.api_token,
            bearers: options.bearers,
            limits: Limits::new(options.burst_limit, options.daily_budget),
            clock: options.clock,
            storage: (options.downloads == Downloads::Redirected).then(Storage::default),
            recording: options.record.as_deref().map(Recording::open).transpose()?,
            served: AtomicU64::new(0),
        })))
    }

    /// Answers one request. What it does beside answering is to change the store.
    #[expect(clippy::needless_pass_by_value, reason = "a request is used up by its answer")]
    pub fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
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

    /// Whether answering waits for a disk.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.0.kept, Kept::File { .. }) || self.0.recording.is_some()
    }
}

impl Inner {
    /// The one path that all requests take.
    fn answer(&self, request: &Request<Bytes>, standing: &mut Standing) -> Result<(StatusCode, Content), Failure> {
        let query = request.uri().query().unwrap_or_default();
        let now = self.clock.now();
        let caller = self.caller(request.headers(), query)?;
        self.limits.count(caller.token(self), now, standing)?;
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
        if let Caller::OAuth(bearer) = &caller
            && !operation.scopes.is_empty()
            && !operation.scopes.iter().any(|scope| bearer.scopes.contains(scope))
        {
            return Err(Failure::scope_mismatch());
        }
        validate::variables(operation, &variables)?;
        let query = validate::query(operation, query)?;
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = validate::body(api(), operation, content_type, request.body())?;
        self.limits.spend(operation.cost.unwrap_or(0), now, standing)?;
        let call = Call { operation, variables, query, body: body.fields, file: body.file, now, user: caller.user() };
        let content = if action.writes() {
            let content = self.kept.write(|state| call.of_a_user(state).and_then(|()| action.write(state, &call)))?;
            self.clock.tick();
            content
        } else {
            self.kept.read(|state| call.of_a_user(state).and_then(|()| action.read(state, &call)))?
        };
        match (content, &self.storage) {
            (Content::File(file), Some(storage)) => Ok((StatusCode::FOUND, Content::Elsewhere(storage.lay_ready(file, request.headers())))),
            (content, _) => Ok((StatusCode::from_u16(operation.success().0).unwrap_or(StatusCode::OK), content)),
        }
    }

    fn caller(&self, headers: &HeaderMap, query: &str) -> Result<Caller<'_>, Failure> {
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "api_token") {
            return Err(Failure::unauthorized());
        }
        let bearer = |value: &HeaderValue| {
            let token = value.to_str().ok()?.strip_prefix("Bearer ")?;
            self.bearers.iter().find(|b| b.token == token).map(Caller::OAuth)
        };
        let caller = match (headers.get("x-api-token"), headers.get(AUTHORIZATION)) {
            (Some(token), None) => (token.as_bytes() == self.api_token.as_bytes()).then_some(Caller::ApiToken),
            (None, Some(value)) => bearer(value),
            _ => None,
        };
        caller.ok_or_else(Failure::unauthorized)
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

impl<'a> Caller<'a> {
    fn user(&self) -> u64 {
        match self {
            Self::ApiToken => seed::USER,
            Self::OAuth(bearer) => bearer.user.unwrap_or(seed::USER),
        }
    }

    fn token(&self, inner: &'a Inner) -> &'a str {
        match self {
            Self::ApiToken => &inner.api_token,
            Self::OAuth(bearer) => &bearer.token,
        }
    }
}
