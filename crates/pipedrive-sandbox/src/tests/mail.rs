//! The mailbox, and the messages about a record.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{data, done, get, ids, options, read, refused, sandbox, send, sent_as};
use crate::edge::options::{Bearer, Options};
use crate::edge::sandbox::Sandbox;

fn put(sandbox: &Sandbox, id: u64, form: &'static str) -> (u16, Value) {
    sent_as(sandbox, "PUT", &format!("/v1/mailbox/mailThreads/{id}"), "application/x-www-form-urlencoded", Bytes::from(form))
}

fn folder(sandbox: &Sandbox, folder: &str) -> Vec<u64> {
    ids(&data(sandbox, &format!("/v1/mailbox/mailThreads?folder={folder}")))
}

/// Lists the ids of the messages about a record, out of their wrappers.
fn about(sandbox: &Sandbox, record: &str) -> Vec<u64> {
    let wrapped = data(sandbox, &format!("/v1/{record}/mailMessages"));
    let wrapped = wrapped.as_array().expect("the data is a list");
    assert!(wrapped.iter().all(|item| item["object"] == "mailMessage" && item.get("id").is_none()), "each message comes in a wrapper");
    wrapped.iter().filter_map(|item| item["data"]["id"].as_u64()).collect()
}

#[test]
fn folders_of_a_thread_follow_from_its_messages() {
    let sandbox = sandbox();
    assert_eq!(folder(&sandbox, "inbox"), [3, 2, 1], "the most recent message comes first");
    assert_eq!((folder(&sandbox, "sent"), folder(&sandbox, "drafts"), folder(&sandbox, "archive")), (vec![4, 2, 1], vec![5], vec![6]));
    assert_eq!(ids(&data(&sandbox, "/v1/mailbox/mailThreads?folder=inbox&start=1&limit=1")), [2]);
    refused(&get(&sandbox, "/v1/mailbox/mailThreads"), 400, "folder: is required");
    refused(&get(&sandbox, "/v1/mailbox/mailThreads?folder=spam"), 400, "folder: must be one of");

    let thread = data(&sandbox, "/v1/mailbox/mailThreads/1");
    assert_eq!((&thread["message_count"], &thread["snippet"], &thread["has_sent_flag"]), (&json!(3), &json!("None, we sign."), &json!(1)));
    assert_eq!((&thread["deal_id"], &thread["deal_status"]), (&json!(1), &data(&sandbox, "/api/v2/deals/1")["status"]));
    let draft = data(&sandbox, "/v1/mailbox/mailThreads/5");
    assert_eq!((&draft["snippet_draft"], &draft["snippet_sent"]), (&json!("Your contract ends in March."), &json!("")));
    assert_eq!((&thread["snippet_draft"], &thread["snippet_sent"]), (&json!(null), &json!("Here it is. Any questions?")));
    assert_eq!(thread["parties"]["from"].as_array().map(Vec::len), Some(2), "each party comes once");

    let (status, changed) = put(&sandbox, 1, "archived_flag=1&read_flag=0&deal_id=5");
    assert_eq!((status, &changed["data"]["folders"], &changed["data"]["read_flag"]), (200, &json!(["sent", "archive"]), &json!(0)));
    assert_eq!((folder(&sandbox, "inbox"), folder(&sandbox, "archive")), (vec![3, 2], vec![6, 1]));
    assert_eq!((about(&sandbox, "deals/1"), about(&sandbox, "deals/5").len()), (vec![], 3), "the messages went along");
    assert_eq!(put(&sandbox, 1, "deal_id=").1["data"]["deal_id"], Value::Null);
    for (id, form, status, part) in [
        (1, "read_flag=2", 400, "read_flag: must be one of"),
        (1, "deal_id=9999", 400, "deal_id: 9999 does not exist"),
        (5, "archived_flag=1", 400, "archived_flag: is for"),
        (99, "read_flag=1", 404, "Mail thread not found"),
    ] {
        refused(&put(&sandbox, id, form), status, part);
    }
}

#[test]
fn deleting_a_thread_deletes_its_messages() {
    let sandbox = sandbox();
    assert_eq!(about(&sandbox, "deals/1"), [3, 2, 1], "newest first");
    assert_eq!(ids(&data(&sandbox, "/v1/mailbox/mailThreads/1/mailMessages")), [1, 2, 3], "a thread is read from its beginning");
    assert_eq!(done(&sandbox, "DELETE", "/v1/mailbox/mailThreads/1", json!({})), json!({ "id": 1 }));
    for path in ["mailThreads/1", "mailThreads/1/mailMessages", "mailMessages/1"] {
        refused(&get(&sandbox, &format!("/v1/mailbox/{path}")), 404, "not found");
    }
    refused(&send(&sandbox, "DELETE", "/v1/mailbox/mailThreads/1", json!({})), 404, "Mail thread not found");
    assert_eq!((about(&sandbox, "deals/1"), folder(&sandbox, "inbox")), (vec![], vec![3, 2]));
}

