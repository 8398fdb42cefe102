//! A deal: a sale in progress.

use connector_core::declare::InputValue::Texts;
use connector_core::declare::{Date, DateTime, Id, List, MatchBy, MatchKey, Nullable, UtcTime};
use connector_core::{action, inputs, record};

use crate::account_fields::OfDeals;
use crate::data_sources::{
    SelectCurrency, SelectDeal, SelectDealLabel, SelectFilter, SelectOrganization, SelectPerson, SelectPipeline, SelectStage, SelectUser,
};
use crate::types::{
    ByCursor, CUSTOM_FIELD, ChangedBetween, Choosing, CustomFields, Deleted, Including, SortBy, Sorted, VisibleTo, WithLabels,
};

/// Add Deal
///
/// Add a deal
#[action(
    post("/api/v2/deals"),
    scopes("deals:full"),
    cost = 5,
    returns(Deal),
    with(DealInputs),
    found_in(GetDeals, since = "updatedSince", created = "add_time", creator = "creator_user_id"),
    rules(
        only_with("lostReason", "status", &["lost"], Some("open")),
        only_with("closeTime", "status", &["won", "lost"], Some("open")),
        only_with("wonTime", "status", &["won"], Some("open")),
        only_with("lostTime", "status", &["lost"], Some("open"))
    )
)]
struct AddDeal {
    /// The title of the deal.
    title: String,
}

/// Get Deal
///
/// Get details of a deal
#[action(get("/api/v2/deals/{deal_id}"), scopes("deals:read", "deals:full"), cost = 1, returns(Deal), with(Including<DealExtra>, Choosing<OfDeals>, WithLabels))]
pub(crate) struct GetDeal {
    /// The deal to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Get Deals
///
/// Get all deals
#[action(get("/api/v2/deals"), scopes("deals:read", "deals:full"), cost = 10, returns(Vec<Deal>), with(ChangedBetween, Sorted<SortBy>, Including<DealExtra>, Choosing<OfDeals>, WithLabels, ByCursor))]
pub(crate) struct GetDeals {
    /// A filter of the account; it overrides IDs, owner, person, organization, pipeline, stage and status.
    /// Left out, none applies.
    #[overrides(ids, owner_id, person_id, org_id, pipeline_id, stage_id, status)]
    #[source(SelectFilter, type = "deals")]
    filter_id: Option<Id>,
    /// The deals to read, at most 100; those that are not there or not visible are left out. Left out, all are read.
    #[source(SelectDeal)]
    ids: Option<List<Id>>,
    /// Only deals of this owner. Left out, those of all.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// Only deals of this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only deals of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// Only deals in this pipeline. Left out, those in all.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
    /// Only deals in this stage. Left out, those in all.
    #[source(SelectStage, pipeline_id)]
    stage_id: Option<Id>,
    /// Only deals of these statuses; deleted reaches back 30 days. Left out, all that are not deleted.
    status: Option<List<ListedStatus>>,
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
    #[source(SelectPipeline)]
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
    #[source(SelectStage, pipeline_id)]
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

/// Update Deal
///
/// Update a deal
#[action(
    patch("/api/v2/deals/{deal_id}"),
    scopes("deals:full"),
    cost = 5,
    returns(Deal), record(GetDeal),
    with(DealInputs),
    rules(
        only_with("lostReason", "status", &["lost"], None),
        only_with("closeTime", "status", &["won", "lost"], None),
        only_with("wonTime", "status", &["won"], None),
        only_with("lostTime", "status", &["lost"], None)
    )
)]
struct UpdateDeal {
    /// The deal to change.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The title of the deal. Left out, it stays.
    title: Option<String>,
}

/// Upsert Deal
///
/// Update the deal that has a title or another value, or add one that has it
#[action(
    upsert(SelectDeal, add = AddDeal, update = UpdateDeal, by = DEAL_KEYS),
    scopes_all(["deals:read", "deals:full", "search:read"], ["deals:read", "deals:full"], ["deals:full"]),
    cost = 21,
    returns(Deal),
    with(DealInputs)
)]
struct UpsertDeal {
    /// The input to match by: title, or the name or key of a custom field; or a list of these.
    #[own]
    match_by: MatchBy,
    /// The title of the deal; one that is added needs it. Left out, it stays.
    title: Option<String>,
}

/// The values by which a deal is found.
const DEAL_KEYS: &[MatchKey] = &[MatchKey::text("title", "title").narrowed_by(&[("fields", Texts(&["title"]))]), CUSTOM_FIELD];

