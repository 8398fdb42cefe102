//! Deals: what may be sold, to whom, and how far it has come.

use connector_core::{Date, DateTime, Flag, Id, Json, List, MapOf, Nullable, Text, UtcTime, action, record};

use crate::data_sources::{SelectDeal, SelectOrganization, SelectPerson};
use crate::types::{ByCursor, ByStart, CustomFields, Deleted, Named, SortBy, SortDirection, VisibleTo};

/// Add Deal
///
/// Add a deal
#[action(post("/api/v2/deals"), scopes("deals:full"), cost = 5, returns(Deal))]
struct AddDeal {
    /// The title of the deal.
    title: String,
    /// The user who owns the deal. Left out, it is the connected user.
    owner_id: Option<Id>,
    /// The person to link. Left out, the deal has none.
    #[source(SelectPerson)]
    person_id: Option<Nullable<Id>>,
    /// The organization to link. Left out, the deal has none.
    #[source(SelectOrganization)]
    org_id: Option<Nullable<Id>>,
    /// The pipeline to put the deal in. Left out, it follows from the stage, or is the default pipeline.
    pipeline_id: Option<Id>,
    /// The stage to put the deal in. Left out, it is the first of the pipeline.
    stage_id: Option<Id>,
    /// How much the deal is worth, in its currency. Left out, it is 0.
    value: Option<f64>,
    /// The three-letter code of the currency. Left out, it is the default of the user.
    currency: Option<String>,
    /// Whether the deal is deleted. Left out, it is not.
    is_deleted: Option<bool>,
    /// Whether the deal is archived. Left out, it is not.
    is_archived: Option<bool>,
    /// When the deal was archived, in UTC. Left out, it is now where the deal is archived.
    archive_time: Option<Nullable<UtcTime>>,
    /// Whether the deal is open, won or lost. Left out, it is open.
    status: Option<DealStatus>,
    /// How likely the deal is to be won, in percent. Left out, that of the stage counts.
    probability: Option<Nullable<f64>>,
    /// Why the deal was lost; only together with the status lost. Left out, none is kept.
    lost_reason: Option<Nullable<String>>,
    /// Who may see the deal. Left out, the default of the user applies.
    visible_to: Option<VisibleTo>,
    /// When the deal was closed, with its zone; only together with the status won or lost. Left out, it is now.
    close_time: Option<Nullable<DateTime>>,
    /// When the deal was won, with its zone; only together with the status won. Left out, it is now.
    won_time: Option<DateTime>,
    /// When the deal was lost, with its zone; only together with the status lost. Left out, it is now.
    lost_time: Option<DateTime>,
    /// The day on which the deal is expected to close. Left out, none is set.
    expected_close_date: Option<Date>,
    /// The IDs of the labels to put on the deal. Left out, it has none.
    label_ids: Option<Vec<i64>>,
    /// Custom fields by their 40-character keys. Left out, none is set.
    custom_fields: Option<CustomFields>,
}

/// Get Deal
///
/// Get details of a deal
#[action(get("/api/v2/deals/{deal_id}"), scopes("deals:read", "deals:full"), cost = 1, returns(Deal))]
struct GetDeal {
    /// The deal to read.
    #[source(SelectDeal)]
    deal_id: Id,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<List<DealExtra>>,
    /// The keys of the custom fields to include, at most 15. Left out, all are.
    custom_fields: Option<List<String, 15>>,
    /// Whether options of custom fields come as ID and label. Left out, they come as IDs.
    include_option_labels: Option<bool>,
    /// Whether the labels come with their names. Left out, they come as IDs alone.
    include_labels: Option<bool>,
}

