//! Estimates: what a call would cost, beside what it costs, and what is sent to know it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Claim, Kept, KeyedCall, Ledger};
use connector_core::run::{BatchEstimate, Invocation, Lines, Runtime};
use serde_json::{Value, json};

use crate::support::runtime::{NOWHERE, RecordedAccount, build, build_runtime, connect, list_look_ups, read_stream, render, run_text};
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::upstream::{build_json_response, start_upstream};

/// An estimate: its numbers, whether it is certain, and its bound.
fn read_estimate(outcome: &Value) -> (u64, u64, bool, Option<&str>) {
    assert_eq!(outcome["ok"], true, "{outcome}");
    let data = &outcome["data"];
    let number = |name: &str| data[name].as_u64().unwrap_or_else(|| panic!("{name} is a whole number: {outcome}"));
    assert!(data["seconds"].is_f64(), "{outcome}");
    (number("requests"), number("tokens"), data["certain"].as_bool().expect("it is certain or not"), data["bound"].as_str())
}

/// The requests and tokens of an outcome.
fn read_cost(outcome: &Value) -> (u64, u64) {
    let number = |name: &str| outcome["meta"][name].as_u64().expect("a whole number");
    (number("requests"), number("tokens"))
}

fn with_estimate(options: &Value) -> Value {
    let mut options = options.clone();
    options["estimate"] = true.into();
    options
}

/// Estimates a call, then makes it. Returns both outcomes, which must agree.
async fn estimate_and_call(account: &RecordedAccount, action: &str, input: Value, options: Value) -> (Value, Value) {
    let estimated = account.call(action, input.clone(), with_estimate(&options)).await;
    let made = account.call(action, input, options).await;
    assert_eq!(made["ok"], true, "{made}");
    let (requests, tokens, certain, _) = read_estimate(&estimated);
    assert_eq!((requests, tokens), read_cost(&made), "{estimated}\n{made}");
    assert!(certain, "{estimated}");
    (estimated, made)
}

#[tokio::test]
async fn plain_call_costs_its_request_and_nothing_is_sent() {
    let runtime = build_runtime(NOWHERE);
    for (action, input, tokens) in [
        ("getDeal", json!({"dealId": 1}), 1),
        ("addDeal", json!({"title": "x"}), 5),
        ("mergeDeals", json!({"dealId": 1, "mergeWithId": 2}), 40),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals"}), 10),
        ("setFieldValueForPerson", json!({"personId": 1, "fieldKey": "name", "value": "Ann"}), 5),
        ("selectDeal", json!({}), 10),
    ] {
        let call = json!({"action": action, "input": input, "options": {"estimate": true}});
        let outcome = run_text(&runtime, call.to_string()).await;
        assert_eq!(outcome["data"], json!({"requests": 1, "tokens": tokens, "seconds": 0.2, "certain": true}), "{action}: {outcome}");
        assert_eq!(read_cost(&outcome), (0, 0), "{outcome}");
    }
}

#[tokio::test]
async fn searches_are_made_again_and_kept_lists_are_not() {
    let account = RecordedAccount::start().await;
    let by_email = json!({"title": "x", "personId": {"email": "alma0@home.example.com"}});
    for _ in 0..2 {
        let (estimated, made) = estimate_and_call(&account, "addDeal", by_email.clone(), json!({})).await;
        assert_eq!(read_cost(&made), (3, 26), "a search, a person and the deal: {made}");
        assert_eq!(read_cost(&estimated), (2, 21), "all but the deal were sent: {estimated}");
    }
    let by_name = json!({"title": "x", "stageId": {"name": "Upcoming"}, "labelIds": ["Hot"], "ownerId": "me"});
    let (estimated, made) = estimate_and_call(&account, "addDeal", by_name.clone(), json!({})).await;
    assert_eq!((read_cost(&made).0, list_look_ups(&made)), (1, json!({"getStages": 0, "getUsers": 0, "getDealFields": 0})), "{made}");
    assert_eq!(list_look_ups(&estimated), json!({"getStages": 1, "getUsers": 1, "getDealFields": 1}), "{estimated}");
    let (estimated, _) = estimate_and_call(&account, "addDeal", by_name, json!({})).await;
    assert_eq!(read_cost(&estimated), (0, 0), "the lists are kept: {estimated}");
}

