//! Columns: those that are named, checked before anything is sent, or those that the records have.

use connector_core::run::{Catalogue, Entry};
use connector_core::wording::{find_nearest, list_names};
use serde_json::{Map, Value};

use crate::command::rows::record::Members;
use crate::command::rows::references::References;
use crate::terminal::failure::Failure;
use crate::terminal::schema::{has_type, resolve};

/// The end of a member's name that tells the reference of it: `person.name` is read by `personId`.
const ID: &str = "Id";

/// A column: its heading, and the place of its value.
#[derive(Debug)]
pub(super) struct RecordColumn {
    pub(super) heading: String,
    pub(super) place: ColumnPlace,
}

/// The place of a value.
#[derive(Debug)]
pub(super) enum ColumnPlace {
    /// A path in the record.
    Record {
        path: String,
        /// False where the schema declares no such member: then a record must have it.
        is_declared: bool,
    },
    /// A path in the record that the reference of this index reads.
    Referenced { reference: usize, path: String },
}

/// Splits the names of columns at commas. One in double quotes may have commas, as in CSV.
pub(super) fn split_names(text: &str) -> Result<Vec<String>, Failure> {
    let (mut names, mut name, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => names.push(std::mem::take(&mut name)),
            letter => name.push(letter),
        }
    }
    names.push(name);
    let names: Vec<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err(Failure::usage(format!("--columns {text}: a name is missing: write names with commas between them, as id,title")));
    }
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, name)) => Err(Failure::usage(format!("--columns: {name} is named twice"))),
        None => Ok(names),
    }
}

/// The members of the records of an action, in the flat view, as far as they are declared.
pub(super) struct RecordSchema {
    root: Value,
}

/// The place that a path comes to in a schema.
enum Place<'a> {
    /// A value that is declared, or one below a list or object that declares no members.
    Declared,
    Undeclared,
    /// A single value, which has no members: the path up to it, and the rest.
    SingleValue(&'a str, &'a str),
    /// An object without such a member: those that it has.
    Missing(Vec<&'a str>),
}

impl RecordSchema {
    pub(super) fn read(entry: &Entry) -> Self {
        Self { root: entry.describe(|_| None)["outputFlat"].take() }
    }

    /// Finds the schema of a record: in the flat view a list stands under `results`.
    fn record(&self) -> &Value {
        let results = &self.root["properties"]["results"]["items"];
        let record = if self.root["properties"]["hasMore"].is_object() { results } else { &self.root };
        let record = resolve(record, &self.root);
        if has_type(record, "array") { resolve(&record["items"], &self.root) } else { record }
    }

    /// Lists the members that are single values.
    pub(super) fn list_single_values(&self) -> Vec<String> {
        let is_single = |schema: &Value| !has_type(schema, "object") && !has_type(schema, "array");
        let members = collect_members(self.record(), &self.root).into_iter();
        members.filter(|(_, member)| is_single(resolve(member, &self.root))).map(|(name, _)| name.to_owned()).collect()
    }

    /// Builds the columns of some names, or fails for one that is not there.
    pub(super) fn choose(
        &self,
        names: &[String],
        (catalogue, entry): (&Catalogue, &Entry),
        references: &mut References,
    ) -> Result<Vec<RecordColumn>, Failure> {
        names.iter().map(|name| self.choose_one(name, (catalogue, entry), references)).collect()
    }

    fn choose_one(
        &self,
        name: &str,
        (catalogue, entry): (&Catalogue, &Entry),
        references: &mut References,
    ) -> Result<RecordColumn, Failure> {
        let unknown = |wrong: &str, known: &[&str]| explain_unknown(entry.key(), name, wrong, known);
        let (member, rest) = match self.locate(name) {
            Place::Declared => return Ok(RecordColumn::of_record(name, true)),
            Place::Undeclared => return Ok(RecordColumn::of_record(name, false)),
            Place::SingleValue(member, rest) => (member.to_owned(), rest),
            Place::Missing(known) => match name.split_once('.').filter(|(whole, _)| known.contains(&format!("{whole}{ID}").as_str())) {
                Some((whole, rest)) => (format!("{whole}{ID}"), rest),
                None => return Err(unknown(name, &known)),
            },
        };
        let Some(reader) = catalogue.find_reader(entry, &member) else {
            return Err(Failure::usage(format!("--columns: {member} of {} is a single value, which has no {rest}", entry.key())));
        };
        let target = catalogue.find(Some(entry.connector().key), reader.action)?;
        let target_schema = Self::read(target);
        let is_declared = match target_schema.locate(rest) {
            Place::Declared => true,
            Place::Undeclared => false,
            Place::SingleValue(..) => {
                return Err(Failure::usage(format!("--columns {name}: {member} leads to one record, and not on to another")));
            }
            Place::Missing(known) => return Err(explain_unknown(target.key(), rest, rest, &known)),
        };
        let place = ColumnPlace::Referenced { reference: references.add(member, reader, rest, is_declared), path: rest.to_owned() };
        Ok(RecordColumn { heading: name.to_owned(), place })
    }

    /// Follows a path of names, divided by dots.
    fn locate<'a>(&'a self, path: &'a str) -> Place<'a> {
        let (mut schema, mut at) = (self.record(), 0);
        loop {
            while has_type(schema, "array") {
                schema = resolve(&schema["items"], &self.root);
            }
            let members = collect_members(schema, &self.root);
            if members.is_empty() {
                let is_open = schema.is_null() || has_type(schema, "object") || schema.as_object().is_some_and(Map::is_empty);
                return if is_open { Place::Undeclared } else { Place::SingleValue(path[..at].trim_end_matches('.'), &path[at..]) };
            }
            let rest = &path[at..];
            let name = rest.split('.').next().unwrap_or_default();
            let Some((_, member)) = members.iter().find(|(known, _)| *known == name) else {
                // Custom fields may stand beside the members of a record.
                let has_fields = schema.get("x-fields").or_else(|| self.root.get("x-fields")).is_some();
                return if has_fields { Place::Undeclared } else { Place::Missing(members.into_iter().map(|(known, _)| known).collect()) };
            };
            if name.len() == rest.len() {
                return Place::Declared;
            }
            at += name.len() + 1;
            schema = resolve(member, &self.root);
        }
    }
}