/// Get Deals
///
/// Get all deals
#[action(get("/api/v2/deals"), scopes("deals:read", "deals:full"), cost = 10, returns(Vec<Deal>), with(ByCursor))]
pub(crate) struct GetDeals {
    /// A filter of the account; it overrides IDs, owner, person, organization, pipeline, stage and status. Left out, none applies.
    #[overrides(ids, owner_id, person_id, org_id, pipeline_id, stage_id, status)]
    filter_id: Option<Id>,
    /// The deals to read, at most 100; those that are not there or not visible are left out. Left out, all are read.
    ids: Option<List<Id>>,
    /// Only deals of this owner. Left out, those of all.
    owner_id: Option<Id>,
    /// Only deals of this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only deals of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// Only deals in this pipeline. Left out, those in all.
    pipeline_id: Option<Id>,
    /// Only deals in this stage. Left out, those in all.
    stage_id: Option<Id>,
    /// Only deals of these statuses; deleted reaches back 30 days. Left out, all that are not deleted.
    status: Option<List<ListedStatus>>,
    /// Only deals changed at this moment or later, with its zone. Left out, no matter when.
    updated_since: Option<DateTime>,
    /// Only deals changed before this moment, with its zone. Left out, no matter when.
    updated_until: Option<DateTime>,
    /// What to sort by; only the ID is safe while deals change. Left out, the ID.
    sort_by: Option<SortBy>,
    /// Which way to sort. Left out, ascending.
    sort_direction: Option<SortDirection>,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<List<DealExtra>>,
    /// The keys of the custom fields to include, at most 15. Left out, all are.
    custom_fields: Option<List<String, 15>>,
    /// Whether options of custom fields come as ID and label. Left out, they come as IDs.
    include_option_labels: Option<bool>,
    /// Whether the labels come with their names. Left out, they come as IDs alone.
    include_labels: Option<bool>,
}

/// Get Pipeline Deals
///
/// Get deals in a pipeline
#[action(
    get("/api/v2/deals"),
    scopes("deals:read", "deals:full"),
    cost = 10,
    returns(Vec<Deal>),
    like(GetDeals),
    without(filter_id = "Pipedrive would ignore the pipeline beside a filter, and answer the deals of all; use getDeals")
)]
struct GetPipelineDeals {
    /// The pipeline whose deals to read.
    pipeline_id: Id,
}

/// Get Stage Deals
///
/// Get deals in a stage
#[action(
    get("/api/v2/deals"),
    scopes("deals:read", "deals:full"),
    cost = 10,
    returns(Vec<Deal>),
    like(GetDeals),
    without(filter_id = "Pipedrive would ignore the stage beside a filter, and answer the deals of all; use getDeals")
)]
struct GetStageDeals {
    /// The stage whose deals to read.
    stage_id: Id,
}