#[tokio::test]
async fn custom_fields_changes_and_refreshed_lists_are_counted() {
    let account = RecordedAccount::start().await;
    let fields = |value: Value| json!({"title": "x", "customFields": value});
    let planned = account.call("addDeal", fields(json!({"Tier": "Gold"})), json!({"dryRun": true, "cache": "refresh"})).await;
    let code = planned["data"][0]["json"]["custom_fields"].as_object().and_then(|fields| fields.keys().next().cloned());
    let code = code.expect("the field has a code");
    let person = |value: Value| json!({"personId": 1, "emails": value});
    for (action, input) in [
        ("addDeal", fields(json!({"Tier": "Gold"}))),
        // The label of an option under the code of its field.
        ("addDeal", fields(json!({&code: "Gold"}))),
        ("updateDeal", json!({"dealId": 1, "labelIds": {"add": ["Hot"], "remove": ["Cold"]}})),
        ("updatePerson", person(json!({"add": ["new@example.com"]}))),
        ("setFieldValueForPerson", json!({"personId": 1, "fieldKey": "tier", "value": "silver"})),
        ("selectStage", json!({"pipelineId": 1})),
        ("getDeals", json!({"stageId": {"name": "Upcoming"}, "customFields": ["Tier"]})),
    ] {
        for options in [json!({}), json!({"cache": "refresh"}), json!({"view": "flat"})] {
            estimate_and_call(&account, action, input.clone(), options).await;
        }
    }
    // A list that is kept, and whose cost is known, is not read for an estimate of a call that reads it again.
    let refresh = json!({"cache": "refresh", "estimate": true});
    let estimated = account.call("addDeal", fields(json!({"Tier": "Gold"})), refresh).await;
    assert_eq!((read_estimate(&estimated).0, read_cost(&estimated)), (2, (0, 0)), "{estimated}");
}

#[tokio::test]
async fn custom_fields_in_an_answer_are_the_least() {
    let account = RecordedAccount::start().await;
    let options = json!({"fields": "names"});
    let estimated = account.call("getDeal", json!({"dealId": 1}), with_estimate(&options)).await;
    assert_eq!(read_estimate(&estimated), (1, 1, false, Some("least")), "{estimated}");
    assert_eq!(read_cost(&account.call("getDeal", json!({"dealId": 1}), options.clone()).await), (1, 1));
    assert!(estimated["meta"]["warnings"][0].as_str().is_some_and(|why| why.contains("read again")), "{estimated}");
    // A record may have an option that the kept list lacks: then the call costs more.
    let planned = account.call("addDeal", json!({"title": "x", "customFields": {"Tier": "Gold"}}), json!({"dryRun": true})).await;
    let fields = planned["data"][0]["json"]["custom_fields"].as_object().and_then(|fields| fields.keys().next().cloned());
    let code = fields.expect("the field has a code");
    account.send("POST", &format!("/api/v2/dealFields/{code}/options"), json!([{"label": "Diamond"}])).await;
    account.send("PATCH", "/api/v2/deals/1", json!({"custom_fields": {code: 4}})).await;
    let estimated = account.call("getDeal", json!({"dealId": 1}), with_estimate(&options)).await;
    assert_eq!(read_estimate(&estimated), (1, 1, false, Some("least")), "{estimated}");
    let made = account.call("getDeal", json!({"dealId": 1}), options.clone()).await;
    assert_eq!((read_cost(&made), &made["data"]["custom_fields"]["Tier"]), ((2, 11), &json!("Diamond")), "{made}");
    estimate_and_call(&account, "getStage", json!({"stageId": 1}), options).await;
}

