//! The types of activities.

use serde_json::json;

use super::{assert_refused, get_data, list_ids, sandbox, send, send_ok};

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
