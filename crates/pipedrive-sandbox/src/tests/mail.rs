//! The mailbox, and the messages about a record.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{assert_refused, get, get_data, list_ids, open_with_bearers, sandbox, send, send_as, send_as_bearer, send_ok};
use crate::edge::sandbox::Sandbox;

fn update_thread(sandbox: &Sandbox, id: u64, form: &'static str) -> (u16, Value) {
    send_as(sandbox, "PUT", &format!("/v1/mailbox/mailThreads/{id}"), "application/x-www-form-urlencoded", Bytes::from(form))
}

fn list_folder(sandbox: &Sandbox, folder: &str) -> Vec<u64> {
    list_ids(&get_data(sandbox, &format!("/v1/mailbox/mailThreads?folder={folder}")))
}

/// Lists the ids of the messages about a record, out of their wrappers.
fn list_about(sandbox: &Sandbox, record: &str) -> Vec<u64> {
    let wrapped = get_data(sandbox, &format!("/v1/{record}/mailMessages"));
    let wrapped = wrapped.as_array().expect("the data is a list");
    assert!(wrapped.iter().all(|item| item["object"] == "mailMessage" && item.get("id").is_none()), "each message should be in a wrapper");
    wrapped.iter().filter_map(|item| item["data"]["id"].as_u64()).collect()
}

#[test]
fn folders_of_a_thread_follow_from_its_messages() {
    let sandbox = sandbox();
    assert_eq!(list_folder(&sandbox, "inbox"), [3, 2, 1], "the thread with the latest message should come first");
    assert_eq!(
        (list_folder(&sandbox, "sent"), list_folder(&sandbox, "drafts"), list_folder(&sandbox, "archive")),
        (vec![4, 2, 1], vec![5], vec![6])
    );
    assert_eq!(list_ids(&get_data(&sandbox, "/v1/mailbox/mailThreads?folder=inbox&start=1&limit=1")), [2]);
    assert_refused(&get(&sandbox, "/v1/mailbox/mailThreads"), 400, "folder: is required");
    assert_refused(&get(&sandbox, "/v1/mailbox/mailThreads?folder=spam"), 400, "folder: must be one of");

    let thread = get_data(&sandbox, "/v1/mailbox/mailThreads/1");
    assert_eq!((&thread["message_count"], &thread["snippet"], &thread["has_sent_flag"]), (&json!(3), &json!("None, we sign."), &json!(1)));
    assert_eq!((&thread["deal_id"], &thread["deal_status"]), (&json!(1), &get_data(&sandbox, "/api/v2/deals/1")["status"]));
    let draft = get_data(&sandbox, "/v1/mailbox/mailThreads/5");
    assert_eq!((&draft["snippet_draft"], &draft["snippet_sent"]), (&json!("Your contract ends in March."), &json!("")));
    assert_eq!((&thread["snippet_draft"], &thread["snippet_sent"]), (&json!(null), &json!("Here it is. Any questions?")));
    assert_eq!(thread["parties"]["from"].as_array().map(Vec::len), Some(2), "each party should be listed once");

    let (status, changed) = update_thread(&sandbox, 1, "archived_flag=1&read_flag=0&deal_id=5");
    assert_eq!((status, &changed["data"]["folders"], &changed["data"]["read_flag"]), (200, &json!(["sent", "archive"]), &json!(0)));
    assert_eq!((list_folder(&sandbox, "inbox"), list_folder(&sandbox, "archive")), (vec![3, 2], vec![6, 1]));
    assert_eq!(
        (list_about(&sandbox, "deals/1"), list_about(&sandbox, "deals/5").len()),
        (vec![], 3),
        "the messages should move with their thread"
    );
    assert_eq!(update_thread(&sandbox, 1, "deal_id=").1["data"]["deal_id"], Value::Null);
    for (id, form, status, part) in [
        (1, "read_flag=2", 400, "read_flag: must be one of"),
        (1, "deal_id=9999", 400, "deal_id: 9999 does not exist"),
        (5, "archived_flag=1", 400, "archived_flag: can only be set"),
        (99, "read_flag=1", 404, "Mail thread not found"),
    ] {
        assert_refused(&update_thread(&sandbox, id, form), status, part);
    }
}

#[test]
fn deleting_a_thread_deletes_its_messages() {
    let sandbox = sandbox();
    assert_eq!(list_about(&sandbox, "deals/1"), [3, 2, 1], "the newest message should come first");
    assert_eq!(
        list_ids(&get_data(&sandbox, "/v1/mailbox/mailThreads/1/mailMessages")),
        [1, 2, 3],
        "the messages of a thread should have the oldest first"
    );
    assert_eq!(send_ok(&sandbox, "DELETE", "/v1/mailbox/mailThreads/1", json!({})), json!({ "id": 1 }));
    for path in ["mailThreads/1", "mailThreads/1/mailMessages", "mailMessages/1"] {
        assert_refused(&get(&sandbox, &format!("/v1/mailbox/{path}")), 404, "not found");
    }
    assert_refused(&send(&sandbox, "DELETE", "/v1/mailbox/mailThreads/1", json!({})), 404, "Mail thread not found");
    assert_eq!((list_about(&sandbox, "deals/1"), list_folder(&sandbox, "inbox")), (vec![], vec![3, 2]));
}

