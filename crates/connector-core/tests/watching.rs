//! A call is seen from outside: its spans, and what an observer is told, without what is the customer's.

mod loopback;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use connector_core::declare::{Auth, Connector, Id, Json, Method, Text};
use connector_core::embed::{Credential, EndedCall, Observer, OneConnection};
use connector_core::run::{ForwardedBody, ForwardedRequest, Invocation, Runtime, SPANS};
use connector_core::{Error, ErrorKind, action};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id as SpanId, Record};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

pub(crate) static CONNECTOR: Connector = Connector::new("pier", "Pier", "A vendor of ships.", "1.0.0")
    .with_domains(&["pier.example"])
    .with_roots(&["/v1/"])
    .with_auth(&[Auth::bearer_token()])
    .with_templates(|method, path| (method == "GET" && path.starts_with("/v1/ships/")).then_some("/v1/ships/{id}"));

/// Rename Ship
///
/// Rename a ship
#[action(put("/v1/ships/{ship_id}"), cost = 5, returns(Json))]
struct RenameShip {
    /// The ship to rename.
    ship_id: Id,
    /// The new name.
    name: Text,
}

/// Words that no span and no observer may be told: a token, an id in a path, an input, a record, a query.
const PRIVATE: [&str; 5] = ["hunter2", "987654321", "Santa Maria", "a-member@pier.example", "secret-term"];

/// Fails for one ship the first time, and finds no ship of another id.
fn answer(head: &str, _: &str) -> loopback::Answer {
    static ASKED: Mutex<u32> = Mutex::new(0);
    let mut asked = ASKED.lock().expect("no test fails while it holds the lock");
    *asked += u32::from(head.contains("/v1/ships/987654321"));
    let status = match *asked {
        1 => "503 Service Unavailable",
        _ if head.contains("/v1/ships/404") => "404 Not Found",
        _ => "200 OK",
    };
    (status, String::new(), json!({"id": 987_654_321, "captain": "a-member@pier.example"}).to_string())
}

/// The ended calls, each as a line.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

impl Observer for Book {
    fn observe(&self, call: &EndedCall<'_>) {
        let connection = call.connection.map(|connection| connection.name.as_str());
        let request = call.request.map(|request| (request.method.as_str(), request.template));
        let EndedCall { connector, action, effect, retries, refreshes, meta, .. } = call;
        self.0.lock().expect("no observer fails").push(format!(
            "{connector:?} {action:?} {request:?} {effect:?} {connection:?} {} status={:?} requests={} tokens={} {retries} {refreshes}",
            call.result(),
            meta.status,
            meta.requests,
            meta.tokens,
        ));
    }
}

impl Book {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no observer fails"))
    }
}

/// The spans of the runtime, each as its name, its parent and its attributes.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<SeenSpan>>>);

#[derive(Debug)]
struct SeenSpan {
    id: SpanId,
    parent: Option<SpanId>,
    attributes: Vec<(&'static str, String)>,
}

struct Attributed<'a>(&'a mut Vec<(&'static str, String)>);

impl Visit for Attributed<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}").trim_matches('"').to_owned()));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &SpanId, context: Context<'_, S>) {
        if attributes.metadata().target() == SPANS {
            let parent = context.span(id).and_then(|span| Some(span.parent()?.id()));
            let mut seen = SeenSpan { id: id.clone(), parent, attributes: Vec::new() };
            attributes.record(&mut Attributed(&mut seen.attributes));
            self.0.lock().expect("no test fails while it holds the lock").push(seen);
        }
    }

    fn on_record(&self, id: &SpanId, values: &Record<'_>, _: Context<'_, S>) {
        let mut all = self.0.lock().expect("no test fails while it holds the lock");
        if let Some(seen) = all.iter_mut().find(|seen| seen.id == *id) {
            values.record(&mut Attributed(&mut seen.attributes));
        }
    }
}

impl SeenSpan {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}

/// A subscriber that wants no span, and fails if it is asked more than once whether it does.
struct Unwilling;

impl Subscriber for Unwilling {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        panic!("{} is asked for at each call", metadata.name())
    }
    fn new_span(&self, _: &Attributes<'_>) -> SpanId {
        panic!("a span is made that nobody wants")
    }
    fn record(&self, _: &SpanId, _: &Record<'_>) {
        panic!("an attribute is recorded that nobody wants")
    }
    fn record_follows_from(&self, _: &SpanId, _: &SpanId) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &SpanId) {}
    fn exit(&self, _: &SpanId) {}
}

/// The interest in a span is one for the whole process, so the tests take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn build_runtime(book: &Book) -> Runtime {
    let account = OneConnection::new("here", &loopback::serve(answer).await, Credential::bearer("hunter2")).expect("an account");
    let builder = Runtime::builder().connectors(&[&CONNECTOR]).connections(account).observer(book.clone());
    builder.build().expect("the declarations fit each other")
}

fn rename(ship: u64) -> Invocation {
    Invocation::new("renameShip").input(json!({"shipId": ship, "name": "Santa Maria"}))
}

