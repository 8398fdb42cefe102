//! Records of all kinds: rules, relations, searches, filters and merges.

use serde_json::{Value, json};

use super::{assert_refused, find_custom_field, get, get_data, list_ids, sandbox, send, send_ok};
use crate::edge::sandbox::Sandbox;

fn build_condition(object: &str, field: &str, operator: &str, value: &str) -> Value {
    json!({ "object": object, "field_id": field, "operator": operator, "value": value, "extra_value": null })
}

/// Lists the deals that a new filter of these groups lets pass.
fn list_filtered(sandbox: &Sandbox, all: &[Value], any: &[Value]) -> Vec<Value> {
    let conditions = json!({ "glue": "and", "conditions": [{ "glue": "and", "conditions": all }, { "glue": "or", "conditions": any }] });
    let filter = send_ok(sandbox, "POST", "/v1/filters", json!({ "name": "F", "type": "deals", "conditions": conditions }));
    let deals = get_data(sandbox, &format!("/api/v2/deals?limit=500&filter_id={}&owner_id=4", filter["id"]));
    deals.as_array().expect("the data is a list").clone()
}

#[test]
fn deal_gets_a_pipeline_and_a_stage() {
    let sandbox = sandbox();
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "Plain" }));
    assert_eq!(
        (&deal["pipeline_id"], &deal["stage_id"]),
        (&json!(1), &json!(1)),
        "a deal should get the first pipeline and stage by default"
    );
    assert_eq!((&deal["owner_id"], &deal["currency"], &deal["status"]), (&json!(1), &json!("EUR"), &json!("open")));
    assert_eq!(deal["add_time"], "2026-11-22T12:00:00Z");
    let path = format!("/api/v2/deals/{}", deal["id"]);
    let moved = send_ok(&sandbox, "PATCH", &path, json!({ "stage_id": 7 }));
    assert_eq!(
        (&moved["pipeline_id"], &moved["stage_change_time"]),
        (&json!(2), &json!("2026-11-22T12:00:01Z")),
        "a stage should imply its pipeline"
    );
    assert_eq!(send_ok(&sandbox, "PATCH", &path, json!({ "pipeline_id": 1 }))["stage_id"], 1, "a pipeline should imply its first stage");
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "pipeline_id": 1, "stage_id": 7 })), 400, "stage_id: does not belong");
}

#[test]
fn times_of_a_deal_follow_its_status() {
    let sandbox = sandbox();
    assert_refused(
        &send(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "lost_reason": "Price" })),
        400,
        "lost_reason: can only be set",
    );
    let path = format!("/api/v2/deals/{}", send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x" }))["id"]);
    let lost = send_ok(&sandbox, "PATCH", &path, json!({ "status": "lost", "lost_reason": "Price" }));
    assert_eq!((&lost["lost_time"], &lost["close_time"]), (&json!("2026-11-22T12:00:01Z"), &json!("2026-11-22T12:00:01Z")));
    let won = send_ok(&sandbox, "PATCH", &path, json!({ "status": "won", "won_time": "2026-11-01T10:00:00Z" }));
    assert_eq!((&won["won_time"], &won["close_time"]), (&json!("2026-11-01T10:00:00Z"), &json!("2026-11-01T10:00:00Z")));
    assert!(
        won["lost_reason"].is_null() && won.get("lost_time").is_none(),
        "a won deal should have no reason and no time of a loss: {won}"
    );
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "lost_time": "2026-11-01T10:00:00Z" })), 400, "lost_time: can only be set");
    let open = send_ok(&sandbox, "PATCH", &path, json!({ "status": "open" }));
    assert!(open["close_time"].is_null() && open.get("won_time").is_none(), "an open deal should have no time of closing: {open}");
}

#[test]
fn lists_archived_deals_apart() {
    let sandbox = sandbox();
    send_ok(&sandbox, "PATCH", "/api/v2/deals/1", json!({ "is_archived": true }));
    assert!(!list_ids(&get_data(&sandbox, "/api/v2/deals?ids=1,2")).contains(&1));
    assert_eq!(list_ids(&get_data(&sandbox, "/api/v2/deals/archived?ids=1,2")), [1]);
    assert_refused(&send(&sandbox, "PATCH", "/api/v2/deals/1", json!({ "title": "x" })), 400, "unarchived");
    assert_eq!(send_ok(&sandbox, "PATCH", "/api/v2/deals/1", json!({ "is_archived": false, "title": "x" }))["title"], "x");
}

