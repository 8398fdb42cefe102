//! What happened to a deal, a person or an organization: the memory of changed fields, and all updates as one flow.

use serde_json::{Value, json};

use crate::answer::{Call, Report, page, shaped};
use crate::collections::{Collection, V1, collection, known};
use crate::engine::read::{limit, numbered, read_cursor, write_cursor};
use crate::engine::state::State;
use crate::engine::{fields, read, related};
use crate::facts::api::api;
use crate::value::clock::{stamp, v1_time};
use crate::value::failure::Failure;
use crate::value::record::{Record, flag, id_of, plain, text};
use crate::{mail, statistics};

pub(crate) const REPORTS: &[(&str, Report)] = &[
    ("/api/v1/deals/{id}/flow", |state, call| flow(state, call, known("deals"))),
    ("/api/v1/persons/{id}/flow", |state, call| flow(state, call, known("persons"))),
    ("/api/v1/organizations/{id}/flow", |state, call| flow(state, call, known("organizations"))),
    ("/api/v1/deals/{id}/changelog", |state, call| changelog(state, call, known("deals"))),
    ("/api/v1/persons/{id}/changelog", |state, call| changelog(state, call, known("persons"))),
    ("/api/v1/organizations/{id}/changelog", |state, call| changelog(state, call, known("organizations"))),
];

/// The table of remembered changes, each of one field.
const CHANGES: &str = "changes";

/// How many changes of one record are remembered: older ones make way.
const REMEMBERED: usize = 500;

/// Fields that follow from others, or that are no one's to change.
const UNTOLD: &[&str] = &["id", "update_time", "stage_change_time", "custom_fields", statistics::PAST];

/// What `items` may ask for.
const KINDS: &[&str] = &[
    "call",
    "activity",
    "plannedActivity",
    "change",
    "note",
    "deal",
    "file",
    "dealChange",
    "personChange",
    "organizationChange",
    "follower",
    "dealFollower",
    "personFollower",
    "organizationFollower",
    "participant",
    "comment",
    "mailMessage",
    "mailMessageWithAttachment",
    "invoice",
    "document",
    "marketing_campaign_stat",
    "marketing_status_change",
];

/// A table whose records are updates of others.
struct Source {
    table: &'static str,
    kind: &'static str,
    concerns: fn(&About, &Record) -> bool,
    tell: Tell,
    /// What the document's example has beside that shape: (name, field).
    beside: &'static [(&'static str, &'static str)],
}

/// How a record becomes an update's `data`.
#[derive(Clone, Copy)]
enum Tell {
    Change,
    /// In the shape that this operation answers it in.
    As(&'static str, &'static [&'static str]),
    /// As it is kept: no v1 operation answers it in its own right.
    AsKept,
}

const LINKED: Source = Source { table: "", kind: "", concerns: is_linked, tell: Tell::AsKept, beside: &[] };

/// What happens in the same second is told in this order, so that a change follows what it is about.
const SOURCES: &[Source] = &[
    Source { table: "deals", kind: "deal", tell: Tell::As("/api/v1/deals/timeline", &["data", "deals"]), ..LINKED },
    Source { table: "followers", kind: "follower", ..LINKED },
    Source { table: "participants", kind: "participant", ..LINKED },
    Source {
        table: "activities",
        kind: "activity",
        tell: Tell::As("/api/v1/projects/{id}/activities", &["data"]),
        beside: &[("note", "note"), ("created_by_user_id", "creator_user_id"), ("assigned_to_user_id", "owner_id")],
        ..LINKED
    },
    Source { table: "callLogs", kind: "call", tell: Tell::As("/api/v1/callLogs/{id}", &["data"]), ..LINKED },
    Source { table: "notes", kind: "note", tell: Tell::As("/api/v1/notes/{id}", &["data"]), ..LINKED },
    Source { table: "files", kind: "file", tell: Tell::As("/api/v1/files/{id}", &["data"]), ..LINKED },
    Source {
        table: "mailMessages",
        kind: "mailMessage",
        concerns: is_mail,
        tell: Tell::As("/api/v1/deals/{id}/mailMessages", &["data", "data"]),
        ..LINKED
    },
    Source { table: CHANGES, kind: "change", concerns: is_changed, tell: Tell::Change, ..LINKED },
];

/// The record whose flow is asked for.
struct About<'a> {
    state: &'a State,
    call: &'a Call,
    collection: &'static Collection,
    id: u64,
}

/// One update of a record.
struct Item<'a> {
    /// The type of the update, and another name by which `items` may ask for it.
    object: String,
    also: Option<String>,
    time: &'a str,
    source: &'static Source,
    row: &'a Record,
}

