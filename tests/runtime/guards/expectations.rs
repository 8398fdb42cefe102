//! Records that are as expected, and those that are not: each kind of value and of action.

use serde_json::{Value, json};

use super::{add, count_writes, read_conflict};
use crate::support::runtime::RecordedAccount;

/// A lead of the demo account.
const LEAD: &str = "10000000-0000-4000-8000-000000000001";

/// The values of a deal, each with one that it has, in words of the caller, and with one that it has not.
fn list_values() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("title", json!("Guarded"), json!("guarded")),
        ("value", json!(100.5), json!(100)),
        ("value", json!("100.5"), json!(null)),
        ("currency", json!("EUR"), json!({"name": "US Dollar"})),
        ("stageId", json!(1), json!({"name": "Contact made"})),
        ("pipelineId", json!({"name": "Sales"}), json!({"name": "Renewals"})),
        ("ownerId", json!("me"), json!({"name": "Ben Harbour"})),
        ("personId", json!({"email": "alma.ashford0@example.com"}), json!(null)),
        ("orgId", json!({"name": "Amber Works"}), json!(2)),
        ("labelIds", json!(["Cold", 1]), json!(["Hot"])),
        ("isArchived", json!(false), json!("true")),
        ("status", json!("open"), json!("won")),
        ("probability", json!(40), json!(0)),
        ("expectedCloseDate", json!("2026-12-31"), json!("2026-12-30")),
        ("lostReason", json!(null), json!("Price")),
        ("wonTime", json!(null), json!("2026-11-22T12:00:00Z")),
    ]
}

/// The custom fields of a deal, likewise: the name, the value that is set, and those that it has and has not.
fn list_fields() -> Vec<(&'static str, Value, Value, Value)> {
    vec![
        ("Reference", json!("PO-1"), json!("PO-1"), json!("PO-2")),
        ("Score", json!(12.5), json!("12.5"), json!(0)),
        ("Budget", json!({"value": 5000, "currency": "EUR"}), json!({"value": 5000, "currency": "EUR"}), json!(null)),
        ("Interests", json!(["Support", "Automation"]), json!(["automation", "Support"]), json!(["Support"])),
        ("Tier", json!("Gold"), json!("Gold"), json!("Silver")),
        ("Account manager", json!(2), json!({"name": "Ben Harbour"}), json!("me")),
        ("Partner", json!(1), json!({"name": "Amber Works"}), json!(2)),
        ("Introduced by", json!(1), json!({"email": "alma.ashford0@example.com"}), json!(2)),
        ("Hotline", json!("+1 555 0100"), json!("+1 555 0100"), json!("+1 555 0101")),
        ("Best time to call", json!("09:30:00"), json!({"value": "09:30:00"}), json!("09:31:00")),
        ("First met", json!("2026-01-31"), json!("2026-01-31"), json!("2026-02-01")),
        (
            "Trial",
            json!({"value": "2026-01-31", "until": "2026-02-28"}),
            json!({"value": "2026-01-31", "until": "2026-02-28"}),
            json!({"value": "2026-01-31", "until": "2026-03-01"}),
        ),
        ("Site", json!("Harbour Street 1"), json!("Harbour Street 1"), json!("Harbour Street 2")),
        ("Background", json!(null), json!(null), json!("A line.")),
    ]
}

#[tokio::test]
async fn each_kind_of_value_is_compared_and_names_are_resolved() {
    let account = RecordedAccount::start().await;
    let fields: Value = list_fields().into_iter().map(|(name, value, ..)| (name.to_owned(), value)).collect();
    let input = json!({"title": "Guarded", "value": 100.5, "currency": "EUR", "pipelineId": 1, "stageId": 1, "personId": 1, "orgId": 1,
        "labelIds": [1, 3], "probability": 40, "expectedCloseDate": "2026-12-31", "customFields": fields});
    let deal = add(&account, "addDeal", input).await["id"].clone();
    let update =
        async |expected: Value| account.call("updateDeal", json!({"dealId": deal, "title": "Guarded"}), json!({"expect": expected})).await;
    let plain = list_values().into_iter().map(|(name, has, has_not)| (format!("/{name}"), json!({name: has}), json!({name: has_not})));
    let custom = list_fields().into_iter().map(|(name, _, has, has_not)| {
        (format!("/customFields/{name}"), json!({"customFields": {name: has}}), json!({"customFields": {name: has_not}}))
    });
    for (path, has, has_not) in plain.chain(custom) {
        let done = update(has.clone()).await;
        assert_eq!((&done["ok"], &done["data"]["title"]), (&json!(true), &json!("Guarded")), "{has}: {done}");
        let written = count_writes(&account);
        let refused = update(has_not.clone()).await;
        let faults = read_conflict(&refused);
        assert_eq!(faults.len(), 1, "{has_not}: {refused}");
        assert_eq!((faults[0].0, Some(faults[0].1)), (&*path, has_not.pointer(&path)), "{refused}");
        assert_eq!(count_writes(&account), written, "nothing is written: {has_not}");
    }
}