#[test]
fn deleted_records_stay_readable_but_unlisted() {
    let sandbox = sandbox();
    for (collection, id) in [("deals", 2), ("persons", 2), ("organizations", 2), ("stages", 2), ("activities", 2)] {
        let path = format!("/api/v2/{collection}/{id}");
        assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({})), json!({ "id": id }));
        assert_eq!(get_data(&sandbox, &path)["is_deleted"], true, "{path} should still be read by its id");
        assert!(!list_ids(&get_data(&sandbox, &format!("/api/v2/{collection}?limit=500"))).contains(&id), "{path} should not be listed");
        assert_refused(&send(&sandbox, "DELETE", &path, json!({})), 404, "not found");
        assert_refused(&send(&sandbox, "PATCH", &path, json!({})), 404, "not found");
    }
    assert!(
        list_ids(&get_data(&sandbox, "/api/v2/deals?status=deleted,won&limit=500")).contains(&2),
        "the status `deleted` should list deleted deals"
    );
    assert_eq!(send_ok(&sandbox, "PATCH", "/api/v2/deals/2", json!({ "is_deleted": false }))["is_deleted"], false);
    assert_eq!(send_ok(&sandbox, "DELETE", "/v1/notes/1", json!({})), json!(true));
    assert_refused(&get(&sandbox, "/v1/notes/1"), 404, "not found");
}

#[test]
fn rejects_links_to_unknown_records() {
    let sandbox = sandbox();
    send_ok(&sandbox, "DELETE", "/api/v2/persons/7", json!({}));
    for (path, body, field) in [
        ("/api/v2/deals", json!({ "title": "x", "person_id": 7 }), "person_id: 7 does not exist"),
        ("/api/v2/deals", json!({ "title": "x", "org_id": 999 }), "org_id: 999 does not exist"),
        ("/api/v2/deals", json!({ "title": "x", "stage_id": 999 }), "stage_id: 999 does not exist"),
        ("/api/v2/persons", json!({ "name": "x", "owner_id": 999 }), "owner_id: 999 does not exist"),
        ("/api/v2/stages", json!({ "name": "x", "pipeline_id": 999 }), "pipeline_id: 999 does not exist"),
        ("/v1/notes", json!({ "content": "x", "deal_id": 999 }), "deal_id: 999 does not exist"),
    ] {
        assert_refused(&send(&sandbox, "POST", path, body), 400, field);
    }
    assert_refused(&send(&sandbox, "POST", "/v1/notes", json!({ "content": "x" })), 400, "at least one of");
}

#[test]
fn deals_follow_their_stages_and_pipelines() {
    let sandbox = sandbox();
    let first = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "stage_id": 2 }));
    send_ok(&sandbox, "DELETE", "/api/v2/stages/2", json!({}));
    assert_eq!(
        get_data(&sandbox, &format!("/api/v2/deals/{}", first["id"]))["stage_id"],
        1,
        "the deals of a deleted stage should move to the one before"
    );
    let second = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "pipeline_id": 2 }));
    send_ok(&sandbox, "DELETE", "/api/v2/pipelines/2", json!({}));
    assert_eq!(get_data(&sandbox, "/api/v2/stages?pipeline_id=2"), json!([]), "a deleted pipeline should have no stages");
    assert_eq!(get_data(&sandbox, &format!("/api/v2/deals/{}", second["id"]))["is_deleted"], true);
    let stage = send_ok(&sandbox, "POST", "/api/v2/stages", json!({ "name": "Last", "pipeline_id": 1 }));
    assert_eq!(stage["order_nr"], 6, "a new stage should be the last of its pipeline");
}

