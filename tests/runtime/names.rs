//! Names in place of IDs and codes: custom fields of each type, and references beside them.

use connector_core::run::{FieldNames, Invocation, Runtime};
use serde_json::{Value, json};

use crate::support::runtime::{build_sandbox_runtime, invoke, read_stream, run, run_text};
use crate::support::sandbox::sandbox_options;

/// A type, the name of a custom field, and two values, each as given and as read back.
type TypedField = (&'static str, &'static str, [(Value, Value); 2]);

/// Lists the demo's custom field of each type.
fn list_types() -> Vec<TypedField> {
    let same = |one: Value, other: Value| [(one.clone(), one), (other.clone(), other)];
    let time = |value: &str| json!({"value": value, "timezone_id": null, "timezone_name": null});
    let range = |value: &str, until: &str| json!({"value": value, "until": until, "timezone_id": null, "timezone_name": null});
    vec![
        ("varchar", "Reference", same(json!("PO-1"), json!("42"))),
        ("varchar_auto", "Campaign", same(json!("Spring"), json!("Autumn, twice"))),
        ("text", "Background", same(json!("A line.\nAnother one."), json!("\"quoted\""))),
        ("double", "Score", [(json!(0), json!(0)), (json!("12.5"), json!(12.5))]),
        ("monetary", "Budget", same(json!({"value": 5000, "currency": "EUR"}), json!({"value": 0.5, "currency": "USD"}))),
        ("set", "Interests", [(json!(["Support", 1]), json!(["Support", "Analytics"])), (json!("automation"), json!(["Automation"]))]),
        ("enum", "Tier", [(json!("Gold"), json!("Gold")), (json!(2), json!("Silver"))]),
        ("user", "Account manager", [(json!("me"), json!(1)), (json!({"name": "Ben Harbour"}), json!(2))]),
        ("org", "Partner", [(json!({"name": "Amber Works"}), json!(1)), (json!(2), json!(2))]),
        ("people", "Introduced by", [(json!({"email": "alma.ashford0@example.com"}), json!(1)), (json!(2), json!(2))]),
        ("phone", "Hotline", same(json!("+1 555 0100"), json!("0"))),
        ("time", "Best time to call", [(json!("09:30"), time("09:30:00")), (json!({"value": "23:59:59"}), time("23:59:59"))]),
        (
            "timerange",
            "Office hours",
            [
                (json!({"value": "09:00", "until": "17:30"}), range("09:00:00", "17:30:00")),
                (json!({"value": "00:00", "until": "23:00:01"}), range("00:00:00", "23:00:01")),
            ],
        ),
        ("date", "First met", same(json!("2026-01-31"), json!("2024-02-29"))),
        (
            "daterange",
            "Trial",
            same(json!({"value": "2026-01-31", "until": "2026-02-28"}), json!({"value": "2024-02-29", "until": "2024-03-01"})),
        ),
        (
            "address",
            "Site",
            [(json!("Harbour Street 1"), json!("Harbour Street 1")), (json!({"value": "Rue 2", "locality": "Lyon"}), json!("Rue 2"))],
        ),
    ]
}

/// Checks a value that was read. Of an address only the text is compared.
fn assert_value(kind: &str, read: &Value, expected: &Value) {
    match kind {
        "address" => assert_eq!(&read["value"], expected, "{read}"),
        _ => assert_eq!(read, expected, "{kind}"),
    }
}

async fn invoke_by_name(runtime: &Runtime, action: &str, input: Value) -> Value {
    let outcome = run(runtime, Invocation::new(action).input(input).fields(FieldNames::Names)).await;
    assert_eq!(outcome["ok"], true, "{outcome}");
    outcome
}

