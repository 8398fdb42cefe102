//! Leads: contacts that may become deals.

use connector_core::declare::InputValue::Texts;
use connector_core::declare::{Date, DateTime, FieldType, Id, List, MatchBy, MatchKey, Nullable, Text, Uuid};
use connector_core::{action, inputs, record};

use crate::account_fields::OfDeals;
use crate::data_sources::{SelectFilter, SelectLead, SelectLeadLabel, SelectOrganization, SelectPerson, SelectUser};
use crate::types::{ByCursor, ByStart, CUSTOM_FIELD, CustomFieldsByKey, DeletedUuid, Found, Named, VisibleToText, WithFields};

/// Add Lead
///
/// Add a lead
#[action(
    post("/api/v1/leads"),
    scopes("leads:full"),
    cost = 10,
    returns(WithFields<Lead, OfDeals>),
    with(LeadLinks<Id>, LeadPromise<Date>, LeadOrigin, LeadChannel),
    found_in(GetLeads, since = "updatedSince", created = "add_time", creator = "creator_id"),
    rules(any_of(&["personId", "organizationId"]))
)]
struct AddLead {
    /// The title of the lead.
    title: Text,
}

/// Get Lead
///
/// Get one lead
#[action(get("/api/v1/leads/{lead_id}"), scopes("leads:read", "leads:full"), cost = 2, returns(WithFields<Lead, OfDeals>))]
pub(crate) struct GetLead {
    /// The lead to read.
    #[source(SelectLead)]
    lead_id: Uuid,
}

/// Get Leads
///
/// Get all leads
#[action(get("/api/v1/leads"), scopes("leads:read", "leads:full"), cost = 20, returns(Vec<WithFields<Lead, OfDeals>>), with(ByStart))]
pub(crate) struct GetLeads {
    /// Only leads of this owner. Left out, those of all.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// Only leads of this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only leads of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    organization_id: Option<Id>,
    /// A filter of the account; it overrides owner, person and organization. Left out, none applies.
    #[overrides(owner_id, person_id, organization_id)]
    #[source(SelectFilter, type = "leads")]
    filter_id: Option<Id>,
    /// Only leads changed at this moment or later, with its zone. Left out, no matter when.
    updated_since: Option<DateTime>,
    /// The field to sort by, ascending. Left out, the ID.
    sort: Option<LeadSort>,
}

/// Update Lead
///
/// Update a lead
#[action(
    patch("/api/v1/leads/{lead_id}"),
    scopes("leads:full"),
    cost = 10,
    returns(WithFields<Lead, OfDeals>), record(GetLead),
    with(LeadLinks<Nullable<Id>>, LeadArchive, LeadPromise<Nullable<Date>>, LeadChannel)
)]
struct UpdateLead {
    /// The lead to change.
    #[source(SelectLead)]
    lead_id: Uuid,
    /// The title of the lead. Left out, it stays.
    title: Option<Nullable<String>>,
}

/// Upsert Lead
///
/// Update the lead that has a title or another value, or add one that has it
#[action(
    upsert(SelectLead, add = AddLead, update = UpdateLead, by = LEAD_KEYS),
    scopes_all(["leads:read", "leads:full", "search:read"], ["leads:read", "leads:full"], ["leads:full"]),
    cost = 22,
    returns(WithFields<Lead, OfDeals>),
    with(LeadLinks<Nullable<Id>>, LeadPromise<Nullable<Date>>, LeadChannel)
)]
struct UpsertLead {
    /// The input to match by: title, or the name or key of a custom field of deals; or a list of these.
    #[own]
    match_by: MatchBy,
    /// The title of the lead; one that is added needs it. Left out, it stays.
    title: Option<Text>,
}

/// The values by which a lead is found.
const LEAD_KEYS: &[MatchKey] = &[MatchKey::text("title", "title").narrowed_by(&[("fields", Texts(&["title"]))]), CUSTOM_FIELD];

/// Delete Lead
///
/// Delete a lead
#[action(delete("/api/v1/leads/{lead_id}"), scopes("leads:full"), cost = 6, returns(DeletedUuid), record(GetLead))]
struct DeleteLead {
    /// The lead to delete.
    #[source(SelectLead)]
    lead_id: Uuid,
}

/// Search Leads
///
/// Search leads
#[action(
    get("/api/v2/leads/search"),
    scopes("leads:read", "leads:full", "search:read"),
    cost = 20,
    returns(Found<FoundLead>),
    rules(shortest("term", 2, "exactMatch")),
    with(ByCursor)
)]
pub(crate) struct SearchLeads {
    /// The text to look for, at least 2 characters; 1 suffices for an exact match.
    term: Text,
    /// The fields to search. Left out, all of them.
    fields: Option<List<LeadSearchField>>,
    /// True if the whole text must match, no matter the case. Left out, a part suffices.
    exact_match: Option<bool>,
    /// Only leads of this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only leads of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    organization_id: Option<Id>,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<LeadSearchExtra>,
}

/// The records that a lead is linked to; null unlinks where `Link` takes it.
#[inputs]
struct LeadLinks<Link: FieldType> {
    /// The user who owns the lead. Left out, it is the connected user.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// The IDs of the lead labels to put on the lead. Left out, it has none.
    #[on_update("The IDs of all labels of the lead; they replace those it has. Left out, they stay.")]
    #[source(SelectLeadLabel)]
    label_ids: Option<Vec<Uuid>>,
    /// The person to link; a lead has a person or an organization. Left out, it has no person.
    #[on_update("The person to link; null unlinks where an organization is linked.")]
    #[source(SelectPerson)]
    person_id: Option<Link>,
    /// The organization to link; a lead has a person or an organization. Left out, it has no organization.
    #[on_update("The organization to link; null unlinks where a person is linked.")]
    #[source(SelectOrganization)]
    organization_id: Option<Link>,
}

