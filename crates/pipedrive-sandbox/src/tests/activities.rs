//! Activities and their types.

use serde_json::json;

use super::{assert_refused, get_data, list_ids, sandbox, send, send_ok};

const LEAD: &str = "10000000-0000-4000-8000-000000000001";

#[test]
fn adds_and_changes_an_activity_with_all_its_fields() {
    let sandbox = sandbox();
    let body = json!({
        "subject": "Site visit", "type": "meeting", "owner_id": 2, "deal_id": 2, "lead_id": LEAD, "org_id": 3,
        "due_date": "2026-12-03", "due_time": "09:30", "duration": "30:15", "busy": true,
        "location": { "value": "12 Quay Street, Tallinn", "country": "Estonia" },
        "participants": [{ "person_id": 4 }, { "person_id": 5, "primary": true }],
        "attendees": [{ "email": "guest@example.com", "name": "Gil Guest", "status": "accepted", "person_id": 5 }],
        "public_description": "Bring a badge.", "priority": 1, "note": "<p>x</p>",
    });
    let added = send_ok(&sandbox, "POST", "/api/v2/activities", body.clone());
    for (name, sent) in
        body.as_object().expect("an object").iter().filter(|(name, _)| !matches!(name.as_str(), "due_time" | "duration" | "attendees"))
    {
        assert_eq!(&added[name], sent, "{name} should be kept as it was sent");
    }
    assert_eq!((&added["due_time"], &added["duration"]), (&json!("09:30:00"), &json!("30:15:00")));
    assert_eq!((&added["person_id"], &added["creator_user_id"]), (&json!(5), &json!(1)), "the primary participant should be the person");
    assert!(added["done"] == false && added.get("marked_as_done_time").is_none(), "{added}");
    let path = format!("/api/v2/activities/{}", added["id"]);
    assert_eq!(get_data(&sandbox, &path), added);
    assert_eq!(get_data(&sandbox, &format!("{path}?include_fields=attendees"))["attendees"], body["attendees"]);

    let change = json!({ "done": true, "participants": [{ "person_id": 7 }], "location": { "value": "Online" } });
    let changed = send_ok(&sandbox, "PATCH", &path, change);
    assert_eq!((&changed["person_id"], &changed["location"]), (&json!(7), &json!({ "value": "Online" })));
    assert_eq!((&changed["marked_as_done_time"], &changed["note"]), (&changed["update_time"], &added["note"]));
    assert!(send_ok(&sandbox, "PATCH", &path, json!({ "participants": [] })).get("person_id").is_none());
}

#[test]
fn rejects_activities_that_are_not_as_documented() {
    let sandbox = sandbox();
    for (body, part) in [
        (json!({ "person_id": 1 }), "person_id: is read-only"),
        (json!({ "subject": " " }), "subject: must not be empty"),
        (json!({ "participants": [{ "primary": true }] }), "participants: each must have"),
        (json!({ "participants": [{ "person_id": 9999 }] }), "participants: each must have"),
        (json!({ "lead_id": "10000000-0000-4000-8000-000000009999" }), "does not exist"),
        (json!({ "due_date": "3.12.2026" }), "due_date: is not in the documented format"),
        (json!({ "due_time": "24:00" }), "due_time: is not in the documented format"),
        (json!({ "due_time": "100:00" }), "due_time: is not in the documented format"),
        (json!({ "duration": "1:15" }), "duration: is not in the documented format"),
        (json!({ "duration": "01:60" }), "duration: is not in the documented format"),
        (json!({ "duration": "01:15:00:00" }), "duration: is not in the documented format"),
        (json!({ "note": "x".repeat(100 * 1024 + 1) }), "note: must have at most 100 KB"),
        (json!({ "deal_id": null }), "deal_id: must not be null"),
    ] {
        assert_refused(&send(&sandbox, "POST", "/api/v2/activities", body.clone()), 400, part);
        assert_refused(&send(&sandbox, "PATCH", "/api/v2/activities/1", body), 400, part);
    }
}

#[test]
fn some_activity_of_the_demo_has_each_field() {
    let sandbox = sandbox();
    let activities = get_data(&sandbox, "/api/v2/activities?limit=500");
    for field in ["note", "marked_as_done_time", "due_time", "duration", "deal_id", "lead_id", "person_id", "org_id"] {
        let has =
            activities.as_array().is_some_and(|all| all.iter().any(|activity| activity[field].is_string() || activity[field].is_u64()));
        assert!(has, "no activity of the demo has {field}");
    }
}

#[test]
fn adds_changes_and_deletes_a_type() {
    let sandbox = sandbox();
    let types = || get_data(&sandbox, "/v1/activityTypes");
    assert_eq!(
        (list_ids(&types()), &types()[0]["key_string"], &types()[0]["is_custom_flag"]),
        (vec![1, 2, 3, 4, 5, 6], &json!("call"), &json!(false))
    );
    let added = send_ok(&sandbox, "POST", "/v1/activityTypes", json!({ "name": "Video  Call", "icon_key": "camera", "color": "aeb31b" }));
    assert_eq!((&added["key_string"], &added["order_nr"], &added["is_custom_flag"]), (&json!("video_call"), &json!(7), &json!(true)));
    let twin = send_ok(&sandbox, "POST", "/v1/activityTypes", json!({ "name": "video call", "icon_key": "camera" }));
    assert_eq!((&twin["key_string"], &twin["color"]), (&json!("video_call2"), &json!("FFFFFF")), "each type should have its own key");

    let path = format!("/v1/activityTypes/{}", added["id"]);
    let changed = send_ok(&sandbox, "PUT", &path, json!({ "name": "Screen call", "order_nr": 1 }));
    assert_eq!(
        (&changed["name"], &changed["key_string"], &changed["icon_key"]),
        (&json!("Screen call"), &json!("video_call"), &json!("camera"))
    );
    for (body, part) in [
        (json!({ "icon_key": "camera" }), "name: is required"),
        (json!({ "name": "x" }), "icon_key: is required"),
        (json!({ "name": "x", "icon_key": "unicorn" }), "icon_key: must be one of"),
        (json!({ "name": "x", "icon_key": "car", "color": "red" }), "color: must be six"),
    ] {
        assert_refused(&send(&sandbox, "POST", "/v1/activityTypes", body), 400, part);
    }

    let deleted = send_ok(&sandbox, "DELETE", &path, json!({}));
    assert_eq!(
        (&deleted["name"], &deleted["active_flag"]),
        (&json!("Screen call"), &json!(false)),
        "a deletion should answer the whole type"
    );
    assert_refused(&send(&sandbox, "DELETE", &path, json!({})), 404, "Activity type not found");
    assert_refused(&send(&sandbox, "PUT", &path, json!({ "name": "x" })), 404, "Activity type not found");
    assert_eq!(list_ids(&types()).last(), twin["id"].as_u64().as_ref());
}
