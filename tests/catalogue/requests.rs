//! What goes over the wire, as snapshots: every fixture's inputs as a dry run, which opens no socket.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use connector_core::Invocation;
use serde_json::{Value, json};

use crate::support::fixtures;
use crate::support::snapshots::assert_snapshot;
use crate::support::world::{catalogue, rendered, runtime};

#[tokio::test]
async fn requests_match_their_snapshots() {
    let runtime = runtime("http://127.0.0.1:9");
    let mut rooms: BTreeMap<&str, String> = BTreeMap::new();
    for fixture in fixtures::all() {
        for input in std::iter::once(&fixture.input).chain(&fixture.more) {
            let outcome = rendered(&runtime.invoke(Invocation::new(fixture.key).input(input.clone()).dry_run()).await);
            assert_eq!(outcome["ok"], true, "{}: a fixture's input fits: {outcome}", fixture.key);
            assert_eq!(outcome["meta"]["requests"], 0, "a dry run sends nothing");
            let catalogue = catalogue();
            let room = catalogue
                .find(None, fixture.key)
                .expect("it is there")
                .declaration()
                .map_or("data_sources", connector_core::Declaration::resource);
            let text = rooms.entry(room).or_default();
            for line in outcome["data"].as_array().expect("a dry run answers lines") {
                writeln!(text, "{}", told(line)).expect("writing to a String cannot fail");
            }
        }
    }
    for (room, text) in rooms {
        assert_snapshot(format!("requests_{room}"), &text);
    }
}

/// A request in one line, as one would say it.
fn told(line: &Value) -> String {
    assert_eq!(line["headers"]["x-api-token"], "[redacted]", "a credential is not shown");
    let url = line["url"].as_str().expect("a URL").trim_start_matches("http://127.0.0.1:9");
    let mut text = format!("{}: {} {url}", line["action"].as_str().expect("a key"), line["method"].as_str().expect("a method"));
    for body in ["json", "form", "multipart"] {
        if let Some(body) = line.get(body) {
            write!(text, "\n    {body}").expect("writing to a String cannot fail");
        }
    }
    text
}

#[tokio::test]
async fn query_values_are_encoded_in_declared_order() {
    let runtime = runtime("http://127.0.0.1:9");
    let input = json!({"term": "50 % & more=ü,/?#", "exactMatch": true});
    let outcome = rendered(&runtime.invoke(Invocation::new("searchDeals").input(input).dry_run()).await);
    let url = outcome["data"][0]["url"].as_str().expect("a URL").to_owned();
    assert_eq!(url, "http://127.0.0.1:9/api/v2/deals/search?term=50%20%25%20%26%20more%3D%C3%BC,%2F%3F%23&exact_match=true");
}
