//! Statistics of pipelines.

use super::storage::Folder;
use super::{assert_refused, get, get_data, open_with_bearers, options, sandbox, send_as_bearer, send_ok};
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::{Clock, Store};
use serde_json::{Value, json};

pub(super) const NOVEMBER: &str = "start_date=2026-11-01&end_date=2026-11-30";

fn get_movement(sandbox: &Sandbox, pipeline: &Value, query: &str) -> Value {
    get_data(sandbox, &format!("/v1/pipelines/{pipeline}/movement_statistics?{query}"))
}

/// Adds a pipeline with three stages and no deal.
fn create_pipeline(sandbox: &Sandbox) -> (Value, Vec<Value>) {
    let pipeline = send_ok(sandbox, "POST", "/api/v2/pipelines", json!({ "name": "New" }))["id"].clone();
    let stages = ["A", "B", "C"].map(|name| {
        let stage = send_ok(sandbox, "POST", "/api/v2/stages", json!({ "name": name, "pipeline_id": pipeline }));
        stage["id"].clone()
    });
    (pipeline, stages.to_vec())
}

#[test]
fn statistics_follow_the_moves_of_deals() {
    let folder = Folder::new();
    let open = |now: &str| {
        let options = Options { store: Store::File(folder.state()), clock: Clock::fixed(now), ..options() };
        Sandbox::open(options).expect("a new file is made")
    };
    let (earlier, sandbox) = (open("2026-11-12T12:00:00Z"), open("2026-11-22T13:00:00Z"));
    let (pipeline, stages) = create_pipeline(&earlier);
    let conversion = |query: &str| get_data(&sandbox, &format!("/v1/pipelines/{pipeline}/conversion_statistics?{query}"));
    let rates = |query: &str| -> Vec<u64> {
        let all = conversion(query)["stage_conversions"].clone();
        all.as_array().into_iter().flatten().filter_map(|c| c["conversion_rate"].as_u64()).collect()
    };
    assert_eq!(rates(NOVEMBER), [0, 0]);
    let deals = [(100, "EUR"), (200, "EUR"), (11, "USD"), (5, "EUR")].map(|(value, currency)| {
        let body = json!({ "title": "x", "stage_id": stages[0], "value": value, "currency": currency });
        let deal = send_ok(&earlier, "POST", "/api/v2/deals", body);
        deal["id"].clone()
    });
    let change = |deal: usize, body: Value| send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{}", deals[deal]), body);
    change(0, json!({ "stage_id": stages[1] }));
    change(0, json!({ "stage_id": stages[2], "status": "won" }));
    change(1, json!({ "stage_id": stages[2] }));
    change(2, json!({ "status": "lost" }));

    let answer = conversion(NOVEMBER);
    let first = json!({ "from_stage_id": stages[0], "to_stage_id": stages[1], "conversion_rate": 50 });
    assert_eq!(answer["stage_conversions"][0], first, "two of four deals should have left the first stage");
    assert_eq!(answer["stage_conversions"][1]["conversion_rate"], 100);
    assert_eq!((&answer["won_conversion"], &answer["lost_conversion"]), (&json!(25), &json!(25)));
    assert_eq!(rates("start_date=2026-12-01&end_date=2026-12-31"), [0, 0]);
    assert_eq!(rates(&format!("{NOVEMBER}&user_id=2")), [0, 0], "another user should have no deals here");

    let answer = get_movement(&sandbox, &pipeline, NOVEMBER);
    assert_eq!(answer["movements_between_stages"]["count"], 2, "two deals should have moved: {answer}");
    assert_eq!(answer["new_deals"]["count"], 4);
    assert_eq!(answer["new_deals"]["values"], json!({ "EUR": 305, "USD": 11 }));
    assert_eq!(answer["new_deals"]["formatted_values"], json!({ "EUR": "€305", "USD": "US$11" }));
    assert_eq!(answer["won_deals"]["deals_ids"], json!([deals[0]]));
    assert_eq!(answer["lost_deals"]["deals_ids"], json!([deals[2]]));
    assert_eq!(answer["deals_left_open"]["deals_ids"], json!([deals[1], deals[3]]));
    let average = json!({
        "across_all_stages": 10,
        "by_stages": [{ "stage_id": stages[0], "value": 10 }, { "stage_id": stages[1], "value": 0 }, { "stage_id": stages[2], "value": 0 }],
    });
    assert_eq!(answer["average_age_in_days"], average);

    let before = get_movement(&sandbox, &pipeline, "start_date=2026-11-01&end_date=2026-11-20");
    assert_eq!(before["movements_between_stages"]["count"], 0, "no deal should have moved before that day: {before}");
    send_ok(&sandbox, "DELETE", &format!("/api/v2/deals/{}", deals[3]), json!({}));
    assert_eq!(get_movement(&sandbox, &pipeline, NOVEMBER)["new_deals"]["count"], 3, "a deleted deal should not count");
    send_ok(&sandbox, "DELETE", &format!("/api/v2/stages/{}", stages[2]), json!({}));
    assert_eq!(rates(NOVEMBER).len(), 1, "a deleted stage should have no conversion");
}

