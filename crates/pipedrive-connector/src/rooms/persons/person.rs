//! A person: a contact of an account.

use connector_core::declare::InputValue::Texts;
use connector_core::declare::{Date, DateTime, Id, Json, List, MatchBy, MatchKey, Nullable, Text};
use connector_core::{action, inputs, record};

use crate::account_fields::OfPersons;
use crate::by_hand::person_field;
use crate::data_sources::{
    SelectDeal, SelectFilter, SelectOrganization, SelectPerson, SelectPersonCustomField, SelectPersonLabel, SelectUser,
};
use crate::types::{
    AddedAt, Address, ByCursor, CUSTOM_FIELD, ChangedBetween, Choosing, ContactValue, CustomFields, Deleted, Found, Including, MainContact,
    Named, SortBy, Sorted, TextUpTo, VisibleTo, WithLabels,
};

/// Add Person
///
/// Add a person
#[action(post("/api/v2/persons"), scopes("contacts:full"), cost = 5, returns(Person), with(PersonLinks, AddedAt, PersonInputs))]
struct AddPerson {
    /// The name of the person.
    name: String,
}

/// Get Person
///
/// Get details of a person
#[action(get("/api/v2/persons/{person_id}"), scopes("contacts:read", "contacts:full"), cost = 1, returns(Person), with(Including<PersonExtra>, Choosing<OfPersons>, WithLabels))]
pub(crate) struct GetPerson {
    /// The person to read.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Get Persons
///
/// Get all persons
#[action(get("/api/v2/persons"), scopes("contacts:read", "contacts:full"), cost = 10, returns(Vec<Person>), with(ChangedBetween, Sorted<SortBy>, Including<PersonExtra>, Choosing<OfPersons>, WithLabels, ByCursor))]
pub(crate) struct GetPersons {
    /// A filter of the account; it overrides IDs, owner, organization and deal. Left out, none applies.
    #[overrides(ids, owner_id, org_id, deal_id)]
    #[source(SelectFilter, type = "people")]
    filter_id: Option<Id>,
    /// The persons to read, at most 100; those that are not there or not visible are left out.
    /// Left out, all are read.
    #[source(SelectPerson)]
    ids: Option<List<Id>>,
    /// Only persons of this owner. Left out, those of all.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// Only persons of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// Only persons of this deal. Left out, those of all.
    #[source(SelectDeal)]
    deal_id: Option<Id>,
}

/// Get Deal Persons
///
/// List all persons associated with a deal
#[action(
    get("/api/v2/persons"),
    scopes("contacts:read", "contacts:full"),
    cost = 10,
    returns(Vec<Person>),
    like(GetPersons),
    without(filter_id = "Pipedrive would ignore the deal beside a filter, and answer the persons of all; use getPersons")
)]
struct GetDealPersons {
    /// The deal whose persons to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Get Organization Persons
///
/// List persons of an organization
#[action(
    get("/api/v2/persons"),
    scopes("contacts:read", "contacts:full"),
    cost = 10,
    returns(Vec<Person>),
    like(GetPersons),
    without(filter_id = "Pipedrive would ignore the organization beside a filter, and answer the persons of all; use getPersons")
)]
struct GetOrganizationPersons {
    /// The organization whose persons to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Update Person
///
/// Update a person
#[action(
    patch("/api/v2/persons/{person_id}"),
    scopes("contacts:full"),
    cost = 5,
    returns(Person),
    record(GetPerson),
    with(PersonLinks, PersonInputs)
)]
pub(crate) struct UpdatePerson {
    /// The person to change.
    #[source(SelectPerson)]
    person_id: Id,
    /// The name of the person. Left out, it stays.
    name: Option<String>,
}

/// Upsert Person
///
/// Update the person who has an email address or another value, or add one who has it
#[action(
    upsert(SelectPerson, add = AddPerson, update = UpdatePerson, by = PERSON_KEYS),
    scopes_all(["contacts:read", "contacts:full", "search:read"], ["contacts:read", "contacts:full"], ["contacts:full"]),
    cost = 21,
    returns(Person),
    with(PersonLinks, PersonInputs)
)]
struct UpsertPerson {
    /// The input to match by: email, phone or name, or the name or key of a custom field; or a list of these.
    #[own]
    match_by: MatchBy,
    /// The name of the person; one that is added needs it. Left out, it stays.
    name: Option<String>,
}

/// The values by which a person is found.
const PERSON_KEYS: &[MatchKey] = &[
    MatchKey::email("email", "emails").narrowed_by(&[("fields", Texts(&["email"]))]),
    MatchKey::phone("phone", "phones").narrowed_by(&[("fields", Texts(&["phone"]))]),
    MatchKey::text("name", "name").narrowed_by(&[("fields", Texts(&["name"]))]),
    CUSTOM_FIELD,
];