#[test]
fn contact_details_have_one_primary() {
    let sandbox = sandbox();
    let person = send_ok(
        &sandbox,
        "POST",
        "/api/v2/persons",
        json!({ "name": "Jane van Doe", "emails": [{ "value": "a@example.com" }, { "value": "b@example.com", "label": "home" }] }),
    );
    assert_eq!((&person["first_name"], &person["last_name"]), (&json!("Jane"), &json!("van Doe")));
    assert_eq!(
        person["emails"],
        json!([{ "value": "a@example.com", "primary": true, "label": "work" }, { "value": "b@example.com", "primary": false, "label": "home" }])
    );
    let two = json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]);
    assert_refused(&send(&sandbox, "POST", "/api/v2/persons", json!({ "name": "x", "phones": two })), 400, "phones: at most one");
    assert_refused(&send(&sandbox, "POST", "/api/v2/persons", json!({})), 400, "name: is required");
}

#[test]
fn sets_and_clears_custom_fields_of_every_type() {
    let sandbox = sandbox();
    for (collection, required) in [("deal", "title"), ("person", "name"), ("organization", "name")] {
        let fields = get_data(&sandbox, &format!("/api/v2/{collection}Fields?limit=500"));
        let custom: Vec<&Value> = fields.as_array().into_iter().flatten().filter(|f| f["is_custom_field"] == true).collect();
        assert_eq!(custom.len(), 16, "{collection}Fields should have a custom field of each type");
        let mut sent = json!({});
        let mut cleared = json!({});
        for field in custom {
            let key = field["field_code"].as_str().expect("a field has a code");
            assert_eq!(key.len(), 40);
            let (good, bad) = match field["field_type"].as_str().unwrap_or_default() {
                "double" => (json!(1.5), json!("1.5")),
                "monetary" => (json!({ "value": 5, "currency": "USD" }), json!({ "value": 5 })),
                "set" => (json!([1, 2]), json!([])),
                "enum" => (json!(2), json!(9)),
                "user" | "org" | "people" => (json!(2), json!(999)),
                "time" => (json!({ "value": "10:30:00", "timezone_id": 1, "timezone_name": "UTC" }), json!({ "value": "25:00:00" })),
                "timerange" => (
                    json!({ "value": "10:30:00", "until": "11:00:00", "timezone_id": null, "timezone_name": null }),
                    json!({ "value": "10:00" }),
                ),
                "date" => (json!("2026-02-28"), json!("2026-02-29")),
                "daterange" => (json!({ "value": "2026-01-01", "until": "2026-01-02" }), json!("2026-01-01")),
                "address" => (json!({ "value": "Street 1", "locality": "Town" }), json!({ "locality": "Town" })),
                _ => (json!("text"), json!(5)),
            };
            let answer = send(&sandbox, "POST", &format!("/api/v2/{collection}s"), json!({ required: "x", "custom_fields": { key: bad } }));
            assert_refused(&answer, 400, &format!("custom_fields.{key}"));
            sent[key] = good;
            cleared[key] = Value::Null;
        }
        let record = send_ok(&sandbox, "POST", &format!("/api/v2/{collection}s"), json!({ required: "x", "custom_fields": sent }));
        for (key, value) in sent.as_object().into_iter().flatten() {
            let stored = &record["custom_fields"][key];
            let same = value.as_object().map_or(stored == value, |parts| parts.iter().all(|(part, value)| &stored[part] == value));
            assert!(same, "the field should have the value {value}; it has {stored}");
        }
        let path = format!("/api/v2/{collection}s/{}", record["id"]);
        assert_eq!(
            send_ok(&sandbox, "PATCH", &path, json!({ "custom_fields": cleared }))["custom_fields"],
            cleared,
            "null should clear each"
        );
    }
}

#[test]
fn names_labels_and_options_on_request() {
    let sandbox = sandbox();
    let (tier, interests) = (find_custom_field(&sandbox, "enum"), find_custom_field(&sandbox, "set"));
    send_ok(
        &sandbox,
        "PATCH",
        "/api/v2/deals/1",
        json!({ "label_ids": [2], "custom_fields": { tier.clone(): 3, interests.clone(): [1, 2] } }),
    );
    let deal =
        get_data(&sandbox, &format!("/api/v2/deals/1?include_labels=true&include_option_labels=true&custom_fields={tier},{interests}"));
    assert_eq!(deal["labels"], json!([{ "id": 2, "label": "Warm" }]));
    assert_eq!(deal["custom_fields"].as_object().map(serde_json::Map::len), Some(2), "only the requested fields should be answered");
    assert_eq!(deal["custom_fields"][&tier], json!({ "id": 3, "label": "Gold" }));
    assert_eq!(deal["custom_fields"][&interests][1], json!({ "id": 2, "label": "Automation" }));
    assert!(deal.get("notes_count").is_none(), "a computed field should be answered only if include_fields names it");
    assert!(get_data(&sandbox, "/api/v2/deals/1?include_fields=notes_count,next_activity_id")["notes_count"].is_u64());
}

