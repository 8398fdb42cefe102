//! Upserts: what each value finds, what is written, and that two at once never make two records.

use std::time::Duration;

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{MatchClaim, MatchEnding, MatchMemory, MatchRegister};
use connector_core::run::{Invocation, Runtime};
use pipedrive_sandbox::{Clock, Options};
use serde_json::{Value, json};

use crate::support::runtime::{Recorded, RecordedAccount, build_runtime, list_look_ups, read_fault, run, run_text};
use crate::support::sandbox::{sandbox_options, start_sandbox};

/// The custom field `Reference` of deals.
const REFERENCE: &str = "b3c10d0fdd84948bc1f49b89058f05fc41d8b0ba";

async fn upsert(runtime: &Runtime, object: &str, input: Value) -> Value {
    run(runtime, Invocation::new(format!("upsert{object}")).input(input)).await
}

/// Returns what an upsert did, and the ID of its record.
fn effect_of(outcome: &Value) -> (&str, &Value) {
    assert_eq!(outcome["ok"], true, "{outcome}");
    (outcome["meta"]["effect"].as_str().unwrap_or_default(), &outcome["data"]["id"])
}

fn kind_and_retry(outcome: &Value) -> (&str, &str) {
    let text = |name: &str| outcome["error"][name].as_str().unwrap_or_default();
    (text("kind"), text("retry"))
}

#[tokio::test]
async fn upsert_creates_then_updates_then_writes_nothing() {
    let account = RecordedAccount::start().await;
    let upsert = async |input: Value| account.call("upsertPerson", input, json!({})).await;
    let input = json!({"matchBy": "email", "email": "ada@example.com", "name": "Ada", "ownerId": {"email": "ben@example.com"}});
    let created = upsert(input.clone()).await;
    let (effect, id) = effect_of(&created);
    assert_eq!((effect, &created["data"]["owner_id"]), ("created", &json!(2)), "{created}");
    assert_eq!(list_look_ups(&created), json!({"getUsers": 1, "searchPersons": 1}));
    let updated = upsert(json!({"matchBy": "email", "email": "ADA@example.com ", "jobTitle": "Countess"})).await;
    assert_eq!(effect_of(&updated), ("updated", id));
    assert_eq!(updated["data"]["emails"][0]["value"], "ada@example.com", "the record keeps its own spelling");
    let writes = account.count("PATCH", "/persons/");
    let unchanged = upsert(input).await;
    assert_eq!(effect_of(&unchanged), ("unchanged", id));
    assert_eq!((unchanged["data"]["job_title"].as_str(), account.count("PATCH", "/persons/")), (Some("Countess"), writes));
    assert_eq!(unchanged["meta"]["tokens"], 21, "a search and a read: {unchanged}");
    assert_eq!((account.count("POST", "/api/v2/persons"), writes), (1, 1));
}