/// Delete Person
///
/// Delete a person
#[action(delete("/api/v2/persons/{person_id}"), scopes("contacts:full"), cost = 3, returns(Deleted), record(GetPerson))]
struct DeletePerson {
    /// The person to delete; for 30 days it can be brought back.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Set Person Field Value
///
/// Set the value of a specific field for a person
#[action(
    patch("/api/v2/persons/{person_id}"),
    scopes("contacts:full"),
    cost = 5,
    returns(Person),
    record(GetPerson),
    by_hand(person_field::set)
)]
struct SetFieldValueForPerson {
    /// The person to change.
    #[source(SelectPerson)]
    person_id: Id,
    /// The field: a custom one by its name or 40-character key, or one that every person has, as job_title.
    #[own]
    #[source(SelectPersonCustomField)]
    field_key: person_field::PersonFieldKey,
    /// The value, of the type that the field has; options by their labels or IDs. Null clears it.
    #[own]
    value: Nullable<Json>,
}

/// Delete Person Picture
///
/// Delete person picture
#[action(delete("/api/v1/persons/{person_id}/picture"), scopes("contacts:full"), cost = 6, returns(Deleted))]
struct DeletePersonPicture {
    /// The person whose picture to delete.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Search Persons
///
/// Search persons
#[action(
    get("/api/v2/persons/search"),
    scopes("contacts:read", "contacts:full", "search:read"),
    cost = 20,
    returns(Found<FoundPerson>),
    rules(shortest("term", 2, "exactMatch")),
    with(ByCursor)
)]
pub(crate) struct SearchPersons {
    /// The text to look for, at least 2 characters; 1 suffices for an exact match.
    term: Text,
    /// The fields to search. Left out, all of them.
    fields: Option<List<PersonSearchField>>,
    /// True if the whole text must match, no matter the case. Left out, a part suffices.
    exact_match: Option<bool>,
    /// Only persons of this organization. Left out, those of all.
    #[source(SelectOrganization)]
    organization_id: Option<Id>,
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<PersonSearchExtra>,
}

/// The user and the organization that a person belongs to.
#[inputs]
struct PersonLinks {
    /// The user who owns the person. Left out, it is the connected user.
    #[source(SelectUser)]
    owner_id: Option<Id>,
    /// The organization of the person. Left out, the person has none.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
}

/// The other inputs that adding and updating a person share.
#[inputs]
struct PersonInputs {
    /// The email addresses of the person. Left out, there is none.
    #[on_update("All email addresses of the person; they replace those there are. Left out, they stay.")]
    emails: Option<Vec<ContactValue>>,
    /// The phone numbers of the person. Left out, there is none.
    #[on_update("All phone numbers of the person; they replace those there are. Left out, they stay.")]
    phones: Option<Vec<ContactValue>>,
    /// The only email address of the person, as a text; not together with `emails`. Left out, there is none.
    #[on_update("The only email address of the person, as a text; it replaces those there are, and null clears them.")]
    #[instead_of(emails)]
    email: Option<Nullable<MainContact>>,
    /// The only phone number of the person, as a text; not together with `phones`. Left out, there is none.
    #[on_update("The only phone number of the person, as a text; it replaces those there are, and null clears them.")]
    #[instead_of(phones)]
    phone: Option<Nullable<MainContact>>,
    /// The visibility of the person. Left out, the default of the user applies.
    visible_to: Option<VisibleTo>,
    /// The IDs of the labels to put on the person. Left out, there is none.
    #[on_update("The IDs of all labels of the person; they replace those there are. Left out, they stay.")]
    #[source(SelectPersonLabel)]
    label_ids: Option<Vec<i64>>,
    /// The postal address; only where the account syncs contacts. Left out, there is none.
    postal_address: Option<Address>,
    /// Notes of the contact sync, at most 10,000 characters; only where the account syncs contacts.
    /// Left out, there are none.
    #[on_update("Notes of the contact sync, at most 10,000 characters; only where the account syncs contacts. Left out, they stay.")]
    notes: Option<ContactNotes>,
    /// The messaging accounts; only where the account syncs contacts. Left out, there is none.
    #[on_update("All messaging accounts; only where the account syncs contacts. Left out, they stay.")]
    im: Option<Vec<ContactValue>>,
    /// The birthday; only where the account syncs contacts. Left out, there is none.
    birthday: Option<Date>,
    /// The job title; only where the account syncs contacts. Left out, there is none.
    job_title: Option<String>,
    /// The consent to marketing mail; only where the account has Campaigns. Left out, there is none.
    marketing_status: Option<MarketingStatus>,
    /// Custom fields by their names or 40-character keys. Left out, none is set.
    #[on_update("Custom fields by their names or 40-character keys; null clears one. Left out, all stay.")]
    custom_fields: Option<CustomFields<OfPersons>>,
}

