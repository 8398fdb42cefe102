//! Schemas of null, and of records of one name.

use super::*;
use crate::declare::types::{Both, Either, Json, MapOf, Nullable, Text};

fn takes(shape: &FieldShape, mode: Mode, value: &Value) -> bool {
    let mut schemas = Schemas::new(mode);
    let schema = (shape.schema)(&mut schemas);
    let schema = schemas.finish(schema);
    jsonschema::options().build(&schema).expect("the schema is sound").is_valid(value)
}

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

#[test]
fn null_inside_lists_maps_and_alternatives_stands_in_the_schema() {
    for mode in [Mode::Input, Mode::Output] {
        for (shape, with_null, takes_it) in [
            (FieldShape::from_type::<Vec<Nullable<i64>>>(), json!([1, null]), true),
            (FieldShape::from_type::<Vec<Option<i64>>>(), json!([1, null]), true),
            (FieldShape::from_type::<Vec<i64>>(), json!([1, null]), false),
            (FieldShape::from_type::<Vec<Option<first::Owner>>>(), json!([{"name": "Ada"}, null]), true),
            (FieldShape::from_type::<Vec<first::Owner>>(), json!([{"name": "Ada"}, null]), false),
            (FieldShape::from_type::<MapOf<Nullable<Text>>>(), json!({"a": "x", "b": null}), true),
            (FieldShape::from_type::<MapOf<Option<MapOf<Option<Text>>>>>(), json!({"a": {"b": null}, "c": null}), true),
            (FieldShape::from_type::<MapOf<Text>>(), json!({"a": "x", "b": null}), false),
            (FieldShape::from_type::<Option<Vec<Nullable<i64>>>>(), json!([null]), true),
            (FieldShape::from_type::<Either<Nullable<i64>, Text>>(), json!(null), true),
            (FieldShape::from_type::<Either<i64, Option<Text>>>(), json!(null), true),
            (FieldShape::from_type::<Either<i64, Text>>(), json!(null), false),
            (FieldShape::from_type::<Both<Nullable<MapOf<Json>>, Option<MapOf<Json>>>>(), json!(null), true),
            (FieldShape::from_type::<Both<Nullable<MapOf<Json>>, MapOf<Json>>>(), json!(null), false),
        ] {
            assert_eq!(takes(&shape, mode, &with_null), takes_it, "{mode:?} {with_null} {shape:?}");
            assert_eq!(shape.nullable, with_null.is_null() && takes_it, "{with_null}");
        }
    }
}

/// Two records of one name, each in a module of its own.
mod first {
    use super::*;

    pub(super) struct Owner;

    impl FieldType for Owner {
        fn schema(schemas: &mut Schemas) -> Value {
            const NAME: Member = Member { name: "name", doc: "The name.", shape: FieldShape::from_type::<String>(), flat: Flat::PLAIN };
            schemas.record::<Self>("vendor::sales_teams", "Owner", "The owner of a deal.", &[NAME])
        }
    }
}

mod second {
    use super::*;

    pub(super) struct Owner;

    impl FieldType for Owner {
        fn schema(schemas: &mut Schemas) -> Value {
            const BOSS: Member =
                Member { name: "boss", doc: "The boss.", shape: FieldShape::from_type::<Option<Owner>>(), flat: Flat::PLAIN };
            schemas.open_record::<Self>("vendor::sales_teams", "Owner", "The owner of a person.", &[BOSS])
        }
    }
}

mod third {
    use super::*;

    pub(super) struct Owner;

    impl FieldType for Owner {
        fn schema(schemas: &mut Schemas) -> Value {
            schemas.record::<Self>("vendor::sales_teams", "Owner", "The owner of a note.", &[])
        }
    }
}

#[test]
fn records_of_one_name_stay_apart() {
    let mut schemas = Schemas::new(Mode::Output);
    let refer = |schemas: &mut Schemas| {
        let (first, second, third) = (first::Owner::schema(schemas), second::Owner::schema(schemas), third::Owner::schema(schemas));
        [first, second, third].map(|schema| schema["$ref"].as_str().expect("it refers").to_owned())
    };
    let expected = ["#/$defs/Owner", "#/$defs/SalesTeamsOwner", "#/$defs/VendorSalesTeamsOwner"];
    assert_eq!(refer(&mut schemas), expected);
    assert_eq!(refer(&mut schemas), expected, "a record that is known keeps its name");
    let defs = schemas.finish(json!({}))["$defs"].take();
    assert_eq!(defs["Owner"]["description"], "The owner of a deal.");
    assert!(defs["Owner"].get("additionalProperties").is_none());
    assert_eq!(defs["SalesTeamsOwner"]["description"], "The owner of a person.");
    assert_eq!(defs["SalesTeamsOwner"]["additionalProperties"], true);
    let boss = &defs["SalesTeamsOwner"]["properties"]["boss"]["anyOf"][0]["$ref"];
    assert_eq!(boss, "#/$defs/SalesTeamsOwner", "a record that holds itself refers to itself");
    assert_eq!(defs.as_object().map(Map::len), Some(3));
}

#[test]
fn a_name_that_modules_cannot_tell_apart_gets_a_number() {
    let mut schemas = Schemas::new(Mode::Output);
    let named = [
        schemas.record::<u8>("vendor", "Owner", "One.", &[]),
        schemas.record::<u16>("vendor", "Owner", "Two.", &[]),
        schemas.record::<u32>("vendor", "Owner", "Three.", &[]),
    ];
    assert_eq!(named.map(|schema| schema["$ref"].clone()), ["#/$defs/Owner", "#/$defs/VendorOwner", "#/$defs/Owner2"]);
}
