//! Tokens as the vendor's token endpoint issues them.

use std::fmt;
use std::time::Duration;

use connector_core::embed::Credential;
use secrecy::SecretString;

use crate::value::clock::Moment;

/// Time before expiry at which a token is refreshed, or a tenth of its life if that is less.
const REFRESH_AHEAD: Duration = Duration::from_mins(5);

/// Response of the token endpoint.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: SecretString,
    /// Absent where a refresh leaves the old refresh token in force, or the vendor has none.
    pub(crate) refresh: Option<SecretString>,
    pub(crate) api_domain: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) lifetime: Option<Duration>,
}

impl Tokens {
    /// Builds the credential of the access token.
    pub(crate) fn to_credential(&self) -> Credential {
        Credential::Bearer(self.access.clone())
    }

    /// Computes when tokens of a new grant are no longer used as they are: without a refresh token, when they expire.
    pub(crate) fn renew_at(&self, now: Moment) -> Option<Moment> {
        if self.refresh.is_some() { self.refresh_at(now) } else { self.expires_at(now) }
    }

    /// Computes when tokens issued at `now` are to be refreshed.
    pub(crate) fn refresh_at(&self, now: Moment) -> Option<Moment> {
        self.lifetime.map(|lifetime| now + lifetime.saturating_sub(REFRESH_AHEAD.min(lifetime / 10)))
    }

    /// Computes when tokens issued at `now` expire.
    pub(crate) fn expires_at(&self, now: Moment) -> Option<Moment> {
        self.lifetime.map(|lifetime| now + lifetime)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("scopes", &self.scopes).field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}
