//! Dry runs that show what a call would change in the record as it stands.

use serde_json::{Value, json};

use super::{add, count_writes};
use crate::support::process::{CommandLine, parse_outcomes};
use crate::support::runtime::RecordedAccount;

/// Shows what a call would change, which must send no write.
async fn show(account: &RecordedAccount, action: &str, input: Value) -> Value {
    let written = count_writes(account);
    let shown = account.call(action, input, json!({"dryRun": "diff"})).await;
    assert_eq!(shown["ok"], true, "{action}: {shown}");
    assert_eq!(count_writes(account), written, "{action} writes nothing");
    shown
}

#[tokio::test]
async fn update_shows_the_values_that_differ_with_names_and_labels() {
    let account = RecordedAccount::start().await;
    let fields = json!({"Tier": "Silver", "Interests": ["Support"], "Score": 5, "Reference": "PO-1"});
    let deal = add(&account, "addDeal", json!({"title": "Old", "value": 5, "labelIds": [3], "customFields": fields})).await;
    let fields = json!({"Tier": "Gold", "Interests": {"add": ["Automation"]}, "Score": null, "Reference": "PO-1"});
    let input =
        json!({"dealId": deal["id"], "title": "Old", "value": 6, "lostReason": null, "labelIds": {"add": ["Hot"]}, "customFields": fields});
    let shown = show(&account, "updateDeal", input.clone()).await;
    let changes = shown["data"]["changes"].as_array().expect("changes").clone();
    let custom = |name: &str| {
        let found = changes.iter().find(|change| change["name"] == name).unwrap_or_else(|| panic!("{name} is changed: {shown}"));
        let path = found["path"].as_str().unwrap_or_default();
        assert!(path.starts_with("/customFields/") && path.len() > 50, "the path has the key: {found}");
        let mut found = found.clone();
        found.as_object_mut().expect("an object").remove("path");
        found
    };
    let plain: Vec<&Value> = changes.iter().filter(|change| change.get("name").is_none()).collect();
    let expected = [json!({"path": "/value", "before": 5, "after": 6}), json!({"path": "/labelIds", "before": [3], "after": [3, 1]})];
    assert_eq!(plain, expected.iter().collect::<Vec<_>>(), "{shown}");
    assert_eq!(custom("Tier"), json!({"name": "Tier", "before": 2, "after": 3, "beforeLabel": "Silver", "afterLabel": "Gold"}));
    assert_eq!(custom("Interests")["beforeLabel"], json!(["Support"]));
    assert_eq!(custom("Interests")["afterLabel"], json!(["Support", "Automation"]));
    assert_eq!(custom("Score"), json!({"name": "Score", "before": 5, "after": null}));
    assert_eq!(changes.len(), 5, "the reference stays: {shown}");
    // The requests are those of a plain dry run, and the record is read once.
    let planned = account.call("updateDeal", input, json!({"dryRun": true})).await;
    assert_eq!(shown["data"]["requests"], planned["data"], "{shown}");
    let asked = shown["meta"]["lookups"].as_array().expect("look-ups").iter().filter(|look_up| look_up["of"] == "getDeal").count();
    assert_eq!((asked, &shown["meta"]["requests"]), (1, &json!(1)), "the lists are kept: {shown}");
}

#[tokio::test]
async fn all_values_of_a_new_record_are_new() {
    let account = RecordedAccount::start().await;
    let shown = show(&account, "addDeal", json!({"title": "New", "value": 0, "lostReason": null, "customFields": {"Tier": "Gold"}})).await;
    let changes = shown["data"]["changes"].as_array().expect("changes");
    assert_eq!(
        changes[..2],
        [json!({"path": "/title", "before": null, "after": "New"}), json!({"path": "/value", "before": null, "after": 0})]
    );
    assert_eq!((&changes[2]["name"], &changes[2]["afterLabel"], changes.len()), (&json!("Tier"), &json!("Gold"), 3), "{shown}");
    assert_eq!(shown["data"]["requests"][0]["method"], "POST", "{shown}");
}

