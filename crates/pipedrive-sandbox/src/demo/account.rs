//! The demo account's currencies, add-ons and project.

use serde_json::json;

use crate::demo::rows::build_record;
use crate::engine::state::State;

/// Code, name, digits after the decimal point, symbol.
const CURRENCIES: &[(&str, &str, u8, &str)] = &[
    ("EUR", "Euro", 2, "€"),
    ("USD", "US Dollar", 2, "US$"),
    ("GBP", "Pound Sterling", 2, "£"),
    ("CHF", "Swiss Franc", 2, "CHF"),
    ("CZK", "Czech Koruna", 2, "Kč"),
    ("JPY", "Japanese Yen", 0, "¥"),
    ("SEK", "Swedish Krona", 2, "kr"),
];

const ADDONS: &[&str] = &["leadbooster_v2", "smart_docs_v2"];

pub(super) fn add(state: &mut State) {
    for (code, name, digits, symbol) in CURRENCIES {
        let row = json!({
            "code": code, "name": name, "decimal_points": digits, "symbol": symbol, "active_flag": true, "is_custom_flag": false,
        });
        state.insert("currencies", build_record(row));
    }
    for code in ADDONS {
        state.insert("addons", build_record(json!({ "code": code })));
    }
    // Projects are not served yet, but other records may link to one.
    state.insert("projects", build_record(json!({ "title": "Fleet rollout", "is_deleted": false })));
}
