//! What a collection demands of a record beyond its types, and what a change brings with it.

use serde_json::{Value, json};

use crate::answer::Call;
use crate::engine::fields::field_key;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::engine::{fields, filters};
use crate::statistics;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, flag, id_of, is_deleted, text};

/// A record about to be kept: `row` already has the body in it.
pub(crate) struct Draft<'a> {
    pub(crate) state: &'a State,
    pub(crate) call: &'a Call,
    pub(crate) table: &'a str,
    pub(crate) before: Option<&'a Record>,
    pub(crate) row: &'a mut Record,
}

pub(crate) type Rule = fn(&mut Draft) -> Result<(), Failure>;
/// Called with a record as it was and as it is now kept.
pub(crate) type After = fn(&mut State, &Call, Option<&Record>, &Record);

#[expect(clippy::unnecessary_wraps, reason = "a rule like the others")]
pub(crate) fn none(_: &mut Draft) -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn nothing_after(_: &mut State, _: &Call, _: Option<&Record>, _: &Record) {}

impl Draft<'_> {
    /// Whether the body brings a value for this field.
    pub(crate) fn brings(&self, name: &str) -> bool {
        self.call.body.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.row.insert(name.to_owned(), value.into());
    }

    pub(crate) fn clear(&mut self, name: &str) {
        self.row.shift_remove(name);
    }

    pub(crate) fn was(&self, name: &str) -> Option<&Value> {
        self.before.and_then(|before| before.get(name))
    }

    pub(crate) fn named(&self, name: &str) -> Result<(), Failure> {
        if text(self.row, name).trim().is_empty() { Err(Failure::invalid(name, "must not be empty")) } else { Ok(()) }
    }
}

pub(crate) fn deal(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("title")?;
    if !fields::is_currency(text(draft.row, "currency")) {
        return Err(Failure::invalid("currency", "must be a currency's three letters"));
    }
    if draft.row.get("probability").and_then(Value::as_f64).is_some_and(|p| !(0.0..=100.0).contains(&p)) {
        return Err(Failure::invalid("probability", "must be between 0 and 100"));
    }
    place(draft)?;
    conclude(draft)?;
    let archived = flag(draft.row, "is_archived");
    if !archived {
        draft.clear("archive_time");
    } else if !draft.brings("archive_time") && draft.was("is_archived") != Some(&Value::Bool(true)) {
        draft.set("archive_time", stamp(draft.call.now));
    }
    Ok(())
}

/// Finds a deal's pipeline and stage: a stage implies its pipeline, a pipeline its first stage.
fn place(draft: &mut Draft) -> Result<(), Failure> {
    let row = &*draft.row;
    let stages_of = |pipeline: Option<&Value>| {
        let stages = draft.state.live("stages").filter(move |stage| stage.get("pipeline_id") == pipeline);
        stages.min_by_key(|stage| stage.get("order_nr").and_then(Value::as_u64))
    };
    let stage = if draft.brings("stage_id") {
        let stage = draft.state.linked(row, "stage_id", "stages");
        if draft.brings("pipeline_id") && stage.and_then(|s| s.get("pipeline_id")) != row.get("pipeline_id") {
            return Err(Failure::invalid("stage_id", "does not belong to the pipeline"));
        }
        stage
    } else if draft.brings("pipeline_id") && draft.was("pipeline_id") != row.get("pipeline_id") {
        stages_of(row.get("pipeline_id"))
    } else if draft.before.is_some() {
        return Ok(());
    } else {
        let first = draft.state.live("pipelines").min_by_key(|p| p.get("order_nr").and_then(Value::as_u64));
        first.and_then(|pipeline| stages_of(pipeline.get("id")))
    };
    let stage = stage.ok_or_else(|| Failure::invalid("pipeline_id", "has no stage"))?;
    let (id, pipeline) = (stage.get("id").cloned(), stage.get("pipeline_id").cloned());
    if draft.was("stage_id") != id.as_ref() {
        if let Some(before) = draft.before {
            statistics::remember(before, draft.row);
        }
        draft.set("stage_change_time", stamp(draft.call.now));
    }
    draft.set("stage_id", id);
    draft.set("pipeline_id", pipeline);
    Ok(())
}

