//! Activities: calls, meetings and tasks, planned and done.

use connector_core::declare::{Date, DateTime, Id, List, Nullable, Uuid};
use connector_core::{action, inputs, record};

use crate::data_sources::{
    SelectActivity, SelectActivityFieldOption, SelectActivityTypeKey, SelectDeal, SelectFilter, SelectLead, SelectOrganization,
    SelectPerson, SelectUser,
};
use crate::types::{Address, ByCursor, ChangedBetween, Deleted, Including, MainParticipant, Sorted, TimeOfDay, TimeSpan};

/// Add Activity
///
/// Add an activity
#[action(
    post("/api/v2/activities"),
    scopes("activities:full"),
    cost = 5,
    returns(Activity),
    with(ActivityInputs),
    found_in(GetActivities, since = "updatedSince", created = "add_time", creator = "creator_user_id")
)]
struct AddActivity {}

/// Get Activities
///
/// Get all activities assigned to a particular user
#[action(get("/api/v2/activities"), scopes("activities:read", "activities:full"), cost = 10, returns(Vec<Activity>), with(ChangedBetween, Sorted<ActivitySortBy>, Including<ActivityExtra>, ByCursor))]
pub(crate) struct GetActivities {
    /// A filter of the account; it overrides IDs, owner, deal, lead, person and organization. Left out, none applies.
    #[overrides(ids, owner_id, deal_id, lead_id, person_id, org_id)]
    #[source(SelectFilter, type = "activity")]
    filter_id: Option<Id>,
    /// The activities to read, at most 100; those that are not there or not visible are left out.
    /// Left out, all are read.
    #[source(SelectActivity)]
    ids: Option<List<Id>>,
    /// Only activities of this owner. Left out, those of all.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// Only activities of this deal. Left out, those of all.
    #[source(SelectDeal)]
    deal_id: Option<Id>,
    /// Only activities of this lead. Left out, those of all.
    #[source(SelectLead)]
    lead_id: Option<Uuid>,
    /// Only activities whose main participant is this person. Left out, those of all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only activities of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// Only activities that are done, or that are not. Left out, both.
    done: Option<bool>,
}

/// Get Activity
///
/// Get details of an activity
#[action(get("/api/v2/activities/{activity_id}"), scopes("activities:read", "activities:full"), cost = 1, returns(Activity), with(Including<ActivityExtra>))]
struct GetActivity {
    /// The activity to read.
    #[source(SelectActivity)]
    activity_id: Id,
}

/// Update Activity
///
/// Update an activity
#[action(
    patch("/api/v2/activities/{activity_id}"),
    scopes("activities:full"),
    cost = 5,
    returns(Activity),
    record(GetActivity),
    with(ActivityInputs)
)]
struct UpdateActivity {
    /// The activity to change.
    #[source(SelectActivity)]
    activity_id: Id,
}

/// Delete Activity
///
/// Delete an activity
#[action(delete("/api/v2/activities/{activity_id}"), scopes("activities:full"), cost = 3, returns(Deleted), record(GetActivity))]
struct DeleteActivity {
    /// The activity to delete; for 30 days it can be brought back.
    #[source(SelectActivity)]
    activity_id: Id,
}

/// Get Deal Activities
///
/// List activities associated with a deal
#[action(
    get("/api/v2/activities"),
    scopes("activities:read", "activities:full"),
    cost = 10,
    returns(Vec<Activity>),
    like(GetActivities),
    without(filter_id = "Pipedrive would ignore the deal beside a filter, and answer the activities of all; use getActivities")
)]
struct GetDealActivities {
    /// The deal whose activities to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Get Organization Activities
///
/// List activities associated with an organization
#[action(
    get("/api/v2/activities"),
    scopes("activities:read", "activities:full"),
    cost = 10,
    returns(Vec<Activity>),
    like(GetActivities),
    without(filter_id = "Pipedrive would ignore the organization beside a filter, and answer the activities of all; use getActivities")
)]
struct GetOrganizationActivities {
    /// The organization whose activities to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Person Activities
///
/// List activities associated with a person
#[action(
    get("/api/v2/activities"),
    scopes("activities:read", "activities:full"),
    cost = 10,
    returns(Vec<Activity>),
    like(GetActivities),
    without(filter_id = "Pipedrive would ignore the person beside a filter, and answer the activities of all; use getActivities")
)]
struct GetPersonActivities {
    /// The person whose activities to read; only those where they are the main participant.
    #[source(SelectPerson)]
    person_id: Id,
}

