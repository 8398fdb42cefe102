//! The binary itself: what stands on stdout, what on stderr, and what it exits with.

use std::io::Write;

use serde_json::{Value, json};

use crate::support::process::{Host, fed, lines, stderr};
use crate::support::world::path;

#[test]
fn sandbox_state_carries_over_lines_and_processes() {
    let host = Host::new();
    let input = "{\"action\":\"addDeal\",\"input\":{\"title\":\"Rocket\"}}\n{\"action\":\"searchDeals\",\"input\":{\"term\":\"Rocket\"}}\n";
    let output = host.run(&["invoke"], input);
    let outcomes = lines(&output);
    assert_eq!((outcomes.len(), output.status.code()), (2, Some(0)), "{}", stderr(&output));
    let id = &outcomes[0]["data"]["id"];
    assert_eq!(&outcomes[1]["data"]["items"][0]["item"]["id"], id);
    assert_eq!(outcomes[0]["meta"]["sandbox"], true);
    assert_eq!(stderr(&output).matches("embedded sandbox").count(), 1, "it is said once: {}", stderr(&output));
    let again = lines(&host.run(&["invoke", "searchDeals", "--input", "{\"term\":\"Rocket\"}"], ""));
    assert_eq!(&again[0]["data"]["items"][0]["item"]["id"], id);
}