/// Get Person Deals
///
/// List deals associated with a person
#[action(
    get("/api/v2/deals"),
    scopes("deals:read", "deals:full"),
    cost = 10,
    returns(Vec<Deal>),
    like(GetDeals),
    without(filter_id = "Pipedrive would ignore the person beside a filter, and answer the deals of all; use getDeals")
)]
struct GetPersonDeals {
    /// The person whose deals to read.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Get Organization Deals
///
/// List deals associated with an organization
#[action(
    get("/api/v2/deals"),
    scopes("deals:read", "deals:full"),
    cost = 10,
    returns(Vec<Deal>),
    like(GetDeals),
    without(filter_id = "Pipedrive would ignore the organization beside a filter, and answer the deals of all; use getDeals")
)]
struct GetOrganizationDeals {
    /// The organization whose deals to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Product Deals
///
/// Get deals where a product is attached to
#[action(get("/api/v1/products/{product_id}/deals"), scopes("deals:read", "deals:full"), cost = 20, returns(Vec<OldDeal>), with(ByStart))]
struct GetProductDeals {
    /// The product whose deals to read.
    product_id: Id,
    /// Only deals of this status; deleted reaches back 30 days. Left out, all that are not deleted.
    status: Option<OldStatus>,
}

/// Update Deal
///
/// Update a deal
#[action(patch("/api/v2/deals/{deal_id}"), scopes("deals:full"), cost = 5, returns(Deal))]
struct UpdateDeal {
    /// The deal to change.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The title of the deal. Left out, it stays.
    title: Option<String>,
    /// The user who owns the deal. Left out, it stays.
    owner_id: Option<Id>,
    /// The person to link; null unlinks. Left out, it stays.
    #[source(SelectPerson)]
    person_id: Option<Nullable<Id>>,
    /// The organization to link; null unlinks. Left out, it stays.
    #[source(SelectOrganization)]
    org_id: Option<Nullable<Id>>,
    /// The pipeline to move the deal to. Left out, it stays.
    pipeline_id: Option<Id>,
    /// The stage to move the deal to. Left out, it stays.
    stage_id: Option<Id>,
    /// How much the deal is worth, in its currency. Left out, it stays.
    value: Option<f64>,
    /// The three-letter code of the currency. Left out, it stays.
    currency: Option<String>,
    /// Whether the deal is deleted. Left out, it stays as it is.
    is_deleted: Option<bool>,
    /// Whether the deal is archived; an archived deal cannot be changed otherwise. Left out, it stays as it is.
    is_archived: Option<bool>,
    /// When the deal was archived, in UTC. Left out, it is now where the deal is archived.
    archive_time: Option<Nullable<UtcTime>>,
    /// Whether the deal is open, won or lost. Left out, it stays.
    status: Option<DealStatus>,
    /// How likely the deal is to be won, in percent; null returns to that of the stage. Left out, it stays.
    probability: Option<Nullable<f64>>,
    /// Why the deal was lost; only with the status lost. Left out, it stays.
    lost_reason: Option<Nullable<String>>,
    /// Who may see the deal. Left out, it stays.
    visible_to: Option<VisibleTo>,
    /// When the deal was closed, with its zone; only with the status won or lost. Left out, it stays.
    close_time: Option<Nullable<DateTime>>,
    /// When the deal was won, with its zone; only with the status won. Left out, it stays.
    won_time: Option<DateTime>,
    /// When the deal was lost, with its zone; only with the status lost. Left out, it stays.
    lost_time: Option<DateTime>,
    /// The day on which the deal is expected to close. Left out, it stays.
    expected_close_date: Option<Date>,
    /// The IDs of all labels of the deal; they replace those it has. Left out, they stay.
    label_ids: Option<Vec<i64>>,
    /// Custom fields by their 40-character keys; null clears one. Left out, all stay.
    custom_fields: Option<CustomFields>,
}

/// Delete Deal
///
/// Delete a deal
#[action(delete("/api/v2/deals/{deal_id}"), scopes("deals:full"), cost = 3, returns(Deleted))]
struct DeleteDeal {
    /// The deal to delete; for 30 days it can be brought back.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Search Deals
///
/// Search deals
#[action(
    get("/api/v2/deals/search"),
    scopes("deals:read", "deals:full", "search:read"),
    cost = 20,
    returns(FoundDeals),
    rules(shortest("term", 2, "exactMatch")),
    with(ByCursor)
)]
pub(crate) struct SearchDeals {
    /// The text to look for, at least 2 characters; 1 suffices for an exact match.
    term: Text,
    /// Where to look. Left out, everywhere.
    fields: Option<List<DealSearchField>>,
    /// Whether the whole text must match, no matter the case. Left out, a part suffices.
    exact_match: Option<bool>,
    /// Only deals of this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only deals of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    organization_id: Option<Id>,
    /// Only deals of this status. Left out, those of all.
    status: Option<DealStatus>,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<DealSearchExtra>,
}

/// Merge Deals
///
/// Merge two deals
#[action(put("/api/v1/deals/{deal_id}/merge"), scopes("deals:full"), cost = 40, returns(MergedDeal), idempotent = false)]
struct MergeDeals {
    /// The deal that is merged into the other and is gone afterwards.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The deal that stays; where both have a value, its value is kept.
    #[source(SelectDeal)]
    merge_with_id: Id,
}

/// Get Deals Summary
///
/// Get deals summary
#[action(get("/api/v1/deals/summary"), scopes("deals:read", "deals:full"), cost = 40, returns(DealsSummary))]
struct GetDealsSummary {
    /// Only deals of this status. Left out, those of all.
    status: Option<DealStatus>,
    /// A filter of the account; it overrides the user. Left out, none applies.
    #[overrides(user_id)]
    filter_id: Option<Id>,
    /// Only deals of this user. Left out, those of all.
    user_id: Option<Id>,
    /// Only deals in this pipeline. Left out, those in all.
    pipeline_id: Option<Id>,
    /// Only deals in this stage. Left out, those in all.
    stage_id: Option<Id>,
}

