//! Idempotency keys: one call under each, whatever happens to its caller, its request or its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::embed::{Access, Claim, Connection, Connections, Credential, Kept, KeyedCall, Ledger, OneConnection};
use connector_core::run::{Invocation, Resolve, Retries, Runtime, Upload};
use connector_core::{Error, ErrorKind};
use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::support::held::HeldVendor;
use crate::support::runtime::{NOWHERE, build, build_sandbox_runtime, render, run, run_text};
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::upstream::{build_json_response, start_upstream};

fn build_runtime(vendor: &HeldVendor) -> Runtime {
    build(Runtime::builder().connections(connect("acme", &vendor.url, DEMO_API_TOKEN)))
}

fn connect(name: &str, url: &str, token: &str) -> OneConnection {
    OneConnection::new(name, url, Credential::api_token(token)).expect("loopback is allowed")
}

fn build_create(key: &str, input: Value) -> Invocation {
    Invocation::new("addDeal").input(input).idempotency_key(key)
}

fn error_of(outcome: &Value) -> (&str, &str) {
    let text = |name: &str| outcome["error"][name].as_str().unwrap_or_default();
    (text("kind"), text("retry"))
}

#[tokio::test]
async fn key_runs_a_create_once() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let first = run(&runtime, build_create("run-1", json!({"title": "Once", "value": 1}))).await;
    let again = run(&runtime, build_create("run-1", json!({"value": "1", "title": "Once"}))).await;
    assert_eq!(first["data"], again["data"]);
    assert_eq!((&again["meta"]["replayed"], &again["meta"]["requests"]), (&json!(true), &json!(0)), "{again}");
    let other = run(&runtime, build_create("run-1", json!({"title": "Twice"}))).await;
    assert_eq!(error_of(&other), ("idempotency_mismatch", "never"), "{other}");
    let refused = run(&runtime, build_create("run-2", json!({"title": "x", "personId": 99999}))).await;
    assert_eq!(error_of(&refused), ("upstream_rejected", "never"), "{refused}");
    let fixed = run(&runtime, build_create("run-2", json!({"title": "x", "personId": 1}))).await;
    assert_eq!(fixed["ok"], true, "free a key whose call changed nothing: {fixed}");
    let text = r#"{"action": "addDeal", "input": {"title": "x", "personId": 1}, "options": {"idempotencyKey": "run-2"}}"#;
    assert_eq!(run_text(&runtime, text).await["meta"]["replayed"], true, "text and library share the keys");
}

#[tokio::test]
async fn outcome_that_is_lost_stays_unknown_and_nothing_is_sent_again() {
    let vendor = HeldVendor::start().await;
    vendor.answers.close();
    let runtime = build_runtime(&vendor);
    let lost = run(&runtime, build_create("run-1", json!({"title": "x"}))).await;
    assert_eq!(error_of(&lost), ("unreachable", "unsafe"), "{lost}");
    for _ in 0..2 {
        let again = run(&runtime, build_create("run-1", json!({"title": "x"}))).await;
        assert_eq!((error_of(&again), &again["meta"]["requests"]), (("outcome_unknown", "unsafe"), &json!(0)), "{again}");
    }
    assert_eq!(vendor.count(), 1);
}

#[tokio::test]
async fn call_in_flight_is_joined() {
    let mut vendor = HeldVendor::start().await;
    let runtime = build_runtime(&vendor);
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(runtime.invoke(build_create("run-1", json!({"title": "x"}))))).collect();
    vendor.arrived.recv().await.expect("one was sent");
    vendor.answers.add_permits(20);
    let mut replayed = 0;
    for call in calls {
        let outcome = render(&call.await.expect("no panic"));
        assert_eq!(outcome["data"]["id"], 1, "{outcome}");
        replayed += u32::from(outcome["meta"]["replayed"] == true);
    }
    assert_eq!((vendor.count(), replayed), (1, 19));
}