/// Several processes over one state: no write is lost, and no ID is given twice.
#[test]
fn processes_sharing_the_sandbox_lose_no_write() {
    let host = Host::new();
    let input: String = (0..10).map(|at| format!("{{\"action\":\"addDeal\",\"input\":{{\"title\":\"Shared {at}\"}}}}\n")).collect();
    let running: Vec<_> = (0..3)
        .map(|_| {
            let mut child = host.command(&["invoke"]).spawn().expect("the binary runs");
            child.stdin.take().expect("stdin is piped").write_all(input.as_bytes()).expect("it is read");
            child
        })
        .collect();
    let outputs = running.into_iter().map(|child| child.wait_with_output().expect("the binary ends"));
    let mut ids: Vec<i64> =
        outputs.flat_map(|output| lines(&output)).map(|outcome| outcome["data"]["id"].as_i64().expect("an ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 30, "each create has an ID of its own: {ids:?}");
    let found = lines(&host.run(&["invoke", "searchDeals", "--input", "{\"term\":\"Shared\"}"], ""));
    assert_eq!(found[0]["page"]["count"], 30, "and all of them are there");
}

#[test]
fn bad_line_is_one_outcome_and_the_rest_runs() {
    let host = Host::new();
    let deep = format!("{{\"action\":{}\n", "[".repeat(10_000));
    let mut input =
        b"nonsense\n{\"action\":\"nope\"}\n\n{\"id\":\"u\",\"action\":\"getDeal\",\"bogus\":1}\n{\"action\":\"\xff\"}\n".to_vec();
    input.extend(deep.as_bytes());
    input.extend(b"{\"id\":\"last\",\"action\":\"getStage\",\"input\":{\"stageId\":\"1\"}}");
    for arguments in [&["invoke"][..], &["invoke", "--jobs", "8"]] {
        let output = host.run(arguments, &input);
        let outcomes = lines(&output);
        let kinds: Vec<&str> = outcomes.iter().map(|outcome| outcome["error"]["kind"].as_str().unwrap_or("ok")).collect();
        assert_eq!(kinds, ["invalid_invocation", "unknown_action", "invalid_invocation", "invalid_invocation", "invalid_invocation", "ok"]);
        assert_eq!((&outcomes[2]["id"], &outcomes[5]["id"]), (&json!("u"), &json!("last")));
        assert_eq!(output.status.code(), Some(1), "some outcome is not ok");
    }
}

#[test]
fn parallel_outcomes_keep_their_order_unless_unordered() {
    let host = Host::new();
    let input: String = (0..60).map(|at| format!("{{\"id\":\"{at}\",\"action\":\"getStage\",\"input\":{{\"stageId\":1}}}}\n")).collect();
    let ids = |arguments: &[&str]| -> Vec<String> {
        lines(&host.run(arguments, &input)).iter().map(|outcome| outcome["id"].as_str().expect("an id").to_owned()).collect()
    };
    let wanted: Vec<String> = (0..60).map(|at: u32| at.to_string()).collect();
    assert_eq!(ids(&["invoke", "--jobs", "16"]), wanted);
    let mut unordered = ids(&["invoke", "--jobs", "16", "--unordered"]);
    unordered.sort_by_key(|id| id.parse::<u32>().expect("a number"));
    assert_eq!(unordered, wanted);
}

#[test]
fn dry_run_starts_no_sandbox_and_shows_the_request() {
    let host = Host::new();
    let output = host.run(&["invoke", "mergeDeals", "--input", "{\"dealId\":1,\"mergeWithId\":2}", "--dry-run"], "");
    let outcomes = lines(&output);
    let line = &outcomes[0]["data"][0];
    assert_eq!((&line["method"], &line["json"]), (&json!("PUT"), &json!({"merge_with_id": 2})), "{outcomes:?}");
    assert!(!host.folder.path().join("sandbox.json").exists(), "a dry run starts nothing");
}

#[test]
fn input_is_read_from_argument_file_or_stdin() {
    let host = Host::new();
    let file = host.folder.path().join("input.json");
    std::fs::write(&file, "{\"stageId\": 1}").expect("it can be written");
    let at = format!("@{}", file.display());
    for (input, stdin) in [("{\"stageId\":1}", ""), (at.as_str(), ""), ("-", "{\"stageId\":1}")] {
        let outcomes = lines(&host.run(&["invoke", "getStage", "--input", input], stdin));
        assert_eq!(outcomes[0]["data"]["id"], 1, "{input}: {outcomes:?}");
    }
    let pretty = host.run(&["invoke", "getStage", "--input", "{\"stageId\":1}", "--pretty"], "");
    assert!(pretty.stdout.iter().filter(|byte| **byte == b'\n').count() > 10, "--pretty is over several lines");
}

#[test]
fn wrong_usage_exits_2_and_names_the_mistake() {
    let host = Host::new();
    for (arguments, word) in [
        (&["invoke", "getDeals", "--pages", "all"][..], "--pages is not built yet"),
        (&["invoke", "getDeals", "--view", "flat"], "--view is not built yet"),
        (&["invoke", "getDeal", "--input", "@/no/such/file"], "No such file"),
        (&["stats"], "`connector stats` is not built yet"),
        (&["serve", "--store", "postgres://host/name"], "without PostgreSQL"),
        (&["serve", "--public-url", "http://connect.example"], "--public-url"),
        (&["serve", "--install-redirect", "http://platform.example/setup"], "--install-redirect"),
        (&["serve", "--install-redirect", "https://platform.example/setup#part"], "without a fragment"),
        (&["serve", "--connection-header", "a b"], "a b"),
        (&["serve", "--port", "0", "--host", "0.0.0.0"], "--public-url"),
        (&["serve", "--port", "0", "--host", "0.0.0.0", "--public-url", "http://localhost:8030"], "an https URL"),
        (&["serve", "--public-url", "https://connect.example/below"], "--public-url \"https://connect.example/below\": write a scheme"),
        (&["sign-in", "--public-url", "nonsense"], "--public-url \"nonsense\": write a scheme"),
        (&["connect", "--public-url", "nonsense"], "--public-url \"nonsense\": write a scheme"),
        (&["connect"], "CONNECTOR_CLIENT_ID"),
        (&["connect", "--name", " x"], "A name is one line"),
        (&["connect", "--api-token", "-", "--api-domain", "https://evil.example"], "--api-domain: \"https://evil.example\" is no host"),
        (&["connect", "--api-token", "-", "--api-domain", "http://127.0.0.1:8020"], "CONNECTOR_SANDBOX=http://127.0.0.1:8020"),
        (&["keys", "create", "--name", " x"], "A name is one line"),
        (&["keys", "create", "--owner", ""], "An owner is 1 to 100"),
        (&["connections", "rename", "x", "00000000-0000-4000-8000-000000000000"], "and not the form of an id"),
        (&["serve", "--connection-header", "Authorization"], "a meaning of its own"),
        (&["serve", "--connection-header", "Content-Type"], "a meaning of its own"),
        (&["sandbox", "--memory", "--companies", "4"], "--companies"),
        (&["sandbox", "--memory", "--redirect-uri", "nonsense"], "redirect URI"),
        (&["sandbox", "--memory", "--faults", "token=200"], "token=drop-answer"),
        (&["invok"], "invoke"),
        (&["manifest", "hubspot"], "hubspot"),
    ] {
        let output = host.run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "stdout carries outcomes alone");
    }
    let secret = host.run(&["connect", "--api-token", "hunter2", "--api-domain", "https://acme.pipedrive.com"], "");
    assert!(secret.status.code() == Some(2) && stderr(&secret).contains("stdin"), "{}", stderr(&secret));
    assert!(!stderr(&secret).contains("hunter2"), "what may be a token is not repeated");
    let mut command = host.command(&["serve", "--port", "0", "--host", "0.0.0.0"]);
    command.env("CONNECTOR_PUBLIC_URL", "http://localhost:8030");
    let output = fed(command, b"");
    assert!(output.status.code() == Some(2) && stderr(&output).contains("https"), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(host.folder.path()).expect("it is read").count(), 0, "wrong usage makes nothing");
    let output = host.run(&["invoke", "getDeal", "--input", "{\"dealId\":"], "");
    assert_eq!((lines(&output)[0]["error"]["kind"].as_str(), output.status.code()), (Some("invalid_invocation"), Some(1)));
}

#[test]
fn environment_account_is_used_or_refused() {
    let host = Host::new();
    for (variables, word) in [
        (&[("CONNECTOR_API_TOKEN", "hunter2")][..], "needs CONNECTOR_API_DOMAIN"),
        (&[("CONNECTOR_API_DOMAIN", "https://acme.pipedrive.com")], "needs CONNECTOR_API_TOKEN"),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "https://evil.example")], "no host of Pipedrive"),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "https://pipedrive.com.evil.example")], "no host of Pipedrive"),
        (&[("CONNECTOR_API_TOKEN", "hunter2"), ("CONNECTOR_API_DOMAIN", "http://acme.pipedrive.com")], "https"),
        (&[("CONNECTOR_SANDBOX", "https://acme.pipedrive.com")], "sandbox on this machine"),
    ] {
        let mut command = host.command(&["invoke", "getCurrentUser"]);
        command.envs(variables.iter().copied());
        let output = fed(command, b"");
        assert_eq!(output.status.code(), Some(2), "{variables:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word) && !stderr(&output).contains("hunter2"), "{variables:?}: {}", stderr(&output));
    }
    let mut command = host.command(&["invoke", "getDeals", "--dry-run"]);
    command.env("CONNECTOR_API_TOKEN", "hunter2").env("CONNECTOR_API_DOMAIN", "https://acme.pipedrive.com");
    let output = fed(command, b"");
    let outcomes = lines(&output);
    assert_eq!(outcomes[0]["data"][0]["url"], "https://acme.pipedrive.com/api/v2/deals");
    assert_eq!(outcomes[0]["meta"]["connection"], "env");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"), "a token is not shown");
}

