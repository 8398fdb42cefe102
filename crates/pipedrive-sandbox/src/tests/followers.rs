//! Followers, participants and permitted users.

use std::fs;

use serde_json::{Value, json};

use super::storage::Folder;
use super::{assert_refused, get, get_data, sandbox, send, send_ok};
use crate::edge::sandbox::Sandbox;

const RECORDS: &[&str] = &["deals", "persons", "organizations"];

/// Opens a sandbox with a product.
fn open_with_product(folder: &Folder) -> Sandbox {
    let open = || folder.open().expect("the file opens");
    drop(open());
    let mut state: Value = serde_json::from_slice(&fs::read(folder.state()).expect("the file is there")).expect("the file is JSON");
    state["bases"][0]["tables"]["products"] =
        json!({ "last_id": 7, "rows": { "7": { "id": 7, "name": "x", "owner_id": 2, "visible_to": 1, "is_deleted": false } } });
    fs::write(folder.state(), state.to_string()).expect("the file can be written");
    open()
}

fn list_numbers(rows: &Value, field: &str) -> Vec<u64> {
    rows.as_array().expect("the data is a list").iter().filter_map(|row| row[field].as_u64()).collect()
}

fn list_followers(sandbox: &Sandbox, record: &str) -> Vec<u64> {
    list_numbers(&get_data(sandbox, &format!("/api/v2/{record}/followers")), "user_id")
}

#[track_caller]
fn follow(sandbox: &Sandbox, record: &str, user: u64) -> Value {
    let (status, body) = send(sandbox, "POST", &format!("/api/v2/{record}/followers"), json!({ "user_id": user }));
    assert_eq!(status, 201, "user {user} should follow {record}; the answer was {body}");
    body["data"].clone()
}

fn read_count(sandbox: &Sandbox, record: &str, field: &str) -> Value {
    get_data(sandbox, &format!("/api/v2/{record}?include_fields={field}"))[field].clone()
}

#[test]
fn adds_and_removes_a_follower() {
    let folder = Folder::new();
    let sandbox = open_with_product(&folder);
    for record in ["deals/3", "persons/3", "organizations/3", "products/7"] {
        let path = format!("/api/v2/{record}/followers");
        let before = list_followers(&sandbox, record);
        assert!(!before.contains(&2), "user 2 should be free to follow {record}");
        let added = follow(&sandbox, record, 2);
        let listed = get_data(&sandbox, &path);
        assert_eq!(listed.as_array().and_then(|rows| rows.last()), Some(&added), "the list should end with the added follower");
        assert_refused(&send(&sandbox, "POST", &path, json!({ "user_id": 2 })), 400, "is a follower already");
        assert_refused(&send(&sandbox, "POST", &path, json!({ "user_id": 99 })), 400, "does not exist");
        assert_refused(&send(&sandbox, "POST", &path, json!({})), 400, "user_id");
        let log = get_data(&sandbox, &format!("{path}/changelog"));
        assert_eq!(
            log.as_array().and_then(|rows| rows.last()),
            Some(&json!({ "action": "added", "actor_user_id": 1, "follower_user_id": 2, "time": added["add_time"] }))
        );
        assert_eq!(send_ok(&sandbox, "DELETE", &format!("{path}/2"), json!({})), json!({ "user_id": 2 }));
        assert_refused(&send(&sandbox, "DELETE", &format!("{path}/2"), json!({})), 404, "Follower not found");
        assert_eq!(list_followers(&sandbox, record), before);
        let log = get_data(&sandbox, &format!("{path}/changelog"));
        assert_eq!(log.as_array().map(Vec::len), Some(before.len() + 2), "the log should keep the addition after a removal");
        assert_eq!(log[before.len() + 1]["action"], "removed");
        follow(&sandbox, record, 2);
    }
    for (table, label) in [("deals", "Deal"), ("persons", "Person"), ("organizations", "Organization"), ("products", "Product")] {
        let path = format!("/api/v2/{table}/9999/followers");
        let missing = format!("{label} not found");
        assert_refused(&get(&sandbox, &path), 404, &missing);
        assert_refused(&get(&sandbox, &format!("{path}/changelog")), 404, &missing);
        assert_refused(&send(&sandbox, "POST", &path, json!({ "user_id": 2 })), 404, &missing);
        assert_refused(&send(&sandbox, "DELETE", &format!("{path}/2"), json!({})), 404, &missing);
    }
}

