//! Persons, as API v1 shows them.

use connector_core::declare::{Both, Date, Id, UtcTime};
use connector_core::{action, record};

use super::person::GetPerson;
use crate::account_fields::OfPersons;
use crate::data_sources::SelectPerson;
use crate::types::{ContactValue, WithFields};

/// Merge Persons
///
/// Merge two persons
#[action(
    put("/api/v1/persons/{person_id}/merge"),
    scopes("contacts:full"),
    cost = 40,
    returns(MergedPerson),
    record(GetPerson),
    idempotent = false,
    destructive
)]
struct MergePersons {
    /// The person who is merged into the other and is gone afterwards.
    #[source(SelectPerson)]
    person_id: Id,
    /// The person who stays; where both have a value, their value is kept.
    #[source(SelectPerson)]
    merge_with_id: Id,
}

/// A person as merging answers it: times without a zone, custom fields beside the others.
type MergedPerson = WithFields<Both<MergedPersonParts, OldPersonParts>, OfPersons>;

/// The members of a merged person that others of API v1 do not have, or have in another form.
#[record]
struct MergedPersonParts {
    /// The ID of the person who was merged into them.
    merge_what_id: Option<i64>,
    /// The user who owns the person.
    owner_id: Option<i64>,
    /// The organization of the person.
    org_id: Option<i64>,
    /// The number of open deals they take part in.
    participant_open_deals_count: Option<i64>,
    /// The number of closed deals they take part in.
    participant_closed_deals_count: Option<i64>,
}

/// The members that every person of API v1 has.
#[record]
pub(in crate::rooms) struct OldPersonParts {
    /// The ID of the person.
    id: i64,
    /// The company that the account belongs to.
    company_id: Option<i64>,
    /// The whole name.
    name: Option<String>,
    /// The first name.
    first_name: Option<String>,
    /// The last name.
    last_name: Option<String>,
    /// The first letter of the name.
    first_char: Option<String>,
    /// The phone numbers.
    #[flat("phones", primary("phone"))]
    phone: Option<Vec<ContactValue>>,
    /// The email addresses.
    #[flat("emails", primary("email"))]
    email: Option<Vec<ContactValue>>,
    /// True if the person is not deleted.
    active_flag: Option<bool>,
    /// The time at which the person was added, in UTC.
    add_time: Option<UtcTime>,
    /// The time of the person's last change, in UTC.
    update_time: Option<UtcTime>,
    /// The visibility of the person, as a number in a text.
    visible_to: Option<String>,
    /// The picture.
    #[flat("picture", id("pictureId"))]
    picture_id: Option<OldPicture>,
    /// The ID of the first label.
    label: Option<i64>,
    /// The IDs of the labels.
    label_ids: Option<Vec<i64>>,
    /// The name of the organization.
    org_name: Option<String>,
    /// The name of the owner.
    owner_name: Option<String>,
    /// The address whose mail is kept with the person.
    cc_email: Option<String>,
    /// The number of their email messages.
    email_messages_count: Option<i64>,
    /// The number of their activities.
    activities_count: Option<i64>,
    /// The number of their activities that are done.
    done_activities_count: Option<i64>,
    /// The number of their activities that are not done.
    undone_activities_count: Option<i64>,
    /// The number of their files.
    files_count: Option<i64>,
    /// The number of their notes.
    notes_count: Option<i64>,
    /// The number of users who follow them.
    followers_count: Option<i64>,
    /// The time at which mail from them last came, in UTC.
    last_incoming_mail_time: Option<UtcTime>,
    /// The time at which mail to them was last sent, in UTC.
    last_outgoing_mail_time: Option<UtcTime>,
    /// The number of their deals that are open.
    open_deals_count: Option<i64>,
    /// The number of related deals that are open.
    related_open_deals_count: Option<i64>,
    /// The number of their deals that are closed.
    closed_deals_count: Option<i64>,
    /// The number of related deals that are closed.
    related_closed_deals_count: Option<i64>,
    /// The number of their deals that are won.
    won_deals_count: Option<i64>,
    /// The number of related deals that are won.
    related_won_deals_count: Option<i64>,
    /// The number of their deals that are lost.
    lost_deals_count: Option<i64>,
    /// The number of related deals that are lost.
    related_lost_deals_count: Option<i64>,
    /// The ID of their next activity.
    next_activity_id: Option<i64>,
    /// The day of their next activity.
    next_activity_date: Option<Date>,
    /// The time of day of their next activity, in UTC.
    next_activity_time: Option<String>,
    /// The ID of their last activity.
    last_activity_id: Option<i64>,
    /// The day of their last activity.
    last_activity_date: Option<Date>,
}

/// A person in short, as other records of API v1 show them.
#[record]
pub(in crate::rooms) struct PersonInShort {
    /// The ID of the person.
    value: Option<i64>,
    /// Their name.
    name: Option<String>,
    /// True if they are not deleted.
    active_flag: Option<bool>,
    /// Their email addresses.
    #[flat("emails", primary("email"))]
    email: Option<Vec<ContactValue>>,
    /// Their phone numbers.
    #[flat("phones", primary("phone"))]
    phone: Option<Vec<ContactValue>>,
    /// The user who owns them.
    owner_id: Option<i64>,
}

/// A picture of a record, as API v1 has it.
#[record]
struct OldPicture {
    /// The ID of the picture.
    id: Option<i64>,
    /// The kind of record it shows, as person.
    item_type: Option<String>,
    /// The ID of that record.
    item_id: Option<i64>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// The time at which it was added, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
    /// The user who added it.
    added_by_user_id: Option<i64>,
    /// The addresses to read it from, in each size.
    pictures: Option<OldPictureSizes>,
}

/// The addresses of a picture, by its width in pixels.
#[record]
struct OldPictureSizes {
    /// The address of the small one.
    #[wire("128")]
    small: Option<String>,
    /// The address of the large one.
    #[wire("512")]
    large: Option<String>,
}
