//! Records as rows: CSV, tables, and a line of JSON each.

use serde_json::{Value, json};

use crate::support::process::{CommandLine, assert_exit, parse_outcomes, stderr_text};

/// Runs a command that must end well, and returns its stdout.
#[track_caller]
fn print(cli: &CommandLine, arguments: &[&str]) -> String {
    let output = cli.run(&[&["invoke"], arguments].concat(), "");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr_text(&output));
    String::from_utf8(output.stdout).expect("stdout is text")
}

/// The job of one line: deals with the name and address of their persons. Each person is read once.
#[test]
fn open_deals_with_person_and_address_are_one_invocation() {
    let cli = CommandLine::new();
    let columns = "title,person.name,personId.email,customFields.Tier";
    let arguments = ["invoke", "getDeals", "status=open", "--pages", "all", "--format", "csv", "--columns", columns];
    let output = cli.run(&arguments, "");
    assert_exit(&output, 0, "read by getPersons, with 1 request for 10 tokens.");
    let text = String::from_utf8(output.stdout).expect("CSV is text");
    let mut lines = text.split_terminator("\r\n");
    assert_eq!(lines.next(), Some(columns), "the headings are the names that were given");
    let rows: Vec<&str> = lines.collect();
    let deals = parse_outcomes(&cli.run(&["invoke", "getDeals", "status=open", "--pages", "all"], "")).remove(0);
    let deals = deals["data"].as_array().expect("a list");
    assert_eq!(rows.len(), deals.len());
    let (row, deal) = rows.iter().zip(deals).find(|(_, deal)| deal["person_id"].is_number()).expect("a deal of a person");
    let person = parse_outcomes(&cli.run(&["invoke", "getPerson", &format!("personId={}", deal["person_id"])], "")).remove(0);
    for value in [&deal["title"], &person["data"]["name"], &person["data"]["emails"][0]["value"]] {
        assert!(row.contains(value.as_str().expect("a text")), "{value} is missing: {row}");
    }
}

#[test]
fn csv_holds_each_value_exactly() {
    let cli = CommandLine::new();
    let title = "=1+1, \"x\"\nand more";
    let input = json!({"title": title}).to_string();
    print(&cli, &["addDeal", "--input", &input, "value=12.50", "labelIds=1,2"]);
    let found = parse_outcomes(&cli.run(&["invoke", "searchDeals", "term=and more"], "")).remove(0);
    let id = format!("dealId={}", found["data"]["items"][0]["item"]["id"]);
    let text = print(&cli, &["getDeal", &id, "--format", "csv", "--columns", "title,value,labelIds,personId"]);
    assert_eq!(text, "title,value,labelIds,personId\r\n\"=1+1, \"\"x\"\"\nand more\",12.5,1; 2,\r\n");
    let table = print(&cli, &["getDeal", &id, "--format", "table", "--columns", "title,personId"]);
    assert_eq!(table, "=1+1, \"x\" and more\t\n", "in a pipe: tabs, no headings, no line break in a cell");
}

#[test]
fn ndjson_is_a_record_a_line_as_it_came() {
    let cli = CommandLine::new();
    let outcome = parse_outcomes(&cli.run(&["invoke", "getDeals", "--pages", "all"], "")).remove(0);
    let parse = |text: String| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect() };
    let records = parse(print(&cli, &["getDeals", "--pages", "all", "--format", "ndjson"]));
    assert_eq!(Value::Array(records), outcome["data"]);
    let page = parse(print(&cli, &["getDeals", "limit=3", "--format", "ndjson", "--columns", "id,stage.name"]));
    assert_eq!((page.len(), page[0].as_object().map(serde_json::Map::len)), (3, Some(2)), "{page:?}");
    assert!(page[0]["stage.name"].is_string(), "{page:?}");
    let single = parse(print(&cli, &["getStage", "stageId=1", "--format", "ndjson"]));
    assert_eq!((single.len(), &single[0]["id"]), (1, &json!(1)));
}

