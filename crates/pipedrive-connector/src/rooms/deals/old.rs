//! Deals, as API v1 shows them.

use connector_core::declare::{Both, Date, Id, UtcTime};
use connector_core::{action, record};

use super::deal::{GetDeal, ListedStatus};
use crate::account_fields::OfDeals;
use crate::data_sources::{SelectDeal, SelectProduct};
use crate::rooms::organizations::OrganizationInShort;
use crate::rooms::persons::PersonInShort;
use crate::types::{ByStart, WithFields};

/// Get Product Deals
///
/// Get deals where a product is attached to
#[action(get("/api/v1/products/{product_id}/deals"), scopes("deals:read", "deals:full"), cost = 20, returns(Vec<OldDeal>), with(ByStart))]
struct GetProductDeals {
    /// The product whose deals to read.
    #[source(SelectProduct)]
    product_id: Id,
    /// Only deals of this status; deleted reaches back 30 days. Left out, all that are not deleted.
    status: Option<OldStatus>,
}

/// Merge Deals
///
/// Merge two deals
#[action(
    put("/api/v1/deals/{deal_id}/merge"),
    scopes("deals:full"),
    cost = 40,
    returns(MergedDeal),
    record(GetDeal),
    idempotent = false,
    destructive
)]
struct MergeDeals {
    /// The deal that is merged into the other and is gone afterwards.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The deal that stays; where both have a value, its value is kept.
    #[source(SelectDeal)]
    merge_with_id: Id,
}

/// The status of a deal, as API v1 lists deals.
#[record]
enum OldStatus {
    Open,
    Won,
    Lost,
    Deleted,
    AllNotDeleted,
}

/// A deal with the records that it refers to in short; custom fields stand beside its own.
type OldDeal = WithFields<Both<OldDealLinks, Both<OldDealParts, OldDealDetails>>, OfDeals>;

/// A deal of a timeline; custom fields stand beside its own.
pub(super) type TimelineDeal = WithFields<Both<OldDealIds, Both<OldDealParts, OldDealDetails>>, OfDeals>;

/// A deal as merging answers it: times without a zone, custom fields beside the others.
type MergedDeal = Both<MergedFrom, TimelineDeal>;

/// The trace of a merger.
#[record]
struct MergedFrom {
    /// The ID of the deal that was merged into it.
    merge_what_id: Option<i64>,
}

/// The records that a deal of API v1 refers to, by their IDs.
#[record]
pub(in crate::rooms) struct OldDealIds {
    /// The user who made it.
    creator_user_id: Option<i64>,
    /// The user who owns it.
    user_id: Option<i64>,
    /// The linked person.
    person_id: Option<i64>,
    /// The linked organization.
    org_id: Option<i64>,
}

/// The records that a deal of API v1 refers to, in short.
#[record]
struct OldDealLinks {
    /// The user who made it.
    #[flat("creatorUser", id("creatorUserId"))]
    creator_user_id: Option<OldDealUser>,
    /// The user who owns it.
    #[flat("user", id("userId"))]
    user_id: Option<OldDealUser>,
    /// The linked person.
    #[flat("person", id("personId"))]
    person_id: Option<PersonInShort>,
    /// The linked organization.
    #[flat("organization", id("orgId"))]
    org_id: Option<OrganizationInShort>,
}

/// A user that a deal of API v1 refers to.
#[record]
struct OldDealUser {
    /// Their ID.
    id: Option<i64>,
    /// Their name.
    name: Option<String>,
    /// Their email address.
    email: Option<String>,
    /// True if they have a picture.
    has_pic: Option<bool>,
    /// The hash of their picture.
    pic_hash: Option<String>,
    /// True if they are active.
    active_flag: Option<bool>,
    /// Their ID once more.
    value: Option<i64>,
}