/// Get Deals Timeline
///
/// Get deals timeline
#[action(get("/api/v1/deals/timeline"), scopes("deals:read", "deals:full"), cost = 20, returns(DealsTimeline))]
struct GetDealsTimeline {
    /// The day on which the first interval starts.
    start_date: Date,
    /// How long an interval is.
    interval: Interval,
    /// How many intervals to read.
    amount: i64,
    /// The key of the date field that puts a deal into an interval, as add_time or expected_close_date.
    field_key: Text,
    /// Only deals of this user. Left out, those of all.
    user_id: Option<Id>,
    /// Only deals in this pipeline. Left out, those in all.
    pipeline_id: Option<Id>,
    /// A filter of the account. Left out, none applies.
    filter_id: Option<Id>,
    /// Whether to leave out the deals and give the totals alone. Left out, the deals are there.
    exclude_deals: Option<Flag>,
    /// The three-letter code of a currency to convert the totals to. Left out, they are not converted.
    totals_convert_currency: Option<Text>,
}

/// Where a deal stands.
#[record]
enum DealStatus {
    Open,
    Won,
    Lost,
}

/// Where a listed deal stands.
#[record]
enum ListedStatus {
    Open,
    Won,
    Lost,
    Deleted,
}

/// Where a deal stands, as API v1 lists deals.
#[record]
enum OldStatus {
    Open,
    Won,
    Lost,
    Deleted,
    AllNotDeleted,
}

/// How long an interval of a timeline is.
#[record]
enum Interval {
    Day,
    Week,
    Month,
    Quarter,
}

/// Where a search for deals looks.
#[record]
enum DealSearchField {
    CustomFields,
    Notes,
    Title,
}

/// What a search for deals can add.
#[record]
enum DealSearchExtra {
    #[wire("deal.cc_email")]
    CcEmail,
}

/// What can be read of a deal beside its own fields.
#[record]
enum DealExtra {
    NextActivityId,
    LastActivityId,
    FirstWonTime,
    ProductsCount,
    FilesCount,
    NotesCount,
    FollowersCount,
    EmailMessagesCount,
    ActivitiesCount,
    DoneActivitiesCount,
    UndoneActivitiesCount,
    ParticipantsCount,
    LastIncomingMailTime,
    LastOutgoingMailTime,
    SmartBccEmail,
    SourceLeadId,
}

/// A deal.
#[record]
struct Deal {
    /// The ID of the deal.
    id: i64,
    /// Its title.
    title: Option<String>,
    /// The user who made it.
    creator_user_id: Option<i64>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// The linked person.
    person_id: Option<i64>,
    /// The linked organization.
    org_id: Option<i64>,
    /// The pipeline it is in.
    pipeline_id: Option<i64>,
    /// The stage it is in.
    stage_id: Option<i64>,
    /// How much it is worth, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// When it was made.
    add_time: Option<DateTime>,
    /// When it was last changed.
    update_time: Option<DateTime>,
    /// When it came to its stage.
    stage_change_time: Option<DateTime>,
    /// Whether it is deleted.
    is_deleted: Option<bool>,
    /// Whether it is archived.
    is_archived: Option<bool>,
    /// When it was archived.
    archive_time: Option<DateTime>,
    /// Where it stands.
    status: Option<DealStatus>,
    /// How likely it is to be won, in percent; null where that of the stage counts.
    probability: Option<f64>,
    /// Why it was lost.
    lost_reason: Option<String>,
    /// Who may see it.
    visible_to: Option<VisibleTo>,
    /// When it was closed.
    close_time: Option<DateTime>,
    /// When it was won.
    won_time: Option<DateTime>,
    /// When it was lost.
    lost_time: Option<DateTime>,
    /// The day on which it was won, in the time of the company.
    local_won_date: Option<Date>,
    /// The day on which it was lost, in the time of the company.
    local_lost_date: Option<Date>,
    /// The day on which it was closed, in the time of the company.
    local_close_date: Option<Date>,
    /// The day on which it is expected to close.
    expected_close_date: Option<Date>,
    /// The IDs of its labels.
    label_ids: Option<Vec<i64>>,
    /// How it came about.
    origin: Option<String>,
    /// What further tells its origin apart.
    origin_id: Option<String>,
    /// The ID of its marketing channel.
    channel: Option<i64>,
    /// What further tells its marketing channel apart.
    channel_id: Option<String>,
    /// The lead it was made of; only where it was asked for.
    source_lead_id: Option<String>,
    /// The yearly recurring revenue.
    arr: Option<f64>,
    /// The monthly recurring revenue.
    mrr: Option<f64>,
    /// The yearly contract value.
    acv: Option<f64>,
    /// Its custom fields, by their keys.
    custom_fields: Option<CustomFields>,
}