#[tokio::test]
async fn call_that_would_fail_fails_alike_before_anything_is_sent() {
    let account = RecordedAccount::start().await;
    for (action, input, kind) in [
        ("getDeal", json!({}), "invalid_input"),
        ("nope", json!({}), "unknown_action"),
        ("getDeal", json!({"dealId": "x"}), "invalid_input"),
        ("setFieldValueForPerson", json!({"personId": 1, "fieldKey": "0", "value": 1}), "invalid_input"),
        ("addDeal", json!({"title": "x", "ownerId": {"name": "Nobody"}}), "invalid_input"),
        ("addDeal", json!({"title": "x", "personId": {"name": "Nobody Known"}}), "invalid_input"),
        ("updateDeal", json!({"dealId": 99_999, "labelIds": {"add": ["Hot"]}}), "not_found"),
    ] {
        let estimated = account.call(action, input.clone(), json!({"estimate": true})).await;
        let made = account.call(action, input, json!({})).await;
        assert_eq!(estimated["error"]["kind"], kind, "{estimated}");
        assert_eq!(estimated["error"], made["error"]);
    }
    let removed = build_runtime(NOWHERE).catalogue().actions().find(|action| action.removed.is_some()).expect("one is removed").key;
    let outcome = account.call(removed, json!({}), json!({"estimate": true})).await;
    assert_eq!((&outcome["error"]["kind"], read_cost(&outcome)), (&json!("removed_upstream"), (0, 0)), "{outcome}");
}

#[tokio::test]
async fn options_that_do_not_go_together_are_refused() {
    let runtime = build_runtime(NOWHERE);
    for (options, words) in [
        (json!({"estimate": true, "dryRun": true}), "both given"),
        (json!({"estimate": "yes"}), "neither true nor false"),
        (json!({"estimate": null}), "neither true nor false"),
        (json!({"estimate": true, "maxItems": 3}), "for lists that are read whole"),
        (json!({"estimate": true, "resolve": "look"}), "settles an idempotency key"),
    ] {
        let outcome = run_text(&runtime, json!({"action": "getDeals", "options": options}).to_string()).await;
        let message = outcome["error"]["message"].as_str().unwrap_or_default();
        assert!(outcome["error"]["kind"] == "invalid_invocation" && message.contains(words), "{outcome}");
    }
    let both = runtime.invoke(Invocation::new("getDeals").estimate().dry_run()).await;
    assert_eq!(render(&both)["error"]["kind"], "invalid_invocation", "a program gives them as text does");
    let (records, summary) = read_stream(runtime.stream(Invocation::new("getDeals").all_pages(None).estimate())).await;
    assert_eq!((records.len(), &summary["error"]["kind"]), (0, &json!("invalid_invocation")), "{summary}");
    let sink = render(&runtime.invoke(Invocation::new("downloadFile").input(json!({"fileId": 1})).fetch_into(Vec::new()).estimate()).await);
    assert_eq!(read_estimate(&sink), (1, 20, true, None), "{sink}");
    for options in [
        json!({"estimate": true, "priority": "batch"}),
        json!({"estimate": true, "view": "flat"}),
        json!({"estimate": false, "dryRun": true}),
    ] {
        let outcome = run_text(&runtime, json!({"action": "getDeals", "options": options}).to_string()).await;
        assert_eq!(outcome["ok"], true, "{outcome}");
    }
}

