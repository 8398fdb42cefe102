//! Filters: conditions that an account keeps under a name.

use connector_core::declare::{Both, Either, Id, Json, UtcTime};
use connector_core::{action, record};

use crate::data_sources::SelectFilter;

/// Get Filter
///
/// Get one filter
#[action(
    get("/api/v1/filters/{filter_id}"),
    scopes("deals:read", "deals:full", "activities:read", "activities:full", "contacts:read", "contacts:full"),
    cost = 2,
    returns(Both<Filter, Conditions>)
)]
struct GetFilter {
    /// The filter to read.
    #[source(SelectFilter)]
    filter_id: Id,
    /// True if each condition names its field by code, too. Left out, by number alone.
    include_field_code: Option<bool>,
}

/// Get Filters
///
/// Get all filters
#[action(
    get("/api/v1/filters"),
    scopes("deals:read", "deals:full", "activities:read", "activities:full", "contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<Filter>)
)]
pub(crate) struct GetFilters {
    /// Only filters of these records. Left out, those of all.
    r#type: Option<FilterType>,
}

/// Update Filter
///
/// Update filter
#[action(
    put("/api/v1/filters/{filter_id}"),
    scopes("deals:full", "activities:full", "contacts:full"),
    cost = 10,
    returns(Both<Filter, Conditions>),
    record(GetFilter)
)]
struct UpdateFilter {
    /// The filter to change.
    #[source(SelectFilter)]
    filter_id: Id,
    /// True if each condition of the answer names its field by code, too. Left out, by number alone.
    #[query]
    include_field_code: Option<bool>,
    /// The name of the filter. Left out, it stays.
    name: Option<String>,
    /// All conditions of the filter, at most 16; they replace those it has.
    conditions: FilterConditions,
}

/// The kind of record that a filter chooses from.
#[record]
pub(crate) enum FilterType {
    Deals,
    Leads,
    Org,
    People,
    Products,
    Activity,
    Projects,
}

/// The conditions of a filter: two groups, all of the first and any of the second.
#[record]
struct FilterConditions {
    /// The word that joins the groups, always and.
    glue: GroupGlue,
    /// The groups: the first joined by and, the second by or.
    conditions: Vec<ConditionGroup>,
}

/// The word that joins groups of conditions.
#[record]
enum GroupGlue {
    And,
}

/// The word that joins the conditions of a group.
#[record]
enum ConditionGlue {
    And,
    Or,
}

/// A group of conditions.
#[record]
struct ConditionGroup {
    /// The word that joins the conditions.
    glue: ConditionGlue,
    /// The conditions.
    conditions: Option<Vec<Condition>>,
}

/// A condition, open so that those of an answer can be written back with all of their members.
#[record(open)]
struct Condition {
    /// The kind of record whose field is looked at.
    object: ConditionObject,
    /// The number of the field, as a number or a text.
    field_id: Either<Id, String>,
    /// The operator that compares the field, as =, <, IS NULL or LIKE '%$%'.
    operator: String,
    /// The value to compare with.
    value: Option<Json>,
    /// The second value, where the operator takes two.
    extra_value: Option<Json>,
}

/// The kind of record that a condition is about.
#[record]
enum ConditionObject {
    Person,
    Deal,
    Organization,
    Product,
    Activity,
}

/// A filter.
#[record]
struct Filter {
    /// The ID of the filter.
    id: i64,
    /// Its name.
    name: Option<String>,
    /// The code of a filter that Pipedrive made.
    filter_code: Option<String>,
    /// True if the connected user may change it.
    is_editable: Option<bool>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// The kind of record that it chooses from.
    r#type: Option<FilterType>,
    /// True if it is temporary.
    temporary_flag: Option<bool>,
    /// The user who owns it.
    user_id: Option<i64>,
    /// The time at which it was made, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
    /// Its visibility, as a number in a text.
    visible_to: Option<String>,
    /// The time of its last use, in UTC.
    last_used_time: Option<UtcTime>,
    /// The view that it belongs to.
    custom_view_id: Option<i64>,
}

/// The members of a filter that a list of filters does not show.
#[record]
struct Conditions {
    /// The conditions.
    conditions: Option<KeptConditions>,
}

/// The conditions of a filter, as they are kept.
#[record]
struct KeptConditions {
    /// The word that joins the groups, always and.
    glue: Option<GroupGlue>,
    /// The groups.
    conditions: Option<Vec<KeptGroup>>,
}

/// A group of conditions, as it is kept.
#[record]
struct KeptGroup {
    /// The word that joins the conditions.
    glue: Option<ConditionGlue>,
    /// The conditions.
    conditions: Option<Vec<KeptCondition>>,
}

/// A condition, as it is kept.
#[record]
struct KeptCondition {
    /// The kind of record whose field is looked at.
    object: Option<String>,
    /// The number of the field, as a text.
    field_id: Option<String>,
    /// The operator that compares the field.
    operator: Option<String>,
    /// The value to compare with.
    value: Option<String>,
    /// The second value, where the operator takes two.
    extra_value: Option<String>,
    /// True if the value is JSON in a text.
    json_value_flag: Option<bool>,
    /// The code of the field; only where it was asked for.
    field_code: Option<String>,
}
