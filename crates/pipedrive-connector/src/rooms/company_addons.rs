//! Add-ons that a company pays for.

use connector_core::{action, record};

/// Get Company Addons
///
/// Get all add-ons for a single company
#[action(get("/api/v1/billing/subscriptions/addons"), scopes("users:read"), cost = 20, returns(Vec<Addon>))]
struct GetCompanyAddons {}

/// An add-on.
#[record]
struct Addon {
    /// The code of the add-on.
    code: Option<String>,
}