/// The mark of a lead that is put away.
#[inputs]
struct LeadArchive {
    /// True if the lead is archived; an archived lead cannot be changed otherwise. Left out, it is not.
    is_archived: Option<bool>,
}

/// The worth of a lead, and who may see it; null clears the day where `Day` takes it.
#[inputs]
struct LeadPromise<Day: FieldType> {
    /// The potential value of the lead. Left out, it has none.
    value: Option<Nullable<LeadValue>>,
    /// The day on which the deal of the lead is expected to close. Left out, none is set.
    #[on_update("The day on which the deal of the lead is expected to close; null clears it.")]
    expected_close_date: Option<Day>,
    /// The visibility of the lead; its meaning depends on the plan. Left out, the default of the user applies.
    visible_to: Option<VisibleToText>,
    /// True if someone has seen the lead in Pipedrive. Left out, it is new.
    was_seen: Option<bool>,
}

/// The name of the source of a lead, which cannot be changed.
#[inputs]
struct LeadOrigin {
    /// A name of your own for where the lead came from. Left out, there is none.
    origin_id: Option<Nullable<String>>,
}

/// The marketing channel and the custom fields of a lead.
#[inputs]
struct LeadChannel {
    /// The ID of the marketing channel that the lead came from. Left out, there is none.
    channel: Option<Nullable<i64>>,
    /// A name of your own for the marketing channel. Left out, there is none.
    channel_id: Option<Nullable<String>>,
    /// Custom fields of deals, which leads share, by their names or 40-character keys. Left out, none is set.
    #[on_update("Custom fields of deals, which leads share, by their names or 40-character keys; null clears one. Left out, all stay.")]
    #[flat]
    custom_fields: Option<CustomFieldsByKey<OfDeals>>,
}

/// A field to sort leads by.
#[record]
enum LeadSort {
    Id,
    Title,
    OwnerId,
    CreatorId,
    WasSeen,
    ExpectedCloseDate,
    NextActivityId,
    AddTime,
    UpdateTime,
}

/// A field that a search for leads can look in.
#[record]
enum LeadSearchField {
    CustomFields,
    Notes,
    Title,
}

/// A further field that a search for leads can include.
#[record]
enum LeadSearchExtra {
    #[wire("lead.was_seen")]
    WasSeen,
}

/// The potential value of a lead.
#[record]
struct LeadValue {
    /// The amount, in the currency.
    amount: f64,
    /// The three-letter code of the currency.
    currency: String,
}

/// A lead; custom fields that have a value stand beside its own.
#[record]
struct Lead {
    /// The ID of the lead.
    id: Uuid,
    /// Its title.
    title: Option<String>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// The user who made it.
    creator_id: Option<i64>,
    /// The IDs of its labels.
    label_ids: Option<Vec<Uuid>>,
    /// The linked person.
    person_id: Option<i64>,
    /// The linked organization.
    #[flat("orgId")]
    organization_id: Option<i64>,
    /// The name of its source.
    source_name: Option<String>,
    /// The way in which it was made, as API or ManuallyCreated.
    origin: Option<String>,
    /// A name for where it came from.
    origin_id: Option<String>,
    /// The ID of its marketing channel.
    channel: Option<i64>,
    /// A name for its marketing channel.
    channel_id: Option<String>,
    /// The deal that it was made from.
    source_deal_id: Option<i64>,
    /// True if it is archived.
    is_archived: Option<bool>,
    /// True if someone has seen it in Pipedrive.
    was_seen: Option<bool>,
    /// Its potential value.
    value: Option<LeadValue>,
    /// The day on which its deal is expected to close.
    expected_close_date: Option<Date>,
    /// The next activity.
    next_activity_id: Option<i64>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
    /// Its visibility, as a number in a text.
    visible_to: Option<String>,
    /// The address whose mail is kept with it.
    cc_email: Option<String>,
}

/// A lead as a search gives it.
#[record]
struct FoundLead {
    /// The ID of the lead.
    id: Uuid,
    /// The word lead.
    r#type: Option<String>,
    /// Its title.
    title: Option<String>,
    /// The user who owns it.
    #[flat(id("ownerId"))]
    owner: Option<Named>,
    /// The linked person.
    #[flat(id("personId"))]
    person: Option<Named>,
    /// The linked organization.
    #[flat(id("orgId"))]
    organization: Option<Named>,
    /// The phone numbers of the person.
    #[flat(primary("phone"))]
    phones: Option<Vec<String>>,
    /// The email addresses of the person.
    #[flat(primary("email"))]
    emails: Option<Vec<String>>,
    /// The values of custom fields that match.
    custom_fields: Option<Vec<String>>,
    /// The texts of notes that match.
    notes: Option<Vec<String>>,
    /// Its potential value.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// Its visibility.
    visible_to: Option<i64>,
    /// True if it is archived.
    is_archived: Option<bool>,
    /// True if someone has seen it in Pipedrive; only where it was asked for.
    was_seen: Option<bool>,
}
