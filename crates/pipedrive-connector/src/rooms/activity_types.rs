//! Activity types: the kinds of activities.

use connector_core::{UtcTime, action, record};

/// Get Activity Types
///
/// Get all activity types
#[action(get("/api/v1/activityTypes"), scopes("activities:read", "activities:full", "admin"), cost = 20, returns(Vec<ActivityType>))]
struct GetActivityTypes {}

/// An activity type.
#[record]
struct ActivityType {
    /// The ID of the type.
    id: i64,
    /// Its name.
    name: Option<String>,
    /// The name of its picture, as call or meeting.
    icon_key: Option<String>,
    /// Its color, as six hexadecimal digits.
    color: Option<String>,
    /// Its place among the others.
    order_nr: Option<i64>,
    /// The key that activities name it by.
    key_string: Option<String>,
    /// True if it can be chosen.
    active_flag: Option<bool>,
    /// True if the account made it.
    is_custom_flag: Option<bool>,
    /// The time at which it was made, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
}
