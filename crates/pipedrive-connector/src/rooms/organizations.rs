//! Organizations: the companies that contacts work for.

use connector_core::declare::InputValue::Texts;
use connector_core::declare::{DateTime, Id, Json, List, MatchBy, MatchKey, Nullable, Text};
use connector_core::{action, inputs, record};

use crate::account_fields::OfOrganizations;
use crate::data_sources::{SelectFilter, SelectOrganization, SelectOrganizationLabel, SelectUser};
use crate::types::{
    AddedAt, Address, ByCursor, CUSTOM_FIELD, ChangedBetween, Choosing, CustomFields, Deleted, Found, Including, Named, SortBy, Sorted,
    VisibleTo, WithLabels,
};

/// Add Organization
///
/// Add an organization
#[action(
    post("/api/v2/organizations"),
    scopes("contacts:full"),
    cost = 5,
    returns(Organization),
    with(OrganizationOwner, AddedAt, OrganizationInputs)
)]
struct AddOrganization {
    /// The name of the organization.
    name: String,
}

/// Get Organization
///
/// Get details of an organization
#[action(get("/api/v2/organizations/{org_id}"), scopes("contacts:read", "contacts:full"), cost = 1, returns(Organization), with(Including<OrganizationExtra>, Choosing<OfOrganizations>, WithLabels), when_flat(include_fields = Texts(&["smart_bcc_email"])))]
pub(crate) struct GetOrganization {
    /// The organization to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Organizations
///
/// Get all organizations
#[action(get("/api/v2/organizations"), scopes("contacts:read", "contacts:full"), cost = 10, returns(Vec<Organization>), with(ChangedBetween, Sorted<SortBy>, Including<OrganizationExtra>, Choosing<OfOrganizations>, WithLabels, ByCursor))]
pub(crate) struct GetOrganizations {
    /// A filter of the account; it overrides IDs and owner. Left out, none applies.
    #[overrides(ids, owner_id)]
    #[source(SelectFilter, type = "org")]
    filter_id: Option<Id>,
    /// The organizations to read, at most 100; those that are not there or not visible are left out.
    /// Left out, all are read.
    #[source(SelectOrganization)]
    ids: Option<List<Id>>,
    /// Only organizations of this owner. Left out, those of all.
    #[source(SelectUser)]
    owner_id: Option<Id>,
}

/// Update Organization
///
/// Update an organization
#[action(
    patch("/api/v2/organizations/{org_id}"),
    scopes("contacts:full"),
    cost = 5,
    returns(Organization),
    record(GetOrganization),
    with(OrganizationOwner, OrganizationInputs)
)]
struct UpdateOrganization {
    /// The organization to change.
    #[source(SelectOrganization)]
    org_id: Id,
    /// The name of the organization. Left out, it stays.
    name: Option<String>,
}

/// Upsert Organization
///
/// Update the organization that has a name or another value, or add one that has it
#[action(
    upsert(SelectOrganization, add = AddOrganization, update = UpdateOrganization, by = ORGANIZATION_KEYS),
    scopes_all(["contacts:read", "contacts:full", "search:read"], ["contacts:read", "contacts:full"], ["contacts:full"]),
    cost = 21,
    returns(Organization),
    with(OrganizationOwner, OrganizationInputs)
)]
struct UpsertOrganization {
    /// The input to match by: name, or the name or key of a custom field; or a list of these.
    #[own]
    match_by: MatchBy,
    /// The name of the organization; one that is added needs it. Left out, it stays.
    name: Option<String>,
}

/// The values by which an organization is found.
const ORGANIZATION_KEYS: &[MatchKey] = &[
    MatchKey::text("name", "name").narrowed_by(&[("fields", Texts(&["name"]))]),
    MatchKey::refused("website", NO_DOMAINS),
    MatchKey::refused("domain", NO_DOMAINS),
    CUSTOM_FIELD,
];

const NO_DOMAINS: &str = "Pipedrive's search does not cover websites; keep the domain in a custom field, and match by that";

/// Delete Organization
///
/// Delete an organization
#[action(delete("/api/v2/organizations/{org_id}"), scopes("contacts:full"), cost = 3, returns(Deleted), record(GetOrganization))]
struct DeleteOrganization {
    /// The organization to delete; for 30 days it can be brought back.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Search Organization
///
/// Search organizations
#[action(
    get("/api/v2/organizations/search"),
    scopes("contacts:read", "contacts:full", "search:read"),
    cost = 20,
    returns(Found<FoundOrganization>),
    rules(shortest("term", 2, "exactMatch")),
    with(ByCursor)
)]
pub(crate) struct SearchOrganization {
    /// The text to look for, at least 2 characters; 1 suffices for an exact match.
    term: Text,
    /// The fields to search. Left out, all of them.
    fields: Option<List<OrganizationSearchField>>,
    /// True if the whole text must match, no matter the case. Left out, a part suffices.
    exact_match: Option<bool>,
}

