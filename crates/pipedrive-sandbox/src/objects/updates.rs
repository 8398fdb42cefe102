//! Updates of a deal, a person or an organization: the log of changed fields, and the flow of all updates.

use serde_json::{Value, json};

use crate::engine::changes::{CHANGES, find_v1_name, list_changes};
use crate::engine::collection::{Call, Collection, NO_OBJECT, Object};
use crate::engine::envelope::wrap_page;
use crate::engine::paging::{cut_page, read_cursor, read_limit, write_cursor};
use crate::engine::read::find_named;
use crate::engine::related::list_related;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::facts::api::api;
use crate::objects::mailbox;
use crate::objects::mailbox::is_set;
use crate::value::clock::v1_time;
use crate::value::failure::Failure;
use crate::value::record::{Record, flag, id_of, plain, text};

pub(super) const OBJECT: Object = Object {
    reports: &[
        ("/api/v1/deals/{id}/flow", |state, call| list_flow(state, call, "deals")),
        ("/api/v1/persons/{id}/flow", |state, call| list_flow(state, call, "persons")),
        ("/api/v1/organizations/{id}/flow", |state, call| list_flow(state, call, "organizations")),
        ("/api/v1/deals/{id}/changelog", |state, call| list_changelog(state, call, "deals")),
        ("/api/v1/persons/{id}/changelog", |state, call| list_changelog(state, call, "persons")),
        ("/api/v1/organizations/{id}/changelog", |state, call| list_changelog(state, call, "organizations")),
    ],
    ..NO_OBJECT
};

/// Values of the parameter `items`.
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
struct UpdateSource {
    table: &'static str,
    kind: &'static str,
    concerns: fn(&About, &Record) -> bool,
    form: UpdateForm,
    /// Fields that the document's example has beside that shape: (name, field).
    beside: &'static [(&'static str, &'static str)],
}

/// The form of a record in an update's `data`.
#[derive(Clone, Copy)]
enum UpdateForm {
    Change,
    /// The shape in which this operation answers it.
    As(&'static str, &'static [&'static str]),
    /// The stored form, as no v1 operation answers such a record.
    AsKept,
}

const LINKED: UpdateSource = UpdateSource { table: "", kind: "", concerns: is_linked, form: UpdateForm::AsKept, beside: &[] };

/// The order of updates of the same second: a change follows the record that it changes.
const SOURCES: &[UpdateSource] = &[
    UpdateSource { table: "deals", kind: "deal", form: UpdateForm::As("/api/v1/deals/timeline", &["data", "deals"]), ..LINKED },
    UpdateSource { table: "followers", kind: "follower", ..LINKED },
    UpdateSource { table: "participants", kind: "participant", ..LINKED },
    UpdateSource {
        table: "activities",
        kind: "activity",
        form: UpdateForm::As("/api/v1/projects/{id}/activities", &["data"]),
        beside: &[("note", "note"), ("created_by_user_id", "creator_user_id"), ("assigned_to_user_id", "owner_id")],
        ..LINKED
    },
    UpdateSource { table: "callLogs", kind: "call", form: UpdateForm::As("/api/v1/callLogs/{id}", &["data"]), ..LINKED },
    UpdateSource { table: "notes", kind: "note", form: UpdateForm::As("/api/v1/notes/{id}", &["data"]), ..LINKED },
    UpdateSource { table: "files", kind: "file", form: UpdateForm::As("/api/v1/files/{id}", &["data"]), ..LINKED },
    UpdateSource {
        table: "mailMessages",
        kind: "mailMessage",
        concerns: is_mail,
        form: UpdateForm::As("/api/v1/deals/{id}/mailMessages", &["data", "data"]),
        ..LINKED
    },
    UpdateSource { table: CHANGES, kind: "change", concerns: is_changed, form: UpdateForm::Change, ..LINKED },
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
    /// The type of the update, and another name for it in `items`.
    object: String,
    also: Option<String>,
    time: &'a str,
    source: &'static UpdateSource,
    row: &'a Record,
}

fn list_flow(state: &State, call: &Call, table: &str) -> Result<Value, Failure> {
    let about = About::find(state, call, table)?;
    let wanted = call.tokens("items");
    if let Some(unknown) = wanted.iter().flatten().find(|kind| !KINDS.contains(kind)) {
        return Err(Failure::invalid("items", format!("'{unknown}' is not one of {}", KINDS.join(", "))));
    }
    let is_wanted = |item: &Item| wanted.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| item.is(kind)));
    let mut items: Vec<Item> = SOURCES.iter().flat_map(|source| about.items(source)).filter(is_wanted).collect();
    items.sort_by_key(|item| item.time);
    items.reverse();
    let (shown, pagination) = cut_page(call, &items);
    let told: Vec<Value> = shown.iter().map(|item| about.build_data(item)).collect();
    let related = about.related(&told);
    let updates = shown.iter().zip(told);
    let data = updates.map(|(item, data)| json!({ "object": item.object, "timestamp": v1_time(item.time), "data": data })).collect();
    let mut answer = wrap_page(data, json!({ "pagination": pagination }));
    answer["related_objects"] = related.unwrap_or_default();
    Ok(answer)
}

/// Lists the changes of a record's fields, the latest first.
fn list_changelog(state: &State, call: &Call, table: &str) -> Result<Value, Failure> {
    let about = About::find(state, call, table)?;
    let list = format!("{}:{}", call.operation.id, about.id);
    let mut changes: Vec<&Record> = list_changes(state, table, about.id).collect();
    if let Some(cursor) = call.parameter("cursor") {
        let (_, last) = read_cursor(cursor, &list)?;
        changes.retain(|change| id_of(change) < Some(last));
    }
    changes.reverse();
    let more = changes.len() > read_limit(call);
    changes.truncate(read_limit(call));
    let last = changes.last().filter(|_| more).and_then(|change| id_of(change));
    let next = last.map(|last| write_cursor(&list, &(Value::Null, last)));
    Ok(wrap_page(changes.into_iter().map(write_entry).collect(), json!({ "next_cursor": next })))
}