fn flow(state: &State, call: &Call, collection: &'static Collection) -> Result<Value, Failure> {
    let about = About::named(state, call, collection)?;
    let wanted = call.tokens("items");
    if let Some(unknown) = wanted.iter().flatten().find(|kind| !KINDS.contains(kind)) {
        return Err(Failure::invalid("items", format!("'{unknown}' is none of {}", KINDS.join(", "))));
    }
    let is_wanted = |item: &Item| wanted.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| item.is(kind)));
    let mut items: Vec<Item> = SOURCES.iter().flat_map(|source| about.items(source)).filter(is_wanted).collect();
    items.sort_by_key(|item| item.time);
    items.reverse();
    let (shown, pagination) = numbered(call, &items);
    let told: Vec<Value> = shown.iter().map(|item| about.tell(item)).collect();
    let related = about.related(&told);
    let updates = shown.iter().zip(told);
    let data = updates.map(|(item, data)| json!({ "object": item.object, "timestamp": v1_time(item.time), "data": data })).collect();
    let mut answer = page(data, json!({ "pagination": pagination }));
    answer["related_objects"] = related.unwrap_or_default();
    Ok(answer)
}

/// The changes of a record's fields, newest first.
fn changelog(state: &State, call: &Call, collection: &'static Collection) -> Result<Value, Failure> {
    let about = About::named(state, call, collection)?;
    let list = format!("{}:{}", call.operation.id, about.id);
    let mut changes: Vec<&Record> = changes_of(state, collection.name, about.id).collect();
    if let Some(cursor) = call.parameter("cursor") {
        let (_, last) = read_cursor(cursor, &list)?;
        changes.retain(|change| id_of(change) < Some(last));
    }
    changes.reverse();
    let more = changes.len() > limit(call);
    changes.truncate(limit(call));
    let last = changes.last().filter(|_| more).and_then(|change| id_of(change));
    let next = last.map(|last| write_cursor(&list, &(Value::Null, last)));
    Ok(page(changes.into_iter().map(logged).collect(), json!({ "next_cursor": next })))
}

impl<'a> About<'a> {
    fn named(state: &'a State, call: &'a Call, collection: &'static Collection) -> Result<Self, Failure> {
        read::named(state, call, collection).ok_or_else(|| call.missing(collection.label))?;
        Ok(Self { state, call, collection, id: call.id() })
    }

    fn is(&self, id: Option<&Value>) -> bool {
        id.and_then(Value::as_u64) == Some(self.id)
    }

    fn items(&self, source: &'static Source) -> Vec<Item<'a>> {
        let rows = self.state.live(source.table).filter(|row| self.is_told(source, row) && (source.concerns)(self, row));
        rows.map(|row| self.item(source, row)).collect()
    }

    fn is_told(&self, source: &Source, row: &Record) -> bool {
        match source.tell {
            Tell::Change => !flag(row, "is_custom") || self.call.asks_for("all_changes"),
            Tell::As(..) => collection(source.table).is_some(),
            Tell::AsKept => true,
        }
    }

    fn item(&self, source: &'static Source, row: &'a Record) -> Item<'a> {
        let own = self.collection.label.to_lowercase();
        let (object, also) = match source.kind {
            "change" => (format!("{own}Change"), Some("change".to_owned())),
            "follower" => ("follower".to_owned(), Some(format!("{own}Follower"))),
            "activity" if !flag(row, "done") => ("activity".to_owned(), Some("plannedActivity".to_owned())),
            "mailMessage" if mail::is_set(row, "has_attachments_flag") => {
                ("mailMessage".to_owned(), Some("mailMessageWithAttachment".to_owned()))
            }
            kind => (kind.to_owned(), None),
        };
        let time = ["log_time", "message_time", "add_time"].into_iter().find_map(|field| row.get(field)?.as_str());
        Item { object, also, time: time.unwrap_or_default(), source, row }
    }

