//! Batches: stopped by signals, killed, cut off from stdout, and gone on with by their journal.

mod runs;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use http::Request;
use pipedrive_sandbox::{Clock, DEMO_API_TOKEN, Options, Sandbox};
use serde_json::{Value, json};

use runs::{Batch, build_create};

use crate::support::held::HeldVendor;
use crate::support::process::{KilledOnDrop, Program, assert_exit, send_signal, stderr_text};
use crate::support::sandbox::{bind, sandbox_options, serve_sandbox};

/// Starts a sandbox that answers each create after a while, so that a kill comes amid calls.
async fn start_slow_sandbox() -> (Sandbox, String) {
    let (listener, url) = bind().await;
    let faults = "latency=always:20ms@write".parse().expect("these are faults");
    (serve_sandbox(listener, Options { faults, clock: Clock::system(), ..sandbox_options() }), url)
}

/// Counts the deals of the sandbox by the line that made them.
fn find_deals(sandbox: &Sandbox) -> HashMap<u64, Vec<Value>> {
    let (mut found, mut cursor): (HashMap<u64, Vec<Value>>, _) = (HashMap::new(), String::new());
    loop {
        let request = Request::get(format!("/api/v2/deals?limit=500{cursor}")).header("x-api-token", DEMO_API_TOKEN);
        let response = sandbox.respond(request.body(Vec::new().into()).expect("a request"));
        let body: Value = serde_json::from_slice(response.body()).expect("the body is JSON");
        for deal in body["data"].as_array().expect("a list") {
            if let Some(number) = deal["title"].as_str().and_then(|title| title.strip_prefix("Line ")) {
                found.entry(number.parse().expect("a number")).or_default().push(deal["id"].clone());
            }
        }
        match body["additional_data"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Holds each outcome against the deals of the sandbox, and returns how many are unknown.
#[track_caller]
fn assert_each_create_once(batch: &Batch, sandbox: &Sandbox, lines: u64) -> usize {
    let (outcomes, deals) = (batch.outcomes(), find_deals(sandbox));
    let without: Vec<u64> = (1..=lines).filter(|number| !outcomes.contains_key(number)).collect();
    assert_eq!((without, outcomes.len() as u64), (vec![], lines), "each line has an outcome");
    for (number, outcome) in &outcomes {
        let made = deals.get(number).map_or(&[][..], Vec::as_slice);
        match outcome["error"]["kind"].as_str() {
            None => assert_eq!(made, [outcome["data"]["id"].clone()], "line {number} is carried out once: {outcome}"),
            Some("outcome_unknown") => assert!(made.len() <= 1, "line {number} is carried out once at most: {made:?}"),
            Some(kind) => panic!("line {number} is answered {kind}: {outcome}"),
        }
    }
    outcomes.values().filter(|outcome| outcome["ok"] == false).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_batch_goes_on_and_each_create_is_made_once() {
    let (sandbox, url) = start_slow_sandbox().await;
    let lines: Vec<Value> = (1..=200).map(|number| build_create(number, (number % 2 == 0).then_some(&*format!("key-{number}")))).collect();
    for flags in [&["--jobs", "8"][..], &["--jobs", "8", "--unordered"]] {
        let mut batch = Batch::new(&url, &lines);
        for stop in 1..=4 {
            let mut run = batch.start(flags);
            run.read_outcomes(9 * stop);
            run.interrupt();
            let output = batch.finish(run);
            assert_exit(&output, 1, "Stopped: ");
            assert!(stderr_text(&output).contains(&format!("--resume {} < INPUT >> OUTPUT", batch.cli.file("journal"))));
        }
        let output = batch.run(flags);
        assert_exit(&output, 0, "");
        let written = batch.written.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{")).count();
        assert_eq!((batch.outcomes().len(), written), (200, 200), "each outcome is written once: nothing was killed");
        if flags.len() == 2 {
            let ids: Vec<u64> = batch
                .written
                .split(|byte| *byte == b'\n')
                .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
                .filter_map(|outcome| outcome["id"].as_u64())
                .collect();
            assert!(ids.is_sorted(), "the output of all runs is in order: {ids:?}");
        }
        assert_exit(&batch.run(flags), 0, "All 200 lines had their outcome before");
    }
    let deals = find_deals(&sandbox);
    assert!((1..=200).all(|number| deals[&number].len() == 2), "each of the two batches, which have ledgers of their own, made each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_batch_goes_on_and_sends_no_unkeyed_write_twice() {
    let (sandbox, url) = start_slow_sandbox().await;
    let lines: Vec<Value> = (1..=200).map(|number| build_create(number, None)).collect();
    let mut batch = Batch::new(&url, &lines);
    for kill in 1..=4 {
        let flags: &[&str] = if kill % 2 == 0 { &["--jobs", "8", "--unordered"] } else { &["--jobs", "8"] };
        let mut run = batch.start(flags);
        run.read_outcomes(12 * kill);
        run.kill();
        batch.finish(run);
    }
    assert_exit(&batch.run(&["--jobs", "8"]), 1, "");
    let unknown = assert_each_create_once(&batch, &sandbox, 200);
    assert!((1..=32).contains(&unknown), "8 lines at each kill are unknown at most: {unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_batch_sends_keyed_lines_again_and_each_is_made_once() {
    let (sandbox, url) = start_slow_sandbox().await;
    let lines: Vec<Value> = (1..=120).map(|number| build_create(number, Some(&format!("key-{number}")))).collect();
    let mut batch = Batch::new(&url, &lines);
    let mut run = batch.start(&["--jobs", "4"]);
    run.read_outcomes(40);
    run.kill();
    batch.finish(run);
    batch.run(&["--jobs", "4"]);
    let unknown = assert_each_create_once(&batch, &sandbox, 120);
    assert!(unknown <= 4, "4 lines are unknown at most: {unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unkeyed_write_that_was_sent_when_its_batch_was_killed_is_unknown_and_not_sent_again() {
    let mut vendor = HeldVendor::start().await;
    let mut batch = Batch::new(&vendor.url, &(1..=3).map(|number| build_create(number, None)).collect::<Vec<_>>());
    let mut run = batch.start(&["--jobs", "2"]);
    for _ in 0..2 {
        vendor.arrived.recv().await.expect("it arrives");
    }
    run.kill();
    batch.finish(run);
    vendor.answers.add_permits(3);
    assert_exit(&batch.run(&["--jobs", "2"]), 1, "");
    let outcomes = batch.outcomes();
    for number in [1, 2] {
        let (outcome, error) = (&outcomes[&number], &outcomes[&number]["error"]);
        assert_eq!((&error["kind"], &error["retry"], &outcome["action"]), (&json!("outcome_unknown"), &json!("unsafe"), &json!("addDeal")));
        assert_eq!(outcome["meta"]["requests"], 0, "nothing is sent: {outcome}");
    }
    assert_eq!((&outcomes[&3]["ok"], vendor.count()), (&json!(true), 3));
}

/// Cuts the journal of a batch after each of its lines, as a kill just then does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_goes_on_from_each_record_of_its_journal() {
    let (sandbox, url) = start_slow_sandbox().await;
    let read = json!({"id": 2, "action": "getStage", "input": {"stageId": 1}});
    let mut batch = Batch::new(&url, &[build_create(1, None), read, build_create(3, None)]);
    assert_exit(&batch.run(&[]), 0, "");
    let (journal, outcomes) = (std::fs::read_to_string(batch.cli.file("journal")).expect("it is there"), batch.outcomes());
    let records: Vec<&str> = journal.lines().map(|record| record.split([':', ',']).next().unwrap_or_default()).collect();
    let (line, create) = (["{\"done\"", "{\"written\""], ["{\"begun\"", "{\"done\"", "{\"written\""]);
    assert_eq!(records, [&["{\"journal\""][..], &create, &line, &create].concat());
    for cut in 1..=records.len() {
        let kept: String = journal.split_inclusive('\n').take(cut).collect();
        std::fs::write(batch.cli.file("journal"), &kept).expect("it can be written");
        let (before, has) = (find_deals(&sandbox), |record: &str| kept.contains(record));
        batch.written.clear();
        batch.run(&[]);
        let (found, after) = (batch.outcomes(), find_deals(&sandbox));
        for number in [1, 2, 3] {
            let [begun, done, written] = ["begun", "done", "written"].map(|word| has(&format!("{{\"{word}\":{number}")));
            let is_sent = after.get(&number).map_or(0, Vec::len) > before.get(&number).map_or(0, Vec::len);
            match found.get(&number) {
                None => assert!(written, "line {number} of a journal of {cut} lines has no outcome"),
                Some(outcome) if done => assert_eq!(*outcome, outcomes[&number], "line {number} of a journal of {cut} lines"),
                Some(outcome) if begun => assert_eq!(outcome["error"]["kind"], "outcome_unknown", "line {number}, {cut} lines"),
                Some(outcome) => assert_eq!(outcome["ok"], true, "line {number}, {cut} lines: {outcome}"),
            }
            assert_eq!(is_sent, number != 2 && !begun, "line {number} of a journal of {cut} lines");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_that_waits_at_a_stop_is_neither_sent_nor_begun() {
    let mut vendor = HeldVendor::start().await;
    let same = |number: u64| json!({"id": number, "action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "once"}});
    // Of two lines with one key, one waits for the other.
    let flags = ["--jobs", "2", "--unordered"];
    let mut batch = Batch::new(&vendor.url, &[same(1), same(2), build_create(3, None)]);
    let run = batch.start(&flags);
    vendor.arrived.recv().await.expect("it arrives");
    run.interrupt();
    vendor.answers.add_permits(1);
    let output = batch.finish(run);
    assert_exit(&output, 1, "Stopping, once 1 line that was sent has its outcome");
    assert_eq!((batch.outcomes().len(), vendor.count()), (1, 1));
    vendor.answers.add_permits(2);
    assert_exit(&batch.run(&flags), 0, "");
    let outcomes = batch.outcomes();
    let replayed = outcomes.values().filter(|outcome| outcome["meta"]["replayed"] == true).count();
    assert_eq!((outcomes.len(), replayed, vendor.count()), (3, 1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_signal_ends_a_batch_at_once() {
    let mut vendor = HeldVendor::start().await;
    let mut batch = Batch::new(&vendor.url, &[build_create(1, None), build_create(2, None)]);
    let run = batch.start(&[]);
    vendor.arrived.recv().await.expect("it arrives");
    run.interrupt();
    // Two of one kind may come as one.
    send_signal(run.id(), "-TERM");
    let output = batch.finish(run);
    assert_exit(&output, 1, "Ended at once: line 1 had no outcome yet");
    assert_eq!(batch.outcomes().len(), 0);
    vendor.answers.add_permits(2);
    assert_exit(&batch.run(&[]), 1, "");
    assert_eq!(batch.outcomes()[&1]["error"]["kind"], "outcome_unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcome_without_a_reader_stays_in_the_journal_or_is_named() {
    let (sandbox, url) = start_slow_sandbox().await;
    let mut batch = Batch::new(&url, &[]);
    let (first, second) = (build_create(1, None).to_string() + "\n", build_create(2, None).to_string() + "\n");
    let mut run = batch.start_from(&[], Stdio::piped());
    let mut stdin = run.child().stdin.take().expect("stdin is piped");
    stdin.write_all(first.as_bytes()).expect("it reads");
    run.read_outcomes(1);
    let (output, read) = run.leave(|| {
        stdin.write_all(second.as_bytes()).expect("it reads");
        drop(stdin);
    });
    assert_exit(&output, 3, "The reader of stdout has gone: the journal keeps what could not be written, of line 2.");
    batch.written.extend(read);
    batch.write_input(&(first.clone() + &second));
    let output = batch.run(&[]);
    assert_exit(&output, 0, "");
    let unknown = assert_each_create_once(&batch, &sandbox, 2);
    assert_eq!(unknown, 0, "the second outcome was kept");

    // A program that is a test writes a line of its own first.
    if Program::find() != Program::Connector {
        return;
    }
    let mut plain = batch.cli.command(&["invoke"]);
    let mut plain = plain.env("CONNECTOR_SANDBOX", &url).spawn().expect("the binary runs");
    drop(plain.stdout.take());
    plain.stdin.take().expect("stdin is piped").write_all(first.as_bytes()).expect("it reads");
    let output = plain.wait_with_output().expect("it ends");
    assert_exit(&output, 3, "The reader of stdout has gone: 1 outcome could not be written, of line 1.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_without_a_journal_says_which_line_is_next() {
    let mut vendor = HeldVendor::start().await;
    let same = |number: u64| json!({"id": number, "action": "addDeal", "input": {"title": "Once"}, "options": {"idempotencyKey": "once"}});
    let mut batch = Batch::new(&vendor.url, &[]);
    let mut command = batch.cli.command(&["invoke", "--jobs", "2", "--unordered"]);
    let mut process = command.env("CONNECTOR_SANDBOX", &vendor.url).spawn().expect("the binary runs");
    let mut stdin = process.stdin.take().expect("stdin is piped");
    stdin.write_all(format!("{}\n\n{}\n{}\n", same(1), same(2), build_create(3, None)).as_bytes()).expect("it reads");
    vendor.arrived.recv().await.expect("it arrives");
    send_signal(process.id(), "-INT");
    vendor.answers.add_permits(1);
    let output = process.wait_with_output().expect("it ends");
    drop(stdin);
    assert_exit(&output, 1, "the next is line 4 of stdin. To go on:\n  tail -n +4 INPUT | connector invoke --jobs 2 --unordered >> OUTPUT");
    batch.written.clone_from(&output.stdout);
    let outcomes = batch.outcomes();
    // Of two lines with one key, one waits for the other: blank lines count where a person reads the number.
    let (sent, waited, place) = if outcomes[&1]["ok"] == true { (1, 2, 3) } else { (2, 1, 1) };
    assert!(stderr_text(&output).contains(&format!("with the outcome `cancelled`: line {place}.")), "{}", stderr_text(&output));
    let error = &outcomes[&waited]["error"];
    assert_eq!((&outcomes[&sent]["ok"], &error["kind"], &error["retry"]), (&json!(true), &json!("cancelled"), &json!("later")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_input_journal_or_process_is_refused() {
    let (_sandbox, url) = start_slow_sandbox().await;
    let lines: Vec<Value> = (1..=3).map(|number| build_create(number, None)).collect();
    let mut batch = Batch::new(&url, &lines);
    let input = std::fs::read_to_string(batch.cli.file("input")).expect("it is there");
    // An input that was cut goes on, in the midst of a line too.
    batch.write_input(&input[..input.len() - 9]);
    assert_exit(&batch.run(&[]), 1, "stdin ends in the midst of line 3");
    assert_eq!(batch.outcomes().len(), 2);
    batch.write_input(&input.replace("Line 2", "Line 7"));
    assert_exit(&batch.run(&[]), 2, "stdin is not what it was when the journal was begun: line 2, or one before it");
    batch.write_input(&input);
    assert_exit(&batch.run(&[]), 0, "");
    assert_eq!(batch.outcomes().len(), 3);

    let mut run = batch.start_from(&[], Stdio::piped());
    let stdin = run.child().stdin.take().expect("stdin is piped");
    (&stdin).write_all(format!("{input}{}\n", build_create(4, None)).as_bytes()).expect("it reads");
    run.read_outcomes(1);
    assert_exit(&batch.run(&[]), 3, "another process uses this journal");
    drop(stdin);
    assert_exit(&batch.finish(run), 0, "");

    std::fs::write(batch.cli.file("journal"), "{\"journal\":\"connector batch\",\"version\":2}\n").expect("it can be written");
    assert_exit(&batch.run(&[]), 2, "is a journal of version 2");
    assert_exit(&batch.cli.run(&["invoke", "--resume", "/no/such/folder/journal"], ""), 2, "No such file");
    assert_exit(&batch.cli.run(&["invoke", "--resume", "/dev/full"], ""), 2, "is no regular file");
    assert_exit(&batch.cli.run(&["invoke", "getDeals", "--resume", "journal"], ""), 2, "--resume");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_of_the_output_that_a_kill_cut_stands_alone() {
    let (_sandbox, url) = start_slow_sandbox().await;
    let mut batch = Batch::new(&url, &[build_create(1, None), build_create(2, None)]);
    assert_exit(&batch.run(&[]), 0, "");
    let outcomes: Vec<&str> =
        std::str::from_utf8(&batch.written).expect("it is text").lines().filter(|line| line.starts_with('{')).collect();
    // The kill comes amid the second outcome, which the journal has.
    std::fs::write(batch.cli.file("output"), format!("{}\n{}", outcomes[0], &outcomes[1][..20])).expect("it can be written");
    let journal = std::fs::read_to_string(batch.cli.file("journal")).expect("it is there");
    std::fs::write(batch.cli.file("journal"), journal.trim_end_matches("{\"written\":2}\n")).expect("it can be written");
    let output = std::fs::OpenOptions::new().append(true).open(batch.cli.file("output")).expect("it is there");
    let mut command = Command::new(env!("CARGO_BIN_EXE_connector"));
    command.args(["invoke", "--resume", &batch.cli.file("journal")]).env("CONNECTOR_DATA_DIR", batch.cli.folder.path());
    let stdin = std::fs::File::open(batch.cli.file("input")).expect("it is there");
    let status = command.env("CONNECTOR_SANDBOX", &url).stdin(stdin).stdout(output).status().expect("the binary runs");
    let written = std::fs::read_to_string(batch.cli.file("output")).expect("it is there");
    assert_eq!(written.lines().collect::<Vec<_>>(), [outcomes[0], &outcomes[1][..20], outcomes[1]], "{status}");
}

/// Holds back the answers until a terminal shows the progress, which is after a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminal_shows_the_progress_beside_whole_outcomes_and_a_pipe_shows_none() {
    let vendor = HeldVendor::start().await;
    let mut batch = Batch::new(&vendor.url, &(1..=3).map(|number| build_create(number, None)).collect::<Vec<_>>());
    let in_pipe = batch.start(&[]);
    let mut command = Command::new("script");
    let words = format!("stty cols 120; '{}' invoke < '{}'", env!("CARGO_BIN_EXE_connector"), batch.cli.file("input"));
    command.args(["-qec", &words, "/dev/null"]).env("TERM", "xterm").env("CONNECTOR_SANDBOX", &vendor.url);
    command.env("CONNECTOR_DATA_DIR", batch.cli.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut terminal = KilledOnDrop(command.spawn().expect("script runs"));
    let mut shown = terminal.0.stdout.take().expect("stdout is piped");
    let (mut screen, mut part) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&screen).contains("0 done, 0 failed, 0.0/s, 0 tokens spent") {
        let count = shown.read(&mut part).expect("the terminal can be read");
        assert!(count > 0, "no progress: {}", String::from_utf8_lossy(&screen));
        screen.extend_from_slice(&part[..count]);
    }
    vendor.answers.add_permits(6);
    shown.read_to_end(&mut screen).expect("the terminal can be read");
    let screen = String::from_utf8(screen).expect("it is text");
    assert!(screen.contains("[>-------------------] ") || screen.contains("[#"), "{screen:?}");
    assert!(!screen.contains("\u{1b}[1A"), "one line alone is drawn again: {screen:?}");
    let outcomes = screen.split('\n').filter_map(|line| line.find("{\"id\"").map(|at| line[at..].trim_end()));
    let outcomes: Vec<Value> =
        outcomes.map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))).collect();
    assert_eq!(outcomes.len(), 3, "{screen:?}");
    let output = batch.finish(in_pipe);
    assert_exit(&output, 0, "");
    assert_eq!((stderr_text(&output), batch.outcomes().len()), (String::new(), 3));
}

/// Limits the size of files, as a full disk does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_sends_nothing_more_and_says_what_to_check() {
    let (sandbox, url) = start_slow_sandbox().await;
    let cli = Batch::new(&url, &(1..=30).map(|number| build_create(number, None)).collect::<Vec<_>>()).cli;
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" invoke --resume \"$1\" < \"$2\"";
    limited.args(["-c", script, env!("CARGO_BIN_EXE_connector"), &cli.file("journal"), &cli.file("input")]);
    let output = limited.env("CONNECTOR_DATA_DIR", cli.folder.path()).env("CONNECTOR_SANDBOX", &url).output().expect("sh runs");
    assert_exit(&output, 3, "Check that the disk has room and is sound, then run the same command again.");
    let outcomes = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    let made = find_deals(&sandbox).len();
    assert!((1..30).contains(&made) && outcomes == made, "{outcomes} outcomes of {made} creates");
}
