//! Lists, page by page, and single records.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::answer::{Call, page, shaped, success};
use crate::collections::Collection;
use crate::engine::state::State;
use crate::engine::{filters, related};
use crate::value::clock;
use crate::value::failure::Failure;
use crate::value::record::{Record, flag, id_of, is_deleted, plain, text};

const DEFAULT_LIMIT: usize = 100;

/// Parameters of a list that are not a field's wanted value.
const NOT_A_FIELD: &[&str] = &[
    "filter_id",
    "ids",
    "status",
    "updated_since",
    "updated_until",
    "sort_by",
    "sort_direction",
    "sort",
    "include_fields",
    "custom_fields",
    "include_option_labels",
    "include_labels",
    "limit",
    "cursor",
    "start",
    "start_date",
    "end_date",
];

/// Parameters that count for nothing where a filter is given, which the documents mostly say by name and of leads in prose.
const FILTERED: &[&str] = &["owner_id", "person_id", "organization_id"];

pub(crate) fn one(state: &State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    let row = named(state, call, collection)
        .filter(|row| collection.outlives_deletion || !is_deleted(row))
        .ok_or_else(|| call.missing(collection.label))?;
    Ok(success(record(state, call, collection, row)))
}

/// The record that the path names.
pub(crate) fn named<'a>(state: &'a State, call: &Call, collection: &Collection) -> Option<&'a Record> {
    let given = call.variables.get(collection.key).or_else(|| call.variables.get("id"))?;
    let row = match collection.key {
        "field_code" | "commentId" => state.live(collection.name).find(|row| text(row, collection.key) == given),
        _ => state.find(collection.name, given).filter(|row| collection.has(call, row)),
    };
    row.filter(|row| !(collection.hidden)(row, call))
}

/// A record in the shape of the operation's `data`.
pub(crate) fn record(state: &State, call: &Call, collection: &Collection, row: &Record) -> Value {
    call.shape(&["data"]).map_or(Value::Null, |shape| shaped(state, call, collection, row, shape))
}

pub(crate) fn list(state: &State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    collection.reachable(state, call)?;
    let wanted = Wanted::new(state, call, collection)?;
    paged(state, call, collection, state.rows(collection.name).filter(|row| wanted.includes(row)).collect())
}

/// A page of these records, in the order and form that the operation documents.
pub(crate) fn paged<'a>(state: &'a State, call: &'a Call, collection: &Collection, mut rows: Vec<&'a Record>) -> Result<Value, Failure> {
    let shape = |rows: &[&Record]| rows.iter().map(|row| record(state, call, collection, row)).collect::<Value>();
    if call.operation.parameter("cursor").is_some() {
        let (rows, next) = Order::new(call).page(call, rows)?;
        Ok(page(shape(&rows), json!({ "next_cursor": next })))
    } else if call.operation.parameter("start").is_some() {
        sort_v1(call, &mut rows);
        let (rows, pagination) = numbered(call, &rows);
        Ok(related::beside(state, call, collection, rows, page(shape(rows), json!({ "pagination": pagination }))))
    } else if call.shape(&["additional_data"]).is_some_and(|beside| beside.property("more_items_in_collection").is_some()) {
        // A page is documented, and no way to ask for another: it is the whole.
        let pagination = json!({ "start": 0, "limit": limit(call).max(rows.len()), "more_items_in_collection": false });
        Ok(page(shape(&rows), json!({ "pagination": pagination })))
    } else {
        Ok(success(shape(&rows)))
    }
}

/// What a list's parameters ask for.
struct Wanted<'a> {
    state: &'a State,
    call: &'a Call,
    collection: &'a Collection,
    filter: Option<&'a Record>,
    ids: Option<Vec<u64>>,
    statuses: Option<Vec<&'a str>>,
    archived: bool,
    equal: Vec<(&'a str, &'a str)>,
}

