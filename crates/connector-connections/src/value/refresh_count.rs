//! The number of refreshes of tokens.

/// The number of times that tokens of a connector were refreshed by this vault with one result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshCount {
    /// The key of the connector.
    pub connector: String,
    /// The result: `ok`, `refused` if the grant has ended, or `failed`.
    pub result: &'static str,
    /// The number of refreshes.
    pub count: u64,
}

impl RefreshCount {
    pub(crate) fn new(connector: String, result: &'static str, count: u64) -> Self {
        Self { connector, result, count }
    }
}
