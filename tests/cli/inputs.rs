//! Inputs by name, and the sandbox that is asked for.

use serde_json::{Value, json};

use crate::support::process::{CommandLine, assert_exit, parse_outcomes, stderr_text};

/// Runs a dry run of an action, and returns the body of its request.
#[track_caller]
fn read_body(cli: &CommandLine, arguments: &[&str]) -> Value {
    let output = cli.run(&[&["invoke"], arguments, &["--dry-run"]].concat(), "");
    let outcomes = parse_outcomes(&output);
    assert_eq!(output.status.code(), Some(0), "{outcomes:?} {}", stderr_text(&output));
    outcomes[0]["data"][0]["json"].clone()
}

#[test]
fn inputs_by_name_take_what_the_input_takes() {
    let cli = CommandLine::new();
    for (arguments, body) in [
        (&["addDeal", "title=Rocket & co", "value=12.5"][..], json!({"title": "Rocket & co", "value": 12.5})),
        (&["addDeal", "title=", "labelIds=1,2"], json!({"title": "", "label_ids": [1, 2]})),
        (&["addDeal", "title=x", "isArchived=true", "visibleTo=3"], json!({"title": "x", "is_archived": true, "visible_to": 3})),
        (&["updateDeal", "dealId=1", "personId:=null"], json!({"person_id": null})),
        (&["addPerson", "name=Ann", "phones:=[{\"value\": \"+372 5\"}]"], json!({"name": "Ann", "phones": [{"value": "+372 5"}]})),
        (&["addDeal", "--input", "{\"title\": \"a\", \"value\": 1}", "title=b"], json!({"title": "b", "value": 1})),
        (&["addDeal", "title=x", "stageId.name=Qualified", "customFields.Tier=Gold"], json!(null)),
    ] {
        let sent = read_body(&cli, arguments);
        // Names are looked up in the account, whose IDs are its own.
        if !body.is_null() {
            assert_eq!(sent, body, "{arguments:?}");
        }
    }
    let named = parse_outcomes(
        &cli.run(&["invoke", "addDeal", "title=By name", "stageId.name=Qualified", "customFields.Tier=Gold", "--fields", "names"], ""),
    );
    assert_eq!((&named[0]["ok"], &named[0]["data"]["custom_fields"]["Tier"]), (&json!(true), &json!("Gold")), "{named:?}");
    let listed = parse_outcomes(&cli.run(&["invoke", "getDeals", "status=won,lost", "limit=2"], ""));
    assert_eq!(listed[0]["data"].as_array().map(Vec::len), Some(2), "{listed:?}");
}

#[test]
fn wrong_inputs_by_name_exit_2_and_say_how_they_are_written() {
    let cli = CommandLine::new();
    for (arguments, words) in [
        (&["addDeal", "title=a", "title=b"][..], "title is given twice"),
        (&["addDeal", "title"], "NAME=TEXT"),
        (&["addDeal", "{\"title\": \"x\"}"], "after --input"),
        (&["addDeal", "title:=x"], "for a text, write title=x"),
        (&["addDeal", "title=x", "customFields=Gold"], "customFields.MEMBER=TEXT"),
        (&["addDeal", "title=x", "customFields:={}", "customFields.Tier=Gold"], "one is a part of the other"),
        (&["addDeal", "--input", "{\"title\": \"x\"}", "title.de=y"], "`title` is no object"),
        (&["addDeal", "--input", "title=x"], "write title=x alone"),
        (&["title=x"], "name the action before its inputs"),
        (&["addPerson", "name=Ann", "phones=+372"], "phones:=[{…}]"),
    ] {
        let output = cli.run(&[&["invoke"], arguments].concat(), "");
        assert_exit(&output, 2, words);
        assert!(output.stdout.is_empty(), "print only outcomes on stdout");
    }
    let unknown = parse_outcomes(&cli.run(&["invoke", "addDeal", "titel=x"], ""));
    let hint = unknown[0]["error"]["hint"].as_str().unwrap_or_default();
    let faults = unknown[0]["error"]["faults"].to_string();
    assert!(format!("{hint} {faults}").contains("title"), "name the closest: {unknown:?}");
    assert!(!cli.has_file("sandbox.json"), "wrong inputs must start no sandbox");
}

/// One `keys create` makes a store. It must not lock `invoke` out of the sandbox.
#[test]
fn sandbox_is_there_for_who_asks_whatever_is_set_up() {
    let cli = CommandLine::new();
    assert_exit(&cli.run(&["keys", "create"], ""), 0, "");
    let refused = parse_outcomes(&cli.run(&["invoke", "getStage", "stageId=1"], ""));
    let error = &refused[0]["error"];
    assert_eq!(error["kind"], "no_connection", "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("`connector invoke --sandbox`")), "{error}");
    let one = cli.run(&["invoke", "--sandbox", "getStage", "stageId=1"], "");
    let lines = cli.run(&["invoke", "--sandbox"], "{\"action\": \"getStage\", \"input\": {\"stageId\": 1}}");
    for output in [&one, &lines] {
        let outcome = parse_outcomes(output).remove(0);
        assert_eq!((&outcome["ok"], &outcome["meta"]["connection"]), (&json!(true), &json!("sandbox")), "{outcome}");
        assert!(stderr_text(output).contains("Using the embedded sandbox"), "{}", stderr_text(output));
    }
    let form = cli.run(&["describe", "addDeal", "--sandbox"], "");
    assert!(String::from_utf8_lossy(&form.stdout).contains("Bronze|Silver|Gold"), "{}", stderr_text(&form));
    let named = parse_outcomes(&cli.run(&["invoke", "--sandbox", "getStage", "stageId=1", "--connection", "acme"], ""));
    assert_eq!(named[0]["error"]["hint"], "Leave out --connection, or --sandbox.", "{named:?}");
    assert_exit(&cli.run(&["invoke", "--sandbox", "--store", "x.db", "getStage"], ""), 2, "--store");
}

#[test]
fn keys_of_the_sandbox_that_was_asked_for_are_listed() {
    let cli = CommandLine::new();
    assert_exit(&cli.run(&["keys", "create"], ""), 0, "");
    let line = r#"{"action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "run-1"}}"#;
    assert_exit(&cli.run(&["invoke", "--sandbox"], line), 0, "");
    let listed = cli.run(&["ledger", "list", "--sandbox", "--json"], "");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("run-1"), "{}", stderr_text(&listed));
}
