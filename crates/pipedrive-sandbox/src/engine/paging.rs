//! The order of a list, and its pages: by a cursor in v2, by the number of the first record in v1.

use std::cmp::Ordering;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::engine::collection::Call;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id};

const DEFAULT_LIMIT: usize = 100;

/// The order of a list: by one field or none, then by id, so that each record has one place.
pub(crate) struct Order<'a> {
    /// Names the list and its order in cursors.
    name: String,
    field: Option<&'a str>,
    is_descending: bool,
}

/// The value by which a record is sorted, and the record's id.
pub(crate) type Key = (Value, u64);

impl<'a> Order<'a> {
    /// Reads the order of a list from its parameters.
    pub(crate) fn from_parameters(call: &'a Call) -> Self {
        let (field, is_descending) = (call.parameter("sort_by").unwrap_or("id"), call.parameter("sort_direction") == Some("desc"));
        Self { name: format!("{}:{field}:{is_descending}", call.operation.id), field: Some(field), is_descending }
    }

    /// Orders the list of one record by id, the first id first.
    pub(crate) fn oldest_first(call: &Call) -> Self {
        Self { name: format!("{}:{}", call.operation.id, call.id()), field: None, is_descending: false }
    }

    /// Orders the list of one record by id, the last id first.
    pub(crate) fn newest_first(call: &Call) -> Self {
        Self { is_descending: true, ..Self::oldest_first(call) }
    }

    fn key(&self, row: &Record) -> Key {
        (self.field.and_then(|field| row.get(field)).cloned().unwrap_or_default(), read_id(row).unwrap_or(0))
    }

    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let order = compare(&a.0, &b.0).then(a.1.cmp(&b.1));
        if self.is_descending { order.reverse() } else { order }
    }

    /// Sorts records, and cuts the page at the request's cursor. Returns the page, and the cursor of the next one.
    pub(crate) fn cut_page<'r>(&self, call: &Call, rows: Vec<&'r Record>) -> Result<(Vec<&'r Record>, Option<String>), Failure> {
        let mut rows: Vec<(Key, &Record)> = rows.into_iter().map(|row| (self.key(row), row)).collect();
        if let Some(cursor) = call.parameter("cursor") {
            let after = read_cursor(cursor, &self.name)?;
            rows.retain(|(key, _)| self.compare(key, &after).is_gt());
        }
        rows.sort_by(|(a, _), (b, _)| self.compare(a, b));
        let limit = read_limit(call);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(last, _)| write_cursor(&self.name, last));
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }
}

/// The records up to the end of a page, where a list is in the order of ids: a walk needs to go no further.
pub(crate) struct Reach {
    pub(crate) ids: (Bound<u64>, Bound<u64>),
    pub(crate) is_descending: bool,
    /// The number of selected records, counted from the first of these ids, with one after the page.
    pub(crate) most: usize,
}

impl Reach {
    /// Finds the reach of a page, if the request's list is in the order of ids.
    pub(crate) fn from_parameters(call: &Call) -> Result<Option<Self>, Failure> {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        let most = read_limit(call).saturating_add(1);
        if call.operation.parameter("cursor").is_some() {
            let order = Order::from_parameters(call);
            if order.field != Some("id") {
                return Ok(None);
            }
            let after = call.parameter("cursor").map(|cursor| read_cursor(cursor, &order.name)).transpose()?;
            let ids = match after {
                None => everything,
                Some((_, id)) if order.is_descending => (Bound::Unbounded, Bound::Excluded(id)),
                Some((_, id)) => (Bound::Excluded(id), Bound::Unbounded),
            };
            return Ok(Some(Self { ids, is_descending: order.is_descending, most }));
        }
        let is_plain = call.operation.parameter("start").is_some() && call.parameter("sort").is_none();
        Ok(is_plain.then(|| Self { ids: everything, is_descending: false, most: most.saturating_add(read_start(call)) }))
    }
}

fn read_start(call: &Call) -> usize {
    call.parameter("start").and_then(|start| start.parse().ok()).unwrap_or(0)
}

pub(crate) fn read_limit(call: &Call) -> usize {
    let most = call.operation.most_on_a_page().unwrap_or(usize::MAX);
    call.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(DEFAULT_LIMIT).min(most)
}

/// Writes a cursor, which names its list and the last record that was answered.
pub(crate) fn write_cursor(list: &str, (value, id): &Key) -> String {
    URL_SAFE_NO_PAD.encode(json!([list, value, id]).to_string())
}

pub(crate) fn read_cursor(cursor: &str, list: &str) -> Result<Key, Failure> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok();
    let parts = decoded.and_then(|bytes| serde_json::from_slice::<(String, Value, u64)>(&bytes).ok());
    match parts {
        Some((own, value, id)) if own == list => Ok((value, id)),
        Some(_) => Err(Failure::invalid("cursor", "belongs to another list or order")),
        None => Err(Failure::invalid("cursor", "is not a cursor of this API")),
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

/// Sorts by v1's `sort`, such as `field ASC, other DESC`. Fields that no record has leave the order as it is.
pub(crate) fn sort_v1(call: &Call, rows: &mut [&Record]) {
    let orders: Vec<(&str, bool)> = call
        .tokens("sort")
        .unwrap_or_default()
        .into_iter()
        .filter_map(|part| {
            let mut words = part.split_whitespace();
            Some((words.next()?, words.next().is_some_and(|w| w.eq_ignore_ascii_case("desc"))))
        })
        .collect();
    rows.sort_by(|a, b| {
        orders.iter().fold(Ordering::Equal, |so_far, (field, descending)| {
            let order = compare(find_or_null(a, field), find_or_null(b, field));
            so_far.then(if *descending { order.reverse() } else { order })
        })
    });
}

fn find_or_null<'a>(row: &'a Record, field: &str) -> &'a Value {
    row.get(field).unwrap_or(&Value::Null)
}

/// Cuts a page of v1, which is given by the number of its first record.
pub(crate) fn cut_page<'a, T>(call: &Call, rows: &'a [T]) -> (&'a [T], Value) {
    let start = read_start(call).min(rows.len());
    let end = start.saturating_add(read_limit(call)).min(rows.len());
    let mut pagination = json!({ "start": start, "limit": read_limit(call), "more_items_in_collection": end < rows.len() });
    if end < rows.len() {
        pagination["next_start"] = json!(end);
    }
    (&rows[start..end], pagination)
}

/// Makes the next page of an answer the same one again. `query` is the request's.
pub(crate) fn repeat_page(answer: &mut Value, query: &str) {
    let Some(beside) = answer.get_mut("additional_data").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, beside.get_mut("pagination"), value.parse::<u64>()) {
            ("cursor", ..) => drop(beside.insert("next_cursor".to_owned(), value.into())),
            ("start", Some(pagination), Ok(start)) => {
                pagination["more_items_in_collection"] = Value::Bool(true);
                pagination["next_start"] = start.into();
            }
            _ => {}
        }
    }
}
