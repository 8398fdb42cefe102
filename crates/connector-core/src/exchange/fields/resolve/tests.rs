//! Custom fields of an input, with the fields of an account of examples.

use serde_json::json;

use super::*;
use crate::declare::toy::WORDS;
use crate::exchange::fields::toy::{TYPES, build, code_of};

fn find_input(code: &str) -> Option<&'static str> {
    (code == "title").then_some("title")
}

fn resolve(given: &Value, layout: FieldLayout) -> Result<ResolvedFields, Vec<Fault>> {
    let given = given.as_object().expect("an object");
    resolve_values(&build(), given, "/customFields", layout, false, &find_input)
}

/// Resolves one value of a field, and returns what travels under its code.
fn resolve_one(name: &str, value: &Value) -> Result<Value, Vec<Fault>> {
    let resolved = resolve(&json!({name: value}), FieldLayout::Nested)?;
    assert_eq!(resolved.wanted, [], "{name} {value}");
    assert_eq!(resolved.values.len(), 1, "{name} {value}");
    Ok(resolved.values[&code_of(name)].clone())
}

/// Lists the faults of an input as `path message`.
fn list_faults(given: &Value, layout: FieldLayout) -> Vec<String> {
    let faults = resolve(given, layout).expect_err("the input has faults");
    faults.iter().map(|fault| format!("{} {}", fault.path(), fault.message())).collect()
}

#[test]
fn each_type_takes_the_forms_that_its_values_have() {
    for (name, given, travels) in [
        ("Short text", json!("a"), json!("a")),
        ("Short text", json!(""), json!("")),
        ("Suggested text", json!("0123456789"), json!("0123456789")),
        ("Long text", json!("a\nb"), json!("a\nb")),
        ("Score", json!(0), json!(0)),
        ("Score", json!(1.5), json!(1.5)),
        ("Score", json!("12.50"), json!(12.5)),
        ("Budget", json!({"value": 5000, "currency": "EUR"}), json!({"value": 5000, "currency": "EUR"})),
        ("Budget", json!({"currency": "EUR", "value": "7"}), json!({"value": 7, "currency": "EUR"})),
        ("Interests", json!(["Support", 17]), json!([18, 17])),
        ("Interests", json!(["support", {"id": 17, "label": "Automation"}]), json!([18, 17])),
        ("Interests", json!("Support"), json!([18])),
        ("Interests", json!([]), json!(null)),
        ("Tier", json!("Gold"), json!(3)),
        ("Tier", json!(" gold "), json!(3)),
        ("Tier", json!(3), json!(3)),
        ("Tier", json!(3.0), json!(3)),
        ("Tier", json!("2"), json!(2)),
        ("Tier", json!({"id": 1, "label": "Bronze"}), json!(1)),
        ("Manager", json!(42), json!(42)),
        ("Partner", json!("42"), json!(42)),
        ("Friend", json!(7), json!(7)),
        ("Hotline", json!("+48 42 000"), json!("+48 42 000")),
        ("Best time", json!("09:30"), json!({"value": "09:30"})),
        (
            "Best time",
            json!({"value": "09:30:00", "zone_id": "12", "zone_name": null}),
            json!({"value": "09:30:00", "zone_id": 12, "zone_name": null}),
        ),
        ("Hours", json!({"value": "09:30", "until": "23:59:59"}), json!({"value": "09:30", "until": "23:59:59"})),
        ("First met", json!("2024-02-29"), json!("2024-02-29")),
        ("Trial", json!({"value": "2026-01-31", "until": "2026-02-28"}), json!({"value": "2026-01-31", "until": "2026-02-28"})),
        ("Site", json!("Here 1"), json!({"value": "Here 1"})),
        ("Site", json!({"value": "Here 1", "city": "Łódź"}), json!({"value": "Here 1", "city": "Łódź"})),
    ] {
        assert_eq!(resolve_one(name, &given), Ok(travels.clone()), "{name} {given}");
        let by_code = resolve(&json!({code_of(name): given}), FieldLayout::Nested).expect("the code is known");
        assert_eq!(by_code.values[&code_of(name)], travels, "{name} {given} by code");
    }
}

