//! Refusals in the words of the person who built the workflow: which input, scope, limit or path is meant.

use connector_core::run::Invocation;
use serde_json::{Value, json};

use crate::support::runtime::{RecordedAccount, build_sandbox_runtime, invoke, run};
use crate::support::sandbox::sandbox_options;
use crate::support::upstream::{Script, build_json_response, build_limited_runtime, start_upstream};

/// The key of a custom field that no account of these tests has.
const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// Has a vendor refuse an action with a status and a body.
async fn refuse(action: &str, input: Value, status: &str, body: &Value) -> Value {
    let url = start_upstream(build_json_response(status, &body.to_string())).await;
    run(&build_limited_runtime(&url), Invocation::new(action).input(input)).await
}

/// Lists the paths and messages of the faults.
fn list_faults(outcome: &Value) -> Vec<(&str, &str)> {
    let faults = outcome["error"]["faults"].as_array().expect("an error has faults");
    faults.iter().filter_map(|fault| Some((fault["path"].as_str()?, fault["message"].as_str()?))).collect()
}

#[tokio::test]
async fn each_form_of_a_validation_error_leads_to_its_input() {
    let failed = |place: &str| {
        let error = format!("Validation failed: {place}: is wrong.");
        json!({"success": false, "error": error, "code": "ERR_SCHEMA_VALIDATION_FAILED"})
    };
    let unknown = json!({"success": false, "error": format!("Validation failed: custom_fields: Unknown key '{KEY}'")});
    let with_code = json!({"success": false, "error": "Validation failed: custom_fields: is wrong", "field_code": KEY});
    let errors = json!({"status": "error", "success": false, "errors": {"title": ["is too long", "is odd"], "stage_id": ["is wrong"]}});
    let prices = json!({"productId": 1, "prices": [{"price": 1, "currency": "EUR"}, {"price": 2, "currency": "USD"}]});
    let deal = |more: Value| {
        let mut input = json!({"dealId": 1, "title": "x"});
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        input
    };
    let fields = deal(json!({"customFields": {KEY: 5}}));
    let call = json!({"outcome": "busy", "toPhoneNumber": "1", "startTime": "2026-01-31 09:30:00", "endTime": "2026-01-31 09:31:00"});
    let lead = json!({"leadId": "10000000-0000-4000-8000-000000000001", "customFields": {KEY: 5}});
    for (action, input, body, paths) in [
        ("updateDeal", deal(json!({})), failed("title"), &["/title"][..]),
        ("updateDeal", deal(json!({"stageId": 7})), failed("stage_id"), &["/stageId"]),
        ("updateProduct", prices.clone(), failed("prices[1].price"), &["/prices/1/price"]),
        ("updateProduct", prices.clone(), failed("prices/0/currency"), &["/prices/0/currency"]),
        ("updateProduct", prices.clone(), failed("prices.1.price"), &["/prices/1/price"]),
        ("updateProduct", prices, failed("prices[0].cost"), &["/prices/0/cost"]),
        (
            "updateDeal",
            fields.clone(),
            failed(&format!("custom_fields.{KEY}")),
            &["/customFields/0123456789abcdef0123456789abcdef01234567"],
        ),
        ("updateDeal", fields.clone(), unknown, &["/customFields/0123456789abcdef0123456789abcdef01234567"]),
        ("updateDeal", fields, with_code, &["/customFields/0123456789abcdef0123456789abcdef01234567"]),
        ("updateLead", lead, failed(KEY), &["/customFields/0123456789abcdef0123456789abcdef01234567"]),
        ("updateDeal", deal(json!({"stageId": 7})), errors, &["/title", "/stageId"]),
        ("updatePerson", json!({"personId": 1, "email": "a@b.example"}), failed("emails[0].value"), &["/email"]),
        ("updateActivity", json!({"activityId": 1, "personId": 1}), failed("participants[0].person_id"), &["/personId"]),
        ("addCallLog", call, json!({"success": false, "error": "\"outcome\" is required."}), &["/outcome"]),
        ("updateDeal", deal(json!({})), failed("no_such_thing"), &[]),
        ("updateDeal", deal(json!({})), json!({"success": false, "error": "Bad request"}), &[]),
    ] {
        let outcome = refuse(action, input, "400 Bad Request", &body).await;
        assert_eq!(outcome["error"]["kind"], "upstream_rejected", "{outcome}");
        let faults = list_faults(&outcome);
        assert_eq!(faults.iter().map(|(path, _)| *path).collect::<Vec<_>>(), paths, "{body}: {outcome}");
        assert!(faults.iter().all(|(_, message)| !message.is_empty() && !message.ends_with('.')), "{outcome}");
        assert!(outcome["error"]["upstream"]["error"].is_string(), "the vendor's own words stay: {outcome}");
    }
}

#[tokio::test]
async fn custom_field_is_named_as_the_caller_named_it() {
    let account = RecordedAccount::start().await;
    let fields = account.send("GET", "/api/v2/dealFields?limit=500", Value::Null).await;
    let reference = fields.as_array().expect("a list").iter().find(|field| field["field_name"] == "Reference").expect("the demo has it");
    let key = reference["field_code"].as_str().expect("a key");
    let list = json!({"success": true, "data": fields, "additional_data": {"next_cursor": null}});
    for error in
        [format!("Validation failed: custom_fields.{key}: is wrong"), format!("Validation failed: custom_fields: Unknown key '{key}'")]
    {
        let refusal = json!({"success": false, "error": error});
        let script = Script::start_with([
            build_json_response("200 OK", &list.to_string()),
            build_json_response("400 Bad Request", &refusal.to_string()),
        ])
        .await;
        let input = json!({"dealId": 1, "customFields": {"reference": "PO-1"}});
        let outcome = run(&script.runtime, Invocation::new("updateDeal").input(input)).await;
        assert_eq!(list_faults(&outcome).iter().map(|(path, _)| *path).collect::<Vec<_>>(), ["/customFields/reference"], "{outcome}");
        assert_eq!(script.asked().len(), 2, "nothing is read for the fault");
    }
}

