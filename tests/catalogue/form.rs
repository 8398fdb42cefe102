//! The account's own form: what it accepts is carried out, and what it refuses is refused.

use connector_core::run::{Invocation, Runtime};
use serde_json::{Value, json};

use crate::support::runtime::{build_sandbox_runtime, run};
use crate::support::sandbox::sandbox_options;

/// A random stream whose numbers are the same in each run.
struct Stream(u64);

impl Stream {
    fn draw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).expect("it is below a usize")
    }

    fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.draw(from.len())]
    }
}

async fn read_form(runtime: &Runtime, key: &str) -> Value {
    runtime.describe(None, key, None, |_| None).await.unwrap_or_else(|error| panic!("{key}: {error:?}"))
}

/// Lists values for a field, of the kind that its schema describes and of others.
fn list_values(schema: &Value) -> Vec<Value> {
    let options = schema["anyOf"].as_array().or_else(|| schema["items"]["anyOf"].as_array());
    let ids: Vec<Value> = options.into_iter().flatten().filter_map(|option| option.get("const").cloned()).collect();
    let kind = schema["type"][0].as_str().unwrap_or_default();
    let parts: Vec<&str> = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut values = vec![json!(null), json!({"nothing": 1}), json!([[]])];
    match (kind, parts.as_slice()) {
        ("array", _) => values.extend([json!([ids[0]]), json!([ids[0], ids[1]]), json!([99_999]), json!(true)]),
        (_, _) if !ids.is_empty() => values.extend([ids[0].clone(), ids[ids.len() - 1].clone(), json!(99_999), json!("nothing")]),
        ("string", _) if schema["format"] == "date" => values.extend([json!("2026-01-31"), json!("31.01.2026"), json!("2026-02-30")]),
        ("string", _) => values.extend([json!("some text"), json!("x".repeat(255)), json!(["a"])]),
        ("number", _) => values.extend([json!(5), json!(-1.5), json!("five")]),
        ("integer", _) => values.extend([json!(1), json!(2), json!("Ada"), json!(-3)]),
        (_, ["value", "currency"]) => {
            values.extend([json!({"value": 5, "currency": "EUR"}), json!({"value": 5}), json!({"value": 5, "currency": "euro"})]);
        }
        (_, ["value", "until"]) => {
            values.extend([
                json!({"value": "2026-01-31", "until": "2026-02-01"}),
                json!({"value": "2026-01-31"}),
                json!({"value": "soon", "until": "later"}),
            ]);
        }
        (_, ["value", "until", ..]) => values.extend([
            json!({"value": "09:00", "until": "17:30:00"}),
            json!({"value": "09:00"}),
            json!({"value": "25:00", "until": "26:00"}),
        ]),
        (_, ["value", "timezone_id", ..]) => values.extend([json!({"value": "09:30"}), json!({"value": "half past"}), json!({})]),
        (_, ["value", ..]) => values.extend([json!({"value": "Main Street 1"}), json!({"locality": "Springfield"}), json!({"value": 5})]),
        _ => {}
    }
    values
}

#[tokio::test]
async fn form_accepts_and_refuses_what_the_account_does() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let (mut stream, mut accepted, mut refused, mut differ) = (Stream(0x5eed), 0, 0, Vec::new());
    for (key, required) in [
        ("addDeal", json!({"title": "A deal"})),
        ("updateDeal", json!({"dealId": 1})),
        ("addPerson", json!({"name": "A person"})),
        ("updateOrganization", json!({"orgId": 1})),
        ("addProduct", json!({"name": "A product"})),
        ("addLead", json!({"title": "A lead", "personId": 1})),
    ] {
        let form = read_form(&runtime, key).await["input"].take();
        let validator = jsonschema::options().should_validate_formats(true).build(&form).expect("it is a schema");
        let fields = form["properties"]["customFields"]["properties"].as_object().expect("the account has custom fields");
        let fields: Vec<(&String, Vec<Value>)> = fields.iter().map(|(code, schema)| (code, list_values(schema))).collect();
        assert!(fields.len() >= 16, "{key} has one of each type");
        for _ in 0..100 {
            let mut input = required.clone();
            for _ in 0..=stream.draw(2) {
                let (code, values) = stream.choose(&fields);
                input["customFields"][code.as_str()] = stream.choose(values).clone();
            }
            let fits = validator.is_valid(&input);
            let outcome = run(&runtime, Invocation::new(key).input(input.clone())).await;
            *(if fits { &mut accepted } else { &mut refused }) += 1;
            if fits != (outcome["ok"] == true) {
                differ.push(format!("{key} {input}: the form says {fits}, {outcome}"));
            }
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}

#[tokio::test]
async fn form_has_each_field_with_its_name_its_options_and_its_marks() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let form = read_form(&runtime, "addDeal").await;
    let fields = form["input"]["properties"]["customFields"]["properties"].as_object().expect("the account has custom fields");
    let find = |name: &str| fields.values().find(|field| field["title"] == name).unwrap_or_else(|| panic!("{name} is a field"));
    let tier = json!([{"const": 1, "title": "Bronze"}, {"const": 2, "title": "Silver"}, {"const": 3, "title": "Gold"}, {"type": "null"}]);
    assert_eq!(find("Tier")["anyOf"], tier);
    assert_eq!(find("Account manager")["x-source"], "selectUser");
    assert_eq!(form["input"]["required"], json!(["title"]), "the API demands no custom field");
    let account = &form["account"];
    assert_eq!((&account["connection"], &account["tokens"]), (&json!("sandbox"), &json!(10)), "{account}");
    let again = read_form(&runtime, "updateDeal").await;
    assert_eq!((&again["account"]["requests"], &again["account"]["lookups"][0]["of"]), (&json!(0), &json!("getDealFields")), "it is kept");
    let keys = &read_form(&runtime, "getDeals").await["input"]["properties"]["customFields"]["items"]["anyOf"];
    assert!(keys.as_array().is_some_and(|keys| keys.len() == fields.len() && keys[0]["title"] == "Reference"), "{keys}");
    let plain = read_form(&runtime, "getStages").await;
    assert_eq!((&plain["key"], &plain["account"]["requests"]), (&json!("getStages"), &json!(0)), "no definitions are needed");
}