#[tokio::test]
async fn spans_and_observers_tell_of_calls_and_not_of_customers() {
    let _turn = TURN.lock().await;
    let spans = Spans::default();
    let guard: DefaultGuard = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let book = Book::default();
    let runtime = build_runtime(&book).await;
    assert!(runtime.invoke(rename(987_654_321)).await.is_ok());
    assert_eq!(runtime.invoke(rename(404)).await.error().map(Error::kind), Some(ErrorKind::NotFound));
    let forwarded = ForwardedRequest::new(Method::Get, "/v1/ships/987654321?term=secret-term", ForwardedBody::Kept(Bytes::new()));
    assert_eq!(runtime.forward(&CONNECTOR, None, forwarded).await.expect("it is forwarded").status, 200);
    runtime.invoke_json(b"Santa Maria").await;
    runtime.invoke(Invocation::new("sinkShip")).await;
    drop(guard);
    let told = book.take();
    assert_eq!(
        told,
        [
            r#"Some("pier") Some("renameShip") None Some(Write) Some("here") ok status=Some(200) requests=2 tokens=10 1 0"#,
            r#"Some("pier") Some("renameShip") None Some(Write) Some("here") not_found status=Some(404) requests=1 tokens=5 0 0"#,
            r#"Some("pier") None Some(("GET", Some("/v1/ships/{id}"))) Some(Read) Some("here") ok status=Some(200) requests=1 tokens=0 0 0"#,
            "None None None None None invalid_invocation status=None requests=0 tokens=0 0 0",
            "None None None None None unknown_action status=None requests=0 tokens=0 0 0",
        ]
    );
    let spans = spans.0.lock().expect("no test fails while it holds the lock");
    let names: Vec<&str> = spans.iter().filter_map(|span| span.get("otel.name")).collect();
    let (invoke, put) = ("invoke renameShip", "PUT /v1/ships/{ship_id}");
    assert_eq!(names, [invoke, put, put, invoke, put, "forward", "GET /v1/ships/{id}", "invoke unknown"]);
    for (child, parent) in [(1, 0), (2, 0), (4, 3), (6, 5)] {
        assert_eq!(spans[child].parent.as_ref(), Some(&spans[parent].id), "{:?}", spans[child]);
    }
    for (span, name, value) in [
        (0, "connector.outcome", Some("ok")),
        (0, "connector.tokens", Some("10")),
        (0, "connector.retries", Some("1")),
        (0, "error.type", None),
        (1, "http.request.method", Some("PUT")),
        (1, "url.template", Some("/v1/ships/{ship_id}")),
        (1, "server.address", Some("127.0.0.1")),
        (1, "http.response.status_code", Some("503")),
        (1, "error.type", Some("503")),
        (1, "http.request.resend_count", None),
        (2, "http.request.resend_count", Some("1")),
        (2, "http.response.status_code", Some("200")),
        (2, "error.type", None),
        (3, "connector.outcome", Some("not_found")),
        (3, "error.type", Some("not_found")),
        (3, "otel.status_code", Some("ERROR")),
        (4, "otel.kind", Some("client")),
    ] {
        assert_eq!(spans[span].get(name), value, "{name}: {:?}", spans[span]);
    }
    let shown = format!("{spans:?} {told:?}");
    for private in PRIVATE {
        assert!(!shown.contains(private), "{private} is the customer's: {shown}");
    }
}

#[tokio::test]
async fn call_whose_caller_leaves_is_told_as_cancelled() {
    let _turn = TURN.lock().await;
    let book = Book::default();
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let account = OneConnection::new("here", &url, Credential::bearer("hunter2")).expect("an account");
    let builder = Runtime::builder().connectors(&[&CONNECTOR]).connections(account).observer(book.clone());
    let runtime = builder.build().expect("the declarations fit each other");
    let accepted = tokio::select! {
        outcome = runtime.invoke(rename(1)) => panic!("nobody answers: {outcome:?}"),
        accepted = silent.accept() => accepted,
    };
    drop(accepted);
    let told = book.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("cancelled status=None requests=1 tokens=5"), "{told:?}");
}

#[tokio::test]
async fn spans_that_nobody_wants_are_never_made() {
    let _turn = TURN.lock().await;
    let _guard = tracing::subscriber::set_default(Unwilling);
    let runtime = build_runtime(&Book::default()).await;
    for _ in 0..2 {
        assert!(runtime.invoke(rename(7)).await.is_ok());
    }
}

/// Refuses every call, as an audit does that cannot be written.
struct Closed;

impl Observer for Closed {
    fn admit(&self) -> Result<(), Error> {
        Err(Error::new(ErrorKind::RateLimited, "Nothing is noted now."))
    }

    fn observe(&self, _: &EndedCall<'_>) {}
}

#[tokio::test]
async fn call_that_is_not_admitted_sends_nothing() {
    let _turn = TURN.lock().await;
    let runtime = build_runtime(&Book::default()).await.with_observer(Closed);
    let outcome = runtime.invoke(rename(7)).await;
    assert_eq!((outcome.error().map(Error::kind), outcome.meta().requests), (Some(ErrorKind::RateLimited), 0));
    let forwarded = ForwardedRequest::new(Method::Get, "/v1/ships/7", ForwardedBody::Kept(Bytes::new()));
    assert_eq!(runtime.forward(&CONNECTOR, None, forwarded).await.err().map(|error| error.kind()), Some(ErrorKind::RateLimited));
}
