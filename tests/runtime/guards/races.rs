//! Races with another who changes the record, and guards beside keys, retries, batches and HTTP.

use connector_core::run::{Invocation, Runtime};
use serde_json::{Map, Value, json};

use super::{add, count_writes, read_conflict};
use crate::support::process::{CommandLine, parse_outcomes};
use crate::support::runtime::{RecordedAccount, build, connect, run};
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::server::Server;
use crate::support::upstream::{Script, build_json_response};

const TRIES: u32 = 1_000;

#[tokio::test]
async fn guarded_write_that_lost_a_race_is_a_conflict_in_each_of_a_thousand_tries() {
    let runtime = build(Runtime::builder().connections(connect(&start_sandbox(sandbox_options()).await)));
    let update = async |value: u32, expected: Option<u32>| {
        let mut call = Invocation::new("updateDeal").input(json!({"dealId": 1, "value": value}));
        call.options.expect = expected.map(|value| Map::from_iter([("value".to_owned(), value.into())]));
        run(&runtime, call).await
    };
    update(0, None).await;
    let mut lost = 0;
    for nth in 1..=TRIES {
        // Both have seen the value of the try before. The other is first, and so this one has lost.
        let won = update(nth, None).await;
        assert_eq!(won["ok"], true, "try {nth}: {won}");
        let late = update(1_000_000 + nth, Some(nth - 1)).await;
        assert_eq!(read_conflict(&late), [("/value", &json!(nth - 1), &json!(nth))], "try {nth}: {late}");
        assert_eq!((&late["meta"]["requests"], &late["meta"]["status"]), (&json!(1), &json!(200)), "the read alone was sent: {late}");
        lost += 1;
    }
    assert_eq!(lost, TRIES);
    let last = run(&runtime, Invocation::new("getDeal").input(json!({"dealId": 1}))).await;
    assert_eq!(last["data"]["value"], TRIES, "no write that lost was made: {last}");
}

#[tokio::test]
async fn conflict_frees_its_key_and_a_replay_is_not_held_against_the_record_again() {
    let account = RecordedAccount::start().await;
    let deal = add(&account, "addDeal", json!({"title": "Old"})).await["id"].clone();
    let update = async |expected: &str| {
        let options = json!({"expect": {"title": expected}, "idempotencyKey": "run-1"});
        account.call("updateDeal", json!({"dealId": deal, "title": "New"}), options).await
    };
    read_conflict(&update("Other").await);
    let done = update("Old").await;
    assert_eq!((&done["ok"], done["meta"].get("replayed")), (&json!(true), None), "the conflict freed the key: {done}");
    let (read, written) = (account.count("GET", "/api/"), count_writes(&account));
    // The record is no longer as expected, since this call changed it. Which condition let the write pass is no part of the key.
    for expected in ["Old", "New", "Other"] {
        let again = update(expected).await;
        assert_eq!((&again["meta"]["replayed"], &again["data"]), (&json!(true), &done["data"]), "{again}");
    }
    assert_eq!((account.count("GET", "/api/"), count_writes(&account)), (read, written), "a replay reads and writes nothing");
}

#[tokio::test]
async fn read_of_the_record_is_sent_again_as_a_read_and_the_write_is_not_sent_after_it_failed() {
    let busy = || build_json_response("500 Internal Server Error", r#"{"success":false,"error":"No."}"#);
    let deal = |title: &str| build_json_response("200 OK", &json!({"success": true, "data": {"id": 1, "title": title}}).to_string());
    let update = || {
        let expected = Map::from_iter([("title".to_owned(), json!("Old"))]);
        Invocation::new("updateDeal").input(json!({"dealId": 1, "title": "New"})).expect(expected)
    };
    let script = Script::start_with([busy()]).await;
    let failed = run(&script.runtime, update()).await;
    // The write was never sent, so that the call can be made again without harm.
    assert_eq!((&failed["error"]["kind"], &failed["error"]["retry"]), (&json!("upstream_error"), &json!("later")), "{failed}");
    assert_eq!(script.asked(), ["/api/v2/deals/1"]);
    let script = Script::start_with([deal("Old"), busy()]).await;
    let failed = run(&script.runtime, update()).await;
    assert_eq!((&failed["error"]["kind"], &failed["error"]["retry"]), (&json!("upstream_error"), &json!("unsafe")), "{failed}");
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn lines_of_a_batch_and_the_flag_are_guarded() {
    let cli = CommandLine::new();
    let line = |value: u32, expected: u32| {
        json!({"action": "updateDeal", "input": {"dealId": 1, "value": value}, "options": {"expect": {"value": expected}}}).to_string()
            + "\n"
    };
    let first = json!({"action": "updateDeal", "input": {"dealId": 1, "value": 1}}).to_string() + "\n";
    let outcomes = parse_outcomes(&cli.run(&["invoke"], &(first + &line(2, 1) + &line(3, 1) + &line(4, 2))));
    let ok: Vec<&Value> = outcomes.iter().map(|outcome| &outcome["ok"]).collect();
    assert_eq!(ok, [true, true, false, true], "{outcomes:?}");
    read_conflict(&outcomes[2]);
    let flag = |expected: &str| {
        parse_outcomes(&cli.run(&["invoke", "updateDeal", "--input", r#"{"dealId":1,"value":5}"#, "--expect", expected], "")).remove(0)
    };
    read_conflict(&flag(r#"{"value":2}"#));
    assert_eq!(flag(r#"{"value":4,"value":4}"#)["error"]["kind"], "invalid_invocation", "a name is given twice");
    assert_eq!(flag("[]")["error"]["kind"], "invalid_invocation");
    assert_eq!(flag(r#"{"value":4}"#)["data"]["value"], 5);
}

#[tokio::test]
async fn call_over_http_is_guarded() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, pipedrive_sandbox::DEMO_API_TOKEN).await;
    let call = |options: Value| json!({"action": "updateDeal", "input": {"dealId": 1, "title": "New"}, "options": options}).to_string();
    let refused = server.invoke(&key, call(json!({"expect": {"title": "Nothing like it"}}))).await;
    let title = read_conflict(&refused)[0].2.clone();
    let shown = server.invoke(&key, call(json!({"dryRun": "diff"}))).await;
    assert_eq!(shown["data"]["changes"], json!([{"path": "/title", "before": title, "after": "New"}]), "{shown}");
    let done = server.invoke(&key, call(json!({"expect": {"title": title}}))).await;
    assert_eq!(done["data"]["title"], "New", "{done}");
}
