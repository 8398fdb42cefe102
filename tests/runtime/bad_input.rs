//! Bad input: its kind of error, its pointers and its hints. Nothing is sent.

use connector_core::run::Invocation;
use serde_json::{Value, json};

use crate::support::kit::build_kit;
use crate::support::repository::build_catalogue;
use crate::support::runtime::{NOWHERE, build_runtime, build_sandbox_runtime, dry_run, invoke, run, run_text};
use crate::support::sandbox::sandbox_options;

/// Invokes an action that must be refused, and returns the error.
async fn refuse(key: &str, input: Value) -> Value {
    let outcome = invoke(&build_runtime(NOWHERE), key, input).await;
    assert_eq!(outcome["ok"], false, "{key} must be refused: {outcome}");
    assert_eq!(outcome["meta"]["requests"], 0, "{key} must send nothing: {outcome}");
    assert!(outcome["error"]["hint"].is_string(), "give the error a hint: {outcome}");
    outcome["error"].clone()
}

#[tokio::test]
async fn names_all_faults_at_once_with_pointers() {
    let error = refuse("addPerson", json!({"ownerID": 3, "visibleTo": 2, "emails": [{"value": "a@example.com"}, {"address": "b@example.com"}], "labelIds": "1,2", "birthday": "1990-02-30"})).await;
    assert_eq!(error["kind"], "invalid_input");
    let mut faults: Vec<(String, String)> = error["faults"]
        .as_array()
        .expect("faults")
        .iter()
        .map(|fault| (fault["path"].as_str().unwrap_or_default().to_owned(), fault["message"].as_str().unwrap_or_default().to_owned()))
        .collect();
    faults.sort();
    build_kit().assert_snapshot("faults_at_once", &format!("{faults:#?}"));
}

