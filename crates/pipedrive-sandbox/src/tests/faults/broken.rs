//! Responses and connections that break off.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::FaultyServer;
use crate::edge::fault_kind::FAULT_WORDS;
use crate::edge::options::Options;
use crate::tests::options;
use crate::tests::storage::Folder;

#[tokio::test]
async fn reset_loses_the_response_before_or_after_the_work() {
    for (faults, is_done) in [("reset-before=always@POST", false), ("reset-after=always@POST", true)] {
        let server = FaultyServer::start(faults).await;
        let answer = server.create_deal("Reset").await;
        assert_eq!((answer.text.as_str(), answer.error), ("", Some(ErrorKind::ConnectionReset)), "{faults}");
        assert_eq!(server.count_deals("Reset"), usize::from(is_done), "{faults}");
        let counts = server.sandbox.fault_counts();
        let [count] = counts[..] else { panic!("one kind should be counted: {counts:?}") };
        assert_eq!((count.is_carried_out, count.count), (is_done, 1));
    }
}

#[tokio::test]
async fn cut_response_ends_before_its_length() {
    let server = FaultyServer::start("cut=always@POST").await;
    let answer = server.create_deal("Cut").await;
    assert_eq!((answer.status(), answer.error, answer.fault()), (200, None, Some("cut")));
    let half = answer.body().len();
    assert!(half > 0 && (2 * half).abs_diff(answer.length()) <= 1, "half of the body should come: {answer:?}");
    assert_eq!(server.count_deals("Cut"), 1, "the request should be carried out");
}

#[tokio::test]
async fn wrong_length_is_too_small() {
    let server = FaultyServer::start("wrong-length=always@POST").await;
    let answer = server.create_deal("Short").await;
    assert!(answer.length() < answer.body().len(), "{answer:?}");
    assert_eq!(answer.json()["data"]["title"], "Short", "the whole body should come");
    assert_eq!(server.count_deals("Short"), 1);
}

#[tokio::test]
async fn half_json_is_whole_by_its_length() {
    let server = FaultyServer::start("half-json=always@POST").await;
    let answer = server.create_deal("Half").await;
    assert_eq!((answer.status(), answer.length()), (200, answer.body().len()));
    assert!(serde_json::from_str::<Value>(answer.body()).is_err_and(|error| error.is_eof()), "{answer:?}");
    assert_eq!(server.count_deals("Half"), 1);
}

#[tokio::test]
async fn other_requests_of_the_connection_are_served() {
    let server = FaultyServer::start("reset-after=#2@POST /api/v2/deals").await;
    for (number, status) in [(1, Some(200)), (2, None), (3, Some(200))] {
        let answer = server.create_deal("Second").await;
        assert_eq!((!answer.text.is_empty()).then(|| answer.status()), status, "request {number}");
    }
    assert_eq!(server.count_deals("Second"), 3);
}

#[tokio::test]
async fn recording_tells_which_requests_were_carried_out() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.recording().parent().expect("it is in a folder")).expect("the test makes the folder");
    let faults = "reset-before=#1@POST,reset-after=#2@POST,500-after=#3@POST".parse().expect("the test's faults are valid");
    let server = FaultyServer::start_with(Options { faults, record_file: Some(folder.recording()), ..options() }).await;
    for _ in 0..4 {
        server.create_deal("Recorded").await;
    }
    let text = std::fs::read_to_string(folder.recording()).expect("the recording is there");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let shown: Vec<_> = lines.iter().map(|line| (&line["fault"], &line["carriedOut"], &line["status"])).collect();
    let (null, yes, no) = (&Value::Null, &json!(true), &json!(false));
    let expected = [
        (&json!("reset-before"), no, null),
        (&json!("reset-after"), yes, null),
        (&json!("500-after"), yes, &json!(500)),
        (null, null, &json!(200)),
    ];
    assert_eq!(shown, expected);
    assert_eq!(server.count_deals("Recorded"), 3);
}

#[tokio::test]
async fn only_carried_out_faults_write() {
    for word in FAULT_WORDS {
        let milliseconds = if word.duration.is_some() { ":1ms" } else { "" };
        let server = FaultyServer::start(&format!("{}=always{milliseconds}@POST", word.name)).await;
        let waits = tokio::spawn({
            let clock = server.sandbox.clock().clone();
            async move {
                loop {
                    clock.advance(std::time::Duration::from_millis(1));
                    tokio::task::yield_now().await;
                }
            }
        });
        // Faults of lists have no effect on a write, which is carried out.
        let answer = server.create_deal("Which").await;
        waits.abort();
        let is_refused = !word.is_carried_out && word.kind.concerns("/api/v2/deals", "");
        assert_eq!(server.count_deals("Which"), usize::from(!is_refused), "{}: {answer:?}", word.name);
    }
}
