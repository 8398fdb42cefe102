//! The binary itself: its stdout, its stderr and its exit codes.

use std::io::Write;

use serde_json::{Value, json};

use crate::support::assertions::{assert_valid, assert_view};
use crate::support::process::{CommandLine, assert_exit, parse_outcomes, read_lines, stderr_text, wait};
use crate::support::repository::{build_catalogue, path, read_summary_schema};

#[test]
fn sandbox_state_carries_over_lines_and_processes() {
    let cli = CommandLine::new();
    let input = "{\"action\":\"addDeal\",\"input\":{\"title\":\"Rocket\"}}\n{\"action\":\"searchDeals\",\"input\":{\"term\":\"Rocket\"}}\n";
    let output = cli.run(&["invoke"], input);
    let outcomes = parse_outcomes(&output);
    assert_eq!((outcomes.len(), output.status.code()), (2, Some(0)), "{}", stderr_text(&output));
    let id = &outcomes[0]["data"]["id"];
    assert_eq!(&outcomes[1]["data"]["items"][0]["item"]["id"], id);
    assert_eq!(outcomes[0]["meta"]["sandbox"], true);
    assert_eq!(stderr_text(&output).matches("embedded sandbox").count(), 1, "mention the embedded sandbox once: {}", stderr_text(&output));
    let again = parse_outcomes(&cli.run(&["invoke", "searchDeals", "--input", "{\"term\":\"Rocket\"}"], ""));
    assert_eq!(&again[0]["data"]["items"][0]["item"]["id"], id);
}