    fn tell(&self, item: &Item) -> Value {
        let mut data = match item.source.tell {
            Tell::Change => self.changed(item.row),
            Tell::As(path, below) => self.shaped(item, path, below),
            Tell::AsKept => kept_without(item.row, &["is_deleted"]),
        };
        for (name, field) in item.source.beside {
            data.insert((*name).to_owned(), item.row.get(*field).cloned().unwrap_or_default());
        }
        Value::Object(data)
    }

    fn shaped(&self, item: &Item, path: &str, below: &[&str]) -> Record {
        let shape = api().answer("GET", path).and_then(|answer| api().below(answer, below));
        let shaped = shape.map(|shape| shaped(self.state, self.call, known(item.source.table), item.row, shape));
        match shaped {
            // A message's text is its own operation's to give.
            Some(Value::Object(data)) => data.into_iter().filter(|(name, _)| name != "body").collect(),
            _ => Record::new(),
        }
    }

    fn changed(&self, change: &Record) -> Record {
        let mut data = kept_without(change, &["table", "is_custom"]);
        let formatted =
            ["new_value", "old_value"].into_iter().filter_map(|side| Some((format!("{side}_formatted"), self.name_of(change, side)?)));
        data.insert("additional_data".to_owned(), Value::Object(formatted.collect()));
        data
    }

    /// The name of the record that a changed field points to, or did.
    fn name_of(&self, change: &Record, side: &str) -> Option<Value> {
        let (_, table) = self.collection.links.iter().find(|(field, _)| key(self.collection, field) == text(change, "field_key"))?;
        let row = self.state.linked(change, side, table)?;
        row.get("name").or_else(|| row.get("title")).cloned()
    }

    /// The records that the updates name, by kind and id, as far as the document has the kind.
    fn related(&self, told: &[Value]) -> Option<Value> {
        let tables = ["users", "deals", "persons", "organizations"];
        let named = |table: &'static str, data: &Value| Some((table, self.state.get(table, data[known(table).known_as].as_u64()?)?));
        related::objects(self.state, self.call, told.iter().flat_map(|data| tables.into_iter().filter_map(|table| named(table, data))))
    }
}

impl Item<'_> {
    fn is(&self, kind: &str) -> bool {
        self.object == kind || self.also.as_deref() == Some(kind)
    }
}

fn is_linked(about: &About, row: &Record) -> bool {
    about.is(row.get(about.collection.known_as))
}

fn is_changed(about: &About, change: &Record) -> bool {
    text(change, "table") == about.collection.name && about.is(change.get("item_id"))
}

/// A message about the record that the user may see.
fn is_mail(about: &About, message: &Record) -> bool {
    mail::may_see(about.state, message, about.call) && mail::concerns(about.state, message, about.collection.name, about.call.id())
}

fn kept_without(row: &Record, hidden: &[&str]) -> Record {
    let shown = row.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    shown.map(|(name, value)| (name.clone(), in_v1(value))).collect()
}

/// A time in v1's form, and anything else as it is.
fn in_v1(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| v1_time(text).into())
}

/// One change of one field, about to be remembered.
pub(crate) struct Change<'a> {
    pub(crate) table: &'a str,
    pub(crate) item: u64,
    pub(crate) user: u64,
    pub(crate) time: &'a str,
    pub(crate) key: &'a str,
    pub(crate) old: &'a Value,
    pub(crate) new: &'a Value,
    pub(crate) is_custom: bool,
}

