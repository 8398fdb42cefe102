//! Completion: the words that a shell is offered, and the scripts that offer them.

use std::process::Command;

use crate::support::process::{CommandLine, Program, assert_exit, run_with_stdin, stderr_text};

/// Asks for the words that may stand in place of the last one.
#[track_caller]
fn offer(cli: &CommandLine, variables: &[(&str, &str)], words: &[&str]) -> Vec<String> {
    let output = cli.run_with(variables, &[&["complete-words", "--"], words].concat());
    assert_exit(&output, 0, "");
    let text = String::from_utf8(output.stdout).expect("words are text");
    text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn offers_commands_flags_keys_inputs_values_and_connections() {
    let cli = CommandLine::new();
    let sandbox = [("CONNECTOR_SANDBOX", "http://127.0.0.1:1")];
    for (words, expected) in [
        (&["inv"][..], &["invoke"][..]),
        (&["connections", "sh"], &["show"]),
        (&["invoke", "--form"], &["--format"]),
        (&["invoke", "getDeals", "--format", ""], &["json", "ndjson", "csv", "table"]),
        (&["invoke", "getDeals", "--format=c"], &["--format=csv"]),
        (&["describe", "mergeD"], &["mergeDeals"]),
        (&["invoke", "getDeal", "dea"], &["dealId="]),
        (&["invoke", "getDeals", "sortBy=u"], &["sortBy=update_time"]),
        (&["invoke", "getDeals", "status=open,w"], &["status=open,won"]),
        (&["invoke", "addDeal", "title=x", "isArchived="], &["isArchived=true", "isArchived=false"]),
        (&["invoke", "--connection", ""], &["sandbox"]),
        (&["connections", "show", "s"], &["sandbox"]),
        (&["completion", "b"], &["bash"]),
        (&["invoke", "addDeal", "title="], &[]),
        (&["invoke", "noSuchThing", ""], &[]),
    ] {
        assert_eq!(offer(&cli, &sandbox, words), expected, "{words:?}");
    }
    let again = offer(&cli, &[], &["invoke", "addDeal", "title=x", "labelIds:=[1]", ""]);
    assert!(!again.iter().any(|word| word == "title=" || word == "labelIds="), "what is given is not offered again: {again:?}");
    assert!(again.iter().any(|word| word == "stageId="), "{again:?}");
    assert!(!offer(&cli, &[], &[""]).iter().any(|word| word == "complete-words"), "it is for scripts");
    assert_eq!(std::fs::read_dir(cli.folder.path()).expect("the folder can be listed").count(), 0, "completion must create no file");
}

/// Runs a script in a shell in which `connector` is this program, if the shell is installed.
fn run_in(shell: &[&str], name: &str, before: &str, drive: &str) -> Option<String> {
    let cli = CommandLine::with(Program::Connector);
    let script = cli.run(&["completion", name], "");
    assert_exit(&script, 0, "");
    std::fs::write(cli.file("script"), script.stdout).expect("the file can be written");
    let program = env!("CARGO_BIN_EXE_connector");
    let folder = std::path::Path::new(program).parent().expect("a program is in a folder");
    let paths = std::env::join_paths(std::iter::once(folder.into()).chain(std::env::split_paths(&std::env::var_os("PATH")?))).ok()?;
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg("-c").arg(format!("{before}\nsource \"$SCRIPT\"\n{drive}"));
    command.env("PATH", paths).env("SCRIPT", cli.file("script")).env("HOME", cli.folder.path());
    command.env("CONNECTOR_DATA_DIR", cli.folder.path()).env("XDG_CONFIG_HOME", cli.folder.path()).current_dir(cli.folder.path());
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    // Bash is on every machine that builds this; of the others, those that are there.
    let is_there = Command::new(shell[0]).args(["-c", "true"]).output().is_ok();
    assert!(is_there || shell[0] != "bash", "bash is needed to test its script");
    is_there.then(|| {
        let output = run_with_stdin(command, b"");
        assert_eq!(stderr_text(&output), "", "{name}");
        String::from_utf8(output.stdout).expect("words are text")
    })
}

#[test]
fn script_of_bash_completes_what_follows_its_breaks() {
    let drive = r#"
        complete_line() {
            COMP_LINE=$1; COMP_POINT=${#COMP_LINE}; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _connector; echo "${COMPREPLY[*]}"
        }
        complete_line 'connector invoke mergeD' connector invoke mergeD
        complete_line 'connector invoke getDeal deal' connector invoke getDeal deal
        complete_line 'connector invoke getDeals sortBy=' connector invoke getDeals sortBy =
        complete_line 'connector invoke getDeals sortBy=up' connector invoke getDeals sortBy = up"#;
    let text = run_in(&["bash", "--norc"], "bash", "", drive).expect("bash is there");
    assert_eq!(text, "mergeDeals\ndealId=\nid update_time add_time\nupdate_time\n");
}

#[test]
fn script_of_zsh_adds_the_candidates() {
    let drive = "words=(connector invoke mergeD); CURRENT=3; _connector\nwords=(connector invoke mergeDeals dea); CURRENT=4; _connector";
    let stubs = "compdef() { :; }; compadd() { local name=${@[-1]}; print -rl -- \"${(@P)name}\"; }";
    if let Some(text) = run_in(&["zsh", "-f"], "zsh", stubs, drive) {
        assert_eq!(text, "mergeDeals\ndealId=\n");
    }
}

#[test]
fn script_of_fish_offers_words_and_what_they_are() {
    let drive = "complete -C 'connector invoke mergeD'\ncomplete -C 'connector invoke mergeDeals dea'";
    if let Some(text) = run_in(&["fish"], "fish", "", drive) {
        let words: Vec<&str> = text.lines().map(|line| line.split('\t').next().unwrap_or_default()).collect();
        assert_eq!(words, ["mergeDeals", "dealId="], "{text}");
        assert!(text.contains("mergeDeals\tMerge two deals"), "{text}");
    }
}
