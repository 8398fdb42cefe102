//! Upserts of several processes that share a store: of one record at once, one is made, though the search lags.

use std::process::{Child, Command};

use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::{Value, json};

use crate::support::process::{CommandLine, parse_outcomes, run_with_stdin, stderr_text, wait};
use crate::support::runtime::Recorded;
use crate::support::sandbox::SandboxProcess;

/// The number of upserts that each process runs at once.
const UPSERTS: usize = 32;

/// A sandbox whose search lags, and processes that share a store.
struct Fleet {
    cli: CommandLine,
    sandbox: SandboxProcess,
    /// The variables of each process.
    variables: Vec<(&'static str, String)>,
}

impl Fleet {
    /// Starts a sandbox, and connects it in a store.
    fn start(store: impl FnOnce(&CommandLine) -> String) -> Self {
        let cli = CommandLine::new();
        let sandbox = SandboxProcess::start(&cli, &["--search-lag", "5s"]);
        let variables = vec![
            ("CONNECTOR_STORE", store(&cli)),
            ("CONNECTOR_KEY_FILE", cli.file("shared.key")),
            ("CONNECTOR_SANDBOX", sandbox.url.clone()),
        ];
        let fleet = Self { cli, sandbox, variables };
        let connect = ["connect", "--name", "acme", "--api-token", "-", "--api-domain", &fleet.sandbox.url];
        let connected = run_with_stdin(fleet.command(&connect), DEMO_API_TOKEN.as_bytes());
        assert!(connected.status.success(), "{}", stderr_text(&connected));
        fleet
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.cli.command(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Runs upserts of one person in two processes at once, and returns their outcomes.
    fn run_at_once(&self) -> Vec<Value> {
        let jobs = UPSERTS.to_string();
        let line = |at: usize| {
            let email = if at.is_multiple_of(2) { "ada@example.com" } else { "Ada@Example.com" };
            json!({"id": at, "action": "upsertPerson", "input": {"matchBy": "email", "email": email, "name": "Ada"}}).to_string() + "\n"
        };
        let lines: String = (0..UPSERTS).map(line).collect();
        let running: Vec<Child> = (0..2)
            .map(|_| {
                let mut child = self.command(&["invoke", "--jobs", &jobs, "--unordered"]).spawn().expect("the program runs");
                std::io::Write::write_all(&mut child.stdin.take().expect("stdin is piped"), lines.as_bytes()).expect("it reads");
                child
            })
            .collect();
        running.into_iter().flat_map(|child| parse_outcomes(&wait(child))).collect()
    }

    /// Checks that all upserts at once leave one person, and that each says what it did.
    fn assert_makes_one_person(&self) {
        let outcomes = self.run_at_once();
        let failed: Vec<&Value> = outcomes.iter().filter(|outcome| outcome["ok"] != true).collect();
        assert!(
            outcomes.len() == 2 * UPSERTS && failed.is_empty(),
            "{} of {} failed, as {:?}",
            failed.len(),
            outcomes.len(),
            failed.first()
        );
        let count = |effect: &str| outcomes.iter().filter(|outcome| outcome["meta"]["effect"] == effect).count();
        assert_eq!((count("created"), count("unchanged")), (1, 2 * UPSERTS - 1));
        let mut ids: Vec<u64> = outcomes.iter().filter_map(|outcome| outcome["data"]["id"].as_u64()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "all have one record");
        // A list shows what the search does not yet.
        let list = run_with_stdin(self.command(&["invoke", "getPersons", "--pages", "all"]), b"");
        let people = parse_outcomes(&list).remove(0);
        let named = people["data"].as_array().into_iter().flatten().filter(|person| person["name"] == "Ada").count();
        assert_eq!(named, 1, "{named} people were made");
    }
}

#[test]
fn two_processes_of_one_file_make_one_person() {
    Fleet::start(|cli| cli.file("shared.db")).assert_makes_one_person();
}

#[cfg(feature = "postgres")]
#[test]
fn two_processes_of_one_database_make_one_person() {
    let Some(store) = crate::support::postgres::create_schema() else { return };
    Fleet::start(|_| store).assert_makes_one_person();
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_without_a_store_remember_what_was_made() {
    let recorded = Recorded::new();
    let options = Options { search_lag: std::time::Duration::from_hours(1), ..recorded.options() };
    let url = crate::support::sandbox::start_sandbox(options).await;
    let cli = CommandLine::new();
    let upsert = |dry: bool| {
        let input = json!({"matchBy": "name", "name": "Zenith"}).to_string();
        let mut command =
            cli.command(&[&["invoke", "upsertOrganization", "--input", &input][..], if dry { &["--dry-run"] } else { &[] }].concat());
        command.env("CONNECTOR_SANDBOX", &url);
        tokio::task::block_in_place(|| parse_outcomes(&run_with_stdin(command, b"")).remove(0))
    };
    assert_eq!(upsert(true)["data"][0]["method"], "POST", "a dry run remembers nothing");
    let (first, second, planned) = (upsert(false), upsert(false), upsert(true));
    assert_eq!((&first["meta"]["effect"], &second["meta"]["effect"]), (&json!("created"), &json!("unchanged")), "{second}");
    assert_eq!((&second["data"]["id"], &planned["data"]), (&first["data"]["id"], &json!([])), "{planned}");
    assert_eq!(recorded.count("POST", "/organizations"), 1);
}
