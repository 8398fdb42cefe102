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
    /// True if they belong to a marketplace team.
    marketplace_team: Option<bool>,
    /// The number of rows in a list.
    list_limit: Option<f64>,
    /// True if they use the beta of the app.
    beta_app: Option<bool>,
    /// True if phone numbers lead to the link that was set.
    prevent_salesphone_callto_override: Option<bool>,
    /// The place to which files are uploaded.
    file_upload_destination: Option<String>,
    /// The form of the links that phone numbers become.
    callto_link_syntax: Option<String>,
    /// True if the expected close date of a deal is filled in.
    autofill_deal_expected_close_date: Option<bool>,
    /// The condition on which two persons count as the same.
    person_duplicate_condition: Option<String>,
}
