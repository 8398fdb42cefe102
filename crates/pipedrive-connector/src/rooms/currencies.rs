//! Currencies that amounts can be in.

use connector_core::declare::Text;
use connector_core::{action, record};

/// Get Currencies
///
/// Get all supported currencies
#[action(get("/api/v1/currencies"), scopes("base"), cost = 20, returns(Vec<Currency>))]
pub(crate) struct GetCurrencies {
    /// Only currencies whose name or code holds this text. Left out, all.
    term: Option<Text>,
}

/// A currency.
#[record]
struct Currency {
    /// The ID of the currency.
    id: i64,
    /// Its three-letter code; a custom one has a code of its own.
    code: Option<String>,
    /// Its name.
    name: Option<String>,
    /// The number of digits after the point.
    decimal_points: Option<i64>,
    /// Its sign.
    symbol: Option<String>,
    /// True if it can be chosen.
    active_flag: Option<bool>,
    /// True if the account made it.
    is_custom_flag: Option<bool>,
}
