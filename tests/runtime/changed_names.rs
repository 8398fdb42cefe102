//! Names and labels of custom fields that the account changes while their definitions are kept.

use serde_json::{Value, json};

use crate::support::runtime::{RecordedAccount, list_look_ups, read_fault, run_text};
use crate::support::upstream::Script;

const FIELDS: &str = "/api/v2/dealFields";

/// An account whose fields of deals are kept by its runtime.
struct KeptFields {
    account: RecordedAccount,
    /// The code of the field `Tier`.
    code: String,
}

impl KeptFields {
    async fn start() -> Self {
        let account = RecordedAccount::start().await;
        let planned = account.call("addDeal", json!({"title": "x", "customFields": {"Tier": "Gold"}}), json!({"dryRun": true})).await;
        let fields = planned["data"][0]["json"]["custom_fields"].as_object().and_then(|fields| fields.keys().next().cloned());
        Self { account, code: fields.unwrap_or_else(|| panic!("the field has a code: {planned}")) }
    }

    /// Changes the field, or its options, without the runtime's knowing. Returns the answer.
    async fn change(&self, method: &str, of: &str, body: Value) -> Value {
        self.account.send(method, &format!("{FIELDS}/{}{of}", self.code), body).await
    }

    /// Plans to add a deal. Returns what the field would be sent as, or the outcome if it is refused.
    async fn plan(&self, name: &str, value: &str) -> Result<Value, Value> {
        self.plan_with(name, value, json!({"dryRun": true})).await
    }

    async fn plan_with(&self, name: &str, value: &str, options: Value) -> Result<Value, Value> {
        let outcome = self.account.call("addDeal", json!({"title": "x", "customFields": {name: value}}), options).await;
        if outcome["ok"] == true { Ok(outcome["data"][0]["json"]["custom_fields"][&self.code].clone()) } else { Err(outcome) }
    }

    /// Counts the readings of the fields.
    fn count(&self) -> usize {
        self.account.count("GET", FIELDS)
    }

    /// Adds a deal with what was deleted: the account refuses it, the fields are read again, and nothing is written.
    async fn is_refused_once_read_again(&self, name: &str, value: &str) {
        let deals = async || self.account.call("getDeals", json!({"limit": 500}), json!({})).await["page"]["count"].clone();
        let before = deals().await;
        let outcome = self.account.call("addDeal", json!({"title": "x", "customFields": {name: value}}), json!({})).await;
        assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("invalid_input"), &json!("never")), "{outcome}");
        assert_eq!(outcome["error"]["faults"][0]["path"], format!("/customFields/{name}"), "{outcome}");
        assert_eq!(deals().await, before, "nothing was written");
    }
}

const REFRESH: fn() -> Value = || json!({"dryRun": true, "cache": "refresh"});

#[tokio::test]
async fn renamed_field_is_found_after_one_more_reading() {
    let kept = KeptFields::start().await;
    kept.change("PATCH", "", json!({"field_name": "Level"})).await;
    assert_eq!((kept.plan("Level", "Gold").await, kept.count()), (Ok(json!(3)), 2), "the miss reads again");
    assert_eq!((kept.plan("Level", "Gold").await, kept.count()), (Ok(json!(3)), 2));
    for count in [3, 3] {
        let refused = kept.plan("Tier", "Gold").await.expect_err("no field has the old name");
        assert_eq!(read_fault(&refused).0, "/customFields/Tier", "{refused}");
        assert_eq!(kept.count(), count, "the same wrong name reads once: {refused}");
    }
}

#[tokio::test]
async fn doubled_field_name_is_a_fault_and_its_fields_keep_their_codes() {
    let kept = KeptFields::start().await;
    let other = kept.account.send("POST", FIELDS, json!({"field_name": "Tier", "field_type": "varchar"})).await;
    let other = other["field_code"].as_str().expect("a field has a code");
    let refused = kept.plan_with("Tier", "Gold", REFRESH()).await.expect_err("two fields have the name");
    assert_eq!(read_fault(&refused).0, "/customFields/Tier", "{refused}");
    let candidates = refused["error"]["faults"][0]["candidates"].as_array().cloned().unwrap_or_default();
    let ids: Vec<&str> = candidates.iter().filter_map(|candidate| candidate["id"].as_str()).collect();
    assert_eq!(ids, [&*kept.code, other], "{refused}");
    let input = json!({"title": "x", "customFields": {&kept.code: "Gold", other: "Gold"}});
    let added = kept.account.call("addDeal", input, json!({"fields": "names"})).await;
    let fields = &added["data"]["custom_fields"];
    assert_eq!((&fields[&kept.code], &fields[other], fields.get("Tier")), (&json!("Gold"), &json!("Gold"), None), "{added}");
    assert!(fields.get("Score").is_some(), "the others have their names: {added}");
}

#[tokio::test]
async fn deleted_field_is_refused_and_nothing_is_written() {
    let kept = KeptFields::start().await;
    kept.change("DELETE", "", Value::Null).await;
    kept.is_refused_once_read_again("Tier", "Gold").await;
    let refused = kept.plan_with("Tier", "Gold", REFRESH()).await.expect_err("the field is gone");
    assert_eq!(read_fault(&refused).0, "/customFields/Tier", "{refused}");
}

#[tokio::test]
async fn field_that_was_deleted_and_made_again_is_found_after_one_more_reading() {
    let kept = KeptFields::start().await;
    kept.change("DELETE", "", Value::Null).await;
    kept.account.send("POST", FIELDS, json!({"field_name": "Tier", "field_type": "varchar"})).await;
    let input = json!({"title": "x", "customFields": {"Tier": "Gold"}});
    for options in [json!({"fields": "names"}), json!({"fields": "names", "idempotencyKey": "once"})] {
        let added = kept.account.call("addDeal", input.clone(), options).await;
        assert_eq!((&added["ok"], &added["data"]["custom_fields"]["Tier"]), (&json!(true), &json!("Gold")), "{added}");
    }
    assert_eq!(kept.count(), 2);
}

