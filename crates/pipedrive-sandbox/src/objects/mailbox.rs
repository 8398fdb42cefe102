//! The mailbox: threads by folder, their messages, and the messages about a record.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, V1, Verb};
use crate::engine::envelope::{wrap, wrap_page};
use crate::engine::paging::cut_page;
use crate::engine::read::shape_data;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::objects::users::find_company;
use crate::value::clock::{format_v1_time, format_with_milliseconds, parse_time};
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[
        Collection {
            name: "mailThreads",
            label: "Mail thread",
            route: "/api/v1/mailbox/mailThreads",
            verbs: &[Verb::Get, Verb::Update, Verb::Delete],
            links: &[("user_id", "users"), ("deal_id", "deals"), ("lead_id", "leads")],
            is_hidden: |thread, call| thread.get("user_id").and_then(Value::as_u64) != Some(call.user),
            v1: &[
                ("snippet", V1::Computed(|state, thread| read_snippet(find_newest(state, thread, is_any)))),
                ("snippet_draft", V1::Computed(|state, thread| read_snippet(find_newest(state, thread, is_draft)))),
                ("snippet_sent", V1::Computed(|state, thread| read_snippet_or_empty(find_newest(state, thread, is_sent)))),
                ("parties", V1::Computed(list_all_parties)),
                ("drafts_parties", V1::Computed(list_draft_parties)),
                ("folders", V1::Computed(|state, thread| list_folders(state, thread).into())),
                ("message_count", V1::Computed(|state, thread| list_messages(state, thread).count().into())),
                ("deleted_flag", V1::Computed(|_, thread| u8::from(is_deleted(thread)).into())),
                ("has_draft_flag", V1::Computed(|state, thread| u8::from(list_messages(state, thread).any(is_draft)).into())),
                ("has_sent_flag", V1::Computed(|state, thread| u8::from(list_messages(state, thread).any(is_sent)).into())),
                ("all_messages_sent_flag", V1::Computed(|state, thread| u8::from(list_messages(state, thread).all(is_sent)).into())),
                (
                    "first_message_to_me_flag",
                    V1::Computed(|state, thread| u8::from(find_oldest(state, thread).is_some_and(is_received)).into()),
                ),
                ("first_message_timestamp", V1::Computed(|state, thread| write_time(find_oldest(state, thread)))),
                ("last_message_timestamp", V1::Computed(|state, thread| write_time(find_newest(state, thread, is_any)))),
                ("last_message_sent_timestamp", V1::Computed(|state, thread| write_time(find_newest(state, thread, is_sent)))),
                ("last_message_received_timestamp", V1::Computed(|state, thread| write_time(find_newest(state, thread, is_received)))),
                (
                    "deal_status",
                    V1::Computed(|state, thread| {
                        state.find_linked(thread, "deal_id", "deals").and_then(|deal| deal.get("status")).cloned().into()
                    }),
                ),
                ("add_time", V1::TimeWithMilliseconds("add_time")),
                ("update_time", V1::TimeWithMilliseconds("update_time")),
            ],
            check,
            ..NO_COLLECTION
        },
        Collection {
            name: "mailMessages",
            label: "Mail message",
            route: "/api/v1/mailbox/mailMessages",
            verbs: &[],
            links: &[("user_id", "users"), ("mail_thread_id", "mailThreads")],
            v1: &[
                ("from", V1::Computed(|state, message| list_parties(state, message, "from"))),
                ("to", V1::Computed(|state, message| list_parties(state, message, "to"))),
                ("cc", V1::Computed(|state, message| list_parties(state, message, "cc"))),
                ("bcc", V1::Computed(|state, message| list_parties(state, message, "bcc"))),
                ("body_url", V1::Computed(|_, message| build_body_url(message).into())),
                (
                    "read_flag",
                    V1::Computed(|state, message| {
                        state
                            .find_linked(message, "mail_thread_id", "mailThreads")
                            .and_then(|thread| thread.get("read_flag"))
                            .cloned()
                            .into()
                    }),
                ),
                ("item_type", V1::Computed(|_, _| "mailMessage".into())),
                ("timestamp", V1::TimeWithMilliseconds("message_time")),
                ("message_time", V1::TimeWithMilliseconds("message_time")),
                ("add_time", V1::TimeWithMilliseconds("add_time")),
                ("update_time", V1::TimeWithMilliseconds("update_time")),
                ("company_id", V1::Computed(find_company)),
            ],
            ..NO_COLLECTION
        },
    ],
    reports: &[
        ("/api/v1/mailbox/mailThreads", list_threads),
        ("/api/v1/mailbox/mailThreads/{id}/mailMessages", list_of_thread),
        ("/api/v1/mailbox/mailMessages/{id}", read_message),
        ("/api/v1/deals/{id}/mailMessages", |state, call| list_of_record(state, call, "deals", "Deal")),
        ("/api/v1/persons/{id}/mailMessages", |state, call| list_of_record(state, call, "persons", "Person")),
        ("/api/v1/organizations/{id}/mailMessages", |state, call| list_of_record(state, call, "organizations", "Organization")),
    ],
    ..NO_OBJECT
};

