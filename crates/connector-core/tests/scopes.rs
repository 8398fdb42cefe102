//! Scopes of an action that makes several calls: its manifest, and the hint of a call that lacked one.

mod loopback;

use async_trait::async_trait;
use connector_core::by_hand::{Call, Handler, Request, Stop};
use connector_core::declare::{Auth, Connector, Declares, Id, Json, Method, Refusal};
use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Answer, Catalogue, Invocation, Runtime};
use connector_core::{Error, action};
use serde_json::{Value, json};

pub(crate) static CONNECTOR: Connector = Connector::new("quay", "Quay", "A vendor of moorings.", "1.0.0")
    .with_domains(&["quay.example"])
    .with_auth(&[Auth::bearer_token()])
    .with_refusal(explain);

/// Takes each refusal for a scope that was not granted.
fn explain(refusal: &Refusal<'_>) -> Error {
    refusal.explain_missing_scope("at Quay")
}

/// Get Berth
///
/// Get a berth
#[action(get("/v1/berths/{berth_id}"), scopes("berths:read", "berths:full"), returns(Json))]
struct GetBerth {
    /// The berth to read.
    berth_id: Id,
}

/// Bill Berth
///
/// Read a berth, and add an invoice for it
#[action(scopes_all(["berths:read", "berths:full"], ["invoices:full"]))]
struct BillBerth {
    /// The berth to bill.
    berth_id: Id,
    /// True to tell the captain. Left out, nobody is told.
    tell: Option<bool>,
}

#[async_trait]
impl Handler for BillBerth {
    async fn run(self, call: &Call<'_>) -> Result<Answer, Stop> {
        if !call.is_granted_all(Self::declaration().scopes_all) {
            call.warn("A scope is missing.");
        }
        if self.tell == Some(true) {
            call.send_helper(call.request(GetBerth::declaration())).await?;
        }
        let request = Request::new(Method::Post, format!("/v1/berths/{}/invoices", self.berth_id.0), 0);
        Ok(call.send(request).await?.into_answer(Self::declaration())?)
    }
}

fn refuse(_: &str, _: &str) -> loopback::Answer {
    ("403 Forbidden", String::new(), "{}".to_owned())
}

/// Invokes an action that lacks a scope. Returns the hint, and the warnings.
async fn invoke(granted: Option<&[&str]>, action: &str, input: Value) -> (Value, Value) {
    let account = OneConnection::new("pier", &loopback::serve(refuse).await, Credential::bearer("a token")).expect("an account");
    let account = match granted {
        Some(granted) => account.with_scopes(granted.iter().copied()),
        None => account,
    };
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(account).build().expect("the declarations fit each other");
    let outcome: Value = serde_json::from_slice(&runtime.invoke(Invocation::new(action).input(input)).await.to_json()).expect("JSON");
    assert_eq!(outcome["error"]["kind"], "missing_scope", "{outcome}");
    (outcome["error"]["hint"].clone(), outcome["meta"]["warnings"].clone())
}

#[tokio::test]
async fn hint_names_the_lists_of_scopes_that_the_connection_lacks() {
    const ADD: &str = "to the app at Quay, and connect the account again:";
    let one_call = format!("Add one of these scopes {ADD} berths:read, berths:full.");
    assert_eq!(invoke(None, "getBerth", json!({"berthId": 1})).await.0, one_call);
    let all = format!("Add each of these scopes {ADD} berths:read or berths:full; invoices:full.");
    let bill = json!({"berthId": 1});
    assert_eq!(invoke(None, "billBerth", bill.clone()).await, (all.clone().into(), json!([])));
    let warned = json!(["A scope is missing."]);
    assert_eq!(invoke(Some(&[]), "billBerth", bill.clone()).await, (all.clone().into(), warned.clone()));
    let rest = format!("Add one of these scopes {ADD} invoices:full.");
    assert_eq!(invoke(Some(&["berths:full"]), "billBerth", bill.clone()).await, (rest.into(), warned));
    // The vendor knows better: what was granted may have been taken away since.
    assert_eq!(invoke(Some(&["berths:read", "invoices:full"]), "billBerth", bill).await, (all.into(), json!([])));
    // A call to another action needs the scopes of that one alone.
    assert_eq!(invoke(None, "billBerth", json!({"berthId": 1, "tell": true})).await.0, one_call);
}

#[test]
fn manifest_has_the_lists_of_scopes_beside_scopes() {
    let catalogue = Catalogue::build(&[&CONNECTOR]).expect("the declarations fit each other");
    let describe = |key: &str| catalogue.find(None, key).expect("it is declared").describe(|_| None);
    let bill = describe("billBerth");
    assert_eq!((&bill["scopes"], &bill["scopesAll"]), (&json!([]), &json!([["berths:read", "berths:full"], ["invoices:full"]])));
    let keys: Vec<&String> = bill.as_object().expect("an object").keys().collect();
    assert!(keys.windows(2).any(|pair| pair == ["scopes", "scopesAll"]), "{keys:?}");
    let get = describe("getBerth");
    assert_eq!((&get["scopes"], get.get("scopesAll")), (&json!(["berths:read", "berths:full"]), None));
}