/// What a search for deals found.
#[record]
struct FoundDeals {
    /// The deals, the best match first.
    items: Vec<FoundDeal>,
}

/// One deal that a search found.
#[record]
struct FoundDeal {
    /// How well it matches.
    result_score: Option<f64>,
    /// The deal.
    item: FoundDealItem,
}

/// A deal as a search shows it.
#[record]
struct FoundDealItem {
    /// The ID of the deal.
    id: i64,
    /// The kind of record, deal.
    r#type: Option<String>,
    /// Its title.
    title: Option<String>,
    /// How much it is worth, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// Where it stands.
    status: Option<DealStatus>,
    /// Who may see it.
    visible_to: Option<VisibleTo>,
    /// The user who owns it.
    owner: Option<Named>,
    /// The stage it is in.
    stage: Option<Named>,
    /// The linked person.
    person: Option<Named>,
    /// The linked organization.
    organization: Option<Named>,
    /// The values of custom fields that match.
    custom_fields: Option<Vec<Json>>,
    /// The notes that match.
    notes: Option<Vec<String>>,
    /// Whether it is archived.
    is_archived: Option<bool>,
    /// The mail address that files copies with the deal; only where it was asked for.
    cc_email: Option<String>,
}

/// A deal as merging answers it, in the older shape: times without a zone, custom fields beside the others.
#[record]
struct MergedDeal {
    /// The ID of the deal that stays.
    id: i64,
    /// The ID of the deal that was merged into it.
    merge_what_id: Option<i64>,
    /// The user who made it.
    creator_user_id: Option<Json>,
    /// The user who owns it.
    user_id: Option<Json>,
    /// The linked person.
    person_id: Option<Json>,
    /// The linked organization.
    org_id: Option<Json>,
    /// The pipeline it is in.
    pipeline_id: Option<i64>,
    /// The stage it is in.
    stage_id: Option<i64>,
    /// Its title.
    title: Option<String>,
    /// How much it is worth, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// When it was made, in UTC.
    add_time: Option<UtcTime>,
    /// When it was last changed, in UTC.
    update_time: Option<UtcTime>,
    /// Where it stands.
    status: Option<DealStatus>,
    /// Whether it is neither closed nor deleted.
    active: Option<bool>,
    /// Whether it is deleted.
    deleted: Option<bool>,
    /// The name of the linked person.
    person_name: Option<String>,
    /// The name of the linked organization.
    org_name: Option<String>,
    /// The name of the owner.
    owner_name: Option<String>,
}

/// Totals over deals.
#[record]
struct DealsSummary {
    /// The values, by currency.
    values_total: Option<MapOf<CurrencyTotal>>,
    /// The values times their probabilities, by currency.
    weighted_values_total: Option<MapOf<CurrencyTotal>>,
    /// How many deals there are.
    total_count: Option<i64>,
    /// All values in the default currency of the company.
    total_currency_converted_value: Option<f64>,
    /// All weighted values in the default currency of the company.
    total_weighted_currency_converted_value: Option<f64>,
    /// All values as text, with the currency.
    total_currency_converted_value_formatted: Option<String>,
    /// All weighted values as text, with the currency.
    total_weighted_currency_converted_value_formatted: Option<String>,
}

