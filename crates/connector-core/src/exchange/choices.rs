//! The records of a list from which choices are made: where they lie in its data, and which members they have.

use std::sync::LazyLock;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::shape::{FieldShape, ValueKind, find_records};
use crate::exchange::schema;
use crate::value::raw_json::{RawJson, read_members};

/// The place of the records in the data of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordPlace {
    /// The member of the data that is the list, if the data is no list itself.
    list: Option<String>,
    /// The member of an item that is the record, if the item is not the record itself.
    record: Option<String>,
}

/// A part of an action's answer that a data source does not find.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The answer has no list, or several of which none is the vendor's for search results.
    List,
    /// The records have no such member with a single value. The members that are named nearly so follow.
    Member(&'static str, Vec<String>),
}

impl RecordPlace {
    /// Finds the records in the answer that an action declares, and checks that they have members at these paths.
    pub(crate) fn find(declaration: &Declaration, paths: &[&'static str]) -> Result<Self, Missing> {
        let (list, record) = declaration.envelope().search.unwrap_or_default();
        let mut names: Vec<&str> = paths.iter().flat_map(|path| path.split(['.', '|'])).chain([list, record]).collect();
        if let Some(place) = Self::find_in(&declaration.returns, (list, record), &names, paths) {
            return place;
        }
        // The list has a name of the action's own, so that all members are looked at.
        let whole = schema::build_output(&declaration.returns);
        let records = find_records(&whole, defs_of(&whole));
        let properties = records.into_iter().filter_map(|record| record["properties"].as_object()).flatten();
        let mut lists =
            properties.filter(|(_, property)| resolve(property, &whole).get("items").is_some_and(|items| holds_members(items, &whole)));
        let (Some((only, _)), None) = (lists.next(), lists.next()) else { return Err(Missing::List) };
        names.push(only);
        Self::find_in(&declaration.returns, (only, record), &names, paths).unwrap_or(Err(Missing::List))
    }

    /// Finds the records in the list of this name.
    ///
    /// The schema has these members alone, since a whole one would slow a start.
    fn find_in(
        returns: &FieldShape,
        (list, record): (&str, &str),
        names: &[&str],
        paths: &[&'static str],
    ) -> Option<Result<Self, Missing>> {
        let root = schema::build_members(returns, names);
        let place = match returns.kind {
            ValueKind::List => Self::default(),
            _ => {
                let items = &resolve(find_member_schema(&root, &root, list)?, &root)["items"];
                let nested = find_member_schema(items, &root, record).filter(|nested| !find_records(nested, defs_of(&root)).is_empty());
                Self { list: Some(list.to_owned()), record: nested.map(|_| record.to_owned()) }
            }
        };
        let item = place.find_schema(&root)?;
        let missing = paths.iter().find(|path| !has_value(item, &root, path));
        Some(match missing {
            None => Ok(place),
            Some(path) => Err(Missing::Member(path, place.list_paths(returns))),
        })
    }

    /// Finds a member that the items of another member of a record do not have.
    pub(crate) fn find_missing_part(&self, returns: &FieldShape, within: &str, paths: &[&'static str]) -> Option<Missing> {
        let names: Vec<&str> = paths.iter().flat_map(|path| path.split(['.', '|'])).chain([within]).collect();
        let root = schema::build_members(returns, &names);
        let parts = self.find_schema(&root).and_then(|record| find_member_schema(record, &root, within));
        let Some(item) = parts.and_then(|parts| resolve(parts, &root).get("items")) else { return Some(Missing::List) };
        let missing = paths.iter().find(|path| !has_value(item, &root, path))?;
        let mut known = Vec::new();
        add_paths(item, &root, "", &mut known);
        Some(Missing::Member(missing, known))
    }

    /// Finds the schema of a record.
    fn find_schema<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        let list = self.list.as_ref().map_or(Some(root), |list| find_member_schema(root, root, list))?;
        let item = resolve(list, root).get("items")?;
        self.record.as_ref().map_or(Some(item), |record| find_member_schema(item, root, record))
    }

    /// Lists the paths of all members of a record that hold a single value.
    fn list_paths(&self, returns: &FieldShape) -> Vec<String> {
        let root = schema::build_output(returns);
        let mut paths = Vec::new();
        if let Some(record) = self.find_schema(&root) {
            add_paths(record, &root, "", &mut paths);
        }
        paths
    }

    /// Reads the records of an answer. None is parsed.
    pub(crate) fn read<'a>(&self, data: &'a RawJson) -> serde_json::Result<Vec<&'a RawValue>> {
        let data: &RawValue = serde_json::from_str(data.as_str())?;
        let list = self.list.as_ref().map_or(Some(data), |list| find_member(data, list));
        // A vendor may answer the list itself where there is nothing beside it.
        let list = list.unwrap_or(data);
        if list.get() == "null" {
            return Ok(Vec::new());
        }
        let items: Vec<&RawValue> = serde_json::from_str(list.get())?;
        let to_record = |item| self.record.as_ref().and_then(|record| find_member(item, record)).unwrap_or(item);
        Ok(items.into_iter().map(to_record).collect())
    }
}

