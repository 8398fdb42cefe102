//! Looks for the record that a call may have added, after its outcome was lost.

use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::declare::action::FoundIn;
use crate::declare::method::Method;
use crate::declare::page::{CURSOR, LIMIT};
use crate::exchange::files::Files;
use crate::exchange::request::{Body, Request};
use crate::runtime::call::Call;
use crate::runtime::stop::Stop;
use crate::value::error::Error;
use crate::value::outcome::Answer;
use crate::value::raw_json::RawJson;
use crate::value::retry_after::read_date;
use crate::value::utc::{is_not_before, write_utc};

/// The most pages of the list that are read. A record that is further away is not found.
const MOST_PAGES: usize = 20;

/// The size of a page, where the list takes one.
const PAGE: u64 = 100;

/// A record that a call may have added, and a text that is the same for the same record.
pub(in crate::runtime) struct FoundRecord {
    pub(in crate::runtime) answer: Answer,
    pub(in crate::runtime) record: String,
}

/// Looks for records that may be those of a call that began at a time.
///
/// They were added since by this user, and are equal in every value that was sent.
/// Without a list to look in, or an identity of the user, it finds none.
pub(in crate::runtime) async fn look(call: &Call<'_>, since: SystemTime) -> Result<Vec<FoundRecord>, Error> {
    find_records(call, since).await.map_err(Stop::into_error)
}

async fn find_records(call: &Call<'_>, since: SystemTime) -> Result<Vec<FoundRecord>, Stop> {
    let Some((declaration, found_in)) = call.declaration.and_then(|declaration| Some((declaration, declaration.found_in?))) else {
        return Ok(Vec::new());
    };
    let Body::Json(sent) = call.request(declaration).body else { return Ok(Vec::new()) };
    let Ok(sent) = serde_json::from_slice::<Value>(&sent) else { return Ok(Vec::new()) };
    let Some((user, since)) = identify(call, since).await? else { return Ok(Vec::new()) };
    let list = (found_in.list)();
    let mut input = Map::from_iter([(found_in.since.to_owned(), Value::from(&*since))]);
    if list.fields().any(|field| field.name == LIMIT) {
        input.insert(LIMIT.to_owned(), PAGE.into());
    }
    let mut found = Vec::new();
    for _ in 0..MOST_PAGES {
        let response = call.send_helper(Request::build(list, &input, &Files::default())).await?;
        let answer = response.into_answer(list)?;
        // A list may be null where it is empty.
        let records: Option<Vec<&RawValue>> = serde_json::from_str(answer.data.as_str()).unwrap_or_default();
        for raw in records.unwrap_or_default() {
            let Ok(record) = serde_json::from_str::<Value>(raw.get()) else { continue };
            let is_ours = is_of(&found_in, &record, &user, &since) && is_sent(&sent, &record);
            if let Some(record) = name_record(call, &record).filter(|_| is_ours) {
                found.push(FoundRecord { answer: Answer::new(RawJson::from_text(raw.get().into())), record });
            }
        }
        match answer.page.and_then(|page| page.next) {
            Some(next) => input.insert(CURSOR.to_owned(), next.into()),
            None => return Ok(found),
        };
    }
    // There is more to read, in which there may be another one.
    Ok(Vec::new())
}

/// Asks who the user is, and reads the vendor's clock: returns the ID, and the time by that clock.
async fn identify(call: &Call<'_>, since: SystemTime) -> Result<Option<(Value, String)>, Stop> {
    let Some(identity) = call.connector.identity.as_ref().filter(|identity| !identity.user.is_empty()) else { return Ok(None) };
    let response = call.send_helper(Request::new(Method::Get, identity.path, identity.cost)).await?;
    let Ok(body) = serde_json::from_slice::<Value>(response.body()) else { return Ok(None) };
    let Some(user) = body.pointer(identity.user).filter(|user| !user.is_null()) else { return Ok(None) };
    let Some(theirs) = response.header("date").and_then(read_date) else { return Ok(None) };
    // The header has whole seconds, so that their clock is less than a second ahead of it.
    let ours = SystemTime::now();
    let shift = |time: SystemTime, by: Duration, ahead: bool| if ahead { time.checked_add(by) } else { time.checked_sub(by) };
    let since = match theirs.duration_since(ours) {
        Ok(ahead) => shift(since, ahead, true),
        Err(behind) => shift(since, behind.duration(), false),
    };
    Ok(since.map(|since| (user.clone(), write_utc(since))))
}

/// Checks that a record was added by a user, at a time or later.
fn is_of(found_in: &FoundIn, record: &Value, user: &Value, since: &str) -> bool {
    let created = record[found_in.created].as_str();
    is_equal(user, &record[found_in.creator]) && created.is_some_and(|created| is_not_before(created, since))
}

/// Checks that a record has every value that was sent.
fn is_sent(sent: &Value, record: &Value) -> bool {
    match (sent, record) {
        (Value::Object(sent), Value::Object(record)) => {
            sent.iter().all(|(name, value)| is_sent(value, record.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Array(sent), Value::Array(record)) => {
            sent.len() == record.len() && sent.iter().zip(record).all(|(sent, record)| is_sent(sent, record))
        }
        _ => is_equal(sent, record),
    }
}

/// Checks that two values are the same. `5` and `5.0` are.
fn is_equal(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one.to_bits() == other.to_bits())
}

/// Names a record by a text that is the same whichever call returned it.
pub(in crate::runtime) fn name_record(call: &Call<'_>, record: &Value) -> Option<String> {
    let list = (call.declaration?.found_in?.list)().key;
    let id = record.get("id").filter(|id| id.is_string() || id.is_u64())?;
    let connection = call.connection;
    Some(format!("{}/{}/{}/{list}/{id}", call.connector.key, connection.identity(), connection.origin))
}

/// Names the record that an answer has, if it could be looked for.
pub(in crate::runtime) fn name_answer(call: &Call<'_>, answer: &Answer) -> Option<String> {
    call.declaration?.found_in?;
    name_record(call, &serde_json::from_str(answer.data.as_str()).ok()?)
}

/// Words what a look-up that found no single record leads to.
pub(in crate::runtime) fn explain_not_found(call: &Call<'_>, count: usize) -> String {
    match (count, call.declaration.and_then(|declaration| declaration.found_in)) {
        (_, None) => format!("Records of {} cannot be looked for: the vendor does not say who added them.", call.key),
        (0, _) => "No record that could be it was found, which does not prove that there is none.".to_owned(),
        (count, _) => format!("{count} records could be it."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn record_has_every_value_that_was_sent_and_may_have_more() {
        let record =
            json!({"id": 7, "title": "Once", "value": 5.0, "labels": [1, 2], "custom": {"a": {"value": 1, "unit": "x"}}, "note": null});
        for sent in [
            json!({"title": "Once"}),
            json!({"value": 5, "labels": [1, 2]}),
            json!({"custom": {"a": {"value": 1}}, "note": null, "absent": null}),
        ] {
            assert!(is_sent(&sent, &record), "{sent}");
        }
        for sent in [
            json!({"title": "once"}),
            json!({"labels": [2, 1]}),
            json!({"labels": [1]}),
            json!({"absent": 1}),
            json!({"note": ""}),
            json!({"custom": {"a": {"value": 2}}}),
        ] {
            assert!(!is_sent(&sent, &record), "{sent}");
        }
    }
}
