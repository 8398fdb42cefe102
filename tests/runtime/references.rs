//! Names in place of IDs: what each kind of reference finds, what it costs, and what is refused.

use serde_json::{Value, json};

use crate::support::runtime::{RecordedAccount, list_look_ups, read_fault};

/// The ID of the first lead label of the demo account.
const HOT_LEAD: &str = "20000000-0000-4000-8000-000000000001";

/// Starts an account that has two of each kind under one name.
async fn start_with_twins() -> RecordedAccount {
    let account = RecordedAccount::start().await;
    account.send("POST", "/api/v2/stages", json!({"name": "Qualified", "pipeline_id": 2})).await;
    account.send("POST", "/api/v2/deals", json!({"title": "Only deal"})).await;
    let no_conditions = json!({"glue": "and", "conditions": [
        {"glue": "and", "conditions": []}, {"glue": "or", "conditions": []}]});
    for _ in 0..2 {
        for (path, body) in [
            ("/api/v2/pipelines", json!({"name": "Twin"})),
            ("/api/v2/persons", json!({"name": "Twin", "emails": [{"value": "twin@example.com"}]})),
            ("/api/v2/organizations", json!({"name": "Twin"})),
            ("/api/v2/deals", json!({"title": "Twin"})),
            ("/api/v2/products", json!({"name": "Twin", "code": "T-1"})),
            ("/api/v1/leadLabels", json!({"name": "Twin", "color": "red"})),
            ("/api/v1/activityTypes", json!({"name": "Twin", "icon_key": "task"})),
            ("/api/v1/filters", json!({"name": "Twin", "type": "deals", "conditions": no_conditions.clone()})),
        ] {
            account.send("POST", path, body).await;
        }
    }
    account
}

/// Returns a value of a planned request, from its body or its query.
fn read_planned(outcome: &Value, wire: &str) -> Value {
    let request = &outcome["data"][0];
    let query = request["url"].as_str().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    let in_query = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == wire);
    request["json"].get(wire).cloned().or_else(|| in_query.map(|(_, value)| value.into())).unwrap_or_default()
}

#[tokio::test]
async fn each_kind_is_found_by_name() {
    let account = start_with_twins().await;
    let activity = |name: &str, value: Value| ("addActivity", json!({"subject": "x", name: value}));
    let deal = |name: &str, value: Value| ("addDeal", json!({"title": "x", name: value}));
    let product = |value: Value| ("addDealProduct", json!({"dealId": 1, "productId": value, "itemPrice": 1, "quantity": 1}));
    for ((action, input), wire, id) in [
        (deal("pipelineId", json!({"name": "Renewals"})), "pipeline_id", json!(2)),
        (deal("pipelineId", json!({"name": " renewals "})), "pipeline_id", json!(2)),
        (deal("stageId", json!({"name": "Upcoming"})), "stage_id", json!(6)),
        (("addDeal", json!({"title": "x", "pipelineId": 1, "stageId": {"name": "Qualified"}})), "stage_id", json!(1)),
        (("addDeal", json!({"title": "x", "stageId": {"name": "Upcoming"}, "pipelineId": {"name": "Renewals"}})), "stage_id", json!(6)),
        (deal("ownerId", json!({"name": "ben harbour"})), "owner_id", json!(2)),
        (deal("ownerId", json!({"email": "BEN@example.com"})), "owner_id", json!(2)),
        (deal("ownerId", json!("me")), "owner_id", json!(1)),
        (deal("personId", json!({"email": "Alma.Ashford0@Example.com"})), "person_id", json!(1)),
        (deal("personId", json!({"email": "alma0@home.example.com"})), "person_id", json!(1)),
        (deal("personId", json!({"name": "alma ashford"})), "person_id", json!(1)),
        (deal("orgId", json!({"name": "Amber Works"})), "org_id", json!(1)),
        (deal("currency", json!({"name": "US Dollar"})), "currency", json!("USD")),
        (deal("labelIds", json!(["hot", {"name": "Cold"}, 2])), "label_ids", json!([1, 3, 2])),
        (activity("dealId", json!({"name": "Only deal"})), "deal_id", json!(201)),
        (activity("type", json!({"name": "Call"})), "type", json!("call")),
        (product(json!({"name": "Licence"})), "product_id", json!(2)),
        (product(json!({"code": "1002"})), "product_id", json!(2)),
        (("addLead", json!({"title": "x", "personId": 1, "labelIds": ["Hot"]})), "label_ids", json!([HOT_LEAD])),
        (("getDeals", json!({"filterId": {"name": "Open deals over 1000"}})), "filter_id", json!("1")),
        (("getActivities", json!({"filterId": {"name": "Calls"}})), "filter_id", json!("4")),
    ] {
        let outcome = account.call(action, input.clone(), json!({"dryRun": true})).await;
        assert_eq!(read_planned(&outcome, wire), id, "{action} {input}: {outcome}");
    }
}

