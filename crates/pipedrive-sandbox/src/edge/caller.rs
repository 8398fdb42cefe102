//! The caller of a request: the company, the user and the scopes of its credential.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use time::OffsetDateTime;

use crate::edge::options::Bearer;
use crate::engine::state::{FIRST_COMPANY, FIRST_USER};
use crate::value::failure::Failure;
use crate::value::secret::{hash, is_same};
use crate::world::company::Company;
use crate::world::grants::Install;
use crate::world::kept::Kept;

#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) company: u64,
    pub(crate) user: u64,
    /// The digest of the token, by which limits are counted.
    pub(crate) token: String,
    /// None stands for all scopes.
    scopes: Option<Vec<String>>,
}

/// All credentials that a sandbox accepts.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) kept: &'a Kept,
    pub(crate) companies: &'a [Company],
    pub(crate) bearers: &'a [Bearer],
}

impl Caller {
    /// Finds the caller of a request. A request with no credential, with two or with one in its query is refused.
    pub(crate) fn find(known: Credentials, headers: &HeaderMap, query: &str, now: OffsetDateTime) -> Result<Self, Failure> {
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "api_token") {
            return Err(Failure::unauthorized());
        }
        let caller = match (headers.get("x-api-token"), headers.get(AUTHORIZATION)) {
            (Some(token), None) => Self::find_by_api_token(known.companies, token),
            (None, Some(value)) => Self::find_by_bearer(known, value, now)?,
            _ => None,
        };
        caller.ok_or_else(Failure::unauthorized)
    }

    fn find_by_api_token(companies: &[Company], token: &HeaderValue) -> Option<Self> {
        let company = companies.iter().find(|company| is_same(company.api_token.as_bytes(), token.as_bytes()))?;
        Some(Self { company: company.id, user: FIRST_USER, token: hash(&company.api_token), scopes: None })
    }

    fn find_by_bearer(known: Credentials, value: &HeaderValue, now: OffsetDateTime) -> Result<Option<Self>, Failure> {
        let Some(token) = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) else {
            return Ok(None);
        };
        if let Some(Bearer { token, scopes, user }) = known.bearers.iter().find(|bearer| is_same(bearer.token.as_bytes(), token.as_bytes()))
        {
            let user = user.unwrap_or(FIRST_USER);
            return Ok(Some(Self { company: FIRST_COMPANY, user, token: hash(token), scopes: Some(scopes.clone()) }));
        }
        known.kept.read(|world| {
            let granted = world.grants().find_access(token, now.unix_timestamp());
            Ok(granted.map(|(Install { by, scopes, .. }, digest)| Self {
                company: by.company,
                user: by.user,
                token: digest,
                scopes: Some(scopes.clone()),
            }))
        })
    }

    /// Tells whether the caller has one of the scopes that suffice. An operation that names none is open to all.
    pub(crate) fn may(&self, sufficient: &[String]) -> bool {
        let Some(scopes) = &self.scopes else { return true };
        sufficient.is_empty() || sufficient.iter().any(|scope| scopes.contains(scope))
    }
}