/// The actions that add, change, read and list the records of an object, and what a new one needs.
struct Object {
    add: (&'static str, Value),
    update: &'static str,
    get: &'static str,
    list: &'static str,
    id: &'static str,
}

fn list_objects() -> [Object; 5] {
    let object = |add, input, update, get, list, id| Object { add: (add, input), update, get, list, id };
    [
        object("addDeal", json!({"title": "By name"}), "updateDeal", "getDeal", "getDeals", "dealId"),
        object("addPerson", json!({"name": "By name"}), "updatePerson", "getPerson", "getPersons", "personId"),
        object("addOrganization", json!({"name": "By name"}), "updateOrganization", "getOrganization", "getOrganizations", "orgId"),
        object("addProduct", json!({"name": "By name"}), "updateProduct", "getProduct", "getProducts", "productId"),
        object("addLead", json!({"title": "By name", "personId": 1}), "updateLead", "getLead", "getLeads", "leadId"),
    ]
}

#[tokio::test]
async fn each_type_makes_the_round_trip_by_name() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for Object { add: (add, mut input), update, get, list, id } in list_objects() {
        let values =
            |nth: usize| list_types().iter().map(|(_, name, values)| ((*name).to_owned(), values[nth].0.clone())).collect::<Value>();
        input["customFields"] = values(0);
        let added = invoke_by_name(&runtime, add, input).await;
        let record = &added["data"]["id"];
        for (kind, name, [(_, expected), _]) in list_types() {
            assert_value(kind, &added["data"]["custom_fields"][name], &expected);
        }
        invoke_by_name(&runtime, update, json!({id: record, "customFields": values(1)})).await;
        let read = invoke_by_name(&runtime, get, json!({id: record})).await;
        let listed = run(&runtime, Invocation::new(list).all_pages(None).fields(FieldNames::Names)).await;
        let found = listed["data"].as_array().expect("a list").iter().find(|one| &one["id"] == record).expect("the list has it");
        for (kind, name, [_, (_, expected)]) in list_types() {
            assert_value(kind, &read["data"]["custom_fields"][name], &expected);
            assert_value(kind, &found["custom_fields"][name], &expected);
        }
        let nothing: Value = list_types().iter().map(|(_, name, _)| ((*name).to_owned(), Value::Null)).collect();
        invoke_by_name(&runtime, update, json!({id: record, "customFields": nothing})).await;
        let cleared = invoke_by_name(&runtime, get, json!({id: record})).await;
        for (kind, name, _) in list_types() {
            assert_eq!(cleared["data"]["custom_fields"][name], Value::Null, "{get}: {kind} stays after null");
        }
    }
}

#[tokio::test]
async fn names_of_any_case_stand_for_the_same_field_and_option() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let added =
        invoke_by_name(&runtime, "addDeal", json!({"title": "x", "customFields": {" tier ": "gOLD", "INTERESTS": ["support"]}})).await;
    let fields = &added["data"]["custom_fields"];
    assert_eq!((&fields["Tier"], &fields["Interests"]), (&json!("Gold"), &json!(["Support"])), "{added}");
}

#[tokio::test]
async fn one_call_names_all_that_it_needs_and_tells_what_each_look_up_cost() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let input = json!({
        "title": "All by name", "personId": {"email": "alma.ashford0@example.com"}, "stageId": {"name": "Qualified"},
        "customFields": {"Tier": "Gold"}, "labelIds": ["Hot"],
    });
    let outcome = invoke_by_name(&runtime, "addDeal", input).await;
    let data = &outcome["data"];
    assert_eq!((&data["person_id"], &data["stage_id"], &data["label_ids"]), (&json!(1), &json!(1), &json!([1])), "{outcome}");
    assert_eq!(data["custom_fields"]["Tier"], "Gold");
    let lookups = outcome["meta"]["lookups"].as_array().expect("look-ups are told");
    let cost = |of: &str| lookups.iter().find(|one| one["of"] == of).map(|one| (one["requests"].clone(), one["tokens"].clone()));
    assert_eq!(cost("searchPersons"), Some((json!(2), json!(21))), "a search, and the person that it found");
    assert_eq!(cost("getStages"), Some((json!(1), json!(5))));
    assert_eq!(cost("getDealFields"), Some((json!(1), json!(10))), "labels and custom fields share one list");
    assert_eq!((lookups.len(), &outcome["meta"]["requests"], &outcome["meta"]["tokens"]), (3, &json!(5), &json!(41)), "{outcome}");
    let again = invoke_by_name(&runtime, "addDeal", json!({"title": "x", "stageId": {"name": "Qualified"}, "labelIds": ["Hot"]})).await;
    assert_eq!((&again["meta"]["requests"], &again["meta"]["tokens"]), (&json!(1), &json!(5)), "lists are kept: {again}");
}

