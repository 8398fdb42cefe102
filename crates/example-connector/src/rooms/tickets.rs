//! Tickets: what people ask for.

use connector_core::declare::{DateTime, Envelope, Id, MatchBy, MatchKey, Nothing, Nullable, Paging, Text};
use connector_core::{action, inputs, record};

use crate::by_hand::SelectQueue;
use crate::data_sources::{SelectPerson, SelectTicket};

/// List Tickets
///
/// List the tickets of the account, the oldest first
#[action(get("/v1/tickets"), scopes("tickets:read", "tickets:write"), paging(Paging::link()), returns(Vec<Ticket>))]
pub(crate) struct ListTickets {
    /// Only tickets of this status. Left out, all.
    status: Option<Status>,
    /// Only tickets of this person. Left out, those of all.
    #[source(SelectPerson)]
    requester_email: Option<Text>,
    /// The number of tickets on a page. Left out, 25.
    limit: Option<Id>,
}

/// Search Tickets
///
/// Search tickets for a text in their subject or body
#[action(
    post("/v1/tickets/search"),
    reads,
    scopes("tickets:read", "tickets:write"),
    envelope(Envelope::at("/results")),
    returns(Vec<Ticket>)
)]
pub(crate) struct SearchTickets {
    /// The text to look for.
    text: Text,
    /// Only tickets of this status. Left out, all.
    status: Option<Status>,
    /// The number of tickets on a page. Left out, 25.
    limit: Option<Id>,
    /// The cursor to go on from, `page.next` of the page before. Left out, the first page is read.
    #[wire("after")]
    cursor: Option<Text>,
}

/// Get Ticket
///
/// Get a ticket
#[action(get("/v1/tickets/{ticket_id}"), scopes("tickets:read", "tickets:write"), returns(Ticket))]
pub(crate) struct GetTicket {
    /// The ticket to read.
    #[source(SelectTicket)]
    ticket_id: Id,
}

/// Check Ticket
///
/// Check that a ticket exists, without reading it
#[action(head("/v1/tickets/{ticket_id}"), scopes("tickets:read", "tickets:write"), returns(Nothing))]
struct CheckTicket {
    /// The ticket to look for.
    #[source(SelectTicket)]
    ticket_id: Id,
}

/// Upsert Ticket
///
/// Update the ticket that has a subject, or create one that has it
#[action(
    upsert(SelectTicket, add = CreateTicket, update = UpdateTicket, by = TICKET_KEYS),
    scopes_all(["tickets:read", "tickets:write"], ["tickets:write"]),
    returns(Ticket),
    with(TicketDetails)
)]
struct UpsertTicket {
    /// The input to match by: subject.
    #[own]
    match_by: MatchBy,
    /// The subject of the ticket.
    subject: Text,
    /// The person who asks, by the email address; only for a ticket that is created. Left out, it stays.
    #[source(SelectPerson)]
    requester_email: Option<Text>,
}

/// The values by which a ticket is found.
const TICKET_KEYS: &[MatchKey] = &[MatchKey::text("subject", "subject")];

/// Create Ticket
///
/// Create a ticket
#[action(post("/v1/tickets"), scopes("tickets:write"), returns(Ticket), with(TicketDetails))]
struct CreateTicket {
    /// The subject of the ticket.
    subject: Text,
    /// The person who asks, by the email address.
    #[source(SelectPerson)]
    requester_email: Text,
}

/// Update Ticket
///
/// Update a ticket
#[action(patch("/v1/tickets/{ticket_id}"), scopes("tickets:write"), returns(Ticket), record(GetTicket), with(TicketDetails))]
struct UpdateTicket {
    /// The ticket to change.
    #[source(SelectTicket)]
    ticket_id: Id,
    /// The subject of the ticket. Left out, it stays.
    subject: Option<Text>,
    /// The status of the ticket. Left out, it stays.
    status: Option<Status>,
}

/// Delete Ticket
///
/// Delete a ticket
#[action(delete("/v1/tickets/{ticket_id}"), scopes("tickets:write"), returns(Nothing), record(GetTicket))]
struct DeleteTicket {
    /// The ticket to delete.
    #[source(SelectTicket)]
    ticket_id: Id,
}

/// The inputs that creating and updating a ticket share.
#[inputs]
struct TicketDetails {
    /// The text of the ticket. Left out, it has none.
    body: Option<Text>,
    /// The agent who works on it, by the email address. Left out, nobody does.
    #[source(SelectPerson)]
    assignee_email: Option<Nullable<Text>>,
    /// The queue of the ticket. Left out, it is in none.
    #[source(SelectQueue)]
    queue: Option<Nullable<Text>>,
    /// The priority of the ticket. Left out, it is normal.
    priority: Option<Priority>,
    /// The tags of the ticket. Left out, it has none.
    tags: Option<Vec<Text>>,
    /// The time by which it should be solved, with its zone. Left out, it has none.
    due_at: Option<Nullable<DateTime>>,
}

/// A ticket.
#[record]
pub(crate) struct Ticket {
    /// The number of the ticket.
    id: i64,
    /// The subject.
    subject: String,
    /// The text.
    body: Option<String>,
    /// The status.
    status: Status,
    /// The priority.
    priority: Priority,
    /// The person who asks.
    requester: PersonLink,
    /// The agent who works on it.
    assignee: Option<PersonLink>,
    /// The key of the queue that it is in.
    queue: Option<String>,
    /// The tags.
    tags: Vec<String>,
    /// The time by which it should be solved.
    due_at: Option<DateTime>,
    /// The time at which it was created.
    created_at: DateTime,
    /// The time of its last change.
    updated_at: DateTime,
}

/// A person of a ticket.
#[record]
struct PersonLink {
    /// The ID of the person.
    id: String,
    /// The name to show.
    display_name: String,
}

/// A status of tickets.
#[record]
enum Status {
    Open,
    #[wire("waitingForCustomer")]
    WaitingForCustomer,
    Closed,
}

/// A priority of tickets.
#[record]
enum Priority {
    Low,
    Normal,
    High,
}
