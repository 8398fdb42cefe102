//! Accounts: their people and tickets, and the demo accounts.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::server::message::Denial;

/// The token that a person copied from the account `North`.
pub const NORTH_TOKEN: &str = "lark-token-of-north-1";
/// The token that a person copied from the account `South`.
pub const SOUTH_TOKEN: &str = "lark-token-of-south-2";

/// The time at which the server believes to start. Each change takes a minute.
const START: OffsetDateTime = datetime!(2026-03-02 09:00 UTC);

/// The queues of every account, by key.
const QUEUES: [(&str, &str); 3] = [("billing", "Billing"), ("devices", "Devices and printers"), ("web", "Website")];

/// An account of a company.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) token: &'static str,
    people: Vec<Staff>,
    tickets: Vec<Stored>,
    last_id: u64,
    changes: i64,
}

/// A person of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staff {
    pub(super) id: &'static str,
    pub(super) role: &'static str,
    pub(super) name: &'static str,
    pub(super) email: &'static str,
}

/// A ticket as it is kept: by the names that writes have, with its number and times.
#[derive(Clone, Debug)]
struct Stored {
    id: u64,
    fields: Map<String, Value>,
    created: OffsetDateTime,
    updated: OffsetDateTime,
}

/// A filter of tickets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TicketFilter<'a> {
    pub(super) status: Option<&'a str>,
    pub(super) requester: Option<&'a str>,
    pub(super) text: Option<&'a str>,
    /// Only tickets whose number is greater.
    pub(super) after: u64,
}

impl Account {
    /// Builds the accounts that the server starts with.
    pub(super) fn build_demo() -> Vec<Self> {
        let person = |id, role, name, email| Staff { id, role, name, email };
        let mut north = Self::new(
            "acc_north",
            "North",
            NORTH_TOKEN,
            vec![
                person("per_1", "agent", "Ada Berg", "ada@north.example"),
                person("per_2", "agent", "Nils Aho", "nils@north.example"),
                person("per_3", "customer", "Ines Roy", "ines@customer.example"),
            ],
        );
        north.add_demo_ticket(
            json!({"subject": "Cannot sign in", "body": "The page stays white.", "requesterEmail": "ines@customer.example",
            "assigneeEmail": "ada@north.example", "queue": "web", "priority": "high", "tags": ["login", "browser"]}),
        );
        north.add_demo_ticket(json!({"subject": "Invoice is wrong", "requesterEmail": "ines@customer.example", "queue": "billing",
            "status": "waitingForCustomer", "tags": ["invoice"], "dueAt": "2026-03-09T16:00:00Z"}));
        north.add_demo_ticket(json!({"subject": "Printer is out of ink", "requesterEmail": "nils@north.example", "queue": "devices",
            "status": "closed", "priority": "low", "tags": ["printer"]}));
        let mut south = Self::new("acc_south", "South", SOUTH_TOKEN, vec![person("per_9", "agent", "Sam Ode", "sam@south.example")]);
        south.add_demo_ticket(json!({"subject": "Phone rings twice", "requesterEmail": "sam@south.example"}));
        vec![north, south]
    }

    fn new(id: &'static str, name: &'static str, token: &'static str, people: Vec<Staff>) -> Self {
        Self { id, name, token, people, tickets: Vec::new(), last_id: 0, changes: 0 }
    }

    fn add_demo_ticket(&mut self, fields: Value) {
        let Value::Object(fields) = fields else { unreachable!("a demo ticket is an object") };
        self.create(fields).expect("a demo ticket names people and a queue of its account");
    }

    /// Returns the person who signs in.
    pub(super) fn owner(&self) -> Staff {
        self.people[0]
    }

    /// Returns the people of a role, or all.
    pub(super) fn list_people(&self, role: Option<&str>) -> Vec<Staff> {
        self.people.iter().copied().filter(|person| role.is_none_or(|role| person.role == role)).collect()
    }

    /// Returns the queues: an object of names by key.
    pub(super) fn list_queues() -> Value {
        QUEUES.iter().map(|(key, name)| ((*key).to_owned(), Value::from(*name))).collect::<Map<_, _>>().into()
    }

    /// Counts the tickets of each tag, by the order of their words.
    pub(super) fn count_tags(&self) -> Vec<Value> {
        let all = self.tickets.iter().filter_map(|ticket| ticket.fields.get("tags")?.as_array()).flatten().filter_map(Value::as_str);
        let mut counts = std::collections::BTreeMap::<&str, u64>::new();
        all.for_each(|tag| *counts.entry(tag).or_default() += 1);
        counts.into_iter().map(|(name, count)| json!({"name": name, "ticketCount": count})).collect()
    }

