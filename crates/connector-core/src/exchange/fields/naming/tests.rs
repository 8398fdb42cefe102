//! Custom fields of answers by name, with the fields of an account of examples.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::*;
use crate::declare::action::Declaration;
use crate::declare::fields::{AccountField, FieldLayout, FieldsOf};
use crate::declare::flat::Flat;
use crate::declare::shape::{FieldShape, FieldType, Member, Schemas};
use crate::declare::toy::{WORDS, declare};
use crate::declare::types::{Both, Either, MapOf};
use crate::exchange::fields::resolve::resolve_values;
use crate::exchange::fields::toy::{TYPES, build, code_of};
use crate::exchange::plan::Plan;
use crate::exchange::view::flatten;

static FIELDS: FieldsOf = FieldsOf::new("getThingFields", &[]);

struct Values;
/// A record with its custom fields in an object, and with a record within it.
struct Thing;
/// A record with its custom fields beside its own members.
struct OldThing;
struct Marked;
struct Found;

const fn member<T: FieldType>(name: &'static str) -> Member {
    Member { name, doc: "A member.", shape: FieldShape::from_type::<T>(), flat: Flat::PLAIN }
}

impl FieldType for Values {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.mark_fields(json!({"type": "object", "additionalProperties": true}), &FIELDS)
    }
}

impl FieldType for Thing {
    fn schema(schemas: &mut Schemas) -> Value {
        const MEMBERS: &[Member] = &[
            member::<i64>("id"),
            member::<Option<Values>>("custom_fields"),
            member::<Option<Thing>>("parent"),
            member::<Option<String>>("note"),
        ];
        schemas.record::<Self>(module_path!(), "Thing", "A thing.", MEMBERS)
    }
}

impl FieldType for OldThing {
    fn schema(schemas: &mut Schemas) -> Value {
        const MEMBERS: &[Member] = &[member::<i64>("id"), member::<Option<Thing>>("thing_now")];
        schemas.record::<Self>(module_path!(), "OldThing", "An old thing.", MEMBERS)
    }
}

impl FieldType for Marked {
    fn schema(schemas: &mut Schemas) -> Value {
        let schema = OldThing::schema(schemas);
        schemas.mark_fields(schema, &FIELDS)
    }
}

impl FieldType for Found {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.object("What was found.", &[member::<Vec<Thing>>("items")])
    }
}

static ONE: Declaration = declare::<Thing>("getThing");
static MANY: Declaration = declare::<Vec<Thing>>("getThings");
static OLD: Declaration = declare::<Vec<Marked>>("getOldThings");
static ELSEWHERE: Declaration = declare::<MapOf<Either<i64, Both<Found, OldThing>>>>("getElsewhere");
static PLAIN: Declaration = declare::<Vec<i64>>("getNumbers");

fn name_with(set: &FieldSet, declaration: &'static Declaration, text: &str, how: NamedFields) -> (String, Vec<String>) {
    let plan = FieldPlan::build(declaration).expect("it has custom fields");
    assert_eq!(plan.fields().iter().map(|fields| fields.list).collect::<Vec<_>>(), ["getThingFields"]);
    let data = RawJson::from_text(text.as_bytes().to_vec());
    let named = name_fields(&plan, &[set], &data, how);
    serde_json::from_str::<Value>(named.data.as_str()).unwrap_or_else(|error| panic!("{error}: {}", named.data.as_str()));
    (named.data.as_str().to_owned(), named.missed)
}

fn name(declaration: &'static Declaration, text: &str) -> String {
    let (named, missed) = name_with(&build(), declaration, text, NamedFields::Instead);
    assert_eq!(missed, [""; 0], "{text}");
    named
}