#[tokio::test]
async fn each_fault_says_what_to_do() {
    let mut text = String::new();
    for (key, input) in [
        ("getDeal", json!("abc")),
        ("getDeal", json!({"dealId": "abc"})),
        ("getDeal", json!({})),
        ("getDeal", json!({"dealId": 0})),
        ("getDeal", json!({"dealId": 1.5})),
        ("getDeal", json!({"dealId": null})),
        ("getDeal", json!({"dealId": 1, "includeField": ["x"]})),
        ("getDeal", json!({"dealId": 1, "includeFields": ["Notes_Count"]})),
        ("getDeals", json!({"limit": 501})),
        ("getDeals", json!({"status": []})),
        ("getDeals", json!({"ids": (1..=101).collect::<Vec<_>>()})),
        ("getDeals", json!({"updatedSince": "yesterday"})),
        ("getDeals", json!({"updatedSince": "2026-01-01T00:00:00.123Z"})),
        ("getDeals", json!({"updatedSince": "2026-13-01T00:00:00Z"})),
        ("getDeals", json!({"customFields": [7]})),
        ("getPipelineDeals", json!({"pipelineId": 1, "filterId": 2})),
        ("addActivity", json!({"personId": 1, "dueTime": "9:30"})),
        ("addNote", json!({"content": "x", "pinnedToDealFlag": 1})),
        ("getActivities", json!({"leadId": "7"})),
        ("addDeal", json!({"title": null})),
        ("addDeal", json!({"title": "x", "expectedCloseDate": "31.12.2026"})),
        ("addDeal", json!({"title": "x", "archiveTime": "2026-01-01T00:00:00"})),
        ("addDeal", json!({"title": "x", "status": "won", "wonTime": "2026-01-01T00:00:00"})),
        ("addDeal", json!({"title": "x", "status": "Open"})),
        ("addDeal", json!({"title": "x", "lostReason": "Price"})),
        ("addDeal", json!({"title": "x", "status": "won", "lostTime": "2026-01-01T00:00:00Z"})),
        ("addDeal", json!({"title": "x", "status": "open", "wonTime": "2026-01-01T00:00:00Z", "closeTime": "2026-01-01T00:00:00Z"})),
        ("updateDeal", json!({"dealId": 1, "status": "open", "closeTime": "2026-01-01T00:00:00Z"})),
        ("updateDeal", json!({"dealId": 1, "status": "lost", "wonTime": "2026-01-01T00:00:00Z"})),
        ("updatePerson", json!({"personId": 1, "orgId": null})),
        ("updatePerson", json!({"personId": 1, "notes": "x".repeat(10_001)})),
        ("searchDeals", json!({"term": "a"})),
        ("searchDeals", json!({"term": ""})),
        ("selectDeal", json!({"search": "a"})),
        ("rawRequest", json!({"method": "get", "path": "/api/v2/deals"})),
        ("rawRequest", json!({"method": "GET", "path": "https://evil.example/api/v2/deals"})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/../../oauth/token"})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals", "headers": {"Authorization": "Bearer hunter2"}})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals?api_token=hunter2"})),
        ("rawRequest", json!({"method": "POST", "path": "/api/v2/deals", "json": {}, "form": {}})),
        ("rawRequest", json!({"method": "POST", "path": "/api/v1/files", "multipart": [{"name": "file", "base64": "###"}]})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals", "query": {"a": {"b": 1}}})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals", "query": {"ids": ["1,2", 3]}})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals?term=%ff"})),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/deals/1", "headers": {"X-HTTP-Method-Override": "DELETE"}})),
        (
            "rawRequest",
            json!({"method": "POST", "path": "/api/v1/files", "multipart": [{"name": "f", "value": "x", "fileName": "a\r\nb"}]}),
        ),
        (
            "rawRequest",
            json!({"method": "POST", "path": "/api/v1/files", "multipart": [{"name": "f", "value": "x", "contentType": "garbage"}]}),
        ),
        ("addPerson", json!({"name": "x", "emails": [{"value": null}]})),
        ("getLead", json!({"leadId": 7})),
        ("addLead", json!({"title": "x"})),
        ("addLead", json!({"title": "x", "personId": 1, "value": {"amount": 5}})),
        ("addLeadLabel", json!({"name": "x", "color": "Red"})),
        ("getLeads", json!({"start": 1, "cursor": "start:100"})),
        ("getLeads", json!({"cursor": "eyJpZCI6MX0"})),
        ("getFiles", json!({"limit": 101})),
        (
            "addCallLog",
            json!({"outcome": "connected", "toPhoneNumber": "1", "startTime": "2026-11-20T09:00:00Z", "endTime": "2026-11-20 25:00:00"}),
        ),
        ("addDealProduct", json!({"dealId": 1, "productId": 1, "itemPrice": "a lot", "quantity": 1, "billingFrequency": "Monthly"})),
        ("addDealProduct", json!({"dealId": 1, "productId": 1, "itemPrice": 5, "quantity": 1, "billingFrequencyCycles": 2})),
        ("updateDealProduct", json!({"dealId": 1, "productAttachmentId": 1, "billingFrequency": "one-time", "billingFrequencyCycles": 2})),
        ("addProduct", json!({"name": "x", "billingFrequency": "weekly"})),
        ("updateProduct", json!({"productId": 1, "billingFrequency": "weekly", "billingFrequencyCycles": null})),
        (
            "updateFilter",
            json!({"filterId": 1, "conditions": {"glue": "and", "conditions": [{"glue": "and", "conditions": [{"object": "lead"}]}]}}),
        ),
        ("getPipelineMovementStatistics", json!({"pipelineId": 1, "startDate": "2026-02-30", "endDate": "tomorrow"})),
        ("setFieldValueForPerson", json!({"personId": 1, "fieldKey": "job_title"})),
        ("getDeals", json!({"start": 50})),
        ("getDeals", json!({"start": 0, "cursor": "eyJpZCI6MX0"})),
        ("searchPersons", json!({"term": "Alma", "start": "next"})),
        ("getNotes", json!({"start": 0, "cursor": "start:50"})),
        ("addPerson", json!({"name": "x", "email": "a@acme.com", "emails": []})),
        ("updatePerson", json!({"personId": 1, "phone": ""})),
        ("updateActivity", json!({"activityId": 1, "personId": 2, "participants": []})),
        ("getDealField", json!({"fieldCode": ""})),
        ("getDealField", json!({"fieldCode": "../users"})),
        ("deleteDealFollower", json!({"dealId": 1, "userId": 2})),
        ("getPersonUpdates", json!({"personId": 1, "items": ["plannedactivity"]})),
        ("downloadFile", json!({"fileId": "report.pdf"})),
    ] {
        let error = refuse(key, input.clone()).await;
        assert_eq!(error["kind"], "invalid_input", "{key} {input}: {error}");
        assert!(!error.to_string().contains("hunter2"), "the error must not repeat a credential: {error}");
        let input = input.to_string();
        let input = if input.len() > 120 { "…".to_owned() } else { input };
        text += &format!("{key} {input}\n");
        for fault in error["faults"].as_array().expect("faults") {
            text += &format!("    {}: {}\n", fault["path"].as_str().unwrap_or_default(), fault["message"].as_str().unwrap_or_default());
        }
        text += &format!("    → {}\n", error["hint"].as_str().unwrap_or_default());
    }
    build_kit().assert_snapshot("faults_and_hints", &text.replace("hunter2", "[a secret]"));
}

