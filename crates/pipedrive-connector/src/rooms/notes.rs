//! Notes about records, and comments on notes.

use connector_core::declare::{Date, DateTime, Flag, Id, UtcTime, Uuid};
use connector_core::{action, inputs, record};

use crate::data_sources::{SelectDeal, SelectLead, SelectOrganization, SelectPerson, SelectUser};
use crate::types::ByStart;

/// Add Note
///
/// Add a note to a lead, deal, person, organization, project or task
#[action(
    post("/api/v1/notes"),
    scopes("deals:full", "contacts:full"),
    cost = 10,
    returns(Note),
    with(NoteLinks, NoteOrigin, NotePins),
    found_in(GetNotes, since = "updatedSince", created = "add_time", creator = "user_id"),
    rules(any_of(&["leadId", "dealId", "personId", "orgId", "projectId", "taskId"]))
)]
struct AddNote {
    /// The text of the note, as HTML; Pipedrive removes what is unsafe in it.
    content: String,
}

/// Get Notes
///
/// Get all notes, or those of a record or a user
#[action(
    get("/api/v1/notes"),
    scopes("deals:read", "deals:full", "contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<Note>),
    with(ByStart)
)]
struct GetNotes {
    /// Only notes of this author. Left out, those of all.
    #[source(SelectUser)]
    user_id: Option<Id>,
    /// Only notes about this lead. Left out, those about all.
    #[source(SelectLead)]
    lead_id: Option<Uuid>,
    /// Only notes about this deal. Left out, those about all.
    #[source(SelectDeal)]
    deal_id: Option<Id>,
    /// Only notes about this person. Left out, those about all.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// Only notes about this organization. Left out, those about all.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// Only notes about this project. Left out, those about all.
    project_id: Option<Id>,
    /// Only notes about this task. Left out, those about all.
    task_id: Option<Id>,
    /// The field to sort by, and the direction. Left out, the ID, ascending.
    sort: Option<NoteSort>,
    /// Only notes made on this day or later. Left out, no matter when.
    start_date: Option<Date>,
    /// Only notes made on this day or earlier. Left out, no matter when.
    end_date: Option<Date>,
    /// Only notes changed at this moment or later, with its zone. Left out, no matter when.
    updated_since: Option<DateTime>,
    /// Only notes that are pinned to their lead, or that are not. Left out, both.
    pinned_to_lead_flag: Option<Flag>,
    /// Only notes that are pinned to their deal, or that are not. Left out, both.
    pinned_to_deal_flag: Option<Flag>,
    /// Only notes that are pinned to their organization, or that are not. Left out, both.
    pinned_to_organization_flag: Option<Flag>,
    /// Only notes that are pinned to their person, or that are not. Left out, both.
    pinned_to_person_flag: Option<Flag>,
    /// Only notes that are pinned to their project, or that are not. Left out, both.
    pinned_to_project_flag: Option<Flag>,
    /// Only notes that are pinned to their task, or that are not. Left out, both.
    pinned_to_task_flag: Option<Flag>,
}

/// Get Note
///
/// Get details of a note
#[action(get("/api/v1/notes/{note_id}"), scopes("deals:read", "deals:full", "contacts:read", "contacts:full"), cost = 2, returns(Note))]
struct GetNote {
    /// The note to read.
    note_id: Id,
}

/// Update Note
///
/// Update the text, the links or the pins of a note
#[action(
    put("/api/v1/notes/{note_id}"),
    scopes("deals:full", "contacts:full"),
    cost = 10,
    returns(Note),
    record(GetNote),
    with(NoteLinks, NoteOrigin, NotePins)
)]
struct UpdateNote {
    /// The note to change.
    note_id: Id,
    /// The text of the note, as HTML; Pipedrive removes what is unsafe in it. Left out, it stays.
    content: Option<String>,
}

