//! The tests of any connector, which the kit holds, against a sandbox.

use connector_core::embed::OneConnection;

use crate::support::kit::build_kit;
use crate::support::repository::path;
use crate::support::runtime::connect;
use crate::support::sandbox::{sandbox_options, start_sandbox};

/// Starts a sandbox, and connects an account to it.
async fn connect_to_sandbox() -> OneConnection {
    connect(&start_sandbox(sandbox_options()).await)
}

#[test]
fn fixtures_are_complete() {
    build_kit().check_fixtures();
}

#[test]
fn texts_are_plain_sentences() {
    build_kit().check_prose();
}

#[test]
fn schemas_match_their_snapshots() {
    build_kit().check_schemas();
}

#[tokio::test]
async fn requests_match_their_snapshots() {
    build_kit().check_requests().await;
}

#[tokio::test]
async fn each_value_is_sent_as_given_or_refused_with_one_fault() {
    build_kit().check_three_states().await;
}

#[tokio::test]
async fn times_are_those_of_the_zone_that_the_caller_names() {
    build_kit().check_times().await;
}

/// Records the traffic, too, for a check against Pipedrive's documents.
#[tokio::test]
async fn fixtures_return_the_recorded_data() {
    let record = path("target/traffic.jsonl");
    std::fs::create_dir_all(path("target")).expect("the build folder can be created");
    let _ = std::fs::remove_file(&record);
    let options = || pipedrive_sandbox::Options { record_file: Some(record.clone()), ..sandbox_options() };
    build_kit().check_answers(async || connect(&start_sandbox(options()).await)).await;
}

#[tokio::test]
async fn flat_answers_fit_their_schema() {
    build_kit().check_flat_answers(connect_to_sandbox).await;
}

#[tokio::test]
async fn flat_view_loses_nothing_and_record_view_changes_no_byte() {
    build_kit().check_flat_view().await;
}

#[tokio::test]
async fn every_write_is_read_back() {
    build_kit().check_read_back(connect_to_sandbox).await;
}

#[tokio::test]
async fn estimates_agree_with_what_the_calls_cost() {
    build_kit().check_estimates(connect_to_sandbox).await;
}