#[tokio::test]
async fn time_of_the_last_change_is_compared_as_a_moment() {
    let account = RecordedAccount::start().await;
    let mut deal = add(&account, "addDeal", json!({"title": "Timed"})).await;
    let in_tallinn = |time: &str| time.replacen("T12:", "T14:", 1).replace('Z', "+02:00");
    let in_words = |time: &str| time.replace('T', " ").replace('Z', "");
    for write in [|time: &str| time.to_owned(), in_tallinn, in_words] {
        let time = deal["update_time"].as_str().expect("a time").to_owned();
        let update = async |expected: &str| {
            account.call("updateDeal", json!({"dealId": deal["id"], "title": "Timed"}), json!({"expect": {"updateTime": expected}})).await
        };
        let done = update(&write(&time)).await;
        assert_eq!(done["ok"], true, "{time}: {done}");
        // The change itself has another time.
        let late = update(&write(&time)).await;
        assert_eq!(read_conflict(&late), [("/updateTime", &json!(write(&time)), &done["data"]["update_time"])], "{late}");
        deal = done["data"].clone();
    }
}

#[tokio::test]
async fn conflict_tells_each_value_that_differs_with_what_stands() {
    let account = RecordedAccount::start().await;
    let deal = add(&account, "addDeal", json!({"title": "Old", "value": 5, "customFields": {"Tier": "Gold"}})).await;
    account.send("PATCH", &format!("/api/v2/deals/{}", deal["id"]), json!({"title": "New", "value": 6})).await;
    let expected = json!({"title": "Old", "value": 5, "lostReason": null, "customFields": {"Tier": "Silver"}});
    let outcome = account.call("updateDeal", json!({"dealId": deal["id"], "value": 7}), json!({"expect": expected})).await;
    let (tier, gold) = (json!("Silver"), json!(3));
    let faults = [("/title", &json!("Old"), &json!("New")), ("/value", &json!(5), &json!(6)), ("/customFields/Tier", &tier, &gold)];
    assert_eq!(read_conflict(&outcome), faults, "{outcome}");
    assert_eq!(outcome["error"]["faults"][0]["message"], "is \"New\", and \"Old\" is expected", "{outcome}");
    assert_eq!(outcome["error"]["upstream"], Value::Null, "the vendor refused nothing: {outcome}");
    let now = account.call("getDeal", json!({"dealId": deal["id"]}), json!({})).await;
    assert_eq!((&now["data"]["title"], &now["data"]["value"]), (&json!("New"), &json!(6)), "{now}");
}