    /// Lists the tickets that a filter lets through, the oldest first.
    pub(super) fn list(&self, filter: TicketFilter<'_>) -> Vec<Value> {
        self.tickets.iter().filter(|ticket| filter.lets_through(ticket)).map(|ticket| self.show(ticket)).collect()
    }

    /// Shows one ticket.
    pub(super) fn get(&self, id: u64) -> Result<Value, Denial> {
        self.tickets.iter().find(|ticket| ticket.id == id).map(|ticket| self.show(ticket)).ok_or_else(|| deny_missing(id))
    }

    /// Adds a ticket, and shows it.
    pub(super) fn create(&mut self, mut fields: Map<String, Value>) -> Result<Value, Denial> {
        self.check(&fields)?;
        for (name, value) in [("status", "open"), ("priority", "normal")] {
            fields.entry(name).or_insert_with(|| value.into());
        }
        let now = self.next_time();
        self.last_id += 1;
        let ticket = Stored { id: self.last_id, fields, created: now, updated: now };
        let shown = self.show(&ticket);
        self.tickets.push(ticket);
        Ok(shown)
    }

    /// Changes a ticket, and shows it. A closed one has to be opened first.
    pub(super) fn update(&mut self, id: u64, fields: Map<String, Value>) -> Result<Value, Denial> {
        self.check(&fields)?;
        let now = self.next_time();
        let ticket = self.tickets.iter_mut().find(|ticket| ticket.id == id).ok_or_else(|| deny_missing(id))?;
        let is_closed = ticket.fields["status"] == "closed";
        if is_closed && fields.get("status").is_none_or(|status| status == "closed") {
            return Err(Denial::new(409, "ticket_closed", "The ticket is closed. Open it first."));
        }
        ticket.fields.extend(fields);
        ticket.updated = now;
        self.get(id)
    }

    /// Removes a ticket.
    pub(super) fn delete(&mut self, id: u64) -> Result<(), Denial> {
        let before = self.tickets.len();
        self.tickets.retain(|ticket| ticket.id != id);
        if self.tickets.len() == before { Err(deny_missing(id)) } else { Ok(()) }
    }

    /// Checks that the people and the queue of a ticket exist.
    fn check(&self, fields: &Map<String, Value>) -> Result<(), Denial> {
        for name in ["requesterEmail", "assigneeEmail"] {
            let given = fields.get(name).and_then(Value::as_str);
            if given.is_some_and(|email| self.find_person(email).is_none()) {
                return Err(Denial::at(name, "No person has this address."));
            }
        }
        match fields.get("queue").and_then(Value::as_str) {
            Some(queue) if !QUEUES.iter().any(|(key, _)| *key == queue) => Err(Denial::at("queue", "There is no such queue.")),
            _ => Ok(()),
        }
    }

    fn find_person(&self, email: &str) -> Option<&Staff> {
        self.people.iter().find(|person| person.email == email)
    }

    fn next_time(&mut self) -> OffsetDateTime {
        self.changes += 1;
        START + Duration::minutes(self.changes)
    }

    fn show(&self, ticket: &Stored) -> Value {
        let field = |name: &str| ticket.fields.get(name).cloned().unwrap_or_default();
        let person = |name: &str| {
            let found = field(name).as_str().and_then(|email| self.find_person(email)).copied();
            found.map_or(Value::Null, |person| json!({"id": person.id, "displayName": person.name}))
        };
        let time = |time: OffsetDateTime| time.format(&Rfc3339).expect("a time of this century can be written");
        json!({
            "id": ticket.id,
            "subject": field("subject"),
            "body": field("body"),
            "status": field("status"),
            "priority": field("priority"),
            "requester": person("requesterEmail"),
            "assignee": person("assigneeEmail"),
            "queue": field("queue"),
            "tags": if ticket.fields.contains_key("tags") { field("tags") } else { json!([]) },
            "dueAt": field("dueAt"),
            "createdAt": time(ticket.created),
            "updatedAt": time(ticket.updated),
        })
    }
}

impl TicketFilter<'_> {
    fn lets_through(&self, ticket: &Stored) -> bool {
        let is =
            |name: &str, wanted: Option<&str>| wanted.is_none_or(|wanted| ticket.fields.get(name).is_some_and(|value| value == wanted));
        let has_text = |text: &str| {
            let words = |name: &str| ticket.fields.get(name).and_then(Value::as_str).map(str::to_lowercase);
            [words("subject"), words("body")].into_iter().flatten().any(|words| words.contains(&text.to_lowercase()))
        };
        ticket.id > self.after && is("status", self.status) && is("requesterEmail", self.requester) && self.text.is_none_or(has_text)
    }
}

fn deny_missing(id: u64) -> Denial {
    Denial::new(404, "not_found", format!("There is no ticket {id}."))
}
