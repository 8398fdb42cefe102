//! The flow of a record's updates, and the log of its changed fields.

use std::fs;

use serde_json::{Value, json};

use super::storage::Folder;
use super::{assert_refused, find_custom_field, get, get_data, sandbox, send, send_ok};
use crate::edge::sandbox::Sandbox;
use crate::engine::changes::FieldChange;

const TABLES: [&str; 3] = ["deals", "persons", "organizations"];

fn create_record(sandbox: &Sandbox, path: &str, body: Value) -> u64 {
    let (status, answer) = send(sandbox, "POST", path, body);
    assert!(status < 300, "POST {path} should succeed; it answered {answer}");
    answer["data"]["id"].as_u64().expect("a new record has an id")
}

/// Lists the types of a flow's updates. Changes have the key of their field.
fn list_kinds(flow: &Value) -> Vec<String> {
    let kind = |item: &Value| match (item["object"].as_str(), item["data"]["field_key"].as_str()) {
        (Some(object), Some(key)) => format!("{object} {key}"),
        (object, _) => object.unwrap_or_default().to_owned(),
    };
    flow.as_array().expect("a flow is a list").iter().map(kind).collect()
}

fn list_keys(log: &Value) -> Vec<&str> {
    log.as_array().expect("a changelog is a list").iter().filter_map(|change| change["field_key"].as_str()).collect()
}

#[test]
fn flow_has_updates_newest_first() {
    let sandbox = sandbox();
    let person = create_record(&sandbox, "/api/v2/persons", json!({ "name": "Flo Rivers", "org_id": 2 }));
    let deal = create_record(&sandbox, "/api/v2/deals", json!({ "title": "Moving", "value": 50, "person_id": person, "org_id": 2 }));
    let path = format!("/api/v2/deals/{deal}");
    send_ok(&sandbox, "PATCH", &path, json!({ "value": 100 }));
    let note = create_record(&sandbox, "/v1/notes", json!({ "content": "Noted", "deal_id": deal }));
    let place = json!({ "value": "Harbour Street 1, Tallinn", "country": "Estonia" });
    create_record(&sandbox, "/api/v2/activities", json!({ "subject": "Meet", "deal_id": deal, "location": place }));
    send_ok(&sandbox, "PATCH", &path, json!({ "stage_id": 2, "owner_id": 2 }));

    let (_, flow) = get(&sandbox, &format!("/v1/deals/{deal}/flow"));
    let updates = &flow["data"];
    assert_eq!(list_kinds(updates), ["dealChange stage_id", "dealChange user_id", "activity", "note", "dealChange value", "participant"]);
    let owner = &updates[1]["data"];
    assert_eq!((&owner["old_value"], &owner["new_value"], &owner["item_id"]), (&json!(1), &json!(2), &json!(deal)));
    assert_eq!(owner["additional_data"], json!({ "old_value_formatted": "Ada Sandbox", "new_value_formatted": "Ben Harbour" }));
    assert_eq!(updates[1]["timestamp"], owner["log_time"]);
    let activity = &updates[2]["data"];
    assert_eq!((&activity["location"], &activity["location_country"]), (&json!("Harbour Street 1, Tallinn"), &json!("Estonia")));
    assert_eq!((&activity["user_id"], &activity["active_flag"], &activity["done"]), (&json!(1), &json!(true), &json!(false)));
    assert_eq!((&updates[3]["data"]["id"], &updates[3]["data"]["content"]), (&json!(note), &json!("Noted")));
    assert_eq!((&updates[4]["data"]["old_value"], &updates[4]["data"]["new_value"]), (&json!(50), &json!(100)));
    assert_eq!(updates[4]["timestamp"], "2026-11-22 12:00:02", "a change should have the time of its write");
    assert_eq!(flow["related_objects"]["deal"][deal.to_string()]["title"], "Moving");
    assert_eq!(flow["related_objects"]["user"]["1"]["name"], "Ada Sandbox");

    let person_flow = get_data(&sandbox, &format!("/v1/persons/{person}/flow"));
    assert_eq!(
        (list_kinds(&person_flow), &person_flow[1]["data"]["id"]),
        (vec!["participant".to_owned(), "deal".to_owned()], &json!(deal))
    );
    let (_, organization_flow) = get(&sandbox, "/v1/organizations/2/flow?items=deal&limit=1");
    assert_eq!(organization_flow["data"][0]["data"]["id"], deal);
    let address = &organization_flow["related_objects"]["organization"]["2"]["address"];
    assert!(
        address.as_str().is_some_and(|line| line.starts_with("Harbour Street")),
        "v1 should have an address as one line; it is {address}"
    );
}