#[test]
fn processes_sharing_the_sandbox_lose_no_write() {
    let cli = CommandLine::new();
    let input: String = (0..10).map(|at| format!("{{\"action\":\"addDeal\",\"input\":{{\"title\":\"Shared {at}\"}}}}\n")).collect();
    let running: Vec<_> = (0..3)
        .map(|_| {
            let mut child = cli.command(&["invoke"]).spawn().expect("the binary runs");
            child.stdin.take().expect("stdin is piped").write_all(input.as_bytes()).expect("the command reads stdin");
            child
        })
        .collect();
    let outputs = running.into_iter().map(wait);
    let mut ids: Vec<i64> =
        outputs.flat_map(|output| parse_outcomes(&output)).map(|outcome| outcome["data"]["id"].as_i64().expect("an ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 30, "give each create an ID of its own: {ids:?}");
    let found = parse_outcomes(&cli.run(&["invoke", "searchDeals", "--input", "{\"term\":\"Shared\"}"], ""));
    assert_eq!(found[0]["page"]["count"], 30, "keep all creates");
}

#[test]
fn bad_line_is_one_outcome_and_the_rest_runs() {
    let cli = CommandLine::new();
    let deep = format!("{{\"action\":{}\n", "[".repeat(10_000));
    let mut input =
        b"nonsense\n{\"action\":\"nope\"}\n\n{\"id\":\"u\",\"action\":\"getDeal\",\"bogus\":1}\n{\"action\":\"\xff\"}\n".to_vec();
    input.extend(deep.as_bytes());
    input.extend(b"{\"id\":\"last\",\"action\":\"getStage\",\"input\":{\"stageId\":\"1\"}}");
    for arguments in [&["invoke"][..], &["invoke", "--jobs", "8"]] {
        let output = cli.run(arguments, &input);
        let outcomes = parse_outcomes(&output);
        let kinds: Vec<&str> = outcomes.iter().map(|outcome| outcome["error"]["kind"].as_str().unwrap_or("ok")).collect();
        assert_eq!(kinds, ["invalid_invocation", "unknown_action", "invalid_invocation", "invalid_invocation", "invalid_invocation", "ok"]);
        assert_eq!((&outcomes[2]["id"], &outcomes[5]["id"]), (&json!("u"), &json!("last")));
        assert_eq!(output.status.code(), Some(1), "exit with 1 if an outcome is not ok");
    }
}

#[test]
fn parallel_outcomes_keep_their_order_unless_unordered() {
    let cli = CommandLine::new();
    let input: String = (0..60).map(|at| format!("{{\"id\":\"{at}\",\"action\":\"getStage\",\"input\":{{\"stageId\":1}}}}\n")).collect();
    let ids = |arguments: &[&str]| -> Vec<String> {
        parse_outcomes(&cli.run(arguments, &input)).iter().map(|outcome| outcome["id"].as_str().expect("an id").to_owned()).collect()
    };
    let expected: Vec<String> = (0..60).map(|at: u32| at.to_string()).collect();
    assert_eq!(ids(&["invoke", "--jobs", "16"]), expected);
    let mut unordered = ids(&["invoke", "--jobs", "16", "--unordered"]);
    unordered.sort_by_key(|id| id.parse::<u32>().expect("a number"));
    assert_eq!(unordered, expected);
}

#[test]
fn dry_run_starts_no_sandbox_and_shows_the_request() {
    let cli = CommandLine::new();
    let output = cli.run(&["invoke", "mergeDeals", "--input", "{\"dealId\":1,\"mergeWithId\":2}", "--dry-run"], "");
    let outcomes = parse_outcomes(&output);
    let line = &outcomes[0]["data"][0];
    assert_eq!((&line["method"], &line["json"]), (&json!("PUT"), &json!({"merge_with_id": 2})), "{outcomes:?}");
    assert!(!cli.has_file("sandbox.json"), "a dry run must start no sandbox");
}

/// Lines of stdin name their view themselves, as they name their connection.
#[test]
fn view_is_chosen_by_the_flag_or_by_the_line() {
    let cli = CommandLine::new();
    let input = "{\"stageId\":1}";
    for (arguments, view) in [(&[][..], None), (&["--view", "record"], None), (&["--view", "flat"], Some("flat"))] {
        let outcomes = parse_outcomes(&cli.run(&[&["invoke", "getStage", "--input", input], arguments].concat(), ""));
        assert_view(&outcomes[0], view);
    }
    let line = |options: &str| format!("{{\"action\":\"getStage\",\"input\":{input},\"options\":{options}}}\n");
    let outcomes = parse_outcomes(&cli.run(&["invoke"], [line(r#"{"view":"flat"}"#), line("{}"), line(r#"{"view":"raw"}"#)].concat()));
    assert_view(&outcomes[0], Some("flat"));
    assert_view(&outcomes[1], None);
    let message = outcomes[2]["error"]["message"].as_str().expect("the word is refused");
    assert!(message.contains("record or flat"), "{message}");
}

/// No file of the machine is read for it: the database of zones is built in.
#[test]
fn zone_of_times_is_named_by_the_flag_or_by_the_line() {
    let cli = CommandLine::new();
    let (given, sent) = (r#"{"updatedSince":"2026-07-31T01:30"}"#, "updated_since=2026-07-30T22:30:00Z");
    let by_flag = cli.run(&["invoke", "getDeals", "--input", given, "--time-zone", "Europe/Tallinn", "--dry-run"], "");
    let line = format!(r#"{{"action":"getDeals","input":{given},"options":{{"timeZone":"Europe/Tallinn","dryRun":true}}}}"#);
    for outcome in parse_outcomes(&by_flag).into_iter().chain(parse_outcomes(&cli.run(&["invoke"], line))) {
        let url = outcome["data"][0]["url"].as_str().unwrap_or_else(|| panic!("{outcome}"));
        assert!(url.contains(sent), "{url}");
    }
}

#[test]
fn ids_that_are_whole_numbers_come_back_in_every_outcome() {
    let cli = CommandLine::new();
    let ids = [json!(17), json!(-1), json!(u64::MAX), json!("17")];
    let calls = [
        (r#""action":"getStage","input":{"stageId":1}"#, "ok"),
        (r#""action":"getStage","input":{}"#, "invalid_input"),
        (r#""action":"getStage","input":{"stageId":99999}"#, "not_found"),
        (r#""action":"nope""#, "unknown_action"),
        (r#""action":"getStage","bogus":1"#, "invalid_invocation"),
    ];
    for id in ids {
        let lines: String = calls.iter().map(|(call, _)| format!("{{\"id\":{id},{call}}}\n")).collect();
        let outcomes = parse_outcomes(&cli.run(&["invoke"], lines));
        for ((_, kind), outcome) in calls.iter().zip(&outcomes) {
            assert_eq!((&outcome["id"], outcome["error"]["kind"].as_str().unwrap_or("ok")), (&id, *kind), "{outcome}");
        }
        assert_eq!(outcomes.len(), calls.len());
    }
}

#[test]
fn input_is_read_from_argument_file_or_stdin() {
    let cli = CommandLine::new();
    let file = cli.file("input.json");
    std::fs::write(&file, "{\"stageId\": 1}").expect("the file can be written");
    let at = format!("@{file}");
    for (input, stdin) in [("{\"stageId\":1}", ""), (at.as_str(), ""), ("-", "{\"stageId\":1}")] {
        let outcomes = parse_outcomes(&cli.run(&["invoke", "getStage", "--input", input], stdin));
        assert_eq!(outcomes[0]["data"]["id"], 1, "{input}: {outcomes:?}");
    }
    let pretty = cli.run(&["invoke", "getStage", "--input", "{\"stageId\":1}", "--pretty"], "");
    assert!(pretty.stdout.iter().filter(|byte| **byte == b'\n').count() > 10, "write several lines for --pretty");
}

#[test]
fn list_is_read_whole_by_a_flag_and_by_a_line() {
    let cli = CommandLine::new();
    let count = |arguments: &[&str], stdin: &str| {
        let outcome = parse_outcomes(&cli.run(&[&["invoke"], arguments].concat(), stdin)).remove(0);
        (outcome["page"]["count"].as_u64(), outcome["page"]["complete"].as_bool(), outcome["data"].as_array().map(Vec::len))
    };
    let limit = ["getDeals", "--input", "{\"limit\":50}"];
    let (whole, complete, length) = count(&[&limit[..], &["--pages", "all"]].concat(), "");
    assert!(
        whole > Some(100) && complete == Some(true) && length.map(|length| length as u64) == whole,
        "{whole:?} {complete:?} {length:?}"
    );
    assert_eq!(count(&[&limit[..], &["--pages", "all", "--max-items", "70"]].concat(), ""), (Some(70), Some(false), Some(70)));
    assert_eq!(count(&[&limit[..], &["--pages", "one"]].concat(), ""), (Some(50), Some(false), Some(50)));
    let line = r#"{"action": "getDeals", "input": {"limit": 50}, "options": {"pages": "all", "maxItems": 70}}"#;
    assert_eq!(count(&[], line), (Some(70), Some(false), Some(70)));
}

#[test]
fn list_streams_a_record_a_line_and_a_summary_last() {
    let cli = CommandLine::new();
    let stream = |arguments: &[&str]| {
        let output = cli.run(&[&["invoke", "getDeals", "--pages", "all", "--stream"], arguments].concat(), "");
        let lines: Vec<Value> =
            String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        let last = lines.last().expect("a summary comes last");
        assert_valid(&read_summary_schema(), last, "a summary");
        (lines[..lines.len() - 1].to_vec(), last["summary"].clone(), output.status.code())
    };
    let joined = parse_outcomes(&cli.run(&["invoke", "getDeals", "--pages", "all"], "")).remove(0);
    let (records, summary, code) = stream(&["--input", "{\"limit\":50}"]);
    assert_eq!((Some(&records), &summary["page"], code), (joined["data"].as_array(), &joined["page"], Some(0)));
    assert_eq!((&summary["action"], &summary["meta"]["sandbox"]), (&json!("getDeals"), &json!(true)), "{summary}");
    let (records, summary, _) = stream(&["--max-items", "3", "--view", "flat"]);
    assert!(records.len() == 3 && records[0]["addTime"].is_string() && summary["meta"]["view"] == "flat", "{summary}");
    for refused in [["--input", "{"], ["--input", "{\"limit\":\"x\"}"], ["--connection", "nobody"]] {
        let (records, summary, code) = stream(&refused);
        assert_eq!((records.len(), &summary["ok"], code), (0, &json!(false), Some(1)), "{refused:?}: {summary}");
        assert!(summary["error"]["kind"].is_string(), "{summary}");
    }
}

#[test]
fn wrong_usage_exits_2_and_names_the_mistake() {
    let cli = CommandLine::new();
    // Arguments are checked before a port is bound: this one cannot be.
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = taken.local_addr().expect("a bound listener has an address").port().to_string();
    for (arguments, words) in [
        (&["invoke", "getDeals", "--stream"][..], "--stream is for lists that are read whole: give --pages all too"),
        (&["invoke", "getDeals", "--stream", "--pages", "one"], "give --pages all too"),
        (&["invoke", "--stream", "--pages", "all"], "<ACTION>"),
        (&["invoke", "getDeals", "--stream", "--pages", "all", "--pretty"], "--pretty"),
        (&["invoke", "getDeals", "--stream", "--pages", "all", "--output", "deals"], "--output"),
        (&["invoke", "getDeals", "--pages", "some"], "[possible values: one, all]"),
        (&["invoke", "getDeals", "--max-items", "3"], "--pages <PAGES>"),
        (&["invoke", "getDeals", "--pages", "all", "--max-items", "0"], "--max-items"),
        (&["invoke", "getDeals", "--fields", "name"], "invalid value 'name'"),
        (&["invoke", "getDeals", "--view", "flatt"], "[possible values: record, flat]"),
        (&["invoke", "--view", "flat"], "<ACTION>"),
        (&["invoke", "getDeals", "--time-zone", "Europe/Talinn"], "The nearest is `Europe/Tallinn`"),
        (&["invoke", "getDeal", "--input", "@/no/such/file"], "No such file"),
        (&["serve", "--port", &port, "--store", "postgres://host/name"], "without PostgreSQL"),
        (&["serve", "--public-url", "http://connect.example"], "--public-url"),
        (&["serve", "--install-redirect", "http://platform.example/setup"], "--install-redirect"),
        (&["serve", "--install-redirect", "https://platform.example/setup#part"], "without a fragment"),
        (&["serve", "--view", "raw"], "[possible values: record, flat]"),
        (&["serve", "--connection-header", "a b"], "a b"),
        (&["serve", "--port", "0", "--host", "0.0.0.0"], "--public-url"),
        (&["serve", "--port", "0", "--host", "0.0.0.0", "--public-url", "http://localhost:8030"], "an https URL"),
        (&["serve", "--public-url", "https://connect.example/below"], "--public-url \"https://connect.example/below\": write a scheme"),
        (&["sign-in", "--public-url", "nonsense"], "--public-url \"nonsense\": write a scheme"),
        (&["connect", "--public-url", "nonsense"], "--public-url \"nonsense\": write a scheme"),
        (&["connect"], "CONNECTOR_CLIENT_ID"),
        (&["connect", "--name", " x"], "A name is one line"),
        (&["connect", "--view", "raw"], "[possible values: record, flat]"),
        (&["connections", "view", "x", "raw"], "[possible values: record, flat, none]"),
        (&["connect", "--api-token", "-", "--api-domain", "https://evil.example"], "--api-domain: \"https://evil.example\" is no host"),
        (&["connect", "--api-token", "-", "--api-domain", "http://127.0.0.1:8020"], "CONNECTOR_SANDBOX=http://127.0.0.1:8020"),
        (&["keys", "create", "--name", " x"], "A name is one line"),
        (&["keys", "create", "--view", "raw"], "[possible values: record, flat]"),
        (&["keys", "create", "--owner", ""], "An owner is 1 to 100"),
        (&["connections", "rename", "x", "00000000-0000-4000-8000-000000000000"], "and not the form of an id"),
        (&["serve", "--connection-header", "Authorization"], "a meaning of its own"),
        (&["serve", "--connection-header", "Content-Type"], "a meaning of its own"),
        (&["sandbox", "--memory", "--companies", "1001"], "--companies"),
        (&["sandbox", "--memory", "--redirect-uri", "nonsense"], "redirect URI"),
        (&["sandbox", "--memory", "--faults", "token=200"], "token=drop-answer"),
        (&["sandbox", "--memory", "--faults", "lateny=1%"], "the nearest is latency"),
        (&["sandbox", "--memory", "--faults", "500=1%@/api/v2/deal"], "the nearest is /api/v2/deals"),
        (&["sandbox", "--memory", "--faults", "@/there/is/none"], "/there/is/none: "),
        (&["serve", "--port", "0", "--faults", "500=1%"], "--sandbox"),
        (&["serve", "--port", &port, "--sandbox", "--faults", "lateny=1%"], "the nearest is latency"),
        (&["invok"], "invoke"),
        (&["manifest", "hubspot"], "hubspot"),
    ] {
        let output = cli.run(arguments, "");
        assert_exit(&output, 2, words);
        assert!(output.stdout.is_empty(), "print only outcomes on stdout");
    }
    let secret = cli.run(&["connect", "--api-token", "hunter2", "--api-domain", "https://acme.pipedrive.com"], "");
    assert_exit(&secret, 2, "stdin");
    assert!(!stderr_text(&secret).contains("hunter2"), "do not repeat what may be a token");
    let output = cli.run_with(&[("CONNECTOR_PUBLIC_URL", "http://localhost:8030")], &["serve", "--port", "0", "--host", "0.0.0.0"]);
    assert_exit(&output, 2, "https");
    assert_eq!(std::fs::read_dir(cli.folder.path()).expect("the folder can be listed").count(), 0, "wrong usage must create no file");
    let output = cli.run(&["invoke", "getDeal", "--input", "{\"dealId\":"], "");
    assert_eq!((parse_outcomes(&output)[0]["error"]["kind"].as_str(), output.status.code()), (Some("invalid_invocation"), Some(1)));
}

#[test]
fn environment_account_is_used_or_refused() {
    let cli = CommandLine::new();
    for (variables, words) in [
        (&[("CONNECTOR_API_TOKEN", "hunter2")][..], "needs CONNECTOR_API_DOMAIN"),
        (&[("CONNECTOR_API_DOMAIN", "https://acme.pipedrive.com")], "needs CONNECTOR_API_TOKEN"),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "https://evil.example")], "no host of Pipedrive"),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "https://pipedrive.com.evil.example")], "no host of Pipedrive"),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "http://acme.pipedrive.com")], "https"),
        (&[("CONNECTOR_SANDBOX", "https://acme.pipedrive.com")], "sandbox on this machine"),
    ] {
        let output = cli.run_with(variables, &["invoke", "getCurrentUser"]);
        assert_exit(&output, 2, "");
        assert!(
            stderr_text(&output).contains(words) && !stderr_text(&output).contains("hunter2"),
            "{variables:?}: {}",
            stderr_text(&output)
        );
    }
    let output = cli.run_with(
        &[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "https://acme.pipedrive.com")],
        &["invoke", "getDeals", "--dry-run"],
    );
    let outcomes = parse_outcomes(&output);
    assert_eq!(outcomes[0]["data"][0]["url"], "https://acme.pipedrive.com/api/v2/deals");
    assert_eq!(outcomes[0]["meta"]["connection"], "env");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"), "do not show the token");
}

/// Names a proxy in the environment: through it, requests to this machine would leave with their token.
#[test]
fn ignores_proxy_variables_of_the_environment() {
    let cli = CommandLine::new();
    let proxy = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let url = format!("http://{}", proxy.local_addr().expect("a bound listener has an address"));
    let output = cli.run_with(
        &[("http_proxy", &url), ("HTTP_PROXY", &url), ("ALL_PROXY", &url), ("CONNECTOR_PROXY", &url)],
        &["invoke", "getStage", "--input", "{\"stageId\":1}"],
    );
    assert_eq!(parse_outcomes(&output)[0]["data"]["id"], 1, "{}", stderr_text(&output));
}

/// Waits for each outcome before the next line, as an engine may do with any number of jobs.
#[test]
fn writes_each_outcome_while_stdin_is_open() {
    let cli = CommandLine::new();
    for arguments in [&["invoke"][..], &["invoke", "--jobs", "4"], &["invoke", "--jobs", "4", "--unordered"]] {
        let mut child = cli.command(arguments).spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let mut stdout = read_lines(&mut child);
        for _ in 0..2 {
            stdin.write_all(b"{\"action\":\"getStage\",\"input\":{\"stageId\":1}}\n").expect("the command reads stdin");
            let line = stdout.next().expect("an outcome");
            assert!(line.contains("\"ok\":true"), "{line}");
        }
        drop(stdin);
        assert!(child.wait().expect("the command ends").success());
    }
}

#[test]
fn named_connection_never_falls_back_to_the_sandbox() {
    let cli = CommandLine::new();
    let outcomes = parse_outcomes(&cli.run(&["invoke", "getDeals", "--connection", "acme"], ""));
    assert_eq!(outcomes[0]["error"]["kind"], "no_connection", "{outcomes:?}");
    assert!(!cli.has_file("sandbox.json"), "start no sandbox");
}

#[test]
fn lists_describes_and_checks_the_catalogue() {
    let cli = CommandLine::new();
    let list = cli.run(&["list", "--kind", "data-source", "--connector", "pipedrive"], "");
    let catalogue = build_catalogue();
    let sources = catalogue.entries().len() - catalogue.actions().count();
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), sources, "list one line each");
    let described = cli.run(&["describe", "getDeal"], "");
    let text = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(
        text.contains("GET /api/v2/deals/{deal_id}") && text.contains("connector invoke getDeal") && !text.contains('\u{1b}'),
        "{text}"
    );
    let form = cli.run(&["describe", "addDeal", "--connection", "sandbox"], "");
    let form = String::from_utf8_lossy(&form.stdout).into_owned();
    assert!(form.contains("Bronze|Silver|Gold\n") && !text.contains("Bronze"), "an account has its own form: {form}");
    assert!(form.lines().any(|line| line.trim() == "Tier"), "a custom field has its name below its key: {form}");
    let unknown = cli.run(&["describe", "getDael"], "");
    assert_exit(&unknown, 1, "getDeal");
    let manifest = path("manifests/pipedrive.json").display().to_string();
    let check = cli.run(&["manifest", "pipedrive", "--check", &manifest], "");
    assert!(check.status.success(), "run `just manifest`: {}", stderr_text(&check));
    let stale = cli.file("stale.json");
    std::fs::write(&stale, "{}\n").expect("the file can be written");
    let check = cli.run(&["manifest", "pipedrive", "--check", &stale], "");
    assert_exit(&check, 1, "--write");
}

/// Shows the parts of an e-mail and of an address, which the table of `getPersons` shows as well.
#[test]
fn describes_nested_inputs_and_the_output_in_lines_that_fit() {
    let cli = CommandLine::new();
    let read = |arguments: &[&str]| String::from_utf8(cli.run(arguments, "").stdout).expect("stdout is text");
    let person = read(&["describe", "addPerson"]);
    let (input, output) = person.split_once("\nOutput:\n").expect("the output is described");
    for part in ["* name ", "*   value ", "    primary ", "    postal_code "] {
        assert!(input.lines().any(|line| line.starts_with(part)), "{part:?} is an input: {person}");
    }
    for part in ["  first_name ", "    primary ", "    postal_code "] {
        assert!(output.lines().any(|line| line.starts_with(part)), "{part:?} is in the output: {person}");
    }
    let is_example = |line: &&str| line.starts_with("  connector invoke");
    let longest = person.lines().filter(|line| !is_example(line)).map(str::len).max();
    assert!(longest <= Some(100), "beside no terminal, a line has at most 100 columns: {person}");
    let filter = read(&["describe", "updateFilter"]);
    assert!(filter.lines().any(|line| line.starts_with("*       operator ")), "conditions lie in groups of groups: {filter}");
}

#[test]
fn marks_what_is_destructive_and_what_the_vendor_removed() {
    let cli = CommandLine::new();
    let read = |arguments: &[&str]| String::from_utf8(cli.run(arguments, "").stdout).expect("stdout is text");
    let list = read(&["list"]);
    for (key, effect) in [("mergeDeals", "destructive"), ("mergePersons", "destructive"), ("addChannel", "removed"), ("addDeal", "write")] {
        let start = format!("{key}\t{effect}\t");
        let is_marked = list.lines().any(|line| line.trim_start_matches("pipedrive/").starts_with(&start));
        assert!(is_marked, "{key} is {effect}: {list}");
    }
    let channel = read(&["describe", "addChannel"]);
    assert!(channel.contains("Add Channel (removed)\n") && channel.contains("nothing replaces them"), "{channel}");
    assert!(!channel.contains("Input"), "what makes no call has no form: {channel}");
    let listed: Value = serde_json::from_str(&read(&["list", "--json"])).expect("JSON");
    let status = |key: &str| listed.as_array().into_iter().flatten().find(|one| one["key"] == key).map(|one| one["status"].clone());
    assert_eq!((status("addChannel"), status("addDeal")), (Some(json!("removed")), Some(json!("live"))));
}

#[test]
fn host_failure_exits_3() {
    let cli = CommandLine::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = taken.local_addr().expect("a bound listener has an address").port().to_string();
    for arguments in [&["sandbox", "--memory", "--port", &port][..], &["serve", "--port", &port]] {
        assert_exit(&cli.run(arguments, ""), 3, &format!("port {port} is taken by another program: --port N takes another one"));
    }
    std::fs::write(cli.folder.path().join("sandbox.json"), "not a state").expect("the file can be written");
    let output = cli.run(&["sandbox", "--port", "0"], "");
    assert_exit(&output, 3, "");
    assert_eq!(
        std::fs::read_to_string(cli.folder.path().join("sandbox.json")).expect("the file exists"),
        "not a state",
        "do not overwrite a state that cannot be read"
    );
    let output = cli.run_with(&[("CONNECTOR_PROXY", "user:hunter2@proxy:99999")], &["invoke", "getDeals", "--dry-run"]);
    assert_exit(&output, 3, "CONNECTOR_PROXY");
    assert!(!stderr_text(&output).contains("hunter2"), "do not show the password of a proxy: {}", stderr_text(&output));
}

#[test]
fn reference_is_up_to_date() {
    let cli = CommandLine::new();
    let folder = cli.folder.path().join("docs");
    let output = cli.run(&["manifest", "pipedrive", "--docs", folder.to_str().expect("a path is text")], "");
    assert_exit(&output, 0, "");
    let pages = |folder: &std::path::Path| -> std::collections::BTreeMap<String, String> {
        let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let page = |path: std::path::PathBuf| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read_to_string(path).expect("the file is text"))
        };
        files.map(|file| page(file.expect("the folder can be listed").path())).collect()
    };
    let (written, kept) = (pages(&folder), pages(&path("docs/reference")));
    let names = |pages: &std::collections::BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    let advice = "run `just manifest`, and remove a page that it does not write";
    assert_eq!(names(&kept), names(&written), "{advice}");
    for (name, page) in written {
        assert!(kept[&name] == page, "docs/reference/{name} is out of date: {advice}");
    }
}

