//! The sandbox, and the one path that all requests take.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::edge::caller::{Caller, Credentials};
use crate::edge::faults::{Faults, TokenFault};
use crate::edge::limits::{Limits, Standing};
use crate::edge::options::{Bearer, Downloads, Options};
use crate::edge::recording::Recording;
use crate::edge::storage::Storage;
use crate::engine::collection::Call;
use crate::facts::api::{Route, api};
use crate::facts::validate;
use crate::oauth;
use crate::oauth::{Server, Visit};
use crate::objects::{TABLES, users};
use crate::value::clock::Clock;
use crate::value::content::Content;
use crate::value::failure::Failure;
use crate::value::open_error::OpenError;
use crate::world::company::Company;
use crate::world::kept::Kept;

/// A local Pipedrive. Clones share one state.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    kept: Kept,
    companies: Vec<Company>,
    oauth: Server,
    faults: Faults,
    bearers: Vec<Bearer>,
    clock: Clock,
    limits: Limits,
    recording: Option<Recording>,
    issued: Option<Recording>,
    /// The host to which downloads are redirected, if they are.
    storage: Option<Storage>,
    served: AtomicU64,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Opens the store. The demo data of a store in memory is made when a request first needs it.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let companies = Company::list(options.companies, &options.api_token)?;
        Ok(Self(Arc::new(Inner {
            kept: Kept::open(&options.store, companies.len())?,
            companies,
            oauth: Server::open(options.apps, options.refresh_tokens)?,
            faults: Faults::new(options.token_faults),
            bearers: options.bearers,
            limits: Limits::new(options.burst_limit, options.daily_budget),
            clock: options.clock,
            storage: (options.downloads == Downloads::Redirected).then(Storage::default),
            recording: options.record_file.as_deref().map(Recording::open).transpose()?,
            issued: options.secrets_file.as_deref().map(Recording::open).transpose()?,
            served: AtomicU64::new(0),
        })))
    }

    /// The companies with which the sandbox was opened.
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

    /// Answers one request. It may change the store.
    ///
    /// An uninstallation is reported to the app, if that is on this machine. The answer waits for the report.
    #[expect(clippy::needless_pass_by_value, reason = "a request is used up by its answer")]
    pub fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        if oauth::is_oauth_path(request.uri().path()) {
            return oauth::respond(&Visit {
                kept: &self.0.kept,
                companies: &self.0.companies,
                server: &self.0.oauth,
                request: &request,
                now: self.0.clock.now(),
                on_secret: &|secret| self.0.record_secret(secret),
            });
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

    pub(crate) fn fail_internally(&self, error: &dyn fmt::Display) -> Response<Bytes> {
        self.0.finish(&Request::new(Bytes::new()), Err(Failure::internal(error)), &self.0.limits.untouched())
    }

    /// Tells whether answering waits for a disk or a socket.
    pub(crate) fn blocks(&self, request: &Request<Bytes>) -> bool {
        matches!(self.0.kept, Kept::File { .. }) || self.0.recording.is_some() || oauth::calls_out(request)
    }

    #[cfg(test)]
    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    #[cfg(test)]
    pub(crate) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    pub(crate) fn take_fault(&self, request: &Request<Bytes>) -> Option<TokenFault> {
        self.0.faults.take(request)
    }
}

impl Inner {
    /// Answers a request to the API: caller, limits, operation, scopes, validation, budget, action.
    fn answer(&self, request: &Request<Bytes>, standing: &mut Standing) -> Result<(StatusCode, Content), Failure> {
        let query = request.uri().query().unwrap_or_default();
        let now = self.clock.now();
        let known = Credentials { kept: &self.kept, companies: &self.companies, bearers: &self.bearers };
        let caller = Caller::find(known, request.headers(), query, now)?;
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
        let action = TABLES.action(operation).ok_or_else(|| {
            let sentence = format!("{} {} is documented, and the sandbox does not serve it yet.", operation.method, operation.path);
            Failure::new(StatusCode::NOT_IMPLEMENTED, sentence)
        })?;
        if !caller.may(&operation.scopes) {
            return Err(Failure::scope_mismatch());
        }
        validate::check_variables(operation, &variables)?;
        let query = validate::check_query(operation, query)?;
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = validate::check_body(api(), operation, content_type, request.body())?;
        self.limits.spend(&caller, operation.cost.unwrap_or(0), now, standing)?;
        let call = Call { tables: &TABLES, operation, variables, query, body: body.fields, file: body.file, now, user: caller.user };
        let content = if action.writes() {
            let content = self.kept.write(|world| {
                let state = world.company_mut(caller.company).ok_or_else(Failure::unauthorized)?;
                users::check_caller(state, &call)?;
                action.write(state, &call)
            })?;
            self.clock.tick();
            content
        } else {
            self.kept.read(|world| {
                let state = world.company(caller.company).ok_or_else(Failure::unauthorized)?;
                users::check_caller(state, &call)?;
                action.read(state, &call)
            })?
        };
        match (content, &self.storage) {
            (Content::File(file), Some(storage)) => Ok((StatusCode::FOUND, Content::Elsewhere(storage.offer(file, request.headers())))),
            (content, _) => Ok((StatusCode::from_u16(operation.success().0).unwrap_or(StatusCode::OK), content)),
        }
    }

    /// Writes a secret to the file of issued secrets, if there is one.
    fn record_secret(&self, secret: &str) {
        if let Some(issued) = &self.issued {
            issued.write_line(secret.to_owned());
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
