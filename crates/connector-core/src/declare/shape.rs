//! Shapes of inputs, records and answers, and their JSON Schemas.

use std::any::TypeId;

use serde_json::{Map, Value, json};

use crate::declare::fields::{FieldsOf, Naming};
use crate::declare::flat::{Change, Flat, FlatWords, join_names};

/// A way to write a value outside JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notation {
    /// The text of the value.
    Plain,
    /// The items of a list, separated by commas.
    Commas,
    /// A boolean, as `1` or `0`; in JSON as that number.
    Digit,
}

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueKind {
    /// A single value.
    One,
    /// A list.
    List,
    /// A file: bytes with a name and a media type.
    File,
}

/// The shape of a value, as its Rust type declares it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldShape {
    /// `true` if a value is required.
    pub required: bool,
    /// `true` if null may be given, which clears the value.
    pub nullable: bool,
    /// The way to write the value outside JSON.
    pub notation: Notation,
    /// The kind of the value.
    pub kind: ValueKind,
    /// The function that writes the value in a JSON body, if it is not written as it was given.
    pub encode: Option<fn(&Value) -> Value>,
    /// The use of names of custom fields, if the value has any.
    pub naming: Option<Naming>,
    /// The function that builds the JSON Schema.
    pub schema: fn(&mut Schemas) -> Value,
}

/// A member of a record.
#[derive(Debug)]
pub struct Member {
    /// The name, as the vendor writes it.
    pub name: &'static str,
    /// A sentence that says what the member holds.
    pub doc: &'static str,
    /// The shape of the value. `Option` means that it may be absent or null.
    pub shape: FieldShape,
    /// The place in the flat view.
    pub flat: Flat,
}

/// A value of a closed set.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ClosedValue {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(i64),
}

/// The side that a schema describes. Inputs are strict, answers are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Input,
    Output,
}

/// A schema under construction. Records go into `$defs`, since a record may hold itself.
#[derive(Debug)]
pub struct Schemas {
    pub(crate) mode: Mode,
    defs: Map<String, Value>,
    /// The record types that have a name in `$defs`. Two types of one name have two names there.
    named: Vec<(TypeId, String)>,
    /// The words of the flat view, in a schema of that view.
    flat: Option<&'static FlatWords>,
    /// The names of the members that records keep, in a schema of some members alone.
    only: Option<Vec<String>>,
    /// The definitions of custom fields that name what the schema describes, each once.
    fields: Vec<&'static FieldsOf>,
}

/// The member of a schema that says which action lists the custom fields of a value.
pub(crate) const FIELDS: &str = "x-fields";

/// The member of a schema of the flat view that says how each member of the vendor's record gets there.
pub(crate) const FLAT_RULES: &str = "x-flat";

impl Schemas {
    pub(crate) fn new(mode: Mode) -> Self {
        Self { mode, defs: Map::new(), named: Vec::new(), flat: None, only: None, fields: Vec::new() }
    }

    /// Begins a schema of an answer in the flat view.
    pub(crate) fn for_flat_view(words: &'static FlatWords) -> Self {
        Self { flat: Some(words), ..Self::new(Mode::Output) }
    }

    /// Begins a schema of an answer in which records have members of these names alone.
    pub(crate) fn for_members(names: &[&str]) -> Self {
        Self { only: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..Self::new(Mode::Output) }
    }

