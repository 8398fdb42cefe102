//! An engine's own connections, and futures that it can spawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Runtime};
use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::runtime::{RenewingVault, build, build_sandbox_runtime, invoke};
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

fn build_connection(url: &str) -> OneConnection {
    OneConnection::new("acme", url, Credential::api_token(DEMO_API_TOKEN)).expect("loopback is allowed")
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
