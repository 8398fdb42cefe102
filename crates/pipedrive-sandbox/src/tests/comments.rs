//! Comments on notes.

use serde_json::json;

use super::{assert_refused, get, get_data, sandbox, send, send_ok};

#[test]
fn adds_changes_and_deletes_a_comment() {
    let sandbox = sandbox();
    let all = "/v1/notes/1/comments";
    assert_eq!(get_data(&sandbox, all), json!([]));
    let added = send_ok(&sandbox, "POST", all, json!({ "content": "First" }));
    send_ok(&sandbox, "POST", all, json!({ "content": "Second" }));
    let uuid = added["uuid"].as_str().expect("a comment has a UUID");
    assert_eq!((&added["object_id"], &added["object_type"], &added["user_id"]), (&json!("1"), &json!("note"), &json!(1)));
    assert_eq!(get_data(&sandbox, &format!("{all}?limit=1")), json!([added]));
    let path = format!("{all}/{uuid}");
    assert_eq!(get_data(&sandbox, &path), added);
    assert_eq!(send_ok(&sandbox, "PUT", &path, json!({ "content": "Changed" }))["content"], "Changed");
    assert_refused(&send(&sandbox, "PUT", &path, json!({ "content": " " })), 400, "content: is required");
    assert_refused(&get(&sandbox, &format!("/v1/notes/2/comments/{uuid}")), 404, "Comment not found");
    assert_refused(&get(&sandbox, &format!("{all}/nothing")), 400, "commentId: is not in");
    assert_refused(&get(&sandbox, "/v1/notes/999/comments"), 404, "Note not found");
    assert_refused(&send(&sandbox, "POST", "/v1/notes/999/comments", json!({ "content": "x" })), 404, "Note not found");

    assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({})), true);
    assert_refused(&send(&sandbox, "DELETE", &path, json!({})), 404, "Comment not found");
    let second = get_data(&sandbox, all)[0]["uuid"].clone();
    send_ok(&sandbox, "DELETE", "/v1/notes/1", json!({}));
    let second = second.as_str().expect("the second comment is still there");
    assert_refused(&get(&sandbox, &format!("{all}/{second}")), 404, "Comment not found");
}
