//! The account: fields, roles, permission sets, settings and other users.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::statistics::NOVEMBER;
use super::{assert_refused, get, get_data, list_ids, open_with_bearers, read_response, sandbox, send, send_as_bearer, send_ok};
use crate::edge::sandbox::Sandbox;

const REGULAR: &str = "00000000-0000-4000-8000-000000000002";
const ADMIN: &str = "00000000-0000-4000-8000-000000000003";

/// Adds a custom field with options. Returns its code, and its id in v1.
fn create_enum_field(sandbox: &Sandbox, table: &str) -> (String, u64) {
    let body = json!({ "field_name": "Colour", "field_type": "enum", "options": [{ "label": "red" }, { "label": "blue" }] });
    let field = send_ok(sandbox, "POST", &format!("/api/v2/{table}"), body);
    let listed = get_data(sandbox, &format!("/v1/{table}?limit=500"));
    let same = listed.as_array().into_iter().flatten().find(|other| other["key"] == field["field_code"]);
    let id = same.and_then(|field| field["id"].as_u64()).expect("v1 lists what v2 made");
    (field["field_code"].as_str().expect("a field has a code").to_owned(), id)
}

#[test]
fn finds_currencies_by_name_and_code() {
    let sandbox = sandbox();
    let codes = |path: &str| {
        let all = get_data(&sandbox, path);
        all.as_array().into_iter().flatten().filter_map(|c| c["code"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(codes("/v1/currencies").len() > 5);
    assert_eq!(codes("/v1/currencies?term=dollar"), ["USD"]);
    assert_eq!(codes("/v1/currencies?term=eUr"), ["EUR"]);
    assert_eq!(get_data(&sandbox, "/v1/currencies?term=xyz"), json!([]));
    assert_eq!(get_data(&sandbox, "/v1/currencies?term=jpy")[0]["decimal_points"], 0);
    assert!(get_data(&sandbox, "/v1/billing/subscriptions/addons")[0]["code"].is_string());
}

#[test]
fn bearer_token_acts_as_its_user() {
    let all: &[&str] = &["base", "deals:full", "users:read"];
    let sandbox = open_with_bearers(&[("one", all, None), ("ben", all, Some(2)), ("last", all, Some(4)), ("nobody", all, Some(99))]);
    for (token, id) in [("one", 1), ("ben", 2)] {
        let me = send_as_bearer(&sandbox, token, "GET", "/v1/users/me", json!({})).1;
        assert_eq!((&me["data"]["id"], &me["data"]["is_you"]), (&json!(id), &json!(true)));
        let you: Vec<u64> = send_as_bearer(&sandbox, token, "GET", "/v1/users", json!({})).1["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|user| user["is_you"] == true)
            .filter_map(|user| user["id"].as_u64())
            .collect();
        assert_eq!(you, [id], "exactly one user should be marked as you");
    }
    let deal = send_as_bearer(&sandbox, "ben", "POST", "/api/v2/deals", json!({ "title": "x" })).1;
    assert_eq!((&deal["data"]["owner_id"], &deal["data"]["creator_user_id"]), (&json!(2), &json!(2)));
    let google = |token: &str| send_as_bearer(&sandbox, token, "GET", "/v1/userConnections", json!({})).1["data"].clone();
    assert_ne!(google("one")["google"], google("ben")["google"]);
    assert_eq!(google("last"), json!({}), "a user without connections should get an empty object");
    let limit = |token: &str| send_as_bearer(&sandbox, token, "GET", "/v1/userSettings", json!({})).1["data"]["list_limit"].clone();
    assert_eq!((limit("one"), limit("ben")), (json!(100), json!(50)));
    assert_refused(&send_as_bearer(&sandbox, "nobody", "GET", "/v1/users/me", json!({})), 401, "unauthorized access");
    assert_refused(&send_as_bearer(&sandbox, "nobody", "POST", "/api/v2/deals", json!({ "title": "x" })), 401, "unauthorized access");
}

#[test]
fn each_operation_requires_its_scopes() {
    let sandbox = open_with_bearers(&[
        ("activities", &["activities:read"], None),
        ("admin", &["admin"], None),
        ("deals", &["deals:read"], None),
        ("base", &["base"], None),
    ]);
    for (path, allowed) in [
        ("/api/v2/activityFields", &["admin"][..]),
        ("/api/v2/activityFields/subject", &["admin"]),
        ("/v1/activityFields", &["activities"]),
        ("/v1/noteFields", &["deals"]),
        ("/v1/permissionSets", &["admin"]),
        ("/v1/roles", &["admin"]),
        ("/v1/currencies", &["base"]),
        ("/v1/userSettings", &["base"]),
        ("/v1/dealFields/1", &["admin", "deals"]),
        ("/v1/pipelines/1/movement_statistics?start_date=2026-01-01&end_date=2026-02-01", &["deals"]),
    ] {
        for token in ["activities", "admin", "deals", "base"] {
            let answer = send_as_bearer(&sandbox, token, "GET", path, json!({}));
            if allowed.contains(&token) {
                assert_eq!(answer.0, 200, "GET {path} should be allowed with {token}; it answered {}", answer.1);
            } else {
                assert_refused(&answer, 403, "Scope and URL mismatch");
            }
        }
    }
    assert_refused(&send_as_bearer(&sandbox, "deals", "DELETE", "/v1/dealFields/30", json!({})), 403, "Scope and URL mismatch");
    assert_refused(&send_as_bearer(&sandbox, "deals", "POST", "/v1/roles", json!({ "name": "x" })), 403, "Scope and URL mismatch");
}

#[test]
fn permissions_follow_from_permission_sets() {
    let sandbox = sandbox();
    assert_eq!(get_data(&sandbox, "/v1/permissionSets").as_array().map(Vec::len), Some(5));
    let sales = get_data(&sandbox, "/v1/permissionSets?app=sales");
    let brief = |set: &Value| (set["id"].clone(), set["type"].clone(), set["assignment_count"].clone());
    assert_eq!(brief(&sales[0]), (json!(REGULAR), json!("regular"), json!(4)));
    assert_eq!(brief(&sales[1]), (json!(ADMIN), json!("admin"), json!(1)));
    assert_eq!(get_data(&sandbox, "/v1/permissionSets?app=nova"), json!([]));
    assert_refused(&get(&sandbox, "/v1/permissionSets?app=other"), 400, "app: must be one of");

    let (status, set) = get(&sandbox, &format!("/v1/permissionSets/{ADMIN}"));
    assert_eq!(
        (status, &set["id"], &set["app"]),
        (200, &json!(ADMIN), &json!("sales")),
        "a set should be answered without `data` around it: {set}"
    );
    assert!(set.get("data").is_none() && set["contents"].as_array().is_some_and(|all| all.contains(&json!("can_delete_deals"))));
    for id in ["1", "00000000-0000-4000-8000-000000000099"] {
        assert_refused(&get(&sandbox, &format!("/v1/permissionSets/{id}")), 404, "Permission set not found");
        assert_refused(&get(&sandbox, &format!("/v1/permissionSets/{id}/assignments")), 404, "Permission set not found");
    }

    let (_, page) = get(&sandbox, &format!("/v1/permissionSets/{REGULAR}/assignments?start=1&limit=2"));
    assert_eq!(page["data"][0], json!({ "user_id": 2, "permission_set_id": REGULAR, "name": "Deals regular user" }));
    assert_eq!(page["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["additional_data"]["pagination"]["next_start"], 3);

    let (admin, regular) = (get_data(&sandbox, "/v1/users/1/permissions"), get_data(&sandbox, "/v1/users/2/permissions"));
    assert!(
        admin.as_object().is_some_and(|all| all.len() == 31 && all.values().all(|may| *may == true)),
        "an admin should have all permissions: {admin}"
    );
    assert_eq!((&regular["can_delete_deals"], &regular["can_use_api"]), (&json!(false), &json!(true)));
    assert_refused(&get(&sandbox, "/v1/users/99/permissions"), 404, "User not found or not accessible.");
}

#[test]
fn assigns_and_removes_roles() {
    let sandbox = sandbox();
    let role = |id: u64| {
        let (status, body) = get(&sandbox, &format!("/v1/roles/{id}"));
        assert_eq!(status, 200, "role {id} should be there: {body}");
        body
    };
    let listed = get_data(&sandbox, "/v1/roles");
    assert_eq!(list_ids(&listed), [1, 2, 3]);
    assert_eq!((&listed[0]["parent_role_id"], &listed[0]["assignment_count"]), (&Value::Null, &json!("4")));
    assert_eq!((&listed[2]["level"], &listed[1]["sub_role_count"]), (&json!(3), &json!("1")));

    assert_eq!(send_ok(&sandbox, "POST", "/v1/roles", json!({ "name": "Juniors", "parent_role_id": 3 })), json!({ "id": 4 }));
    assert_refused(
        &send(&sandbox, "POST", "/v1/roles", json!({ "name": "x", "parent_role_id": 9 })),
        400,
        "parent_role_id: 9 does not exist",
    );
    assert_refused(&send(&sandbox, "POST", "/v1/roles", json!({})), 400, "name: is required");
    assert_refused(&send(&sandbox, "PUT", "/v1/roles/2", json!({ "parent_role_id": 4 })), 400, "parent_role_id: is the role itself");
    assert_refused(&send(&sandbox, "PUT", "/v1/roles/2", json!({ "parent_role_id": 2 })), 400, "parent_role_id: is the role itself");
    assert_eq!(send_ok(&sandbox, "PUT", "/v1/roles/4", json!({ "name": "Newcomers" })), json!({ "id": 4 }));
    assert_eq!(role(4)["data"]["name"], "Newcomers");
    assert!(role(1)["additional_data"]["settings"].get("deal_access_level").is_some());
    assert!(role(4)["additional_data"]["settings"].get("deal_access_level").is_none(), "only the default role should have access levels");

    let assigned = send_ok(&sandbox, "POST", "/v1/roles/4/assignments", json!({ "user_id": 1 }));
    assert_eq!(assigned, json!({ "user_id": 1, "role_id": 4 }));
    assert_refused(&send(&sandbox, "POST", "/v1/roles/4/assignments", json!({ "user_id": 99 })), 400, "user_id: does not exist");
    assert_eq!(get_data(&sandbox, "/v1/users/1")["role_id"], 4, "the user should have the role");
    assert_eq!(get_data(&sandbox, "/v1/roles/4/assignments")[0]["user_id"], 1);
    assert_eq!(get_data(&sandbox, "/v1/users/1/roleAssignments")[0]["name"], "Newcomers");
    assert_eq!((&role(1)["data"]["assignment_count"], &role(4)["data"]["assignment_count"]), (&json!("3"), &json!("1")));

    let setting = json!({ "setting_key": "deal_default_visibility", "value": 1 });
    assert_eq!(send_ok(&sandbox, "POST", "/v1/roles/4/settings", setting), json!({ "id": 4, "deal_default_visibility": 1 }));
    assert_refused(
        &send(&sandbox, "POST", "/v1/roles/4/settings", json!({ "setting_key": "x", "value": 1 })),
        400,
        "setting_key: must be one of",
    );
    for path in ["/v1/roles/4/settings", "/v1/users/1/roleSettings"] {
        let settings = get_data(&sandbox, path);
        assert_eq!((&settings["deal_default_visibility"], &settings["org_default_visibility"]), (&json!(1), &json!(3)), "{path}");
    }
    let visible = |path: &str, body: Value| send_ok(&sandbox, "POST", path, body)["visible_to"].clone();
    assert_eq!(visible("/api/v2/deals", json!({ "title": "x" })), 1, "a new deal should have the default visibility of the role");
    assert_eq!(visible("/api/v2/deals", json!({ "title": "x", "visible_to": 7 })), 7);
    assert_eq!(visible("/api/v2/organizations", json!({ "name": "x" })), 3);

    assert_refused(&send(&sandbox, "DELETE", "/v1/roles/3/assignments", json!({ "user_id": 1 })), 400, "user_id: does not have the role");
    assert_eq!(send_ok(&sandbox, "DELETE", "/v1/roles/4/assignments", json!({ "user_id": 1 })), json!({ "id": 4 }));
    assert_eq!(get_data(&sandbox, "/v1/users/1")["role_id"], 1);

    send_ok(&sandbox, "POST", "/v1/roles/3/assignments", json!({ "user_id": 2 }));
    assert_eq!(send_ok(&sandbox, "DELETE", "/v1/roles/3", json!({})), json!({ "id": 3 }));
    assert_eq!(get_data(&sandbox, "/v1/users/2")["role_id"], 1, "a user with a deleted role should get the default one");
    assert_eq!(role(4)["data"]["parent_role_id"], 2, "a role below a deleted one should move up");
    assert_refused(&send(&sandbox, "DELETE", "/v1/roles/1", json!({})), 400, "default role");
    for path in ["/v1/roles/3", "/v1/roles/3/settings", "/v1/roles/3/assignments"] {
        assert_refused(&get(&sandbox, path), 404, "Role not found");
    }
}

#[test]
fn reads_fields_of_notes_and_activities() {
    let sandbox = sandbox();
    let (_, notes) = get(&sandbox, "/v1/noteFields");
    assert_eq!((&notes["data"][0]["key"], &notes["data"][0]["mandatory_flag"]), (&json!("content"), &json!(true)));
    assert_eq!(notes["additional_data"]["pagination"]["more_items_in_collection"], false);
    let first = get_data(&sandbox, "/v1/activityFields");
    let second = get_data(&sandbox, "/api/v2/activityFields");
    let column = |rows: &Value, name: &str| rows.as_array().into_iter().flatten().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column(&first, "key"), column(&second, "field_code"), "both versions should have the same fields");
    let (_, page) = get(&sandbox, "/api/v2/activityFields?limit=3");
    assert!(page["data"].as_array().map(Vec::len) == Some(3) && page["additional_data"]["next_cursor"].is_string());
    let location = get_data(&sandbox, "/api/v2/activityFields/location?include_fields=ui_visibility");
    assert_eq!((&location["is_custom_field"], &location["ui_visibility"]["add_visible_flag"]), (&json!(false), &json!(true)));
    assert_eq!(location["subfields"][0]["field_code"], "value");
    assert!(get_data(&sandbox, "/api/v2/activityFields/location").get("ui_visibility").is_none());
    assert_refused(&get(&sandbox, "/api/v2/activityFields/nothing"), 404, "Field not found");
    assert_refused(&send(&sandbox, "DELETE", "/api/v2/activityFields/subject", json!({})), 405, "not allowed");
}

#[test]
fn field_is_the_same_in_both_versions() {
    let sandbox = sandbox();
    for table in ["dealFields", "personFields", "organizationFields", "productFields"] {
        let (code, id) = create_enum_field(&sandbox, table);
        let (first, second) = (format!("/v1/{table}/{id}"), format!("/api/v2/{table}/{code}"));
        let field = get_data(&sandbox, &first);
        assert_eq!((&field["id"], &field["key"], &field["edit_flag"]), (&json!(id), &json!(code), &json!(true)));
        send_ok(&sandbox, "PATCH", &second, json!({ "field_name": "Paint", "ui_visibility": { "add_visible_flag": false } }));
        let field = get_data(&sandbox, &first);
        assert_eq!((&field["name"], &field["add_visible_flag"]), (&json!("Paint"), &json!(false)), "v1 should show what v2 changes");
        assert_eq!(send_ok(&sandbox, "DELETE", &first, json!({})), json!({ "id": id }));
        assert_refused(&get(&sandbox, &second), 404, "not found");
        assert!(!list_ids(&get_data(&sandbox, &format!("/v1/{table}?limit=500"))).contains(&id));

        let (code, id) = create_enum_field(&sandbox, table);
        send_ok(&sandbox, "DELETE", &format!("/api/v2/{table}/{code}"), json!({}));
        let status = if table == "productFields" { 410 } else { 404 };
        for path in [format!("/v1/{table}/{id}"), format!("/v1/{table}/9999")] {
            assert_refused(&get(&sandbox, &path), status, "not found");
            assert_refused(&send(&sandbox, "DELETE", &path, json!({})), status, "not found");
        }
        assert_refused(&send(&sandbox, "DELETE", &format!("/v1/{table}/1"), json!({})), 400, "belongs to a standard field");

        let (_, id) = create_enum_field(&sandbox, table);
        let removed = send_ok(&sandbox, "DELETE", &format!("/v1/{table}?ids=1,{id},9999"), json!({}));
        assert_eq!(removed, json!({ "id": [id] }), "a standard field should not be deleted");
    }
    assert_eq!(
        get_data(&sandbox, "/v1/productFields/1")["field_type"],
        "double",
        "v1 should answer the documented types of product fields alone"
    );
    assert_eq!(get_data(&sandbox, "/v1/dealFields/1")["field_type"], "int");
}

#[test]
fn answers_parts_of_fields_on_request() {
    let sandbox = sandbox();
    let parts = ["ui_visibility", "important_fields", "required_fields"];
    for asked in ["", "ui_visibility", "important_fields,required_fields", "ui_visibility,important_fields,required_fields"] {
        let query = if asked.is_empty() { String::new() } else { format!("?include_fields={asked}") };
        for table in ["dealFields", "personFields", "organizationFields"] {
            let one = get_data(&sandbox, &format!("/api/v2/{table}/add_time{query}"));
            let all = get_data(&sandbox, &format!("/api/v2/{table}{query}"));
            for part in parts {
                assert_eq!(
                    one.get(part).is_some(),
                    asked.contains(part),
                    "{table} should have {part} only if include_fields names it, here '{asked}'"
                );
                assert_eq!(
                    all[0].get(part).is_some(),
                    asked.contains(part),
                    "{table} should have {part} only if include_fields names it, here '{asked}'"
                );
            }
        }
    }
    assert!(get_data(&sandbox, "/api/v2/productFields/name?include_fields=ui_visibility").get("ui_visibility").is_some());
    assert_refused(&get(&sandbox, "/api/v2/productFields?include_fields=important_fields"), 400, "include_fields: must be one of");
    let (code, _) = create_enum_field(&sandbox, "dealFields");
    let path = format!("/api/v2/dealFields/{code}");
    send_ok(&sandbox, "PATCH", &path, json!({ "important_fields": { "enabled": true, "stage_ids": [2] } }));
    assert_eq!(get_data(&sandbox, &format!("{path}?include_fields=important_fields"))["important_fields"]["stage_ids"], json!([2]));
}

#[test]
fn changes_all_options_or_none() {
    let sandbox = sandbox();
    for table in ["dealFields", "personFields", "organizationFields", "productFields"] {
        let (code, id) = create_enum_field(&sandbox, table);
        let (field, path) = (format!("/api/v2/{table}/{code}"), format!("/api/v2/{table}/{code}/options"));
        let added = send_ok(&sandbox, "POST", &path, json!([{ "label": "green" }, { "label": "white" }]));
        assert_eq!(added, json!([{ "id": 3, "label": "green" }, { "id": 4, "label": "white" }]));
        assert_eq!(send_ok(&sandbox, "PATCH", &path, json!([{ "id": 3, "label": "lime" }])), json!([{ "id": 3, "label": "lime" }]));
        let before = get_data(&sandbox, &field)["options"].clone();
        for (method, body, part) in [
            ("POST", json!([{ "label": "x" }, {}]), "[1].label: is required"),
            ("POST", json!([]), "at least one option"),
            ("POST", json!({ "label": "x" }), "body: must be an array"),
            ("PATCH", json!([{ "id": 3, "label": "x" }, { "id": 9, "label": "y" }]), "[1].id: 9 is not an option"),
            ("PATCH", json!([{ "id": 3 }]), "[0].label: is required"),
            ("DELETE", json!([{ "id": 3 }, { "id": 9 }]), "[1].id: 9 is not an option"),
            ("DELETE", json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }, { "id": 4 }]), "needs at least one"),
        ] {
            assert_refused(&send(&sandbox, method, &path, body), 400, part);
        }
        assert_eq!(get_data(&sandbox, &field)["options"], before, "a refused change should change no option");
        assert_eq!(send_ok(&sandbox, "DELETE", &path, json!([{ "id": 4 }])), json!([{ "id": 4, "label": "white" }]));
        let labels: Vec<Value> = get_data(&sandbox, &format!("/v1/{table}/{id}"))["options"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|option| option["label"].clone())
            .collect();
        assert_eq!(labels, ["red", "blue", "lime"]);
        assert_eq!(
            send_ok(&sandbox, "POST", &path, json!([{ "label": "grey" }]))[0]["id"],
            5,
            "a new option should get an id that was never used"
        );
        assert_refused(
            &send(&sandbox, "POST", &format!("/api/v2/{table}/label_ids/options"), json!([{ "label": "x" }])),
            400,
            "belongs to a standard field",
        );
        assert_refused(&send(&sandbox, "POST", &format!("/api/v2/{table}/nothing/options"), json!([{ "label": "x" }])), 404, "not found");
    }
    let plain = send_ok(&sandbox, "POST", "/api/v2/dealFields", json!({ "field_name": "Plain", "field_type": "varchar" }));
    let path = format!("/api/v2/dealFields/{}/options", plain["field_code"].as_str().expect("a field has a code"));
    assert_refused(&send(&sandbox, "POST", &path, json!([{ "label": "x" }])), 400, "without options");

    let (code, _) = create_enum_field(&sandbox, "dealFields");
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "custom_fields": { code.as_str(): 2 } }));
    send_ok(&sandbox, "DELETE", &format!("/api/v2/dealFields/{code}/options"), json!([{ "id": 2 }]));
    let path = format!("/api/v2/deals/{}", deal["id"]);
    assert_eq!(get_data(&sandbox, &path)["custom_fields"][&code], 2, "a value should stay although its option is deleted");
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "custom_fields": { code.as_str(): 2 } })), 400, "2 is not an option");
}