#[tokio::test]
async fn replay_costs_nothing_and_no_estimate_claims_a_key() {
    let account = RecordedAccount::start().await;
    let keyed = |key: &str| json!({"idempotencyKey": key});
    let input = json!({"title": "Once"});
    for _ in 0..2 {
        let estimated = account.call("addDeal", input.clone(), with_estimate(&keyed("k"))).await;
        assert_eq!(read_estimate(&estimated), (1, 5, true, None), "{estimated}");
    }
    assert_eq!(account.count("POST", "/deals"), 0, "nothing was written");
    let made = account.call("addDeal", input.clone(), keyed("k")).await;
    assert_eq!((&made["ok"], made["meta"].get("replayed")), (&json!(true), None), "the key was free: {made}");
    let (estimated, _) = estimate_and_call(&account, "addDeal", input.clone(), keyed("k")).await;
    assert_eq!(read_estimate(&estimated), (0, 0, true, None), "{estimated}");
    let other = account.call("addDeal", json!({"title": "Other"}), with_estimate(&keyed("k"))).await;
    assert_eq!(other["error"]["kind"], "idempotency_mismatch", "{other}");
    // A read has no use for a key.
    estimate_and_call(&account, "getDeal", json!({"dealId": 1}), keyed("k")).await;
    // Names are looked up under a new key, and not for a replay.
    let by_email = json!({"title": "x", "personId": {"email": "alma0@home.example.com"}});
    estimate_and_call(&account, "addDeal", by_email.clone(), keyed("named")).await;
    let (estimated, _) = estimate_and_call(&account, "addDeal", by_email, keyed("named")).await;
    assert_eq!(read_cost(&estimated), (0, 0), "{estimated}");
}

#[tokio::test]
async fn lost_outcome_is_estimated_as_its_look_up() {
    let url = start_sandbox(pipedrive_sandbox::Options {
        faults: "reset-after=#1@POST /api/v2/deals".parse().expect("faults"),
        ..pipedrive_sandbox::Options::default()
    })
    .await;
    let runtime = build_runtime(&url);
    let call = |options: Value| json!({"action": "addDeal", "input": {"title": "Lost"}, "options": options}).to_string();
    let lost = run_text(&runtime, call(json!({"idempotencyKey": "k"}))).await;
    assert_eq!(lost["error"]["retry"], "unsafe", "{lost}");
    let unknown = run_text(&runtime, call(json!({"idempotencyKey": "k", "estimate": true}))).await;
    assert_eq!(unknown["error"]["kind"], "outcome_unknown", "{unknown}");
    let estimated = run_text(&runtime, call(json!({"idempotencyKey": "k", "resolve": "look", "estimate": true}))).await;
    let (requests, tokens, certain, _) = read_estimate(&estimated);
    let found = run_text(&runtime, call(json!({"idempotencyKey": "k", "resolve": "look"}))).await;
    assert_eq!((&found["meta"]["effect"], read_cost(&found), certain), (&json!("found"), (requests, tokens), true), "{found}");
}

/// An engine's ledger that cannot say what is known of a key.
#[derive(Default)]
struct SilentLedger {
    claims: Arc<AtomicU32>,
}

#[async_trait]
impl Ledger for SilentLedger {
    async fn claim(&self, _call: &KeyedCall) -> Result<Claim, Error> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        Ok(Claim::Fresh)
    }

    async fn finish(&self, _call: &KeyedCall, _kept: Kept) -> Result<(), Error> {
        Ok(())
    }

    async fn release(&self, _call: &KeyedCall) -> Result<(), Error> {
        Ok(())
    }

    async fn abandon(&self, _call: &KeyedCall) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn ledger_that_cannot_tell_makes_it_the_most() {
    let ledger = SilentLedger::default();
    let claims = Arc::clone(&ledger.claims);
    let runtime = build(Runtime::builder().connections(connect(NOWHERE)).ledger(ledger));
    let invocation = Invocation::new("addDeal").input(json!({"title": "x"})).idempotency_key("k").estimate();
    let outcome = render(&runtime.invoke(invocation).await);
    assert_eq!((read_estimate(&outcome), claims.load(Ordering::Relaxed)), ((1, 5, false, Some("most")), 0), "{outcome}");
}