#[tokio::test]
async fn each_action_that_changes_one_record_is_guarded() {
    let account = RecordedAccount::start().await;
    let person = add(&account, "addPerson", json!({"name": "Ann", "emails": [{"value": "ann@example.com", "label": "work"}]})).await;
    let company = add(&account, "addOrganization", json!({"name": "Amber Yard", "address": {"value": "Quay 1"}})).await;
    let activity = add(&account, "addActivity", json!({"subject": "Call", "dueDate": "2026-12-01", "dueTime": "09:30"})).await;
    let note = add(&account, "addNote", json!({"content": "<p>Old</p>", "dealId": 1, "pinnedToDealFlag": true})).await;
    let product = add(&account, "addProduct", json!({"name": "Mast", "code": "M-1", "customFields": {"Interests": ["Support"]}})).await;
    let comment = add(&account, "addNoteComment", json!({"noteId": note["id"], "content": "<p>Yes</p>"})).await;
    account.call("updateLead", json!({"leadId": LEAD, "customFields": {"Interests": ["Support", "Automation"]}}), json!({})).await;
    let other = add(&account, "addDeal", json!({"title": "Twin"})).await;
    let (mail, more) = (json!([{"value": "ann@example.com"}]), json!([{"value": "ann@example.com"}, {"value": "ann@example.org"}]));
    for (action, input, has, has_not) in [
        ("updatePerson", json!({"personId": person["id"], "name": "Anna"}), json!({"emails": mail}), json!({"emails": more})),
        (
            "setFieldValueForPerson",
            json!({"personId": person["id"], "fieldKey": "name", "value": "Ann"}),
            json!({"name": "Anna"}),
            json!({"name": "Ann"}),
        ),
        (
            "updateOrganization",
            json!({"orgId": company["id"], "name": "Yard"}),
            json!({"address": {"value": "Quay 1"}}),
            json!({"address": null}),
        ),
        (
            "updateActivity",
            json!({"activityId": activity["id"], "done": true}),
            json!({"dueTime": "09:30", "done": false}),
            json!({"done": true}),
        ),
        ("deleteActivity", json!({"activityId": activity["id"]}), json!({"done": true}), json!({"subject": "Mail"})),
        ("updateNote", json!({"noteId": note["id"], "content": "<p>New</p>"}), json!({"pinnedToDealFlag": true}), json!({"dealId": 2})),
        (
            "updateNoteComment",
            json!({"noteId": note["id"], "commentId": comment["uuid"], "content": "<p>No</p>"}),
            json!({"content": "<p>Yes</p>"}),
            json!({"content": "<p>No</p>"}),
        ),
        ("deleteNote", json!({"noteId": note["id"]}), json!({"content": "<p>New</p>"}), json!({"content": "<p>Old</p>"})),
        (
            "updateProduct",
            json!({"productId": product["id"], "name": "Sail"}),
            json!({"code": "M-1"}),
            json!({"customFields": {"Interests": null}}),
        ),
        ("deleteProduct", json!({"productId": product["id"]}), json!({"name": "Sail"}), json!({"name": "Mast"})),
        (
            "updateLead",
            json!({"leadId": LEAD, "title": "Lead"}),
            json!({"customFields": {"Interests": ["Automation", "Support"]}}),
            json!({"customFields": {"Interests": ["Support"]}}),
        ),
        ("deleteLead", json!({"leadId": LEAD}), json!({"title": "Lead", "personId": 1}), json!({"title": "Other"})),
        ("updateStage", json!({"stageId": 1, "name": "First"}), json!({"name": "Qualified"}), json!({"name": "First"})),
        ("updatePipeline", json!({"pipelineId": 2, "name": "Again"}), json!({"name": "Renewals"}), json!({"name": "Sales"})),
        ("mergeDeals", json!({"dealId": other["id"], "mergeWithId": 1}), json!({"title": "Twin"}), json!({"title": "Old"})),
        ("deleteDeal", json!({"dealId": 2}), json!({"status": "won", "isDeleted": false}), json!({"status": "lost", "isDeleted": true})),
        ("deleteOrganization", json!({"orgId": company["id"]}), json!({"name": "Yard"}), json!({"name": "Amber Yard"})),
        ("deletePerson", json!({"personId": person["id"]}), json!({"name": "Ann"}), json!({"name": "Anna"})),
    ] {
        let written = count_writes(&account);
        let refused = account.call(action, input.clone(), json!({"expect": has_not})).await;
        assert!(!read_conflict(&refused).is_empty(), "{action}: {refused}");
        assert_eq!(count_writes(&account), written, "{action} writes nothing");
        let done = account.call(action, input, json!({"expect": has})).await;
        assert_eq!(done["ok"], true, "{action}: {done}");
        assert_eq!(count_writes(&account), written + 1, "{action}");
    }
}

