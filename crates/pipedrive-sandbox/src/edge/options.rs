//! The options with which a sandbox is opened.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::edge::fault_spec::Faults;
use crate::edge::faults::TokenFault;
use crate::edge::plan::Plan;
use crate::oauth::App;
use crate::value::clock::Clock;
use crate::world::grants::RefreshTokens;
use crate::world::store::Store;

/// The API token that a sandbox accepts by default.
pub const DEMO_API_TOKEN: &str = "5a4db0c5a4db0c5a4db0c5a4db0c5a4db0c5a4db";

/// The options of a sandbox.
#[derive(Clone)]
pub struct Options {
    /// The place where the data is kept.
    pub store: Store,
    /// The number of companies, 1 to 1,000. A state file that has more keeps them.
    ///
    /// The first three have demo records of their own. Each other one has those of one of the three until it changes them,
    /// and its own users.
    pub companies: usize,
    /// The API token of the first company, which allows every operation.
    /// The API tokens of the other companies are derived from it, as [`Company::list`](crate::Company::list) says.
    pub api_token: String,
    /// OAuth access tokens for the first company that are valid without an app. Their scopes are enforced.
    pub bearers: Vec<Bearer>,
    /// Apps that users can install.
    pub apps: Vec<App>,
    /// The way in which refresh tokens are issued.
    pub refresh_tokens: RefreshTokens,
    /// Faults of the first requests to the token endpoint, one for each request, in this order.
    pub token_faults: Vec<TokenFault>,
    /// Faults of requests that arrive over [`serve`](crate::serve), by rate and endpoint.
    pub faults: Faults,
    /// The clock.
    pub clock: Clock,
    /// The file to which a JSON line is appended for each request.
    pub record_file: Option<PathBuf>,
    /// The file to which each issued code and token is appended, so that a test can find out whether they leak.
    pub secrets_file: Option<PathBuf>,
    /// The limit of requests in a window for each token.
    /// Without it and without a plan no request is refused, and no header tells a limit.
    pub burst_limit: Option<u32>,
    /// The length of the window of requests and of searches, by default two seconds, as Pipedrive has it.
    pub burst_window: Duration,
    /// The limit of searches in a window for each token. They count against no other limit of requests.
    /// Without it there are ten where requests have a limit, and else any number.
    pub search_limit: Option<u32>,
    /// The limit of tokens that a company can spend in a day. Without it and without a plan no request is refused.
    pub daily_budget: Option<u64>,
    /// The plan of all companies, which stands for the limits that are not named.
    /// The limit of requests then goes by the kind of the token.
    pub plan: Option<Plan>,
    /// The number of seats that each company pays for, by which its plan's daily budget is multiplied.
    pub seats: u32,
    /// The way in which files are downloaded.
    pub downloads: Downloads,
    /// The time for which no search finds a record that was added: the index of Pipedrive's search lags.
    pub search_lag: Duration,
}

/// The way in which files are downloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Downloads {
    /// The response has the bytes.
    #[default]
    Direct,
    /// The response redirects to a storage host, with a one-time token in the path, as for files in the cloud.
    Redirected,
}

/// An OAuth access token with its scopes.
#[derive(Clone)]
pub struct Bearer {
    /// The token.
    pub token: String,
    /// The scopes that it was granted.
    pub scopes: Vec<String>,
    /// The id of the user that it acts as, by default the first one.
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
            faults: Faults::default(),
            clock: Clock::system(),
            record_file: None,
            secrets_file: None,
            burst_limit: None,
            burst_window: Duration::from_secs(2),
            search_limit: None,
            daily_budget: None,
            plan: None,
            seats: 5,
            downloads: Downloads::default(),
            search_lag: Duration::ZERO,
        }
    }
}

impl Options {
    /// Builds options with this app in place of the demo app.
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
            .field("faults", &self.faults)
            .field("clock", &self.clock)
            .field("record_file", &self.record_file)
            .field("secrets_file", &self.secrets_file)
            .field("burst_limit", &self.burst_limit)
            .field("burst_window", &self.burst_window)
            .field("search_limit", &self.search_limit)
            .field("daily_budget", &self.daily_budget)
            .field("plan", &self.plan)
            .field("seats", &self.seats)
            .field("downloads", &self.downloads)
            .field("search_lag", &self.search_lag)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("scopes", &self.scopes).field("user", &self.user).finish_non_exhaustive()
    }
}