#[tokio::test]
async fn name_of_none_or_of_several_is_a_fault_and_nothing_is_written() {
    let account = start_with_twins().await;
    let written = account.count("POST", "/api/");
    let activity = |name: &str, value: Value| ("addActivity", json!({"subject": "x", name: value}));
    let deal = |name: &str, value: Value| ("addDeal", json!({"title": "x", name: value}));
    let product = |value: Value| ("addDealProduct", json!({"dealId": 1, "productId": value, "itemPrice": 1, "quantity": 1}));
    let twins = |name: &str, value: Value| (deal(name, value), format!("/{name}"), 2);
    let nobody = |name: &str, value: Value| (deal(name, value), format!("/{name}"), 0);
    for ((action, input), path, candidates) in [
        twins("pipelineId", json!({"name": "Twin"})),
        twins("stageId", json!({"name": "Qualified"})),
        twins("personId", json!({"name": "twin"})),
        twins("personId", json!({"email": "twin@example.com"})),
        twins("orgId", json!({"name": "Twin"})),
        nobody("pipelineId", json!({"name": "Sale"})),
        nobody("stageId", json!({"name": "Qualify"})),
        (("addDeal", json!({"title": "x", "pipelineId": 2, "stageId": {"name": "Negotiation"}})), "/stageId".to_owned(), 0),
        nobody("ownerId", json!({"name": "Ben"})),
        nobody("ownerId", json!({"email": "ben@example.org"})),
        nobody("personId", json!({"name": "Alma"})),
        nobody("personId", json!({"email": "ashford0@example.com"})),
        nobody("orgId", json!({"name": "Amber"})),
        nobody("currency", json!({"name": "Dollar"})),
        (deal("labelIds", json!(["Hot", "Hat"])), "/labelIds/1".to_owned(), 0),
        (activity("dealId", json!({"name": "Twin"})), "/dealId".to_owned(), 2),
        (activity("dealId", json!({"name": "Only"})), "/dealId".to_owned(), 0),
        (activity("type", json!({"name": "Phone"})), "/type".to_owned(), 0),
        (activity("type", json!({"name": "Twin"})), "/type".to_owned(), 2),
        (("getDeals", json!({"filterId": {"name": "Twin"}})), "/filterId".to_owned(), 2),
        (product(json!({"name": "Twin"})), "/productId".to_owned(), 2),
        (product(json!({"code": "T-1"})), "/productId".to_owned(), 2),
        (product(json!({"code": "100"})), "/productId".to_owned(), 0),
        (("addLead", json!({"title": "x", "personId": 1, "labelIds": ["Twin"]})), "/labelIds/0".to_owned(), 2),
        (("addLead", json!({"title": "x", "personId": 1, "labelIds": ["Lukewarm"]})), "/labelIds/0".to_owned(), 0),
        (("getDeals", json!({"filterId": {"name": "Calls"}})), "/filterId".to_owned(), 0),
    ] {
        let outcome = account.call(action, input.clone(), json!({})).await;
        assert_eq!(read_fault(&outcome).0, path, "{action} {input}: {outcome}");
        let listed = outcome["error"]["faults"][0]["candidates"].as_array().map_or(0, Vec::len);
        assert_eq!(listed, candidates, "{action} {input}: {outcome}");
        assert_eq!(outcome["error"]["faults"].as_array().map(Vec::len), Some(1), "{action} {input}: {outcome}");
    }
    assert_eq!(account.count("POST", "/api/"), written, "nothing is written");
}