#[tokio::test]
async fn delete_and_merge_show_the_record_that_would_go() {
    let account = RecordedAccount::start().await;
    let deal = account.call("getDeal", json!({"dealId": 1}), json!({})).await["data"].clone();
    for (action, input) in [("deleteDeal", json!({"dealId": 1})), ("mergeDeals", json!({"dealId": 1, "mergeWithId": 2}))] {
        let shown = show(&account, action, input).await;
        assert_eq!(shown["data"]["changes"], json!([{"path": "", "before": deal, "after": null}]), "{shown}");
    }
    let gone = account.call("deleteDeal", json!({"dealId": 99_999}), json!({"dryRun": "diff"})).await;
    assert_eq!(gone["error"]["kind"], "not_found", "{gone}");
}

#[tokio::test]
async fn field_that_an_input_names_is_shown_by_name() {
    let account = RecordedAccount::start().await;
    let person = add(&account, "addPerson", json!({"name": "Ann", "customFields": {"Tier": "Silver"}})).await;
    let set = |key: &str, value: Value| json!({"personId": person["id"], "fieldKey": key, "value": value});
    let shown = show(&account, "setFieldValueForPerson", set("Tier", json!("Gold"))).await;
    let tier = json!({"path": "/value", "name": "Tier", "before": 2, "after": 3, "beforeLabel": "Silver", "afterLabel": "Gold"});
    assert_eq!(shown["data"]["changes"], json!([tier]), "{shown}");
    let shown = show(&account, "setFieldValueForPerson", set("name", json!("Anna"))).await;
    assert_eq!(shown["data"]["changes"], json!([{"path": "/value", "before": "Ann", "after": "Anna"}]), "{shown}");
}

#[tokio::test]
async fn custom_fields_beside_the_members_of_a_record_are_shown_too() {
    let account = RecordedAccount::start().await;
    let lead = json!("10000000-0000-4000-8000-000000000001");
    let update = |fields: Value| json!({"leadId": lead, "customFields": fields});
    let set =
        account.call("updateLead", update(json!({"Interests": ["Support"], "Budget": {"value": 5, "currency": "EUR"}})), json!({})).await;
    assert_eq!(set["ok"], true, "{set}");
    let shown =
        show(&account, "updateLead", update(json!({"Interests": ["Support", "Automation"], "Budget": {"value": 5, "currency": "USD"}})))
            .await;
    let changes = shown["data"]["changes"].as_array().expect("changes");
    assert_eq!(changes.iter().map(|change| &change["name"]).collect::<Vec<_>>(), ["Interests", "Budget"], "{shown}");
    assert_eq!(changes[0]["afterLabel"], json!(["Support", "Automation"]), "{shown}");
    assert_eq!((&changes[1]["before"], &changes[1]["after"]), (&json!("EUR"), &json!("USD")), "{shown}");
}

#[tokio::test]
async fn action_that_changes_no_readable_record_says_so() {
    let account = RecordedAccount::start().await;
    for (action, input) in [
        ("getDeal", json!({"dealId": 1})),
        ("getDeals", json!({})),
        ("selectDeal", json!({})),
        ("deleteDealFollower", json!({"dealId": 1, "followerId": 1})),
        ("rawRequest", json!({"method": "DELETE", "path": "/api/v2/deals/1"})),
    ] {
        let refused = account.call(action, input, json!({"dryRun": "diff"})).await;
        assert_eq!(refused["error"]["kind"], "invalid_invocation", "{refused}");
        assert!(refused["error"]["hint"].as_str().is_some_and(|hint| hint.contains("dryRun as true")), "{refused}");
    }
    assert_eq!(account.count("", ""), 0, "nothing is sent");
}

#[test]
fn flag_shows_the_requests_or_the_changes() {
    let cli = CommandLine::new();
    let run = |flag: &str| {
        parse_outcomes(&cli.run(&["invoke", "updateDeal", "--input", r#"{"dealId":1,"title":"Never so"}"#, flag], "")).remove(0)
    };
    assert_eq!(run("--dry-run")["data"][0]["method"], "PATCH");
    assert_eq!(run("--dry-run=requests")["data"][0]["method"], "PATCH");
    assert_eq!(run("--dry-run=diff")["data"]["changes"][0]["after"], "Never so");
}
