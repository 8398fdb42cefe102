//! Estimates of actions by hand, and of lists whose vendor tells how many pages they have.

mod loopback;

use async_trait::async_trait;
use connector_core::action;
use connector_core::by_hand::{Call, Handler, Request, Stop};
use connector_core::declare::{Auth, Connector, Declares, Envelope, Id, Json, Method, Paging, Text};
use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Answer, Invocation, Runtime};
use serde_json::{Value, json};

pub(crate) static CONNECTOR: Connector = Connector::new("ferry", "Ferry", "A vendor of crossings.", "1.0.0")
    .with_domains(&["ferry.example"])
    .with_auth(&[Auth::bearer_token()])
    .with_paging(&[Paging::page("page", 1).with_last(&["/pages"])]);

/// The shape of a list.
static LIST: Envelope = Envelope::at("/list");

/// Get Crossings
///
/// Get all crossings
#[action(get("/v1/crossings"), cost = 4, envelope(LIST), returns(Vec<Json>))]
struct GetCrossings {
    /// The number of the page. Left out, the first is read.
    page: Option<Id>,
}

/// Book Crossing
///
/// Find a crossing by its name, and book it
#[action(scopes_all(["read"], ["book"]))]
struct BookCrossing {
    /// The name.
    name: Text,
    /// True to pay for it, too. Left out, it is booked alone.
    pays: Option<bool>,
}

#[async_trait]
impl Handler for BookCrossing {
    async fn run(self, call: &Call<'_>) -> Result<Answer, Stop> {
        let found = call.send_helper(Request::new(Method::Get, format!("/v1/find/{}", self.name.0), 2)).await?;
        if self.pays == Some(true) {
            call.send_helper(Request::new(Method::Post, "/v1/payments", 7)).await?;
        }
        let request = Request::new(Method::Post, format!("/v1/crossings/{}/book", found.body().len()), 5);
        Ok(call.send(request).await?.into_answer(Self::declaration())?)
    }
}

/// Answers each request by a page of a list of three.
fn answer(head: &str, _: &str) -> loopback::Answer {
    let page: u64 = head.split("page=").nth(1).and_then(|rest| rest.split(['&', ' ']).next()?.parse().ok()).unwrap_or(1);
    ("200 OK", String::new(), json!({"list": [{"id": page}], "pages": 3}).to_string())
}

async fn start() -> Runtime {
    let account = OneConnection::new("quay", &loopback::serve(answer).await, Credential::bearer("a token")).expect("an account");
    Runtime::builder().connectors(&[&CONNECTOR]).connections(account).build().expect("the declarations fit each other")
}

async fn run(runtime: &Runtime, invocation: Invocation) -> Value {
    serde_json::from_slice(&runtime.invoke(invocation).await.to_json()).expect("JSON")
}

#[tokio::test]
async fn code_reads_what_decides_and_ends_before_its_own_request() {
    let runtime = start().await;
    let book = |pays: bool| Invocation::new("bookCrossing").input(json!({"name": "dawn", "pays": pays}));
    let estimated = run(&runtime, book(false).estimate()).await;
    let data = &estimated["data"];
    assert_eq!((&data["requests"], &data["tokens"], &data["certain"]), (&json!(2), &json!(7), &json!(true)), "{estimated}");
    assert!(data["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.1), "{estimated}");
    assert_eq!(estimated["meta"]["requests"], 1, "the crossing was looked for: {estimated}");
    let made = run(&runtime, book(false)).await;
    assert_eq!((&made["meta"]["requests"], &made["meta"]["tokens"]), (&json!(2), &json!(7)), "{made}");
    // A write on which the rest depends is not made for an estimate.
    let estimated = run(&runtime, book(true).estimate()).await;
    let data = &estimated["data"];
    assert_eq!((&data["requests"], &data["tokens"], &data["bound"]), (&json!(2), &json!(9), &json!("least")), "{estimated}");
    assert_eq!(estimated["meta"]["requests"], 1, "{estimated}");
    assert_eq!(run(&runtime, book(true)).await["meta"]["tokens"], 14);
}

#[tokio::test]
async fn pages_that_the_vendor_counts_are_certain() {
    let runtime = start().await;
    let list = |input: Value, most: Option<u64>| Invocation::new("getCrossings").input(input).all_pages(most);
    for (input, pages) in [(json!({}), 3_u32), (json!({"page": 2}), 2), (json!({"page": 3}), 1)] {
        let estimated = run(&runtime, list(input.clone(), None).estimate()).await;
        assert_eq!((&estimated["data"]["requests"], &estimated["data"]["certain"]), (&json!(pages), &json!(true)), "{estimated}");
        assert_eq!(estimated["meta"]["requests"], 1, "one page is read");
        let made = run(&runtime, list(input, None)).await;
        assert_eq!((&made["meta"]["requests"], &made["meta"]["tokens"]), (&json!(pages), &json!(4 * pages)), "{made}");
    }
    let estimated = run(&runtime, list(json!({}), Some(2)).estimate()).await;
    assert_eq!((&estimated["data"]["requests"], &estimated["data"]["bound"]), (&json!(3), &json!("most")), "{estimated}");
    let estimated = run(&runtime, list(json!({}), Some(1)).estimate()).await;
    assert_eq!((&estimated["data"]["requests"], &estimated["data"]["certain"]), (&json!(1), &json!(true)), "{estimated}");
}
