//! The mailbox: threads by folder, their messages, and the messages about a deal, a person or an organization.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::{Call, Report, page, shaped, success};
use crate::collections::{Collection, collection};
use crate::engine::read;
use crate::engine::read::numbered;
use crate::engine::state::State;
use crate::rules::Draft;
use crate::value::clock::{moment, parse_time, v1_time};
use crate::value::failure::Failure;
use crate::value::record::{Record, id_of, is_deleted, text};

pub(crate) const REPORTS: &[(&str, Report)] = &[
    ("/api/v1/mailbox/mailThreads", threads_of_folder),
    ("/api/v1/mailbox/mailThreads/{id}/mailMessages", messages_of_thread),
    ("/api/v1/mailbox/mailMessages/{id}", message),
    ("/api/v1/deals/{id}/mailMessages", |state, call| messages_about(state, call, "deals", "Deal")),
    ("/api/v1/persons/{id}/mailMessages", |state, call| messages_about(state, call, "persons", "Person")),
    ("/api/v1/organizations/{id}/mailMessages", |state, call| messages_about(state, call, "organizations", "Organization")),
];

fn table(name: &str) -> &'static Collection {
    collection(name).expect("the table has rows for the mailbox")
}

/// A folder of the token's user, the thread with the most recent message first. No page facts are documented.
#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn threads_of_folder(state: &State, call: &Call) -> Result<Value, Failure> {
    let (table, folder) = (table("mailThreads"), call.parameter("folder").unwrap_or("inbox"));
    let seen = |thread: &&Record| !(table.hidden)(thread, call) && folders(state, thread).contains(&folder);
    let mut threads: Vec<&Record> = state.live(table.name).filter(seen).collect();
    threads.sort_by_key(|thread| Reverse((newest(state, thread, any).map(when), id_of(thread))));
    Ok(success(numbered(call, &threads).0.iter().map(|thread| read::record(state, call, table, thread)).collect()))
}

fn messages_of_thread(state: &State, call: &Call) -> Result<Value, Failure> {
    let table = table("mailThreads");
    let thread = state.get_live(table.name, call.id()).filter(|thread| !(table.hidden)(thread, call));
    let thread = thread.ok_or_else(|| call.missing(table.label))?;
    Ok(success(messages(state, thread).map(|message| read::record(state, call, self::table("mailMessages"), message)).collect()))
}

fn message(state: &State, call: &Call) -> Result<Value, Failure> {
    let table = table("mailMessages");
    let message = state.get_live(table.name, call.id()).filter(|message| may_see(state, message, call));
    let message = message.ok_or_else(|| call.missing(table.label))?;
    let mut answer = success(without_body(call, read::record(state, call, table, message)));
    answer["statusCode"] = json!(2000);
    answer["statusText"] = json!("Success");
    answer["service"] = json!("email-api");
    Ok(answer)
}

/// What was sent and received about a record, newest first, each in a wrapper.
fn messages_about(state: &State, call: &Call, table: &str, label: &str) -> Result<Value, Failure> {
    state.get_live(table, call.id()).ok_or_else(|| call.missing(label))?;
    let mut found: Vec<&Record> = about(state, table, call.id()).filter(|message| may_see(state, message, call)).collect();
    found.sort_by_key(|message| Reverse((when(message), id_of(message))));
    let (found, pagination) = numbered(call, &found);
    let shape = call.shape(&["data", "data"]);
    let wrapped = found.iter().map(|message| {
        let data = shape.map(|shape| shaped(state, call, self::table("mailMessages"), message, shape)).unwrap_or_default();
        json!({ "object": "mailMessage", "timestamp": v1_time(when(message)), "data": without_body(call, data) })
    });
    Ok(page(wrapped.collect(), json!({ "pagination": pagination })))
}

fn without_body(call: &Call, mut message: Value) -> Value {
    if let (false, Some(fields)) = (call.asks_for("include_body"), message.as_object_mut()) {
        fields.shift_remove("body");
    }
    message
}

/// A message of one's own, or of a thread that is shared.
pub(crate) fn may_see(state: &State, message: &Record, call: &Call) -> bool {
    thread_of(state, message)
        .is_some_and(|thread| thread.get("user_id").and_then(Value::as_u64) == Some(call.user) || is_set(thread, "shared_flag"))
}

fn thread_of<'a>(state: &'a State, message: &Record) -> Option<&'a Record> {
    state.linked(message, "mail_thread_id", "mailThreads").filter(|thread| !is_deleted(thread))
}

/// The messages about a record: of a deal, those of the threads linked to it; of people, those that they are a party of.
pub(crate) fn about<'a>(state: &'a State, table: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    state.live("mailMessages").filter(move |message| concerns(state, message, table, id))
}

/// Whether a message is about a record; a draft is about nothing yet.
pub(crate) fn concerns(state: &State, message: &Record, table: &str, id: u64) -> bool {
    let is = |value: Option<&Value>| value.and_then(Value::as_u64) == Some(id);
    !is_draft(message)
        && match (table, thread_of(state, message)) {
            (_, None) => false,
            ("deals", Some(thread)) => is(thread.get("deal_id")),
            ("persons", _) => people(state, message).any(|person| is(person.get("id"))),
            _ => people(state, message).any(|person| is(person.get("org_id"))),
        }
}