#[test]
fn columns_that_are_not_named_are_those_of_the_records() {
    let cli = CommandLine::new();
    let text = print(&cli, &["getDeals", "limit=5", "--format", "csv"]);
    let headings = text.lines().next().unwrap_or_default();
    assert!(headings.starts_with("id,title,ownerId,") && headings.contains("customFields.Tier"), "{headings}");
    let empty = print(&cli, &["searchDeals", "term=there is no such deal", "--format", "csv"]);
    assert!(empty.contains("title") && empty.lines().count() == 1, "headings alone: {empty}");
    let table = print(&cli, &["getDeals", "limit=5", "--format", "table"]);
    assert!(table.lines().all(|line| line.split('\t').count() == 8), "{table}");
    assert_eq!(print(&cli, &["selectStage", "--format", "csv"]).lines().next(), Some("key,label"));
}

#[test]
fn more_records_are_told_of_on_stderr() {
    let cli = CommandLine::new();
    let output = cli.run(&["invoke", "getDeals", "limit=3", "--format", "csv"], "");
    assert_exit(&output, 0, "3 records, and more follow: --pages all reads all of them.");
    let output = cli.run(&["invoke", "getDeals", "--pages", "all", "--max-items", "1", "--format", "csv"], "");
    assert_exit(&output, 0, "1 record, and more follow");
}

#[test]
fn what_is_not_ok_goes_to_stderr_as_an_outcome() {
    let cli = CommandLine::new();
    for arguments in [
        &["getDeal", "dealId=99999"][..],
        &["getDeal", "dealId=x"],
        &["getDeals", "limit=0", "--pages", "all"],
        &["getDael"],
        &["getDeal", "--input", "{"],
    ] {
        let output = cli.run(&[&["invoke"], arguments, &["--format", "csv"]].concat(), "");
        assert_exit(&output, 1, "\"ok\":false");
        assert!(output.stdout.is_empty(), "{arguments:?}: rows alone on stdout");
    }
}

#[test]
fn unknown_column_lists_what_there_is_before_anything_is_sent() {
    let cli = CommandLine::new();
    for (columns, words) in [
        ("titel", "The nearest is `title`. There are: `id`, `title`,"),
        ("person.nam", "no `nam` in the records of getPersons. The nearest is `name`"),
        ("title.x", "title of addDeal is a single value, which has no x"),
        ("person.orgId.name", "leads to one record, and not on to another"),
        ("id,,title", "a name is missing"),
        ("id,id", "id is named twice"),
    ] {
        let output = cli.run(&["invoke", "addDeal", "title=x", "--format", "csv", "--columns", columns], "");
        assert_exit(&output, 2, words);
    }
    assert!(!cli.has_file("sandbox.json"), "an unknown column must be found before a write");
    let output = cli.run(&["invoke", "getDeals", "--format", "csv", "--columns", "customFields.Tir"], "");
    assert_exit(&output, 2, "The nearest is `customFields.Tier`");
    assert!(output.stdout.is_empty(), "print no headings of columns that are not there");
}

#[test]
fn flags_that_do_not_go_with_rows_are_refused() {
    let cli = CommandLine::new();
    for (arguments, words) in [
        (&["--format", "csv", "--stream", "--pages", "all"][..], "streams by itself"),
        (&["--format", "csv", "--output", "x.csv"], "write --format csv > FILE"),
        (&["--format", "csv", "--dry-run"], "--dry-run goes with outcomes"),
        (&["--format", "table", "--estimate"], "--estimate goes with outcomes"),
        (&["--format", "ndjson", "--pretty"], "--pretty goes with outcomes"),
        (&["--format", "csv", "--view", "record"], "leave --view out"),
        (&["--format", "ndjson", "--columns", "id", "--fields", "keys"], "leave --fields out"),
        (&["--columns", "id"], "give --format csv, table or ndjson too"),
        (&["--format", "xml"], "[possible values: json, ndjson, csv, table]"),
    ] {
        let output = cli.run(&[&["invoke", "getDeals"], arguments].concat(), "");
        assert_exit(&output, 2, words);
    }
    assert_exit(&cli.run(&["invoke", "--format", "csv"], ""), 2, "<ACTION>");
}