/// Notes of the contact sync.
type ContactNotes = TextUpTo<10_000>;

/// The consent of a person to marketing mail.
#[record]
enum MarketingStatus {
    NoConsent,
    Unsubscribed,
    Subscribed,
    Archived,
}

/// A field that a search for persons can look in.
#[record]
enum PersonSearchField {
    CustomFields,
    Email,
    Notes,
    Phone,
    Name,
}

/// A further field that a search for persons can include.
#[record]
enum PersonSearchExtra {
    #[wire("person.picture")]
    Picture,
}

/// A field of a person that is read only if it is asked for.
#[record]
enum PersonExtra {
    NextActivityId,
    LastActivityId,
    OpenDealsCount,
    RelatedOpenDealsCount,
    ClosedDealsCount,
    RelatedClosedDealsCount,
    ParticipantOpenDealsCount,
    ParticipantClosedDealsCount,
    EmailMessagesCount,
    ActivitiesCount,
    DoneActivitiesCount,
    UndoneActivitiesCount,
    FilesCount,
    NotesCount,
    FollowersCount,
    WonDealsCount,
    RelatedWonDealsCount,
    LostDealsCount,
    RelatedLostDealsCount,
    LastIncomingMailTime,
    LastOutgoingMailTime,
    MarketingStatus,
    DoiStatus,
    SmartBccEmail,
}

/// A person.
#[record]
struct Person {
    /// The ID of the person.
    id: i64,
    /// The whole name.
    name: Option<String>,
    /// The first name.
    first_name: Option<String>,
    /// The last name.
    last_name: Option<String>,
    /// The user who owns the person.
    owner_id: Option<i64>,
    /// The organization of the person.
    org_id: Option<i64>,
    /// The time at which the person was added.
    add_time: Option<DateTime>,
    /// The time of the person's last change.
    update_time: Option<DateTime>,
    /// The email addresses.
    #[flat(primary("email"))]
    emails: Option<Vec<ContactValue>>,
    /// The phone numbers.
    #[flat(primary("phone"))]
    phones: Option<Vec<ContactValue>>,
    /// True if the person is deleted.
    #[flat("activeFlag", not)]
    is_deleted: Option<bool>,
    /// The visibility of the person.
    visible_to: Option<VisibleTo>,
    /// The IDs of the labels.
    label_ids: Option<Vec<i64>>,
    /// The ID of the picture.
    picture_id: Option<i64>,
    /// The postal address; only where the account syncs contacts.
    #[flat(parts)]
    postal_address: Option<Address>,
    /// Notes of the contact sync; only where the account syncs contacts.
    notes: Option<String>,
    /// The messaging accounts; only where the account syncs contacts.
    im: Option<Vec<ContactValue>>,
    /// The messaging accounts, under the name that some answers give them.
    ims: Option<Vec<ContactValue>>,
    /// The birthday; only where the account syncs contacts.
    birthday: Option<Date>,
    /// The job title; only where the account syncs contacts.
    job_title: Option<String>,
    /// The consent to marketing mail; only where the account has Campaigns.
    marketing_status: Option<MarketingStatus>,
    /// The custom fields, by their keys.
    custom_fields: Option<CustomFields<OfPersons>>,
    /// The address that files copies of mail with the person; only where it was asked for.
    #[flat("ccEmail")]
    smart_bcc_email: Option<String>,
}

/// A person as a search shows them.
#[record]
struct FoundPerson {
    /// The ID of the person.
    id: i64,
    /// The kind of record, person.
    r#type: Option<String>,
    /// The whole name.
    name: Option<String>,
    /// The phone numbers.
    #[flat(primary("phone"))]
    phones: Option<Vec<String>>,
    /// The email addresses.
    #[flat(primary("email"))]
    emails: Option<Vec<String>>,
    /// The main email address.
    primary_email: Option<String>,
    /// The visibility of the person.
    visible_to: Option<VisibleTo>,
    /// The user who owns the person.
    #[flat(id("ownerId"))]
    owner: Option<Named>,
    /// The organization of the person.
    #[flat(id("orgId"))]
    organization: Option<Named>,
    /// The values of custom fields that match.
    custom_fields: Option<Vec<Json>>,
    /// The notes that match.
    notes: Option<Vec<String>>,
    /// The picture; only where it was asked for.
    picture: Option<Json>,
    /// The time at which the person was added. A search does not give it.
    #[flat(null)]
    add_time: Option<DateTime>,
    /// The time of the person's last change. A search does not give it.
    #[flat(null)]
    update_time: Option<DateTime>,
}
