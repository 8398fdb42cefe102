//! Leads, their labels and sources, and conversions.

use serde_json::{Value, json};

use super::{assert_refused, create, find_custom_field, get, get_data, sandbox, send, send_ok};

const FIRST: &str = "10000000-0000-4000-8000-000000000001";
const HOT: &str = "20000000-0000-4000-8000-000000000001";
const NOBODY: &str = "10000000-0000-4000-8000-000000009999";

fn list_uuids(data: &Value) -> Vec<&str> {
    data.as_array().expect("the data is a list").iter().filter_map(|row| row["id"].as_str()).collect()
}

#[test]
fn creates_reads_changes_and_deletes_a_lead() {
    let sandbox = sandbox();
    let body = json!({ "title": "Zeppelin", "person_id": 2, "value": { "amount": 99.5, "currency": "USD" }, "label_ids": [HOT] });
    let lead = create(&sandbox, "/v1/leads", body);
    let id = lead["id"].as_str().expect("a lead has a UUID").to_owned();
    let path = format!("/v1/leads/{id}");
    assert_eq!((&lead["owner_id"], &lead["source_name"], &lead["visible_to"]), (&json!(1), &json!("API"), &json!("3")));
    assert_eq!((&lead["value"], &lead["add_time"]), (&json!({ "amount": 99.5, "currency": "USD" }), &json!("2026-11-22T12:00:00.000Z")));
    assert_eq!(get_data(&sandbox, &path), lead);
    let changed = send_ok(&sandbox, "PATCH", &path, json!({ "organization_id": 3, "person_id": null, "value": null, "visible_to": "1" }));
    assert_eq!((&changed["organization_id"], &changed["person_id"], &changed["value"]), (&json!(3), &Value::Null, &Value::Null));
    assert_eq!(changed["visible_to"], "1");
    send_ok(&sandbox, "PATCH", &path, json!({ "owner_id": 3 }));
    assert_eq!(get_data(&sandbox, &format!("{path}/permittedUsers")), json!([1, 3]), "the owner and the admin should see the lead");
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "organization_id": null })), 400, "needs a person_id or an organization_id");

    assert_eq!(list_uuids(&get_data(&sandbox, "/v1/leads?updated_since=2026-11-22T12:00:00Z")), [&id]);
    assert_eq!(list_uuids(&get_data(&sandbox, "/v1/leads?organization_id=3&sort=add_time%20DESC&limit=1")), [&id]);
    let activity = send_ok(&sandbox, "POST", "/api/v2/activities", json!({ "subject": "x", "lead_id": id }));
    assert_eq!((&activity["lead_id"], &get_data(&sandbox, &path)["next_activity_id"]), (&json!(id), &activity["id"]));
    send_ok(&sandbox, "PATCH", &path, json!({ "is_archived": true }));
    assert!(!list_uuids(&get_data(&sandbox, "/v1/leads")).contains(&id.as_str()));
    assert!(
        list_uuids(&get_data(&sandbox, "/v1/leads/archived")).contains(&id.as_str()),
        "an archived lead should be in the list of archived leads"
    );
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "title": "x" })), 400, "unarchived");

    assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({})), json!({ "id": id }));
    assert_refused(&get(&sandbox, &path), 404, "Lead not found");
    for (body, part) in [
        (json!({ "title": "x" }), "needs a person_id or an organization_id"),
        (json!({ "person_id": 1 }), "title: is required"),
        (json!({ "title": "x", "person_id": 999 }), "person_id: 999 does not exist"),
        (json!({ "title": "x", "person_id": 1, "value": { "amount": 1 } }), "value.currency: is required"),
        (json!({ "title": "x", "person_id": 1, "value": { "amount": 1, "currency": "euro" } }), "three letters"),
        (json!({ "title": "x", "person_id": 1, "label_ids": [NOBODY] }), "does not exist"),
        (json!({ "title": "x", "person_id": 1, "label_ids": ["hot"] }), "must be a UUID"),
        (json!({ "title": "x", "person_id": 1, "visible_to": "2" }), "visible_to: must be one of"),
    ] {
        assert_refused(&send(&sandbox, "POST", "/v1/leads", body), 400, part);
    }
    assert_refused(&get(&sandbox, "/v1/leads/1"), 400, "id: is not in the documented format");
    assert_refused(&get(&sandbox, &format!("/v1/leads/{NOBODY}")), 404, "Lead not found");
}

