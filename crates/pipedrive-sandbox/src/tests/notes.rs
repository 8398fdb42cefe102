//! Notes about records, and comments on notes.

use serde_json::{Value, json};

use super::{assert_refused, get, get_data, list_ids, open_with_bearers, sandbox, send, send_as_bearer, send_ok};

const LEAD: &str = "10000000-0000-4000-8000-000000000002";

#[test]
fn adds_and_changes_a_note_about_several_records() {
    let sandbox = sandbox();
    let body =
        json!({ "content": "x", "deal_id": 2, "org_id": 3, "lead_id": LEAD, "pinned_to_deal_flag": 1, "add_time": "2026-01-31 09:30:00" });
    let note = send_ok(&sandbox, "POST", "/v1/notes", body);
    assert_eq!((&note["deal_id"], &note["org_id"], &note["lead_id"]), (&json!(2), &json!(3), &json!(LEAD)));
    assert_eq!((&note["add_time"], &note["update_time"]), (&json!("2026-01-31 09:30:00"), &json!("2026-11-22 12:00:00")));
    assert!(note["deal"]["title"].is_string() && note["organization"]["name"].is_string() && note["user"]["is_you"] == true, "{note}");
    let path = format!("/v1/notes/{}", note["id"]);
    let changed = send_ok(&sandbox, "PUT", &path, json!({ "person_id": 4, "pinned_to_person_flag": 1, "pinned_to_deal_flag": 0 }));
    assert_eq!((&changed["content"], &changed["person_id"], &changed["deal_id"]), (&json!("x"), &json!(4), &json!(2)));
    assert_eq!((&changed["pinned_to_person_flag"], &changed["pinned_to_deal_flag"]), (&json!(true), &json!(false)));
    assert_eq!(get_data(&sandbox, &path), changed);
    assert_refused(&send(&sandbox, "PUT", &path, json!({ "content": " " })), 400, "content: must not be empty");
}

#[test]
fn pin_needs_the_record_to_which_the_note_is_pinned() {
    let sandbox = sandbox();
    let body = json!({ "content": "x", "deal_id": 2, "pinned_to_lead_flag": 1 });
    assert_refused(&send(&sandbox, "POST", "/v1/notes", body), 400, "pinned_to_lead_flag: needs lead_id");
    let note = send_ok(&sandbox, "POST", "/v1/notes", json!({ "content": "x", "deal_id": 2, "person_id": 1 }));
    let path = format!("/v1/notes/{}", note["id"]);
    assert_refused(&send(&sandbox, "PUT", &path, json!({ "pinned_to_organization_flag": 1 })), 400, "needs org_id");
    assert_eq!(send_ok(&sandbox, "PUT", &path, json!({ "pinned_to_deal_flag": 1 }))["pinned_to_deal_flag"], true);
    let unlinked = send_ok(&sandbox, "PUT", &path, json!({ "deal_id": null }));
    assert_eq!((&unlinked["pinned_to_deal_flag"], &unlinked["deal_id"]), (&json!(false), &Value::Null), "a pin should go with its record");
}

#[test]
fn admin_alone_changes_the_author() {
    let sandbox = open_with_bearers(&[("admin", &["deals:full"], Some(1)), ("member", &["deals:full"], Some(2))]);
    let add = |token: &str, author: u64| {
        send_as_bearer(&sandbox, token, "POST", "/v1/notes", json!({ "content": "x", "deal_id": 1, "user_id": author }))
    };
    let (status, added) = add("member", 2);
    assert_eq!((status, &added["data"]["user_id"]), (200, &json!(2)), "{added}");
    assert_refused(&add("member", 1), 403, "admin");
    let (status, added) = add("admin", 3);
    assert_eq!((status, &added["data"]["user_id"], &added["data"]["last_update_user_id"]), (200, &json!(3), &json!(1)), "{added}");
    let path = format!("/v1/notes/{}", added["data"]["id"]);
    let (status, changed) = send_as_bearer(&sandbox, "member", "PUT", &path, json!({ "content": "y" }));
    assert_eq!((status, &changed["data"]["user_id"]), (200, &json!(3)), "a change should keep the author: {changed}");
    assert_refused(&send_as_bearer(&sandbox, "member", "PUT", &path, json!({ "user_id": 2 })), 403, "admin");
}

#[test]
fn lists_notes_by_record_author_pin_time_and_order() {
    let sandbox = sandbox();
    let list = |query: &str| get_data(&sandbox, &format!("/v1/notes?limit=500&{query}"));
    let about = list(&format!("lead_id={LEAD}"));
    assert_eq!((about.as_array().map(Vec::len), &about[0]["lead_id"]), (Some(1), &json!(LEAD)));
    assert_eq!(list("pinned_to_lead_flag=1").as_array().map(Vec::len), Some(1), "the demo should pin one note to a lead");
    let authors = list("user_id=2");
    assert!(authors.as_array().is_some_and(|notes| !notes.is_empty() && notes.iter().all(|note| note["user_id"] == 2)), "{authors}");
    let times = |query: &str, member: &str| -> Vec<String> {
        list(query).as_array().into_iter().flatten().filter_map(|note| note[member].as_str().map(str::to_owned)).collect()
    };
    let days = times("start_date=2026-03-01&end_date=2026-03-31", "add_time");
    assert!(!days.is_empty() && days.iter().all(|time| time.starts_with("2026-03")), "{days:?}");
    let changed = times("updated_since=2026-06-01T00:00:00Z&sort=update_time%20DESC", "update_time");
    assert!(changed.len() > 1 && changed.is_sorted_by(|a, b| a >= b), "{changed:?}");
    assert!(changed.iter().all(|time| time.as_str() >= "2026-06-01"), "{changed:?}");
    assert_eq!(list_ids(&get_data(&sandbox, "/v1/notes?sort=id%20DESC&limit=2&start=1")).len(), 2);
    assert_eq!(list("task_id=1"), json!([]));
}

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

#[test]
fn lists_the_demo_comments_page_by_page() {
    let sandbox = sandbox();
    let (status, page) = get(&sandbox, "/v1/notes/2/comments?start=1&limit=1");
    assert_eq!((status, &page["data"][0]["user_id"], &page["data"][0]["updater_id"]), (200, &json!(1), &json!(1)));
    let pagination = json!({ "start": 1, "limit": 1, "more_items_in_collection": true, "next_start": 2 });
    assert_eq!(page["additional_data"]["pagination"], pagination);
    let comment = get_data(&sandbox, "/v1/notes/2/comments/c0000000-0000-4000-8000-000000000002");
    assert_eq!(comment, page["data"][0], "a comment should read alike alone and in the list");
}

#[test]
fn some_note_of_the_demo_has_each_field() {
    let sandbox = sandbox();
    let notes = get_data(&sandbox, "/v1/notes?limit=500");
    for field in ["content", "deal_id", "person_id", "org_id", "lead_id", "user_id", "add_time", "update_time"] {
        let has = notes.as_array().is_some_and(|all| all.iter().any(|note| note[field].is_string() || note[field].is_u64()));
        assert!(has, "no note of the demo has {field}");
    }
}