impl<'a> About<'a> {
    fn find(state: &'a State, call: &'a Call, table: &str) -> Result<Self, Failure> {
        let collection = call.tables.collection(table);
        find_named(state, call, collection).ok_or_else(|| call.missing(collection.label))?;
        Ok(Self { state, call, collection, id: call.id() })
    }

    fn is(&self, id: Option<&Value>) -> bool {
        id.and_then(Value::as_u64) == Some(self.id)
    }

    fn items(&self, source: &'static UpdateSource) -> Vec<Item<'a>> {
        let rows = self.state.live(source.table).filter(|row| self.is_shown(source, row) && (source.concerns)(self, row));
        rows.map(|row| self.item(source, row)).collect()
    }

    fn is_shown(&self, source: &UpdateSource, row: &Record) -> bool {
        match source.form {
            UpdateForm::Change => !flag(row, "is_custom") || self.call.asks_for("all_changes"),
            UpdateForm::As(..) => self.call.tables.find(source.table).is_some(),
            UpdateForm::AsKept => true,
        }
    }

    fn item(&self, source: &'static UpdateSource, row: &'a Record) -> Item<'a> {
        let own = self.collection.label.to_lowercase();
        let (object, also) = match source.kind {
            "change" => (format!("{own}Change"), Some("change".to_owned())),
            "follower" => ("follower".to_owned(), Some(format!("{own}Follower"))),
            "activity" if !flag(row, "done") => ("activity".to_owned(), Some("plannedActivity".to_owned())),
            "mailMessage" if is_set(row, "has_attachments_flag") => {
                ("mailMessage".to_owned(), Some("mailMessageWithAttachment".to_owned()))
            }
            kind => (kind.to_owned(), None),
        };
        let time = ["log_time", "message_time", "add_time"].into_iter().find_map(|field| row.get(field)?.as_str());
        Item { object, also, time: time.unwrap_or_default(), source, row }
    }

    fn build_data(&self, item: &Item) -> Value {
        let mut data = match item.source.form {
            UpdateForm::Change => self.describe_change(item.row),
            UpdateForm::As(path, below) => self.shape(item, path, below),
            UpdateForm::AsKept => copy_without(item.row, &["is_deleted"]),
        };
        for (name, field) in item.source.beside {
            data.insert((*name).to_owned(), item.row.get(*field).cloned().unwrap_or_default());
        }
        Value::Object(data)
    }

    fn shape(&self, item: &Item, path: &str, below: &[&str]) -> Record {
        let shape = api().answer("GET", path).and_then(|answer| api().below(answer, below));
        let shaped =
            shape.map(|shape| shape_record(self.state, self.call, self.call.tables.collection(item.source.table), item.row, shape));
        match shaped {
            // The text of a message has an operation of its own.
            Some(Value::Object(data)) => data.into_iter().filter(|(name, _)| name != "body").collect(),
            _ => Record::new(),
        }
    }

    fn describe_change(&self, change: &Record) -> Record {
        let mut data = copy_without(change, &["table", "is_custom"]);
        let formatted =
            ["new_value", "old_value"].into_iter().filter_map(|side| Some((format!("{side}_formatted"), self.find_name(change, side)?)));
        data.insert("additional_data".to_owned(), Value::Object(formatted.collect()));
        data
    }

    /// Finds the name of the record to which a changed field points or pointed.
    fn find_name(&self, change: &Record, side: &str) -> Option<Value> {
        let (_, table) =
            self.collection.links.iter().find(|(field, _)| find_v1_name(self.collection, field) == text(change, "field_key"))?;
        let row = self.state.linked(change, side, table)?;
        row.get("name").or_else(|| row.get("title")).cloned()
    }

    /// Writes the records to which the updates point, if the operation documents them.
    fn related(&self, told: &[Value]) -> Option<Value> {
        let tables = ["users", "deals", "persons", "organizations"];
        let named = |table: &'static str, data: &Value| {
            Some((table, self.state.get(table, data[self.call.tables.collection(table).foreign_key].as_u64()?)?))
        };
        list_related(self.state, self.call, told.iter().flat_map(|data| tables.into_iter().filter_map(|table| named(table, data))))
    }
}

impl Item<'_> {
    fn is(&self, kind: &str) -> bool {
        self.object == kind || self.also.as_deref() == Some(kind)
    }
}

fn is_linked(about: &About, row: &Record) -> bool {
    about.is(row.get(about.collection.foreign_key))
}

fn is_changed(about: &About, change: &Record) -> bool {
    text(change, "table") == about.collection.name && about.is(change.get("item_id"))
}

/// Accepts the messages about the record that the user may see.
fn is_mail(about: &About, message: &Record) -> bool {
    mailbox::may_see(about.state, message, about.call) && mailbox::is_about(about.state, message, about.collection.name, about.call.id())
}

fn copy_without(row: &Record, hidden: &[&str]) -> Record {
    let shown = row.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    shown.map(|(name, value)| (name.clone(), to_v1(value))).collect()
}

/// Formats a time as v1 does. Other values stay as they are.
fn to_v1(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| v1_time(text).into())
}

/// Writes a change as the changelog has it, with its values as text.
fn write_entry(change: &Record) -> Value {
    let value = |side: &str| change.get(side).filter(|value| !value.is_null()).map(|value| plain(&to_v1(value)));
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