#[test]
fn lead_has_the_custom_fields_of_deals() {
    let sandbox = sandbox();
    let (score, tier, budget, interests) = (
        find_custom_field(&sandbox, "double"),
        find_custom_field(&sandbox, "enum"),
        find_custom_field(&sandbox, "monetary"),
        find_custom_field(&sandbox, "set"),
    );
    let currency = format!("{budget}_currency");
    let body = json!({
        "title": "x", "person_id": 1, &score: "2.5", &tier: "3", &budget: 70, &currency: "GBP", &interests: "1,2",
    });
    let lead = create(&sandbox, "/v1/leads", body);
    assert_eq!((&lead[&score], &lead[&tier], &lead[&interests]), (&json!(2.5), &json!("3"), &json!("1,2")));
    assert_eq!((&lead[&budget], &lead[&currency]), (&json!(70), &json!("GBP")));
    assert!(lead.get(find_custom_field(&sandbox, "phone")).is_none(), "a lead should show only custom fields with a value");
    let path = format!("/v1/leads/{}", lead["id"].as_str().unwrap_or_default());
    let changed = send_ok(&sandbox, "PATCH", &path, json!({ &score: null }));
    assert!(changed.get(&score).is_none() && changed[&tier] == "3", "null should clear only its field: {changed}");
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ &tier: 9 })), 400, "9 is not an option");
    let fields = get_data(&sandbox, "/v1/leadFields?limit=500");
    assert!(fields.as_array().is_some_and(|all| all.iter().any(|f| f["key"] == score) && all.iter().any(|f| f["key"] == "was_seen")));
}

#[test]
fn searches_and_filters_leads() {
    let sandbox = sandbox();
    let title = get_data(&sandbox, &format!("/v1/leads/{FIRST}"))["title"].as_str().expect("a lead has a title").to_owned();
    let found =
        |rest: &str| get_data(&sandbox, &format!("/api/v2/leads/search?term=relaunch{rest}"))["items"].as_array().expect("items").clone();
    let items = found("&include_fields=lead.was_seen");
    let item = &items[0]["item"];
    assert_eq!((&item["id"], &item["title"], &item["type"]), (&json!(FIRST), &json!(title), &json!("lead")));
    assert_eq!((&item["value"], &item["currency"], &item["was_seen"]), (&json!(4200), &json!("EUR"), &json!(false)));
    assert!(item["person"]["id"] == 1 && item["emails"][0].is_string(), "a found lead should have its person's contact details: {item}");
    assert_eq!((found("&person_id=1").len(), found("&person_id=2").len(), found("&fields=notes").len()), (1, 0, 0));
    assert_eq!(found("&exact_match=true").len(), 0);
    let organization = get_data(&sandbox, &format!("/v1/leads/{FIRST}"))["organization_id"].clone();
    assert_eq!(found(&format!("&organization_id={organization}")).len(), 1);
    send_ok(&sandbox, "POST", "/v1/notes", json!({ "content": "about plugh", "lead_id": FIRST }));
    assert_eq!(get_data(&sandbox, "/v1/leads/search?term=plugh&fields=notes")["items"][0]["item"]["notes"], json!(["about plugh"]));

    let filter = get_data(&sandbox, "/v1/filters?type=leads")[0]["id"].clone();
    let found = get_data(&sandbox, &format!("/v1/leads?filter_id={filter}&owner_id=4"));
    let amounts: Vec<f64> = found.as_array().into_iter().flatten().filter_map(|lead| lead["value"]["amount"].as_f64()).collect();
    assert!(amounts.len() > 2 && amounts.iter().all(|amount| *amount > 2000.0), "a filter should override owner_id: {found}");
    assert_refused(&get(&sandbox, "/v1/leads?filter_id=1"), 400, "of another type");
    assert_refused(&get(&sandbox, "/v1/leads?sort=colour"), 400, "sort: must be one of");
}