/// The time of the newest message about a record that was sent, or that was received.
pub(crate) fn last_time(state: &State, table: &str, id: u64, which: fn(&Record) -> bool) -> Option<Value> {
    about(state, table, id).filter(|message| which(message)).map(when).max().map(Value::from)
}

fn people<'a>(state: &'a State, message: &'a Record) -> impl Iterator<Item = &'a Record> {
    ["from", "to", "cc", "bcc"].into_iter().flat_map(|side| listed(message, side)).filter_map(|party| person(state, party))
}

/// Who is behind an address.
fn person<'a>(state: &'a State, party: &Value) -> Option<&'a Record> {
    let address = party["email_address"].as_str()?;
    let has = |email: &Value| email["value"].as_str().is_some_and(|value| value.eq_ignore_ascii_case(address));
    state.live("persons").find(|person| listed(person, "emails").any(has))
}

fn listed<'a>(row: &'a Record, field: &str) -> impl Iterator<Item = &'a Value> {
    row.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// The parties on one side of a message, with who they are.
pub(crate) fn named(state: &State, message: &Record, side: &str) -> Value {
    listed(message, side).map(|party| with_person(state, party)).collect()
}

fn with_person(state: &State, party: &Value) -> Value {
    let (mut named, person) = (party.clone(), person(state, party));
    named["linked_person_name"] = person.map_or("", |person| text(person, "name")).into();
    if let Some(id) = person.and_then(id_of) {
        named["linked_person_id"] = id.into();
    }
    named
}

/// Everyone who wrote to a thread or got one of its messages, each once, as of their newest message.
pub(crate) fn parties(state: &State, thread: &Record) -> Value {
    json!({ "to": everyone(state, thread, "to", any), "from": everyone(state, thread, "from", any) })
}

pub(crate) fn parties_of_drafts(state: &State, thread: &Record) -> Value {
    everyone(state, thread, "to", is_draft)
}

fn everyone(state: &State, thread: &Record, side: &str, which: fn(&Record) -> bool) -> Value {
    let mut all = BTreeMap::new();
    for message in messages(state, thread).filter(|message| which(message)) {
        for party in listed(message, side) {
            let mut named = with_person(state, party);
            named["latest_sent"] = is_sent(message).into();
            named["message_time"] = parse_time(when(message)).map(|time| time.unix_timestamp() * 1000).into();
            named["linked_organization_id"] = person(state, party).and_then(|person| person.get("org_id")).cloned().into();
            all.insert(party["email_address"].to_string(), named);
        }
    }
    all.into_values().collect()
}

/// A thread's messages, oldest first.
pub(crate) fn messages<'a>(state: &'a State, thread: &Record) -> impl Iterator<Item = &'a Record> {
    let thread = thread.get("id").cloned();
    let mut own: Vec<&Record> = state.live("mailMessages").filter(|message| message.get("mail_thread_id") == thread.as_ref()).collect();
    own.sort_by_key(|message| (when(message), id_of(message)));
    own.into_iter()
}

pub(crate) fn oldest<'a>(state: &'a State, thread: &Record) -> Option<&'a Record> {
    messages(state, thread).next()
}

pub(crate) fn newest<'a>(state: &'a State, thread: &Record, which: fn(&Record) -> bool) -> Option<&'a Record> {
    messages(state, thread).filter(|message| which(message)).last()
}

fn when(message: &Record) -> &str {
    text(message, "message_time")
}

pub(crate) fn time(message: Option<&Record>) -> Value {
    message.map(|message| moment(when(message))).into()
}

pub(crate) fn snippet(message: Option<&Record>) -> Value {
    message.and_then(|message| message.get("snippet")).cloned().into()
}

/// Empty where there is no message: this one may not be null.
pub(crate) fn snippet_or_nothing(message: Option<&Record>) -> Value {
    message.map_or("", |message| text(message, "snippet")).into()
}

pub(crate) fn body_url(message: &Record) -> String {
    format!("https://sandbox.example.com/mail/{}/body", id_of(message).unwrap_or(0))
}

pub(crate) fn is_set(row: &Record, flag: &str) -> bool {
    row.get(flag).and_then(Value::as_u64) == Some(1)
}

pub(crate) fn any(_: &Record) -> bool {
    true
}

pub(crate) fn is_draft(message: &Record) -> bool {
    is_set(message, "draft_flag")
}

pub(crate) fn is_sent(message: &Record) -> bool {
    is_set(message, "sent_flag")
}

pub(crate) fn is_received(message: &Record) -> bool {
    !is_draft(message) && !is_sent(message)
}

/// Where a thread lies: what was received is in the inbox until it is archived.
pub(crate) fn folders(state: &State, thread: &Record) -> Vec<&'static str> {
    let has = |which: fn(&Record) -> bool| messages(state, thread).any(which);
    let archived = is_set(thread, "archived_flag");
    let all = [("inbox", has(is_received) && !archived), ("drafts", has(is_draft)), ("sent", has(is_sent)), ("archive", archived)];
    all.into_iter().filter(|(_, lies)| *lies).map(|(folder, _)| folder).collect()
}

pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    if is_set(draft.row, "archived_flag") && !messages(draft.state, draft.row).any(is_received) {
        return Err(Failure::invalid("archived_flag", "is for threads of the inbox"));
    }
    Ok(())
}