#[test]
fn message_has_its_body_on_request() {
    let sandbox = sandbox();
    let (_, answer) = get(&sandbox, "/v1/mailbox/mailMessages/2");
    assert_eq!((&answer["statusCode"], &answer["data"]["subject"]), (&json!(2000), &json!("Your offer")));
    assert!(answer["data"].get("body").is_none(), "a message should have no body without include_body: {answer}");
    assert_eq!(get_data(&sandbox, "/v1/mailbox/mailMessages/2?include_body=1")["body"], "<p>Here it is. Any questions?</p>");
    assert!(get_data(&sandbox, "/v1/deals/1/mailMessages")[0]["data"].get("body").is_none());
    assert_eq!(get_data(&sandbox, "/v1/deals/1/mailMessages?include_body=1&limit=1")[0]["data"]["body"], "<p>None, we sign.</p>");
    assert_refused(&get(&sandbox, "/v1/mailbox/mailMessages/2?include_body=2"), 400, "include_body: must be one of");
    assert_refused(&get(&sandbox, "/v1/mailbox/mailMessages/99"), 404, "Mail message not found");
    assert_refused(&get(&sandbox, "/v1/deals/9999/mailMessages"), 404, "Deal not found");
}

#[test]
fn addresses_link_messages_to_persons() {
    let sandbox = sandbox();
    let count =
        |table: &str| get_data(&sandbox, &format!("/api/v2/{table}/1?include_fields=email_messages_count"))["email_messages_count"].clone();
    assert_eq!((list_about(&sandbox, "persons/1"), list_about(&sandbox, "organizations/1").len() >= 2), (vec![3, 2, 1], true));
    assert_eq!(
        (count("deals"), count("persons"), count("organizations")),
        (json!(3), json!(3), json!(list_about(&sandbox, "organizations/1").len()))
    );
    let deal = get_data(&sandbox, "/api/v2/deals/1?include_fields=last_incoming_mail_time,last_outgoing_mail_time");
    assert!(
        deal["last_incoming_mail_time"].as_str() > deal["last_outgoing_mail_time"].as_str(),
        "the last incoming mail should be later than the last outgoing one: {deal}"
    );
    let from = get_data(&sandbox, "/v1/mailbox/mailMessages/1")["from"][0].clone();
    assert_eq!((&from["linked_person_id"], &from["linked_person_name"]), (&json!(1), &get_data(&sandbox, "/api/v2/persons/1")["name"]));

    send_ok(&sandbox, "PATCH", "/api/v2/persons/1", json!({ "emails": [] }));
    let from = get_data(&sandbox, "/v1/mailbox/mailMessages/1")["from"][0].clone();
    assert!(
        from.get("linked_person_id").is_none() && list_about(&sandbox, "persons/1").is_empty(),
        "a person without the address should not be a party: {from}"
    );
    let letter = json!({ "name": "Letters", "emails": [{ "value": "LETTERS@example.net" }] });
    let person = send_ok(&sandbox, "POST", "/api/v2/persons", letter)["id"].clone();
    assert_eq!(list_about(&sandbox, &format!("persons/{person}")).len(), 1);
    assert_eq!(list_about(&sandbox, "persons/3"), [0_u64; 0], "a draft should not be among the messages about a person");
}

#[test]
fn mailbox_is_private_to_its_user() {
    let sandbox = open_with_bearers(&[("ben", &["mail:read", "mail:full"], Some(2))]);
    let send_as_ben = |method: &str, path: &str| send_as_bearer(&sandbox, "ben", method, path, json!({}));
    assert_eq!(list_ids(&send_as_ben("GET", "/v1/mailbox/mailThreads?folder=inbox").1["data"]), [7]);
    assert_refused(&send_as_ben("GET", "/v1/mailbox/mailThreads/1"), 404, "Mail thread not found");
    assert_refused(&send_as_ben("GET", "/v1/mailbox/mailThreads/1/mailMessages"), 404, "Mail thread not found");
    assert_refused(&send_as_ben("DELETE", "/v1/mailbox/mailThreads/1"), 404, "Mail thread not found");
    assert_refused(&get(&sandbox, "/v1/mailbox/mailThreads/7"), 404, "Mail thread not found");
    assert_eq!(send_as_ben("GET", "/v1/mailbox/mailMessages/1").0, 200, "every user should be able to read a shared message");
    assert_eq!(update_thread(&sandbox, 1, "shared_flag=0").0, 200);
    assert_refused(&send_as_ben("GET", "/v1/mailbox/mailMessages/1"), 404, "Mail message not found");
    assert_eq!(send_as_ben("GET", "/v1/deals/1/mailMessages").1["data"], json!([]));
    assert_eq!(list_about(&sandbox, "persons/5"), [0_u64; 0], "other users should not see what Ben does not share");
}