#[tokio::test]
async fn list_read_whole_is_estimated_by_its_greatest_length_or_its_first_page() {
    let account = RecordedAccount::start().await;
    for (action, input, max_items, estimate, sent) in [
        // The greatest length says it.
        ("getDeals", json!({"limit": 100}), json!(250), (3, 30, false, Some("most")), 0),
        ("getDeals", json!({}), json!(5_000), (10, 100, false, Some("most")), 0),
        ("getDeals", json!({"limit": 100}), json!(100), (1, 10, true, None), 0),
        ("getNotes", json!({"limit": 2}), json!(3), (2, 40, false, Some("most")), 0),
        // The first page does, or says too little.
        ("getDeals", json!({"limit": 500}), Value::Null, (1, 10, true, None), 1),
        ("getDeals", json!({"limit": 100}), Value::Null, (2, 20, false, Some("least")), 1),
        ("selectDeal", json!({"limit": 100}), Value::Null, (2, 20, false, Some("least")), 1),
        // Definitions are kept by the first page.
        ("selectStage", json!({"limit": 1}), Value::Null, (0, 0, true, None), 1),
        ("getCurrencies", json!({}), Value::Null, (1, 20, true, None), 0),
    ] {
        let options = json!({"pages": "all", "maxItems": max_items});
        let outcome = account.call(action, input.clone(), with_estimate(&options)).await;
        assert_eq!((read_estimate(&outcome), read_cost(&outcome).0), (estimate, sent), "{action} {input} {max_items}: {outcome}");
        let made = account.call(action, input, options).await;
        let ((requests, tokens), (least_requests, least_tokens, certain, bound)) = (read_cost(&made), estimate);
        match bound {
            Some("most") => assert!(requests <= least_requests && tokens <= least_tokens, "{made}"),
            Some(_) => assert!(requests >= least_requests && tokens >= least_tokens, "{made}"),
            None => assert!(certain && (requests, tokens) == (least_requests, least_tokens), "{made}"),
        }
        assert_eq!(outcome["meta"]["warnings"].as_array().map(Vec::len), Some(usize::from(!certain)), "say why: {outcome}");
    }
    let refused = account.call("getDeal", json!({"dealId": 1}), json!({"pages": "all", "estimate": true})).await;
    assert_eq!(refused["error"]["kind"], "invalid_invocation", "{refused}");
}

#[tokio::test]
async fn retries_and_renewals_of_an_estimate_are_no_part_of_it() {
    let url = start_sandbox(pipedrive_sandbox::Options {
        faults: "500=#1@GET /api/v2/persons/search".parse().expect("faults"),
        ..sandbox_options()
    })
    .await;
    let runtime = build_runtime(&url);
    let call = |options: Value| {
        json!({"action": "addDeal", "input": {"title": "x", "personId": {"email": "alma0@home.example.com"}}, "options": options})
            .to_string()
    };
    let estimated = run_text(&runtime, call(json!({"estimate": true}))).await;
    assert_eq!((read_cost(&estimated).0, read_estimate(&estimated)), (3, (3, 26, true, None)), "{estimated}");
    assert_eq!(read_cost(&run_text(&runtime, call(json!({}))).await), (3, 26));
}

/// Estimates lines as a batch. Returns the outcome.
async fn estimate_batch(runtime: &Runtime, lines: &str, jobs: u64) -> Value {
    let batch = BatchEstimate::new(runtime);
    let mut lines = Lines::new(lines.as_bytes(), 1 << 20);
    while let Some(line) = lines.next().await.expect("memory can be read") {
        batch.add(line).await;
    }
    render(&batch.finish(jobs))
}

/// Runs lines one after the other. Returns what they cost together, and how many failed.
async fn run_batch(runtime: &Runtime, lines: &str) -> (u64, u64, u64) {
    let (mut cost, mut failed) = ((0, 0), 0);
    for line in lines.lines() {
        let outcome = run_text(runtime, line).await;
        let (requests, tokens) = read_cost(&outcome);
        (cost, failed) = ((cost.0 + requests, cost.1 + tokens), failed + u64::from(outcome["ok"] != true));
    }
    (cost.0, cost.1, failed)
}

