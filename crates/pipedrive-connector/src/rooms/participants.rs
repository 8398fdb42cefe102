//! Participants: the persons who take part in a deal beside its main one.

use connector_core::declare::{Both, Either, Id, UtcTime};
use connector_core::{action, record};

use super::organizations::OrganizationInShort;
use super::persons::{OldPersonParts, PersonInShort};
use super::users::User;
use crate::account_fields::OfPersons;
use crate::data_sources::{SelectDeal, SelectPerson};
use crate::types::{ByStart, Deleted, WithFields};

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
    #[flat("personInShort", id("personId"))]
    person_id: Option<Either<ParticipantPerson, i64>>,
    /// The time at which they were added, in UTC.
    add_time: Option<UtcTime>,
    /// True if they still take part.
    active_flag: Option<bool>,
    /// The deal in short.
    related_item_data: Option<RelatedDeal>,
    /// The person, as API v1 has persons.
    person: Option<WithFields<Both<ParticipantLinks, OldPersonParts>, OfPersons>>,
    /// The user who added them, as an answer of its own.
    added_by_user_id: Option<AddedBy>,
    /// The word deal.
    related_item_type: Option<String>,
    /// The ID of the deal.
    related_item_id: Option<i64>,
}

/// The person of a participant, with their company.
type ParticipantPerson = Both<PersonInShort, ParticipantCompany>;

/// The company of a participant.
#[record]
struct ParticipantCompany {
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
    #[flat("owner", id("ownerId"))]
    owner_id: Option<ParticipantOwner>,
    /// The organization of the person.
    #[flat("organization", id("orgId"))]
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

/// The organization of a participant, with its labels.
type ParticipantOrganization = Both<OrganizationInShort, OrganizationLabels>;

/// The labels of an organization.
#[record]
struct OrganizationLabels {
    /// The IDs of its labels.
    label_ids: Option<Vec<i64>>,
}

/// A user within an answer of its own.
#[record]
struct AddedBy {
    /// True if the user was found.
    success: Option<bool>,
    /// The user.
    data: Option<User>,
}