#[tokio::test]
async fn renamed_option_is_found_after_one_more_reading() {
    let kept = KeptFields::start().await;
    kept.change("PATCH", "/options", json!([{"id": 3, "label": "Platinum"}])).await;
    assert_eq!((kept.plan("Tier", "Platinum").await, kept.count()), (Ok(json!(3)), 2), "the miss reads again");
    for count in [3, 3] {
        let refused = kept.plan("Tier", "Gold").await.expect_err("no option has the old label");
        assert_eq!(read_fault(&refused).0, "/customFields/Tier", "{refused}");
        assert_eq!(kept.count(), count, "the same wrong label reads once: {refused}");
    }
}

#[tokio::test]
async fn doubled_option_label_is_a_fault_with_its_candidates() {
    let kept = KeptFields::start().await;
    kept.change("POST", "/options", json!([{"label": "Gold"}])).await;
    let refused = kept.plan_with("Tier", "Gold", REFRESH()).await.expect_err("two options have the label");
    assert_eq!(read_fault(&refused).0, "/customFields/Tier", "{refused}");
    let candidates = &refused["error"]["faults"][0]["candidates"];
    assert_eq!(candidates, &json!([{"id": 3, "label": "Gold"}, {"id": 4, "label": "Gold"}]), "{refused}");
    assert_eq!(kept.plan("Tier", "4").await, Ok(json!(4)), "an ID is unique");
}

#[tokio::test]
async fn deleted_option_is_refused_and_nothing_is_written() {
    let kept = KeptFields::start().await;
    kept.change("DELETE", "/options", json!([{"id": 3}])).await;
    kept.is_refused_once_read_again("Tier", "Gold").await;
    let refused = kept.plan_with("Tier", "Gold", REFRESH()).await.expect_err("the option is gone");
    assert_eq!(read_fault(&refused).0, "/customFields/Tier", "{refused}");
}

#[tokio::test]
async fn option_that_is_new_in_an_answer_is_named_after_one_more_reading() {
    let kept = KeptFields::start().await;
    kept.change("POST", "/options", json!([{"label": "Diamond"}])).await;
    kept.account.send("PATCH", "/api/v2/deals/1", json!({"custom_fields": {&kept.code: 4}})).await;
    for requests in [1, 0] {
        let deal = kept.account.call("getDeal", json!({"dealId": 1}), json!({"fields": "names"})).await;
        assert_eq!(deal["data"]["custom_fields"]["Tier"], "Diamond", "{deal}");
        assert_eq!(list_look_ups(&deal), json!({"getDealFields": requests}), "{deal}");
    }
}

/// Reads options that no definition has: records keep the IDs of deleted ones.
#[tokio::test]
async fn option_that_no_definition_has_keeps_its_id() {
    let code = "a".repeat(40);
    let field = json!({"field_code": code, "field_name": "Tier", "field_type": "enum", "is_custom_field": true,
        "options": [{"id": 1, "label": "Gold"}]});
    let fields = json!({"success": true, "data": [field], "additional_data": {"next_cursor": null}});
    let deal = |option: u64| json!({"success": true, "data": {"id": option, "custom_fields": {&code: option}}});
    let vendor = Script::start([deal(7), fields.clone(), deal(8), fields, deal(7), deal(8)]).await;
    // The list is read again for what it lacks, unless it was read for the same call, or for the same ID before.
    for (option, requests) in [(7, 2), (8, 2), (7, 1), (8, 1)] {
        let invocation = json!({"action": "getDeal", "input": {"dealId": option}, "options": {"fields": "names"}});
        let outcome = run_text(&vendor.runtime, invocation.to_string()).await;
        assert_eq!(outcome["data"]["custom_fields"], json!({"Tier": option}), "{outcome}");
        assert_eq!(outcome["meta"]["requests"], requests, "{outcome}");
    }
}

#[tokio::test]
async fn field_that_every_account_has_belongs_to_its_own_input() {
    let account = RecordedAccount::start().await;
    let input = json!({"title": "x", "personId": 1, "customFields": {"title": "y"}});
    let outcome = account.call("addLead", input, json!({})).await;
    assert_eq!(read_fault(&outcome).0, "/customFields/title", "{outcome}");
    assert!(read_fault(&outcome).1.contains("`title`"), "the fault says where it belongs: {outcome}");
    assert_eq!(account.count("POST", "/api/"), 0);
}

#[tokio::test]
async fn field_of_a_person_is_set_by_name_and_label() {
    let account = RecordedAccount::start().await;
    let set = async |field: &str, value: Value, options: Value| {
        let input = json!({"personId": 1, "fieldKey": field, "value": value});
        account.call("setFieldValueForPerson", input, options).await
    };
    let outcome = set("tier", json!("silver"), json!({"fields": "names"})).await;
    assert_eq!(outcome["data"]["custom_fields"]["Tier"], "Silver", "{outcome}");
    let written = account.count("PATCH", "/api/");
    let (field, label) = (set("jobtitle", json!(1), json!({})).await, set("Tier", json!("Sliver"), json!({})).await);
    assert_eq!((read_fault(&field).0, read_fault(&label).0), ("/fieldKey", "/value"), "{field} {label}");
    assert!(read_fault(&field).1.contains("job_title") || read_fault(&field).1.contains("Job title"), "{field}");
    assert!(read_fault(&label).1.contains("\"Silver\""), "the nearest label is named: {label}");
    assert_eq!(account.count("PATCH", "/api/"), written, "nothing is written");
}