#[tokio::test]
async fn faults_of_names_come_together_and_nothing_is_written() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let count = async || invoke_by_name(&runtime, "getDeals", json!({"limit": 500})).await["page"]["count"].clone();
    let before = count().await;
    let input = json!({
        "title": "x", "stageId": {"name": "Qualifyed"}, "ownerId": {"email": "nobody@example.com"}, "labelIds": ["Hott"],
        "customFields": {"Teir": "Gold", "Tier": "Goldd", "Budget": 5, "Score": "12 or so", "First met": "2026-02-30", "title": "y"},
    });
    let outcome = invoke(&runtime, "addDeal", input).await;
    let faults = outcome["error"]["faults"].as_array().expect("faults");
    let mut paths: Vec<&str> = faults.iter().filter_map(|fault| fault["path"].as_str()).collect();
    paths.sort_unstable();
    let of_fields = ["Budget", "First met", "Score", "Teir", "Tier", "title"].map(|name| format!("/customFields/{name}"));
    let expected: Vec<&str> = of_fields.iter().map(String::as_str).chain(["/labelIds/0", "/ownerId", "/stageId"]).collect();
    assert_eq!(paths, expected, "{outcome}");
    let message =
        |path: &str| faults.iter().find(|fault| fault["path"] == path).and_then(|fault| fault["message"].as_str()).unwrap_or_default();
    assert!(message("/stageId").contains("\"Qualified\"") && message("/customFields/Teir").contains("\"Tier\""), "{outcome}");
    assert_eq!(count().await, before, "nothing is written");
}

#[tokio::test]
async fn stream_and_flat_view_have_the_names_too() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    invoke_by_name(&runtime, "updateDeal", json!({"dealId": 1, "customFields": {"Tier": "Gold"}})).await;
    let all = Invocation::new("getDeals").input(json!({"ids": [1, 2, 3]})).all_pages(None);
    let (streamed, _) = read_stream(runtime.stream(all.fields(FieldNames::Names))).await;
    assert_eq!(streamed[0]["custom_fields"]["Tier"], "Gold", "{}", streamed[0]);
    let text = r#"{"action": "getDeal", "input": {"dealId": 1}, "options": {"fields": "both", "view": "flat"}}"#;
    let flat = run_text(&runtime, text).await;
    assert_eq!(flat["data"]["customFieldsByName"]["Tier"], "Gold", "{flat}");
    assert!(flat["data"]["customFields"].as_object().is_some_and(|fields| fields.keys().all(|key| key.len() == 40)), "{flat}");
}

#[tokio::test]
async fn fault_of_a_bare_name_says_how_a_name_is_given() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = invoke(&runtime, "addDeal", json!({"title": "x", "stageId": "Qualified"})).await;
    assert_eq!(outcome["error"]["faults"], json!([{"path": "/stageId", "message": "\"Qualified\" is not a whole number"}]), "{outcome}");
    assert_eq!(outcome["error"]["hint"], "Give stageId as a whole number, or as {\"name\": \"Qualified\"}.");
}

#[tokio::test]
async fn field_that_was_deleted_and_api_v1_passes_over_is_a_warning() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let add = || json!({"title": "x", "personId": 1, "customFields": {"Score": 2}});
    let kept = invoke_by_name(&runtime, "addLead", add()).await;
    assert_eq!((&kept["data"]["custom_fields"]["Score"], &kept["meta"]["warnings"]), (&json!(2), &json!([])), "{kept}");
    let fields = invoke(&runtime, "getDealFields", json!({"limit": 500})).await;
    let score = fields["data"].as_array().and_then(|fields| fields.iter().find(|field| field["field_name"] == "Score"));
    let code = score.and_then(|score| score["field_code"].as_str()).expect("the field has a code");
    let deleted = invoke(&runtime, "deleteDealField", json!({"fieldCode": code})).await;
    assert_eq!(deleted["ok"], true, "{deleted}");
    let added = invoke(&runtime, "addLead", add()).await;
    let warnings = added["meta"]["warnings"].as_array().expect("warnings");
    assert!(warnings.len() == 1 && warnings[0].as_str().is_some_and(|warning| warning.contains(code)), "{added}");
}

#[tokio::test]
async fn reference_of_a_custom_field_has_one_word_that_its_source_knows() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (name, value) in [
        ("Account manager", json!({"phone": "1"})),
        ("Account manager", json!({"name": "Ada Sandbox", "email": "ben@sandbox.example"})),
        ("Account manager", json!({"name": " "})),
        ("Partner", json!("me")),
        ("Introduced by", json!({"code": "Alma Ashford"})),
    ] {
        let outcome = invoke(&runtime, "addDeal", json!({"title": "x", "customFields": {name: value}})).await;
        let path = &outcome["error"]["faults"][0]["path"];
        assert_eq!(
            (path, &outcome["error"]["kind"]),
            (&json!(format!("/customFields/{name}")), &json!("invalid_input")),
            "{value}: {outcome}"
        );
    }
}
