//! References in an input: names in place of IDs, and changes to lists in place of whole lists. Pure.

use serde_json::{Map, Value, json};

use crate::declare::field::{Field, Place};
use crate::declare::shape::ValueKind;
use crate::exchange::schema;
use crate::value::fault::{Fault, FaultCode};
use crate::value::pointer::escape_segment;
use crate::value::wording::{list_names, shorten};

/// The word that stands for the user of the connection.
pub(crate) const ME: &str = "me";

/// The word of a reference by which an item of a list is named.
const NAME: &str = "name";

/// The members of a change to a list.
const ADD: &str = "add";
const REMOVE: &str = "remove";

/// The characters that a message quotes of a caller's value.
const LONGEST_QUOTE: usize = 200;

/// An input that takes more than its schema says.
#[derive(Clone, Debug)]
pub(crate) struct NamedField {
    pub(crate) field: &'static Field,
    /// The words of a reference, as `name` and `email`.
    pub(crate) words: Vec<&'static str>,
    /// `true` if `"me"` stands for the user of the connection.
    pub(crate) takes_me: bool,
    /// `true` if the input is a list.
    pub(crate) is_list: bool,
    /// `true` if the list can be changed in place of being set.
    pub(crate) takes_changes: bool,
    /// The form of an ID. Any other text in a list is a name.
    pub(crate) id: IdForm,
}

/// The form of an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdForm {
    /// A whole number.
    Number,
    /// A UUID.
    Uuid,
    /// Any text, so that no text is a name.
    Text,
    /// An object, as an email address with its label: its value identifies it.
    Contact,
}

/// A reference in place of an ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The place in the input, as a JSON pointer.
    pub(crate) pointer: String,
    /// The word: `name`, `email`, or `me`.
    pub(crate) word: String,
    /// The name that was given.
    pub(crate) text: String,
}

/// A value in which references stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Named {
    /// A value in place of an ID.
    One(GivenItem),
    /// A list that is set.
    List(Vec<GivenItem>),
    /// A change to a list.
    Change { add: Vec<GivenItem>, remove: Vec<GivenItem> },
}

/// A value, or a reference in its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GivenItem {
    Value(Value),
    Reference(Reference),
}

/// An input that was taken out, since references stand in it.
#[derive(Clone, Debug)]
pub(crate) struct TakenInput {
    pub(crate) field: &'static Field,
    /// The form of the IDs that the input takes.
    pub(crate) id: IdForm,
    /// The value as it was given.
    pub(crate) given: Value,
    pub(crate) named: Named,
}