impl Change<'_> {
    pub(crate) fn keep(&self, state: &mut State) {
        let change = Record::from_iter([
            ("table".to_owned(), self.table.into()),
            ("item_id".to_owned(), self.item.into()),
            ("user_id".to_owned(), self.user.into()),
            ("field_key".to_owned(), self.key.into()),
            ("old_value".to_owned(), self.old.clone()),
            ("new_value".to_owned(), self.new.clone()),
            ("is_bulk_update_flag".to_owned(), false.into()),
            ("log_time".to_owned(), self.time.into()),
            ("change_source".to_owned(), "api".into()),
            ("change_source_user_agent".to_owned(), Value::Null),
            ("is_custom".to_owned(), self.is_custom.into()),
        ]);
        state.insert(CHANGES, change);
    }
}

/// Remembers each field in which a record is not as it was.
pub(crate) fn remember(state: &mut State, call: &Call, collection: &Collection, before: &Record, row: &Record) {
    let (Some(id), "deals" | "persons" | "organizations") = (id_of(row), collection.name) else {
        return;
    };
    let custom = |state: &State, row: &Record| custom_values(state, collection, row);
    let kinds =
        [(false, standard_values(collection, before), standard_values(collection, row)), (true, custom(state, before), custom(state, row))];
    let time = stamp(call.now);
    for (is_custom, was, is) in &kinds {
        for key in is.keys().chain(was.keys().filter(|key| !is.contains_key(*key))) {
            let (old, new) = (was.get(key).unwrap_or(&Value::Null), is.get(key).unwrap_or(&Value::Null));
            if old != new {
                let change =
                    Change { table: collection.name, item: id, user: call.user, time: &time, key, old, new, is_custom: *is_custom };
                change.keep(state);
            }
        }
    }
    let ids: Vec<u64> = changes_of(state, collection.name, id).filter_map(id_of).collect();
    for old in &ids[..ids.len().saturating_sub(REMEMBERED)] {
        state.forget(CHANGES, *old);
    }
}

fn changes_of<'a>(state: &'a State, table: &'a str, id: u64) -> impl Iterator<Item = &'a Record> {
    let concerns = move |change: &&Record| text(change, "table") == table && change.get("item_id").and_then(Value::as_u64) == Some(id);
    state.live(CHANGES).filter(concerns)
}

/// A record's own fields, by their names and in their form in v1.
fn standard_values(collection: &Collection, row: &Record) -> Record {
    let told = row.iter().filter(|(name, _)| !UNTOLD.contains(&name.as_str()));
    told.map(|(name, value)| (key(collection, name).to_owned(), flat(value))).collect()
}

fn custom_values(state: &State, collection: &Collection, row: &Record) -> Record {
    let mut values = Record::new();
    for field in fields::custom(state, collection.fields) {
        fields::v1(field, row.get("custom_fields").and_then(|kept| kept.get(fields::code(field))), &mut values);
    }
    values
}

/// What v1 calls a field.
fn key<'a>(collection: &Collection, field: &'a str) -> &'a str {
    let renamed = collection.v1.iter().find(|(_, rule)| matches!(rule, V1::From(other) if *other == field));
    renamed.map_or(field, |(name, _)| name)
}

/// A value that is made of parts is told as one text.
fn flat(value: &Value) -> Value {
    match value {
        Value::Array(parts) if parts.is_empty() => Value::Null,
        Value::Array(parts) => parts.iter().map(|part| plain(&flat(part))).collect::<Vec<_>>().join(",").into(),
        Value::Object(whole) => whole.get("value").cloned().unwrap_or_default(),
        other => other.clone(),
    }
}

/// A remembered change as the changelog has it, its values as text.
fn logged(change: &Record) -> Value {
    let value = |side: &str| change.get(side).filter(|value| !value.is_null()).map(|value| plain(&in_v1(value)));
    json!({
        "field_key": change.get("field_key"),
        "old_value": value("old_value"),
        "new_value": value("new_value"),
        "actor_user_id": change.get("user_id"),
        "time": v1_time(text(change, "log_time")),
        "change_source": change.get("change_source"),
        "change_source_user_agent": change.get("change_source_user_agent"),
        "is_bulk_update_flag": change.get("is_bulk_update_flag"),
    })
}
