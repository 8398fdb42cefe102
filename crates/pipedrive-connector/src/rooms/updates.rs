//! Updates: the history of a record, newest first.

use connector_core::declare::{Id, Json, List, MapOf};
use connector_core::{action, record};

use crate::data_sources::{SelectOrganization, SelectPerson};
use crate::types::ByStart;

/// Get Organization Updates
///
/// List updates about an organization
#[action(get("/api/v1/organizations/{org_id}/flow"), scopes("recents:read"), cost = 40, returns(Vec<Update>), with(ByStart))]
struct GetOrganizationUpdates {
    /// The organization whose updates to read.
    #[source(SelectOrganization)]
    org_id: Id,
    /// The word 1 includes changes of custom fields. Left out, they are not there.
    all_changes: Option<AllChanges>,
    /// Only updates of these kinds. Left out, those of all.
    items: Option<List<OrganizationUpdateKind>>,
}

/// Get Person Updates
///
/// List updates about a person
#[action(get("/api/v1/persons/{person_id}/flow"), scopes("recents:read"), cost = 40, returns(Vec<Update>), like(GetOrganizationUpdates))]
struct GetPersonUpdates {
    /// The person whose updates to read.
    #[source(SelectPerson)]
    person_id: Id,
    /// Only updates of these kinds. Left out, those of all.
    items: Option<List<PersonUpdateKind>>,
}

/// Changes of custom fields too.
#[record]
enum AllChanges {
    #[wire("1")]
    Yes,
}

/// A kind of event in the history of an organization.
#[record]
enum OrganizationUpdateKind {
    Activity,
    #[wire("plannedActivity")]
    PlannedActivity,
    Note,
    File,
    Change,
    Deal,
    Follower,
    Participant,
    #[wire("mailMessage")]
    MailMessage,
    #[wire("mailMessageWithAttachment")]
    MailMessageWithAttachment,
    Invoice,
    #[wire("activityFile")]
    ActivityFile,
    Document,
}

/// A kind of event in the history of a person.
#[record]
enum PersonUpdateKind {
    Call,
    Activity,
    #[wire("plannedActivity")]
    PlannedActivity,
    Change,
    Note,
    Deal,
    File,
    #[wire("dealChange")]
    DealChange,
    #[wire("personChange")]
    PersonChange,
    #[wire("organizationChange")]
    OrganizationChange,
    Follower,
    #[wire("dealFollower")]
    DealFollower,
    #[wire("personFollower")]
    PersonFollower,
    #[wire("organizationFollower")]
    OrganizationFollower,
    Participant,
    Comment,
    #[wire("mailMessage")]
    MailMessage,
    #[wire("mailMessageWithAttachment")]
    MailMessageWithAttachment,
    Invoice,
    Document,
    #[wire("marketing_campaign_stat")]
    CampaignStatistics,
    #[wire("marketing_status_change")]
    MarketingStatusChange,
}

/// Something that happened.
#[record]
struct Update {
    /// The kind of thing that happened, as note or personChange.
    object: Option<String>,
    /// The time at which it happened, in UTC.
    timestamp: Option<String>,
    /// The note, the change or whatever it was, as API v1 has it.
    data: Option<MapOf<Json>>,
}