#[test]
fn pages_and_counts_followers() {
    let sandbox = sandbox();
    for table in RECORDS {
        let record = format!("{table}/1");
        let all = list_followers(&sandbox, &record);
        assert!(all.len() > 1 && all.contains(&1), "{record} should have two followers in the demo; it has {all:?}");
        assert_eq!(read_count(&sandbox, &record, "followers_count"), all.len());
        follow(&sandbox, &record, 4);
        assert_eq!(read_count(&sandbox, &record, "followers_count"), all.len() + 1);
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let (_, page) = get(&sandbox, &format!("/api/v2/{record}/followers?limit=1{cursor}"));
            paged.extend(list_numbers(&page["data"], "user_id"));
            let Some(next) = page["additional_data"]["next_cursor"].as_str() else { break };
            assert_refused(&get(&sandbox, &format!("/api/v2/{table}/2/followers?cursor={next}")), 400, "another list");
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, list_followers(&sandbox, &record), "the pages should add up to the list");
    }
    assert_eq!(list_followers(&sandbox, "users/1"), [2, 3, 4], "a user's followers should be listed");
    assert_refused(&get(&sandbox, "/api/v2/users/99/followers"), 404, "User not found");
}

#[test]
fn merge_keeps_each_follower_and_participant_once() {
    let sandbox = sandbox();
    let deal = |title: &str, person: u64| {
        let body = json!({ "title": title, "person_id": person });
        send_ok(&sandbox, "POST", "/api/v2/deals", body)["id"].as_u64().expect("a record has an id")
    };
    let (from, into) = (deal("From", 7), deal("Into", 8));
    for (deal, user) in [(from, 1), (from, 2), (into, 2), (into, 3)] {
        follow(&sandbox, &format!("deals/{deal}"), user);
    }
    send_ok(&sandbox, "POST", &format!("/v1/deals/{into}/participants"), json!({ "person_id": 7 }));
    send_ok(&sandbox, "PUT", &format!("/v1/deals/{from}/merge"), json!({ "merge_with_id": into }));
    let mut merged = list_followers(&sandbox, &format!("deals/{into}"));
    merged.sort_unstable();
    assert_eq!(merged, [1, 2, 3]);
    assert_eq!(read_count(&sandbox, &format!("deals/{into}"), "participants_count"), 2);
    send_ok(&sandbox, "PUT", "/v1/persons/7/merge", json!({ "merge_with_id": 8 }));
    assert_eq!(read_count(&sandbox, &format!("deals/{into}"), "participants_count"), 1, "two merged participants should count as one");
    assert_eq!(list_followers(&sandbox, "users/1"), [2, 3, 4], "a merge should not change followers of other records");
}

#[test]
fn hidden_record_permits_owner_followers_and_admins() {
    let folder = Folder::new();
    let sandbox = open_with_product(&folder);
    let permitted = |record: &str| get_data(&sandbox, &format!("/v1/{record}/permittedUsers"));
    for table in RECORDS {
        let name = if *table == "deals" { "title" } else { "name" };
        let body = json!({ name: "Hidden", "owner_id": 2, "visible_to": 1 });
        let record = format!("{table}/{}", send_ok(&sandbox, "POST", &format!("/api/v2/{table}"), body)["id"]);
        assert_eq!(permitted(&record), json!([1, 2]), "the owner of {record}, user 2, and the admin, user 1, should see it");
        follow(&sandbox, &record, 4);
        assert_eq!(permitted(&record), json!([1, 2, 4]));
        send_ok(&sandbox, "PATCH", &format!("/api/v2/{record}"), json!({ "visible_to": 3, "owner_id": 1 }));
        assert_eq!(permitted(&record), json!([1, 2, 3, 4]), "every user should see {record}");
        assert_refused(&get(&sandbox, &format!("/v1/{table}/9999/permittedUsers")), 404, "not found");
    }
    assert_eq!(permitted("products/7"), json!([1, 2]));
}

