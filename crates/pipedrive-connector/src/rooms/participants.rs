//! Participants: the persons who take part in a deal beside its main one.

use connector_core::{Both, Either, Id, UtcTime, action, record};

use super::persons::OldPersonParts;
use super::users::User;
use crate::data_sources::{SelectDeal, SelectPerson};
use crate::types::{ByStart, ContactValue, Deleted};

/// Add Deal Participant
///
/// Add a participant to a deal
#[action(post("/api/v1/deals/{deal_id}/participants"), scopes("deals:full"), cost = 10, returns(Participant))]
struct AddDealParticipant {
    /// The deal to take part in.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The person who is to take part.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Get Deal Participants
///
/// List participants of a deal
#[action(
    get("/api/v1/deals/{deal_id}/participants"),
    scopes("deals:read", "deals:full"),
    cost = 10,
    returns(Vec<Participant>),
    with(ByStart)
)]
struct GetDealParticipants {
    /// The deal whose participants to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Delete Deal Participant
///
/// Delete a participant from a deal
#[action(delete("/api/v1/deals/{deal_id}/participants/{deal_participant_id}"), scopes("deals:full"), cost = 6, returns(Deleted))]
struct DeleteDealParticipant {
    /// The deal to take no more part in.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The ID of the participant, as getDealParticipants gives it; not the person's ID.
    deal_participant_id: Id,
}

/// A person who takes part in a deal.
#[record]
struct Participant {
    /// The ID of the participant.
    id: i64,
    /// The person in short.
    person_id: Option<Either<ParticipantPerson, i64>>,
    /// The time at which they were added, in UTC.
    add_time: Option<UtcTime>,
    /// True if they still take part.
    active_flag: Option<bool>,
    /// The deal in short.
    related_item_data: Option<RelatedDeal>,
    /// The person, as API v1 has persons.
    person: Option<Both<ParticipantLinks, OldPersonParts>>,
    /// The user who added them, as an answer of its own.
    added_by_user_id: Option<AddedBy>,
    /// The word deal.
    related_item_type: Option<String>,
    /// The ID of the deal.
    related_item_id: Option<i64>,
}

/// A person in short.
#[record]
struct ParticipantPerson {
    /// The ID of the person.
    value: Option<i64>,
    /// Their name.
    name: Option<String>,
    /// True if they are not deleted.
    active_flag: Option<bool>,
    /// Their email addresses.
    email: Option<Vec<ContactValue>>,
    /// Their phone numbers.
    phone: Option<Vec<ContactValue>>,
    /// The user who owns them.
    owner_id: Option<i64>,
    /// The ID of the company.
    company_id: Option<i64>,
}

/// A deal in short.
#[record]
struct RelatedDeal {
    /// The ID of the deal.
    deal_id: Option<i64>,
    /// Its title.
    title: Option<String>,
}

/// The records that the person of a participant refers to, in short.
#[record]
struct ParticipantLinks {
    /// The user who owns the person.
    owner_id: Option<ParticipantOwner>,
    /// The organization of the person.
    org_id: Option<ParticipantOrganization>,
}

/// The owner of a person in short.
#[record]
struct ParticipantOwner {
    /// The ID of the user.
    id: Option<i64>,
    /// Their name.
    name: Option<String>,
    /// Their email address.
    email: Option<String>,
    /// 1 if they have a picture.
    has_pic: Option<i64>,
    /// The hash of their picture.
    pic_hash: Option<String>,
    /// True if they are active.
    active_flag: Option<bool>,
    /// Their ID once more.
    value: Option<i64>,
}

/// An organization in short.
#[record]
struct ParticipantOrganization {
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
    /// The IDs of its labels.
    label_ids: Option<Vec<i64>>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// The address whose mail is kept with it.
    cc_email: Option<String>,
}

/// A user within an answer of its own.
#[record]
struct AddedBy {
    /// True if the user was found.
    success: Option<bool>,
    /// The user.
    data: Option<User>,
}
