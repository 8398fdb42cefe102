//! Persons who take part in a deal, its own person among them.

use serde_json::{Value, json};

use crate::answer::{Call, Deed, Report, nested, page, shaped, success};
use crate::collections::known;
use crate::engine::read::numbered;
use crate::engine::related;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::value::clock::{stamp, v1_time};
use crate::value::failure::Failure;
use crate::value::record::{Record, id_of, text};

pub(crate) const TABLE: &str = "participants";

pub(crate) const REPORTS: &[(&str, Report)] = &[("/api/v1/deals/{id}/participants", list)];

pub(crate) const DEEDS: &[(&str, &str, Deed)] =
    &[("POST", "/api/v1/deals/{id}/participants", add), ("DELETE", "/api/v1/deals/{id}/participants/{deal_participant_id}", remove)];

/// The rows of those who take part in a deal.
pub(crate) fn of(state: &State, deal: u64) -> impl Iterator<Item = &Record> {
    state.live(TABLE).filter(move |row| number(row, "deal_id") == Some(deal))
}

/// The ids of the persons who take part in a deal.
pub(crate) fn persons_of(state: &State, deal: u64) -> Vec<u64> {
    of(state, deal).filter_map(|row| number(row, "person_id")).collect()
}

/// The ids of the deals that a person takes part in.
pub(crate) fn deals_of(state: &State, person: u64) -> Vec<u64> {
    state.live(TABLE).filter(|row| number(row, "person_id") == Some(person)).filter_map(|row| number(row, "deal_id")).collect()
}

fn number(row: &Record, field: &str) -> Option<u64> {
    row.get(field)?.as_u64()
}

/// Whoever becomes a deal's person takes part in it, and goes on to when another takes that place.
pub(crate) fn after_deal(state: &mut State, call: &Call, _: Option<&Record>, deal: &Record) {
    if let (Some(deal), Some(person)) = (id_of(deal), number(deal, "person_id")) {
        join(state, deal, person, call.user, &stamp(call.now));
    }
}

/// Lets a person take part in a deal: the new row's id, or none for one who does already.
pub(crate) fn join(state: &mut State, deal: u64, person: u64, user: u64, time: &str) -> Option<u64> {
    if of(state, deal).any(|row| number(row, "person_id") == Some(person)) {
        return None;
    }
    let mut row = Record::new();
    row.insert("deal_id".to_owned(), deal.into());
    row.insert("person_id".to_owned(), person.into());
    row.insert("added_by_user_id".to_owned(), user.into());
    row.insert("add_time".to_owned(), time.into());
    Some(state.insert(TABLE, row))
}

fn deal_of<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("deals", call.id()).ok_or_else(|| call.missing("Deal"))
}

fn list(state: &State, call: &Call) -> Result<Value, Failure> {
    let deal = deal_of(state, call)?;
    let rows: Vec<&Record> = of(state, call.id()).collect();
    let (rows, pagination) = numbered(call, &rows);
    let mut body = page(rows.iter().map(|row| answered(state, call, deal, row)).collect(), json!({ "pagination": pagination }));
    body["related_objects"] = related(state, call, rows);
    Ok(body)
}

fn add(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let deal = deal_of(state, call)?.clone();
    let person = call.body.get("person_id").and_then(Value::as_u64).and_then(|id| state.get_live("persons", id)).and_then(id_of);
    let person = person.ok_or_else(|| Failure::invalid("person_id", "does not exist"))?;
    let id = join(state, call.id(), person, call.user, &stamp(call.now));
    let id = id.ok_or_else(|| Failure::invalid("person_id", "takes part already"))?;
    let row = state.get(TABLE, id).cloned().unwrap_or_default();
    let mut body = success(answered(state, call, &deal, &row));
    body["related_objects"] = related(state, call, &[&row]);
    Ok(body)
}

/// The deal's own person leaves that place too.
fn remove(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut deal = deal_of(state, call)?.clone();
    let id = call.variables.get("deal_participant_id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let found = of(state, call.id()).find(|row| id_of(row) == Some(id)).cloned();
    let mut row = found.ok_or_else(|| call.missing("Participant"))?;
    if deal.get("person_id") == row.get("person_id") {
        deal.shift_remove("person_id");
        deal.insert("update_time".to_owned(), stamp(call.now).into());
        state.put("deals", deal);
    }
    mark_deleted(&mut row, call);
    state.put(TABLE, row);
    Ok(success(json!({ "id": id })))
}

fn answered(state: &State, call: &Call, deal: &Record, row: &Record) -> Value {
    let mut data = json!({
        "id": row.get("id"), "active_flag": true, "add_time": v1_time(text(row, "add_time")),
        "related_item_type": "deal", "related_item_id": deal.get("id"),
        "related_item_data": { "deal_id": deal.get("id"), "title": deal.get("title") },
    });
    // The document has a whole answer around the last, and shows it like an owner in its example.
    let parts: [(&str, &str, &str, &[&str]); 3] = [
        ("person_id", "person_id", "persons", &["data", "person_id"]),
        ("person", "person_id", "persons", &["data", "person"]),
        ("added_by_user_id", "added_by_user_id", "users", &["data", "person", "owner_id"]),
    ];
    for (name, field, table, place) in parts {
        if let (Some(part), Some(shape)) = (state.linked(row, field, table), call.shape(place)) {
            let shown = if name == "person" { shaped } else { nested };
            data[name] = shown(state, call, known(table), part, shape);
        }
    }
    data
}

/// The users, persons and organizations of an answer by their ids, as far as the operation documents them.
fn related(state: &State, call: &Call, rows: &[&Record]) -> Value {
    let of_row = |row: &&Record| {
        let person = state.linked(row, "person_id", "persons");
        let of_person = |field: &str, table: &'static str| Some((table, state.linked(person?, field, table)?));
        let user = state.linked(row, "added_by_user_id", "users").map(|user| ("users", user));
        let person = person.map(|person| ("persons", person));
        [person, of_person("org_id", "organizations"), user, of_person("owner_id", "users")].into_iter().flatten().collect::<Vec<_>>()
    };
    related::objects(state, call, rows.iter().flat_map(of_row)).unwrap_or_default()
}
