//! Rust types of inputs and of members of records.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::declare::fields::Naming;
use crate::declare::shape::{FIELDS, FieldType, Mode, Notation, Schemas, ValueKind, takes_null};

/// The member of a schema that says in which zone a time is that is written without one.
pub(crate) const TIME_MARK: &str = "x-time";

/// The value of [`TIME_MARK`] of a time in UTC.
pub(crate) const IN_UTC: &str = "utc";

/// The number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Id(pub i64);

/// A value that null clears. No other type takes null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nullable<T> {
    /// Null was given.
    Null,
    /// A value was given.
    Value(T),
}

/// Values sent as one text, separated by commas: at least one, at most `MOST`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct List<T, const MOST: usize = 100>(pub Vec<T>);

/// A text that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text(pub String);

/// A boolean sent as `1` or `0`, in JSON as that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Flag(pub bool);

/// A day: `2026-01-31`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Date(pub String);

/// A UUID: `adf21080-0e10-11eb-879b-05d71fb426ec`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Uuid(pub String);

/// A time with its zone, in whole seconds: `2026-01-31T09:30:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DateTime(pub String);

/// A time in UTC, written without a zone: `2026-01-31 09:30:00`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct UtcTime(pub String);

/// The index of a page's first record, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Start(pub u64);

/// The words of an upsert for the values by which a record is found: one, or a list.
#[derive(Clone, Copy, Debug)]
pub struct MatchBy;

/// Any JSON value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Value);

/// An object with any names, whose values have one shape. It keeps its order.
#[derive(Clone, Debug, PartialEq)]
pub struct MapOf<T>(pub Vec<(String, T)>);

/// No data. It is the answer of an action whose response has an empty body: `data` is null.
#[derive(Debug)]
pub struct Nothing;

/// A file, as an input or as an answer.
#[derive(Debug)]
pub struct File;

/// Bytes as text in base64.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Base64(pub String);

/// A record made of two: the members that it shares with others, and the rest.
#[derive(Debug)]
pub struct Both<A, B>(PhantomData<(A, B)>);

/// A record of one shape or of another.
#[derive(Debug)]
pub struct Either<A, B>(PhantomData<(A, B)>);

impl FieldType for Id {
    /// Builds a schema that starts at 1.
    ///
    /// A template may write 0 for "nothing", and a filter by 0 would match all.
    fn schema(schemas: &mut Schemas) -> Value {
        match schemas.mode {
            Mode::Input => json!({"type": "integer", "minimum": 1}),
            Mode::Output => json!({"type": "integer"}),
        }
    }
}

impl FieldType for i64 {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "integer"})
    }
}

impl FieldType for f64 {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "number"})
    }
}

impl FieldType for bool {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "boolean"})
    }
}

impl FieldType for Flag {
    const NOTATION: Notation = Notation::Digit;
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "boolean"})
    }
}

impl FieldType for String {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string"})
    }
}

impl FieldType for Text {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

impl FieldType for Date {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.formatted_text("date", r"^\d{4}-\d{2}-\d{2}$", "2026-01-31")
    }
}

impl FieldType for Uuid {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.formatted_text("uuid", "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "adf21080-0e10-11eb-879b-05d71fb426ec")
    }
}

impl FieldType for DateTime {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.formatted_text("date-time", r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$", "2026-01-31T09:30:00Z")
    }
}

impl FieldType for UtcTime {
    fn schema(schemas: &mut Schemas) -> Value {
        let day = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])";
        let pattern = format!(r"^{day} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d$");
        match schemas.mode {
            Mode::Input => json!({"type": "string", "pattern": pattern, "examples": ["2026-01-31 09:30:00"], TIME_MARK: IN_UTC}),
            Mode::Output => json!({"type": "string"}),
        }
    }
}

impl FieldType for Base64 {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "contentEncoding": "base64"})
    }
}

