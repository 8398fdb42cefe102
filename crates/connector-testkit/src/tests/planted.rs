//! Each check finds the faults that are planted in fixtures, snapshots and the vendor's server.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::kiosk::CONNECTOR;
use super::server::{Flaw, connect};
use crate::kit::Kit;

/// A copy of the fixtures and snapshots, in which a test plants a fault.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be created");
        for name in ["tests/fixtures", "tests/snapshots"] {
            let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.path().join(name));
            fs::create_dir_all(&to).expect("a folder can be created");
            for file in fs::read_dir(from).expect("the folder can be listed") {
                let file = file.expect("the folder can be listed");
                fs::copy(file.path(), to.join(file.file_name())).expect("the file can be copied");
            }
        }
        Self { folder }
    }

    /// Copies the fixtures, with other members in one of them.
    fn with(key: &str, members: &Value) -> Self {
        let copy = Self::new();
        let mut fixture = copy.read_fixture(key);
        for (name, value) in members.as_object().expect("members") {
            fixture[name] = value.clone();
        }
        copy.write(&format!("tests/fixtures/{key}.json"), &fixture.to_string());
        copy
    }

    fn read_fixture(&self, key: &str) -> Value {
        serde_json::from_str(&self.read(&format!("tests/fixtures/{key}.json"))).expect("a fixture is JSON")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).expect("the file can be read")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("the file can be written");
    }

    fn kit(&self) -> Kit {
        Kit::new(&CONNECTOR, self.folder.path()).update_fixtures(false)
    }
}

/// Runs a check that must fail, and returns what it says.
#[track_caller]
fn fail(check: impl FnOnce()) -> String {
    let caught = catch_unwind(AssertUnwindSafe(check)).expect_err("the check must find the planted fault");
    *caught.downcast::<String>().expect("a check fails with a text")
}

/// Runs a check that must fail over HTTP, and returns what it says.
#[track_caller]
fn fail_over_http(check: impl Future<Output = ()>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    fail(|| runtime.block_on(check))
}

#[track_caller]
fn assert_parts(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "it should say {part:?}: {message}");
    }
}

#[test]
fn finds_all_faults_of_fixtures_at_once() {
    let copy = Copy::with("updatePaper", &json!({"more": [{"paperId": 2, "remark": "x"}], "untried": {"copies": "there are none"}}));
    fs::remove_file(copy.folder.path().join("tests/fixtures/getPaper.json")).expect("the file can be removed");
    copy.write("tests/fixtures/getPapier.json", "{}");
    copy.write("tests/fixtures/addPaper.json", r#"{"input": {}, "than": {}}"#);
    copy.write("tests/fixtures/notes.txt", "");
    copy.write("tests/fixtures/.getPaper.new", "");
    let message = fail(|| copy.kit().check_fixtures());
    assert_parts(
        &message,
        &[
            "7 found",
            "tests/fixtures/getPaper.json is missing",
            "tests/fixtures/getPapier.json belongs to no key",
            "tests/fixtures/notes.txt belongs to no key",
            "addPaper.json: \"than\" is no member of a fixture",
            "updatePaper: no input tries title",
            "updatePaper: copies is under \"untried\" and is no input",
            "updatePaper: no input holds the required ones alone",
        ],
    );
}

#[test]
fn finds_that_there_are_no_fixtures() {
    let copy = Copy::new();
    assert_parts(&fail(|| copy.kit().fixtures_in("elsewhere").check_fixtures()), &["7 found", "elsewhere/getPaper.json is missing"]);
    assert_parts(&fail_over_http(copy.kit().fixtures_in("elsewhere").check_requests()), &["elsewhere holds no fixture of kiosk"]);
}

#[test]
fn names_all_snapshots_that_differ() {
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always" || update == "force") {
        // Whoever accepts all changes accepts these too.
        return;
    }
    let copy = Copy::new();
    for name in ["catalogue", "flat_names", "schemas_kiosk", "requests_kiosk", "requests_data_sources"] {
        let name = format!("tests/snapshots/{name}.snap");
        copy.write(&name, &copy.read(&name).replace("apers", "aper"));
    }
    let message = fail(|| copy.kit().check_schemas());
    assert_parts(&message, &["3 found", "INSTA_UPDATE", "catalogue.snap differs", "flat_names.snap differs", "schemas_kiosk.snap differs"]);
    let message = fail_over_http(copy.kit().check_requests());
    assert_parts(&message, &["2 found", "INSTA_UPDATE", "requests_kiosk.snap differs", "requests_data_sources.snap differs"]);
    let message = fail_over_http(Copy::new().kit().snapshots_in("elsewhere").check_requests());
    assert_parts(&message, &["elsewhere/requests_kiosk.snap differs"]);
}

#[test]
fn finds_an_input_of_which_no_request_is_made() {
    let copy = Copy::with("getPaper", &json!({"input": {"paperId": true}, "more": [{"paper": 1}]}));
    let message = fail_over_http(copy.kit().check_requests());
    assert_parts(&message, &["2 found", "getPaper makes no request of {\"paperId\":true}", "getPaper makes no request of {\"paper\":1}"]);
}

