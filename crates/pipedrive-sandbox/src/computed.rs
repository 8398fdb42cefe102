//! Values that no record holds, such as how many notes there are about it.

use serde_json::Value;

use crate::collections::Collection;
use crate::engine::state::State;
use crate::value::money;
use crate::value::record::{Record, flag, handle, id_of, is_deleted, text};
use crate::{attached, followers, mail, participants};

/// The value of a computed field; none where there is no such field or it has no value.
pub(crate) fn value(state: &State, collection: &Collection, row: &Record, name: &str) -> Option<Value> {
    match collection.name {
        "deals" | "persons" | "organizations" | "products" | "leads" => {}
        attached::TABLE => return attached::value(state, row, name),
        _ => return None,
    }
    let id = id_of(row)?;
    let about = |other: &&Record| other.get(collection.known_as).is_some_and(|to| Some(to) == handle(row));
    let activities =
        |done: Option<bool>| state.live("activities").filter(about).filter(move |a| done.is_none_or(|done| flag(a, "done") == done));
    Some(match name {
        "notes_count" => count(state.live("notes").filter(about)),
        "activities_count" => count(activities(None)),
        "done_activities_count" => count(activities(Some(true))),
        "undone_activities_count" => count(activities(Some(false))),
        "files_count" => count(state.live("files").filter(about)),
        "email_messages_count" => count(mail::about(state, collection.name, id)),
        "last_incoming_mail_time" => mail::last_time(state, collection.name, id, mail::is_received)?,
        "last_outgoing_mail_time" => mail::last_time(state, collection.name, id, mail::is_sent)?,
        "products_count" => count(attached::of_deal(state, row)),
        "followers_count" => count(followers::of(state, collection.known_as, id)),
        "participants_count" => count(participants::of(state, id)),
        "people_count" => count(state.live("persons").filter(about)),
        "smart_bcc_email" => format!("sandbox+{}{id}@example.com", collection.label.to_lowercase()).into(),
        "marketing_status" => "no_consent".into(),
        "owner_name" => state.linked(row, "owner_id", "users")?.get("name")?.clone(),
        "person_name" => state.linked(row, "person_id", "persons")?.get("name")?.clone(),
        "org_name" => state.linked(row, "org_id", "organizations")?.get("name")?.clone(),
        "org_hidden" | "person_hidden" => Value::Bool(false),
        "first_char" => text(row, "name").chars().next()?.to_lowercase().to_string().into(),
        "active" => Value::Bool(text(row, "status") == "open" && !is_deleted(row)),
        "stage_order_nr" => state.linked(row, "stage_id", "stages")?.get("order_nr")?.clone(),
        "formatted_value" => money::format(amount(row), text(row, "currency")).into(),
        "weighted_value" => weighted(state, row).into(),
        "formatted_weighted_value" => money::format(weighted(state, row), text(row, "currency")).into(),
        "weighted_value_currency" => row.get("currency")?.clone(),
        _ => match (name.strip_prefix("next_activity_"), name.strip_prefix("last_activity_"), name.strip_suffix("_deals_count")) {
            (Some(part), ..) => part_of(activities(Some(false)).min_by_key(|a| due(a))?, part)?,
            (_, Some(part), _) => part_of(activities(Some(true)).max_by_key(|a| due(a))?, part)?,
            (.., Some(which)) => count(deals(state, collection, row, id, which)?),
            _ => return None,
        },
    })
}

/// A deal's value times its probability: its own, else its stage's where the pipeline uses them.
pub(crate) fn weighted(state: &State, deal: &Record) -> f64 {
    let of_stage = || {
        let pipeline = state.linked(deal, "pipeline_id", "pipelines")?;
        flag(pipeline, "is_deal_probability_enabled")
            .then(|| state.linked(deal, "stage_id", "stages")?.get("deal_probability")?.as_f64())?
    };
    let probability = match text(deal, "status") {
        "won" => 100.0,
        "lost" => 0.0,
        _ => deal.get("probability").and_then(Value::as_f64).or_else(of_stage).unwrap_or(100.0),
    };
    money::round(amount(deal) * probability / 100.0)
}

/// What a deal or a lead is worth.
pub(crate) fn amount(row: &Record) -> f64 {
    row.get("value").and_then(|value| value.get("amount").unwrap_or(value).as_f64()).unwrap_or(0.0)
}

fn count<'a>(rows: impl Iterator<Item = &'a Record>) -> Value {
    Value::from(rows.count())
}

fn due(activity: &Record) -> (&str, &str, Option<u64>) {
    (text(activity, "due_date"), text(activity, "due_time"), id_of(activity))
}

fn part_of(activity: &Record, part: &str) -> Option<Value> {
    let field = match part {
        "date" => "due_date",
        "time" => "due_time",
        other => other,
    };
    activity.get(field).cloned()
}

/// The deals that a name such as `related_won` counts: one's own, or those of the other side of a contact.
fn deals<'a>(
    state: &'a State,
    collection: &'a Collection,
    row: &'a Record,
    id: u64,
    which: &str,
) -> Option<impl Iterator<Item = &'a Record>> {
    let (kind, status) = which.rsplit_once('_').unwrap_or(("", which));
    if !matches!(kind, "" | "related" | "participant") {
        return None;
    }
    let statuses: &[&str] = match status {
        "open" => &["open"],
        "won" => &["won"],
        "lost" => &["lost"],
        "closed" => &["won", "lost"],
        _ => return None,
    };
    let is_own = move |deal: &Record| deal.get(collection.known_as).and_then(Value::as_u64) == Some(id);
    let is_related = move |deal: &Record| match collection.name {
        "persons" => row.contains_key("org_id") && deal.get("org_id") == row.get("org_id"),
        _ => state.linked(deal, "person_id", "persons").is_some_and(|p| p.get("org_id").and_then(Value::as_u64) == Some(id)),
    };
    let taking_part = if kind == "participant" && collection.name == "persons" { participants::deals_of(state, id) } else { Vec::new() };
    let deals = state.live("deals").filter(move |deal| statuses.contains(&text(deal, "status")));
    Some(deals.filter(move |deal| match kind {
        "" => is_own(deal),
        "related" => !is_own(deal) && is_related(deal),
        _ => !is_own(deal) && id_of(deal).is_some_and(|deal| taking_part.contains(&deal)),
    }))
}
