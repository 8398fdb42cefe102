//! What an engine that embeds the runtime relies on: its own vault, its own ledger, futures that stand alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{Access, Claim, Connection, Connections, Credential, Error, Invocation, Ledger, OneConnection, Runtime};
use pipedrive_sandbox::{DEMO_API_TOKEN, Options, Sandbox};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::engine::{Vault, bearer, sandbox};
use crate::support::world::{CONNECTORS, beside_sandbox, options, rendered};

#[tokio::test]
async fn spawned_call_outlives_the_runtime() {
    let runtime = beside_sandbox(options()).await;
    let call = runtime.invoke(Invocation::new("getDeal").input(json!({"dealId": 1})));
    drop(runtime);
    let outcome = tokio::spawn(call).await.expect("it does not panic");
    assert!(outcome.ok(), "{:?}", outcome.error());
}

#[tokio::test]
async fn renews_once_on_401_and_continues() {
    let renewed = Arc::new(AtomicU32::new(0));
    let url = sandbox(Options { bearers: vec![bearer("fresh", &["deals:full"])], ..options() }).await;
    let vault = Vault { url: url.clone(), renewed: Arc::clone(&renewed) };
    let runtime = Runtime::builder().connectors(&CONNECTORS).connections(vault).build().expect("the runtime is sound");
    let outcome = rendered(&runtime.invoke(Invocation::new("addDeal").input(json!({"title": "x"}))).await);
    assert_eq!((&outcome["ok"], &outcome["meta"]["requests"]), (&json!(true), &json!(2)), "{outcome}");
    // A scope that is not granted is no reason to renew.
    let outcome = rendered(&runtime.invoke(Invocation::new("getPerson").input(json!({"personId": 1}))).await);
    assert_eq!(outcome["error"]["kind"], "missing_scope", "{outcome}");

    let nobody = sandbox(options()).await;
    let vault = Vault { url: nobody, renewed: Arc::clone(&renewed) };
    let runtime = Runtime::builder().connectors(&CONNECTORS).connections(vault).build().expect("the runtime is sound");
    let before = renewed.load(Ordering::Relaxed);
    let outcome = rendered(&runtime.invoke(Invocation::new("getDeal").input(json!({"dealId": 1}))).await);
    assert_eq!(outcome["error"]["kind"], "unauthorized", "{outcome}");
    assert_eq!(renewed.load(Ordering::Relaxed) - before, 1, "renewed once, not for ever");
}

/// A ledger in memory.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<HashMap<String, Entry>>>);

/// The call that claimed a key, and what it answered.
type Entry = (String, Option<Vec<u8>>);

#[async_trait]
impl Ledger for Book {
    async fn claim(&self, key: &str, call: &str) -> Result<Claim, Error> {
        let mut book = self.0.lock().expect("nobody panics");
        Ok(match book.get(key) {
            None => {
                book.insert(key.to_owned(), (call.to_owned(), None));
                Claim::Fresh
            }
            Some((other, _)) if other != call => Claim::OtherCall,
            Some((_, Some(answer))) => Claim::Finished(answer.clone()),
            Some((_, None)) => Claim::Unfinished,
        })
    }

    async fn finish(&self, key: &str, answer: Vec<u8>) -> Result<(), Error> {
        if let Some((_, kept)) = self.0.lock().expect("nobody panics").get_mut(key) {
            *kept = Some(answer);
        }
        Ok(())
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        self.0.lock().expect("nobody panics").remove(key);
        Ok(())
    }
}

fn keyed(key: &str, input: serde_json::Value) -> Invocation {
    let mut invocation = Invocation::new("addDeal").input(input);
    invocation.options.idempotency_key = Some(key.to_owned());
    invocation
}