#[test]
fn lists_select_by_time_and_relation() {
    let sandbox = sandbox();
    send_ok(&sandbox, "PATCH", "/api/v2/deals/1", json!({ "title": "first" }));
    send_ok(&sandbox, "PATCH", "/api/v2/deals/2", json!({ "title": "second", "person_id": 5 }));
    assert_eq!(list_ids(&get_data(&sandbox, "/api/v2/deals?updated_since=2026-11-22T12:00:01Z")), [2], "updated_since should be inclusive");
    assert_eq!(
        list_ids(&get_data(&sandbox, "/api/v2/deals?updated_since=2026-11-22T12:00:00Z&updated_until=2026-11-22T12:00:01Z")),
        [1],
        "updated_until should be exclusive"
    );
    assert_eq!(
        list_ids(&get_data(&sandbox, "/api/v2/persons?deal_id=2")),
        [5, 21],
        "the former person of the deal should stay a participant"
    );
    assert_eq!(list_ids(&get_data(&sandbox, "/api/v2/deals?ids=2,9999,1")), [1, 2], "unknown ids should be ignored");
}

#[test]
fn search_looks_in_the_chosen_fields() {
    let sandbox = sandbox();
    let person =
        send_ok(&sandbox, "POST", "/api/v2/persons", json!({ "name": "Zora Quux", "emails": [{ "value": "zq@example.org" }] }))["id"]
            .clone();
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "The QUUX deal", "person_id": person }))["id"].clone();
    send_ok(&sandbox, "POST", "/v1/notes", json!({ "content": "about plugh", "deal_id": deal }));
    let found = |path: &str| get_data(&sandbox, path)["items"].as_array().expect("a search has items").clone();
    let items = found("/api/v2/deals/search?term=quux");
    assert_eq!((&items[0]["item"]["id"], &items[0]["item"]["person"]["name"]), (&deal, &json!("Zora Quux")));
    assert!(items[0]["item"]["organization"].is_null() && items[0]["item"]["stage"]["name"] == "Qualified");
    assert_eq!(found("/api/v2/deals/search?term=quux&exact_match=true").len(), 0);
    assert_eq!(found("/api/v2/deals/search?term=the%20quux%20DEAL&exact_match=true").len(), 1, "an exact match should ignore case");
    assert_eq!(found("/api/v2/deals/search?term=plugh&fields=title").len(), 0);
    assert_eq!(found("/api/v2/deals/search?term=plugh&fields=notes")[0]["item"]["notes"], json!(["about plugh"]));
    assert_eq!(found(&format!("/api/v2/deals/search?term=quux&person_id={person}&status=open")).len(), 1);
    assert_eq!(found("/api/v2/deals/search?term=quux&status=won").len(), 0);
    assert_eq!(found("/api/v2/persons/search?term=zq@example.org&fields=email")[0]["item"]["emails"], json!(["zq@example.org"]));
    assert_refused(&get(&sandbox, "/api/v2/deals/search?term=x"), 400, "term: must have at least 2");
    assert_eq!(get(&sandbox, "/api/v2/deals/search?term=x&exact_match=true").0, 200);
}