/// Keeps a deal's status and the times and reason that belong to it together.
fn conclude(draft: &mut Draft) -> Result<(), Failure> {
    const BELONGS: &[(&str, &[&str])] =
        &[("lost_reason", &["lost"]), ("lost_time", &["lost"]), ("won_time", &["won"]), ("close_time", &["won", "lost"])];
    let status = text(draft.row, "status").to_owned();
    let now = stamp(draft.call.now);
    for (field, statuses) in BELONGS {
        if statuses.contains(&status.as_str()) {
            continue;
        }
        if draft.brings(field) {
            return Err(Failure::invalid(field, format!("can only be set with status {}", statuses.join(" or "))));
        }
        draft.clear(field);
    }
    let time = match status.as_str() {
        "won" => "won_time",
        "lost" => "lost_time",
        _ => return Ok(()),
    };
    let changed = draft.was("status").and_then(Value::as_str) != Some(&status);
    if !draft.brings(time) && (changed || !draft.row.contains_key(time)) {
        let when = draft.call.body.get("close_time").filter(|v| !v.is_null()).cloned();
        draft.set(time, when.unwrap_or_else(|| now.into()));
    }
    if !draft.brings("close_time") && (changed || draft.brings(time)) {
        draft.set("close_time", draft.row.get(time).cloned());
    }
    if status == "won" && !draft.row.contains_key("first_won_time") {
        draft.set("first_won_time", draft.row.get("won_time").cloned());
    }
    Ok(())
}

pub(crate) fn person(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("name")?;
    let name = text(draft.row, "name").trim().to_owned();
    let (first, last) = name.split_once(' ').map_or((name.as_str(), ""), |(first, last)| (first, last.trim()));
    draft.set("first_name", first);
    if last.is_empty() {
        draft.clear("last_name");
    } else {
        draft.set("last_name", last);
    }
    for list in ["emails", "phones", "im"] {
        contacts(draft, list)?;
    }
    Ok(())
}

/// At most one primary; where there is none, the first is it.
fn contacts(draft: &mut Draft, list: &str) -> Result<(), Failure> {
    let Some(entries) = draft.row.get_mut(list).and_then(Value::as_array_mut) else {
        return Ok(());
    };
    let is_primary = |entry: &Value| entry.get("primary") == Some(&Value::Bool(true));
    let primaries = entries.iter().filter(|entry| is_primary(entry)).count();
    if primaries > 1 {
        return Err(Failure::invalid(list, "at most one may be primary"));
    }
    for (index, entry) in entries.iter_mut().enumerate() {
        if entry.get("value").and_then(Value::as_str).is_none_or(|v| v.trim().is_empty()) {
            return Err(Failure::invalid(list, "each needs a value"));
        }
        let primary = is_primary(entry) || (primaries == 0 && index == 0);
        let label = entry.get("label").and_then(Value::as_str).filter(|l| !l.is_empty()).unwrap_or("work");
        *entry = json!({ "value": entry["value"], "primary": primary, "label": label });
    }
    Ok(())
}

pub(crate) fn activity(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("subject")?;
    if draft.brings("person_id") {
        return Err(Failure::invalid("person_id", "is read-only; send participants"));
    }
    if let Some(participants) = draft.row.get("participants").and_then(Value::as_array).filter(|_| draft.brings("participants")) {
        for participant in participants {
            let id = participant.get("person_id").and_then(Value::as_u64);
            if id.and_then(|id| draft.state.get_live("persons", id)).is_none() {
                return Err(Failure::invalid("participants", "each needs the id of a person"));
            }
        }
        let primary = participants.iter().find(|p| p.get("primary") == Some(&Value::Bool(true))).or_else(|| participants.first());
        match primary.and_then(|p| p.get("person_id")).cloned() {
            Some(person) => draft.set("person_id", person),
            None => draft.clear("person_id"),
        }
    }
    if !flag(draft.row, "done") {
        draft.clear("marked_as_done_time");
    } else if draft.was("done") != Some(&Value::Bool(true)) {
        draft.set("marked_as_done_time", stamp(draft.call.now));
    }
    Ok(())
}

pub(crate) fn stage(draft: &mut Draft) -> Result<(), Failure> {
    if draft.row.get("deal_probability").and_then(Value::as_u64).is_none_or(|p| p > 100) {
        return Err(Failure::invalid("deal_probability", "must be between 0 and 100"));
    }
    if draft.brings("days_to_rotten") && draft.row.get("days_to_rotten").and_then(Value::as_u64).is_none() {
        return Err(Failure::invalid("days_to_rotten", "must not be negative"));
    }
    draft.named("name")
}