impl<'a> Wanted<'a> {
    fn new(state: &'a State, call: &'a Call, collection: &'a Collection) -> Result<Self, Failure> {
        let is_filtered = call.parameter("filter_id").is_some();
        let equal = call.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Self {
            state,
            call,
            collection,
            filter: call.parameter("filter_id").map(|id| filters::find(state, collection, id)).transpose()?,
            ids: call.tokens("ids").map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect()),
            statuses: call.tokens("status"),
            archived: call.operation.path.ends_with("/archived"),
            equal: equal.filter(|(name, _)| !(NOT_A_FIELD.contains(name) || is_filtered && FILTERED.contains(name))).collect(),
        })
    }

    fn includes(&self, row: &Record) -> bool {
        let status = if is_deleted(row) { "deleted" } else { text(row, "status") };
        let has_status = match &self.statuses {
            Some(wanted) => wanted.contains(&status),
            None => status != "deleted",
        };
        has_status
            && self.collection.has(self.call, row)
            && flag(row, "is_archived") == self.archived
            && self.ids.as_ref().is_none_or(|ids| id_of(row).is_some_and(|id| ids.contains(&id)))
            && self.filter.is_none_or(|filter| filters::holds(self.state, self.call, self.collection, row, filter))
            && self.equal.iter().all(|(name, value)| self.equals(row, name, value))
            && self.in_time(row)
            && !(self.collection.hidden)(row, self.call)
    }

    fn equals(&self, row: &Record, name: &str, value: &str) -> bool {
        if let Some((_, linked)) = self.collection.through.iter().find(|(parameter, _)| *parameter == name) {
            return value.parse().is_ok_and(|id| id_of(row).is_some_and(|own| linked(self.state, id).contains(&own)));
        }
        match row.get(name) {
            Some(Value::Bool(kept)) => matches!(value, "true" | "1") == *kept,
            Some(kept) => plain(kept) == value,
            None => false,
        }
    }

    fn in_time(&self, row: &Record) -> bool {
        let moment = |name: &str| self.call.parameter(name).and_then(clock::parse_time).map(clock::stamp);
        let (updated, added) = (text(row, "update_time"), text(row, "add_time").get(..10).unwrap_or_default());
        moment("updated_since").is_none_or(|since| updated >= since.as_str())
            && moment("updated_until").is_none_or(|until| updated < until.as_str())
            && self.call.parameter("start_date").is_none_or(|start| added >= start)
            && self.call.parameter("end_date").is_none_or(|end| added <= end)
    }
}

/// The order of a list: by one field, and by id where that is equal, so that each record has one place.
pub(crate) struct Order<'a> {
    by: &'a str,
    descending: bool,
}

type Key = (Value, u64);

impl<'a> Order<'a> {
    fn new(call: &'a Call) -> Self {
        Self { by: call.parameter("sort_by").unwrap_or("id"), descending: call.parameter("sort_direction") == Some("desc") }
    }

    fn key(&self, row: &Record) -> Key {
        (row.get(self.by).cloned().unwrap_or_default(), id_of(row).unwrap_or(0))
    }

    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let order = compare(&a.0, &b.0).then(a.1.cmp(&b.1));
        if self.descending { order.reverse() } else { order }
    }

    pub(crate) fn page<'r>(&self, call: &Call, mut rows: Vec<&'r Record>) -> Result<(Vec<&'r Record>, Option<String>), Failure> {
        rows.sort_by(|a, b| self.compare(&self.key(a), &self.key(b)));
        let name = format!("{}:{}:{}", call.operation.id, self.by, self.descending);
        if let Some(cursor) = call.parameter("cursor") {
            let after = read_cursor(cursor, &name)?;
            rows.retain(|row| self.compare(&self.key(row), &after).is_gt());
        }
        let limit = limit(call);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| write_cursor(&name, &self.key(last)));
        Ok((rows, next))
    }
}

pub(crate) fn limit(call: &Call) -> usize {
    let most = call.operation.cuts_pages_at().unwrap_or(usize::MAX);
    call.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(DEFAULT_LIMIT).min(most)
}

/// A cursor names the list it is of, and the last record that was answered.
pub(crate) fn write_cursor(list: &str, (value, id): &Key) -> String {
    URL_SAFE_NO_PAD.encode(json!([list, value, id]).to_string())
}

pub(crate) fn read_cursor(cursor: &str, list: &str) -> Result<Key, Failure> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok();
    let parts = decoded.and_then(|bytes| serde_json::from_slice::<(String, Value, u64)>(&bytes).ok());
    match parts {
        Some((of, value, id)) if of == list => Ok((value, id)),
        Some(_) => Err(Failure::invalid("cursor", "belongs to another list or order")),
        None => Err(Failure::invalid("cursor", "is not one that was answered")),
    }
}

pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |v: &Value| match v {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        _ => 3,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// v1's `sort`: `field ASC, other DESC`. Fields that no record has leave the order as it is.
fn sort_v1(call: &Call, rows: &mut [&Record]) {
    let orders: Vec<(&str, bool)> = call
        .tokens("sort")
        .unwrap_or_default()
        .into_iter()
        .filter_map(|part| {
            let mut words = part.split_whitespace();
            Some((words.next()?, words.next().is_some_and(|w| w.eq_ignore_ascii_case("desc"))))
        })
        .collect();
    let key = |row: &Record, field: &str| row.get(field).cloned().unwrap_or_default();
    rows.sort_by(|a, b| {
        orders.iter().fold(Ordering::Equal, |so_far, (field, descending)| {
            let order = compare(&key(a, field), &key(b, field));
            so_far.then(if *descending { order.reverse() } else { order })
        })
    });
}

/// A page of v1: by the number of its first record.
pub(crate) fn numbered<'a, T>(call: &Call, rows: &'a [T]) -> (&'a [T], Value) {
    let start = call.parameter("start").and_then(|s| s.parse().ok()).unwrap_or(0_usize).min(rows.len());
    let end = start.saturating_add(limit(call)).min(rows.len());
    let mut pagination = json!({ "start": start, "limit": limit(call), "more_items_in_collection": end < rows.len() });
    if end < rows.len() {
        pagination["next_start"] = json!(end);
    }
    (&rows[start..end], pagination)
}