#[test]
fn manages_labels_and_lists_sources() {
    let sandbox = sandbox();
    let label = send_ok(&sandbox, "POST", "/v1/leadLabels", json!({ "name": "Later", "color": "gray" }));
    let path = format!("/v1/leadLabels/{}", label["id"].as_str().unwrap_or_default());
    send_ok(&sandbox, "PATCH", &format!("/v1/leads/{FIRST}"), json!({ "label_ids": [label["id"], HOT] }));
    assert_eq!(send_ok(&sandbox, "PATCH", &path, json!({ "color": "pink" }))["color"], "pink");
    assert!(list_uuids(&get_data(&sandbox, "/v1/leadLabels")).contains(&label["id"].as_str().unwrap_or_default()));
    assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({})), json!({ "id": label["id"] }));
    assert_eq!(
        get_data(&sandbox, &format!("/v1/leads/{FIRST}"))["label_ids"],
        json!([HOT]),
        "a deleted label should be removed from leads"
    );
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "name": "x" })), 404, "Lead label not found");
    assert_refused(&send(&sandbox, "POST", "/v1/leadLabels", json!({ "name": "x" })), 400, "color: is required");
    assert_refused(&send(&sandbox, "POST", "/v1/leadLabels", json!({ "name": "x", "color": "black" })), 400, "color: must be one of");
    assert!(get_data(&sandbox, "/v1/leadSources").as_array().is_some_and(|all| all.contains(&json!({ "name": "API" }))));
}

#[test]
fn converts_between_leads_and_deals() {
    let sandbox = sandbox();
    let note = send_ok(&sandbox, "POST", "/v1/notes", json!({ "content": "x", "lead_id": FIRST }))["id"].clone();
    let lead = get_data(&sandbox, &format!("/v1/leads/{FIRST}"));
    let job = send_ok(&sandbox, "POST", &format!("/api/v2/leads/{FIRST}/convert/deal"), json!({ "stage_id": 7, "pipeline_id": 1 }));
    let job = job["conversion_id"].as_str().expect("a conversion has a UUID").to_owned();
    let status = get_data(&sandbox, &format!("/api/v2/leads/{FIRST}/convert/status/{job}"));
    assert_eq!(status["status"], "completed");
    let deal = get_data(&sandbox, &format!("/api/v2/deals/{}?include_fields=source_lead_id", status["deal_id"]));
    assert_eq!((&deal["title"], &deal["value"], &deal["stage_id"]), (&lead["title"], &lead["value"]["amount"], &json!(7)));
    assert_eq!((&deal["org_id"], &deal["source_lead_id"]), (&lead["organization_id"], &json!(FIRST)));
    assert_eq!(get_data(&sandbox, &format!("/v1/notes/{note}"))["deal_id"], deal["id"], "the notes of the lead should move to the deal");
    assert_refused(&get(&sandbox, &format!("/v1/leads/{FIRST}")), 404, "Lead not found");
    assert_refused(&send(&sandbox, "POST", &format!("/api/v2/leads/{FIRST}/convert/deal"), json!({})), 404, "Lead not found");
    assert_refused(&get(&sandbox, &format!("/api/v2/leads/{NOBODY}/convert/status/{job}")), 404, "Conversion not found");

    let back = send_ok(&sandbox, "POST", &format!("/api/v2/deals/{}/convert/lead", deal["id"]), json!({}));
    let back = back["conversion_id"].as_str().expect("a conversion has a UUID").to_owned();
    let status = get_data(&sandbox, &format!("/api/v2/deals/{}/convert/status/{back}", deal["id"]));
    let again = get_data(&sandbox, &format!("/v1/leads/{}", status["lead_id"].as_str().unwrap_or_default()));
    assert_eq!((&again["value"], &again["source_deal_id"]), (&lead["value"], &deal["id"]));
    assert_eq!(get_data(&sandbox, &format!("/v1/notes/{note}"))["lead_id"], again["id"]);
    assert_eq!(get_data(&sandbox, &format!("/api/v2/deals/{}", deal["id"]))["is_deleted"], true);
}

#[test]
fn rejects_converting_a_deal_without_contacts() {
    let sandbox = sandbox();
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x" }))["id"].clone();
    let answer = send(&sandbox, "POST", &format!("/api/v2/deals/{deal}/convert/lead"), json!({}));
    assert_refused(&answer, 400, "needs a person_id or an organization_id");
    assert_eq!(get_data(&sandbox, &format!("/api/v2/deals/{deal}"))["is_deleted"], false);
}
