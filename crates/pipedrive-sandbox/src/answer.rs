//! From an operation to what it does, and from a record to the shape that the document gives its answer.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::collections::{Collection, V1, Verb};
use crate::engine::state::State;
use crate::engine::{fields, merge, options, read, search, write};
use crate::facts::api::{Kind, Operation, Schema, Version, api};
use crate::facts::validate::Query;
use crate::value::clock;
use crate::value::content::{Content, File};
use crate::value::failure::Failure;
use crate::value::record::{Record, handle, id_of, plain};
use crate::{
    account, attached, calls, collections, comments, computed, files, flow, followers, leads, mail, participants, permitted, pictures,
    products, reports, roles, statistics,
};

/// A valid request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) variables: BTreeMap<&'static str, String>,
    pub(crate) query: Query,
    pub(crate) body: Record,
    /// What a form brings beside its fields.
    pub(crate) file: Option<File>,
    pub(crate) now: OffsetDateTime,
    pub(crate) user: u64,
}

impl Call {
    /// The id in the path. One that no record can have finds none.
    pub(crate) fn id(&self) -> u64 {
        self.variables.get("id").and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The tokens of a comma-separated parameter.
    pub(crate) fn tokens(&self, name: &str) -> Option<Vec<&str>> {
        self.parameter(name).map(|text| text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect())
    }

    /// The same request with another body.
    pub(crate) fn with_body(&self, body: Record) -> Self {
        Self { body, ..self.clone() }
    }

    pub(crate) fn asks_for(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "1"))
    }

    /// Refuses the token of a user who is not there.
    pub(crate) fn of_a_user(&self, state: &State) -> Result<(), Failure> {
        state.get_live("users", self.user).map(|_| ()).ok_or_else(Failure::unauthorized)
    }

    /// What is answered where the record that the path names is not there.
    pub(crate) fn missing(&self, label: &str) -> Failure {
        if self.operation.documents(StatusCode::GONE) { Failure::gone(label) } else { Failure::not_found(label) }
    }

    /// The documented shape below the answer, such as that of `data`.
    pub(crate) fn shape(&self, path: &[&str]) -> Option<&'static Schema> {
        api().below(self.operation.success().1?, path)
    }
}

pub(crate) type Report = fn(&State, &Call) -> Result<Value, Failure>;
pub(crate) type Deed = fn(&mut State, &Call) -> Result<Value, Failure>;
pub(crate) type Fetch = fn(&State, &Call) -> Result<File, Failure>;

pub(crate) enum Action {
    Verb(&'static Collection, Verb),
    Report(Report),
    Deed(Deed),
    Fetch(Fetch),
}

/// Operations that no table can say.
const REPORTS: &[(&str, Report)] = &[
    ("/api/v1/deals/summary", reports::summary),
    ("/api/v1/deals/timeline", reports::timeline),
    ("/api/v1/users/find", reports::find_users),
    ("/api/v1/users/me", reports::me),
    ("/api/v1/filters/helpers", reports::filter_helpers),
];

pub(crate) fn action(operation: &Operation) -> Option<Action> {
    let reports = [
        REPORTS,
        account::REPORTS,
        attached::REPORTS,
        calls::REPORTS,
        comments::REPORTS,
        files::REPORTS,
        flow::REPORTS,
        followers::REPORTS,
        leads::REPORTS,
        mail::REPORTS,
        participants::REPORTS,
        permitted::REPORTS,
        pictures::REPORTS,
        roles::REPORTS,
        statistics::REPORTS,
    ];
    let report = reports.into_iter().flatten().find(|(path, _)| operation.method == "GET" && *path == operation.path);
    let deeds = [
        attached::DEEDS,
        calls::DEEDS,
        followers::DEEDS,
        leads::DEEDS,
        participants::DEEDS,
        pictures::DEEDS,
        products::DEEDS,
        roles::DEEDS,
    ];
    let deed = deeds.into_iter().flatten().find(|(method, path, _)| *method == operation.method && *path == operation.path);
    if operation.path == files::DOWNLOAD {
        return Some(Action::Fetch(files::download));
    }
    report
        .map(|(_, report)| Action::Report(*report))
        .or_else(|| deed.map(|(_, _, deed)| Action::Deed(*deed)))
        .or_else(|| collections::served(operation).map(|(collection, verb)| Action::Verb(collection, verb)))
}

impl Action {
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Self::Report(_) | Self::Fetch(_) | Self::Verb(_, Verb::List | Verb::Get | Verb::Search))
    }

    pub(crate) fn read(&self, state: &State, call: &Call) -> Result<Content, Failure> {
        let answer = match self {
            Self::Fetch(fetch) => return fetch(state, call).map(Content::File),
            Self::Report(report) => report(state, call),
            Self::Verb(collection, Verb::Get) => read::one(state, call, collection),
            Self::Verb(collection, Verb::Search) => search::search(state, call, collection),
            Self::Verb(collection, Verb::List) => read::list(state, call, collection),
            Self::Verb(..) | Self::Deed(_) => Err(Failure::internal("A write came without the leave to change the state.")),
        };
        answer.map(Content::Json)
    }

    pub(crate) fn write(&self, state: &mut State, call: &Call) -> Result<Content, Failure> {
        let answer = match self {
            Self::Deed(deed) => deed(state, call),
            Self::Verb(collection, Verb::AddOptions) => options::add(state, call, collection),
            Self::Verb(collection, Verb::ChangeOptions) => options::change(state, call, collection),
            Self::Verb(collection, Verb::DropOptions) => options::remove(state, call, collection),
            Self::Verb(collection, Verb::Create) => write::create(state, call, collection),
            Self::Verb(collection, Verb::Update) => write::update(state, call, collection),
            Self::Verb(collection, Verb::Delete) => write::delete(state, call, collection),
            Self::Verb(collection, Verb::DeleteMany) => write::delete_many(state, call, collection),
            Self::Verb(collection, Verb::Merge) => merge::merge(state, call, collection),
            Self::Verb(..) | Self::Report(_) | Self::Fetch(_) => return self.read(state, call),
        };
        answer.map(Content::Json)
    }
}