fn write_lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn batch_of_single_calls_costs_what_its_estimate_says() {
    let account = RecordedAccount::start().await;
    let line = |action: &str, input: Value, options: Value| json!({"action": action, "input": input, "options": options});
    let by_email = |options: Value| line("addDeal", json!({"title": "x", "personId": {"email": "alma0@home.example.com"}}), options);
    let tier = || json!({"title": "x", "customFields": {"Tier": "Gold"}});
    let lines = write_lines(&[
        by_email(json!({})),
        by_email(json!({})),
        by_email(json!({"idempotencyKey": "a"})),
        by_email(json!({"idempotencyKey": "a"})),
        by_email(json!({"dryRun": true})),
        by_email(json!({"estimate": true, "idempotencyKey": "b"})),
        by_email(json!({"idempotencyKey": "b"})),
        line("addDeal", tier(), json!({})),
        line("addDeal", tier(), json!({"cache": "refresh"})),
        line("addDeal", tier(), json!({"cache": "refresh"})),
        line("addDeal", tier(), json!({"priority": "batch"})),
        line("getDeal", json!({"dealId": 1}), json!({"view": "flat"})),
        line("getDeals", json!({"limit": 5}), json!({"pages": "all", "maxItems": 5})),
        line("getDeals", json!({"limit": 500}), json!({"pages": "all"})),
        line("getDeals", json!({"limit": 7}), json!({"pages": "all", "estimate": true})),
        line("getDeals", json!({"limit": 7}), json!({"pages": "all", "maxItems": 20, "estimate": true})),
        line("updateDeal", json!({"dealId": 1, "labelIds": {"add": ["Hot"]}}), json!({})),
        line("selectStage", json!({}), json!({})),
    ]);
    let estimated = estimate_batch(&account.runtime, &lines, 1).await;
    let (requests, tokens, certain, _) = read_estimate(&estimated);
    assert_eq!(account.count("GET", "/persons/search"), 1, "lines that look for the same person share a search");
    assert_eq!(account.count("GET", "/dealFields"), 1, "definitions are read once");
    let (sent, cost) = (read_cost(&estimated), run_batch(&account.runtime, &lines).await);
    assert_eq!((requests, tokens, 0), cost, "{estimated}");
    assert!(certain, "{estimated}");
    assert!(sent.0 < requests && sent.0 > 0, "{estimated}");
    let data = &estimated["data"];
    assert_eq!((&data["lines"], &data["failed"], &data["failures"]), (&json!(18), &json!(0), &json!([])), "{estimated}");
    assert_eq!(data["connections"], json!([{"connection": "sandbox", "requests": requests, "tokens": tokens}]), "{estimated}");
}

