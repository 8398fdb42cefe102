//! `connector list WORD`: keys found by the words of people.

use crate::support::process::{CommandLine, assert_exit};

/// Lists the keys that some words find, the nearest first.
fn find(cli: &CommandLine, arguments: &[&str]) -> Vec<String> {
    let output = cli.run(&[&["list"], arguments].concat(), "");
    assert_exit(&output, 0, "");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| Some(line.split('\t').next()?.trim_start_matches("pipedrive/").to_owned()))
        .collect()
}

#[test]
fn words_of_people_find_keys() {
    let cli = CommandLine::new();
    for (words, key) in [
        (&["create", "deal"][..], "addDeal"),
        (&["new", "customer"], "addPerson"),
        (&["find", "company"], "searchOrganization"),
        (&["remove contact"], "deletePerson"),
        (&["edit", "opportunity"], "updateDeal"),
        (&["merge", "deals"], "mergeDeals"),
        (&["mergeDeals"], "mergeDeals"),
    ] {
        let found = find(&cli, words);
        assert_eq!(found.first().map(String::as_str), Some(key), "{words:?}: {found:?}");
        assert!(found.len() < 60, "{words:?} finds too many: {found:?}");
    }
}

#[test]
fn words_go_together_with_the_other_flags() {
    let cli = CommandLine::new();
    let sources = find(&cli, &["stage", "--kind", "data-source"]);
    assert_eq!(sources, ["selectStage"]);
    let json = cli.run(&["list", "create", "deal", "--json"], "");
    let listed: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(listed[0]["key"], "addDeal", "{listed}");
    assert_exit(&cli.run(&["list", "zebra"], ""), 1, "Nothing is found for \"zebra\": `connector list` shows all keys");
    let none = cli.run(&["list", "zebra", "--json"], "");
    assert_eq!((none.status.code(), none.stdout.as_slice()), (Some(0), &b"[]\n"[..]));
}