/// Merge Organizations
///
/// Merge two organizations
#[action(
    put("/api/v1/organizations/{org_id}/merge"),
    scopes("contacts:full"),
    cost = 40,
    returns(MergedOrganization),
    record(GetOrganization),
    idempotent = false,
    destructive
)]
struct MergeOrganizations {
    /// The organization that is merged into the other and is gone afterwards.
    #[source(SelectOrganization)]
    org_id: Id,
    /// The organization that stays; where both have a value, its value is kept.
    #[source(SelectOrganization)]
    merge_with_id: Id,
}

/// The user that an organization belongs to.
#[inputs]
struct OrganizationOwner {
    /// The user who owns the organization. Left out, it is the connected user.
    #[source(SelectUser)]
    owner_id: Option<Id>,
}

/// The other inputs that adding and updating an organization share.
#[inputs]
struct OrganizationInputs {
    /// The visibility of the organization. Left out, the default of the user applies.
    visible_to: Option<VisibleTo>,
    /// The IDs of the labels to put on the organization. Left out, it has none.
    #[on_update("The IDs of all labels of the organization; they replace those it has. Left out, they stay.")]
    #[source(SelectOrganizationLabel)]
    label_ids: Option<Vec<i64>>,
    /// The address; its `value` suffices. Left out, there is none.
    #[on_update("The address; parts that are not given are cleared.")]
    address: Option<Address>,
    /// The website. Left out, none is kept.
    website: Option<Nullable<String>>,
    /// The address of the LinkedIn profile. Left out, none is kept.
    linkedin: Option<Nullable<String>>,
    /// The ID of the industry. Left out, none is kept.
    industry: Option<Nullable<i64>>,
    /// The yearly revenue. Left out, none is kept.
    annual_revenue: Option<Nullable<i64>>,
    /// The number of people who work there. Left out, none is kept.
    employee_count: Option<Nullable<i64>>,
    /// Custom fields by their names or 40-character keys. Left out, none is set.
    #[on_update("Custom fields by their names or 40-character keys; null clears one. Left out, all stay.")]
    custom_fields: Option<CustomFields<OfOrganizations>>,
}

/// A field that a search for organizations can look in.
#[record]
enum OrganizationSearchField {
    Address,
    CustomFields,
    Notes,
    Name,
}

/// A field of an organization that is read only if it is asked for.
#[record]
enum OrganizationExtra {
    NextActivityId,
    LastActivityId,
    OpenDealsCount,
    RelatedOpenDealsCount,
    ClosedDealsCount,
    RelatedClosedDealsCount,
    EmailMessagesCount,
    PeopleCount,
    ActivitiesCount,
    DoneActivitiesCount,
    UndoneActivitiesCount,
    FilesCount,
    NotesCount,
    FollowersCount,
    WonDealsCount,
    RelatedWonDealsCount,
    LostDealsCount,
    RelatedLostDealsCount,
    SmartBccEmail,
}

/// An organization.
#[record]
struct Organization {
    /// The ID of the organization.
    id: i64,
    /// Its name.
    name: Option<String>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// The time at which it was added.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
    /// True if it is deleted.
    #[flat("activeFlag", not)]
    is_deleted: Option<bool>,
    /// Its visibility.
    visible_to: Option<VisibleTo>,
    /// Its address.
    #[flat(parts)]
    address: Option<Address>,
    /// The IDs of its labels.
    label_ids: Option<Vec<i64>>,
    /// Its website.
    website: Option<String>,
    /// The address of its LinkedIn profile.
    linkedin: Option<String>,
    /// The ID of its industry.
    industry: Option<i64>,
    /// Its yearly revenue.
    annual_revenue: Option<i64>,
    /// The number of people who work there.
    employee_count: Option<i64>,
    /// Its custom fields, by their keys.
    custom_fields: Option<CustomFields<OfOrganizations>>,
    /// The address that files copies of mail with it; only where it was asked for.
    #[flat("ccEmail")]
    smart_bcc_email: Option<String>,
}

/// An organization as a search shows it.
#[record]
struct FoundOrganization {
    /// The ID of the organization.
    id: i64,
    /// The kind of record, organization.
    r#type: Option<String>,
    /// Its name.
    name: Option<String>,
    /// Its address as one text.
    address: Option<String>,
    /// Its visibility.
    visible_to: Option<VisibleTo>,
    /// The user who owns it.
    #[flat(id("ownerId"))]
    owner: Option<Named>,
    /// The values of custom fields that match.
    custom_fields: Option<Vec<Json>>,
    /// The notes that match.
    notes: Option<Vec<String>>,
}

/// The organization that stays after merging.
#[record]
struct MergedOrganization {
    /// The ID of the organization that stays.
    id: i64,
}

/// An organization in short, as other records of API v1 show it.
#[record]
pub(super) struct OrganizationInShort {
    /// The ID of the organization.
    value: Option<i64>,
    /// Its name.
    name: Option<String>,
    /// The number of persons who belong to it.
    people_count: Option<i64>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// Its address, as one text.
    address: Option<String>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// The address whose mail is kept with it.
    cc_email: Option<String>,
}
