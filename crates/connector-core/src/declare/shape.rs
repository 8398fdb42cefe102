//! Shapes of inputs, records and answers, and their JSON Schemas.

use serde_json::{Map, Value, json};

/// A way to write a value outside JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
pub struct FieldShape {
    /// `true` if a value is required.
    pub required: bool,
    /// `true` if null may be given, which clears the value.
    pub nullable: bool,
    /// The way to write the value outside JSON.
    pub notation: Notation,
    /// The kind of the value.
    pub kind: ValueKind,
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
}

/// A value of a closed set.
#[derive(Clone, Copy, Debug)]
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

/// A schema under construction. Records go into `$defs` by name, since a record may hold itself.
#[derive(Debug)]
pub struct Schemas {
    pub(crate) mode: Mode,
    defs: Map<String, Value>,
}

impl Schemas {
    pub(crate) fn new(mode: Mode) -> Self {
        Self { mode, defs: Map::new() }
    }

    /// Refers to the record `name`, and adds it to `$defs` if it is not there yet.
    pub fn record(&mut self, name: &str, doc: &str, members: &[Member]) -> Value {
        if !self.defs.contains_key(name) {
            self.defs.insert(name.to_owned(), Value::Null);
            let schema = self.object(doc, members);
            self.defs.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// Refers to the record `name`, which takes members beside its own.
    pub fn open_record(&mut self, name: &str, doc: &str, members: &[Member]) -> Value {
        let reference = self.record(name, doc, members);
        self.defs[name]["additionalProperties"] = true.into();
        reference
    }

    /// Describes a record in place, without a name in `$defs`.
    pub fn object(&mut self, doc: &str, members: &[Member]) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for member in members {
            let mut schema = (member.shape.schema)(self);
            if member.shape.required {
                required.push(member.name);
            } else if self.mode == Mode::Output && !member.shape.nullable {
                schema = self.nullable(schema);
            }
            schema["description"] = member.doc.into();
            properties.insert(member.name.to_owned(), schema);
        }
        let mut object = json!({"type": "object", "description": doc, "properties": properties});
        if !required.is_empty() {
            object["required"] = required.into();
        }
        if self.mode == Mode::Input {
            object["additionalProperties"] = false.into();
        }
        object
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

    /// Allows null beside the values of a schema.
    pub fn nullable(&mut self, mut schema: Value) -> Value {
        // Inlined, not `anyOf [ref, null]`: that would hide the path of a fault inside.
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            match &self.defs[name] {
                // The record is being built and holds itself.
                Value::Null => return json!({"anyOf": [schema, {"type": "null"}]}),
                known => schema = known.clone(),
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

impl FieldShape {
    /// Checks that the value is a file.
    pub fn is_file(&self) -> bool {
        self.kind == ValueKind::File
    }

    /// Reads the shape from the type `T`.
    pub const fn from_type<T: FieldType>() -> Self {
        Self { required: T::REQUIRED, nullable: T::NULLABLE, notation: T::NOTATION, kind: T::KIND, schema: T::schema }
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
    /// `true` if null clears the value. It is `true` for `Nullable` alone.
    const NULLABLE: bool = false;
    /// The way to write the value outside JSON.
    const NOTATION: Notation = Notation::Plain;
    /// The kind of the value.
    const KIND: ValueKind = ValueKind::One;
    /// Builds the JSON Schema.
    fn schema(schemas: &mut Schemas) -> Value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::types::{Both, Either, Json, MapOf};

    #[test]
    fn every_optional_member_of_an_answer_may_be_null() {
        let mut schemas = Schemas::new(Mode::Output);
        let shapes = [
            FieldShape::from_type::<i64>(),
            FieldShape::from_type::<Both<MapOf<Json>, MapOf<Json>>>(),
            FieldShape::from_type::<Either<i64, String>>(),
        ];
        for shape in shapes {
            let schema = (shape.schema)(&mut schemas);
            let nullable = schemas.nullable(schema);
            let validator = jsonschema::options().build(&nullable).expect("the schema is sound");
            assert!(validator.is_valid(&Value::Null), "{nullable} must take null");
        }
    }
}