#[tokio::test]
async fn idempotency_key_runs_a_create_once() {
    let book = Book::default();
    let url = sandbox(options()).await;
    let connection = OneConnection::new("acme", &url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is a host");
    let builder = || Runtime::builder().connectors(&CONNECTORS).ledger(book.clone());
    let runtime = builder().connections(connection).build().expect("the runtime is sound");
    let first = rendered(&runtime.invoke(keyed("run-1", json!({"title": "Once", "value": 1}))).await);
    let again = rendered(&runtime.invoke(keyed("run-1", json!({"value": 1, "title": "Once"}))).await);
    assert_eq!(first["data"], again["data"]);
    assert_eq!((&again["meta"]["replayed"], &again["meta"]["requests"]), (&json!(true), &json!(0)), "{again}");
    let other = rendered(&runtime.invoke(keyed("run-1", json!({"title": "Twice"}))).await);
    assert_eq!(other["error"]["kind"], "idempotency_mismatch", "{other}");
    let refused = rendered(&runtime.invoke(keyed("run-2", json!({"title": "x", "personId": 99999}))).await);
    assert_eq!(refused["error"]["kind"], "upstream_rejected", "{refused}");
    let mended = rendered(&runtime.invoke(keyed("run-2", json!({"title": "x", "personId": 1}))).await);
    assert_eq!(mended["ok"], true, "a key whose call did nothing is free again: {mended}");

    // An upstream that takes the request and hangs up: whether it was carried out is not known, so the key stays.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut part = [0; 1024];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut part).await;
        }
    });
    let connection = OneConnection::new("acme", &url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is a host");
    let runtime = builder().connections(connection).build().expect("the runtime is sound");
    for kind in ["unreachable", "conflict"] {
        let outcome = rendered(&runtime.invoke(keyed("run-3", json!({"title": "x"}))).await);
        assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!(kind), &json!("unsafe")), "{outcome}");
    }
}

/// A vault that never answers.
struct Hung;

#[async_trait]
impl Connections for Hung {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new("hung", "http://127.0.0.1:9"))
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn key_of_a_call_that_was_never_sent_is_free_again() {
    let book = Book::default();
    let runtime = Runtime::builder().connectors(&CONNECTORS).ledger(book.clone()).connections(Hung).build().expect("the runtime is sound");
    let mut call = keyed("run-4", json!({"title": "x"}));
    call.options.timeout = std::time::Duration::from_millis(50);
    let outcome = rendered(&runtime.invoke(call).await);
    assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("timed_out"), &json!("later")), "{outcome}");
    assert!(book.0.lock().expect("nobody panics").is_empty(), "nothing was sent, so that the key is free");
}

#[tokio::test]
async fn key_without_a_ledger_is_refused_before_sending() {
    let runtime = beside_sandbox(options()).await;
    let outcome = rendered(&runtime.invoke(keyed("run-1", json!({"title": "x"}))).await);
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["requests"]), (&json!("invalid_invocation"), &json!(0)), "{outcome}");
}

/// However many calls are under way, no more sockets are open to a host than the cap says.
#[tokio::test]
async fn open_sockets_stay_within_the_limit_of_a_host() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let accepted = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&accepted);
    let sandbox = Sandbox::open(options()).expect("a sandbox opens");
    let inner = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let target = inner.local_addr().expect("it is bound");
    tokio::spawn(pipedrive_sandbox::serve(inner, sandbox));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut to = tokio::net::TcpStream::connect(target).await.expect("the sandbox is there");
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut to).await;
            });
        }
    });
    let connection = OneConnection::new("acme", &url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is a host");
    let runtime =
        Runtime::builder().connectors(&CONNECTORS).connections(connection).connections_per_host(4).build().expect("the runtime is sound");
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(runtime.invoke(Invocation::new("getStage").input(json!({"stageId": 1}))))).collect();
    for call in calls {
        let outcome = call.await.expect("it does not panic");
        assert!(outcome.ok(), "{:?}", outcome.error());
    }
    let sockets = accepted.load(Ordering::Relaxed);
    assert!(sockets <= 4, "{sockets} sockets for a cap of 4");
}
