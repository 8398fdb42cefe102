//! Comments on notes.

use serde_json::json;

use super::{data, done, get, refused, sandbox, send};

#[test]
fn adds_changes_and_deletes_a_comment() {
    let sandbox = sandbox();
    let all = "/v1/notes/1/comments";
    assert_eq!(data(&sandbox, all), json!([]));
    let added = done(&sandbox, "POST", all, json!({ "content": "First" }));
    done(&sandbox, "POST", all, json!({ "content": "Second" }));
    let uuid = added["uuid"].as_str().expect("a comment has a UUID");
    assert_eq!((&added["object_id"], &added["object_type"], &added["user_id"]), (&json!("1"), &json!("note"), &json!(1)));
    assert_eq!(data(&sandbox, &format!("{all}?limit=1")), json!([added]));
    let path = format!("{all}/{uuid}");
    assert_eq!(data(&sandbox, &path), added);
    assert_eq!(done(&sandbox, "PUT", &path, json!({ "content": "Changed" }))["content"], "Changed");
    refused(&send(&sandbox, "PUT", &path, json!({ "content": " " })), 400, "content: is required");
    refused(&get(&sandbox, &format!("/v1/notes/2/comments/{uuid}")), 404, "Comment not found");
    refused(&get(&sandbox, &format!("{all}/nothing")), 400, "commentId: is not in");
    refused(&get(&sandbox, "/v1/notes/999/comments"), 404, "Note not found");
    refused(&send(&sandbox, "POST", "/v1/notes/999/comments", json!({ "content": "x" })), 404, "Note not found");

    assert_eq!(done(&sandbox, "DELETE", &path, json!({})), true);
    refused(&send(&sandbox, "DELETE", &path, json!({})), 404, "Comment not found");
    let second = data(&sandbox, all)[0]["uuid"].clone();
    done(&sandbox, "DELETE", "/v1/notes/1", json!({}));
    let second = second.as_str().expect("the second comment is left");
    refused(&get(&sandbox, &format!("{all}/{second}")), 404, "Comment not found");
}