#[test]
fn serves_every_operation_of_an_account() {
    let sandbox = sandbox();
    let mut requests = vec![
        ("GET", "/api/v1/currencies?term=eu".to_owned(), json!({})),
        ("GET", "/api/v1/billing/subscriptions/addons".to_owned(), json!({})),
        ("GET", "/api/v1/userConnections".to_owned(), json!({})),
        ("GET", "/api/v1/userSettings".to_owned(), json!({})),
        ("GET", "/api/v1/permissionSets".to_owned(), json!({})),
        ("GET", format!("/api/v1/permissionSets/{ADMIN}"), json!({})),
        ("GET", format!("/api/v1/permissionSets/{REGULAR}/assignments"), json!({})),
        ("GET", "/api/v1/users/2/permissions".to_owned(), json!({})),
        ("GET", "/api/v1/users/2/roleAssignments".to_owned(), json!({})),
        ("GET", "/api/v1/users/2/roleSettings".to_owned(), json!({})),
        ("GET", "/api/v1/roles".to_owned(), json!({})),
        ("POST", "/api/v1/roles".to_owned(), json!({ "name": "New", "parent_role_id": 2 })),
        ("GET", "/api/v1/roles/4".to_owned(), json!({})),
        ("PUT", "/api/v1/roles/4".to_owned(), json!({ "name": "Newer", "parent_role_id": null })),
        ("POST", "/api/v1/roles/4/assignments".to_owned(), json!({ "user_id": 3 })),
        ("GET", "/api/v1/roles/4/assignments".to_owned(), json!({})),
        ("DELETE", "/api/v1/roles/4/assignments".to_owned(), json!({ "user_id": 3 })),
        ("POST", "/api/v1/roles/4/settings".to_owned(), json!({ "setting_key": "deal_default_visibility", "value": 7 })),
        ("GET", "/api/v1/roles/4/settings".to_owned(), json!({})),
        ("DELETE", "/api/v1/roles/4".to_owned(), json!({})),
        ("GET", "/api/v1/noteFields".to_owned(), json!({})),
        ("GET", "/api/v1/activityFields".to_owned(), json!({})),
        ("GET", "/api/v2/activityFields?include_fields=ui_visibility".to_owned(), json!({})),
        ("GET", "/api/v2/activityFields/type".to_owned(), json!({})),
        ("GET", format!("/api/v1/pipelines/1/conversion_statistics?{NOVEMBER}"), json!({})),
        ("GET", "/api/v1/pipelines/2/movement_statistics?start_date=2026-01-01&end_date=2026-12-31".to_owned(), json!({})),
    ];
    for table in ["dealFields", "personFields", "organizationFields", "productFields"] {
        let (code, id) = create_enum_field(&sandbox, table);
        let second = format!("/api/v2/{table}/{code}");
        requests.extend([
            ("GET", format!("/api/v1/{table}/1"), json!({})),
            ("GET", format!("/api/v1/{table}/{id}"), json!({})),
            ("GET", format!("{second}?include_fields=ui_visibility"), json!({})),
            ("PATCH", second.clone(), json!({ "field_name": "Paint" })),
            ("POST", format!("{second}/options"), json!([{ "label": "green" }])),
            ("PATCH", format!("{second}/options"), json!([{ "id": 3, "label": "lime" }])),
            ("DELETE", format!("{second}/options"), json!([{ "id": 3 }])),
            ("GET", second.clone(), json!({})),
            ("DELETE", format!("/api/v1/{table}/{id}"), json!({})),
            ("GET", format!("/api/v1/{table}/{id}"), json!({})),
        ]);
        let (_, id) = create_enum_field(&sandbox, table);
        requests.push(("DELETE", format!("/api/v1/{table}?ids={id}"), json!({})));
    }
    for (method, path, body) in requests {
        let (status, answer) = send(&sandbox, method, &path, body);
        let is_gone = method == "GET" && matches!(status, 404 | 410) && path.contains("Fields/");
        assert!(status == 200 || is_gone, "{method} {path} should succeed; it answered {status} {answer}");
    }
    let unread = Request::builder().uri("/api/v1/permissionSets/1").body(Bytes::new()).expect("the test's request is valid");
    assert_eq!(read_response(&sandbox.respond(unread)).0, 401);
}