#[tokio::test]
async fn runtime_and_published_schema_agree_on_rules_between_inputs() {
    let (runtime, catalogue) = (build_runtime(NOWHERE), build_catalogue());
    let time = "2026-01-01T00:00:00Z";
    let attach = |frequency: &str, cycles: Value| json!({"dealId": 1, "productId": 1, "itemPrice": 5, "quantity": 1, "billingFrequency": frequency, "billingFrequencyCycles": cycles});
    let conditions = |more: Value| {
        let mut condition = json!({"object": "deal", "field_id": "15", "operator": "=", "value": "won", "extra_value": null});
        for (name, value) in more.as_object().into_iter().flatten() {
            condition[name] = value.clone();
        }
        json!({"glue": "and", "conditions": [{"glue": "and", "conditions": [condition]}]})
    };
    for (key, input, is_taken) in [
        ("addDeal", json!({"title": "x", "status": "lost", "lostReason": "Price", "lostTime": time, "closeTime": time}), true),
        ("addDeal", json!({"title": "x", "lostReason": null, "closeTime": null}), true),
        ("addDeal", json!({"title": "x", "lostReason": "Price"}), false),
        ("addDeal", json!({"title": "x", "status": "won", "lostTime": time}), false),
        ("addDeal", json!({"title": "x", "wonTime": time}), false),
        ("addDeal", json!({"title": "x", "status": "open", "closeTime": time}), false),
        // The status that the deal has is unknown.
        ("updateDeal", json!({"dealId": 1, "lostReason": "Price", "wonTime": time, "lostTime": time, "closeTime": time}), true),
        ("updateDeal", json!({"dealId": 1, "status": "won", "wonTime": time, "closeTime": time}), true),
        ("updateDeal", json!({"dealId": 1, "status": "won", "lostReason": "Price"}), false),
        ("addProduct", json!({"name": "x", "billingFrequency": "one-time", "billingFrequencyCycles": null}), true),
        ("addProduct", json!({"name": "x", "billingFrequency": "weekly", "billingFrequencyCycles": 2}), true),
        ("addProduct", json!({"name": "x", "billingFrequency": "weekly"}), false),
        ("addProduct", json!({"name": "x", "billingFrequencyCycles": 2}), false),
        ("updateProduct", json!({"productId": 1, "billingFrequencyCycles": 2}), true),
        ("updateProduct", json!({"productId": 1, "billingFrequency": "weekly"}), true),
        ("updateProduct", json!({"productId": 1, "billingFrequency": "weekly", "billingFrequencyCycles": null}), false),
        ("addDealProduct", attach("monthly", json!(null)), true),
        ("addDealProduct", attach("one-time", json!(2)), false),
        ("updateDealProduct", json!({"dealId": 1, "productAttachmentId": 1, "billingFrequencyCycles": null}), true),
        (
            "updateDealProduct",
            json!({"dealId": 1, "productAttachmentId": 1, "billingFrequency": "one-time", "billingFrequencyCycles": 2}),
            false,
        ),
        // The conditions of an answer can be written back.
        ("updateFilter", json!({"filterId": 1, "conditions": conditions(json!({"json_value_flag": false, "field_code": null}))}), true),
        ("updateFilter", json!({"filterId": 1, "conditions": conditions(json!({"operator": null}))}), false),
    ] {
        let outcome = dry_run(&runtime, key, input.clone()).await;
        assert_eq!(outcome["ok"], is_taken, "fix the rules of {key}, for {input}: {outcome}");
        let published = &catalogue.find(None, key).expect("the key is in the catalogue").describe(|_| None)["input"];
        let schema = jsonschema::options().build(published).expect("the schema is sound");
        assert_eq!(schema.is_valid(&input), is_taken, "fix how the rules of {key} are published, for {input}");
    }
}