impl FieldType for File {
    const KIND: ValueKind = ValueKind::File;
    fn schema(schemas: &mut Schemas) -> Value {
        let name = json!({"type": "string", "description": "The name of the file, without a folder."});
        let media = json!({"type": "string", "description": "The media type of the file."});
        let size = json!({"type": "integer", "minimum": 0, "description": "The size of the file in bytes."});
        let content = json!({"type": "string", "contentEncoding": "base64", "description": "The bytes of the file, in base64."});
        let mut schema = json!({"type": "object", "properties": {"contentType": media, "fileName": name, "size": size, "base64": content}});
        let properties = &mut schema["properties"];
        match schemas.mode {
            Mode::Input => {
                properties["fileName"]["pattern"] = r"^[^/\\\x00-\x1f]{1,255}$".into();
                properties["fileName"]["examples"] = json!(["offer.pdf"]);
                properties["contentType"]["pattern"] = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;[\x20-\x7e]*)?$".into();
                properties["contentType"]["examples"] = json!(["application/pdf"]);
                properties["contentType"]["description"] = "The media type of the file. Left out, the name tells it.".into();
                properties["size"]["description"] = "The size of the file in bytes, as a check. Left out, nothing is checked.".into();
                schema["required"] = json!(["fileName", "base64"]);
                schema["additionalProperties"] = false.into();
            }
            Mode::Output => {
                properties["base64"]["description"] =
                    "The bytes of the file, in base64. It is not there where the file was written elsewhere.".into();
                schema["required"] = json!(["contentType", "fileName", "size"]);
            }
        }
        schema
    }
}

impl FieldType for Start {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "integer", "minimum": 0})
    }
}

impl FieldType for MatchBy {
    fn schema(_: &mut Schemas) -> Value {
        let word = json!({"type": "string", "minLength": 1});
        json!({"type": ["string", "array"], "minLength": 1, "items": word, "minItems": 1, "maxItems": 5})
    }
}

impl FieldType for Json {
    fn schema(_: &mut Schemas) -> Value {
        json!({"description": "Any JSON value."})
    }
}

impl FieldType for Nothing {
    const NULLABLE: bool = true;
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "null"})
    }
}

impl<T: FieldType> FieldType for MapOf<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        json!({"type": "object", "additionalProperties": schemas.inner::<T>()})
    }
}

impl<A: FieldType, B: FieldType> FieldType for Both<A, B> {
    const NULLABLE: bool = takes_null::<A>() && takes_null::<B>();
    fn schema(schemas: &mut Schemas) -> Value {
        json!({"allOf": [schemas.inner::<A>(), schemas.inner::<B>()]})
    }
}

impl<A: FieldType, B: FieldType> FieldType for Either<A, B> {
    const NULLABLE: bool = takes_null::<A>() || takes_null::<B>();
    fn schema(schemas: &mut Schemas) -> Value {
        json!({"anyOf": [schemas.inner::<A>(), schemas.inner::<B>()]})
    }
}

impl<T: FieldType> FieldType for Vec<T> {
    const KIND: ValueKind = ValueKind::List;
    const NAMING: Option<Naming> = T::NAMING;
    fn schema(schemas: &mut Schemas) -> Value {
        json!({"type": "array", "items": schemas.inner::<T>()})
    }
}

impl<T: FieldType, const MOST: usize> FieldType for List<T, MOST> {
    const NOTATION: Notation = {
        assert!(!takes_null::<T>(), "a List travels as one text, which cannot hold null: take Option or Nullable off, or use Vec");
        Notation::Commas
    };
    const NAMING: Option<Naming> = T::NAMING;
    fn schema(schemas: &mut Schemas) -> Value {
        let mut items = T::schema(schemas);
        // A comma inside an item would make two items of it. The name of a field may have one: its code travels.
        let fields = items.as_object_mut().and_then(|items| items.shift_remove(FIELDS));
        if items["type"] == "string" && items.get("enum").is_none() && fields.is_none() {
            items = json!({"type": "string", "pattern": "^[^,]+$", "examples": ["text without a comma"]});
        }
        let mut schema = json!({"type": "array", "items": items, "minItems": 1, "maxItems": MOST});
        if let Some(fields) = fields {
            schema[FIELDS] = fields;
        }
        schema
    }
}

impl<T: FieldType> FieldType for Nullable<T> {
    const NULLABLE: bool = true;
    const NOTATION: Notation = T::NOTATION;
    const ENCODE: Option<fn(&Value) -> Value> = T::ENCODE;
    const NAMING: Option<Naming> = T::NAMING;
    fn schema(schemas: &mut Schemas) -> Value {
        let schema = T::schema(schemas);
        if T::NULLABLE { schema } else { schemas.nullable(schema) }
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const REQUIRED: bool = false;
    const NULLABLE: bool = T::NULLABLE;
    const NOTATION: Notation = T::NOTATION;
    const KIND: ValueKind = T::KIND;
    const ENCODE: Option<fn(&Value) -> Value> = T::ENCODE;
    const NAMING: Option<Naming> = T::NAMING;
    fn schema(schemas: &mut Schemas) -> Value {
        T::schema(schemas)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for MapOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Vec<(String, T)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                std::iter::from_fn(|| map.next_entry().transpose()).collect()
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData)).map(Self)
    }
}

/// Reads a member that is present, so that null differs from absent: serde alone makes both `None`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