#[tokio::test]
async fn sandbox_names_the_input_of_what_only_the_account_can_know() {
    let account = RecordedAccount::start().await;
    for (action, input, path) in [
        ("addDeal", json!({"title": "x", "pipelineId": {"name": "Renewals"}, "stageId": 1}), "/stageId"),
        ("updatePerson", json!({"personId": 1, "emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}), "/emails"),
        ("updateStage", json!({"stageId": 1, "dealProbability": 101}), "/dealProbability"),
    ] {
        let outcome = account.call(action, input, json!({})).await;
        let is_ours = outcome["error"]["kind"] == "invalid_input";
        assert!(is_ours || outcome["error"]["kind"] == "upstream_rejected", "{outcome}");
        assert_eq!(list_faults(&outcome).first().map(|(path, _)| *path), Some(path), "{action}: {outcome}");
    }
}

#[tokio::test]
async fn missing_scope_is_named_with_the_place_to_add_it() {
    let body = json!({"success": false, "error": "Scope and URL mismatch", "errorCode": 403, "error_info": "Please check developers.pipedrive.com"});
    for (action, input, scope) in [
        ("getDeal", json!({"dealId": 1}), "deals:read, deals:full"),
        ("deleteDeal", json!({"dealId": 1}), "deals:full"),
        ("updateStage", json!({"stageId": 1, "name": "x"}), "admin"),
    ] {
        let outcome = refuse(action, input, "403 Forbidden", &body).await;
        assert_eq!(outcome["error"]["kind"], "missing_scope", "{outcome}");
        let hint = outcome["error"]["hint"].as_str().unwrap_or_default();
        assert!(
            hint.contains("Developer Hub") && hint.contains("connect the account again") && hint.ends_with(&format!(": {scope}.")),
            "{hint}"
        );
    }
}

#[tokio::test]
async fn limits_of_the_plan_are_named() {
    let deals =
        json!({"success": false, "error": "Couldn't add the deal. Open deals limit reached.", "code": "feature_capping_deals_limit"});
    let filters = json!({"success": false, "error": "Couldn't add filter. You've reached the filters per user limit."});
    let rights = json!({"success": false, "error": "You do not have permissions to do this."});
    for (status, body, message, hint) in [
        ("403 Forbidden", &deals, "(deals)", "larger plan"),
        ("403 Forbidden", &filters, "(filters per user)", "larger plan"),
        ("403 Forbidden", &rights, "does not allow the call", "permissions of the connected user"),
        ("402 Payment Required", &json!({"success": false, "error": "Required suites missing"}), "Required suites missing", "Billing"),
    ] {
        let outcome = refuse("addDeal", json!({"title": "x"}), status, body).await;
        assert_eq!(outcome["error"]["kind"], "forbidden", "{outcome}");
        let text = |name: &str| outcome["error"][name].as_str().unwrap_or_default().to_owned();
        assert!(text("message").contains(message) && text("hint").contains(hint), "{outcome}");
    }
}

#[tokio::test]
async fn paths_that_lead_nowhere_have_hints_of_their_own() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (method, path, kind, message, hint) in [
        ("GET", "/api/v2/dels", "not_found", "no operation GET /api/v2/dels", "each segment of the path"),
        ("GET", "/api/v2/deals/1/followerz", "not_found", "no operation GET", "each segment of the path"),
        ("PUT", "/api/v2/deals/1", "upstream_rejected", "no operation PUT", "Check the method"),
        ("GET", "/v1/deals", "gone", "no longer serves GET /v1/deals", "Call GET /api/v2/deals instead"),
        ("GET", "/api/v2/deals/99999", "not_found", "no such record", "Check the ID"),
    ] {
        let outcome = invoke(&runtime, "rawRequest", json!({"method": method, "path": path})).await;
        let text = |name: &str| outcome["error"][name].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("kind"), kind, "{method} {path}: {outcome}");
        assert!(text("message").contains(message) && text("hint").contains(hint), "{method} {path}: {outcome}");
        assert!(kind != "not_found" || message == "no such record" || !text("hint").contains("record"), "{outcome}");
    }
    let gone =
        refuse("deleteProductField", json!({"fieldCode": KEY}), "410 Gone", &json!({"success": false, "error": "The field is not found"}))
            .await;
    assert_eq!((&gone["error"]["kind"], &gone["error"]["hint"]), (&json!("gone"), &json!("The record is gone for good.")), "{gone}");
    let body = json!({"success": false, "error": "The sandbox does not serve GET /api/v1/goals/find yet."});
    let missing = refuse("rawRequest", json!({"method": "GET", "path": "/api/v1/goals/find"}), "501 Not Implemented", &body).await;
    assert_eq!((&missing["error"]["kind"], &missing["error"]["retry"]), (&json!("upstream_rejected"), &json!("never")), "{missing}");
    assert!(missing["error"]["hint"].as_str().is_some_and(|hint| hint.contains("No other input helps")), "{missing}");
}