/// Collects the members that a schema declares, those of its parts and alternatives too.
fn collect_members<'a>(schema: &'a Value, root: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let schema = resolve(schema, root);
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, member)| (name.as_str(), member));
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    own.chain(parts.flat_map(|part| collect_members(part, root))).collect()
}

impl RecordColumn {
    fn of_record(path: &str, is_declared: bool) -> Self {
        Self { heading: path.to_owned(), place: ColumnPlace::Record { path: path.to_owned(), is_declared } }
    }

    /// Builds the columns of the values that some records have, in order of appearance.
    pub(super) fn list_all(records: &[Members<'_>]) -> Vec<Self> {
        let mut paths = Vec::new();
        records.iter().for_each(|record| record.collect_paths(&mut paths));
        // A member that is null in one record may have members in another.
        let all = paths.clone();
        paths.retain(|path| !all.iter().any(|other| other.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))));
        Self::from_names(&paths)
    }

    /// Builds the columns of members that are known to be there.
    pub(super) fn from_names(names: &[String]) -> Vec<Self> {
        names.iter().map(|name| Self::of_record(name, true)).collect()
    }
}

/// Checks that some record has each column that is not declared.
pub(super) fn check_found(columns: &[RecordColumn], records: &[Members<'_>], key: &str) -> Result<(), Failure> {
    for column in columns {
        let ColumnPlace::Record { path, is_declared: false } = &column.place else { continue };
        if records.is_empty() || records.iter().any(|record| record.find(path).is_some()) {
            continue;
        }
        let known = RecordColumn::list_all(records);
        let known: Vec<&str> = known.iter().map(|column| column.heading.as_str()).collect();
        return Err(explain_unknown(key, path, path, &known));
    }
    Ok(())
}

fn explain_unknown(key: &str, column: &str, wrong: &str, known: &[&str]) -> Failure {
    let near = find_nearest(wrong, known.iter().copied(), 1);
    let near = near.first().map_or_else(String::new, |near| format!(" The nearest is `{near}`."));
    Failure::usage(format!("--columns: there is no `{column}` in the records of {key}.{near} There are: {}.", list_names(known, "and")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn splits_names_at_commas_outside_quotes() {
        assert_eq!(split_names("id, title").expect("names"), ["id", "title"]);
        assert_eq!(split_names("id,\"fields.Size, m\"").expect("names"), ["id", "fields.Size, m"]);
        for (text, words) in [("id,,title", "a name is missing"), ("", "a name is missing"), ("id,id", "named twice")] {
            let failure = split_names(text).expect_err("it is wrong");
            assert!(failure.message().contains(words), "{}", failure.message());
        }
    }

    #[test]
    fn locates_paths_in_a_schema() {
        let schema = RecordSchema {
            root: json!({
                "properties": {"results": {"items": {"$ref": "#/$defs/Deal"}}, "hasMore": {"type": "boolean"}},
                "$defs": {
                    "Deal": {"allOf": [{"properties": {"id": {"type": "integer"}}}, {"properties": {
                        "mails": {"type": ["array", "null"], "items": {"$ref": "#/$defs/Mail"}},
                        "fields": {"type": ["object", "null"], "additionalProperties": true},
                    }}]},
                    "Mail": {"type": "object", "properties": {"value": {"type": "string"}}},
                },
            }),
        };
        let describe = |path| match schema.locate(path) {
            Place::Declared => "declared".to_owned(),
            Place::Undeclared => "undeclared".to_owned(),
            Place::SingleValue(member, rest) => format!("{member} {rest}"),
            Place::Missing(known) => known.join(","),
        };
        for (path, expected) in [
            ("id", "declared"),
            ("mails", "declared"),
            ("mails.value", "declared"),
            ("mails.label", "value"),
            ("fields.Size", "undeclared"),
            ("id.name", "id name"),
            ("nope", "id,mails,fields"),
        ] {
            assert_eq!(describe(path), expected, "{path}");
        }
        assert_eq!(schema.list_single_values(), ["id"]);
    }

    #[test]
    fn member_that_is_an_object_in_some_record_has_columns_for_its_parts() {
        let records: Vec<&RawValue> = serde_json::from_str(r#"[{"a": null, "b": 1}, {"a": {"c": 2}}]"#).expect("it is JSON");
        let members: Vec<Members<'_>> = records.into_iter().map(Members::read).collect();
        let headings: Vec<String> = RecordColumn::list_all(&members).into_iter().map(|column| column.heading).collect();
        assert_eq!(headings, ["b", "a.c"]);
    }

    #[test]
    fn undeclared_columns_must_be_in_a_record() {
        let record: &RawValue = serde_json::from_str(r#"{"fields": {"Size": 1}}"#).expect("it is JSON");
        let records = [Members::read(record)];
        let column = |path| [RecordColumn::of_record(path, false)];
        assert!(check_found(&column("fields.Size"), &records, "getThings").is_ok());
        assert!(check_found(&column("fields.Sizes"), &[], "getThings").is_ok());
        let failure = check_found(&column("fields.Sizes"), &records, "getThings").expect_err("no record has it");
        assert!(failure.message().contains("The nearest is `fields.Size`"), "{}", failure.message());
    }
}
