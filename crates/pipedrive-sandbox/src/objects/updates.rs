//! Updates of a deal, a person or an organization: the log of changed fields, and the flow of all updates.

use serde_json::{Value, json};

use crate::engine::changes::{CHANGES, find_v1_name, list_changes};
use crate::engine::collection::{Call, Collection, NO_OBJECT, Object};
use crate::engine::envelope::wrap_page;
use crate::engine::paging::{Order, cut_page};
use crate::engine::read::find_named;
use crate::engine::related::list_related;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::facts::api::api;
use crate::objects::mailbox;
use crate::objects::mailbox::is_set;
use crate::value::clock::format_v1_time;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_flag, read_text, to_text};

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

/// A table whose records are updates of other records.
struct UpdateSource {
    table: &'static str,
    kind: &'static str,
    is_about: fn(&FlowSubject, &Record) -> bool,
    form: UpdateForm,
    /// Fields that the document's example has beyond the documented shape: (name, field).
    further_fields: &'static [(&'static str, &'static str)],
}

/// The form of a record in an update's `data`.
#[derive(Clone, Copy)]
enum UpdateForm {
    /// The form of a changed field.
    Change,
    /// The shape below this path in the response of a GET operation.
    Documented(&'static str, &'static [&'static str]),
    /// The stored form, as no v1 operation answers such a record.
    Stored,
}

/// A source whose records have a link to the record of the flow.
const LINKED: UpdateSource = UpdateSource { table: "", kind: "", is_about: is_linked, form: UpdateForm::Stored, further_fields: &[] };

/// All sources. Updates of the same second are in this order: a change follows the record that it changes.
const SOURCES: &[UpdateSource] = &[
    UpdateSource { table: "deals", kind: "deal", form: UpdateForm::Documented("/api/v1/deals/timeline", &["data", "deals"]), ..LINKED },
    UpdateSource { table: "followers", kind: "follower", ..LINKED },
    UpdateSource { table: "participants", kind: "participant", ..LINKED },
    UpdateSource {
        table: "activities",
        kind: "activity",
        form: UpdateForm::Documented("/api/v1/projects/{id}/activities", &["data"]),
        further_fields: &[("note", "note"), ("created_by_user_id", "creator_user_id"), ("assigned_to_user_id", "owner_id")],
        ..LINKED
    },
    UpdateSource { table: "callLogs", kind: "call", form: UpdateForm::Documented("/api/v1/callLogs/{id}", &["data"]), ..LINKED },
    UpdateSource { table: "notes", kind: "note", form: UpdateForm::Documented("/api/v1/notes/{id}", &["data"]), ..LINKED },
    UpdateSource { table: "files", kind: "file", form: UpdateForm::Documented("/api/v1/files/{id}", &["data"]), ..LINKED },
    UpdateSource {
        table: "mailMessages",
        kind: "mailMessage",
        is_about: is_visible_mail,
        form: UpdateForm::Documented("/api/v1/deals/{id}/mailMessages", &["data", "data"]),
        ..LINKED
    },
    UpdateSource { table: CHANGES, kind: "change", is_about: is_its_change, form: UpdateForm::Change, ..LINKED },
];

/// The record whose flow is requested.
struct FlowSubject<'a> {
    state: &'a State,
    call: &'a Call,
    collection: &'static Collection,
    id: u64,
}

/// One update of a record.
struct Update<'a> {
    /// The type of the update.
    object: String,
    /// A further name of the type in `items`.
    alias: Option<String>,
    time: &'a str,
    source: &'static UpdateSource,
    row: &'a Record,
}

fn list_flow(state: &State, call: &Call, table: &str) -> Result<Value, Failure> {
    let subject = FlowSubject::find(state, call, table)?;
    let kinds = call.tokens("items");
    if let Some(unknown) = kinds.iter().flatten().find(|kind| !KINDS.contains(kind)) {
        return Err(Failure::invalid("items", format!("'{unknown}' is not one of {}", KINDS.join(", "))));
    }
    let is_wanted = |update: &Update| kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| update.has_kind(kind)));
    let mut updates: Vec<Update> = SOURCES.iter().flat_map(|source| subject.list_updates(source)).filter(is_wanted).collect();
    updates.sort_by_key(|update| update.time);
    updates.reverse();
    let (page, pagination) = cut_page(call, &updates);
    let data: Vec<Value> = page.iter().map(|update| subject.build_data(update)).collect();
    let related = subject.find_related(&data);
    let build_item =
        |(update, data): (&Update, Value)| json!({ "object": update.object, "timestamp": format_v1_time(update.time), "data": data });
    let data = page.iter().zip(data).map(build_item).collect();
    let mut answer = wrap_page(data, json!({ "pagination": pagination }));
    answer["related_objects"] = related.unwrap_or_default();
    Ok(answer)
}

/// Lists the changes of a record's fields, the latest first.
fn list_changelog(state: &State, call: &Call, table: &str) -> Result<Value, Failure> {
    let subject = FlowSubject::find(state, call, table)?;
    let (changes, next) = Order::newest_first(call).cut_page(call, list_changes(state, table, subject.id).collect())?;
    Ok(wrap_page(changes.into_iter().map(write_entry).collect(), json!({ "next_cursor": next })))
}