/// Takes the values out of an input in which references stand. The others stay.
pub(crate) fn take_references(fields: &[NamedField], input: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Vec<TakenInput> {
    // Most inputs hold no reference: nothing is copied or formatted for them.
    let find = |name: &str| fields.iter().find(|known| known.field.name == name);
    let named = input.iter().filter_map(|(name, value)| find(name).filter(|known| !known.is_plain(value)));
    let named: Vec<&NamedField> = named.collect();
    let mut taken = Vec::new();
    for known in named {
        let Some(value) = input.get(known.field.name) else { continue };
        match known.read(value, &format!("/{}", known.field.name)) {
            Ok(None) => continue,
            Ok(Some(named)) => taken.push(TakenInput { field: known.field, id: known.id, given: value.clone(), named }),
            Err(fault) => faults.push(fault),
        }
        input.shift_remove(known.field.name);
    }
    taken
}

impl NamedField {
    /// Lists the inputs that take names, or changes to lists, in place of what their schema says.
    pub(crate) fn list(fields: &[&'static Field], changes_record: bool) -> Vec<Self> {
        fields.iter().filter_map(|field| Self::build(field, changes_record)).collect()
    }

    fn build(field: &'static Field, changes_record: bool) -> Option<Self> {
        let can_be_changed = changes_record && field.place == Place::Body && field.shape.kind == ValueKind::List;
        if field.accepts.is_empty() && !can_be_changed {
            return None;
        }
        let schema = schema::build_fields(std::iter::once(field));
        let property = &schema["properties"][field.name];
        let is_list = property.get("items").is_some();
        let value = if is_list { &property["items"] } else { property };
        let definition = value["$ref"].as_str().and_then(|name| schema["$defs"].get(name.trim_start_matches("#/$defs/")));
        let id = IdForm::from_schema(definition.unwrap_or(value));
        let takes_changes = can_be_changed && is_list && (field.source.is_some() || id == IdForm::Contact);
        let words: Vec<&'static str> = field.accepts.iter().copied().filter(|word| *word != ME).collect();
        let takes_me = field.accepts.contains(&ME);
        (!words.is_empty() || takes_me || takes_changes).then_some(Self { field, words, takes_me, is_list, takes_changes, id })
    }

    /// Lists the words that the published schema says beside the form of a value.
    pub(crate) fn accepted_words(&self) -> Vec<&'static str> {
        let changes = [ADD, REMOVE].into_iter().filter(|_| self.takes_changes);
        self.words.iter().copied().chain(self.takes_me.then_some(ME)).chain(changes).collect()
    }

    /// Checks, without a look at its parts, that a value is as the schema has it or a fault of the schema.
    fn is_plain(&self, value: &Value) -> bool {
        let is_plain_item = |item: &Value| match item {
            Value::String(text) => self.id != IdForm::Contact && self.id.fits(text) && !(self.takes_me && text == ME),
            Value::Object(_) => false,
            _ => true,
        };
        match value {
            Value::Array(items) => items.iter().all(is_plain_item),
            Value::String(text) => !self.takes_me || text != ME,
            Value::Object(_) => false,
            _ => true,
        }
    }

    /// Reads a value in which references stand. It returns none for a value as the schema has it.
    fn read(&self, value: &Value, pointer: &str) -> Result<Option<Named>, Fault> {
        match value {
            Value::Array(items) if self.is_list => {
                let read = self.read_items(items, pointer)?;
                let has_reference = read.iter().any(|item| matches!(item, GivenItem::Reference(_)));
                Ok(has_reference.then_some(Named::List(read)))
            }
            Value::Object(members) if self.is_list && self.takes_changes => self.read_change(members, pointer).map(Some),
            Value::Object(_) if !self.is_list && !self.words.is_empty() => {
                self.read_item(value, pointer).map(|item| Some(Named::One(item)))
            }
            Value::String(text) if !self.is_list && self.takes_me && text == ME => {
                self.read_item(value, pointer).map(|item| Some(Named::One(item)))
            }
            _ => Ok(None),
        }
    }

    fn read_change(&self, members: &Map<String, Value>, pointer: &str) -> Result<Named, Fault> {
        if !is_change(members) {
            return Err(Fault::at(pointer, self.explain_form(&Value::Object(members.clone()))));
        }
        let read = |name: &str| match members.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => self.read_items(items, &format!("{pointer}/{name}")),
            Some(other) => Err(Fault::at(format!("{pointer}/{name}"), wrong_form(other, r#"["a name", 7]"#))),
        };
        Ok(Named::Change { add: read(ADD)?, remove: read(REMOVE)? })
    }

    fn read_items(&self, items: &[Value], pointer: &str) -> Result<Vec<GivenItem>, Fault> {
        items.iter().enumerate().map(|(at, item)| self.read_item(item, &format!("{pointer}/{at}"))).collect()
    }

    fn read_item(&self, value: &Value, pointer: &str) -> Result<GivenItem, Fault> {
        let refer = |word: &str, text: &str| {
            let (pointer, word, text) = (pointer.to_owned(), word.to_owned(), text.to_owned());
            Ok(GivenItem::Reference(Reference { pointer, word, text }))
        };
        match value {
            Value::String(text) if self.takes_me && text == ME => refer(ME, text),
            Value::String(text) if self.words.contains(&NAME) && !self.id.fits(text) => refer(NAME, text),
            Value::Object(members) if !self.words.is_empty() => {
                let mut pairs = members.iter();
                match (pairs.next(), pairs.next()) {
                    (Some((word, Value::String(text))), None) if self.words.contains(&word.as_str()) && !text.trim().is_empty() => {
                        refer(word, text)
                    }
                    (Some((word, Value::String(_))), None) if self.words.contains(&word.as_str()) => Err(Fault::at(
                        format!("{pointer}/{}", escape_segment(word)),
                        FaultCode::TooShort { value: "\"\"".to_owned(), minimum: 1 },
                    )),
                    _ => Err(Fault::at(pointer, self.explain_form(value))),
                }
            }
            Value::String(text) if self.id == IdForm::Contact => Ok(GivenItem::Value(json!({"value": text}))),
            other => Ok(GivenItem::Value(other.clone())),
        }
    }

    /// Words which forms the input takes.
    fn explain_form(&self, value: &Value) -> FaultCode {
        let mut forms: Vec<String> = self.words.iter().map(|word| format!("{{\"{word}\": \"…\"}}")).collect();
        if self.takes_me {
            forms.push("\"me\"".to_owned());
        }
        if self.takes_changes {
            forms.push(r#"{"add": […], "remove": […]}"#.to_owned());
        }
        let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
        let what = if self.is_list { "a list" } else { "an ID" };
        let value = shorten(&value.to_string(), LONGEST_QUOTE);
        FaultCode::Other(format!("{value} is neither {what} nor {}", list_names(&forms, "or")))
    }
}

/// Checks that an object is a change to a list.
pub(crate) fn is_change(members: &Map<String, Value>) -> bool {
    !members.is_empty() && members.keys().all(|name| matches!(name.as_str(), ADD | REMOVE))
}

fn wrong_form(value: &Value, example: &str) -> FaultCode {
    FaultCode::WrongForm { value: shorten(&value.to_string(), LONGEST_QUOTE), example: example.to_owned() }
}

impl Reference {
    /// Reads a reference at a JSON pointer: `"me"`, or an object of one word and a text that is not empty.
    pub(crate) fn read(value: &Value, pointer: String) -> Option<Self> {
        match value {
            Value::String(text) if text == ME => Some(Self { pointer, word: ME.to_owned(), text: text.clone() }),
            Value::Object(members) if members.len() == 1 => {
                let (word, text) = members.iter().next()?;
                let text = text.as_str().filter(|text| !text.trim().is_empty())?;
                Some(Self { pointer, word: word.clone(), text: text.to_owned() })
            }
            _ => None,
        }
    }
}

impl IdForm {
    /// Finds the form of the IDs that a schema of an input, or of the items of a list, asks for.
    pub(crate) fn from_schema(schema: &Value) -> Self {
        let is = |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
        match () {
            () if is("integer") => Self::Number,
            () if schema["format"] == "uuid" => Self::Uuid,
            () if schema["properties"].get("value").is_some() => Self::Contact,
            () => Self::Text,
        }
    }

    /// Checks that a text is an ID.
    fn fits(self, text: &str) -> bool {
        match self {
            Self::Number => text.parse::<i64>().is_ok(),
            Self::Uuid => text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'),
            Self::Text | Self::Contact => true,
        }
    }
}

/// Applies a change to a list that a record has. What is there already is not added again.
///
/// It returns none if the change changes nothing.
pub(crate) fn apply_change(current: &[Value], add: &[Value], remove: &[Value]) -> Option<Vec<Value>> {
    let is_same = |one: &Value, other: &Value| identify(one) == identify(other);
    let mut list: Vec<Value> = current.iter().filter(|item| !remove.iter().any(|gone| is_same(gone, item))).cloned().collect();
    for item in add {
        if !list.iter().any(|known| is_same(known, item)) {
            list.push(item.clone());
        }
    }
    (list != current).then_some(list)
}

/// Returns what identifies an item: its value, without regard to case where it is text.
fn identify(item: &Value) -> Value {
    match item {
        Value::Object(members) => members.get("value").map_or_else(|| item.clone(), identify),
        Value::String(text) => text.trim().to_lowercase().into(),
        Value::Number(number) => number.as_f64().map_or_else(|| item.clone(), Value::from),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::declare::toy::input;
    use crate::declare::types::Json;

    static OWNER: Field = input::<Option<Json>>("ownerId", "owner_id", Place::Body);
    static LABELS: Field = input::<Option<Json>>("labelIds", "label_ids", Place::Body);

    fn fields() -> Vec<NamedField> {
        let one = NamedField {
            field: &OWNER,
            words: vec!["name", "email"],
            takes_me: true,
            is_list: false,
            takes_changes: false,
            id: IdForm::Number,
        };
        let list = NamedField { field: &LABELS, words: vec!["name"], takes_me: false, is_list: true, takes_changes: true, ..one.clone() };
        vec![one, list]
    }

    fn take(input: Value) -> (Vec<(&'static str, Named)>, Vec<String>, Value) {
        let Value::Object(mut input) = input else { panic!("an input is an object") };
        let mut faults = Vec::new();
        let taken = take_references(&fields(), &mut input, &mut faults);
        let faults = faults.iter().map(|fault| format!("{}: {}", fault.path(), fault.code())).collect();
        (taken.into_iter().map(|taken| (taken.field.name, taken.named)).collect(), faults, input.into())
    }

    fn refer(pointer: &str, word: &str, text: &str) -> GivenItem {
        GivenItem::Reference(Reference { pointer: pointer.to_owned(), word: word.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn values_as_the_schema_has_them_stay() {
        for input in [
            json!({"ownerId": 7}),
            json!({"ownerId": "7"}),
            json!({"ownerId": null}),
            json!({"labelIds": [1, "2"]}),
            json!({"ownerId": "you"}),
        ] {
            assert_eq!(take(input.clone()), (vec![], vec![], input));
        }
    }

    #[test]
    fn takes_references_out_of_the_input() {
        let (taken, faults, rest) = take(json!({"ownerId": {"email": "a@b.example"}, "labelIds": [3, "Hot", {"name": "7"}], "title": "x"}));
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(rest, json!({"title": "x"}));
        let labels = Named::List(vec![GivenItem::Value(json!(3)), refer("/labelIds/1", "name", "Hot"), refer("/labelIds/2", "name", "7")]);
        assert_eq!(taken, [("ownerId", Named::One(refer("/ownerId", "email", "a@b.example"))), ("labelIds", labels)]);
        let (taken, ..) = take(json!({"ownerId": "me", "labelIds": {"add": ["Hot"], "remove": [2]}}));
        let change = Named::Change { add: vec![refer("/labelIds/add/0", "name", "Hot")], remove: vec![GivenItem::Value(json!(2))] };
        assert_eq!(taken, [("ownerId", Named::One(refer("/ownerId", "me", "me"))), ("labelIds", change)]);
    }

    #[test]
    fn faults_name_the_forms_that_are_taken() {
        for (input, fault) in [
            (
                json!({"ownerId": {"phone": "1"}}),
                r#"/ownerId: {"phone":"1"} is neither an ID nor `{"name": "…"}`, `{"email": "…"}` or `"me"`"#,
            ),
            (json!({"ownerId": {}}), r#"/ownerId: {} is neither an ID nor `{"name": "…"}`, `{"email": "…"}` or `"me"`"#),
            (json!({"ownerId": {"name": " "}}), "/ownerId/name: \"\" is shorter than 1 character"),
            (
                json!({"labelIds": {"put": [1]}}),
                r#"/labelIds: {"put":[1]} is neither a list nor `{"name": "…"}` or `{"add": […], "remove": […]}`"#,
            ),
        ] {
            let (taken, faults, _) = take(input);
            assert_eq!((taken.len(), faults.as_slice()), (0, [fault.to_owned()].as_slice()));
        }
    }

    #[test]
    fn change_adds_what_is_absent_and_removes_what_is_there() {
        let labels = [json!(1), json!(2)];
        assert_eq!(apply_change(&labels, &[json!(2), json!(3)], &[json!(1)]), Some(vec![json!(2), json!(3)]));
        assert_eq!(apply_change(&labels, &[json!(2)], &[json!(9)]), None);
        let emails = [json!({"value": "Ann@x.example", "primary": true, "label": "work"})];
        assert_eq!(apply_change(&emails, &[json!({"value": "ann@x.example"})], &[]), None);
        assert_eq!(apply_change(&emails, &[], &[json!("ANN@x.example")]), Some(vec![]));
    }
}