#[tokio::test]
async fn each_value_finds_none_one_or_several_and_no_twin() {
    let account = RecordedAccount::start().await;
    // The value of the record, another way to write it, and one that differs in one letter.
    let cases = [
        ("Person", json!({"name": "P"}), "email", ["finch@example.com", " Finch@Example.com", "finck@example.com"]),
        ("Person", json!({"name": "P"}), "phone", ["+49 30 5550199", "0049 (30) 555-0199", "+49 30 5550198"]),
        ("Person", json!({}), "name", ["Robin Finch", "robin finch ", "Robin Finck"]),
        ("Person", json!({"name": "P"}), "Reference", ["PF-1", "pf-1", "PF-l"]),
        ("Organization", json!({}), "name", ["Finch & Sons", "FINCH & SONS", "Finch & Song"]),
        ("Organization", json!({"name": "O"}), "Hotline", ["+1 555 0177", "15550177", "+1 555 0178"]),
        ("Deal", json!({}), "title", ["Finch deal", "finch DEAL", "Finch heal"]),
        ("Deal", json!({"title": "D"}), REFERENCE, ["DF-1", "df-1", "DF-2"]),
        ("Lead", json!({"personId": 1}), "title", ["Finch lead", "FINCH lead", "Finch leap"]),
        ("Lead", json!({"personId": 1, "title": "L"}), "Campaign", ["spring 77", "Spring 77", "spring 78"]),
        ("Product", json!({"name": "Pr"}), "code", ["FI-1", "FI-1", "fi-1"]),
        ("Product", json!({}), "name", ["Finch feed", "finch feed", "Finch feet"]),
    ];
    for (object, others, by, [value, same, twin]) in cases {
        let input = |value: &str| {
            let mut input = others.clone();
            input["matchBy"] = by.into();
            let is_custom = matches!(by, "Reference" | "Hotline" | "Campaign" | REFERENCE);
            if is_custom {
                input["customFields"] = json!({by: value});
            } else {
                input[by] = value.into();
            }
            input
        };
        // Each runtime remembers nothing of the others, so that the search alone finds what is there.
        let runtime = || build_runtime(&account.url);
        let created = upsert(&runtime(), object, input(value)).await;
        assert_eq!(effect_of(&created).0, "created", "{object} by {by}: none is there");
        let found = upsert(&runtime(), object, input(same)).await;
        assert_eq!(effect_of(&found), ("unchanged", &created["data"]["id"]), "{object} by {by}: {found}");
        let other = upsert(&runtime(), object, input(twin)).await;
        assert_eq!(effect_of(&other).0, "created", "{object} by {by}: {twin} is another than {value}");
        let add = input(value);
        let add = add.as_object().expect("it is an object").iter().filter(|(name, _)| *name != "matchBy");
        let double =
            account.call(&format!("add{object}"), add.map(|(name, value)| (name.clone(), value.clone())).collect(), json!({})).await;
        assert_eq!(double["ok"], true, "{double}");
        let several = upsert(&runtime(), object, input(value)).await;
        assert_eq!(kind_and_retry(&several), ("conflict", "never"), "{object} by {by}: {several}");
        let ids: Vec<&Value> = several["error"]["candidates"].as_array().into_iter().flatten().map(|one| &one["id"]).collect();
        assert_eq!(ids.len(), 2, "{several}");
        assert!(ids.contains(&&created["data"]["id"]) && ids.contains(&&double["data"]["id"]), "{several}");
    }
}

#[tokio::test]
async fn records_that_several_values_find_must_be_one() {
    let account = RecordedAccount::start().await;
    let upsert = async |input: Value| account.call("upsertPerson", input, json!({})).await;
    let by_both = |email: &str, phone: &str| json!({"matchBy": ["email", "phone"], "email": email, "phone": phone, "name": "Q"});
    let first = upsert(by_both("q@example.com", "+1 555 0301")).await;
    let second = upsert(by_both("r@example.com", "+1 555 0302")).await;
    assert_eq!((effect_of(&first).0, effect_of(&second).0), ("created", "created"));
    let by_one = upsert(by_both("q@example.com", "+1 555 0303")).await;
    assert_eq!(effect_of(&by_one), ("updated", &first["data"]["id"]), "what found nothing is written");
    assert_eq!(by_one["data"]["phones"][0]["value"], "+1 555 0303");
    let crossed = upsert(by_both("q@example.com", "+1 555 0302")).await;
    assert_eq!((kind_and_retry(&crossed).0, crossed["error"]["candidates"].as_array().map(Vec::len)), ("conflict", Some(2)), "{crossed}");
    // Each address of a list is looked for, and the list replaces that of the record.
    let list = json!([{"value": "new@example.com", "primary": true}, {"value": "Q@example.com", "primary": false}]);
    let listed = upsert(json!({"matchBy": "email", "emails": list})).await;
    assert_eq!(effect_of(&listed), ("updated", &first["data"]["id"]));
    assert_eq!(listed["data"]["emails"].as_array().map(Vec::len), Some(2), "{listed}");
    // Of one address that found the record, the others stay.
    let one = upsert(json!({"matchBy": "email", "email": "new@example.com", "name": "Q"})).await;
    assert_eq!(effect_of(&one), ("unchanged", &first["data"]["id"]), "{one}");
}