#[test]
fn counts_only_moves_within_the_pipeline() {
    let sandbox = sandbox();
    let (pipeline, stages) = create_pipeline(&sandbox);
    let deal = |stage: &Value| send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "stage_id": stage }))["id"].clone();
    let moved = || get_movement(&sandbox, &pipeline, NOVEMBER)["movements_between_stages"]["count"].clone();
    let (first, second) = (deal(&stages[0]), deal(&stages[1]));
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "title": "y", "stage_id": stages[0] }));
    assert_eq!(moved(), 0, "a deal that keeps its stage should not count as moved");
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "pipeline_id": 2 }));
    assert_eq!(moved(), 0, "a move to another pipeline should not count as one between stages");
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "stage_id": stages[2] }));
    send_ok(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "stage_id": stages[1] }));
    assert_eq!(moved(), 1);
    send_ok(&sandbox, "PUT", &format!("/v1/deals/{first}/merge"), json!({ "merge_with_id": second }));
    assert_eq!(moved(), 0, "a merge should drop the moves of the merged deal");
    send_ok(&sandbox, "DELETE", &format!("/api/v2/stages/{}", stages[1]), json!({}));
    assert_eq!(moved(), 1, "a deal should count as moved when its stage is deleted");
}

#[test]
fn demo_has_statistics_and_wrong_parameters_are_rejected() {
    let sandbox = sandbox();
    let year = "start_date=2026-01-01&end_date=2026-12-31";
    let answer = get_movement(&sandbox, &json!(1), year);
    assert!(answer["movements_between_stages"]["count"].as_u64() > Some(5), "the demo's deals should have moves: {answer}");
    assert!(answer["average_age_in_days"]["by_stages"].as_array().is_some_and(|stages| stages.len() == 5));
    assert_ne!(get_movement(&sandbox, &json!(1), &format!("{year}&user_id=2")), answer);
    let as_ben = open_with_bearers(&[("ben", &["deals:read"], Some(2))]);
    let path = format!("/v1/pipelines/1/movement_statistics?{year}");
    let of_ben = send_as_bearer(&as_ben, "ben", "GET", &path, json!({})).1["data"].clone();
    assert_eq!(
        of_ben,
        get_movement(&sandbox, &json!(1), &format!("{year}&user_id=2")),
        "the report should be of the token's user by default"
    );
    for report in ["conversion_statistics", "movement_statistics"] {
        let path = format!("/v1/pipelines/1/{report}");
        assert_refused(&get(&sandbox, &path), 400, "start_date: is required");
        assert_refused(&get(&sandbox, &format!("{path}?start_date=2026-01-01&end_date=1.2.2026")), 400, "end_date: is not in");
        assert_refused(&get(&sandbox, &format!("{path}?start_date=2026-02-01&end_date=2026-01-01")), 400, "end_date: is before");
        assert_refused(&get(&sandbox, &format!("/v1/pipelines/99/{report}?{year}")), 404, "Pipeline not found");
        assert_refused(&get(&sandbox, &format!("{path}?{year}&user_id=99")), 404, "User not found");
    }
    let deal = get_data(&sandbox, "/api/v2/deals/1");
    assert!(deal.get("past_stages").is_none(), "a deal should not show its past stages");
}
