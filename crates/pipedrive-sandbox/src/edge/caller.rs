//! The caller of a request: the company, the user and the scopes that its credential gives it.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use time::OffsetDateTime;

use crate::edge::options::Bearer;
use crate::engine::state::{FIRST_COMPANY, FIRST_USER};
use crate::value::failure::Failure;
use crate::value::secret::{hash, is_same};
use crate::world::company::Companies;
use crate::world::grants::Install;
use crate::world::store::WorldStore;

/// The caller of a request.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) company: u64,
    pub(crate) user: u64,
    /// The digest of its token, by which its requests are counted.
    pub(crate) token: String,
    /// `None` allows every operation.
    scopes: Option<Arc<[String]>>,
}

/// All credentials that a sandbox accepts.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) store: &'a WorldStore,
    pub(crate) companies: &'a Companies,
    pub(crate) bearers: &'a [Bearer],
}

impl Caller {
    /// Finds the caller of a request, which must have exactly one credential, in a header.
    pub(crate) fn find(credentials: Credentials, headers: &HeaderMap, query: &str, now: OffsetDateTime) -> Result<Self, Failure> {
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "api_token") {
            return Err(Failure::unauthorized());
        }
        let caller = match (headers.get("x-api-token"), headers.get(AUTHORIZATION)) {
            (Some(token), None) => Self::find_by_api_token(credentials.companies, token),
            (None, Some(value)) => Self::find_by_bearer(credentials, value, now)?,
            _ => None,
        };
        caller.ok_or_else(Failure::unauthorized)
    }

    fn find_by_api_token(companies: &Companies, token: &HeaderValue) -> Option<Self> {
        let (company, digest) = companies.find(token.to_str().ok()?)?;
        Some(Self { company: company.id, user: FIRST_USER, token: digest, scopes: None })
    }

    fn find_by_bearer(credentials: Credentials, value: &HeaderValue, now: OffsetDateTime) -> Result<Option<Self>, Failure> {
        let Some(token) = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) else {
            return Ok(None);
        };
        if let Some(Bearer { token, scopes, user }) =
            credentials.bearers.iter().find(|bearer| is_same(bearer.token.as_bytes(), token.as_bytes()))
        {
            let user = user.unwrap_or(FIRST_USER);
            return Ok(Some(Self { company: FIRST_COMPANY, user, token: hash(token), scopes: Some(scopes.clone().into()) }));
        }
        credentials.store.read(|world| {
            let found = world.grants().find_access(token, now.unix_timestamp());
            Ok(found.map(|(Install { by, scopes, .. }, digest)| Self {
                company: by.company,
                user: by.user,
                token: digest,
                scopes: Some(Arc::clone(scopes)),
            }))
        })
    }

    /// Tells whether the caller sent an API token, and not one of OAuth.
    pub(crate) fn is_api_token(&self) -> bool {
        self.scopes.is_none()
    }

    /// Tells whether the caller has one of these scopes. An operation without scopes is open to every caller.
    pub(crate) fn has_any_scope(&self, sufficient: &[String]) -> bool {
        let Some(scopes) = &self.scopes else { return true };
        sufficient.is_empty() || sufficient.iter().any(|scope| scopes.contains(scope))
    }
}