/// Delete Note
///
/// Delete a note with its comments
#[action(delete("/api/v1/notes/{note_id}"), scopes("deals:full", "contacts:full"), cost = 6, returns(bool), record(GetNote))]
struct DeleteNote {
    /// The note to delete.
    note_id: Id,
}

/// Get Note Comments
///
/// List the comments on a note
#[action(
    get("/api/v1/notes/{note_id}/comments"),
    scopes("deals:read", "deals:full", "contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<NoteComment>),
    with(ByStart)
)]
struct GetNoteComments {
    /// The note whose comments to read.
    note_id: Id,
}

/// Get Note Comment
///
/// Get one comment on a note
#[action(
    get("/api/v1/notes/{note_id}/comments/{comment_id}"),
    scopes("deals:read", "deals:full", "contacts:read", "contacts:full"),
    cost = 2,
    returns(NoteComment)
)]
struct GetNoteComment {
    /// The note that the comment is on.
    note_id: Id,
    /// The comment to read.
    comment_id: Uuid,
}

/// Add Note Comment
///
/// Add a comment to a note
#[action(post("/api/v1/notes/{note_id}/comments"), scopes("deals:full", "contacts:full"), cost = 10, returns(NoteComment))]
struct AddNoteComment {
    /// The note to comment on.
    note_id: Id,
    /// The text of the comment, as HTML; Pipedrive removes what is unsafe in it.
    content: String,
}

/// Update Note Comment
///
/// Update the text of a comment on a note
#[action(
    put("/api/v1/notes/{note_id}/comments/{comment_id}"),
    scopes("deals:full", "contacts:full"),
    cost = 10,
    returns(NoteComment),
    record(GetNoteComment)
)]
struct UpdateNoteComment {
    /// The note that the comment is on.
    note_id: Id,
    /// The comment to change.
    comment_id: Uuid,
    /// The text of the comment, as HTML; Pipedrive removes what is unsafe in it.
    content: String,
}

/// Delete Note Comment
///
/// Delete a comment on a note
#[action(
    delete("/api/v1/notes/{note_id}/comments/{comment_id}"),
    scopes("deals:full", "contacts:full"),
    cost = 6,
    returns(bool),
    record(GetNoteComment)
)]
struct DeleteNoteComment {
    /// The note that the comment is on.
    note_id: Id,
    /// The comment to delete.
    comment_id: Uuid,
}

/// The records that a note is about.
#[inputs]
struct NoteLinks {
    /// The lead to attach the note to. Left out, it is attached to none.
    #[source(SelectLead)]
    lead_id: Option<Uuid>,
    /// The deal to attach the note to. Left out, it is attached to none.
    #[source(SelectDeal)]
    deal_id: Option<Id>,
    /// The person to attach the note to. Left out, it is attached to none.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// The organization to attach the note to. Left out, it is attached to none.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// The project to attach the note to. Left out, it is attached to none.
    project_id: Option<Id>,
    /// The task to attach the note to. Left out, it is attached to none.
    task_id: Option<Id>,
}

/// The author of a note, and the time at which it was made.
#[inputs]
struct NoteOrigin {
    /// The author of the note; only an admin can name another user. Left out, it is the connected user.
    #[source(SelectUser)]
    user_id: Option<Id>,
    /// The time at which the note was made, in UTC or in options.timeZone, past or future. Left out, it is now.
    add_time: Option<UtcTime>,
}

/// The pins of a note, each to one of its records.
#[inputs]
struct NotePins {
    /// True if the note is pinned to its lead. Left out, it is not.
    pinned_to_lead_flag: Option<Flag>,
    /// True if the note is pinned to its deal. Left out, it is not.
    pinned_to_deal_flag: Option<Flag>,
    /// True if the note is pinned to its organization. Left out, it is not.
    pinned_to_organization_flag: Option<Flag>,
    /// True if the note is pinned to its person. Left out, it is not.
    pinned_to_person_flag: Option<Flag>,
    /// True if the note is pinned to its project. Left out, it is not.
    pinned_to_project_flag: Option<Flag>,
    /// True if the note is pinned to its task. Left out, it is not.
    pinned_to_task_flag: Option<Flag>,
}

