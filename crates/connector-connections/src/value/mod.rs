//! Values that need no store and no network: connections, apps, tokens, time and random ids.

pub(crate) mod api_key;
pub(crate) mod app;
pub(crate) mod clock;
pub(crate) mod lifetimes;
pub(crate) mod model;
pub(crate) mod names;
pub(crate) mod random;
pub(crate) mod refresh_count;
pub(crate) mod tokens;
pub(crate) mod wording;
