//! Settings of the connected user.

use connector_core::{action, record};

/// Get User Settings
///
/// List settings of an authorized user
#[action(get("/api/v1/userSettings"), scopes("base"), cost = 2, returns(UserSettings))]
struct GetUserSettings {}

/// The settings of the connected user.
#[record]
struct UserSettings {
    /// Whether they belong to a marketplace team.
    marketplace_team: Option<bool>,
    /// How many rows a list has.
    list_limit: Option<f64>,
    /// Whether they use the beta of the app.
    beta_app: Option<bool>,
    /// Whether phone numbers lead to the link that was set.
    prevent_salesphone_callto_override: Option<bool>,
    /// Where files are uploaded to.
    file_upload_destination: Option<String>,
    /// How a phone number becomes a link.
    callto_link_syntax: Option<String>,
    /// Whether the expected close date of a deal is filled in.
    autofill_deal_expected_close_date: Option<bool>,
    /// What makes two persons the same.
    person_duplicate_condition: Option<String>,
}