/// A field to sort notes by, and the direction.
#[record]
enum NoteSort {
    #[wire("id ASC")]
    IdAscending,
    #[wire("id DESC")]
    IdDescending,
    #[wire("user_id ASC")]
    UserIdAscending,
    #[wire("user_id DESC")]
    UserIdDescending,
    #[wire("deal_id ASC")]
    DealIdAscending,
    #[wire("deal_id DESC")]
    DealIdDescending,
    #[wire("person_id ASC")]
    PersonIdAscending,
    #[wire("person_id DESC")]
    PersonIdDescending,
    #[wire("org_id ASC")]
    OrgIdAscending,
    #[wire("org_id DESC")]
    OrgIdDescending,
    #[wire("content ASC")]
    ContentAscending,
    #[wire("content DESC")]
    ContentDescending,
    #[wire("add_time ASC")]
    AddTimeAscending,
    #[wire("add_time DESC")]
    AddTimeDescending,
    #[wire("update_time ASC")]
    UpdateTimeAscending,
    #[wire("update_time DESC")]
    UpdateTimeDescending,
}

/// A note.
#[record]
struct Note {
    /// The ID of the note.
    id: i64,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// The time at which it was made, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
    /// Its text, as HTML.
    content: Option<String>,
    /// The linked lead.
    lead_id: Option<Uuid>,
    /// The linked deal.
    deal_id: Option<i64>,
    /// The title of the linked deal.
    deal: Option<TitledSubject>,
    /// The linked person.
    person_id: Option<i64>,
    /// The name of the linked person.
    person: Option<NamedSubject>,
    /// The linked organization.
    org_id: Option<i64>,
    /// The name of the linked organization.
    organization: Option<NamedSubject>,
    /// The linked project.
    project_id: Option<i64>,
    /// The title of the linked project.
    project: Option<TitledSubject>,
    /// The linked task.
    task_id: Option<i64>,
    /// The title of the linked task.
    task: Option<TitledSubject>,
    /// The user who wrote it.
    user_id: Option<i64>,
    /// The name, the email address and the picture of the user who wrote it.
    user: Option<NoteAuthor>,
    /// The user who changed it last.
    last_update_user_id: Option<i64>,
    /// True if it is pinned to the lead.
    pinned_to_lead_flag: Option<bool>,
    /// True if it is pinned to the deal.
    pinned_to_deal_flag: Option<bool>,
    /// True if it is pinned to the organization.
    pinned_to_organization_flag: Option<bool>,
    /// True if it is pinned to the person.
    pinned_to_person_flag: Option<bool>,
    /// True if it is pinned to the project.
    pinned_to_project_flag: Option<bool>,
    /// True if it is pinned to the task.
    pinned_to_task_flag: Option<bool>,
}

/// A deal, project or task that a note is attached to.
#[record]
struct TitledSubject {
    /// Its title.
    title: Option<String>,
}

/// A person or an organization that a note is attached to.
#[record]
struct NamedSubject {
    /// Its name.
    name: Option<String>,
}

/// The user who wrote a note.
#[record]
struct NoteAuthor {
    /// Their name.
    name: Option<String>,
    /// Their email address.
    email: Option<String>,
    /// The address of their picture.
    icon_url: Option<String>,
    /// True if it is the connected user.
    is_you: Option<bool>,
}

/// A comment on a note.
#[record]
struct NoteComment {
    /// The ID of the comment.
    uuid: Option<Uuid>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
    /// Its text, as HTML.
    content: Option<String>,
    /// The ID of the note, as a text.
    object_id: Option<String>,
    /// The kind of the record that it is on: note.
    object_type: Option<String>,
    /// The user who wrote it.
    user_id: Option<i64>,
    /// The user who changed it last.
    updater_id: Option<i64>,
    /// The company of the account.
    company_id: Option<i64>,
}