/// A proxy of the environment is not ours: what is meant for this machine would leave it, with its token.
#[test]
fn ignores_proxy_variables_of_the_environment() {
    let host = Host::new();
    let proxy = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", proxy.local_addr().expect("it is bound"));
    let mut command = host.command(&["invoke", "getStage", "--input", "{\"stageId\":1}"]);
    command.env("http_proxy", &url).env("HTTP_PROXY", &url).env("ALL_PROXY", &url).env("CONNECTOR_PROXY", &url);
    let output = fed(command, b"");
    assert_eq!(lines(&output)[0]["data"]["id"], 1, "{}", stderr(&output));
}

/// An engine that waits for an outcome before it writes on must get it, however many jobs there may be.
#[test]
fn writes_each_outcome_while_stdin_is_open() {
    use std::io::{BufRead, BufReader};
    let host = Host::new();
    for arguments in [&["invoke"][..], &["invoke", "--jobs", "4"], &["invoke", "--jobs", "4", "--unordered"]] {
        let mut child = host.command(arguments).spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        for _ in 0..2 {
            stdin.write_all(b"{\"action\":\"getStage\",\"input\":{\"stageId\":1}}\n").expect("it reads");
            let line = stdout.next().expect("an outcome comes").expect("it is text");
            assert!(line.contains("\"ok\":true"), "{line}");
        }
        drop(stdin);
        assert!(child.wait().expect("it ends").success());
    }
}

#[test]
fn named_connection_never_falls_back_to_the_sandbox() {
    let host = Host::new();
    let outcomes = lines(&host.run(&["invoke", "getDeals", "--connection", "acme"], ""));
    assert_eq!(outcomes[0]["error"]["kind"], "no_connection", "{outcomes:?}");
    assert!(!host.folder.path().join("sandbox.json").exists(), "nothing was started");
}

#[test]
fn lists_describes_and_checks_the_catalogue() {
    let host = Host::new();
    let list = host.run(&["list", "--kind", "data-source"], "");
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), 3, "a line each, no colours in a pipe");
    let described = host.run(&["describe", "getDeal"], "");
    let text = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(
        text.contains("GET /api/v2/deals/{deal_id}") && text.contains("connector invoke getDeal") && !text.contains('\u{1b}'),
        "{text}"
    );
    let unknown = host.run(&["describe", "getDael"], "");
    assert!(unknown.status.code() == Some(1) && stderr(&unknown).contains("getDeal"), "{}", stderr(&unknown));
    let manifest = path("manifests/pipedrive.json").display().to_string();
    let check = host.run(&["manifest", "pipedrive", "--check", &manifest], "");
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    let stale = host.folder.path().join("stale.json");
    std::fs::write(&stale, "{}\n").expect("it can be written");
    let check = host.run(&["manifest", "--check", &stale.display().to_string()], "");
    assert!(check.status.code() == Some(1) && stderr(&check).contains("--write"), "{}", stderr(&check));
}

