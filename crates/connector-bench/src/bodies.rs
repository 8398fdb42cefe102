//! Bodies of requests and responses, of the size and shape of Pipedrive's own.

use serde_json::{Map, Value, json};

/// Writes one deal in its envelope, about 2.2 KB.
pub(crate) fn one() -> String {
    json!({"success": true, "data": deal(1)}).to_string()
}

/// Writes a page of 100 deals, about 211 KB.
pub(crate) fn list() -> String {
    let deals: Vec<Value> = (1..=100).map(deal).collect();
    json!({"success": true, "data": deals, "additional_data": {"next_cursor": "eyJmaWVsZCI6ImlkIiwiZmllbGRWYWx1ZSI6MTAwfQ"}}).to_string()
}

/// Writes a page of a long list: so many deals from an ID on, and the cursor of the next page.
pub(crate) fn page(first: u64, count: u64, next: Option<u64>) -> String {
    let deal = deal(0).to_string();
    // The ID is the first member.
    let rest = deal.strip_prefix("{\"id\":0").unwrap_or_default();
    let deals: Vec<String> = (first..first + count).map(|id| format!("{{\"id\":{id}{rest}")).collect();
    let next = next.map(|next| format!("cursor-{next}"));
    format!("{{\"success\":true,\"data\":[{}],\"additional_data\":{}}}", deals.join(","), json!({"next_cursor": next}))
}

/// Builds the input of ten fields that the runtime checks and posts.
pub(crate) fn new_deal() -> Value {
    json!({
        "title": "Forty chairs and a table for the north office", "ownerId": 1_234_567, "personId": 42, "orgId": 7, "stageId": 3,
        "value": 12_500.5, "currency": "EUR", "status": "open", "expectedCloseDate": "2026-11-30", "labelIds": [1, 2, 3],
    })
}

/// Writes the same deal as the body that raw reqwest posts.
pub(crate) fn new_deal_on_the_wire() -> String {
    json!({
        "title": "Forty chairs and a table for the north office", "owner_id": 1_234_567, "person_id": 42, "org_id": 7, "stage_id": 3,
        "value": 12_500.5, "currency": "EUR", "status": "open", "expected_close_date": "2026-11-30", "label_ids": [1, 2, 3],
    })
    .to_string()
}

fn deal(id: u64) -> Value {
    let mut deal = json!({
        "id": id, "title": format!("Forty chairs and a table for the office in Łódź, part {id} of 100"),
        "creator_user_id": 13_045_678, "owner_id": 13_045_678, "person_id": 4_000 + id, "org_id": 700 + id, "pipeline_id": 1, "stage_id": 3,
        "value": 12_500.5, "currency": "EUR", "add_time": "2025-11-02T09:30:00Z", "update_time": "2026-01-17T16:05:41Z",
        "stage_change_time": "2025-12-24T11:00:09Z", "is_deleted": false, "is_archived": false, "archive_time": null, "status": "open",
        "probability": 60, "lost_reason": null, "visible_to": 3, "close_time": null, "won_time": null, "lost_time": null,
        "local_won_date": null, "local_lost_date": null, "local_close_date": null, "expected_close_date": "2026-11-30",
        "label_ids": [1, 2, 3], "origin": "ManuallyCreated", "origin_id": null, "channel": null, "channel_id": null,
        "acv": null, "arr": null, "mrr": null, "sequence_enrollment": null,
    });
    deal["custom_fields"] = custom_fields(id).into();
    deal
}

/// Writes the definitions of the account's own fields, with a few of those that every account has.
pub(crate) fn fields() -> String {
    let standard = ["id", "title", "value", "status"].map(|code| {
        json!({"field_code": code, "field_name": code, "field_type": "varchar", "options": null, "subfields": null, "is_custom_field": false})
    });
    let custom = KINDS.iter().enumerate().map(|(at, kind)| {
        let options: Vec<Value> = (15..30).map(|id| json!({"id": id, "label": format!("Choice no. {id}")})).collect();
        let has_options = matches!(*kind, "set" | "enum");
        json!({
            "field_code": hash(at as u64), "field_name": format!("Field of the account no. {at}"), "field_type": kind,
            "options": has_options.then_some(options), "subfields": null, "is_custom_field": true,
        })
    });
    let definitions: Vec<Value> = standard.into_iter().chain(custom).collect();
    json!({"success": true, "data": definitions, "additional_data": {"next_cursor": null}}).to_string()
}

/// The types of the account's own fields.
const KINDS: [&str; 23] = [
    "text",
    "double",
    "varchar",
    "monetary",
    "date",
    "enum",
    "set",
    "people",
    "time",
    "varchar",
    "org",
    "user",
    "daterange",
    "address",
    "phone",
    "double",
    "double",
    "timerange",
    "monetary",
    "varchar_auto",
    "enum",
    "set",
    "date",
];

/// Values of an account's own fields, by keys of 40 characters that are the same in every deal.
fn custom_fields(id: u64) -> Map<String, Value> {
    let values = [
        json!("Delivered by two lorries, the second after \"the holidays\""),
        json!(id * 10),
        json!(null),
        json!({"value": 990.25, "currency": "EUR"}),
        json!("2026-02-03"),
        json!(null),
        json!([17, 19]),
        json!(null),
        json!({"value": "09:30:00", "timezone_id": 12}),
        json!("north"),
        json!(null),
        json!(42),
        json!({"value": "2026-01-31", "until": "2026-02-28"}),
        json!(null),
        json!("+48 42 000 00 00"),
        json!(null),
        json!(3.75),
        json!(null),
        json!({"value": 45, "currency": "PLN"}),
        json!("a further line of text"),
        json!(null),
        json!([23]),
        json!("2026-03-08"),
    ];
    values.into_iter().enumerate().map(|(at, value)| (hash(at as u64), value)).collect()
}

fn hash(seed: u64) -> String {
    let word = |at: u64| (seed + at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let text = format!("{:016x}{:016x}{:016x}", word(0), word(100), word(200));
    text[..40].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bodies_are_of_pipedrives_size() {
        assert!((2_000..2_400).contains(&one().len()), "{}", one().len());
        assert!((200_000..222_000).contains(&list().len()), "{}", list().len());
    }
}
