//! The companies of a sandbox, as its options and its users name them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::demo::Identity;
use crate::engine::state::FIRST_COMPANY;
use crate::value::open_error::OpenError;
use crate::value::secret::hash;

/// The most companies that a sandbox has.
const MOST: usize = 1000;

/// A company of a sandbox.
#[derive(Clone)]
#[non_exhaustive]
pub struct Company {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: Cow<'static, str>,
    /// The part of the host that is the company's own.
    pub domain: Cow<'static, str>,
    /// The API token of the company's first user.
    pub api_token: String,
}

impl Company {
    /// Lists the first `count` companies of a sandbox that is opened with `api_token`, 1 to 1,000.
    ///
    /// `api_token` is that of the first company. Those of the others are the first 40 hexadecimal digits of the
    /// SHA-256 of `ID TOKEN`: the company's id, a space, and `api_token`.
    pub fn list(count: usize, api_token: &str) -> Result<Vec<Self>, OpenError> {
        if !(1..=MOST).contains(&count) {
            return Err(OpenError::Options { reason: format!("A sandbox has 1 to {MOST} companies, not {count}.") });
        }
        let company = |number| {
            let Identity { id, name, domain, .. } = Identity::new(number);
            let api_token = match id {
                FIRST_COMPANY => api_token.to_owned(),
                id => hash(&format!("{id} {api_token}"))[..40].to_owned(),
            };
            Self { id, name, domain, api_token }
        };
        Ok((1..=count).map(company).collect())
    }
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company").field("id", &self.id).field("name", &self.name).field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// The companies of a sandbox, each found by its API token.
#[derive(Debug)]
pub(crate) struct Companies {
    list: Vec<Company>,
    /// The place of each company, by the digest of its API token.
    places: HashMap<String, usize>,
}

impl Companies {
    pub(crate) fn new(list: Vec<Company>) -> Self {
        let places = list.iter().enumerate().map(|(place, company)| (hash(&company.api_token), place)).collect();
        Self { list, places }
    }

    pub(crate) fn list(&self) -> &[Company] {
        &self.list
    }

    /// Finds the company of an API token, and the token's digest.
    pub(crate) fn find(&self, api_token: &str) -> Option<(&Company, String)> {
        // The time of a look-up by digests does not show how far a wrong token agrees with a right one.
        let digest = hash(api_token);
        Some((self.list.get(*self.places.get(&digest)?)?, digest))
    }
}