#[test]
fn host_failure_exits_3() {
    let host = Host::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let output = host.run(&["sandbox", "--memory", "--port", &port], "");
    assert!(output.status.code() == Some(3) && stderr(&output).contains("--port 0"), "{}", stderr(&output));
    std::fs::write(host.folder.path().join("sandbox.json"), "not a state").expect("it can be written");
    let output = host.run(&["sandbox", "--port", "0"], "");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(
        std::fs::read_to_string(host.folder.path().join("sandbox.json")).expect("it is there"),
        "not a state",
        "what cannot be read is not destroyed"
    );
    let mut command = host.command(&["invoke", "getDeals", "--dry-run"]);
    command.env("CONNECTOR_PROXY", "user:hunter2@proxy:99999");
    let output = fed(command, b"");
    assert!(output.status.code() == Some(3) && stderr(&output).contains("CONNECTOR_PROXY"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hunter2"), "a proxy's password is not told: {}", stderr(&output));
}

/// The reference for people is what the catalogue says, page by page.
#[test]
fn reference_is_up_to_date() {
    let host = Host::new();
    let folder = host.folder.path().join("docs");
    let output = host.run(&["manifest", "--docs", folder.to_str().expect("a path is text")], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let pages = |folder: &std::path::Path| -> std::collections::BTreeMap<String, String> {
        let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let page = |path: std::path::PathBuf| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read_to_string(path).expect("it is text"))
        };
        // Folders in docs/ hold pages that are written by hand.
        files.map(|file| file.expect("it can be read").path()).filter(|path| path.is_file()).map(page).collect()
    };
    let (written, kept) = (pages(&folder), pages(&path("docs")));
    let names = |pages: &std::collections::BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    let what_to_do = "run `cargo run -q -p connector-host -- manifest --docs docs`, and remove a page that it does not write";
    assert_eq!(names(&kept), names(&written), "{what_to_do}");
    for (name, page) in written {
        assert!(kept[&name] == page, "docs/{name} is stale: {what_to_do}");
    }
}

/// A file goes out and comes back byte for byte; half a download is never left where a whole one is expected.
#[test]
fn sends_and_fetches_local_files() {
    let host = Host::new();
    let at = |name: &str| host.folder.path().join(name).to_str().expect("a path is text").to_owned();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    std::fs::write(at("scan.bin"), &bytes).expect("it can be written");
    let added = host.run(&["invoke", "addFile", "--input", "{\"dealId\": 1}", "--file", &format!("file={}", at("scan.bin"))], "");
    let added = &lines(&added)[0];
    assert_eq!((&added["data"]["name"], &added["data"]["file_size"]), (&json!("scan.bin"), &json!(300_000)), "{added}");
    let input = json!({"fileId": added["data"]["id"]}).to_string();
    let fetched = host.run(&["invoke", "downloadFile", "--input", &input, "--output", &at("back.bin")], "");
    let fetched = &lines(&fetched)[0];
    assert_eq!((&fetched["data"]["size"], &fetched["data"]["base64"]), (&json!(300_000), &Value::Null), "{fetched}");
    assert!(std::fs::read(at("back.bin")).expect("it is there") == bytes, "what came back is not what was sent");

    let missing = host.run(&["invoke", "downloadFile", "--input", "{\"fileId\": 99999}", "--output", &at("none.bin")], "");
    assert_eq!(lines(&missing)[0]["error"]["kind"], "not_found");
    assert!(!std::path::Path::new(&at("none.bin")).exists(), "a failed download leaves no file");
}

#[test]
fn unusable_files_are_refused_before_sending() {
    let host = Host::new();
    let at = |name: &str| host.folder.path().join(name).to_str().expect("a path is text").to_owned();
    std::fs::write(at("empty.bin"), "").expect("it can be written");
    // Longer than what is sent at most, without the bytes on the disk.
    std::fs::File::create(at("huge.bin")).and_then(|file| file.set_len(1 << 30)).expect("it can be written");
    for (file, words) in [
        (at("none.bin"), "No such file"),
        (host.folder.path().display().to_string(), "is a folder"),
        (at("empty.bin"), "is empty"),
        (at("huge.bin"), "at most 268435456 are sent"),
    ] {
        let output = host.run(&["invoke", "addFile", "--input", "{\"dealId\": 1}", "--file", &format!("file={file}")], "");
        let outcome = &lines(&output)[0];
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
        let output = host.run(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{words:?} is not in {}", stderr(&output));
    }
}