#[test]
fn flow_is_filtered_by_type() {
    let sandbox = sandbox();
    let deal = create_record(&sandbox, "/api/v2/deals", json!({ "title": "Narrow" }));
    let planned = create_record(&sandbox, "/api/v2/activities", json!({ "subject": "Later", "deal_id": deal }));
    create_record(&sandbox, "/v1/notes", json!({ "content": "Noted", "deal_id": deal }));
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{deal}"), json!({ "title": "Narrower" }));
    let only = |items: &str| list_kinds(&get_data(&sandbox, &format!("/v1/deals/{deal}/flow?items={items}")));
    assert_eq!(only("note"), ["note"]);
    assert_eq!(only("change,%20note"), ["dealChange title", "note"]);
    assert_eq!(only("dealChange"), ["dealChange title"]);
    assert_eq!(only("plannedActivity"), ["activity"]);
    assert!(only("personChange,invoice,follower").is_empty(), "types without updates should give none");
    send_ok(&sandbox, "PATCH", &format!("/api/v2/activities/{planned}"), json!({ "done": true }));
    assert_eq!((only("plannedActivity").len(), only("activity").len()), (0, 1), "a done activity should not be planned");
    assert_refused(&get(&sandbox, &format!("/v1/deals/{deal}/flow?items=note,nonsense")), 400, "'nonsense'");
}

#[test]
fn flow_has_custom_field_changes_on_request() {
    let sandbox = sandbox();
    let key = &find_custom_field(&sandbox, "monetary");
    let deal = create_record(&sandbox, "/api/v2/deals", json!({ "title": "Custom" }));
    let budget = json!({ "custom_fields": { key: { "value": 7, "currency": "EUR" } } });
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{deal}"), budget.clone());
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{deal}"), budget);
    let flow = |query: &str| list_kinds(&get_data(&sandbox, &format!("/v1/deals/{deal}/flow{query}")));
    assert!(flow("").is_empty() && flow("?all_changes=0").is_empty());
    assert_eq!(flow("?all_changes=1"), [format!("dealChange {key}_currency"), format!("dealChange {key}")]);
    let log = get_data(&sandbox, &format!("/v1/deals/{deal}/changelog"));
    assert_eq!(list_keys(&log), [format!("{key}_currency"), key.to_owned()], "the log should have the changes of all fields, each once");
    assert_eq!((&log[1]["old_value"], &log[1]["new_value"]), (&Value::Null, &json!("7")));
}

#[test]
fn first_demo_records_have_more_than_a_page_of_updates() {
    let sandbox = sandbox();
    for table in TABLES {
        let all = get_data(&sandbox, &format!("/v1/{table}/1/flow"));
        let (_, first) = get(&sandbox, &format!("/v1/{table}/1/flow?limit=2"));
        let pagination = &first["additional_data"]["pagination"];
        assert_eq!((&pagination["more_items_in_collection"], &pagination["next_start"]), (&json!(true), &json!(2)), "{table}");
        let second = get_data(&sandbox, &format!("/v1/{table}/1/flow?start=2&limit=500"));
        let pages = [&first["data"], &second].into_iter().filter_map(Value::as_array).flatten().cloned().collect::<Value>();
        assert_eq!(pages, all, "the pages of {table} should add up to the flow");
        for kind in ["change", "activity", "note"] {
            let some = get_data(&sandbox, &format!("/v1/{table}/1/flow?items={kind}"));
            assert!(some.as_array().is_some_and(|some| !some.is_empty()), "{table} should have a {kind}");
        }
    }
}

#[test]
fn reads_a_changelog_page_by_page() {
    let sandbox = sandbox();
    let person = create_record(&sandbox, "/api/v2/persons", json!({ "name": "Log", "emails": [{ "value": "a@example.com" }] }));
    let path = format!("/api/v2/persons/{person}");
    send_ok(&sandbox, "PATCH", &path, json!({ "emails": [{ "value": "b@example.com" }] }));
    send_ok(&sandbox, "PATCH", &path, json!({ "org_id": 3 }));
    send_ok(&sandbox, "PATCH", &path, json!({ "org_id": 3, "job_title": "Buyer" }));
    let log = format!("/v1/persons/{person}/changelog");
    let (_, first) = get(&sandbox, &format!("{log}?limit=2"));
    assert_eq!(list_keys(&first["data"]), ["job_title", "org_id"]);
    let cursor = first["additional_data"]["next_cursor"].as_str().expect("there is a second page");
    let (_, last) = get(&sandbox, &format!("{log}?limit=2&cursor={cursor}"));
    let email = json!([{
        "field_key": "email", "old_value": "a@example.com", "new_value": "b@example.com", "actor_user_id": 1, "time": "2026-11-22 12:00:01",
        "change_source": "api", "change_source_user_agent": null, "is_bulk_update_flag": false,
    }]);
    assert_eq!((&last["data"], &last["additional_data"]["next_cursor"]), (&email, &Value::Null));
    assert_refused(&get(&sandbox, &format!("/v1/persons/1/changelog?cursor={cursor}")), 400, "belongs to another list");
    assert_refused(&get(&sandbox, &format!("{log}?cursor=nonsense")), 400, "is not a cursor of this API");
}