#[tokio::test]
async fn call_that_waits_for_another_says_so_when_its_time_is_over_or_sends_its_own_when_that_one_failed() {
    let mut vendor = HeldVendor::start().await;
    let runtime = build(Runtime::builder().connections(connect("acme", &vendor.url, DEMO_API_TOKEN)).retries(Retries::none()));
    let first = tokio::spawn(runtime.invoke(build_create("run-1", json!({"title": "x"}))));
    vendor.arrived.recv().await.expect("it was sent");
    let mut impatient = build_create("run-1", json!({"title": "x"}));
    impatient.options.timeout = Duration::from_millis(500);
    let waited = run(&runtime, impatient).await;
    assert_eq!(error_of(&waited), ("timed_out", "unsafe"), "{waited}");
    assert!(waited["error"]["message"].as_str().is_some_and(|message| message.contains("still running")), "{waited}");
    vendor.answers.add_permits(1);
    assert_eq!(render(&first.await.expect("no panic"))["ok"], true);

    let refusing = start_upstream(build_json_response("400 Bad Request", r#"{"success": false, "error": "no"}"#)).await;
    let runtime = build(Runtime::builder().connections(connect("acme", &refusing, DEMO_API_TOKEN)));
    let both =
        tokio::join!(run(&runtime, build_create("k", json!({"title": "x"}))), run(&runtime, build_create("k", json!({"title": "x"}))));
    for outcome in [both.0, both.1] {
        assert_eq!(error_of(&outcome), ("upstream_rejected", "never"), "a refusal frees the key for who waits: {outcome}");
    }
}

#[tokio::test]
async fn write_that_was_sent_runs_on_when_its_caller_leaves() {
    let mut vendor = HeldVendor::start().await;
    let runtime = build_runtime(&vendor);
    let held = Arc::new(());
    let call = tokio::spawn(runtime.invoke(build_create("run-1", json!({"title": "x"})).holding(Arc::clone(&held))));
    vendor.arrived.recv().await.expect("it was sent");
    call.abort();
    call.await.expect_err("the caller went away");
    assert_eq!(Arc::strong_count(&held), 2, "the call holds its place");
    vendor.answers.add_permits(1);
    runtime.wait_until_idle().await;
    assert_eq!(Arc::strong_count(&held), 1, "the place is free");
    let again = run(&runtime, build_create("run-1", json!({"title": "x"}))).await;
    assert_eq!((&again["data"]["id"], &again["meta"]["replayed"], vendor.count()), (&json!(1), &json!(true), 1), "{again}");

    // Without a key, the call ends with its caller.
    let unkeyed = tokio::spawn(runtime.invoke(Invocation::new("addDeal").input(json!({"title": "x"})).holding(Arc::clone(&held))));
    vendor.arrived.recv().await.expect("it was sent");
    unkeyed.abort();
    unkeyed.await.expect_err("the caller went away");
    assert_eq!(Arc::strong_count(&held), 1, "the call runs on");
}

#[tokio::test]
async fn write_that_runs_on_ends_within_its_timeout() {
    let mut vendor = HeldVendor::start().await;
    let runtime = build_runtime(&vendor);
    let mut create = build_create("run-1", json!({"title": "x"}));
    create.options.timeout = Duration::from_secs(1);
    let call = tokio::spawn(runtime.invoke(create));
    vendor.arrived.recv().await.expect("it was sent");
    call.abort();
    runtime.wait_until_idle().await;
    let again = run(&runtime, build_create("run-1", json!({"title": "x"}))).await;
    assert_eq!(error_of(&again), ("outcome_unknown", "unsafe"), "{again}");
}

/// An engine's connections, whose credential comes when there is a permit.
struct SlowVault {
    url: String,
    asked: mpsc::UnboundedSender<()>,
    permits: Arc<Semaphore>,
}

#[async_trait]
impl Connections for SlowVault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("slow", &self.url).with_api_token())
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        let _ = self.asked.send(());
        self.permits.acquire().await.expect("the gate stays").forget();
        Access::new(&self.url, Credential::api_token(DEMO_API_TOKEN))
    }
}