/// Lists a folder of the token's user, the thread with the latest message first.
/// The document has no pagination in the answer.
#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn list_threads(state: &State, call: &Call) -> Result<Value, Failure> {
    let (table, folder) = (call.tables.collection("mailThreads"), call.parameter("folder").unwrap_or("inbox"));
    let is_listed = |thread: &&Record| !(table.is_hidden)(thread, call) && list_folders(state, thread).contains(&folder);
    let mut threads: Vec<&Record> = state.live(table.name).filter(is_listed).collect();
    threads.sort_by_key(|thread| Reverse((find_newest(state, thread, is_any).map(read_time), read_id(thread))));
    Ok(wrap(cut_page(call, &threads).0.iter().map(|thread| shape_data(state, call, table, thread)).collect()))
}

fn list_of_thread(state: &State, call: &Call) -> Result<Value, Failure> {
    let table = call.tables.collection("mailThreads");
    let thread = state.get_live(table.name, call.id()).filter(|thread| !(table.is_hidden)(thread, call));
    let thread = thread.ok_or_else(|| call.refuse_missing(table.label))?;
    Ok(wrap(list_messages(state, thread).map(|message| shape_data(state, call, call.tables.collection("mailMessages"), message)).collect()))
}

fn read_message(state: &State, call: &Call) -> Result<Value, Failure> {
    let table = call.tables.collection("mailMessages");
    let message = state.get_live(table.name, call.id()).filter(|message| may_see(state, message, call));
    let message = message.ok_or_else(|| call.refuse_missing(table.label))?;
    let mut answer = wrap(drop_body(call, shape_data(state, call, table, message)));
    answer["statusCode"] = json!(2000);
    answer["statusText"] = json!("Success");
    answer["service"] = json!("email-api");
    Ok(answer)
}

/// Lists the messages about a record, the latest first, each in a wrapper.
fn list_of_record(state: &State, call: &Call, table: &str, label: &str) -> Result<Value, Failure> {
    state.get_live(table, call.id()).ok_or_else(|| call.refuse_missing(label))?;
    let mut found: Vec<&Record> = list_about(state, table, call.id()).filter(|message| may_see(state, message, call)).collect();
    found.sort_by_key(|message| Reverse((read_time(message), read_id(message))));
    let (found, pagination) = cut_page(call, &found);
    let shape = call.shape(&["data", "data"]);
    let wrapped = found.iter().map(|message| {
        let data = shape.map(|shape| shape_record(state, call, call.tables.collection("mailMessages"), message, shape)).unwrap_or_default();
        json!({ "object": "mailMessage", "timestamp": format_v1_time(read_time(message)), "data": drop_body(call, data) })
    });
    Ok(wrap_page(wrapped.collect(), json!({ "pagination": pagination })))
}

fn drop_body(call: &Call, mut message: Value) -> Value {
    if let (false, Some(fields)) = (call.asks_for("include_body"), message.as_object_mut()) {
        fields.shift_remove("body");
    }
    message
}

/// Tells whether the token's user may see a message: an own one, or one of a shared thread.
pub(super) fn may_see(state: &State, message: &Record, call: &Call) -> bool {
    find_thread(state, message)
        .is_some_and(|thread| thread.get("user_id").and_then(Value::as_u64) == Some(call.user) || is_set(thread, "shared_flag"))
}

fn find_thread<'a>(state: &'a State, message: &Record) -> Option<&'a Record> {
    state.find_linked(message, "mail_thread_id", "mailThreads").filter(|thread| !is_deleted(thread))
}

/// Lists the messages about a record.
/// Messages about a deal are those of its threads; messages about people are those with them as a party.
pub(super) fn list_about<'a>(state: &'a State, table: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    state.live("mailMessages").filter(move |message| is_about(state, message, table, id))
}

/// Tells whether a message is about a record. A draft never is.
pub(super) fn is_about(state: &State, message: &Record, table: &str, id: u64) -> bool {
    let is = |value: Option<&Value>| value.and_then(Value::as_u64) == Some(id);
    !is_draft(message)
        && match (table, find_thread(state, message)) {
            (_, None) => false,
            ("deals", Some(thread)) => is(thread.get("deal_id")),
            ("persons", _) => list_people(state, message).any(|person| is(person.get("id"))),
            _ => list_people(state, message).any(|person| is(person.get("org_id"))),
        }
}

/// Finds the time of the latest message about a record that `which` accepts.
pub(super) fn find_last_time(state: &State, table: &str, id: u64, which: fn(&Record) -> bool) -> Option<Value> {
    list_about(state, table, id).filter(|message| which(message)).map(read_time).max().map(Value::from)
}

fn list_people<'a>(state: &'a State, message: &'a Record) -> impl Iterator<Item = &'a Record> {
    ["from", "to", "cc", "bcc"].into_iter().flat_map(|side| list_values(message, side)).filter_map(|party| find_person(state, party))
}