/// Delete Deal
///
/// Delete a deal
#[action(delete("/api/v2/deals/{deal_id}"), scopes("deals:full"), cost = 3, returns(Deleted), record(GetDeal))]
struct DeleteDeal {
    /// The deal to delete; for 30 days it can be brought back.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// The inputs that adding and updating a deal share.
#[inputs]
struct DealInputs {
    /// The user who owns the deal. Left out, it is the connected user.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// The person to link. Left out, the deal has none.
    #[source(SelectPerson)]
    person_id: Option<Nullable<Id>>,
    /// The organization to link. Left out, the deal has none.
    #[source(SelectOrganization)]
    org_id: Option<Nullable<Id>>,
    /// The pipeline of the deal. Left out, it follows from the stage, or is the default pipeline.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
    /// The stage of the deal. Left out, it is the first of the pipeline.
    #[source(SelectStage, pipeline_id)]
    stage_id: Option<Id>,
    /// The value of the deal, in its currency. Left out, it is 0.
    value: Option<f64>,
    /// The three-letter code of the currency. Left out, it is the default of the user.
    #[source(SelectCurrency)]
    currency: Option<String>,
    /// True if the deal is deleted. Left out, it is not.
    is_deleted: Option<bool>,
    /// True if the deal is archived. Left out, it is not.
    #[on_update("True archives the deal; an archived deal cannot be changed otherwise.")]
    is_archived: Option<bool>,
    /// The time at which it was archived, in UTC or options.timeZone. Left out, it is now where the deal is archived.
    #[on_update("The time at which it was archived, in UTC or in options.timeZone. Left out, it is now where the deal is archived.")]
    archive_time: Option<Nullable<UtcTime>>,
    /// The status of the deal: open, won or lost. Left out, it is open.
    status: Option<DealStatus>,
    /// The probability of winning, in percent; null leaves it to the stage. Left out, that of the stage counts.
    probability: Option<Nullable<f64>>,
    /// The reason for losing the deal; only with the status lost. Left out, none is kept.
    lost_reason: Option<Nullable<String>>,
    /// The visibility of the deal. Left out, the default of the user applies.
    visible_to: Option<VisibleTo>,
    /// The time at which the deal was closed, with its zone; only with the status won or lost. Left out, it is now.
    close_time: Option<Nullable<DateTime>>,
    /// The time at which the deal was won, with its zone; only with the status won. Left out, it is now.
    won_time: Option<DateTime>,
    /// The time at which the deal was lost, with its zone; only with the status lost. Left out, it is now.
    lost_time: Option<DateTime>,
    /// The day on which the deal is expected to close. Left out, none is set.
    expected_close_date: Option<Date>,
    /// The IDs of the labels to put on the deal. Left out, it has none.
    #[on_update("The IDs of all labels of the deal; they replace those it has. Left out, they stay.")]
    #[source(SelectDealLabel)]
    label_ids: Option<Vec<i64>>,
    /// Custom fields by their names or 40-character keys. Left out, none is set.
    #[on_update("Custom fields by their names or 40-character keys; null clears one. Left out, all stay.")]
    custom_fields: Option<CustomFields<OfDeals>>,
}

/// The status of a deal.
#[record]
pub(super) enum DealStatus {
    Open,
    Won,
    Lost,
}

/// The status of a listed deal.
#[record]
pub(super) enum ListedStatus {
    Open,
    Won,
    Lost,
    Deleted,
}

/// A field of a deal that is read only if it is asked for.
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
    /// Its value, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
    /// The time at which it came to its stage.
    stage_change_time: Option<DateTime>,
    /// True if it is deleted.
    is_deleted: Option<bool>,
    /// True if it is archived.
    is_archived: Option<bool>,
    /// The time at which it was archived.
    archive_time: Option<DateTime>,
    /// Its status.
    status: Option<DealStatus>,
    /// The probability of winning it, in percent; null where that of the stage counts.
    probability: Option<f64>,
    /// The reason for losing it.
    lost_reason: Option<String>,
    /// Its visibility.
    visible_to: Option<VisibleTo>,
    /// The time at which it was closed.
    close_time: Option<DateTime>,
    /// The time at which it was won.
    won_time: Option<DateTime>,
    /// The time at which it was lost.
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
    /// The way in which it was made.
    origin: Option<String>,
    /// An ID that tells its origin further apart.
    origin_id: Option<String>,
    /// The ID of its marketing channel.
    channel: Option<i64>,
    /// An ID that tells its marketing channel further apart.
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
    custom_fields: Option<CustomFields<OfDeals>>,
    /// The address that files copies of mail with it; only where it was asked for.
    #[flat("ccEmail")]
    smart_bcc_email: Option<String>,
}