#[tokio::test]
async fn call_whose_caller_leaves_before_the_write_sends_nothing_and_frees_its_key() {
    let vendor = HeldVendor::start().await;
    vendor.answers.add_permits(1);
    let ((asked, mut asks), permits) = (mpsc::unbounded_channel(), Arc::new(Semaphore::new(0)));
    let vault = SlowVault { url: vendor.url.clone(), asked, permits: Arc::clone(&permits) };
    let runtime = build(Runtime::builder().connections(vault));
    let call = tokio::spawn(runtime.invoke(build_create("run-1", json!({"title": "x"}))));
    asks.recv().await.expect("the credential is asked for");
    call.abort();
    runtime.wait_until_idle().await;
    assert_eq!(vendor.count(), 0, "the call was sent for nobody");
    permits.add_permits(2);
    let again = run(&runtime, build_create("run-1", json!({"title": "x"}))).await;
    assert_eq!((&again["ok"], &again["meta"].get("replayed"), vendor.count()), (&json!(true), &None, 1), "{again}");
}

#[tokio::test]
async fn key_of_a_call_that_was_never_sent_is_free_again() {
    let (asked, mut asks) = mpsc::unbounded_channel();
    let runtime = build(Runtime::builder().connections(SlowVault { url: NOWHERE.to_owned(), asked, permits: Arc::new(Semaphore::new(0)) }));
    for _ in 0..2 {
        let mut call = build_create("run-4", json!({"title": "x"}));
        call.options.timeout = Duration::from_millis(500);
        let outcome = run(&runtime, call).await;
        assert_eq!(error_of(&outcome), ("timed_out", "later"), "{outcome}");
        asks.try_recv().expect("the call claimed its key");
    }
}

#[tokio::test]
async fn same_call_is_that_of_one_connection_input_and_file() {
    let (here, there) = (start_sandbox(sandbox_options()).await, start_sandbox(sandbox_options()).await);
    let runtime = build(Runtime::builder().connections(connect("acme", &here, DEMO_API_TOKEN)));
    let of = |connection: OneConnection| runtime.with_connections(connection, None, None);
    let create = || build_create("run-1", json!({"title": "Once"}));
    assert_eq!(run(&runtime, create()).await["ok"], true);
    for other in [connect("acme", &there, DEMO_API_TOKEN), connect("other", &here, DEMO_API_TOKEN)] {
        let outcome = run(&of(other), create()).await;
        assert_eq!(error_of(&outcome).0, "idempotency_mismatch", "{outcome}");
    }
    assert_eq!(run(&of(connect("acme", &here, DEMO_API_TOKEN)), create()).await["meta"]["replayed"], true);

    let upload = |bytes: &'static [u8]| {
        let call = Invocation::new("addFile").input(json!({"dealId": 1})).idempotency_key("file-1");
        call.file("file", Upload::bytes("a.txt", bytes).with_content_type("text/plain"))
    };
    let first = run(&runtime, upload(b"one")).await;
    assert_eq!(first["ok"], true, "{first}");
    assert_eq!(run(&runtime, upload(b"one")).await["meta"]["replayed"], true);
    assert_eq!(error_of(&run(&runtime, upload(b"two")).await).0, "idempotency_mismatch", "other bytes are another call");
    let within = json!({"dealId": 1, "file": {"fileName": "a.txt", "contentType": "text/plain", "base64": "b25l"}});
    let within = run(&runtime, Invocation::new("addFile").input(within).idempotency_key("file-1")).await;
    assert_eq!(within["meta"]["replayed"], true, "a file within the input is the same file: {within}");
}

#[tokio::test]
async fn read_under_a_key_is_carried_out_each_time() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for _ in 0..2 {
        let read = run(&runtime, Invocation::new("getDeal").input(json!({"dealId": 1})).idempotency_key("run-1")).await;
        assert_eq!((&read["ok"], &read["meta"]["requests"]), (&json!(true), &json!(1)), "{read}");
    }
}