#[tokio::test]
async fn lists_are_added_to_and_null_clears_as_in_an_update() {
    let account = RecordedAccount::start().await;
    let upsert = async |input: Value| account.call("upsertDeal", input, json!({})).await;
    let input = json!({
        "matchBy": "title", "title": "Lists", "labelIds": {"add": ["Hot"]}, "personId": null, "value": 0,
        "customFields": {"Interests": {"add": ["Automation"]}, "Reference": null, "Tier": "Gold"},
    });
    let created = upsert(input.clone()).await;
    assert_eq!((effect_of(&created).0, &created["data"]["label_ids"]), ("created", &json!([1])), "{created}");
    let added = upsert(json!({"matchBy": "title", "title": "Lists", "labelIds": {"add": ["Warm"], "remove": ["Hot"]}})).await;
    assert_eq!((effect_of(&added).0, &added["data"]["label_ids"]), ("updated", &json!([2])), "{added}");
    let interests = json!({"matchBy": "title", "title": "Lists", "customFields": {"Interests": {"add": ["Support"]}, "Tier": null}});
    let wider = upsert(interests.clone()).await;
    assert_eq!(effect_of(&wider).0, "updated", "{wider}");
    let custom = wider["data"]["custom_fields"].as_object().expect("custom fields are an object");
    assert!(custom.values().any(|value| *value == json!([2, 3])), "{wider}");
    assert_eq!(effect_of(&upsert(interests).await).0, "unchanged", "what is there is not added again");
}

#[tokio::test]
async fn value_that_finds_nothing_for_sure_is_one_named_fault() {
    let account = RecordedAccount::start().await;
    for (object, input, path, message) in [
        ("Person", json!({"matchBy": "email", "name": "A"}), "/email", "has no value"),
        ("Person", json!({"matchBy": "email", "emails": []}), "/emails", "has no value"),
        ("Person", json!({"matchBy": "email", "email": null}), "/email", "has no value"),
        ("Person", json!({"matchBy": "email", "email": "  "}), "/email", "has no value"),
        ("Person", json!({"matchBy": "phone", "phone": "none"}), "/phone", "does not have the form"),
        ("Person", json!({"matchBy": "Reference"}), "/customFields/Reference", "has no value"),
        ("Person", json!({"matchBy": "Tier", "customFields": {"Tier": "Gold"}}), "/matchBy", "no search covers"),
        ("Person", json!({"matchBy": "owner_id", "name": "A"}), "/matchBy", "no custom field"),
        ("Person", json!({"matchBy": ["email", "e-mail"], "email": "a@example.com"}), "/matchBy/1", "no custom field"),
        ("Person", json!({"matchBy": ["name", "name"], "name": "A"}), "/matchBy/1", "given twice"),
        ("Person", json!({"name": "A"}), "/matchBy", "is required"),
        ("Person", json!({"matchBy": [], "name": "A"}), "/matchBy", "empty"),
        ("Organization", json!({"matchBy": "domain", "website": "a.example"}), "/matchBy", "does not cover websites"),
        ("Deal", json!({"matchBy": "title", "title": "A", "lostReason": "x", "status": "open"}), "/lostReason", "can be set only"),
    ] {
        let outcome = upsert(&account.runtime, object, input.clone()).await;
        let (at, fault) = read_fault(&outcome);
        assert!(at == path && fault.contains(message), "{input} has a fault at {path} that says {message:?}: {outcome}");
        assert!(outcome["error"]["hint"].is_string(), "{outcome}");
    }
    assert_eq!(account.count("GET", "/search"), 0, "nothing was searched for");
    // A name turns out to be needed once nothing was found.
    let nameless = upsert(&account.runtime, "Person", json!({"matchBy": "email", "email": "nobody@example.com"})).await;
    assert_eq!(read_fault(&nameless), ("/name", "is required"));
    assert!(nameless["error"]["hint"].as_str().is_some_and(|hint| hint.contains("No record matches")), "{nameless}");
    assert_eq!(account.count("POST", "/persons"), 0);
}

