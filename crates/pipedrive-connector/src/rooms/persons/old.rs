//! Persons, as API v1 shows them.

use connector_core::{Both, Date, Id, UtcTime, action, record};

use crate::data_sources::SelectPerson;
use crate::types::ContactValue;

/// Merge Persons
///
/// Merge two persons
#[action(put("/api/v1/persons/{person_id}/merge"), scopes("contacts:full"), cost = 40, returns(MergedPerson), idempotent = false)]
struct MergePersons {
    /// The person who is merged into the other and is gone afterwards.
    #[source(SelectPerson)]
    person_id: Id,
    /// The person who stays; where both have a value, their value is kept.
    #[source(SelectPerson)]
    merge_with_id: Id,
}

/// A person as merging answers it: times without a zone, custom fields beside the others.
type MergedPerson = Both<MergedPersonParts, OldPersonParts>;

/// The members of a merged person that others of API v1 do not have, or have in another form.
#[record]
struct MergedPersonParts {
    /// The ID of the person who was merged into them.
    merge_what_id: Option<i64>,
    /// The user who owns the person.
    owner_id: Option<i64>,
    /// The organization of the person.
    org_id: Option<i64>,
    /// How many open deals they take part in.
    participant_open_deals_count: Option<i64>,
    /// How many closed deals they take part in.
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
    phone: Option<Vec<ContactValue>>,
    /// The email addresses.
    email: Option<Vec<ContactValue>>,
    /// Whether the person is not deleted.
    active_flag: Option<bool>,
    /// When the person was added, in UTC.
    add_time: Option<UtcTime>,
    /// When the person was last changed, in UTC.
    update_time: Option<UtcTime>,
    /// Who may see the person, as a number in a text.
    visible_to: Option<String>,
    /// The picture.
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
    /// How many email messages they have.
    email_messages_count: Option<i64>,
    /// How many activities they have.
    activities_count: Option<i64>,
    /// How many of their activities are done.
    done_activities_count: Option<i64>,
    /// How many of their activities are not done.
    undone_activities_count: Option<i64>,
    /// How many files they have.
    files_count: Option<i64>,
    /// How many notes they have.
    notes_count: Option<i64>,
    /// How many users follow them.
    followers_count: Option<i64>,
    /// When mail from them last came, in UTC.
    last_incoming_mail_time: Option<UtcTime>,
    /// When mail to them was last sent, in UTC.
    last_outgoing_mail_time: Option<UtcTime>,
    /// How many of their deals are open.
    open_deals_count: Option<i64>,
    /// How many related deals are open.
    related_open_deals_count: Option<i64>,
    /// How many of their deals are closed.
    closed_deals_count: Option<i64>,
    /// How many related deals are closed.
    related_closed_deals_count: Option<i64>,
    /// How many of their deals are won.
    won_deals_count: Option<i64>,
    /// How many related deals are won.
    related_won_deals_count: Option<i64>,
    /// How many of their deals are lost.
    lost_deals_count: Option<i64>,
    /// How many related deals are lost.
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

/// A picture of a record, as API v1 has it.
#[record]
struct OldPicture {
    /// The ID of the picture.
    id: Option<i64>,
    /// What kind of record it shows, as person.
    item_type: Option<String>,
    /// The ID of that record.
    item_id: Option<i64>,
    /// Whether it is not deleted.
    active_flag: Option<bool>,
    /// When it was added, in UTC.
    add_time: Option<UtcTime>,
    /// When it was last changed, in UTC.
    update_time: Option<UtcTime>,
    /// The user who added it.
    added_by_user_id: Option<i64>,
    /// Where it can be read, in each size.
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