/// Starts a sandbox that fails as these words say, and builds a runtime before it that sends nothing again.
async fn build_failing_runtime(faults: &str) -> Runtime {
    let faults = faults.parse().expect("words for faults");
    let url = start_sandbox(Options { faults, ..Options::default() }).await;
    build(Runtime::builder().connections(connect("acme", &url, DEMO_API_TOKEN)).retries(Retries::none()))
}

/// Repeats a call whose outcome was lost, and asks to look for its record.
fn look(mut create: Invocation) -> Invocation {
    create.options.resolve = Some(Resolve::Look);
    create
}

#[tokio::test]
async fn look_finds_the_record_whose_answer_was_lost() {
    let runtime = build_failing_runtime("reset-after=always@write").await;
    for (action, input) in [
        ("addDeal", json!({"title": "Once", "value": 5.5, "currency": "EUR", "personId": 1, "expectedCloseDate": "2027-03-01"})),
        ("addActivity", json!({"subject": "Once", "type": "call", "dueDate": "2027-03-01", "note": "x"})),
        ("addNote", json!({"content": "Once", "dealId": 1})),
        ("addLead", json!({"title": "Once", "personId": 1})),
    ] {
        let create = || Invocation::new(action).input(input.clone()).idempotency_key(action);
        let lost = run(&runtime, create()).await;
        assert_eq!(error_of(&lost), ("unreachable", "unsafe"), "{lost}");
        assert_eq!(error_of(&run(&runtime, create()).await).0, "outcome_unknown", "nobody asked to look");
        let found = run(&runtime, look(create())).await;
        assert_eq!((&found["ok"], &found["meta"]["effect"]), (&json!(true), &json!("found")), "{found}");
        assert_eq!(found["meta"]["requests"], 2, "one reads the user, one the list: {found}");
        let again = run(&runtime, create()).await;
        assert_eq!(
            (&again["data"], &again["meta"]["replayed"], &again["meta"].get("effect")),
            (&found["data"], &json!(true), &None),
            "{again}"
        );
    }
}

#[tokio::test]
async fn look_never_takes_a_record_that_may_be_another() {
    let create = |key: &str, title: &str| build_create(key, json!({"title": title}));
    let assert_unknown = async |runtime: &Runtime, call: Invocation, words: &str| {
        let outcome = run(runtime, look(call)).await;
        assert_eq!(error_of(&outcome), ("outcome_unknown", "unsafe"), "{outcome}");
        assert!(outcome["error"]["hint"].as_str().is_some_and(|hint| hint.contains(words)), "{words}: {outcome}");
    };

    // Two keys have the same call, and nobody knows whose the record is.
    let runtime = build_failing_runtime("reset-after=always@write").await;
    for key in ["run-1", "run-2"] {
        run(&runtime, create(key, "Twin")).await;
    }
    assert_unknown(&runtime, create("run-1", "Twin"), "Another key has the same call").await;
    run(&runtime, Invocation::new("addPerson").input(json!({"name": "Once"})).idempotency_key("person")).await;
    let person = Invocation::new("addPerson").input(json!({"name": "Once"})).idempotency_key("person");
    assert_unknown(&runtime, person, "does not say who added them").await;

    // Nothing was added, and the only record like it is that of another key.
    let runtime = build_failing_runtime("reset-before=#2@POST /api/v2/deals").await;
    assert_eq!(run(&runtime, create("made", "Same")).await["ok"], true);
    assert_eq!(error_of(&run(&runtime, create("lost", "Same")).await), ("unreachable", "unsafe"));
    assert_unknown(&runtime, create("lost", "Same"), "does not prove").await;
    // Another record like it was added later, without a key: nobody can tell the two apart.
    for _ in 0..2 {
        run(&runtime, Invocation::new("addDeal").input(json!({"title": "Same"}))).await;
    }
    assert_unknown(&runtime, create("lost", "Same"), "2 records could be it").await;
}

#[tokio::test]
async fn look_needs_a_key() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = run_text(&runtime, r#"{"action": "addDeal", "input": {"title": "x"}, "options": {"resolve": "look"}}"#).await;
    assert_eq!(error_of(&outcome), ("invalid_invocation", "never"), "{outcome}");
}