impl<'a> FlowSubject<'a> {
    fn find(state: &'a State, call: &'a Call, table: &str) -> Result<Self, Failure> {
        let collection = call.tables.collection(table);
        find_named(state, call, collection).ok_or_else(|| call.refuse_missing(collection.label))?;
        Ok(Self { state, call, collection, id: call.id() })
    }

    /// Tells whether a value is the id of the record.
    fn is(&self, id: Option<&Value>) -> bool {
        id.and_then(Value::as_u64) == Some(self.id)
    }

    fn list_updates(&self, source: &'static UpdateSource) -> Vec<Update<'a>> {
        let rows = self.state.live(source.table).filter(|row| self.is_shown(source, row) && (source.is_about)(self, row));
        rows.map(|row| self.build_update(source, row)).collect()
    }

    fn is_shown(&self, source: &UpdateSource, row: &Record) -> bool {
        match source.form {
            UpdateForm::Change => !read_flag(row, "is_custom") || self.call.asks_for("all_changes"),
            UpdateForm::Documented(..) => self.call.tables.find(source.table).is_some(),
            UpdateForm::Stored => true,
        }
    }

    fn build_update(&self, source: &'static UpdateSource, row: &'a Record) -> Update<'a> {
        let label = self.collection.label.to_lowercase();
        let (object, alias) = match source.kind {
            "change" => (format!("{label}Change"), Some("change".to_owned())),
            "follower" => ("follower".to_owned(), Some(format!("{label}Follower"))),
            "activity" if !read_flag(row, "done") => ("activity".to_owned(), Some("plannedActivity".to_owned())),
            "mailMessage" if is_set(row, "has_attachments_flag") => {
                ("mailMessage".to_owned(), Some("mailMessageWithAttachment".to_owned()))
            }
            kind => (kind.to_owned(), None),
        };
        let time = ["log_time", "message_time", "add_time"].into_iter().find_map(|field| row.get(field)?.as_str());
        Update { object, alias, time: time.unwrap_or_default(), source, row }
    }

    fn build_data(&self, update: &Update) -> Value {
        let mut data = match update.source.form {
            UpdateForm::Change => self.describe_change(update.row),
            UpdateForm::Documented(path, below) => self.shape_update(update, path, below),
            UpdateForm::Stored => copy_without(update.row, &["is_deleted"]),
        };
        for (name, field) in update.source.further_fields {
            data.insert((*name).to_owned(), update.row.get(*field).cloned().unwrap_or_default());
        }
        Value::Object(data)
    }

    fn shape_update(&self, update: &Update, path: &str, below: &[&str]) -> Record {
        let shape = api().find_answer("GET", path).and_then(|answer| api().find_below(answer, below));
        let shaped =
            shape.map(|shape| shape_record(self.state, self.call, self.call.tables.collection(update.source.table), update.row, shape));
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
            self.collection.links.iter().find(|(field, _)| find_v1_name(self.collection, field) == read_text(change, "field_key"))?;
        let row = self.state.find_linked(change, side, table)?;
        row.get("name").or_else(|| row.get("title")).cloned()
    }

    /// Builds the records to which the updates point, if the operation documents them.
    fn find_related(&self, updates: &[Value]) -> Option<Value> {
        let tables = ["users", "deals", "persons", "organizations"];
        let named = |table: &'static str, data: &Value| {
            Some((table, self.state.get(table, data[self.call.tables.collection(table).foreign_key].as_u64()?)?))
        };
        list_related(self.state, self.call, updates.iter().flat_map(|data| tables.into_iter().filter_map(|table| named(table, data))))
    }
}

impl Update<'_> {
    fn has_kind(&self, kind: &str) -> bool {
        self.object == kind || self.alias.as_deref() == Some(kind)
    }
}

fn is_linked(subject: &FlowSubject, row: &Record) -> bool {
    subject.is(row.get(subject.collection.foreign_key))
}

fn is_its_change(subject: &FlowSubject, change: &Record) -> bool {
    read_text(change, "table") == subject.collection.name && subject.is(change.get("item_id"))
}

/// Accepts the messages about the record that the user may see.
fn is_visible_mail(subject: &FlowSubject, message: &Record) -> bool {
    mailbox::may_see(subject.state, message, subject.call)
        && mailbox::is_about(subject.state, message, subject.collection.name, subject.call.id())
}

fn copy_without(row: &Record, hidden: &[&str]) -> Record {
    let fields = row.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    fields.map(|(name, value)| (name.clone(), to_v1(value))).collect()
}

/// Formats a time as v1 does. Other values stay as they are.
fn to_v1(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| format_v1_time(text).into())
}

/// Writes a change as the changelog has it, with its values as text.
fn write_entry(change: &Record) -> Value {
    let value = |side: &str| change.get(side).filter(|value| !value.is_null()).map(|value| to_text(&to_v1(value)));
    json!({
        "field_key": change.get("field_key"),
        "old_value": value("old_value"),
        "new_value": value("new_value"),
        "actor_user_id": change.get("user_id"),
        "time": format_v1_time(read_text(change, "log_time")),
        "change_source": change.get("change_source"),
        "change_source_user_agent": change.get("change_source_user_agent"),
        "is_bulk_update_flag": change.get("is_bulk_update_flag"),
    })
}