/// Sends a file and fetches it back; a failed download must leave no file.
#[test]
fn sends_and_fetches_local_files() {
    let cli = CommandLine::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    std::fs::write(cli.file("scan.bin"), &bytes).expect("the file can be written");
    let added = cli.run(&["invoke", "addFile", "--input", "{\"dealId\": 1}", "--file", &format!("file={}", cli.file("scan.bin"))], "");
    let added = &parse_outcomes(&added)[0];
    assert_eq!((&added["data"]["name"], &added["data"]["file_size"]), (&json!("scan.bin"), &json!(300_000)), "{added}");
    let input = json!({"fileId": added["data"]["id"]}).to_string();
    let fetched = cli.run(&["invoke", "downloadFile", "--input", &input, "--output", &cli.file("back.bin")], "");
    let fetched = &parse_outcomes(&fetched)[0];
    assert_eq!((&fetched["data"]["size"], &fetched["data"]["base64"]), (&json!(300_000), &Value::Null), "{fetched}");
    assert!(std::fs::read(cli.file("back.bin")).expect("the file exists") == bytes, "fetch the bytes that were sent");

    let missing = cli.run(&["invoke", "downloadFile", "--input", "{\"fileId\": 99999}", "--output", &cli.file("none.bin")], "");
    assert_eq!(parse_outcomes(&missing)[0]["error"]["kind"], "not_found");
    assert!(!std::path::Path::new(&cli.file("none.bin")).exists(), "leave no file after a failed download");
}

