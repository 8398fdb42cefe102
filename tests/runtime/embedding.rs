//! An engine's own connections and ledger, and futures that it can spawn.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{Access, Claim, Connection, Connections, Credential, Ledger, OneConnection};
use connector_core::run::{Invocation, Runtime};
use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::runtime::{NOWHERE, RenewingVault, build, build_sandbox_runtime, invoke, run};
use crate::support::sandbox::{build_bearer, sandbox_options, start_sandbox};
use crate::support::upstream::serve_connections;

#[tokio::test]
async fn spawned_call_outlives_the_runtime() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let call = runtime.invoke(Invocation::new("getDeal").input(json!({"dealId": 1})));
    drop(runtime);
    let outcome = tokio::spawn(call).await.expect("the call does not panic");
    assert!(outcome.is_ok(), "{:?}", outcome.error());
}

#[tokio::test]
async fn renews_once_on_401_and_continues() {
    let renewed = Arc::new(AtomicU32::new(0));
    let url = start_sandbox(Options { bearers: vec![build_bearer("fresh", &["deals:full"])], ..sandbox_options() }).await;
    let vault = RenewingVault { url: url.clone(), renewed: Arc::clone(&renewed) };
    let runtime = build(Runtime::builder().connections(vault));
    let outcome = invoke(&runtime, "addDeal", json!({"title": "x"})).await;
    assert_eq!((&outcome["ok"], &outcome["meta"]["requests"]), (&json!(true), &json!(2)), "{outcome}");
    // A missing scope does not renew.
    let outcome = invoke(&runtime, "getPerson", json!({"personId": 1})).await;
    assert_eq!(outcome["error"]["kind"], "missing_scope", "{outcome}");

    let refusing = start_sandbox(sandbox_options()).await;
    let vault = RenewingVault { url: refusing, renewed: Arc::clone(&renewed) };
    let runtime = build(Runtime::builder().connections(vault));
    let before = renewed.load(Ordering::Relaxed);
    let outcome = invoke(&runtime, "getDeal", json!({"dealId": 1})).await;
    assert_eq!(outcome["error"]["kind"], "unauthorized", "{outcome}");
    assert_eq!(renewed.load(Ordering::Relaxed) - before, 1, "renew once and give up");
}

/// A ledger in memory.
#[derive(Clone, Default)]
struct MemoryLedger(Arc<Mutex<HashMap<String, LedgerEntry>>>);

/// The call that claimed a key, and its answer.
type LedgerEntry = (String, Option<Vec<u8>>);

#[async_trait]
impl Ledger for MemoryLedger {
    async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error> {
        let mut entries = self.0.lock().expect("no call panicked");
        Ok(match entries.get(key) {
            None => {
                entries.insert(key.to_owned(), (call.to_owned(), None));
                Claim::Fresh
            }
            Some((other, _)) if other != call => Claim::OtherCall,
            Some((_, Some(answer))) => Claim::Finished(answer.clone()),
            Some((_, None)) => Claim::Unfinished,
        })
    }

    async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error> {
        if let Some((_, kept)) = self.0.lock().expect("no call panicked").get_mut(key) {
            *kept = Some(answer);
        }
        Ok(())
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        self.0.lock().expect("no call panicked").remove(key);
        Ok(())
    }
}