/// The members that every deal of API v1 has.
#[record]
pub(in crate::rooms) struct OldDealParts {
    /// The ID of the deal.
    id: i64,
    /// Its title.
    title: Option<String>,
    /// The pipeline it is in.
    pipeline_id: Option<i64>,
    /// The stage it is in.
    stage_id: Option<i64>,
    /// Its value, in its currency.
    value: Option<f64>,
    /// The three-letter code of its currency.
    currency: Option<String>,
    /// The time at which it was made, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
    /// The time at which it came to its stage, in UTC.
    stage_change_time: Option<UtcTime>,
    /// True if it is neither closed nor deleted.
    active: Option<bool>,
    /// True if it is deleted.
    deleted: Option<bool>,
    /// Its status.
    status: Option<ListedStatus>,
    /// The probability of winning it, in percent; null where that of the stage counts.
    probability: Option<f64>,
    /// The reason for losing it.
    lost_reason: Option<String>,
    /// Its visibility, as a number in a text.
    visible_to: Option<String>,
    /// The time at which it was closed, in UTC.
    close_time: Option<UtcTime>,
    /// The time at which it was won, in UTC.
    won_time: Option<UtcTime>,
    /// The time at which it was first won, in UTC.
    first_won_time: Option<UtcTime>,
    /// The time at which it was lost, in UTC.
    lost_time: Option<UtcTime>,
    /// The day on which it is expected to close.
    expected_close_date: Option<Date>,
    /// The ID of its next activity.
    next_activity_id: Option<i64>,
    /// The day of its next activity.
    next_activity_date: Option<Date>,
    /// The time of day of its next activity, in UTC.
    next_activity_time: Option<String>,
    /// The ID of its last activity.
    last_activity_id: Option<i64>,
    /// The day of its last activity.
    last_activity_date: Option<Date>,
    /// The time at which mail about it last came, in UTC.
    last_incoming_mail_time: Option<UtcTime>,
    /// The time at which mail about it was last sent, in UTC.
    last_outgoing_mail_time: Option<UtcTime>,
    /// The number of its products.
    products_count: Option<i64>,
    /// The number of its files.
    files_count: Option<i64>,
    /// The number of its notes.
    notes_count: Option<i64>,
    /// The number of users who follow it.
    followers_count: Option<i64>,
    /// The number of its email messages.
    email_messages_count: Option<i64>,
    /// The number of its activities.
    activities_count: Option<i64>,
    /// The number of its activities that are done.
    done_activities_count: Option<i64>,
    /// The number of its activities that are not done.
    undone_activities_count: Option<i64>,
    /// The number of persons who take part in it.
    participants_count: Option<i64>,
    /// The IDs of its labels, separated by commas.
    label: Option<String>,
}

/// The further members of most deals of API v1.
#[record]
pub(super) struct OldDealDetails {
    /// True if it is archived.
    is_archived: Option<bool>,
    /// The place of its stage in the pipeline.
    stage_order_nr: Option<i64>,
    /// The name of its owner.
    owner_name: Option<String>,
    /// The name of the linked person.
    person_name: Option<String>,
    /// The name of the linked organization.
    org_name: Option<String>,
    /// True if the linked person is hidden from the user.
    person_hidden: Option<bool>,
    /// True if the linked organization is hidden from the user.
    org_hidden: Option<bool>,
    /// The subject of its next activity.
    next_activity_subject: Option<String>,
    /// The type of its next activity.
    next_activity_type: Option<String>,
    /// The duration of its next activity.
    next_activity_duration: Option<String>,
    /// The note of its next activity.
    next_activity_note: Option<String>,
    /// Its value, as a text with the currency.
    formatted_value: Option<String>,
    /// Its value times the probability of winning it.
    weighted_value: Option<f64>,
    /// The weighted value, as a text with the currency.
    formatted_weighted_value: Option<String>,
    /// The three-letter code of the weighted value's currency.
    weighted_value_currency: Option<String>,
    /// The time at which it began to rot, in UTC.
    rotten_time: Option<UtcTime>,
    /// The address whose mail is kept with it.
    cc_email: Option<String>,
    /// The way in which it was made.
    origin: Option<String>,
    /// An ID that tells its origin further apart.
    origin_id: Option<String>,
    /// The ID of its marketing channel.
    channel: Option<i64>,
    /// An ID that tells its marketing channel further apart.
    channel_id: Option<String>,
    /// The yearly recurring revenue.
    arr: Option<f64>,
    /// The monthly recurring revenue.
    mrr: Option<f64>,
    /// The yearly contract value.
    acv: Option<f64>,
    /// The three-letter code of the yearly recurring revenue's currency.
    arr_currency: Option<String>,
    /// The three-letter code of the monthly recurring revenue's currency.
    mrr_currency: Option<String>,
    /// The three-letter code of the yearly contract value's currency.
    acv_currency: Option<String>,
}