/// Null for an input that a create does not need means that there is none, and so does a start of 0 of a list.
#[tokio::test]
async fn takes_null_in_a_create_and_a_start_of_0_as_absent() {
    let runtime = build_runtime(NOWHERE);
    for (key, input, sent) in [
        (
            "addNote",
            json!({"content": "x", "dealId": 1, "personId": null, "pinnedToDealFlag": null}),
            json!({"content": "x", "deal_id": 1}),
        ),
        ("addPerson", json!({"name": "x", "visibleTo": null, "emails": null}), json!({"name": "x"})),
        ("addDeal", json!({"title": "x", "personId": null, "probability": null}), json!({"title": "x"})),
        ("addPerson", json!({"name": "x", "email": null, "emails": [{"value": "a"}]}), json!({"name": "x", "emails": [{"value": "a"}]})),
        ("addPerson", json!({"name": "x", "email": "a@b.c"}), json!({"name": "x", "emails": [{"value": "a@b.c", "primary": true}]})),
        ("updatePerson", json!({"personId": 1, "email": null}), json!({"emails": []})),
        ("addActivity", json!({"personId": 7}), json!({"participants": [{"person_id": 7, "primary": true}]})),
    ] {
        let outcome = dry_run(&runtime, key, input.clone()).await;
        assert_eq!(outcome["data"][0]["json"], sent, "{key} {input}: {outcome}");
    }
    for start in [json!(null), json!(0), json!("0"), json!(0.0), json!("0.0")] {
        for (key, query) in [("getDeals", ""), ("getNotes", if start.is_null() { "" } else { "?start=0" })] {
            let outcome = dry_run(&runtime, key, json!({"start": start})).await;
            let url = outcome["data"][0]["url"].as_str().unwrap_or_default();
            assert_eq!(url.find('?').map_or("", |at| &url[at..]), query, "{key} with the start {start}: {outcome}");
        }
    }
}

#[tokio::test]
async fn unknown_action_suggests_the_nearest_three() {
    let error = refuse("getDael", json!({})).await;
    assert_eq!(error["kind"], "unknown_action");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("getDeal") && hint.matches(',').count() == 2), "{error}");
}

#[tokio::test]
async fn unknown_action_suggests_what_its_words_mean() {
    for (key, expected) in [
        ("createDeal", "The nearest: addDeal."),
        ("create_deal", "The nearest: addDeal."),
        ("pipedrive-new-person", "The nearest: addPerson."),
        ("insertContact", "The nearest: addPerson."),
        ("findOrganizations", "The nearest: searchOrganization, getOrganizations, getOrganization."),
        ("listDeals", "The nearest: getDeals, getDeal."),
        ("List all companies", "The nearest: getOrganizations, getOrganization."),
        ("removeOpportunity", "The nearest: deleteDeal."),
        ("editPersons", "The nearest: updatePerson."),
        ("createDael", "The nearest: addDeal, "),
        ("createWebhook", "rawRequest can do it, by POST /api/v1/webhooks."),
        ("listWebhooks", "rawRequest can do it, by GET /api/v1/webhooks."),
        ("deleteWebhook", "rawRequest can do it, by DELETE /api/v1/webhooks/{id}."),
        ("getProject", "rawRequest can do it, by GET /api/v2/projects/{id}. The nearest: "),
        ("getProjects", "rawRequest can do it, by GET /api/v2/projects. The nearest: "),
        ("updateProject", "rawRequest can do it, by PATCH /api/v2/projects/{id}. The nearest: "),
        ("archiveProject", "rawRequest can do it, by POST /api/v2/projects/{id}/archive."),
        ("", "`connector list` shows all keys."),
    ] {
        let error = refuse(key, json!({})).await;
        let hint = error["hint"].as_str().unwrap_or_default();
        assert!(hint.starts_with(expected), "{key}: {hint}");
    }
}