#[test]
fn filters_apply_their_conditions() {
    let sandbox = sandbox();
    let deals =
        list_filtered(&sandbox, &[build_condition("deal", "status", "=", "open"), build_condition("deal", "value", ">", "1000")], &[]);
    assert!(!deals.is_empty() && deals.iter().all(|d| d["status"] == "open" && d["value"].as_f64() > Some(1000.0)));
    assert!(deals.iter().any(|d| d["owner_id"] != 4), "a filter should override owner_id");
    let any = [build_condition("deal", "status", "=", "won"), build_condition("deal", "status", "=", "lost")];
    let closed = list_filtered(&sandbox, &[], &any);
    assert!(!closed.is_empty() && closed.iter().all(|d| d["status"] != "open"));
    let name = get_data(&sandbox, "/api/v2/persons/1")["name"].as_str().expect("a person has a name").to_owned();
    let of_person = list_filtered(&sandbox, &[build_condition("person", "name", "=", &name)], &[]);
    assert!(
        !of_person.is_empty() && of_person.iter().all(|d| d["person_id"].is_u64()),
        "a condition should be able to name a field of the deal's person"
    );
    let without = list_filtered(&sandbox, &[build_condition("deal", "person_id", "IS NULL", "")], &[]);
    assert!(!without.is_empty() && without.iter().all(|d| d.get("person_id").is_none()));
    assert_eq!(list_filtered(&sandbox, &[build_condition("deal", "title", "LIKE '%$%'", "no such title")], &[]).len(), 0);
    let fields = get_data(&sandbox, "/v1/dealFields?limit=500");
    let status = fields.as_array().into_iter().flatten().find(|f| f["key"] == "status").expect("deals have a status");
    let by_id = list_filtered(&sandbox, &[build_condition("deal", &status["id"].to_string(), "=", "lost")], &[]);
    assert!(
        !by_id.is_empty() && by_id.iter().all(|d| d["status"] == "lost"),
        "a condition should be able to name its field by the id of v1"
    );
    assert_refused(&get(&sandbox, "/api/v2/persons?filter_id=1"), 400, "of another type");
    assert_refused(&get(&sandbox, "/api/v2/deals?filter_id=999"), 404, "Filter not found");
    for (conditions, part) in [
        (json!({ "glue": "or", "conditions": [] }), "glued with 'and'"),
        (
            json!({ "glue": "and", "conditions": [{ "glue": "and", "conditions": [build_condition("deal", "nothing", "=", "1")] }] }),
            "is no field",
        ),
        (
            json!({ "glue": "and", "conditions": [{ "glue": "and", "conditions": [build_condition("deal", "title", "~", "1")] }] }),
            "is no operator",
        ),
        (
            json!({ "glue": "and", "conditions": [{ "glue": "and", "conditions": vec![build_condition("deal", "title", "=", "1"); 17] }] }),
            "at most 16",
        ),
    ] {
        assert_refused(
            &send(&sandbox, "POST", "/v1/filters", json!({ "name": "F", "type": "deals", "conditions": conditions })),
            400,
            part,
        );
    }
}

#[test]
fn merge_moves_everything_to_the_survivor() {
    let sandbox = sandbox();
    let make = |body: Value| send_ok(&sandbox, "POST", "/api/v2/persons", body)["id"].as_u64().expect("a record has an id");
    let (from, into) = (
        make(json!({ "name": "From", "job_title": "Buyer", "emails": [{ "value": "from@example.com" }] })),
        make(json!({ "name": "Into", "emails": [{ "value": "into@example.com" }] })),
    );
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "person_id": from }))["id"].clone();
    let note = send_ok(&sandbox, "POST", "/v1/notes", json!({ "content": "x", "person_id": from }))["id"].clone();
    let activity =
        send_ok(&sandbox, "POST", "/api/v2/activities", json!({ "participants": [{ "person_id": from, "primary": true }] }))["id"].clone();
    let merged = send_ok(&sandbox, "PUT", &format!("/v1/persons/{from}/merge"), json!({ "merge_with_id": into }));
    assert_eq!((&merged["id"], &merged["merge_what_id"], &merged["name"]), (&json!(into), &json!(from), &json!("Into")));
    let survivor = get_data(&sandbox, &format!("/api/v2/persons/{into}"));
    assert_eq!(survivor["job_title"], "Buyer", "the survivor should get the values that it lacks");
    assert_eq!(survivor["emails"][0], json!({ "value": "into@example.com", "primary": true, "label": "work" }));
    assert_eq!(survivor["emails"][1], json!({ "value": "from@example.com", "primary": false, "label": "work" }));
    assert_eq!(get_data(&sandbox, &format!("/api/v2/persons/{from}"))["is_deleted"], true);
    assert_eq!(get_data(&sandbox, &format!("/api/v2/deals/{deal}"))["person_id"], into);
    assert_eq!(get_data(&sandbox, &format!("/v1/notes/{note}"))["person_id"], into);
    assert_eq!(get_data(&sandbox, &format!("/api/v2/activities/{activity}"))["participants"][0]["person_id"], into);
    assert_refused(&send(&sandbox, "PUT", "/v1/deals/1/merge", json!({ "merge_with_id": 1 })), 400, "with itself");
    assert_refused(&send(&sandbox, "PUT", "/v1/deals/1/merge", json!({ "merge_with_id": 9999 })), 404, "not found");
    assert_eq!(send_ok(&sandbox, "PUT", "/v1/organizations/1/merge", json!({ "merge_with_id": 2 })), json!({ "id": 2 }));
}

