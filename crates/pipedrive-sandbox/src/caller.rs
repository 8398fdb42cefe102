//! Who is asking: the company, the user and the scopes that a request's one credential stands for.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use time::OffsetDateTime;

use crate::oauth::Install;
use crate::value::failure::Failure;
use crate::value::secret::{hash, same};
use crate::{Bearer, Inner, seed};

#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) company: u64,
    pub(crate) user: u64,
    /// The digest of its token, for the limits.
    pub(crate) token: String,
    /// None may do all.
    scopes: Option<Vec<String>>,
}

impl Caller {
    pub(crate) fn of(inner: &Inner, headers: &HeaderMap, query: &str, now: OffsetDateTime) -> Result<Self, Failure> {
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "api_token") {
            return Err(Failure::unauthorized());
        }
        let caller = match (headers.get("x-api-token"), headers.get(AUTHORIZATION)) {
            (Some(token), None) => Self::by_api_token(inner, token),
            (None, Some(value)) => Self::by_bearer(inner, value, now)?,
            _ => None,
        };
        caller.ok_or_else(Failure::unauthorized)
    }

    fn by_api_token(inner: &Inner, token: &HeaderValue) -> Option<Self> {
        let company = inner.companies.iter().find(|company| same(company.api_token.as_bytes(), token.as_bytes()))?;
        Some(Self { company: company.id, user: seed::USER, token: hash(&company.api_token), scopes: None })
    }

    fn by_bearer(inner: &Inner, value: &HeaderValue, now: OffsetDateTime) -> Result<Option<Self>, Failure> {
        let Some(token) = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) else {
            return Ok(None);
        };
        if let Some(Bearer { token, scopes, user }) = inner.bearers.iter().find(|bearer| same(bearer.token.as_bytes(), token.as_bytes())) {
            let user = user.unwrap_or(seed::USER);
            return Ok(Some(Self { company: seed::FIRST, user, token: hash(token), scopes: Some(scopes.clone()) }));
        }
        inner.kept.read(|world| {
            let granted = world.grants().of_access_token(token, now.unix_timestamp());
            Ok(granted.map(|(Install { by, scopes, .. }, digest)| Self {
                company: by.company,
                user: by.user,
                token: digest,
                scopes: Some(scopes.clone()),
            }))
        })
    }

    /// Whether any one of the scopes that suffice is there. An operation that names none is for all.
    pub(crate) fn may(&self, sufficient: &[String]) -> bool {
        let Some(scopes) = &self.scopes else { return true };
        sufficient.is_empty() || sufficient.iter().any(|scope| scopes.contains(scope))
    }
}