#[test]
fn finds_answers_that_differ_are_refused_or_do_not_fit() {
    for (copy, flaw, parts) in [
        (Copy::with("getPaper", &json!({"data": {"id": 2}})), Flaw::None, &["1 found", "getPaper: data is\n{\"id\":1,"][..]),
        (
            Copy::with("getPaper", &json!({"input": {"paperId": 9}})),
            Flaw::None,
            &["1 found", "getPaper: {\"paperId\":9} fails", "not_found"],
        ),
        (Copy::with("getPaper", &json!({"more": [{"paperId": 8}]})), Flaw::None, &["1 found", "getPaper: {\"paperId\":8} fails"]),
        (Copy::with("getPapers", &json!({"more": [{"cursor": "<next of {>"}]})), Flaw::None, &["1 found", "is not JSON"]),
        (
            Copy::with("addPaper", &json!({"more": [{"title": "Noon"}]})),
            Flaw::CopiesAsText,
            &[
                "addPaper: {\"title\":\"Noon\",\"copiesLeft\":3,\"remark\":\"new\"} returns data that does not fit the output schema",
                "addPaper: {\"title\":\"Noon\"} returns data that does not fit the output schema: /copies_left: \"many\" is not",
            ],
        ),
        (
            Copy::new(),
            Flaw::OnePage,
            &["getPapers: choose an input in \"<next of {}>\" whose page is not the last", "selectPaper: choose an input"],
        ),
    ] {
        assert_parts(&fail_over_http(copy.kit().check_answers(async || connect(flaw).await)), parts);
    }
}

#[tokio::test]
async fn writes_the_data_that_came_back_where_it_is_asked_for() {
    let copy = Copy::with("updatePaper", &json!({"data": {"id": 7}}));
    let before = Copy::new().read_fixture("updatePaper");
    copy.kit().update_fixtures(true).check_answers(async || connect(Flaw::None).await).await;
    assert_eq!(copy.read_fixture("updatePaper"), before, "only the data is another");
    copy.kit().check_fixtures();
    copy.kit().check_answers(async || connect(Flaw::None).await).await;
}

#[test]
fn finds_answers_that_do_not_fit_in_the_flat_view() {
    for (copy, flaw, parts) in [
        (Copy::new(), Flaw::CopiesAsText, &["getPaper: it does not fit outputFlat: /copiesLeft", "getPapers: it does not fit"][..]),
        (Copy::new(), Flaw::OddName, &["getPaper: the name /odd__name is not in camelCase", "getPapers: the name /results/odd__name"]),
        (Copy::with("getPaper", &json!({"input": {"paperId": 9}})), Flaw::None, &["1 found", "getPaper: it fails in the flat view"]),
    ] {
        assert_parts(&fail_over_http(copy.kit().check_flat_answers(async || connect(flaw).await)), parts);
    }
}

#[test]
fn finds_writes_that_no_read_shows() {
    let search = |part: &Value| {
        let mut then = json!({"action": "searchPapers", "input": {"titlePart": "Even"}});
        then.as_object_mut().expect("members").extend(part.as_object().cloned().expect("members"));
        json!({"then": then})
    };
    for (key, members, flaw, part) in [
        ("addPaper", json!({"then": null}), Flaw::None, "addPaper: nothing reads it back"),
        ("addPaper", json!({"then": {}}), Flaw::None, "addPaper: \"then\" names no action"),
        ("addPaper", json!({"then": {"action": "getPaper", "input": {"paperId": 2}}}), Flaw::None, "addPaper: getPaper reads {"),
        ("addPaper", json!({"input": {"title": 1}}), Flaw::None, "addPaper: {\"id\":null,"),
        ("updatePaper", search(&json!({"shows": [{"remark": "late"}]})), Flaw::None, "updatePaper: searchPapers reads {"),
        ("updatePaper", search(&json!({"lacks": {"id": 2}})), Flaw::None, "updatePaper: searchPapers reads {"),
        ("updatePaper", search(&json!({"lacks": {"id": 2}, "shows": []})), Flaw::None, "updatePaper: \"then\" has more than one of"),
        (
            "deletePaper",
            json!({"then": {"action": "getPaper", "input": {"paperId": 1}, "fails": "gone"}}),
            Flaw::None,
            "deletePaper: getPaper",
        ),
        ("deletePaper", json!({"then": {"action": "getPaper", "input": {"paperId": 2}, "lacks": {}}}), Flaw::None, "deletePaper: getPaper"),
    ] {
        let message = fail_over_http(Copy::with(key, &members).kit().check_read_back(async || connect(flaw).await));
        assert_parts(&message, &["1 found", part]);
    }
    let message = fail_over_http(Copy::new().kit().check_read_back(async || connect(Flaw::ForgetsWrites).await));
    assert_parts(&message, &["3 found", "addPaper: getPaper reads {", "updatePaper: searchPapers", "deletePaper: getPaper reads {"]);
}

#[tokio::test]
async fn takes_each_way_to_read_a_write_back() {
    for (key, then) in [
        ("updatePaper", json!({"action": "searchPapers", "input": {"titlePart": "Even"}, "lacks": {"remark": "late"}})),
        ("updatePaper", json!({"action": "getPaper", "input": {"paperId": 2}})),
        ("updatePaper", json!({"action": "getPaper", "input": {"paperId": "<id>"}, "shows": {"remark": null, "no_member": null}})),
        ("addPaper", json!({"action": "searchPapers", "input": {"titlePart": "<title>"}, "shows": [{"title": "Noon"}]})),
    ] {
        Copy::with(key, &json!({"then": then})).kit().check_read_back(async || connect(Flaw::None).await).await;
    }
}

#[test]
fn finds_estimates_that_differ_from_what_the_calls_cost() {
    let message = fail_over_http(Copy::new().kit().check_estimates(async || connect(Flaw::FailsFirst).await));
    assert_parts(
        &message,
        &["getPaper: Plain: {\"paperId\":1}: they differ: {", "addPaper: Plain: ", "one of them fails", "by `send_helper`"],
    );
}