    /// Refers to the record type `T`, and adds it to `$defs` if it is not there yet.
    pub fn record<T: 'static>(&mut self, module: &str, name: &str, doc: &str, members: &[Member]) -> Value {
        self.refer::<T>(module, name, |schemas| schemas.object(doc, members))
    }

    /// Refers to the record type `T`, which takes members beside its own.
    pub fn open_record<T: 'static>(&mut self, module: &str, name: &str, doc: &str, members: &[Member]) -> Value {
        self.refer::<T>(module, name, |schemas| {
            let mut object = schemas.object(doc, members);
            object["additionalProperties"] = true.into();
            object
        })
    }

    fn refer<T: 'static>(&mut self, module: &str, name: &str, build: impl FnOnce(&mut Self) -> Value) -> Value {
        let name = match self.find_name(TypeId::of::<T>()) {
            Some(known) => known,
            None => {
                let name = self.find_free_name(module, name);
                self.named.push((TypeId::of::<T>(), name.clone()));
                // The name is taken before the record is built, since it may hold itself.
                self.defs.insert(name.clone(), Value::Null);
                let schema = build(self);
                self.defs.insert(name.clone(), schema);
                name
            }
        };
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// Finds the name in `$defs` of a record type.
    fn find_name(&self, record: TypeId) -> Option<String> {
        self.named.iter().find(|(known, _)| *known == record).map(|(_, name)| name.clone())
    }

    /// Finds a name in `$defs` that no other record has: its own, else one that its module or a number tells apart.
    fn find_free_name(&self, module: &str, name: &str) -> String {
        let of_module = module.rsplit("::").scan(name.to_owned(), |name, segment| {
            *name = format!("{}{name}", to_type_name(segment));
            Some(name.clone())
        });
        let numbered = (2..).map(|number: u32| format!("{name}{number}"));
        let is_free = |name: &String| !self.defs.contains_key(name);
        std::iter::once(name.to_owned()).chain(of_module).chain(numbered).find(is_free).expect("there is a number for each record")
    }

    /// Describes a record in place, without a name in `$defs`.
    pub fn object(&mut self, doc: &str, members: &[Member]) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut rules = Map::new();
        for member in members {
            let is_left_out = self.only.as_ref().is_some_and(|names| !names.iter().any(|name| name == member.name));
            if is_left_out || member.flat.change == Change::Null && self.flat.is_none() {
                continue;
            }
            let mut schema = (member.shape.schema)(self);
            let name = if self.flat.is_some() { member.flat.name_of(member.name) } else { member.name.into() };
            if member.shape.required {
                required.push(name.clone());
            } else if self.mode == Mode::Output && !member.shape.nullable {
                schema = self.nullable(schema);
            }
            schema["description"] = member.doc.into();
            match self.flat {
                Some(words) => {
                    rules.insert(member.name.to_owned(), self.write_rule(words, &name, member.flat.change, &schema));
                    let placed = self.place_flat(words, &name, member, schema);
                    let doubled = placed.keys().find(|name| properties.contains_key(*name));
                    debug_assert!(
                        doubled.is_none(),
                        "two members would be named {doubled:?} in the flat view: rename one by #[flat(\"…\")]"
                    );
                    properties.extend(placed);
                }
                None => {
                    let doubled = properties.insert(name.into_owned(), schema);
                    debug_assert!(doubled.is_none(), "two members are named `{}`: rename one by #[wire(\"…\")]", member.name);
                }
            }
        }
        let mut object = json!({"type": "object", "description": doc, "properties": properties});
        if !required.is_empty() {
            object["required"] = required.into();
        }
        if self.mode == Mode::Input {
            object["additionalProperties"] = false.into();
        }
        if self.flat.is_some() {
            object[FLAT_RULES] = rules.into();
        }
        object
    }

    /// Returns the properties of the flat view that come from a member, which is called `name` there.
    fn place_flat(&self, words: &FlatWords, name: &str, member: &Member, schema: Value) -> Map<String, Value> {
        let beside = |beside: &str, schema: Value| Map::from_iter([(beside.to_owned(), schema), (name.to_owned(), json!(null))]);
        let boolean = |was: &str, becomes: &str| {
            debug_assert!(
                member.doc.starts_with(was),
                "begin the sentence of `{}` with {was}, for the flat view words its opposite",
                member.name
            );
            let mut kind = json!({"type": ["boolean", "null"], "description": member.doc.replacen(was, becomes, 1)});
            if member.shape.required {
                kind["type"] = "boolean".into();
            }
            kind
        };
        let mut placed = match member.flat.change {
            Change::None | Change::Null => Map::from_iter([(name.to_owned(), json!(null))]),
            Change::Not => return Map::from_iter([(name.to_owned(), boolean("True", "False"))]),
            Change::Flag => return Map::from_iter([(name.to_owned(), boolean("1", "True"))]),
            Change::Primary(main) => beside(main, json!({"type": ["string", "null"], "description": format!("The main one of `{name}`.")})),
            Change::Id(id) => {
                let mut kinds: Vec<Value> = find_properties(&schema, &self.defs, words.id)
                    .flat_map(|property| match &property["type"] {
                        Value::Array(kinds) => kinds.clone(),
                        kind => vec![kind.clone()],
                    })
                    .filter(|kind| kind.is_string() && kind != "null")
                    .collect();
                kinds.dedup();
                kinds.push("null".into());
                beside(id, json!({"type": kinds, "description": format!("The ID of `{name}`.")}))
            }
            Change::Parts => {
                let mut parts = Map::from_iter([(name.to_owned(), json!({"type": ["string", "null"], "description": member.doc}))]);
                for record in find_records(&schema, &self.defs) {
                    let properties = record["properties"].as_object().into_iter().flatten();
                    parts.extend(
                        properties.filter(|(part, _)| *part != words.value).map(|(part, schema)| (join_names(name, part), schema.clone())),
                    );
                }
                return parts;
            }
        };
        placed[name] = schema;
        placed
    }

    /// Writes a closed set: as an enum in an input, as examples in an answer, since the vendor may add values.
    pub fn closed(&mut self, values: &[ClosedValue]) -> Value {
        let allowed: Vec<Value> = values
            .iter()
            .map(|value| match value {
                ClosedValue::Text(text) => (*text).into(),
                ClosedValue::Number(number) => (*number).into(),
            })
            .collect();
        let kind = if matches!(values.first(), Some(ClosedValue::Number(_))) { "integer" } else { "string" };
        let word = if self.mode == Mode::Input { "enum" } else { "examples" };
        json!({"type": kind, word: allowed})
    }

    /// Writes how a member gets into the flat view: its name there, the change, and what stands beside it.
    fn write_rule(&self, words: &FlatWords, name: &str, change: Change, schema: &Value) -> Value {
        let mut rule = json!({"name": name});
        match change {
            Change::None | Change::Null => {}
            Change::Not => rule["change"] = "not".into(),
            Change::Flag => rule["change"] = "flag".into(),
            Change::Primary(beside) => (rule["change"], rule["beside"]) = ("primary".into(), beside.into()),
            Change::Id(beside) => (rule["change"], rule["beside"]) = ("id".into(), beside.into()),
            Change::Parts => {
                let rules = find_records(schema, &self.defs).into_iter().filter_map(|record| record[FLAT_RULES].as_object()).flatten();
                let parts = rules.filter(|(part, _)| *part != words.value).map(|(part, rule)| (part.clone(), rule["name"].clone()));
                rule["parts"] = parts.collect::<Map<_, _>>().into();
                rule["change"] = "parts".into();
            }
        }
        rule
    }

    /// Allows null beside the values of a schema.
    pub fn nullable(&mut self, mut schema: Value) -> Value {
        // Inlined, not `anyOf [ref, null]`: that would hide the path of a fault inside.
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            match &self.defs[name] {
                // The record is being built and holds itself.
                Value::Null => return json!({"anyOf": [schema, {"type": "null"}]}),
                known => {
                    let fields = schema.get(FIELDS).cloned();
                    schema = known.clone();
                    schema
                        .as_object_mut()
                        .into_iter()
                        .for_each(|schema| schema.extend(fields.clone().map(|fields| (FIELDS.to_owned(), fields))));
                }
            }
        }
        if schema.get("allOf").is_some() {
            return json!({"anyOf": [schema, {"type": "null"}]});
        }
        if let Some(either) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
            either.push(json!({"type": "null"}));
        }
        if let Some(kind) = schema.get("type").filter(|kind| kind.is_string()) {
            schema["type"] = json!([kind, "null"]);
        }
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        schema
    }

    /// Marks the schema of a value that has custom fields, and of a value that names them.
    ///
    /// It is an object of them, a record that has them beside its own members, or a name.
    pub fn mark_fields(&mut self, mut schema: Value, fields: &'static FieldsOf) -> Value {
        schema[FIELDS] = fields.list.into();
        if !self.fields.iter().any(|known| known.list == fields.list) {
            self.fields.push(fields);
        }
        schema
    }

    /// Lists the definitions of custom fields that name what the schema describes so far.
    pub(crate) fn fields(&self) -> &[&'static FieldsOf] {
        &self.fields
    }

    /// Describes a value within another one. There, `Option` means that it may be null: nothing can be left out.
    pub(crate) fn inner<T: FieldType>(&mut self) -> Value {
        let schema = T::schema(self);
        if takes_null::<T>() && !T::NULLABLE { self.nullable(schema) } else { schema }
    }

    /// Writes a text of one form, which inputs must have and answers show as an example.
    pub(crate) fn formatted_text(&mut self, format: &str, pattern: &str, example: &str) -> Value {
        match self.mode {
            Mode::Input => json!({"type": "string", "format": format, "pattern": pattern, "examples": [example]}),
            Mode::Output => json!({"type": "string", "examples": [example]}),
        }
    }

    pub(crate) fn finish(self, mut schema: Value) -> Value {
        if !self.defs.is_empty() {
            schema["$defs"] = self.defs.into();
        }
        schema
    }
}

