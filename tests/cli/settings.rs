//! `connector.toml`: the settings of flags and variables go before those of the file.

use std::process::Command;

use crate::support::process::{CommandLine, Program, assert_exit, parse_outcomes, run_with_stdin, stderr_text};

/// Builds a dry run in a folder whose file has this text.
fn dry_run(cli: &CommandLine, text: &str, arguments: &[&str]) -> Command {
    std::fs::write(cli.file("connector.toml"), text).expect("the file can be written");
    let mut command = cli.command(&[&["invoke", "getDeals", "--dry-run"], arguments].concat());
    command.current_dir(cli.folder.path()).env("CONNECTOR_API_TOKEN", "hunter2");
    command
}

#[test]
fn settings_come_from_flags_then_variables_then_the_file() {
    let cli = CommandLine::new();
    let file = "api_domain = \"https://file.pipedrive.com\"\n";
    let url = |command: Command| {
        let output = run_with_stdin(command, b"");
        let outcomes = parse_outcomes(&output);
        outcomes[0]["data"][0]["url"].as_str().unwrap_or_else(|| panic!("{outcomes:?} {}", stderr_text(&output))).to_owned()
    };
    assert_eq!(url(dry_run(&cli, file, &[])), "https://file.pipedrive.com/api/v2/deals");
    let table = "[pipedrive]\napi_domain = \"https://table.pipedrive.com\"\n";
    assert_eq!(url(dry_run(&cli, table, &[])), "https://table.pipedrive.com/api/v2/deals");
    let mut command = dry_run(&cli, file, &[]);
    command.env("CONNECTOR_API_DOMAIN", "https://variable.pipedrive.com");
    assert_eq!(url(command), "https://variable.pipedrive.com/api/v2/deals");
    // A store of the file is no store of this call, which names its own place.
    let output = run_with_stdin(dry_run(&cli, &format!("{file}store = \"no/such/x.db\"\n"), &["--sandbox"]), b"");
    assert_eq!(parse_outcomes(&output)[0]["meta"]["connection"], "sandbox", "{}", stderr_text(&output));
}

#[test]
fn file_of_the_configuration_folder_counts_where_the_working_folder_has_none() {
    let cli = CommandLine::new();
    let folder = cli.folder.path().join("connector");
    std::fs::create_dir(&folder).expect("a folder can be created");
    std::fs::write(folder.join("connector.toml"), "stor = \"x.db\"\n").expect("the file can be written");
    let mut command = cli.command(&["list"]);
    command.current_dir(cli.folder.path());
    let output = run_with_stdin(command, b"");
    assert_exit(&output, 2, "connector/connector.toml: there is no setting \"stor\"; the nearest is `store`");
}

#[test]
fn wrong_settings_and_secrets_of_a_file_are_refused() {
    let cli = CommandLine::new();
    for (text, words) in [
        ("api_tokn = \"x\"", "connector.toml: there is no setting \"api_tokn\""),
        ("api_token = \"hunter2\"", "`api_token` is a secret, and a file is copied and shared: set the variable CONNECTOR_API_TOKEN"),
        ("[hubspot]\napi_domain = \"x\"", "there is no setting \"hubspot\""),
        ("proxy = \"http://127.0.0.1:1\"", "says who sees the requests"),
        ("api_domain = ", "connector.toml: line 1"),
    ] {
        let output = run_with_stdin(dry_run(&cli, text, &[]), b"");
        assert_exit(&output, 2, words);
        assert!(output.stdout.is_empty() && !stderr_text(&output).contains("hunter2"), "{text}: {}", stderr_text(&output));
    }
    let help = cli.run(&["--help"], "");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Settings come from flags, then from these variables, then from the file\nconnector.toml"), "{help}");
}

/// The folder of the data lies below a file, so that nothing can be written there, whoever runs the test.
#[test]
fn disk_that_cannot_be_written_exits_3_and_says_what_to_check() {
    let cli = CommandLine::new();
    std::fs::write(cli.file("file"), "").expect("the file can be written");
    let below = cli.file("file/below");
    let variables = [("CONNECTOR_DATA_DIR", below.as_str())];
    for arguments in [&["invoke", "getStage", "stageId=1"][..], &["invoke", "getStage", "stageId=1", "--format", "csv"]] {
        let output = cli.run_with(&variables, arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr_text(&output));
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains("\"kind\":\"unreachable\"") && text.contains("its disk is not full"), "{text}");
    }
    let keyed = r#"{"action": "addDeal", "input": {"title": "x"}, "options": {"idempotencyKey": "k"}}"#;
    let mut command = cli.command(&["invoke"]);
    command.env("CONNECTOR_DATA_DIR", &below);
    let output = run_with_stdin(command, keyed.as_bytes());
    let outcome = parse_outcomes(&output).remove(0);
    assert_eq!((output.status.code(), &outcome["error"]["kind"]), (Some(3), &"unreachable".into()), "{outcome}");
    assert_exit(&cli.run_with(&variables, &["keys", "create"]), 3, "cannot be");
    // A program that is a test writes a line of its own first.
    if Program::find() != Program::Connector {
        return;
    }
    let mut command = cli.command(&["list"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device"));
    assert_exit(&run_with_stdin(command, b""), 3, "No space left on device");
}