/// The total in one currency.
#[record]
struct CurrencyTotal {
    /// The sum, in the currency.
    value: Option<f64>,
    /// How many deals it is of.
    count: Option<i64>,
    /// The sum in the default currency of the company.
    value_converted: Option<f64>,
    /// The sum as text, with the currency.
    value_formatted: Option<String>,
    /// The converted sum as text, with the currency.
    value_converted_formatted: Option<String>,
}

/// Deals by the interval that they fall into.
#[record]
struct DealsTimeline {
    /// When the period starts, in UTC.
    period_start: Option<UtcTime>,
    /// When the period ends, in UTC.
    period_end: Option<UtcTime>,
    /// The deals of the period, in the older shape.
    deals: Option<Vec<Json>>,
    /// The totals of the period.
    totals: Option<TimelineTotals>,
}

/// The totals of a period.
#[record]
struct TimelineTotals {
    /// How many deals there are.
    count: Option<i64>,
    /// Their values, by currency.
    values: Option<MapOf<f64>>,
    /// Their values times their probabilities, by currency.
    weighted_values: Option<MapOf<f64>>,
    /// How many are open.
    open_count: Option<i64>,
    /// The values of those that are open, by currency.
    open_values: Option<MapOf<f64>>,
    /// The weighted values of those that are open, by currency.
    weighted_open_values: Option<MapOf<f64>>,
    /// How many are won.
    won_count: Option<i64>,
    /// The values of those that are won, by currency.
    won_values: Option<MapOf<f64>>,
}

/// A deal, as API v1 has it; custom fields stand beside its own.
#[record]
struct OldDeal {
    /// The ID of the deal.
    id: i64,
    /// Its title.
    title: Option<String>,
    /// The user who made it.
    creator_user_id: Option<OldLink>,
    /// The user who owns it.
    user_id: Option<OldLink>,
    /// The linked person.
    person_id: Option<OldLink>,
    /// The linked organization.
    org_id: Option<OldLink>,
    /// Its pipeline.
    pipeline_id: Option<i64>,
    /// Its stage.
    stage_id: Option<i64>,
    /// How much it is worth, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// Whether it is open, won, lost or deleted.
    status: Option<String>,
    /// How likely it is to be won, in percent.
    probability: Option<f64>,
    /// Why it was lost.
    lost_reason: Option<String>,
    /// Whether it is open.
    active: Option<bool>,
    /// Whether it is deleted.
    deleted: Option<bool>,
    /// Whether it is archived.
    is_archived: Option<bool>,
    /// Who may see it, as a number in a text.
    visible_to: Option<String>,
    /// The day on which it is expected to close.
    expected_close_date: Option<Date>,
    /// When it was made, in UTC.
    add_time: Option<UtcTime>,
    /// When it was last changed, in UTC.
    update_time: Option<UtcTime>,
    /// When it last changed its stage, in UTC.
    stage_change_time: Option<UtcTime>,
    /// When it was closed, in UTC.
    close_time: Option<UtcTime>,
    /// When it was won, in UTC.
    won_time: Option<UtcTime>,
    /// When it was lost, in UTC.
    lost_time: Option<UtcTime>,
    /// The name of its owner.
    owner_name: Option<String>,
    /// The name of the linked person.
    person_name: Option<String>,
    /// The name of the linked organization.
    org_name: Option<String>,
    /// What it is worth, as a text.
    formatted_value: Option<String>,
    /// What it is worth times how likely it is to be won.
    weighted_value: Option<f64>,
    /// The address whose mail is kept with it.
    cc_email: Option<String>,
    /// How many products it has.
    products_count: Option<i64>,
}

/// A record that a deal of API v1 refers to; null where there is none.
#[record]
struct OldLink {
    /// Its ID.
    value: Option<i64>,
    /// Its name.
    name: Option<String>,
}