#[tokio::test]
async fn lines_that_fail_are_counted_and_the_first_are_shown() {
    let account = RecordedAccount::start().await;
    let certain = write_lines(&[
        json!("nonsense"),
        json!({"id": "a", "action": "nope"}),
        json!({"id": 7, "action": "getDeal", "input": {}}),
        json!({"action": "getDeal", "input": {"dealId": 1}}),
        json!({"action": "addDeal", "input": {"title": "x"}, "options": {"idempotencyKey": "k"}}),
    ]);
    let estimated = estimate_batch(&account.runtime, &certain, 1).await;
    assert_eq!((read_estimate(&estimated), &estimated["data"]["failed"]), ((2, 6, true, None), &json!(3)), "{estimated}");
    let shown: Vec<(u64, &Value, &str)> = estimated["data"]["failures"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|failed| (failed["line"].as_u64().unwrap_or_default(), &failed["id"], failed["error"]["kind"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        shown,
        [(1, &Value::Null, "invalid_invocation"), (2, &json!("a"), "unknown_action"), (3, &json!(7), "invalid_input"),],
        "{estimated}"
    );
    assert_eq!(run_batch(&account.runtime, &certain).await, (2, 6, 3));
    // Of two calls under one key that which is run first is carried out, and nobody knows which that is.
    let keyed = |title: &str| json!({"action": "addDeal", "input": {"title": title}, "options": {"idempotencyKey": "two"}});
    let estimated = estimate_batch(&account.runtime, &write_lines(&[keyed("x"), keyed("y")]), 1).await;
    assert_eq!((read_estimate(&estimated), &estimated["data"]["failed"]), ((1, 5, false, None), &json!(1)), "{estimated}");
    assert_eq!(estimated["data"]["failures"][0]["error"]["kind"], "idempotency_mismatch", "{estimated}");
    // A name may be there once the batch is run.
    let named = write_lines(&[
        json!({"action": "rawRequest", "input": {"method": "POST", "path": "/api/v2/stages", "json": {"name": "New", "pipeline_id": 1}}}),
        json!({"action": "addDeal", "input": {"title": "x", "stageId": {"name": "New"}}}),
    ]);
    let estimated = estimate_batch(&account.runtime, &named, 1).await;
    let (requests, _, certain, bound) = read_estimate(&estimated);
    assert_eq!((requests, certain, bound, &estimated["data"]["failed"]), (1, false, None, &json!(1)), "{estimated}");
    let many: String = "nonsense\n".repeat(40);
    let estimated = estimate_batch(&account.runtime, &many, 1).await;
    assert_eq!(estimated["data"]["failures"].as_array().map(Vec::len), Some(10), "{estimated}");
}

#[tokio::test]
async fn time_of_a_batch_is_that_of_its_windows_and_of_how_many_run_at_once() {
    let runtime = build_runtime(NOWHERE);
    let lines = "{\"action\":\"getDeal\",\"input\":{\"dealId\":1}}\n".repeat(100);
    for (jobs, seconds) in [(1, 20.0), (4, 8.2), (64, 8.2)] {
        let estimated = estimate_batch(&runtime, &lines, jobs).await;
        assert_eq!((&estimated["data"]["seconds"], &estimated["data"]["requests"]), (&json!(seconds), &json!(100)), "{estimated}");
    }
    // The vendor counts searches apart, and allows fewer of them.
    let searches = "{\"action\":\"searchDeals\",\"input\":{\"term\":\"ab\"}}\n".repeat(100);
    let estimated = estimate_batch(&runtime, &(searches + &lines), 64).await;
    assert_eq!((&estimated["data"]["seconds"], &estimated["data"]["requests"]), (&json!(18.2), &json!(200)), "{estimated}");
}

#[tokio::test]
async fn definitions_that_cannot_be_read_are_no_certain_cost() {
    let url = start_upstream(build_json_response("404 Not Found", r#"{"success": false, "error": "no"}"#)).await;
    let runtime = build_runtime(&url);
    let fields = json!({"0123456789abcdef0123456789abcdef01234567": "Gold"});
    let call = json!({"action": "addDeal", "input": {"title": "x", "customFields": fields}, "options": {"estimate": true}});
    let outcome = run_text(&runtime, call.to_string()).await;
    let (requests, _, certain, bound) = read_estimate(&outcome);
    assert_eq!((requests, certain, bound), (2, false, None), "{outcome}");
}

#[tokio::test]
async fn lines_that_are_estimated_at_once_share_their_searches() {
    let account = RecordedAccount::start().await;
    let line =
        |title: u32| json!({"action": "addDeal", "input": {"title": title.to_string(), "personId": {"email": "alma0@home.example.com"}}});
    let batch = BatchEstimate::new(&account.runtime);
    let text = write_lines(&(0..20).map(line).collect::<Vec<_>>());
    let mut lines = Lines::new(text.as_bytes(), 1 << 20);
    let mut running = tokio::task::JoinSet::new();
    while let Some(line) = lines.next().await.expect("memory can be read") {
        running.spawn(batch.add(line));
    }
    running.join_all().await;
    let estimated = render(&batch.finish(1));
    assert_eq!((read_estimate(&estimated), read_cost(&estimated).0), ((60, 520, true, None), 2), "{estimated}");
    assert_eq!(account.count("GET", "/persons"), 2, "a search and a person");
}