#[tokio::test]
async fn refuses_unknown_connectors_and_connections() {
    let runtime = build_runtime(NOWHERE);
    let outcome = run_text(&runtime, br#"{"connector": "hubspot", "action": "getDeal"}"#).await;
    assert_eq!(outcome["error"]["kind"], "invalid_invocation", "{outcome}");
    let outcome = run(&runtime, Invocation::new("getDeals").connection("acme")).await;
    assert_eq!(outcome["error"]["kind"], "no_connection", "{outcome}");
}

#[tokio::test]
async fn duplicate_keys_and_huge_numbers_are_faults() {
    let runtime = build_runtime(NOWHERE);
    let text = br#"{"action": "addDeal", "input": {"title": "a", "title": "b", "customFields": {"x": 123456789012345678901234567890}}}"#;
    let outcome = run_text(&runtime, text).await;
    assert_eq!(outcome["error"]["kind"], "invalid_input", "{outcome}");
    let paths: Vec<&str> =
        outcome["error"]["faults"].as_array().expect("faults").iter().filter_map(|fault| fault["path"].as_str()).collect();
    assert_eq!(paths, ["/title", "/customFields/x"]);
    // The pointer of a name that begins like `input` is not cut.
    let outcome = run_text(&runtime, br#"{"action": "getDeal", "input": {"dealId": 1, "inputX": 1, "inputX": 2}}"#).await;
    assert_eq!(outcome["error"]["faults"][0]["path"], "/inputX", "{outcome}");
    // A value has one fault.
    let outcome = run_text(&runtime, br#"{"action": "getDeal", "input": {"dealId": 123456789012345678901234567890}}"#).await;
    assert_eq!(outcome["error"]["faults"].as_array().map(Vec::len), Some(1), "{outcome}");
}

/// Keeps out names that the JSON library would interpret instead of passing them on.
#[tokio::test]
async fn refuses_reserved_names_of_the_json_library() {
    let runtime = build_runtime(NOWHERE);
    let text = br#"{"action": "rawRequest", "input": {"method": "POST", "path": "/api/v2/deals", "json": {"$serde_json::private::RawValue": "[1,2]"}}}"#;
    let outcome = run_text(&runtime, text).await;
    assert_eq!(outcome["error"]["kind"], "invalid_input", "{outcome}");
    let input = json!({"title": "x", "customFields": {"a": [{"$serde_json::private::RawValue": "[1,2]"}]}});
    let outcome = invoke(&runtime, "addDeal", input).await;
    assert_eq!(outcome["error"]["faults"][0]["path"], "/customFields", "{outcome}");
}

#[tokio::test]
async fn warns_when_a_filter_overrides_inputs() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = invoke(&runtime, "getDeals", json!({"filterId": 1, "ownerId": 2, "status": ["won"], "limit": 1})).await;
    assert_eq!(
        outcome["meta"]["warnings"],
        json!(["`filterId` overrides `ownerId` and `status`: Pipedrive ignores what is overridden."]),
        "{outcome}"
    );
    let outcome = invoke(&runtime, "getDeals", json!({"filterId": 1, "limit": 1})).await;
    assert_eq!(outcome["meta"]["warnings"], json!([]), "{outcome}");
}

/// Sends 50 MB, which are legal JSON: the refusal is the account's own.
#[tokio::test]
async fn body_of_50_mb_gets_the_refusal_of_the_account() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = invoke(&runtime, "addDeal", json!({"title": "x".repeat(50_000_000)})).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["status"]), (&json!("upstream_rejected"), &json!(413)), "{outcome}");
    let outcome = invoke(&runtime, "searchDeals", json!({"term": "xxxx"})).await;
    assert_eq!(outcome["data"]["items"], json!([]), "the refused deal must not exist: {outcome}");
}

#[tokio::test]
async fn upstream_refusals_point_to_the_input() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = invoke(&runtime, "addDeal", json!({"title": "x", "customFields": {"f".repeat(40): 1}})).await;
    assert_eq!(outcome["error"]["kind"], "upstream_rejected", "{outcome}");
    assert!(outcome["error"]["faults"][0]["path"].as_str().is_some_and(|path| path.starts_with("/customFields")), "{outcome}");
    let outcome = invoke(&runtime, "addDeal", json!({"title": "x", "personId": 99999})).await;
    assert_eq!(outcome["error"]["faults"][0]["path"], "/personId", "{outcome}");
    let outcome = invoke(&runtime, "getDeal", json!({"dealId": 99999})).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("not_found"), &json!("never")), "{outcome}");
}
