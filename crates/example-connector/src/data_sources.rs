//! Data sources: the choices that fill an input.

use connector_core::data_source;

use crate::rooms::people::ListPeople;
use crate::rooms::tickets::{GetTicket, ListTickets, SearchTickets};

/// Select Ticket
///
/// Select a ticket, from a list or by a text.
#[data_source(list(ListTickets), search(SearchTickets), term = "text", read(GetTicket), label("{subject} ({requester.displayName})"))]
pub(crate) struct SelectTicket;

/// Select Person
///
/// Select a person by the email address.
#[data_source(list(ListPeople), key("profile.email"), label("{profile.displayName}"))]
pub(crate) struct SelectPerson;
