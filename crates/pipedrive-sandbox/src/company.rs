//! The companies of a sandbox, as those who use it name them.

use std::fmt;

use crate::value::open_error::OpenError;
use crate::value::secret::hash;
use crate::{Options, seed};

/// A demo company of a sandbox.
#[derive(Clone)]
#[non_exhaustive]
pub struct Company {
    pub id: u64,
    pub name: &'static str,
    pub domain: &'static str,
    /// Stands for its first user.
    pub api_token: String,
}

impl Company {
    pub(crate) fn of(options: &Options) -> Result<Vec<Self>, OpenError> {
        let there = seed::DEMOS.len();
        if !(1..=there).contains(&options.companies) {
            return Err(OpenError::Options { reason: format!("A sandbox has 1 to {there} companies, not {}.", options.companies) });
        }
        let company = |demo: &seed::Demo| {
            let api_token = match demo.id {
                seed::FIRST => options.api_token.clone(),
                id => hash(&format!("{id} {}", options.api_token))[..40].to_owned(),
            };
            Self { id: demo.id, name: demo.name, domain: demo.domain, api_token }
        };
        Ok(seed::DEMOS.iter().take(options.companies).map(company).collect())
    }
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company").field("id", &self.id).field("name", &self.name).field("domain", &self.domain).finish_non_exhaustive()
    }
}