#[test]
fn each_type_has_its_name_and_options_their_labels() {
    for (field, given, expected) in [
        ("Short text", "\"a\\u00e9\\\"\"", "\"a\\u00e9\\\"\""),
        ("Suggested text", "null", "null"),
        ("Long text", "\"\"", "\"\""),
        ("Score", "12345678901234567890.50", "12345678901234567890.50"),
        ("Budget", r#"{"value":5,"currency":"EUR"}"#, r#"{"value":5,"currency":"EUR"}"#),
        ("Interests", "[17, 18]", r#"["Automation","Support"]"#),
        ("Interests", "null", "null"),
        ("Interests", "[]", "[]"),
        ("Interests", r#"[{"id":17,"label":"Renamed since"},{"id":18,"label":null}]"#, r#"["Renamed since","Support"]"#),
        ("Tier", "2", r#""Silver""#),
        ("Tier", "null", "null"),
        ("Tier", r#"{"id":2,"label":"Silver"}"#, r#""Silver""#),
        ("Manager", "42", "42"),
        ("Partner", "7", "7"),
        ("Friend", "null", "null"),
        ("Hotline", "\"+48\"", "\"+48\""),
        ("Best time", r#"{"value":"09:30:00","zone_id":null}"#, r#"{"value":"09:30:00","zone_id":null}"#),
        ("Hours", r#"{"value":"09:30:00","until":"10:00:00"}"#, r#"{"value":"09:30:00","until":"10:00:00"}"#),
        ("First met", "\"2024-02-29\"", "\"2024-02-29\""),
        ("Trial", r#"{"value":"2026-01-31","until":"2026-02-28"}"#, r#"{"value":"2026-01-31","until":"2026-02-28"}"#),
        ("Site", r#"{"value":"Here","city":"Łódź"}"#, r#"{"value":"Here","city":"Łódź"}"#),
    ] {
        let record = format!(r#"{{"id":1,"custom_fields":{{"{}":{given}}},"note":"{{\"cf16\":2}}"}}"#, code_of(field));
        let named = format!(r#"{{"id":1,"custom_fields":{{"{field}":{expected}}},"note":"{{\"cf16\":2}}"}}"#);
        assert_eq!(name(&ONE, &record), named, "{field} {given}");
        let (both, _) = name_with(&build(), &ONE, &record, NamedFields::Beside);
        let by_name = format!(r#"}},"custom_fields_by_name":{{"{field}":{expected}}},"note""#);
        assert_eq!(both, record.replace("},\"note\"", &by_name), "{field} {given}");
    }
}

#[test]
fn names_and_labels_that_are_not_theirs_alone_stay_codes_and_ids() {
    for (given, expected) in [
        (r#"{"cf80":"a","cf81":"b","cf82":"c","cf83":"d"}"#, r#"{"cf80":"a","cf81":"b","Colour":"c","COLOUR":"d"}"#),
        (r#"{"cf84":"a","cf85":"b"}"#, r#"{"cf84":"a","Stage":"b"}"#),
        (r#"{"cf86":"a"}"#, r#"{"a_b \"c\"/~":"a"}"#),
        (r#"{"cf15":[19,17]}"#, r#"{"Interests":[19,"Automation"]}"#),
        // The label of the last option is the text of another one's ID.
        (r#"{"cf16":5}"#, r#"{"Tier":5}"#),
        (r#"{"cf16":{"id":5,"label":"3"}}"#, r#"{"Tier":{"id":5,"label":"3"}}"#),
    ] {
        let record = |values: &str| format!(r#"{{"custom_fields":{values}}}"#);
        assert_eq!(name(&ONE, &record(given)), record(expected), "{given}");
    }
}

#[test]
fn what_the_definitions_do_not_have_stays_and_is_told() {
    let record = r#"[{"custom_fields":{"cf99":7,"cf16":9,"cf15":[17,99],"cf13":1}},{"custom_fields":{"cf99":8}}]"#;
    let (named, missed) = name_with(&build(), &MANY, record, NamedFields::Instead);
    assert_eq!(named, r#"[{"custom_fields":{"cf99":7,"Tier":9,"Interests":["Automation",99],"Score":1}},{"custom_fields":{"cf99":8}}]"#);
    assert_eq!(missed, ["cf99", "9", "99"]);
    let old = r#"[{"id":1,"cf99":7,"cf16":"9","cf14_value":3}]"#;
    let (named, missed) = name_with(&build(), &OLD, old, NamedFields::Instead);
    assert_eq!(named, r#"[{"id":1,"cf99":7,"cf14_value":3,"custom_fields":{"Tier":"9"}}]"#);
    assert_eq!(missed, ["cf99", "cf14_value", "9"].map(str::to_owned).as_slice());
}

#[test]
fn records_are_found_wherever_they_are_and_all_else_is_untouched() {
    for (declaration, given, expected) in [
        (&ONE, "null", "null"),
        (&ONE, r#"{"custom_fields":null,"x":[1 , 2]}"#, r#"{"custom_fields":null,"x":[1 , 2]}"#),
        (&ONE, r#" { "custom_fields" : { "cf13" : 1 } , "a":1 } "#, r#" { "custom_fields" : { "Score":1 } , "a":1 } "#),
        (
            &ONE,
            r#"{"parent":{"custom_fields":{"cf13":1},"parent":{"custom_fields":{"cf16":1}}},"custom_fields":{}}"#,
            r#"{"parent":{"custom_fields":{"Score":1},"parent":{"custom_fields":{"Tier":"Bronze"}}},"custom_fields":{}}"#,
        ),
        (&ONE, r#"[{"custom_fields":{"cf13":1}}]"#, r#"[{"custom_fields":{"Score":1}}]"#),
        (&MANY, r#"[{"custom_fields":{"cf13":1}},7]"#, r#"[{"custom_fields":{"Score":1}},7]"#),
        (&MANY, r#"{"custom_fields":{"cf13":1}}"#, r#"{"custom_fields":{"cf13":1}}"#),
        (
            &ELSEWHERE,
            r#"{"custom_fields":{"items":[{"custom_fields":{"cf13":1}}],"thing_now":{"custom_fields":{"cf13":2}}},"b":3}"#,
            r#"{"custom_fields":{"items":[{"custom_fields":{"Score":1}}],"thing_now":{"custom_fields":{"Score":2}}},"b":3}"#,
        ),
    ] {
        assert_eq!(name(declaration, given), expected, "{given}");
    }
    assert!(FieldPlan::build(&PLAIN).is_none(), "numbers have no custom fields");
    let (both, _) = name_with(&build(), &ONE, r#"{"custom_fields":null}"#, NamedFields::Beside);
    assert_eq!(both, r#"{"custom_fields":null,"custom_fields_by_name":null}"#);
}

#[test]
fn fields_beside_the_records_own_come_into_an_object_with_their_parts() {
    for (given, expected) in [
        (r#"{"id":1}"#, r#"{"id":1,"custom_fields":{}}"#),
        (r"{}", r#"{"custom_fields":{}}"#),
        (r#"{"cf13":1}"#, r#"{"custom_fields":{"Score":1}}"#),
        (r#"{"cf13":1,"id":1}"#, r#"{"id":1,"custom_fields":{"Score":1}}"#),
        (r#"{"id":1, "cf13":1 , "x":2, "cf16":"2"}"#, r#"{"id":1, "x":2, "custom_fields":{"Score":1,"Tier":"Silver"}}"#),
        (
            r#"{"cf14_currency":"EUR","id":1,"cf14":5,"cf15":"17,18","cf80":"a"}"#,
            r#"{"id":1,"custom_fields":{"Budget":{"value":5,"currency":"EUR"},"Interests":["Automation","Support"],"cf80":"a"}}"#,
        ),
        (
            r#"{"cf14":null,"cf14_currency":null,"cf22":"09:30","cf22_until":"10:00","cf22_zone_id":null,"cf15":null,"cf16":null}"#,
            r#"{"custom_fields":{"Budget":null,"Hours":{"value":"09:30","until":"10:00","zone_id":null},"Interests":null,"Tier":null}}"#,
        ),
        (
            r#"{"thing_now":{"custom_fields":{"cf13":1}},"cf13":2}"#,
            r#"{"thing_now":{"custom_fields":{"Score":1}},"custom_fields":{"Score":2}}"#,
        ),
        (r#"{"custom_fields":["a"],"cf13":2}"#, r#"{"custom_fields":["a"],"cf13":2}"#),
    ] {
        assert_eq!(name(&OLD, &format!("[{given},{given}]")), format!("[{expected},{expected}]"), "{given}");
    }
    let record = r#"[{"cf13":1,"id":1},{"id":2}]"#;
    let (both, _) = name_with(&build(), &OLD, record, NamedFields::Beside);
    assert_eq!(both, r#"[{"cf13":1,"id":1,"custom_fields_by_name":{"Score":1}},{"id":2,"custom_fields_by_name":{}}]"#);
}

#[test]
fn a_renamed_field_and_a_deleted_option_follow_the_definitions() {
    let mut fields: Vec<AccountField> = build().list_custom().cloned().collect();
    for field in &mut fields {
        if field.code == "cf13" {
            field.name = "Budget".to_owned();
        }
        field.options.retain(|option| option.id != 2);
    }
    let set = FieldSet::build(WORDS, fields);
    let record = r#"{"custom_fields":{"cf13":1,"cf14":null,"cf16":2}}"#;
    let (named, missed) = name_with(&set, &ONE, record, NamedFields::Instead);
    assert_eq!(named, r#"{"custom_fields":{"cf13":1,"cf14":null,"Tier":2}}"#);
    assert_eq!(missed, ["2"]);
}

#[test]
fn the_flat_view_changes_no_name_of_a_custom_field() {
    let set = build();
    for (declaration, given, how, expected) in [
        (
            &ONE,
            r#"{"custom_fields":{"cf86":"a"},"own_member":{"x_y":1}}"#,
            NamedFields::Beside,
            r#"{"customFields":{"cf86":"a"},"customFieldsByName":{"a_b \"c\"/~":"a"},"ownMember":{"xY":1},"parent":null,"note":null}"#,
        ),
        (
            &ONE,
            r#"{"id":1,"custom_fields":{"cf86":{"x_y":1}},"parent":null,"note":null}"#,
            NamedFields::Instead,
            r#"{"id":1,"customFields":{"a_b \"c\"/~":{"x_y":1}},"parent":null,"note":null}"#,
        ),
        (&OLD, r#"{"cf86":{"x_y":1}}"#, NamedFields::Instead, r#"{"customFields":{"a_b \"c\"/~":{"x_y":1}},"thingNow":null}"#),
        (
            &OLD,
            r#"{"thing_now":null,"cf86":"a"}"#,
            NamedFields::Beside,
            r#"{"thingNow":null,"cf86":"a","customFieldsByName":{"a_b \"c\"/~":"a"}}"#,
        ),
    ] {
        // A list where one record is declared holds such records.
        let given = if declaration.is_list() { format!("[{given}]") } else { given.to_owned() };
        let expected = if declaration.is_list() { format!("[{expected}]") } else { expected.to_owned() };
        let (named, _) = name_with(&set, declaration, &given, how);
        let flat = flatten(&Plan::build(declaration), &RawJson::from_text(named.into_bytes()), None);
        assert_eq!(flat.as_str(), expected, "{given}");
    }
}

/// Draws numbers in a fixed order.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % most
    }
}

/// Values that each field of an account of examples can have in an answer.
fn list_values(kind: FieldKind) -> Vec<Value> {
    match kind {
        FieldKind::Text { .. } | FieldKind::Phone => vec![json!("a"), json!(""), json!("b,\"c\"\\")],
        FieldKind::Number => vec![json!(0), json!(-1.5)],
        FieldKind::Money => vec![json!({"value": 0, "currency": "EUR"})],
        FieldKind::Option => vec![json!(1), json!(2), json!(4), json!(5)],
        FieldKind::Options => vec![json!([17]), json!([18, 17]), json!([19, 20])],
        FieldKind::Reference(_) => vec![json!(1), json!(99)],
        FieldKind::Time => vec![json!({"value": "09:30:00", "zone_id": 3, "zone_name": "UTC"})],
        FieldKind::TimeRange => vec![json!({"value": "09:30:00", "until": "10:00:00", "zone_id": null, "zone_name": null})],
        FieldKind::Date => vec![json!("2024-02-29")],
        FieldKind::DateRange => vec![json!({"value": "2024-02-29", "until": "2024-03-01"})],
        FieldKind::Address => vec![json!({"value": "Here", "street": null, "city": "Łódź"})],
        FieldKind::Other => vec![json!({"any": 1})],
    }
}

#[test]
fn what_is_read_by_name_can_be_written_by_name() {
    let (set, mut draw) = (build(), Draw(7));
    for layout in [FieldLayout::Nested, FieldLayout::Beside] {
        for _ in 0..500 {
            let mut values = Map::new();
            for (field, kind, _) in TYPES {
                let choices = list_values(*kind);
                match draw.below(choices.len() + 2) {
                    0 => {}
                    1 => drop(values.insert(code_of(field), Value::Null)),
                    at => drop(values.insert(code_of(field), choices[at - 2].clone())),
                }
            }
            let travels = |given: &Map<String, Value>| {
                let resolved = resolve_values(&set, given, "", layout, false, &|_| None);
                resolved.unwrap_or_else(|faults| panic!("{faults:?} in {given:?}")).values
            };
            let by_code = travels(&values);
            let (declaration, mut record) = match layout {
                FieldLayout::Nested => (&MANY, json!({"id": 1, "custom_fields": by_code})),
                FieldLayout::Beside => (&OLD, Value::Object(by_code.clone())),
            };
            record["note"] = "x".into();
            let named = name(declaration, &format!("[{record}]"));
            let named: Value = serde_json::from_str(&named).expect("it is JSON");
            let by_name = named[0]["custom_fields"].as_object().expect("an object");
            assert_eq!(by_name.len(), values.len(), "{named}");
            assert!(by_name.keys().all(|name| !name.starts_with("cf")), "{named}");
            // Members of a record have no order.
            assert_eq!(Value::Object(travels(by_name)), Value::Object(by_code), "{named}");
        }
    }
}

#[test]
fn cut_and_odd_answers_lose_nothing() {
    let set = build();
    let mut draw = Draw(3);
    for _ in 0..300 {
        // Objects of any nesting, in any order, with and without space.
        let mut record = String::from("{");
        for at in 0..draw.below(6) {
            let space = [" ", ""][draw.below(2)];
            let comma = if at > 0 { "," } else { "" };
            let (key, value) = [("id", "1"), ("cf13", "2"), ("cf14_currency", "\"EUR\""), ("x", "{\"a\":[1,{}]}"), ("cf16", "\"2\"")]
                [(at + draw.below(2)) % 5];
            let _ = write!(
                record,
                "{comma}{space}\"{key}{}\"{space}:{space}{value}{space}",
                if key.starts_with("cf") { String::new() } else { at.to_string() }
            );
        }
        record.push('}');
        for how in [NamedFields::Instead, NamedFields::Beside] {
            let (named, _) = name_with(&set, &OLD, &format!("[{record}]"), how);
            let (given, named): (Value, Value) =
                (serde_json::from_str(&record).expect("it is JSON"), serde_json::from_str(&named).expect("it is JSON"));
            for (key, value) in given.as_object().expect("an object") {
                let is_kept = how == NamedFields::Beside || !key.starts_with("cf");
                assert_eq!(named[0].get(key), is_kept.then_some(value), "{record}");
            }
        }
    }
}
