//! Statistics of pipelines.

use super::account::{as_bearer, with_bearers};
use super::storage::Folder;
use super::{data, done, get, options, refused, sandbox};
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::{Clock, Store};
use serde_json::{Value, json};

pub(super) const NOVEMBER: &str = "start_date=2026-11-01&end_date=2026-11-30";

fn movement(sandbox: &Sandbox, pipeline: &Value, query: &str) -> Value {
    data(sandbox, &format!("/v1/pipelines/{pipeline}/movement_statistics?{query}"))
}

/// Adds a pipeline with three stages and no deal.
fn pipeline(sandbox: &Sandbox) -> (Value, Vec<Value>) {
    let pipeline = done(sandbox, "POST", "/api/v2/pipelines", json!({ "name": "New" }))["id"].clone();
    let stages = ["A", "B", "C"].map(|name| {
        let stage = done(sandbox, "POST", "/api/v2/stages", json!({ "name": name, "pipeline_id": pipeline }));
        stage["id"].clone()
    });
    (pipeline, stages.to_vec())
}

#[test]
fn statistics_follow_the_moves_of_deals() {
    let folder = Folder::new("statistics");
    let opened = |now: &str| {
        let options = Options { store: Store::File(folder.state()), clock: Clock::fixed(now), ..options() };
        Sandbox::open(options).expect("a new file is made")
    };
    let (earlier, sandbox) = (opened("2026-11-12T12:00:00Z"), opened("2026-11-22T13:00:00Z"));
    let (pipeline, stages) = pipeline(&earlier);
    let conversion = |query: &str| data(&sandbox, &format!("/v1/pipelines/{pipeline}/conversion_statistics?{query}"));
    let rates = |query: &str| -> Vec<u64> {
        let all = conversion(query)["stage_conversions"].clone();
        all.as_array().into_iter().flatten().filter_map(|c| c["conversion_rate"].as_u64()).collect()
    };
    assert_eq!(rates(NOVEMBER), [0, 0]);
    let deals = [(100, "EUR"), (200, "EUR"), (11, "USD"), (5, "EUR")].map(|(value, currency)| {
        let body = json!({ "title": "x", "stage_id": stages[0], "value": value, "currency": currency });
        let deal = done(&earlier, "POST", "/api/v2/deals", body);
        deal["id"].clone()
    });
    let change = |deal: usize, body: Value| done(&sandbox, "PATCH", &format!("/api/v2/deals/{}", deals[deal]), body);
    change(0, json!({ "stage_id": stages[1] }));
    change(0, json!({ "stage_id": stages[2], "status": "won" }));
    change(1, json!({ "stage_id": stages[2] }));
    change(2, json!({ "status": "lost" }));

    let answer = conversion(NOVEMBER);
    let first = json!({ "from_stage_id": stages[0], "to_stage_id": stages[1], "conversion_rate": 50 });
    assert_eq!(answer["stage_conversions"][0], first, "two of four got past the first stage");
    assert_eq!(answer["stage_conversions"][1]["conversion_rate"], 100);
    assert_eq!((&answer["won_conversion"], &answer["lost_conversion"]), (&json!(25), &json!(25)));
    assert_eq!(rates("start_date=2026-12-01&end_date=2026-12-31"), [0, 0]);
    assert_eq!(rates(&format!("{NOVEMBER}&user_id=2")), [0, 0], "another user has none here");

    let answer = movement(&sandbox, &pipeline, NOVEMBER);
    assert_eq!(answer["movements_between_stages"]["count"], 2, "two deals moved: {answer}");
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

    let before = movement(&sandbox, &pipeline, "start_date=2026-11-01&end_date=2026-11-20");
    assert_eq!(before["movements_between_stages"]["count"], 0, "nothing had moved yet: {before}");
    done(&sandbox, "DELETE", &format!("/api/v2/deals/{}", deals[3]), json!({}));
    assert_eq!(movement(&sandbox, &pipeline, NOVEMBER)["new_deals"]["count"], 3, "a deleted deal does not count");
    done(&sandbox, "DELETE", &format!("/api/v2/stages/{}", stages[2]), json!({}));
    assert_eq!(rates(NOVEMBER).len(), 1, "a deleted stage has no conversion");
}

#[test]
fn counts_only_moves_within_the_pipeline() {
    let sandbox = sandbox();
    let (pipeline, stages) = pipeline(&sandbox);
    let deal = |stage: &Value| done(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "stage_id": stage }))["id"].clone();
    let moved = || movement(&sandbox, &pipeline, NOVEMBER)["movements_between_stages"]["count"].clone();
    let (first, second) = (deal(&stages[0]), deal(&stages[1]));
    done(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "title": "y", "stage_id": stages[0] }));
    assert_eq!(moved(), 0, "a deal that stays has not moved");
    done(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "pipeline_id": 2 }));
    assert_eq!(moved(), 0, "a deal that leaves the pipeline has not moved between its stages");
    done(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "stage_id": stages[2] }));
    done(&sandbox, "PATCH", &format!("/api/v2/deals/{first}"), json!({ "stage_id": stages[1] }));
    assert_eq!(moved(), 1);
    done(&sandbox, "PUT", &format!("/v1/deals/{first}/merge"), json!({ "merge_with_id": second }));
    assert_eq!(moved(), 0, "a merged deal takes its way with it");
    done(&sandbox, "DELETE", &format!("/api/v2/stages/{}", stages[1]), json!({}));
    assert_eq!(moved(), 1, "a deal whose stage is deleted moves");
}

#[test]
fn demo_has_statistics_and_wrong_parameters_are_rejected() {
    let sandbox = sandbox();
    let year = "start_date=2026-01-01&end_date=2026-12-31";
    let answer = movement(&sandbox, &json!(1), year);
    assert!(answer["movements_between_stages"]["count"].as_u64() > Some(5), "the demo's deals came to where they are: {answer}");
    assert!(answer["average_age_in_days"]["by_stages"].as_array().is_some_and(|stages| stages.len() == 5));
    assert_ne!(movement(&sandbox, &json!(1), &format!("{year}&user_id=2")), answer);
    let own = with_bearers(&[("ben", &["deals:read"], Some(2))]);
    let path = format!("/v1/pipelines/1/movement_statistics?{year}");
    let of_ben = as_bearer(&own, "ben", "GET", &path, json!({})).1["data"].clone();
    assert_eq!(of_ben, movement(&sandbox, &json!(1), &format!("{year}&user_id=2")), "without a user it is the token's");
    for report in ["conversion_statistics", "movement_statistics"] {
        let path = format!("/v1/pipelines/1/{report}");
        refused(&get(&sandbox, &path), 400, "start_date: is required");
        refused(&get(&sandbox, &format!("{path}?start_date=2026-01-01&end_date=1.2.2026")), 400, "end_date: is not in");
        refused(&get(&sandbox, &format!("{path}?start_date=2026-02-01&end_date=2026-01-01")), 400, "end_date: is before");
        refused(&get(&sandbox, &format!("/v1/pipelines/99/{report}?{year}")), 404, "Pipeline not found");
        refused(&get(&sandbox, &format!("{path}?{year}&user_id=99")), 404, "User not found");
    }
    let deal = data(&sandbox, "/api/v2/deals/1");
    assert!(deal.get("past_stages").is_none(), "what the statistics know is not shown");
}