#[test]
fn flow_exists_for_deleted_but_not_for_unknown_records() {
    let sandbox = sandbox();
    send_ok(&sandbox, "DELETE", "/api/v2/deals/1", json!({}));
    assert_eq!(list_keys(&get_data(&sandbox, "/v1/deals/1/changelog"))[0], "deleted");
    for table in TABLES {
        for what in ["flow", "changelog"] {
            assert_refused(&get(&sandbox, &format!("/v1/{table}/99999/{what}")), 404, "not found");
        }
    }
}

#[test]
fn flow_has_followers_and_participants() {
    let sandbox = sandbox();
    let deal = create_record(&sandbox, "/api/v2/deals", json!({ "title": "Told" }));
    let follow = |path: String, user: u64| assert_eq!(send(&sandbox, "POST", &path, json!({ "user_id": user })).0, 201);
    follow(format!("/api/v2/deals/{deal}/followers"), 2);
    send_ok(&sandbox, "POST", &format!("/api/v1/deals/{deal}/participants"), json!({ "person_id": 5 }));
    let updates = get_data(&sandbox, &format!("/v1/deals/{deal}/flow?items=dealFollower,participant"));
    assert_eq!(list_kinds(&updates), ["participant", "follower"]);
    assert_eq!((&updates[0]["data"]["person_id"], &updates[1]["data"]["user_id"]), (&json!(5), &json!(2)), "{updates}");
    let person = create_record(&sandbox, "/api/v2/persons", json!({ "name": "Told" }));
    follow(format!("/api/v2/persons/{person}/followers"), 3);
    assert_eq!(get_data(&sandbox, &format!("/v1/persons/{person}/flow?items=follower"))[0]["data"]["user_id"], 3);
}

#[test]
fn keeps_changes_in_a_state_file_from_before_there_were_any() {
    let folder = Folder::new();
    let open = || folder.open().expect("the file opens");
    drop(open());
    let mut state: Value = serde_json::from_slice(&fs::read(folder.state()).expect("the file is there")).expect("it is JSON");
    state["bases"][0]["tables"].as_object_mut().and_then(|tables| tables.remove("changes")).expect("the demo has changes");
    fs::write(folder.state(), state.to_string()).expect("the file can be written");
    assert_eq!(get_data(&open(), "/v1/deals/2/changelog"), json!([]));
    send_ok(&open(), "PATCH", "/api/v2/deals/2", json!({ "title": "Remembered" }));
    assert_eq!(list_keys(&get_data(&open(), "/v1/deals/2/changelog")), ["title"]);
}

#[test]
fn keeps_only_the_newest_changes_of_a_record() {
    let sandbox = sandbox();
    let deal = create_record(&sandbox, "/api/v2/deals", json!({ "title": "Busy" }));
    let (old, new, time) = (json!(0), json!(1), "2026-11-20T08:00:00Z");
    let change = FieldChange { table: "deals", item: deal, user: 1, time, key: "probability", old: &old, new: &new, is_custom: false };
    let fill = |state: &mut crate::engine::state::State| (0..500).for_each(|_| change.keep(state));
    sandbox
        .store()
        .write(|world| world.company_mut(1).map(fill).ok_or_else(crate::value::failure::Failure::unauthorized))
        .expect("changes can be kept");
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{deal}"), json!({ "title": "Busier" }));
    let log = get_data(&sandbox, &format!("/v1/deals/{deal}/changelog?limit=500"));
    assert_eq!((list_keys(&log).len(), list_keys(&log)[0]), (500, "title"), "the newest change should replace the oldest");
    let (_, page) = get(&sandbox, &format!("/v1/deals/{deal}/changelog?limit=500"));
    assert_eq!(page["additional_data"]["next_cursor"], Value::Null);
    assert_eq!(list_keys(&get_data(&sandbox, "/v1/deals/1/changelog")), ["stage_id"], "other records should keep their changes");
}