#[tokio::test]
async fn record_that_is_gone_is_not_found_and_nothing_is_written() {
    let account = RecordedAccount::start().await;
    let outcome = account.call("deleteDeal", json!({"dealId": 99_999}), json!({"expect": {"title": "x"}})).await;
    assert_eq!(outcome["error"]["kind"], "not_found", "{outcome}");
    assert_eq!(count_writes(&account), 0, "{outcome}");
}

#[tokio::test]
async fn what_cannot_be_expected_is_told_at_once_and_nothing_is_sent() {
    let account = RecordedAccount::start().await;
    for (expected, paths) in [
        (json!({}), &[""][..]),
        (json!({"titel": "x"}), &["/titel"]),
        (json!({"dealId": 1}), &["/dealId"]),
        (json!({"value": "much", "stageId": 0, "status": "gone"}), &["/value", "/stageId", "/status"]),
        (json!({"updateTime": 7}), &["/updateTime"]),
        (json!({"labelIds": {"add": [1]}}), &["/labelIds"]),
        (json!({"customFields": {"Interests": {"add": ["Support"]}}}), &["/customFields/Interests"]),
        (json!({"customFields": null}), &["/customFields"]),
    ] {
        let outcome = account.call("updateDeal", json!({"dealId": 1, "value": 7}), json!({"expect": expected})).await;
        assert_eq!(outcome["error"]["kind"], "invalid_invocation", "{expected}: {outcome}");
        let mut found: Vec<&str> =
            outcome["error"]["faults"].as_array().expect("faults").iter().filter_map(|fault| fault["path"].as_str()).collect();
        let mut paths = paths.to_vec();
        found.sort_unstable();
        paths.sort_unstable();
        assert_eq!(found, paths, "{expected}: {outcome}");
    }
    assert_eq!(account.count("", ""), 0, "nothing is sent");
    // A name is looked for before it is known to be wrong.
    let expected = json!({"stageId": {"name": "Nowhere"}, "customFields": {"Teir": "Gold"}});
    let outcome = account.call("updateDeal", json!({"dealId": 1, "value": 7}), json!({"expect": expected})).await;
    assert_eq!(outcome["error"]["kind"], "invalid_invocation", "{outcome}");
    let paths: Vec<&str> =
        outcome["error"]["faults"].as_array().expect("faults").iter().filter_map(|fault| fault["path"].as_str()).collect();
    assert_eq!(paths, ["/stageId", "/customFields/Teir"], "{outcome}");
    assert_eq!(count_writes(&account), 0, "{outcome}");
}

#[tokio::test]
async fn actions_that_change_no_readable_record_say_why_they_take_no_expectation() {
    let account = RecordedAccount::start().await;
    for (action, input, word) in [
        ("getDeal", json!({"dealId": 1}), "changes nothing"),
        ("selectDeal", json!({}), "changes nothing"),
        ("addDeal", json!({"title": "x"}), "adds something"),
        ("deleteDealFollower", json!({"dealId": 1, "followerId": 1}), "No action reads the record"),
        ("rawRequest", json!({"method": "DELETE", "path": "/api/v2/deals/1"}), "No action reads the record"),
    ] {
        let outcome = account.call(action, input, json!({"expect": {"title": "x"}})).await;
        assert_eq!(outcome["error"]["kind"], "invalid_invocation", "{outcome}");
        assert!(outcome["error"]["message"].as_str().is_some_and(|message| message.contains(word)), "{action}: {outcome}");
    }
    assert_eq!(account.count("", ""), 0, "nothing is sent");
}

#[tokio::test]
async fn times_without_a_zone_are_those_of_the_zone_that_the_caller_names() {
    let account = RecordedAccount::start().await;
    let deal = add(&account, "addDeal", json!({"title": "Won", "status": "won", "wonTime": "2026-11-22T10:00:00Z"})).await;
    let update = async |time: &str, zone: &str| {
        let options = json!({"expect": {"wonTime": time}, "timeZone": zone});
        account.call("updateDeal", json!({"dealId": deal["id"], "title": "Won"}), options).await
    };
    let done = update("2026-11-22 12:00:00", "Europe/Tallinn").await;
    assert_eq!(done["ok"], true, "{done}");
    assert_eq!(read_conflict(&update("2026-11-22 12:00:00", "Europe/Paris").await).len(), 1);
}