#[test]
fn what_would_be_guessed_or_changed_is_a_fault_at_its_place() {
    for (name, given, fault) in [
        ("Short text", json!(5), " 5 is not text"),
        ("Short text", json!("0123456789a"), " has 11 characters, and at most 10 are allowed"),
        ("Score", json!("many"), " \"many\" is not a number"),
        ("Score", json!("1.99999999999999999"), " \"1.99999999999999999\" is not a number"),
        ("Budget", json!(5000), r#" 5000 is one part of a value: give all, as {"value": 5000, "currency": "EUR"}"#),
        ("Budget", json!({"value": 5000}), "/currency is required"),
        ("Budget", json!({"value": 5000, "currency": "eur"}), r#"/currency "eur" does not have the form "EUR""#),
        ("Budget", json!({"value": null, "currency": "EUR"}), "/value is null, and a value is required"),
        (
            "Budget",
            json!({"value": 1, "currency": "EUR", "currencyy": "EUR"}),
            "/currencyy there is no such input; the nearest is `currency`",
        ),
        ("Interests", json!(["Supports"]), r#"/0 there is no option "Supports"; the nearest is "Support""#),
        ("Interests", json!(["Support", 18]), "/1 is given twice"),
        ("Interests", json!(["Twice"]), r#"/0 "Twice" stands for several: 19 (Twice), 20 (Twice)"#),
        ("Tier", json!(9), " there is no option 9"),
        ("Tier", json!("3"), r#" "3" stands for several: 3 (Gold), 5 (3)"#),
        ("Tier", json!(true), " true is not text or a whole number"),
        ("Tier", json!(["Gold"]), r#" ["Gold"] is not text or a whole number"#),
        ("Manager", json!("Ada"), r#" "Ada" is not a whole number or an object"#),
        ("Best time", json!("9:30"), r#" "9:30" does not have the form "09:30""#),
        ("Best time", json!("24:00"), r#" "24:00" does not have the form "09:30""#),
        ("Hours", json!("09:30"), r#" "09:30" is one part of a value: give all, as {"value": "09:00", "until": "17:30"}"#),
        ("First met", json!("2026-02-29"), r#" "2026-02-29" does not exist in the calendar"#),
        ("First met", json!("2026-01-31T00:00:00Z"), r#" "2026-01-31T00:00:00Z" does not have the form "2026-01-31""#),
        ("Trial", json!({"value": "2026-01-31", "until": "2026-02-30"}), "/until \"2026-02-30\" does not exist in the calendar"),
        ("Site", json!({"street": "Here"}), "/value is required"),
        ("Site", json!(7), r#" 7 is one part of a value: give all, as {"value": "Main Street 1, Springfield"}"#),
    ] {
        assert_eq!(list_faults(&json!({name: given}), FieldLayout::Nested), [format!("/customFields/{name}{fault}")], "{name} {given}");
    }
}

#[test]
fn null_clears_each_type_and_is_absent_where_nothing_can_be_cleared() {
    for (name, _, _) in TYPES {
        assert_eq!(resolve_one(name, &Value::Null), Ok(Value::Null), "{name}");
        let given = json!({*name: null});
        let added = resolve_values(&build(), given.as_object().expect("an object"), "", FieldLayout::Beside, true, &find_input);
        assert_eq!(added, Ok(ResolvedFields::default()), "{name}");
    }
}

#[test]
fn a_field_is_found_by_code_then_by_name_then_whatever_the_case() {
    let resolved = resolve(&json!({"cf80": "a", "Colour": "b", "tier": "Gold", " SCORE ": 1, "Stage": "c"}), FieldLayout::Nested);
    let expected = json!({"cf80": "a", "cf82": "b", "cf16": 3, "cf13": 1, "cf85": "c"});
    assert_eq!(Value::Object(resolved.expect("all are found").values), expected);
    for (name, fault) in [
        ("Region", r#""Region" stands for several: "cf80" (Region), "cf81" (Region)"#),
        ("colour", r#""colour" stands for several: "cf82" (Colour), "cf83" (COLOUR)"#),
        ("Teir", r#"there is no custom field "Teir"; the nearest are "Tier", "Trial""#),
        ("Title", "`title` is no custom field: every account has it, and the input `title` takes it"),
        ("owner", "`owner` is no custom field: every account has it"),
        ("cf99", r#"there is no custom field "cf99""#),
    ] {
        let faults = resolve(&json!({name: "x"}), FieldLayout::Nested).expect_err("it names no custom field alone");
        assert!(may_be_outdated(&faults), "{name} may have been made since");
        let message = faults[0].message();
        assert!(message.starts_with(fault), "{name}: {message}");
    }
}

#[test]
fn candidates_are_in_the_fault_of_their_input() {
    let faults = resolve(&json!({"Region": "x"}), FieldLayout::Nested).expect_err("two fields have the name");
    let fault = serde_json::to_value(&faults[0]).expect("a fault is JSON");
    assert_eq!(fault["candidates"], json!([{"id": "cf80", "label": "Region"}, {"id": "cf81", "label": "Region"}]));
    assert_eq!(faults[0].hint(), "Give customFields/Region by the ID of the one that is meant.");
}

#[test]
fn a_field_that_is_given_twice_is_a_fault() {
    assert_eq!(list_faults(&json!({"Score": 1, "cf13": 2}), FieldLayout::Nested), ["/customFields/cf13 is given twice"]);
    assert_eq!(list_faults(&json!({"Score": null, "score": 2}), FieldLayout::Beside), ["/customFields/score is given twice"]);
    assert_eq!(list_faults(&json!({"Manager": "me", "cf17": 2}), FieldLayout::Nested), ["/customFields/cf17 is given twice"]);
    let given = json!({"Budget": {"value": 1, "currency": "EUR"}, "cf14_currency": "USD"});
    assert_eq!(list_faults(&given, FieldLayout::Beside), ["/customFields/cf14_currency is given twice"]);
}

#[test]
fn all_faults_are_found_at_once_with_escaped_pointers() {
    let faults = list_faults(&json!({"a_b \"c\"/~": 1, "Tier": "x", "Hours": {}}), FieldLayout::Nested);
    let paths: Vec<&str> = faults.iter().map(|fault| fault.split(" is ").next().unwrap_or_default()).collect();
    assert_eq!(paths.len(), 4, "{faults:?}");
    assert!(faults[0].starts_with("/customFields/a_b \"c\"~1~0 1 is not text"), "{faults:?}");
}

#[test]
fn values_beside_the_records_own_have_their_parts_in_members() {
    for (name, given, travels) in [
        ("Score", json!(1.5), json!({"cf13": 1.5})),
        ("Budget", json!({"value": 5000, "currency": "EUR"}), json!({"cf14": 5000, "cf14_currency": "EUR"})),
        ("Budget", json!(null), json!({"cf14": null})),
        ("Interests", json!(["Support", 17]), json!({"cf15": "18,17"})),
        ("Interests", json!([]), json!({"cf15": null})),
        ("Tier", json!("Gold"), json!({"cf16": "3"})),
        ("Manager", json!(42), json!({"cf17": 42})),
        ("Best time", json!("09:30"), json!({"cf21": "09:30"})),
        (
            "Hours",
            json!({"value": "09:30", "until": "10:00", "zone_id": 3}),
            json!({"cf22": "09:30", "cf22_until": "10:00", "cf22_zone_id": 3}),
        ),
        ("First met", json!("2024-02-29"), json!({"cf23": "2024-02-29"})),
        ("Trial", json!({"value": "2026-01-31", "until": "2026-02-28"}), json!({"cf24": "2026-01-31", "cf24_until": "2026-02-28"})),
        ("Site", json!({"value": "Here 1", "city": "Łódź"}), json!({"cf25": "Here 1", "cf25_city": "Łódź"})),
    ] {
        let resolved = resolve(&json!({name: given}), FieldLayout::Beside).expect("it has the form");
        assert_eq!(Value::Object(resolved.values), travels, "{name} {given}");
    }
}

#[test]
fn raw_values_by_code_travel_as_they_are_given() {
    let raw = json!({"cf14": 5000, "cf14_currency": "EUR", "cf15": "17,18", "cf16": "3", "cf10": 7, "cf25": "Here", "cf25_city": "Łódź"});
    let mut travels = raw.clone();
    // The text of an ID can also be the label of another option, so that it is told apart.
    assert_eq!(list_faults(&raw, FieldLayout::Beside), [r#"/customFields/cf16 "3" stands for several: 3 (Gold), 5 (3)"#]);
    travels["cf16"] = "2".into();
    let resolved = resolve(&travels, FieldLayout::Beside).expect("all codes are known");
    assert_eq!(Value::Object(resolved.values), travels);
    assert_eq!(judge_need(&WORDS, travels.as_object().expect("an object"), FieldLayout::Beside), DefinitionNeed::Helpful);
    let nested = json!({"cf14": {"value": 1, "currency": "EUR"}, "cf15": [17], "cf16": 3, "cf13": 1, "cf23": null});
    assert_eq!(judge_need(&WORDS, nested.as_object().expect("an object"), FieldLayout::Nested), DefinitionNeed::None);
    let named = json!({"cf13": 1, "Tier": 3});
    assert_eq!(judge_need(&WORDS, named.as_object().expect("an object"), FieldLayout::Nested), DefinitionNeed::Required);
}

#[test]
fn references_and_changes_are_left_to_be_looked_up() {
    let given = json!({"Manager": "me", "Friend": {"email": "a@b.c"}, "cf18": {"name": "Acme"}, "Score": 1});
    let resolved = resolve(&given, FieldLayout::Nested).expect("all have the form");
    let wanted: Vec<_> = resolved.wanted.iter().map(|wanted| (wanted.path.as_str(), wanted.code.as_str(), &wanted.want)).collect();
    let reference = |source, reference: Value| Want::Reference { source, reference };
    assert_eq!(
        wanted,
        [
            ("/customFields/Manager", "cf17", &reference("selectUser", json!("me"))),
            ("/customFields/Friend", "cf19", &reference("selectPerson", json!({"email": "a@b.c"}))),
            ("/customFields/cf18", "cf18", &reference("selectOrganization", json!({"name": "Acme"}))),
        ]
    );
    assert_eq!(Value::Object(resolved.values), json!({"cf13": 1}));
}

#[test]
fn a_change_of_options_keeps_the_others_and_their_form() {
    let change = |given: Value, layout| match resolve(&json!({"Interests": given}), layout) {
        Ok(mut resolved) => match resolved.wanted.pop().map(|wanted| wanted.want) {
            Some(Want::Options(change)) => Ok(change),
            other => panic!("{other:?} is no change"),
        },
        Err(faults) => Err(faults.iter().map(|fault| format!("{} {}", fault.path(), fault.message())).collect::<Vec<_>>()),
    };
    let nested = change(json!({"add": ["Support"], "remove": [17]}), FieldLayout::Nested).expect("both are options");
    for (current, changed) in [
        (json!([17, 99]), json!([99, 18])),
        (json!([18]), json!([18])),
        (json!([{"id": 17, "label": "Automation"}]), json!([18])),
        (json!(null), json!([18])),
    ] {
        assert_eq!(nested.apply(&current), changed, "{current}");
    }
    let beside = change(json!({"remove": ["Support"]}), FieldLayout::Beside).expect("it is an option");
    assert_eq!(beside.apply(&json!("17,18,99")), json!("17,99"));
    assert_eq!(beside.apply(&json!("18")), json!(null));
    let both = change(json!({"add": ["Support"], "remove": ["x", 18]}), FieldLayout::Nested);
    assert_eq!(both.expect_err("x is none"), [r#"/customFields/Interests/remove/0 there is no option "x""#]);
    let both = change(json!({"add": ["Support"], "remove": [17, 18], "ad": []}), FieldLayout::Nested);
    assert_eq!(
        both.expect_err("an option is in both"),
        [
            "/customFields/Interests/ad there is no such input; the nearest is `add`",
            "/customFields/Interests/remove/1 is an option that is also to be added"
        ]
    );
}

#[test]
fn keys_of_fields_are_named_alone_or_in_a_list() {
    let set = build();
    assert_eq!(resolve_keys(&set, &json!("tier"), "/fieldKey", &find_input), Ok(json!("cf16")));
    assert_eq!(resolve_keys(&set, &json!(["Tier", "cf13"]), "/customFields", &find_input), Ok(json!(["cf16", "cf13"])));
    let faults =
        resolve_keys(&set, &json!(["Tier", "Region", "cf16", "Title"]), "/customFields", &find_input).expect_err("three are faults");
    let paths: Vec<&str> = faults.iter().map(Fault::path).collect();
    assert_eq!(paths, ["/customFields/1", "/customFields/2", "/customFields/3"]);
    assert_eq!(set.find_any("title").map(|field| field.code.as_str()), Ok("title"));
}