pub(crate) fn note(draft: &mut Draft) -> Result<(), Failure> {
    const MAX_CONTENT: usize = 100 * 1024;
    const ABOUT: &[&str] = &["lead_id", "deal_id", "person_id", "org_id", "project_id", "task_id"];
    draft.named("content")?;
    if text(draft.row, "content").len() > MAX_CONTENT {
        return Err(Failure::invalid("content", "must have at most 100 KB"));
    }
    if !ABOUT.iter().any(|field| draft.row.contains_key(*field)) {
        return Err(Failure::bad_request(format!("A note needs at least one of {}.", ABOUT.join(", "))));
    }
    // Written as 0 and 1, read as false and true.
    for (_, value) in draft.row.iter_mut().filter(|(name, _)| name.starts_with("pinned_to_")) {
        *value = Value::Bool(matches!(value, Value::Bool(true)) || value.as_u64() == Some(1));
    }
    draft.set("last_update_user_id", draft.call.user);
    Ok(())
}

/// A new field gets its key, its options their ids; what every company has stays as it is.
pub(crate) fn field(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("field_name")?;
    if draft.before.is_some() {
        return changeable(draft.row);
    }
    let kind = text(draft.row, "field_type").to_owned();
    let labels = draft.row.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
    if matches!(kind.as_str(), "enum" | "set") == labels.is_empty() {
        return Err(Failure::invalid("options", "are for the types enum and set, which need them"));
    }
    let table = draft.table;
    let key = field_key(draft.state, &format!("{table}.{}", draft.state.rows(table).count()));
    let options = if labels.is_empty() { Value::Null } else { fields::numbered(&labels) };
    let whole = fields::definition(text(draft.row, "field_name"), &kind, &key, &options, true);
    for (name, value) in whole {
        if name == "options" || !draft.row.contains_key(&name) {
            draft.row.insert(name, value);
        }
    }
    Ok(())
}

pub(crate) fn changeable(row: &Record) -> Result<(), Failure> {
    match row.get("is_custom_field") {
        Some(Value::Bool(false)) => Err(Failure::invalid("field_code", "is that of a field that every company has")),
        _ => Ok(()),
    }
}

pub(crate) fn filter(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("name")?;
    if let Some(conditions) = draft.call.body.get("conditions") {
        draft.set("conditions", filters::normal(draft.state, conditions)?);
    }
    Ok(())
}

/// A deleted pipeline takes its stages and their deals with it.
pub(crate) fn after_pipeline(state: &mut State, call: &Call, _: Option<&Record>, pipeline: &Record) {
    if is_deleted(pipeline) {
        let inside = |row: &Record| row.get("pipeline_id") == pipeline.get("id") && !is_deleted(row);
        for table in ["stages", "deals"] {
            state.change(table, inside, |row| mark_deleted(row, call));
        }
    }
}

/// A stage that moves takes its deals along; those of a deleted one move to a neighbour, or are deleted with the last.
pub(crate) fn after_stage(state: &mut State, call: &Call, before: Option<&Record>, now: &Record) {
    let Some(before) = before else { return };
    let inside = |row: &Record| row.get("stage_id") == now.get("id") && !is_deleted(row);
    if is_deleted(now) {
        let order = |row: &Record| row.get("order_nr").and_then(Value::as_u64).unwrap_or(0);
        let siblings = state.live("stages").filter(|other| other.get("pipeline_id") == now.get("pipeline_id"));
        let neighbour = siblings.min_by_key(|other| (order(other) > order(now), order(other).abs_diff(order(now)))).and_then(id_of);
        state.change("deals", inside, |deal| match neighbour {
            Some(neighbour) => {
                let time = stamp(call.now);
                statistics::remember(&deal.clone(), deal);
                deal.insert("stage_id".to_owned(), neighbour.into());
                deal.insert("stage_change_time".to_owned(), time.clone().into());
                deal.insert("update_time".to_owned(), time.into());
            }
            None => mark_deleted(deal, call),
        });
    } else if before.get("pipeline_id") != now.get("pipeline_id") {
        let pipeline = now.get("pipeline_id").cloned().unwrap_or_default();
        state.change("deals", inside, |deal| {
            deal.insert("pipeline_id".to_owned(), pipeline.clone());
        });
    }
}
