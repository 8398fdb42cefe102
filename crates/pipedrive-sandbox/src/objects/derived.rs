//! Computed fields that several kinds of objects share, such as the number of their notes.

use serde_json::Value;

use crate::engine::collection::Collection;
use crate::engine::state::State;
use crate::objects::{followers, mailbox};
use crate::value::record::{Record, read_flag, read_handle, read_id, read_text};

/// Computes a shared field of a record.
pub(super) fn derive(state: &State, at: &Collection, row: &Record, name: &str) -> Option<Value> {
    let id = read_id(row)?;
    let is_about = |other: &&Record| other.get(at.foreign_key).is_some_and(|to| Some(to) == read_handle(row));
    let count = |table: &str| state.live(table).filter(is_about).count().into();
    let activities = |done: Option<bool>| {
        state.live("activities").filter(is_about).filter(move |a| done.is_none_or(|done| read_flag(a, "done") == done))
    };
    Some(match name {
        "notes_count" => count("notes"),
        "files_count" => count("files"),
        "activities_count" => count("activities"),
        "done_activities_count" => activities(Some(true)).count().into(),
        "undone_activities_count" => activities(Some(false)).count().into(),
        "email_messages_count" => mailbox::list_about(state, at.name, id).count().into(),
        "last_incoming_mail_time" => mailbox::find_last_time(state, at.name, id, mailbox::is_received)?,
        "last_outgoing_mail_time" => mailbox::find_last_time(state, at.name, id, mailbox::is_sent)?,
        "followers_count" => followers::list_followers(state, at.foreign_key, id).count().into(),
        "smart_bcc_email" => format!("sandbox+{}{id}@example.com", at.label.to_lowercase()).into(),
        "owner_name" => state.find_linked(row, "owner_id", "users")?.get("name")?.clone(),
        "person_name" => state.find_linked(row, "person_id", "persons")?.get("name")?.clone(),
        "org_name" => state.find_linked(row, "org_id", "organizations")?.get("name")?.clone(),
        "first_char" => read_text(row, "name").chars().next()?.to_lowercase().to_string().into(),
        _ => match (name.strip_prefix("next_activity_"), name.strip_prefix("last_activity_")) {
            (Some(part), _) => read_activity(activities(Some(false)).min_by_key(|activity| read_due(activity))?, part)?,
            (_, Some(part)) => read_activity(activities(Some(true)).max_by_key(|activity| read_due(activity))?, part)?,
            _ => return None,
        },
    })
}

fn read_due(activity: &Record) -> (&str, &str, Option<u64>) {
    (read_text(activity, "due_date"), read_text(activity, "due_time"), read_id(activity))
}

fn read_activity(activity: &Record, part: &str) -> Option<Value> {
    let field = match part {
        "date" => "due_date",
        "time" => "due_time",
        other => other,
    };
    activity.get(field).cloned()
}

/// Splits the name of a count such as `related_won_deals_count` into the kind of deals and their statuses.
pub(super) fn read_deal_count(name: &str) -> Option<(&str, &'static [&'static str])> {
    let prefix = name.strip_suffix("_deals_count")?;
    let (kind, status) = prefix.rsplit_once('_').unwrap_or(("", prefix));
    let statuses: &[&str] = match status {
        "open" => &["open"],
        "won" => &["won"],
        "lost" => &["lost"],
        "closed" => &["won", "lost"],
        _ => return None,
    };
    matches!(kind, "" | "related" | "participant").then_some((kind, statuses))
}

/// Lists the deals of these statuses.
pub(super) fn list_deals<'a>(state: &'a State, statuses: &'static [&'static str]) -> impl Iterator<Item = &'a Record> {
    state.live("deals").filter(move |deal| statuses.contains(&read_text(deal, "status")))
}