#[test]
fn unusable_files_are_refused_before_sending() {
    let cli = CommandLine::new();
    std::fs::write(cli.file("empty.bin"), "").expect("the file can be written");
    // A sparse file above the limit.
    std::fs::File::create(cli.file("huge.bin")).and_then(|file| file.set_len(1 << 30)).expect("the file can be written");
    for (file, words) in [
        (cli.file("none.bin"), "No such file"),
        (cli.folder.path().display().to_string(), "is a folder"),
        (cli.file("empty.bin"), "is empty"),
        (cli.file("huge.bin"), "at most 268435456 are sent"),
    ] {
        let output = cli.run(&["invoke", "addFile", "--input", "{\"dealId\": 1}", "--file", &format!("file={file}")], "");
        let outcome = &parse_outcomes(&output)[0];
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        assert!(
            faults.iter().any(|fault| fault["path"] == "/file" && fault["message"].as_str().is_some_and(|text| text.contains(words))),
            "{outcome}"
        );
        assert_eq!((output.status.code(), faults.len(), &outcome["meta"]["requests"]), (Some(1), 1, &json!(0)), "{outcome}");
    }
    for (arguments, words) in [
        (vec!["invoke", "addFile", "--file", "offer.pdf"], "write INPUT=PATH"),
        (vec!["invoke", "downloadFile", "--input", "{\"fileId\": 1}", "--output", "/no/such/folder/x"], "No such file"),
        (vec!["invoke", "downloadFile", "--input", "{\"fileId\": 1}", "--output", "/"], "is a folder"),
    ] {
        let output = cli.run(&arguments, "");
        assert_exit(&output, 2, words);
    }
}
