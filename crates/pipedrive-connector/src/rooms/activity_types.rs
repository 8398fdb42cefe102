//! Activity types: the kinds of activities.

use connector_core::declare::{Id, Text, UtcTime};
use connector_core::{action, record};

use crate::data_sources::SelectActivityType;
use crate::types::HexColor;

/// Get Activity Types
///
/// Get all activity types
#[action(get("/api/v1/activityTypes"), scopes("activities:read", "activities:full", "admin"), cost = 20, returns(Vec<ActivityType>))]
pub(crate) struct GetActivityTypes {}

/// Add Activity Type
///
/// Add an activity type
#[action(post("/api/v1/activityTypes"), scopes("admin"), cost = 10, returns(ActivityType))]
struct AddActivityType {
    /// The name of the type.
    name: Text,
    /// The picture of the type.
    icon_key: IconKey,
    /// The color of the type, as six hexadecimal digits. Left out, Pipedrive chooses one.
    color: Option<HexColor>,
}

/// Update Activity Type
///
/// Update an activity type
#[action(put("/api/v1/activityTypes/{activity_type_id}"), scopes("admin"), cost = 10, returns(ActivityType))]
struct UpdateActivityType {
    /// The type to change.
    #[source(SelectActivityType)]
    activity_type_id: Id,
    /// The name of the type. Left out, it stays.
    name: Option<Text>,
    /// The picture of the type. Left out, it stays.
    icon_key: Option<IconKey>,
    /// The color of the type, as six hexadecimal digits. Left out, it stays.
    color: Option<HexColor>,
    /// The place of the type among the others. Left out, it stays.
    order_nr: Option<i64>,
}

/// The picture of an activity type.
#[record]
enum IconKey {
    Task,
    Email,
    Meeting,
    Deadline,
    Call,
    Lunch,
    Calendar,
    Downarrow,
    Document,
    Smartphone,
    Camera,
    Scissors,
    Cogs,
    Bubble,
    Uparrow,
    Checkbox,
    Signpost,
    Shuffle,
    Addressbook,
    Linegraph,
    Picture,
    Car,
    World,
    Search,
    Clip,
    Sound,
    Brush,
    Key,
    Padlock,
    Pricetag,
    Suitcase,
    Finish,
    Plane,
    Loop,
    Wifi,
    Truck,
    Cart,
    Bulb,
    Bell,
    Presentation,
}

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