#[test]
fn pages_notes_by_number() {
    let sandbox = sandbox();
    let (_, page) = get(&sandbox, "/v1/notes?limit=30&start=70");
    assert_eq!(page["data"].as_array().map(Vec::len), Some(20));
    assert_eq!(page["additional_data"]["pagination"], json!({ "start": 70, "limit": 30, "more_items_in_collection": false }));
    let (_, page) = get(&sandbox, "/v1/notes?limit=30");
    assert_eq!(page["additional_data"]["pagination"]["next_start"], 30);
    let newest = get_data(&sandbox, "/v1/notes?sort=add_time%20DESC&limit=2");
    assert!(newest[0]["add_time"].as_str() >= newest[1]["add_time"].as_str());
}

#[test]
fn summarizes_deals() {
    let sandbox = sandbox();
    let summary = get_data(&sandbox, "/v1/deals/summary?status=open");
    let deals = get_data(&sandbox, "/api/v2/deals?status=open&limit=500");
    let deals = deals.as_array().expect("the data is a list");
    let euros: f64 = deals.iter().filter(|d| d["currency"] == "EUR").filter_map(|d| d["value"].as_f64()).sum();
    assert_eq!(summary["total_count"], deals.len());
    assert_eq!(summary["values_total"]["EUR"]["value"].as_f64(), Some(euros));
    let timeline = get_data(&sandbox, "/v1/deals/timeline?start_date=2026-01-31&interval=month&amount=3&field_key=add_time");
    assert_eq!((&timeline["period_start"], &timeline["period_end"]), (&json!("2026-01-31 00:00:00"), &json!("2026-04-29 23:59:59")));
    let counts = timeline["periods"].as_array().into_iter().flatten().filter_map(|p| p["totals"]["count"].as_u64());
    assert_eq!(Some(counts.sum()), timeline["totals"]["count"].as_u64(), "each deal should be in one period");
    assert_refused(&get(&sandbox, "/v1/deals/timeline?start_date=2026-01-31&interval=month&amount=3&field_key=title"), 400, "field_key");
}

#[test]
fn creates_uses_and_deletes_a_custom_field() {
    let sandbox = sandbox();
    let body = json!({ "field_name": "Size", "field_type": "enum", "options": [{ "label": "S" }, { "label": "L" }] });
    let field = send_ok(&sandbox, "POST", "/api/v2/dealFields", body);
    assert_eq!(field["options"], json!([{ "id": 1, "label": "S" }, { "id": 2, "label": "L" }]));
    let key = field["field_code"].as_str().expect("a field has a code");
    let deal = json!({ "title": "x", "custom_fields": { key: 2 } });
    assert_eq!(send_ok(&sandbox, "POST", "/api/v2/deals", deal)["custom_fields"][key], 2);
    let path = format!("/api/v2/dealFields/{key}");
    let renamed = send_ok(&sandbox, "PATCH", &path, json!({ "field_name": "Extent" }));
    assert_eq!((&renamed["field_name"], &renamed["field_code"]), (&json!("Extent"), &json!(key)));
    assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({}))["field_code"], key);
    assert_refused(&get(&sandbox, &path), 404, "not found");
    let deal = json!({ "title": "x", "custom_fields": { key: 2 } });
    assert_refused(&send(&sandbox, "POST", "/api/v2/deals", deal), 400, "Unknown key");
    assert_refused(&send(&sandbox, "DELETE", "/api/v2/dealFields/title", json!({})), 400, "belongs to a standard field");
    let bare = json!({ "field_name": "x", "field_type": "set" });
    assert_refused(&send(&sandbox, "POST", "/api/v2/dealFields", bare), 400, "options");
}
