//! Lists and single records.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection};
use crate::engine::envelope::{wrap, wrap_page};
use crate::engine::filters;
use crate::engine::paging::{Order, Reach, cut_page, read_limit, sort_v1};
use crate::engine::related::add_related;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::value::clock;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_flag, read_id, read_text, to_text};

/// Parameters of a list that do not select by a field's value.
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

/// Parameters that are ignored beside a filter. The documents say so of each one, or in the list's description.
const IGNORED_WITH_FILTER: &[&str] = &["owner_id", "person_id", "organization_id"];

pub(crate) fn read_one(state: &State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    let row = find_named(state, call, collection)
        .filter(|row| collection.readable_when_deleted || !is_deleted(row))
        .ok_or_else(|| call.refuse_missing(collection.label))?;
    Ok(wrap(shape_data(state, call, collection, row)))
}

/// Finds the record that the path names.
pub(crate) fn find_named<'a>(state: &'a State, call: &Call, collection: &Collection) -> Option<&'a Record> {
    let value = call.variables.get(collection.variable)?;
    let row = match collection.key {
        Some(key) => state.live(collection.name).find(|row| read_text(row, key) == value),
        None => state.find(collection.name, value),
    };
    row.filter(|row| collection.has(call, row) && !(collection.is_hidden)(row, call))
}

/// Writes a record in the shape of the operation's `data`.
pub(crate) fn shape_data(state: &State, call: &Call, collection: &Collection, row: &Record) -> Value {
    call.shape(&["data"]).map_or(Value::Null, |shape| shape_record(state, call, collection, row, shape))
}

pub(crate) fn list(state: &State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    collection.check_path(state, call)?;
    let selection = Selection::new(state, call, collection)?;
    let includes = |row: &&Record| selection.includes(row);
    let rows = if let Some(ids) = &selection.ids {
        ids.iter().filter_map(|id| state.get(collection.name, *id)).filter(includes).collect()
    } else if let Some(Reach { ids, is_descending, most }) = Reach::from_parameters(call)? {
        let rows = state.rows_within(collection.name, ids);
        if is_descending { rows.rev().filter(includes).take(most).collect() } else { rows.filter(includes).take(most).collect() }
    } else {
        state.rows(collection.name).filter(includes).collect()
    };
    answer_list(state, call, collection, rows)
}

/// Answers a page of these records, in the order and form that the operation documents.
pub(crate) fn answer_list<'a>(
    state: &'a State,
    call: &'a Call,
    collection: &Collection,
    mut rows: Vec<&'a Record>,
) -> Result<Value, Failure> {
    let shape = |rows: &[&Record]| rows.iter().map(|row| shape_data(state, call, collection, row)).collect::<Value>();
    if call.operation.parameter("cursor").is_some() {
        let (rows, next) = Order::from_parameters(call).cut_page(call, rows)?;
        Ok(wrap_page(shape(&rows), json!({ "next_cursor": next })))
    } else if call.operation.parameter("start").is_some() {
        sort_v1(call, &mut rows);
        let (rows, pagination) = cut_page(call, &rows);
        Ok(add_related(state, call, collection, rows, wrap_page(shape(rows), json!({ "pagination": pagination }))))
    } else if call.shape(&["additional_data"]).is_some_and(|beside| beside.property("more_items_in_collection").is_some()) {
        // A page is documented, but no parameter that asks for another: the page has all records.
        let pagination = json!({ "start": 0, "limit": read_limit(call).max(rows.len()), "more_items_in_collection": false });
        Ok(wrap_page(shape(&rows), json!({ "pagination": pagination })))
    } else {
        Ok(wrap(shape(&rows)))
    }
}

/// The records that a list's parameters select.
struct Selection<'a> {
    state: &'a State,
    call: &'a Call,
    collection: &'a Collection,
    filter: Option<&'a Record>,
    ids: Option<BTreeSet<u64>>,
    statuses: Option<Vec<&'a str>>,
    archived: bool,
    equal: Vec<(&'a str, &'a str)>,
    /// The ids to which each parameter leads that leads through another collection.
    indirect: Vec<HashSet<u64>>,
    since: Option<String>,
    until: Option<String>,
}

impl<'a> Selection<'a> {
    fn new(state: &'a State, call: &'a Call, collection: &'a Collection) -> Result<Self, Failure> {
        let is_filtered = call.parameter("filter_id").is_some();
        let selecting = call.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let selecting = selecting.filter(|(name, _)| !(NOT_A_FIELD.contains(name) || is_filtered && IGNORED_WITH_FILTER.contains(name)));
        let find_ids = |name: &str| collection.indirect_parameters.iter().find(|(parameter, _)| *parameter == name).map(|(_, find)| find);
        let list_ids = |find: &fn(&State, u64) -> Vec<u64>, value: &str| value.parse().map_or_else(|_| Vec::new(), |id| find(state, id));
        let (mut equal, mut indirect) = (Vec::new(), Vec::new());
        for (name, value) in selecting {
            match find_ids(name) {
                Some(find) => indirect.push(list_ids(find, value).into_iter().collect()),
                None => equal.push((name, value)),
            }
        }
        let moment = |name: &str| call.parameter(name).and_then(clock::parse_time).map(clock::stamp);
        Ok(Self {
            state,
            call,
            collection,
            filter: call.parameter("filter_id").map(|id| filters::find(state, call.tables, collection, id)).transpose()?,
            ids: call.ids("ids").map(BTreeSet::from_iter),
            statuses: call.tokens("status"),
            archived: call.operation.path.ends_with("/archived"),
            equal,
            indirect,
            since: moment("updated_since"),
            until: moment("updated_until"),
        })
    }

    fn includes(&self, row: &Record) -> bool {
        let status = if is_deleted(row) { "deleted" } else { read_text(row, "status") };
        let has_status = match &self.statuses {
            Some(wanted) => wanted.contains(&status),
            None => status != "deleted",
        };
        has_status
            && self.collection.has(self.call, row)
            && read_flag(row, "is_archived") == self.archived
            && self.filter.is_none_or(|filter| filters::matches(self.state, self.call, self.collection, row, filter))
            && self.equal.iter().all(|(name, value)| equals(row, name, value))
            && self.indirect.iter().all(|ids| read_id(row).is_some_and(|id| ids.contains(&id)))
            && self.is_in_time(row)
            && !(self.collection.is_hidden)(row, self.call)
    }

    fn is_in_time(&self, row: &Record) -> bool {
        let (updated, added) = (read_text(row, "update_time"), read_text(row, "add_time").get(..10).unwrap_or_default());
        self.since.as_ref().is_none_or(|since| updated >= since.as_str())
            && self.until.as_ref().is_none_or(|until| updated < until.as_str())
            && self.call.parameter("start_date").is_none_or(|start| added >= start)
            && self.call.parameter("end_date").is_none_or(|end| added <= end)
    }
}

fn equals(row: &Record, name: &str, value: &str) -> bool {
    match row.get(name) {
        Some(Value::Bool(kept)) => matches!(value, "true" | "1") == *kept,
        Some(kept) => to_text(kept) == value,
        None => false,
    }
}