/// Reads the value at a path of a record as text.
///
/// A text has no quotes, null and nothing are empty, and any other value is JSON. Of paths that stand beside each other
/// the first with a value counts.
pub(crate) fn read_text(record: &RawValue, path: &str) -> String {
    match path.split_once('|') {
        Some((first, rest)) => Some(read_at(record, first)).filter(|text| !text.is_empty()).unwrap_or_else(|| read_text(record, rest)),
        None => read_at(record, path),
    }
}

/// Reads the items of a member of a record. A member that is no list has none.
pub(crate) fn read_parts<'a>(record: &'a RawValue, within: &str) -> Vec<&'a RawValue> {
    find_member(record, within).and_then(|parts| serde_json::from_str(parts.get()).ok()).unwrap_or_default()
}

fn read_at(record: &RawValue, path: &str) -> String {
    let Some(raw) = path.split('.').try_fold(record, find_member) else { return String::new() };
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => text,
        Err(_) if raw.get() == "null" => String::new(),
        Err(_) => raw.get().to_owned(),
    }
}

/// Finds a member of an object.
fn find_member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    read_members(object).into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    ["anyOf", "allOf"].into_iter().find_map(|word| schema[word].as_array())
}

fn defs_of(root: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    root["$defs"].as_object().unwrap_or(&NONE)
}

/// Finds the schema of a member of a record, whichever of several shapes it has.
fn find_member_schema<'a>(record: &'a Value, root: &'a Value, name: &str) -> Option<&'a Value> {
    find_records(record, defs_of(root)).into_iter().find_map(|record| record["properties"].get(name))
}

/// Checks that a value may be an object.
fn holds_members(schema: &Value, root: &Value) -> bool {
    let any = resolve(schema, root);
    !find_records(schema, defs_of(root)).is_empty() || any.get("type").is_none() && alternatives(any).is_none()
}

/// Checks that a path leads to a single value. Where any member may stand, any path does.
///
/// Of paths that stand beside each other, each must.
fn has_value(schema: &Value, root: &Value, path: &str) -> bool {
    if let Some((first, rest)) = path.split_once('|') {
        return has_value(schema, root, first) && has_value(schema, root, rest);
    }
    let schema = resolve(schema, root);
    if let Some(alternatives) = alternatives(schema) {
        return alternatives.iter().any(|one| has_value(one, root, path));
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let is_open = schema.get("type").is_none() || schema["additionalProperties"] == true;
    match (schema["properties"].get(name), &schema["additionalProperties"]) {
        (Some(member), _) | (None, member @ Value::Object(_)) => leads_on(member, root, rest),
        (None, _) => is_open,
    }
}

fn leads_on(member: &Value, root: &Value, rest: &str) -> bool {
    if rest.is_empty() { is_single(member, root) } else { has_value(member, root, rest) }
}

/// Checks that a value may be neither an object nor a list, and something else than null.
fn is_single(schema: &Value, root: &Value) -> bool {
    let schema = resolve(schema, root);
    if let Some(alternatives) = alternatives(schema) {
        return alternatives.iter().any(|one| is_single(one, root));
    }
    let is_single_kind = |kind: &Value| !matches!(kind.as_str(), Some("object" | "array" | "null"));
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(is_single_kind),
        kind => is_single_kind(kind),
    }
}

/// Adds the paths of the single values of a record, and of the records within it.
fn add_paths(schema: &Value, root: &Value, before: &str, paths: &mut Vec<String>) {
    let schema = resolve(schema, root);
    alternatives(schema).into_iter().flatten().for_each(|one| add_paths(one, root, before, paths));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        if is_single(property, root) {
            paths.push(path);
        } else if before.is_empty() {
            // Names deeper than that are rarely meant, and a record may hold itself.
            add_paths(property, root, &path, paths);
        }
    }
}
