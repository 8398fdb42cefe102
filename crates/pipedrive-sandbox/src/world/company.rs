//! The companies of a sandbox, as its options and its users name them.

use std::fmt;

use crate::demo::{DEMOS, Demo};
use crate::engine::state::FIRST_COMPANY;
use crate::value::open_error::OpenError;
use crate::value::secret::hash;

/// A demo company of a sandbox.
#[derive(Clone)]
#[non_exhaustive]
pub struct Company {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: &'static str,
    /// The part of the host that is the company's own.
    pub domain: &'static str,
    /// The API token of the company's first user.
    pub api_token: String,
}

impl Company {
    /// Lists the first `count` demo companies. The API tokens of all but the first are derived from `api_token`.
    pub(crate) fn list(count: usize, api_token: &str) -> Result<Vec<Self>, OpenError> {
        let most = DEMOS.len();
        if !(1..=most).contains(&count) {
            return Err(OpenError::Options { reason: format!("A sandbox has 1 to {most} companies, not {count}.") });
        }
        let company = |demo: &Demo| {
            let api_token = match demo.id {
                FIRST_COMPANY => api_token.to_owned(),
                id => hash(&format!("{id} {api_token}"))[..40].to_owned(),
            };
            Self { id: demo.id, name: demo.name, domain: demo.domain, api_token }
        };
        Ok(DEMOS.iter().take(count).map(company).collect())
    }
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company").field("id", &self.id).field("name", &self.name).field("domain", &self.domain).finish_non_exhaustive()
    }
}
