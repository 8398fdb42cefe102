//! The options with which a sandbox is opened.

use std::fmt;
use std::path::PathBuf;

use crate::edge::faults::TokenFault;
use crate::oauth::App;
use crate::value::clock::Clock;
use crate::world::grants::RefreshTokens;
use crate::world::kept::Store;

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
    pub token_faults: Vec<TokenFault>,
    pub clock: Clock,
    /// Gets one JSON line for each request served.
    pub record_file: Option<PathBuf>,
    /// Gets each code and token that is issued, one a line, so that a test can look for them where they must not be.
    pub secrets_file: Option<PathBuf>,
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
            record_file: None,
            secrets_file: None,
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
            .field("record_file", &self.record_file)
            .field("secrets_file", &self.secrets_file)
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