#[tokio::test]
async fn dry_run_reads_and_shows_what_would_be_written() {
    let account = RecordedAccount::start().await;
    let plan = async |input: Value| account.call("upsertPerson", input, json!({"dryRun": true})).await;
    let creates = plan(json!({"matchBy": "email", "email": "ada@example.com", "name": "Ada"})).await;
    let request = &creates["data"][0];
    assert_eq!((&request["action"], &request["method"], &request["json"]["name"]), (&json!("upsertPerson"), &json!("POST"), &json!("Ada")));
    let updates = plan(json!({"matchBy": "email", "email": "alma.ashford0@example.com", "name": "Alma"})).await;
    let request = &updates["data"][0];
    assert_eq!((&request["method"], &request["json"]), (&json!("PATCH"), &json!({"name": "Alma"})), "{updates}");
    assert_eq!((&updates["meta"]["requests"], &updates["meta"]["effect"]), (&json!(2), &Value::Null), "{updates}");
    let changes_nothing = plan(json!({"matchBy": "email", "email": "alma.ashford0@example.com", "name": "Alma Ashford"})).await;
    assert_eq!((&changes_nothing["ok"], &changes_nothing["data"]), (&json!(true), &json!([])));
    assert_eq!(account.count("POST", "/persons") + account.count("PATCH", "/persons"), 0);
}

#[tokio::test]
async fn estimate_names_the_least_and_sends_no_search() {
    let account = RecordedAccount::start().await;
    let estimate = async |input: Value| account.call("upsertPerson", input, json!({"estimate": true})).await;
    let one = estimate(json!({"matchBy": "email", "email": "ada@example.com", "name": "Ada"})).await;
    let data = &one["data"];
    assert_eq!(
        (&data["requests"], &data["tokens"], &data["certain"], &data["bound"]),
        (&json!(2), &json!(21), &json!(false), &json!("least"))
    );
    let two = estimate(json!({"matchBy": ["email", "phone"], "email": "a@example.com", "phone": "+1 5551"})).await;
    assert_eq!(two["data"]["requests"], 4, "a phone number is also looked for by its last digits: {two}");
    assert_eq!((&one["meta"]["requests"], account.count("GET", "/search")), (&json!(0), 0));
}

#[tokio::test]
async fn many_at_once_make_one_record_though_the_search_lags() {
    let recorded = Recorded::new();
    let options = Options { search_lag: Duration::from_hours(1), ..recorded.options() };
    let runtime = build_runtime(&start_sandbox(options).await);
    let calls: Vec<_> = (0..32)
        .map(|at| {
            let (runtime, email) = (runtime.clone(), if at % 2 == 0 { "new@example.com" } else { "New@Example.com" });
            tokio::spawn(async move { upsert(&runtime, "Person", json!({"matchBy": "email", "email": email, "name": "New"})).await })
        })
        .collect();
    let mut effects = Vec::new();
    for call in calls {
        let outcome = call.await.expect("an upsert does not panic");
        effects.push(effect_of(&outcome).0.to_owned());
    }
    effects.sort_unstable();
    assert_eq!((effects[0].as_str(), &effects[1..]), ("created", &vec!["unchanged".to_owned(); 31][..]));
    assert_eq!(recorded.count("POST", "/api/v2/persons"), 1);
    // A record that was added is also found by its other values.
    let by_name = upsert(&runtime, "Person", json!({"matchBy": "name", "name": "NEW"})).await;
    assert_eq!(effect_of(&by_name).0, "unchanged", "{by_name}");
}

#[tokio::test]
async fn record_that_may_have_been_added_is_not_added_again() {
    let clock = Clock::fixed("2026-11-22T12:00:00Z");
    let recorded = Recorded::new();
    let faults = "reset-after=#1@POST /api/v2/persons".parse().expect("these are faults");
    let options = Options { search_lag: Duration::from_mins(5), faults, clock: clock.clone(), ..recorded.options() };
    let runtime = build_runtime(&start_sandbox(options).await);
    let input = json!({"matchBy": "email", "email": "lost@example.com", "name": "Lost", "phone": "+1 555 0404"});
    let lost = upsert(&runtime, "Person", input.clone()).await;
    assert_eq!(kind_and_retry(&lost), ("unreachable", "unsafe"), "{lost}");
    for input in [input.clone(), json!({"matchBy": "phone", "phone": "15550404", "name": "Lost"})] {
        let next = upsert(&runtime, "Person", input).await;
        assert_eq!(kind_and_retry(&next), ("outcome_unknown", "later"), "{next}");
    }
    clock.advance(Duration::from_mins(6));
    let found = upsert(&runtime, "Person", input.clone()).await;
    assert_eq!(effect_of(&found).0, "unchanged", "the search shows it by now: {found}");
    assert_eq!(recorded.count("POST", "/api/v2/persons"), 1);
    let again = upsert(&runtime, "Person", json!({"matchBy": "name", "name": "Nobody", "email": "nobody@example.com"})).await;
    assert_eq!(effect_of(&again).0, "created", "other values are not held up: {again}");
}