pub(crate) fn success(data: Value) -> Value {
    let mut body = Record::new();
    body.insert("success".to_owned(), Value::Bool(true));
    body.insert("data".to_owned(), data);
    Value::Object(body)
}

pub(crate) fn page(data: Value, additional: Value) -> Value {
    let mut body = success(data);
    body["additional_data"] = additional;
    body
}

/// A record in an answer's shape: a field without a value is null where the document allows it, else left out.
pub(crate) fn shaped(state: &State, call: &Call, collection: &Collection, row: &Record, shape: &Schema) -> Value {
    let version = call.operation.version();
    let includable = api().includable(call.operation);
    let included = call.tokens("include_fields").unwrap_or_default();
    let mut out = Record::new();
    for (name, schema) in &shape.properties {
        let schema = api().resolve(schema);
        if includable.iter().any(|v| v == name) && !included.contains(&name.as_str()) {
            continue;
        }
        let value = match name.as_str() {
            "custom_fields" => Some(custom_fields(state, call, collection, row)),
            "conditions" => row.get(name).map(|conditions| conditions_of(call, conditions)),
            _ => value(state, call, collection, row, name, schema).and_then(|value| fitted(value, schema, version)),
        };
        match value {
            Some(value) => {
                out.insert(name.clone(), value);
            }
            None if schema.nullable || schema.kind.is_none() => {
                out.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
    for name in included.into_iter().filter(|name| shape.property(name).is_none()) {
        out.insert(name.to_owned(), computed_or_kept(state, collection, row, name).unwrap_or_default());
    }
    if shape.property("add_time").is_some() {
        match version {
            Version::V2 => beside(state, call, collection, row, &mut out),
            Version::V1 => flat_custom_fields(state, collection, row, &mut out),
        }
    }
    Value::Object(out)
}

/// The few fields of one record that another shows, in the shape that the document gives them.
pub(crate) fn nested(state: &State, call: &Call, collection: &Collection, row: &Record, shape: &Schema) -> Value {
    let fields = shape.properties.iter().filter_map(|(name, schema)| {
        let schema = api().resolve(schema);
        let value = match value(state, call, collection, row, name, schema) {
            // By this name v1 gives the id of what is shown.
            None if name == "value" => handle(row).cloned(),
            value => value,
        };
        let value = value.and_then(|value| fitted(value, schema, call.operation.version()));
        Some((name.clone(), value.or_else(|| schema.nullable.then_some(Value::Null))?))
    });
    Value::Object(fields.collect())
}

fn value(state: &State, call: &Call, collection: &Collection, row: &Record, name: &str, shape: &Schema) -> Option<Value> {
    let rule = collection.v1.iter().find(|(n, _)| *n == name && call.operation.version() == Version::V1);
    match rule.map(|(_, rule)| rule) {
        Some(V1::From(other)) => linked_or_kept(state, call, collection, row, other, shape),
        Some(V1::Not(other)) => Some(Value::Bool(!row.get(*other).and_then(Value::as_bool).unwrap_or(false))),
        Some(V1::Fixed(make)) => Some(make()).filter(|value| !value.is_null()),
        Some(V1::Word(others)) => {
            let kept = row.get(name)?;
            let other = others.iter().find(|(word, _)| kept.as_str() == Some(word) && !shape.values.contains(kept));
            Some(other.map_or_else(|| kept.clone(), |(_, other)| Value::from(*other)))
        }
        Some(V1::Moment(other)) => row.get(*other)?.as_str().map(|time| clock::moment(time).into()),
        Some(V1::Company) => state.linked(row, "user_id", "users")?.get("company_id").cloned(),
        Some(V1::Made(make)) => Some(make(state, row)).filter(|value| !value.is_null()),
        Some(V1::IsYou) => Some(Value::Bool(id_of(row) == Some(call.user))),
        Some(V1::Linked(field, table)) => {
            let linked = state.linked(row, field, table)?;
            Some(nested(state, call, collections::collection(table)?, linked, shape))
        }
        None => linked_or_kept(state, call, collection, row, name, shape),
    }
}

/// A field's value, or the record that it points to where the document has an object.
fn linked_or_kept(state: &State, call: &Call, at: &Collection, row: &Record, field: &str, shape: &Schema) -> Option<Value> {
    let link = at.links.iter().find(|(name, _)| *name == field).filter(|_| shape.kind == Some(Kind::Object));
    match link {
        Some((_, table)) => Some(nested(state, call, collections::collection(table)?, state.linked(row, field, table)?, shape)),
        None => computed_or_kept(state, at, row, field),
    }
}

fn computed_or_kept(state: &State, collection: &Collection, row: &Record, name: &str) -> Option<Value> {
    match row.get(name) {
        Some(value) => Some(value.clone()),
        None if name == "is_deleted" => Some(Value::Bool(false)),
        None => computed::value(state, collection, row, name),
    }
}

/// A kept value in the type that the document gives it: v1 writes numbers as text and lists with commas.
fn fitted(value: Value, schema: &Schema, version: Version) -> Option<Value> {
    Some(match (schema.kind, value) {
        (_, Value::Null) => return None,
        (Some(Kind::String), Value::Array(items)) if items.is_empty() => return None,
        (Some(Kind::String), Value::Array(items)) => items.iter().map(plain).collect::<Vec<_>>().join(",").into(),
        (Some(Kind::String), Value::Object(mut whole)) if version == Version::V1 => whole.shift_remove("value")?,
        (Some(Kind::String), Value::String(text)) if version == Version::V1 => clock::v1_time(&text).into(),
        (Some(Kind::String), other) if !other.is_string() => plain(&other).into(),
        (Some(Kind::Integer), Value::Array(items)) => items.into_iter().next()?,
        (Some(Kind::Integer), Value::Number(n)) if !n.is_i64() && !n.is_u64() => {
            #[expect(clippy::cast_possible_truncation, reason = "the document promises an integer; the nearest will do")]
            let nearest = n.as_f64()?.round() as i64;
            nearest.into()
        }
        (_, other) => other,
    })
}

/// What stands beside the documented fields of a v2 record.
fn beside(state: &State, call: &Call, collection: &Collection, row: &Record, out: &mut Record) {
    for name in collection.extra {
        out.insert((*name).to_owned(), row.get(*name).cloned().unwrap_or_default());
    }
    if call.asks_for("include_labels") {
        let ids = row.get("label_ids").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let field = fields::by_code(state, collection.fields, "label_ids");
        let labels = field.map(|field| ids.iter().map(|id| fields::labelled(field, id)).collect());
        out.insert("labels".to_owned(), labels.unwrap_or_else(|| json!([])));
    }
}

fn custom_fields(state: &State, call: &Call, collection: &Collection, row: &Record) -> Value {
    let only = call.tokens("custom_fields");
    let kept = row.get("custom_fields");
    let wanted = fields::custom(state, collection.fields).filter(|f| only.as_ref().is_none_or(|o| o.contains(&fields::code(f))));
    wanted
        .map(|field| {
            let code = fields::code(field);
            let value = kept.and_then(|values| values.get(code));
            (code.to_owned(), fields::v2(field, value, call.asks_for("include_option_labels")))
        })
        .collect::<Record>()
        .into()
}

fn flat_custom_fields(state: &State, collection: &Collection, row: &Record, out: &mut Record) {
    let kept = row.get("custom_fields");
    for field in fields::custom(state, collection.fields) {
        let value = kept.and_then(|values| values.get(fields::code(field)));
        // A lead, unlike the others, shows those alone that it has.
        if value.is_some() || collection.fields != fields::OF_LEADS {
            fields::v1(field, value, out);
        }
    }
}

/// A filter's conditions, which name their fields only when asked to.
fn conditions_of(call: &Call, conditions: &Value) -> Value {
    let mut conditions = conditions.clone();
    if !call.asks_for("include_field_code") {
        let groups = conditions.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten();
        for condition in groups.filter_map(|g| g.get_mut("conditions")?.as_array_mut()).flatten() {
            if let Some(condition) = condition.as_object_mut() {
                condition.shift_remove("field_code");
            }
        }
    }
    conditions
}