/// Finds the person with an address.
fn find_person<'a>(state: &'a State, party: &Value) -> Option<&'a Record> {
    let address = party["email_address"].as_str()?;
    let has = |email: &Value| email["value"].as_str().is_some_and(|value| value.eq_ignore_ascii_case(address));
    state.live("persons").find(|person| list_values(person, "emails").any(has))
}

fn list_values<'a>(row: &'a Record, field: &str) -> impl Iterator<Item = &'a Value> {
    row.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// Lists the parties on one side of a message, each with its person.
pub(super) fn list_parties(state: &State, message: &Record, side: &str) -> Value {
    list_values(message, side).map(|party| add_person(state, party)).collect()
}

fn add_person(state: &State, party: &Value) -> Value {
    let (mut named, person) = (party.clone(), find_person(state, party));
    named["linked_person_name"] = person.map_or("", |person| read_text(person, "name")).into();
    if let Some(id) = person.and_then(read_id) {
        named["linked_person_id"] = id.into();
    }
    named
}

/// Lists all parties of a thread's messages, each once, with the time of its latest message.
pub(super) fn list_all_parties(state: &State, thread: &Record) -> Value {
    json!({ "to": collect_parties(state, thread, "to", is_any), "from": collect_parties(state, thread, "from", is_any) })
}

pub(super) fn list_draft_parties(state: &State, thread: &Record) -> Value {
    collect_parties(state, thread, "to", is_draft)
}

fn collect_parties(state: &State, thread: &Record, side: &str, which: fn(&Record) -> bool) -> Value {
    let mut all = BTreeMap::new();
    for message in list_messages(state, thread).filter(|message| which(message)) {
        for party in list_values(message, side) {
            let mut named = add_person(state, party);
            named["latest_sent"] = is_sent(message).into();
            named["message_time"] = parse_time(read_time(message)).map(|time| time.unix_timestamp() * 1000).into();
            named["linked_organization_id"] = find_person(state, party).and_then(|person| person.get("org_id")).cloned().into();
            all.insert(party["email_address"].to_string(), named);
        }
    }
    all.into_values().collect()
}

/// Lists a thread's messages, the oldest first.
pub(super) fn list_messages<'a>(state: &'a State, thread: &Record) -> impl Iterator<Item = &'a Record> {
    let thread = thread.get("id").cloned();
    let mut messages: Vec<&Record> =
        state.live("mailMessages").filter(|message| message.get("mail_thread_id") == thread.as_ref()).collect();
    messages.sort_by_key(|message| (read_time(message), read_id(message)));
    messages.into_iter()
}

pub(super) fn find_oldest<'a>(state: &'a State, thread: &Record) -> Option<&'a Record> {
    list_messages(state, thread).next()
}

pub(super) fn find_newest<'a>(state: &'a State, thread: &Record, which: fn(&Record) -> bool) -> Option<&'a Record> {
    list_messages(state, thread).filter(|message| which(message)).last()
}

fn read_time(message: &Record) -> &str {
    read_text(message, "message_time")
}

pub(super) fn write_time(message: Option<&Record>) -> Value {
    message.map(|message| format_with_milliseconds(read_time(message))).into()
}

pub(super) fn read_snippet(message: Option<&Record>) -> Value {
    message.and_then(|message| message.get("snippet")).cloned().into()
}

/// Reads the snippet of a message; empty without one, as the field may not be null.
pub(super) fn read_snippet_or_empty(message: Option<&Record>) -> Value {
    message.map_or("", |message| read_text(message, "snippet")).into()
}

pub(super) fn build_body_url(message: &Record) -> String {
    format!("https://sandbox.example.com/mail/{}/body", read_id(message).unwrap_or(0))
}

pub(super) fn is_set(row: &Record, flag: &str) -> bool {
    row.get(flag).and_then(Value::as_u64) == Some(1)
}

pub(super) fn is_any(_: &Record) -> bool {
    true
}

pub(super) fn is_draft(message: &Record) -> bool {
    is_set(message, "draft_flag")
}

pub(super) fn is_sent(message: &Record) -> bool {
    is_set(message, "sent_flag")
}

pub(super) fn is_received(message: &Record) -> bool {
    !is_draft(message) && !is_sent(message)
}

/// Lists the folders of a thread. Received messages are in the inbox until the thread is archived.
pub(super) fn list_folders(state: &State, thread: &Record) -> Vec<&'static str> {
    let has = |which: fn(&Record) -> bool| list_messages(state, thread).any(which);
    let archived = is_set(thread, "archived_flag");
    let all = [("inbox", has(is_received) && !archived), ("drafts", has(is_draft)), ("sent", has(is_sent)), ("archive", archived)];
    all.into_iter().filter(|(_, is_in)| *is_in).map(|(folder, _)| folder).collect()
}

fn check(draft: &mut Draft) -> Result<(), Failure> {
    if is_set(draft.row, "archived_flag") && !list_messages(draft.state, draft.row).any(is_received) {
        return Err(Failure::invalid("archived_flag", "can only be set on threads in the inbox"));
    }
    Ok(())
}