/// Writes the name of a module as that of a type: `lead_labels` → `LeadLabels`.
fn to_type_name(module: &str) -> String {
    module.split('_').map(|word| join_names("", word)).collect()
}

/// Finds the schemas of records that a value may have, through references and alternatives.
pub(crate) fn find_records<'a>(schema: &'a Value, defs: &'a Map<String, Value>) -> Vec<&'a Value> {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        return defs.get(name).map_or_else(Vec::new, |record| find_records(record, defs));
    }
    if schema.get("properties").is_some() {
        return vec![schema];
    }
    let alternatives = ["allOf", "anyOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    alternatives.flat_map(|schema| find_records(schema, defs)).collect()
}

/// Finds the key of the action that lists the custom fields of a value, through alternatives.
pub(crate) fn find_fields(schema: &Value) -> Option<&str> {
    let alternatives = ["allOf", "anyOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    schema[FIELDS].as_str().or_else(|| alternatives.into_iter().find_map(find_fields))
}

/// Finds the properties of a nested record that come from one of these members.
fn find_properties<'a>(schema: &'a Value, defs: &'a Map<String, Value>, members: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    find_records(schema, defs).into_iter().filter_map(|record| {
        let rule = members.iter().find_map(|member| record[FLAT_RULES].get(member))?;
        record["properties"].get(rule["name"].as_str()?)
    })
}

