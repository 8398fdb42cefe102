//! `connector invoke --estimate`: what an action or a file of invocations costs, before it is carried out.

use serde_json::{Value, json};

use crate::support::process::{CommandLine, assert_exit, parse_outcomes, stderr_text, wait};

/// Runs a command that writes one outcome. Returns it, and the exit code.
fn run_one(cli: &CommandLine, arguments: &[&str], input: &str) -> (Value, Option<i32>) {
    let output = cli.run(arguments, input);
    let mut outcomes = parse_outcomes(&output);
    assert_eq!(outcomes.len(), 1, "{}", stderr_text(&output));
    (outcomes.remove(0), output.status.code())
}

/// Sums the requests and tokens of outcomes.
fn sum_costs(outcomes: &[Value]) -> (u64, u64) {
    let sum = |name: &str| outcomes.iter().filter_map(|outcome| outcome["meta"][name].as_u64()).sum();
    (sum("requests"), sum("tokens"))
}

#[test]
fn estimate_of_what_needs_no_read_starts_no_sandbox() {
    let cli = CommandLine::new();
    let (outcome, exit) = run_one(&cli, &["invoke", "addDeal", "--input", r#"{"title":"x"}"#, "--estimate"], "");
    assert_eq!((&outcome["data"], exit), (&json!({"requests": 1, "tokens": 5, "seconds": 0.2, "certain": true}), Some(0)), "{outcome}");
    let line = r#"{"action":"addDeal","input":{"title":"x"},"options":{"idempotencyKey":"k"}}"#;
    let (batch, exit) = run_one(&cli, &["invoke", "--estimate"], &format!("{line}\n{line}\n"));
    assert_eq!((&batch["data"]["requests"], &batch["data"]["lines"], exit), (&json!(1), &json!(2), Some(0)), "{batch}");
    assert!(!cli.has_file("sandbox.json") && !cli.has_file("sandbox-ledger.db"), "an estimate must start and open nothing");
}

#[test]
fn batch_costs_what_its_estimate_says_in_another_process() {
    let cli = CommandLine::new();
    let person = r#""personId":{"email":"alma0@home.example.com"}"#;
    let lines: String = [
        format!(r#"{{"action":"addDeal","input":{{"title":"a",{person}}}}}"#),
        format!(r#"{{"action":"addDeal","input":{{"title":"b",{person}}},"options":{{"idempotencyKey":"k"}}}}"#),
        format!(r#"{{"action":"addDeal","input":{{"title":"b",{person}}},"options":{{"idempotencyKey":"k"}}}}"#),
        r#"{"action":"addDeal","input":{"title":"c","customFields":{"Tier":"Gold"},"stageId":{"name":"Upcoming"}}}"#.to_owned(),
        r#"{"action":"getDeals","options":{"pages":"all","maxItems":20}}"#.to_owned(),
        String::new(),
    ]
    .join("\n");
    for _ in 0..2 {
        let (estimated, exit) = run_one(&cli, &["invoke", "--estimate", "--jobs", "4"], &lines);
        let data = &estimated["data"];
        assert_eq!((&data["certain"], &data["failed"], exit), (&json!(true), &json!(0), Some(0)), "{estimated}");
        let outcomes = parse_outcomes(&cli.run(&["invoke"], &lines));
        assert_eq!(sum_costs(&outcomes), (data["requests"].as_u64().unwrap_or(0), data["tokens"].as_u64().unwrap_or(0)), "{estimated}");
    }
    // The second time, the key is a replay.
    assert_eq!(parse_outcomes(&cli.run(&["invoke"], &lines))[1]["meta"]["replayed"], true);
}

#[test]
fn failing_lines_are_told_and_end_with_their_exit_code() {
    let cli = CommandLine::new();
    let lines = "{\"action\":\"getStage\",\"input\":{\"stageId\":1}}\nnonsense\n";
    let (estimated, exit) = run_one(&cli, &["invoke", "--estimate"], lines);
    assert_eq!((&estimated["ok"], &estimated["data"]["failed"], exit), (&json!(true), &json!(1), Some(1)), "{estimated}");
    assert_eq!(estimated["data"]["failures"][0]["line"], 2, "{estimated}");
    let (refused, exit) = run_one(&cli, &["invoke", "getStage", "--input", "{}", "--estimate"], "");
    assert_eq!((&refused["error"]["kind"], exit), (&json!("invalid_input"), Some(1)), "{refused}");
    let (empty, exit) = run_one(&cli, &["invoke", "--estimate"], "");
    assert_eq!((&empty["data"]["requests"], &empty["data"]["certain"], exit), (&json!(0), &json!(true), Some(0)), "{empty}");
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage_and_no_file_is_written() {
    let cli = CommandLine::new();
    for arguments in [
        &["invoke", "getDeal", "--input", r#"{"dealId":1}"#, "--estimate", "--dry-run"][..],
        &["invoke", "getDeals", "--pages", "all", "--stream", "--estimate"],
        &["invoke", "--estimate", "--resume", "a.journal"],
    ] {
        assert_exit(&cli.run(arguments, ""), 2, "--estimate");
    }
    assert!(!cli.has_file("a.journal"));
    let file = cli.folder.path().join("fetched.bin");
    let output = file.to_str().expect("a path");
    let (outcome, _) = run_one(&cli, &["invoke", "downloadFile", "--input", r#"{"fileId":1}"#, "--output", output, "--estimate"], "");
    assert_eq!((&outcome["data"]["tokens"], file.exists()), (&json!(20), false), "{outcome}");
}

/// A batch is read line by line, and kept nowhere.
#[test]
fn long_batch_is_estimated_in_little_memory() {
    let cli = CommandLine::new();
    let line = |at: u32| format!("{{\"action\":\"addNote\",\"input\":{{\"dealId\":1,\"content\":\"{at} {}\"}}}}\n", "x".repeat(2_000));
    let lines: String = (0..32_000).map(line).collect();
    assert!(lines.len() > 60 << 20, "the batch is larger than the memory that it may take");
    let mut child = cli.command(&["invoke", "--estimate"]).spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, lines.as_bytes()).map(|()| stdin));
    let stdin = writer.join().expect("no panic").expect("the command reads stdin");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    drop(stdin);
    let outcome = parse_outcomes(&wait(child)).remove(0);
    assert_eq!((&outcome["data"]["requests"], &outcome["data"]["certain"]), (&json!(32_000), &json!(true)), "{outcome}");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|line| line.trim().trim_end_matches(" kB").to_owned());
    // Systems without that file tell nothing.
    if let Some(peak) = peak {
        assert!(peak.parse::<u64>().expect("a number") < 60 << 10, "{peak} kB");
    }
}