#[test]
fn message_has_its_body_on_request() {
    let sandbox = sandbox();
    let (_, answer) = get(&sandbox, "/v1/mailbox/mailMessages/2");
    assert_eq!((&answer["statusCode"], &answer["data"]["subject"]), (&json!(2000), &json!("Your offer")));
    assert!(answer["data"].get("body").is_none(), "no body was asked for: {answer}");
    assert_eq!(data(&sandbox, "/v1/mailbox/mailMessages/2?include_body=1")["body"], "<p>Here it is. Any questions?</p>");
    assert!(data(&sandbox, "/v1/deals/1/mailMessages")[0]["data"].get("body").is_none());
    assert_eq!(data(&sandbox, "/v1/deals/1/mailMessages?include_body=1&limit=1")[0]["data"]["body"], "<p>None, we sign.</p>");
    refused(&get(&sandbox, "/v1/mailbox/mailMessages/2?include_body=2"), 400, "include_body: must be one of");
    refused(&get(&sandbox, "/v1/mailbox/mailMessages/99"), 404, "Mail message not found");
    refused(&get(&sandbox, "/v1/deals/9999/mailMessages"), 404, "Deal not found");
}

#[test]
fn addresses_link_messages_to_persons() {
    let sandbox = sandbox();
    let count =
        |table: &str| data(&sandbox, &format!("/api/v2/{table}/1?include_fields=email_messages_count"))["email_messages_count"].clone();
    assert_eq!((about(&sandbox, "persons/1"), about(&sandbox, "organizations/1").len() >= 2), (vec![3, 2, 1], true));
    assert_eq!(
        (count("deals"), count("persons"), count("organizations")),
        (json!(3), json!(3), json!(about(&sandbox, "organizations/1").len()))
    );
    let deal = data(&sandbox, "/api/v2/deals/1?include_fields=last_incoming_mail_time,last_outgoing_mail_time");
    assert!(deal["last_incoming_mail_time"].as_str() > deal["last_outgoing_mail_time"].as_str(), "the last word was theirs: {deal}");
    let from = data(&sandbox, "/v1/mailbox/mailMessages/1")["from"][0].clone();
    assert_eq!((&from["linked_person_id"], &from["linked_person_name"]), (&json!(1), &data(&sandbox, "/api/v2/persons/1")["name"]));

    done(&sandbox, "PATCH", "/api/v2/persons/1", json!({ "emails": [] }));
    let from = data(&sandbox, "/v1/mailbox/mailMessages/1")["from"][0].clone();
    assert!(from.get("linked_person_id").is_none() && about(&sandbox, "persons/1").is_empty(), "who has no address is no party: {from}");
    let letter = json!({ "name": "Letters", "emails": [{ "value": "LETTERS@example.net" }] });
    let person = done(&sandbox, "POST", "/api/v2/persons", letter)["id"].clone();
    assert_eq!(about(&sandbox, &format!("persons/{person}")).len(), 1);
    assert_eq!(about(&sandbox, "persons/3"), [0_u64; 0], "a draft is no message yet");
}

#[test]
fn mailbox_is_private_to_its_user() {
    let bearer = Bearer { token: "ben".to_owned(), scopes: vec!["mail:read".to_owned(), "mail:full".to_owned()], user: Some(2) };
    let sandbox = Sandbox::open(Options { bearers: vec![bearer], ..options() }).expect("a sandbox in memory opens");
    let as_ben = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("authorization", "Bearer ben");
        read(&sandbox.respond(request.body(Bytes::new()).expect("the test's request is valid")))
    };
    assert_eq!(ids(&as_ben("GET", "/v1/mailbox/mailThreads?folder=inbox").1["data"]), [7]);
    refused(&as_ben("GET", "/v1/mailbox/mailThreads/1"), 404, "Mail thread not found");
    refused(&as_ben("GET", "/v1/mailbox/mailThreads/1/mailMessages"), 404, "Mail thread not found");
    refused(&as_ben("DELETE", "/v1/mailbox/mailThreads/1"), 404, "Mail thread not found");
    refused(&get(&sandbox, "/v1/mailbox/mailThreads/7"), 404, "Mail thread not found");
    assert_eq!(as_ben("GET", "/v1/mailbox/mailMessages/1").0, 200, "what is shared can be read by all");
    assert_eq!(put(&sandbox, 1, "shared_flag=0").0, 200);
    refused(&as_ben("GET", "/v1/mailbox/mailMessages/1"), 404, "Mail message not found");
    assert_eq!(as_ben("GET", "/v1/deals/1/mailMessages").1["data"], json!([]));
    assert_eq!(about(&sandbox, "persons/5"), [0_u64; 0], "what Ben does not share is his");
}