fn build_connection(url: &str) -> OneConnection {
    OneConnection::new("acme", url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is allowed")
}

/// Builds a create under an idempotency key.
fn build_keyed_create(key: &str, input: serde_json::Value) -> Invocation {
    let mut invocation = Invocation::new("addDeal").input(input);
    invocation.options.idempotency_key = Some(key.to_owned());
    invocation
}

#[tokio::test]
async fn idempotency_key_runs_a_create_once() {
    let ledger = MemoryLedger::default();
    let build_runtime = |url: &str| build(Runtime::builder().ledger(ledger.clone()).connections(build_connection(url)));
    let runtime = build_runtime(&start_sandbox(sandbox_options()).await);
    let first = run(&runtime, build_keyed_create("run-1", json!({"title": "Once", "value": 1}))).await;
    let again = run(&runtime, build_keyed_create("run-1", json!({"value": 1, "title": "Once"}))).await;
    assert_eq!(first["data"], again["data"]);
    assert_eq!((&again["meta"]["replayed"], &again["meta"]["requests"]), (&json!(true), &json!(0)), "{again}");
    let other = run(&runtime, build_keyed_create("run-1", json!({"title": "Twice"}))).await;
    assert_eq!(other["error"]["kind"], "idempotency_mismatch", "{other}");
    let refused = run(&runtime, build_keyed_create("run-2", json!({"title": "x", "personId": 99999}))).await;
    assert_eq!(refused["error"]["kind"], "upstream_rejected", "{refused}");
    let fixed = run(&runtime, build_keyed_create("run-2", json!({"title": "x", "personId": 1}))).await;
    assert_eq!(fixed["ok"], true, "free a key whose call changed nothing: {fixed}");

    // The upstream takes the request and closes: the create may have run, so the key stays.
    let url = serve_connections(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    let runtime = build_runtime(&url);
    for kind in ["unreachable", "conflict"] {
        let outcome = run(&runtime, build_keyed_create("run-3", json!({"title": "x"}))).await;
        assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!(kind), &json!("unsafe")), "{outcome}");
    }
}

#[tokio::test]
async fn refuses_a_key_where_no_outcome_is_stored() {
    let runtime = build(Runtime::builder().connections(build_connection(NOWHERE)));
    let outcome = run(&runtime, build_keyed_create("run-1", json!({"title": "Once"}))).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["requests"]), (&json!("invalid_invocation"), &json!(0)), "{outcome}");
    let message = outcome["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("not built yet"), "use the contract's words for what is missing: {message}");
}

/// An engine's connections, whose credential never comes.
struct HungVault;

#[async_trait]
impl Connections for HungVault {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("hung", NOWHERE))
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn key_of_a_call_that_was_never_sent_is_free_again() {
    let ledger = MemoryLedger::default();
    let runtime = build(Runtime::builder().ledger(ledger.clone()).connections(HungVault));
    let mut call = build_keyed_create("run-4", json!({"title": "x"}));
    call.options.timeout = std::time::Duration::from_millis(50);
    let outcome = run(&runtime, call).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("timed_out"), &json!("later")), "{outcome}");
    assert!(ledger.0.lock().expect("no call panicked").is_empty(), "free a key whose call was never sent");
}

#[tokio::test]
async fn key_without_a_ledger_is_refused_before_sending() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = run(&runtime, build_keyed_create("run-1", json!({"title": "x"}))).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["requests"]), (&json!("invalid_invocation"), &json!(0)), "{outcome}");
}

/// Runs many calls through a proxy that counts its sockets.
#[tokio::test]
async fn open_sockets_stay_within_the_limit_of_a_host() {
    let sandbox = start_sandbox(sandbox_options()).await;
    let accepted = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&accepted);
    let proxy = serve_connections(move |mut stream| {
        counter.fetch_add(1, Ordering::Relaxed);
        let target = sandbox["http://".len()..].to_owned();
        async move {
            let mut to = TcpStream::connect(target).await.expect("the sandbox listens");
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut to).await;
        }
    })
    .await;
    let runtime = build(Runtime::builder().connections(build_connection(&proxy)).connections_per_host(4));
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(runtime.invoke(Invocation::new("getStage").input(json!({"stageId": 1}))))).collect();
    for call in calls {
        let outcome = call.await.expect("the call does not panic");
        assert!(outcome.is_ok(), "{:?}", outcome.error());
    }
    let sockets = accepted.load(Ordering::Relaxed);
    assert!(sockets <= 4, "{sockets} sockets were opened for a limit of 4");
}