#[test]
fn adds_and_removes_a_participant() {
    let sandbox = sandbox();
    let path = "/v1/deals/1/participants";
    let before = get_data(&sandbox, path);
    let persons = |rows: &Value| rows.as_array().into_iter().flatten().filter_map(|row| row["person"]["id"].as_u64()).collect::<Vec<_>>();
    assert!(list_numbers(&before, "id").contains(&1) && persons(&before).len() > 1 && !persons(&before).contains(&5), "{before}");
    let count_participations = |sandbox: &Sandbox| read_count(sandbox, "persons/5", "participant_open_deals_count");
    let (participations, size) = (count_participations(&sandbox).as_u64(), persons(&before).len());

    send_ok(&sandbox, "PATCH", "/api/v2/deals/1", json!({ "status": "open" }));
    let (status, added) = send(&sandbox, "POST", path, json!({ "person_id": 5 }));
    assert_eq!(status, 200, "{added}");
    let row = &added["data"];
    assert_eq!((&row["person_id"]["value"], &row["person"]["id"], &row["added_by_user_id"]["value"]), (&json!(5), &json!(5), &json!(1)));
    assert_eq!(
        row["person"]["owner_id"]["id"], row["person_id"]["owner_id"],
        "the owner should be an object in `person` and an id in `person_id`"
    );
    assert_eq!(row["related_item_data"]["deal_id"], 1);
    assert_eq!(added["related_objects"]["person"]["5"]["name"], row["person"]["name"]);
    assert!(row["add_time"].as_str().is_some_and(|time| time.contains(' ')), "v1 should write times without a T: {row}");
    let (_, last) = get(&sandbox, &format!("{path}?start={size}&limit=1"));
    assert_eq!((&last["data"][0], &last["additional_data"]["pagination"]["more_items_in_collection"]), (row, &json!(false)));
    assert_eq!(read_count(&sandbox, "deals/1", "participants_count"), size + 1);
    assert_eq!(count_participations(&sandbox).as_u64(), participations.map(|count| count + 1));

    assert_refused(&send(&sandbox, "POST", path, json!({ "person_id": 5 })), 400, "is a participant already");
    assert_refused(&send(&sandbox, "POST", path, json!({ "person_id": 9999 })), 400, "does not exist");
    assert_refused(&send(&sandbox, "POST", path, json!({})), 400, "person_id");
    assert_refused(&send(&sandbox, "POST", "/v1/deals/9999/participants", json!({ "person_id": 5 })), 404, "Deal not found");
    assert_refused(&get(&sandbox, "/v1/deals/9999/participants"), 404, "Deal not found");
    assert_refused(&send(&sandbox, "DELETE", &format!("/v1/deals/2/participants/{}", row["id"]), json!({})), 404, "Participant not found");

    assert_eq!(send_ok(&sandbox, "DELETE", &format!("{path}/{}", row["id"]), json!({})), json!({ "id": row["id"] }));
    assert_refused(&send(&sandbox, "DELETE", &format!("{path}/{}", row["id"]), json!({})), 404, "Participant not found");
    assert_eq!(get_data(&sandbox, path), before);
}

#[test]
fn person_of_a_deal_is_a_participant() {
    let sandbox = sandbox();
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "person_id": 5 }))["id"].clone();
    let path = format!("/v1/deals/{deal}/participants");
    let persons = || get_data(&sandbox, &path).as_array().into_iter().flatten().map(|row| row["person"]["id"].clone()).collect::<Vec<_>>();
    assert_eq!(persons(), [5]);
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{deal}"), json!({ "person_id": 6 }));
    assert_eq!(persons(), [5, 6], "the former person of the deal should stay a participant");
    let row = get_data(&sandbox, &path)[1]["id"].clone();
    send_ok(&sandbox, "DELETE", &format!("{path}/{row}"), json!({}));
    assert_eq!(persons(), [5]);
    assert_eq!(
        get_data(&sandbox, &format!("/api/v2/deals/{deal}"))["person_id"],
        Value::Null,
        "the deal should lose a person who was removed as participant"
    );
}
