//! Costs of a guard: the record is read once, whatever it is needed for, and an estimate counts it.

use serde_json::{Value, json};

use super::{count_writes, read_conflict};
use crate::support::runtime::{RecordedAccount, list_look_ups};

/// The requests and tokens of an outcome.
fn read_cost(outcome: &Value) -> (u64, u64) {
    let number = |name: &str| outcome["meta"][name].as_u64().expect("a whole number");
    (number("requests"), number("tokens"))
}

#[tokio::test]
async fn record_is_read_once_also_where_lists_of_it_are_changed() {
    let account = RecordedAccount::start().await;
    for (input, requests) in [
        (json!({"dealId": 2, "title": "x"}), 2),
        (json!({"dealId": 2, "labelIds": {"add": [1]}}), 2),
        (json!({"dealId": 2, "labelIds": {"add": [2]}, "customFields": {"Interests": {"add": ["Support"]}}}), 3),
    ] {
        let before = account.count("GET", "/api/v2/deals/2");
        let done = account.call("updateDeal", input.clone(), json!({"expect": {"isDeleted": false, "archiveTime": null}})).await;
        assert_eq!((&done["ok"], &done["meta"]["requests"]), (&json!(true), &json!(requests)), "{input}: {done}");
        assert_eq!(list_look_ups(&done)["getDeal"], 1, "{done}");
        assert_eq!(account.count("GET", "/api/v2/deals/2"), before + 1, "{input}");
    }
}

#[tokio::test]
async fn estimate_counts_the_read_and_agrees_with_the_call() {
    let account = RecordedAccount::start().await;
    for (action, input, expected) in [
        ("updateDeal", json!({"dealId": 1, "value": 7}), json!({"lostReason": null})),
        ("updateDeal", json!({"dealId": 1, "labelIds": {"add": [1]}}), json!({"stageId": {"name": "Qualified"}, "pipelineId": 1})),
        ("deleteLead", json!({"leadId": "10000000-0000-4000-8000-000000000001"}), json!({"personId": 1})),
    ] {
        // The demo deal lies in any stage: it is brought to the one that is expected.
        account.send("PATCH", "/api/v2/deals/1", json!({"stage_id": 1, "pipeline_id": 1})).await;
        let written = count_writes(&account);
        let estimated = account.call(action, input.clone(), json!({"expect": expected, "estimate": true})).await;
        assert_eq!((&estimated["data"]["certain"], count_writes(&account)), (&json!(true), written), "{estimated}");
        let made = account.call(action, input, json!({"expect": expected})).await;
        assert_eq!(made["ok"], true, "{made}");
        let data = &estimated["data"];
        assert_eq!(
            (data["requests"].as_u64(), data["tokens"].as_u64()),
            (Some(read_cost(&made).0), Some(read_cost(&made).1)),
            "{estimated}\n{made}"
        );
    }
}

#[tokio::test]
async fn estimate_and_dry_run_of_a_call_that_has_lost_are_conflicts() {
    let account = RecordedAccount::start().await;
    for options in [json!({"estimate": true}), json!({"dryRun": true}), json!({"dryRun": "diff"})] {
        let mut options = options;
        options["expect"] = json!({"title": "Nothing like it"});
        let outcome = account.call("deleteDeal", json!({"dealId": 1}), options).await;
        assert_eq!(read_conflict(&outcome).len(), 1, "{outcome}");
        assert_eq!(read_cost(&outcome), (1, 1), "{outcome}");
    }
    assert_eq!(count_writes(&account), 0);
}