/// Checks that a value within another one may be null.
pub(crate) const fn takes_null<T: FieldType>() -> bool {
    T::NULLABLE || !T::REQUIRED
}

impl FieldShape {
    /// Checks that the value is a file.
    pub fn is_file(&self) -> bool {
        self.kind == ValueKind::File
    }

    /// Reads the shape from the type `T`.
    pub const fn from_type<T: FieldType>() -> Self {
        Self {
            required: T::REQUIRED,
            nullable: T::NULLABLE,
            notation: T::NOTATION,
            kind: T::KIND,
            encode: T::ENCODE,
            naming: T::NAMING,
            schema: T::schema,
        }
    }
}

/// A type of an input, or of a member of a record.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an input or a member of a record",
    note = "use a type of connector_core (Id, List, Date, …), bool, i64, f64, String, Vec, Option, or a #[record]"
)]
pub trait FieldType {
    /// `true` if a value is required. It is `false` for `Option` alone.
    const REQUIRED: bool = true;
    /// `true` if null clears the value. It is `true` for `Nullable`, and for an `Either` of which one side is.
    const NULLABLE: bool = false;
    /// The way to write the value outside JSON.
    const NOTATION: Notation = Notation::Plain;
    /// The kind of the value.
    const KIND: ValueKind = ValueKind::One;
    /// The function that writes the value in a JSON body, if it is not written as it was given. It is given null too.
    const ENCODE: Option<fn(&Value) -> Value> = None;
    /// The use of names of custom fields, if the value has any.
    const NAMING: Option<Naming> = None;
    /// Builds the JSON Schema.
    fn schema(schemas: &mut Schemas) -> Value;
}

#[cfg(test)]
mod tests;