#[tokio::test]
async fn faults_of_several_names_are_told_at_once() {
    let account = RecordedAccount::start().await;
    let input = json!({"title": "x", "stageId": {"name": "Nowhere"}, "personId": {"email": "no@example.com"}, "customFields": {"Teir": 1}});
    let outcome = account.call("addDeal", input, json!({})).await;
    let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
    let mut paths: Vec<&str> = faults.iter().filter_map(|fault| fault["path"].as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/customFields/Teir", "/personId", "/stageId"], "{outcome}");
}

#[tokio::test]
async fn outcome_says_what_each_look_up_cost_and_an_id_costs_none() {
    let account = RecordedAccount::start().await;
    let input = json!({"title": "x", "personId": {"email": "alma.ashford0@example.com"}, "stageId": {"name": "Qualified"},
        "labelIds": ["Hot"], "customFields": {"Tier": "Gold"}});
    let added = account.call("addDeal", input, json!({"fields": "names"})).await;
    assert_eq!(list_look_ups(&added), json!({"searchPersons": 2, "getDealFields": 1, "getStages": 1}), "{added}");
    assert_eq!(added["meta"]["requests"], 5, "{added}");
    let data = &added["data"];
    assert_eq!((&data["person_id"], &data["stage_id"], &data["label_ids"]), (&json!(1), &json!(1), &json!([1])), "{added}");
    assert_eq!(data["custom_fields"]["Tier"], "Gold", "{added}");
    let plain = json!({"title": "x", "personId": 1, "stageId": "1", "ownerId": 1, "labelIds": [1, "2"], "currency": "USD"});
    let planned = account.call("addDeal", plain, json!({"dryRun": true})).await;
    assert_eq!((&planned["ok"], &planned["meta"]["requests"], planned["meta"].get("lookups")), (&json!(true), &json!(0), None));
}

#[tokio::test]
async fn replay_under_a_key_looks_nothing_up() {
    let account = RecordedAccount::start().await;
    let add = async || {
        let input = json!({"title": "x", "personId": {"email": "alma.ashford0@example.com"}, "customFields": {"Tier": "Gold"}});
        account.call("addDeal", input, json!({"idempotencyKey": "run-1"})).await
    };
    let (first, asked) = (add().await, account.count("GET", "/api/"));
    let again = add().await;
    assert_eq!((&again["meta"]["replayed"], &again["data"]), (&json!(true), &first["data"]), "{again}");
    assert_eq!((&again["meta"]["requests"], account.count("GET", "/api/")), (&json!(0), asked), "{again}");
    assert_eq!(account.count("POST", "/api/v2/deals"), 1);
}

#[tokio::test]
async fn labels_are_added_and_removed_by_name() {
    let account = RecordedAccount::start().await;
    let lead = "10000000-0000-4000-8000-000000000001";
    let warm_lead = HOT_LEAD.replace("0001", "0002");
    for (action, id, before, after) in [
        ("updatePerson", json!({"personId": 1}), json!([2]), json!([2, 1])),
        ("updateDeal", json!({"dealId": 2}), json!([3]), json!([3, 1])),
        ("updateLead", json!({"leadId": lead}), json!([warm_lead]), json!([warm_lead, HOT_LEAD])),
    ] {
        let change = async |change: Value| {
            let mut input = id.clone();
            input["labelIds"] = change;
            let outcome = account.call(action, input, json!({})).await;
            assert_eq!(outcome["ok"], true, "{action}: {outcome}");
            outcome["data"]["label_ids"].clone()
        };
        assert_eq!(change(json!({"add": ["Hot"]})).await, after, "{action}");
        assert_eq!(change(json!({"add": ["hot"]})).await, after, "what is there is not added again: {action}");
        assert_eq!(change(json!({"remove": ["Hot", "Cold"], "add": before.clone()})).await.as_array().map(Vec::len), Some(1), "{action}");
        assert_eq!(change(json!({"remove": before.clone(), "add": ["Hot"]})).await, json!([after[1]]), "{action}");
        let mut input = id.clone();
        input["labelIds"] = json!({"add": ["Hat"]});
        let written = account.count("PATCH", "/api/");
        let refused = account.call(action, input, json!({})).await;
        assert_eq!(read_fault(&refused).0, "/labelIds/add/0", "{refused}");
        assert_eq!(account.count("PATCH", "/api/"), written, "nothing is written: {action}");
    }
}

#[tokio::test]
async fn emails_are_added_and_removed() {
    let account = RecordedAccount::start().await;
    let change = async |change: Value| {
        let outcome = account.call("updatePerson", json!({"personId": 1, "emails": change}), json!({})).await;
        assert_eq!(outcome["ok"], true, "{outcome}");
        let emails = outcome["data"]["emails"].as_array().cloned().unwrap_or_default();
        emails.iter().map(|email| email["value"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let (work, home) = ("alma.ashford0@example.com", "alma0@home.example.com");
    let added = json!({"add": [{"value": "alma@new.example.com", "label": "other"}], "remove": [home.to_uppercase()]});
    assert_eq!(change(added).await, [work, "alma@new.example.com"]);
    assert_eq!(change(json!({"add": [work.to_uppercase()]})).await, [work, "alma@new.example.com"], "case does not matter");
    assert_eq!(change(json!({"remove": ["alma@new.example.com", "nobody@example.com"]})).await, [work]);
}

#[tokio::test]
async fn phones_are_added_and_removed() {
    let account = RecordedAccount::start().await;
    let change = async |change: Value| {
        let outcome = account.call("updatePerson", json!({"personId": 1, "phones": change}), json!({})).await;
        assert_eq!(outcome["ok"], true, "{outcome}");
        outcome["data"]["phones"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(change(json!([{"value": "+1 555 0100", "label": "work", "primary": true}])).await, 1);
    assert_eq!(change(json!({"add": ["+1 555 0101", "+1 555 0100"]})).await, 2, "what is there is not added again");
    assert_eq!(change(json!({"remove": ["+1 555 0101"]})).await, 1);
}
