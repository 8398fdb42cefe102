//! An API that is open to all: it needs no connection, and its requests carry no credential.

mod loopback;

use bytes::Bytes;
use connector_core::action;
use connector_core::declare::{Connector, Json, Method};
use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Catalogue, ForwardedBody, ForwardedRequest, Invocation, Runtime};
use serde_json::{Value, json};

pub(crate) static CONNECTOR: Connector = Connector::new("tides", "Tides", "A vendor of tides.", "1.0.0")
    .with_domains(&["tides.example"])
    .with_host("https://api.tides.example")
    .with_roots(&["/v1/"]);

/// Get Tides
///
/// Get the tides
#[action(get("/v1/tides"), returns(Json))]
struct GetTides {}

/// Answers whether the request carried a credential.
fn answer(head: &str, _: &str) -> loopback::Answer {
    let carried = head.to_lowercase().contains("authorization");
    ("200 OK", String::new(), json!({ "carried": carried }).to_string())
}

async fn invoke(runtime: &Runtime, invocation: Invocation) -> Value {
    serde_json::from_slice(&runtime.invoke(invocation).await.to_json()).expect("an outcome is JSON")
}

fn forward() -> ForwardedRequest {
    ForwardedRequest::new(Method::Get, "/v1/tides", ForwardedBody::Kept(Bytes::new()))
}

#[tokio::test]
async fn call_needs_no_connection_and_goes_to_the_host_of_the_connector() {
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).build().expect("it builds without connections");
    let planned = invoke(&runtime, Invocation::new("getTides").dry_run()).await;
    assert_eq!(planned["data"][0]["url"], "https://api.tides.example/v1/tides", "{planned}");
    assert_eq!((&planned["data"][0]["headers"], &planned["meta"]["connection"]), (&json!({}), &json!("open")), "{planned}");

    let refused = invoke(&runtime, Invocation::new("getTides").connection("pier").dry_run()).await;
    assert_eq!(
        (&refused["error"]["kind"], &refused["error"]["message"], &refused["error"]["hint"]),
        (
            &json!("no_connection"),
            &json!("There is no connection \"pier\" of Tides."),
            &json!("Its API is open to all: name no connection.")
        )
    );
}

#[tokio::test]
async fn requests_carry_no_credential() {
    let account = OneConnection::new("here", &loopback::serve(answer).await, Credential::None).expect("an account");
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(account).build().expect("the declarations fit each other");
    // A connection of the engine goes before the host of the connector.
    let outcome = invoke(&runtime, Invocation::new("getTides")).await;
    assert_eq!((&outcome["data"]["carried"], &outcome["meta"]["connection"]), (&json!(false), &json!("here")), "{outcome}");
    let forwarded = runtime.forward(&CONNECTOR, None, forward()).await.expect("it is forwarded");
    assert_eq!(forwarded.status, 200);

    // A key that was copied for nothing is not sent.
    let keyed = OneConnection::new("here", "https://api.tides.example", Credential::api_token("hunter2")).expect("an account");
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(keyed).build().expect("the declarations fit each other");
    let refused = invoke(&runtime, Invocation::new("getTides").dry_run()).await;
    assert_eq!(refused["error"]["hint"], "Its API is open to all, and needs no connection.", "{refused}");
}

/// A connector that no request can be sent for.
static LOST: Connector = Connector::new("tides", "Tides", "A vendor of tides.", "1.0.0");

#[test]
fn catalogue_asks_for_the_host_of_an_open_api() {
    let manifest = Catalogue::build(&[&CONNECTOR]).expect("it has a host").manifest(&CONNECTOR, |_| None);
    assert_eq!(manifest["connector"]["auth"], json!([]));
    let error = Catalogue::build(&[&LOST]).expect_err("no request can be sent");
    assert_eq!(error.message(), "Tides declares no way to sign in, and no host.");
}