/// An engine's own ledger, which fails to store outcomes for a while.
struct FailingLedger {
    /// The number of failures that are left.
    failures: AtomicU32,
    kept: mpsc::UnboundedSender<Vec<u8>>,
}

#[async_trait]
impl Ledger for FailingLedger {
    async fn claim(&self, _call: &KeyedCall) -> Result<Claim, Error> {
        Ok(Claim::Fresh)
    }

    async fn finish(&self, _call: &KeyedCall, kept: Kept) -> Result<(), Error> {
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(Error::new(ErrorKind::Unreachable, "The database restarts."));
        }
        let _ = self.kept.send(kept.answer);
        Ok(())
    }

    async fn release(&self, _call: &KeyedCall) -> Result<(), Error> {
        panic!("a call that succeeded must not free its key");
    }

    async fn abandon(&self, _call: &KeyedCall) -> Result<(), Error> {
        panic!("the outcome is known");
    }
}

#[tokio::test]
async fn outcome_is_stored_again_after_the_ledger_failed() {
    let url = start_sandbox(sandbox_options()).await;
    for (failures, is_kept) in [(1, true), (4, false)] {
        let (sender, mut kept) = mpsc::unbounded_channel();
        let ledger = FailingLedger { failures: AtomicU32::new(failures), kept: sender };
        let runtime = build(Runtime::builder().ledger(ledger).connections(connect("acme", &url, DEMO_API_TOKEN)));
        let outcome = run(&runtime, build_create("run-1", json!({"title": "x"}))).await;
        assert_eq!((outcome["ok"].as_bool(), kept.try_recv().is_ok()), (Some(true), is_kept), "{outcome}");
        let warnings = outcome["meta"]["warnings"].as_array().expect("a list");
        assert_eq!(warnings.len(), usize::from(!is_kept), "say that the outcome was not stored: {outcome}");
    }
}

/// An engine's own ledger, which takes its time to claim a key.
struct SlowLedger {
    asked: mpsc::UnboundedSender<()>,
    permits: Arc<Semaphore>,
    released: mpsc::UnboundedSender<()>,
}

#[async_trait]
impl Ledger for SlowLedger {
    async fn claim(&self, _call: &KeyedCall) -> Result<Claim, Error> {
        let _ = self.asked.send(());
        self.permits.acquire().await.expect("it is open").forget();
        Ok(Claim::Fresh)
    }

    async fn finish(&self, _call: &KeyedCall, _kept: Kept) -> Result<(), Error> {
        panic!("nothing was sent");
    }

    async fn release(&self, _call: &KeyedCall) -> Result<(), Error> {
        let _ = self.released.send(());
        Ok(())
    }

    async fn abandon(&self, _call: &KeyedCall) -> Result<(), Error> {
        panic!("nothing was sent");
    }
}

/// A process that ended before would leave the key claimed, and its outcome unknown.
#[tokio::test]
async fn runtime_is_idle_once_a_key_that_was_claimed_for_nobody_is_free_again() {
    let ((asked, mut asks), (released, mut releases)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let permits = Arc::new(Semaphore::new(0));
    let ledger = SlowLedger { asked, permits: Arc::clone(&permits), released };
    let runtime = build(Runtime::builder().ledger(ledger).connections(connect("acme", NOWHERE, DEMO_API_TOKEN)));
    let call = tokio::spawn(runtime.invoke(build_create("run-1", json!({"title": "x"}))));
    asks.recv().await.expect("the key is claimed");
    call.abort();
    assert!(call.await.is_err_and(|ended| ended.is_cancelled()), "the caller leaves");
    tokio::select! {
        biased;
        () = runtime.wait_until_idle() => panic!("the claim is on its way"),
        () = async { for _ in 0..10 { tokio::task::yield_now().await } } => {}
    }
    permits.add_permits(1);
    runtime.wait_until_idle().await;
    releases.try_recv().expect("the key is free");
}
