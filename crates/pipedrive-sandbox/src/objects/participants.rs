//! Persons who take part in a deal, with the deal's own person.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, NO_COLLECTION, NO_OBJECT, Object};
use crate::engine::envelope::{wrap, wrap_page};
use crate::engine::paging::cut_page;
use crate::engine::related::list_related;
use crate::engine::shape::{shape_nested, shape_record};
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::value::clock::{format_v1_time, stamp};
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: TABLE,
        label: "Participant",
        verbs: &[],
        links: &[("deal_id", "deals"), ("person_id", "persons")],
        is_link_table: true,
        ..NO_COLLECTION
    }],
    reports: &[("/api/v1/deals/{id}/participants", list)],
    writes: &[
        ("POST", "/api/v1/deals/{id}/participants", add),
        ("DELETE", "/api/v1/deals/{id}/participants/{deal_participant_id}", remove),
    ],
    ..NO_OBJECT
};

const TABLE: &str = "participants";

/// Lists the participants of a deal.
pub(super) fn list_participants(state: &State, deal: u64) -> impl Iterator<Item = &Record> {
    state.live(TABLE).filter(move |row| read_link(row, "deal_id") == Some(deal))
}

/// Lists the ids of the persons who take part in a deal.
pub(super) fn list_persons(state: &State, deal: u64) -> Vec<u64> {
    list_participants(state, deal).filter_map(|row| read_link(row, "person_id")).collect()
}

/// Lists the ids of the deals in which a person takes part.
pub(super) fn list_deals(state: &State, person: u64) -> Vec<u64> {
    state.live(TABLE).filter(|row| read_link(row, "person_id") == Some(person)).filter_map(|row| read_link(row, "deal_id")).collect()
}

fn read_link(row: &Record, field: &str) -> Option<u64> {
    row.get(field)?.as_u64()
}

/// Makes a deal's person a participant. A former person of the deal stays one.
pub(super) fn join_own_person(state: &mut State, call: &Call, _: Option<&Record>, deal: &Record) {
    if let (Some(deal), Some(person)) = (read_id(deal), read_link(deal, "person_id")) {
        join(state, deal, person, call.user, &stamp(call.now));
    }
}

/// Adds a participant, and returns its id; none if the person takes part already.
pub(crate) fn join(state: &mut State, deal: u64, person: u64, user: u64, time: &str) -> Option<u64> {
    if list_participants(state, deal).any(|row| read_link(row, "person_id") == Some(person)) {
        return None;
    }
    let mut row = Record::new();
    row.insert("deal_id".to_owned(), deal.into());
    row.insert("person_id".to_owned(), person.into());
    row.insert("added_by_user_id".to_owned(), user.into());
    row.insert("add_time".to_owned(), time.into());
    Some(state.insert(TABLE, row))
}

fn find_deal<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("deals", call.id()).ok_or_else(|| call.refuse_missing("Deal"))
}

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let deal = find_deal(state, call)?;
    let rows: Vec<&Record> = list_participants(state, call.id()).collect();
    let (rows, pagination) = cut_page(call, &rows);
    let mut body =
        wrap_page(rows.iter().map(|row| shape_participant(state, call, deal, row)).collect(), json!({ "pagination": pagination }));
    body["related_objects"] = find_related(state, call, rows);
    Ok(body)
}

fn add(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let deal = find_deal(state, call)?.clone();
    let person = call.body.get("person_id").and_then(Value::as_u64).and_then(|id| state.get_live("persons", id)).and_then(read_id);
    let person = person.ok_or_else(|| Failure::invalid("person_id", "does not exist"))?;
    let id = join(state, call.id(), person, call.user, &stamp(call.now));
    let id = id.ok_or_else(|| Failure::invalid("person_id", "is a participant already"))?;
    let row = state.get(TABLE, id).cloned().unwrap_or_default();
    let mut body = wrap(shape_participant(state, call, &deal, &row));
    body["related_objects"] = find_related(state, call, &[&row]);
    Ok(body)
}

/// Removes a participant. If it is the deal's own person, the deal loses that too.
fn remove(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut deal = find_deal(state, call)?.clone();
    let id = call.variables.get("deal_participant_id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let found = list_participants(state, call.id()).find(|row| read_id(row) == Some(id)).cloned();
    let mut row = found.ok_or_else(|| call.refuse_missing("Participant"))?;
    if deal.get("person_id") == row.get("person_id") {
        deal.shift_remove("person_id");
        deal.insert("update_time".to_owned(), stamp(call.now).into());
        state.put("deals", deal);
    }
    mark_deleted(&mut row, call);
    state.put(TABLE, row);
    Ok(wrap(json!({ "id": id })))
}

fn shape_participant(state: &State, call: &Call, deal: &Record, row: &Record) -> Value {
    let mut data = json!({
        "id": row.get("id"), "active_flag": true, "add_time": format_v1_time(read_text(row, "add_time")),
        "related_item_type": "deal", "related_item_id": deal.get("id"),
        "related_item_data": { "deal_id": deal.get("id"), "title": deal.get("title") },
    });
    // The document has a whole answer as the shape of the last part. Its example shows a user instead.
    let parts: [(&str, &str, &str, &[&str]); 3] = [
        ("person_id", "person_id", "persons", &["data", "person_id"]),
        ("person", "person_id", "persons", &["data", "person"]),
        ("added_by_user_id", "added_by_user_id", "users", &["data", "person", "owner_id"]),
    ];
    for (name, field, table, place) in parts {
        if let (Some(part), Some(shape)) = (state.find_linked(row, field, table), call.shape(place)) {
            let shape_part = if name == "person" { shape_record } else { shape_nested };
            data[name] = shape_part(state, call, call.tables.collection(table), part, shape);
        }
    }
    data
}

/// Writes the users, persons and organizations to which an answer points, if the operation documents them.
fn find_related(state: &State, call: &Call, rows: &[&Record]) -> Value {
    let list_of_row = |row: &&Record| {
        let person = state.find_linked(row, "person_id", "persons");
        let find_of_person = |field: &str, table: &'static str| Some((table, state.find_linked(person?, field, table)?));
        let user = state.find_linked(row, "added_by_user_id", "users").map(|user| ("users", user));
        let person = person.map(|person| ("persons", person));
        [person, find_of_person("org_id", "organizations"), user, find_of_person("owner_id", "users")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    list_related(state, call, rows.iter().flat_map(list_of_row)).unwrap_or_default()
}
