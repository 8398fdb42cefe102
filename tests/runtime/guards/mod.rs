//! Writes that look at the record first: what it is expected to be, and what they would change.

mod costs;
mod diffs;
mod expectations;
mod races;

use serde_json::Value;

use crate::support::runtime::RecordedAccount;

/// Adds a record, and returns its `data`.
async fn add(account: &RecordedAccount, action: &str, input: Value) -> Value {
    let added = account.call(action, input, Value::Null).await;
    assert_eq!(added["ok"], true, "{added}");
    added["data"].clone()
}

/// Counts the requests so far that may have changed something.
fn count_writes(account: &RecordedAccount) -> usize {
    ["POST", "PUT", "PATCH", "DELETE"].iter().map(|method| account.count(method, "/api/")).sum()
}

/// Lists the faults of a conflict: the path, the value that was expected, and the one that stands.
#[track_caller]
fn read_conflict(outcome: &Value) -> Vec<(&str, &Value, &Value)> {
    let error = &outcome["error"];
    assert_eq!((error["kind"].as_str(), error["retry"].as_str()), (Some("conflict"), Some("never")), "{outcome}");
    let faults = error["faults"].as_array().expect("a conflict has faults");
    faults.iter().map(|fault| (fault["path"].as_str().unwrap_or_default(), &fault["expected"], &fault["actual"])).collect()
}