/// The content of an activity.
#[inputs]
struct ActivityInputs {
    /// The subject of the activity. Left out, Pipedrive chooses it.
    subject: Option<String>,
    /// The key of the type of the activity, as call or meeting. Left out, Pipedrive chooses it.
    #[source(SelectActivityTypeKey)]
    r#type: Option<String>,
    /// The user who owns the activity. Left out, it is the connected user.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// The deal to link. Left out, none is linked.
    #[source(SelectDeal)]
    deal_id: Option<Id>,
    /// The lead to link. Left out, none is linked.
    #[source(SelectLead)]
    lead_id: Option<Uuid>,
    /// The person who takes part, alone; not together with `participants`. Left out, nobody takes part.
    #[on_update("The person who takes part, alone; replaces all participants, and null removes them.")]
    #[instead_of(participants)]
    #[source(SelectPerson)]
    person_id: Option<Nullable<MainParticipant>>,
    /// The organization to link. Left out, none is linked.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// The project to link. Left out, none is linked.
    project_id: Option<Id>,
    /// The day on which the activity is due; with `dueTime`, the day in the same zone. Left out, none is set.
    due_date: Option<Date>,
    /// The time of day at which it is due, in UTC, or on `dueDate` in options.timeZone. Left out, none is set.
    #[time_of(due_date)]
    due_time: Option<TimeOfDay>,
    /// The duration of the activity, in hours and minutes. Left out, none is set.
    duration: Option<TimeSpan>,
    /// True if the owner is busy meanwhile. Left out, Pipedrive chooses it.
    busy: Option<bool>,
    /// True if the activity is done. Left out, it is not.
    done: Option<bool>,
    /// The place of the activity. Left out, none is set.
    #[on_update("The place of the activity; it replaces all parts of the one before. Left out, it stays.")]
    location: Option<Address>,
    /// The persons who take part; the primary one is shown as the person of the activity. Left out, nobody does.
    #[on_update("All persons who take part; they replace those before, and the primary one is shown as the person. Left out, they stay.")]
    participants: Option<Vec<ActivityParticipant>>,
    /// The people to invite. Left out, nobody is invited.
    #[on_update("All people who are invited; they replace those before. Left out, they stay.")]
    attendees: Option<Vec<Attendee>>,
    /// The description that the people who are invited can read. Left out, there is none.
    public_description: Option<String>,
    /// The priority, as the ID of an option of that field. Left out, there is none.
    #[source(SelectActivityFieldOption, field_code = "priority")]
    priority: Option<i64>,
    /// The note, as HTML, which only the account can read. Left out, there is none.
    note: Option<String>,
}

/// A field to sort activities by.
#[record]
enum ActivitySortBy {
    Id,
    UpdateTime,
    AddTime,
    DueDate,
}

/// A field of an activity that is read only if it is asked for.
#[record]
enum ActivityExtra {
    Attendees,
}

/// An activity.
#[record]
struct Activity {
    /// The ID of the activity.
    id: i64,
    /// Its subject.
    subject: Option<String>,
    /// The key of its type, as call or meeting.
    r#type: Option<String>,
    /// The user who owns it.
    owner_id: Option<i64>,
    /// The user who made it.
    creator_user_id: Option<i64>,
    /// True if it is deleted.
    #[flat("activeFlag", not)]
    is_deleted: Option<bool>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
    /// The linked deal.
    deal_id: Option<i64>,
    /// The linked lead.
    lead_id: Option<Uuid>,
    /// The main participant.
    person_id: Option<i64>,
    /// The linked organization.
    org_id: Option<i64>,
    /// The linked project.
    project_id: Option<i64>,
    /// The day on which it is due, in UTC.
    due_date: Option<Date>,
    /// The time of day at which it is due, in UTC.
    due_time: Option<String>,
    /// Its duration, in hours, minutes and seconds.
    duration: Option<String>,
    /// True if its owner is busy meanwhile.
    busy: Option<bool>,
    /// True if it is done.
    done: Option<bool>,
    /// The time at which it was done.
    marked_as_done_time: Option<DateTime>,
    /// Its location.
    #[flat(parts)]
    location: Option<Address>,
    /// The persons who take part.
    participants: Option<Vec<ActivityParticipant>>,
    /// The people who are invited; only where they were asked for.
    attendees: Option<Vec<Attendee>>,
    /// The service of the video call.
    conference_meeting_client: Option<String>,
    /// The address of the video call.
    conference_meeting_url: Option<String>,
    /// The ID of the video call.
    conference_meeting_id: Option<String>,
    /// The description that the people who are invited can read.
    public_description: Option<String>,
    /// Its priority, as the ID of an option.
    priority: Option<i64>,
    /// The note, which only the account can read.
    note: Option<String>,
}

/// A person who takes part.
#[record]
struct ActivityParticipant {
    /// The person.
    person_id: Option<i64>,
    /// True if they are the main participant.
    primary: Option<bool>,
}

/// Someone who is invited.
#[record]
struct Attendee {
    /// Their email address.
    email: Option<String>,
    /// Their name.
    name: Option<String>,
    /// Their answer.
    status: Option<String>,
    /// True if they invited the others.
    is_organizer: Option<bool>,
    /// The person that they are in the account.
    person_id: Option<i64>,
    /// The user that they are in the account.
    user_id: Option<i64>,
}