#[tokio::test]
async fn refused_create_leaves_the_values_free() {
    let account = RecordedAccount::start().await;
    let input = |owner: u32| json!({"matchBy": "email", "email": "free@example.com", "name": "Free", "ownerId": owner});
    let refused = upsert(&account.runtime, "Person", input(999)).await;
    assert_eq!(kind_and_retry(&refused), ("upstream_rejected", "never"), "{refused}");
    assert_eq!(effect_of(&upsert(&account.runtime, "Person", input(2)).await).0, "created");
}

#[tokio::test]
async fn record_that_was_deleted_or_changed_since_is_none() {
    let options = Options { search_lag: Duration::from_hours(1), ..sandbox_options() };
    let runtime = build_runtime(&start_sandbox(options).await);
    let input = json!({"matchBy": "email", "email": "gone@example.com", "name": "Gone"});
    let first = upsert(&runtime, "Person", input.clone()).await;
    let deleted = run(&runtime, Invocation::new("deletePerson").input(json!({"personId": first["data"]["id"]}))).await;
    assert_eq!(deleted["ok"], true, "{deleted}");
    let second = upsert(&runtime, "Person", input.clone()).await;
    assert_eq!(effect_of(&second).0, "created", "a deleted record is none: {second}");
    let moved = json!({"personId": second["data"]["id"], "email": "moved@example.com"});
    assert_eq!(run(&runtime, Invocation::new("updatePerson").input(moved)).await["ok"], true);
    let third = upsert(&runtime, "Person", input).await;
    assert_eq!(effect_of(&third).0, "created", "the record has another address: {third}");
}

#[tokio::test]
async fn key_answers_an_upsert_again_and_requests_before_it_are_helpers() {
    let account = RecordedAccount::start().await;
    let input = json!({"matchBy": "name", "name": "Keyed"});
    let first = account.call("upsertOrganization", input.clone(), json!({"idempotencyKey": "u-1"})).await;
    let again = account.call("upsertOrganization", input, json!({"idempotencyKey": "u-1"})).await;
    assert_eq!((&again["data"], &again["meta"]["replayed"]), (&first["data"], &json!(true)), "{again}");
    assert_eq!((account.count("POST", "/organizations"), account.count("GET", "/search")), (1, 1));
}

/// A register in which another upsert holds every value.
struct BusyRegister;

#[async_trait]
impl MatchRegister for BusyRegister {
    async fn lease(&self, _: &MatchClaim) -> Result<Option<MatchMemory>, Error> {
        Ok(None)
    }

    async fn peek(&self, _: &[String]) -> Result<MatchMemory, Error> {
        Ok(MatchMemory::default())
    }

    async fn extend(&self, _: &MatchClaim) -> Result<(), Error> {
        Ok(())
    }

    async fn begin_add(&self, _: &MatchClaim) -> Result<bool, Error> {
        Ok(false)
    }

    async fn end(&self, _: &MatchClaim, _: &MatchEnding) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn upsert_that_waits_in_vain_is_told_so_within_its_time() {
    let account = RecordedAccount::start().await;
    let runtime = account.runtime.with_register(BusyRegister);
    let input = json!({"matchBy": "email", "email": "busy@example.com", "name": "Busy"});
    let waited = run_text(&runtime, json!({"action": "upsertPerson", "input": input, "options": {"timeoutMs": 60}}).to_string()).await;
    assert_eq!(kind_and_retry(&waited), ("timed_out", "later"), "{waited}");
    assert!(waited["error"]["message"].as_str().is_some_and(|message| message.contains("still running")), "{waited}");
    assert_eq!(account.count("GET", "/search"), 0, "nothing is sent before the values are leased");
}
