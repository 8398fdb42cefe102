//! Each check finds the faults that are planted in declarations and in code by hand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use async_trait::async_trait;
use connector_core::by_hand::{Body, Call, Handler, RawJson, Request, Stop};
use connector_core::declare::{Auth, Connector, Declaration, FieldType, Id, Method, Nullable, OAuth, Schemas, Text};
use connector_core::run::Answer;
use connector_core::{Error, Fault, action, inputs, record};
use connector_testkit::Kit;
use serde_json::{Value, json};
use tempfile::TempDir;

static CONNECTOR: Connector = Connector::new("shack", "Shack", "A vendor whose declarations have faults.", "1.0.0")
    .with_domains(&["shack.example"])
    .with_roots(&["/v1/"])
    .with_auth(&[Auth::api_token("x-key"), Auth::oauth2(OAUTH)]);

const OAUTH: OAuth = OAuth::new("https://shack.example/authorize", "https://shack.example/token").with_scopes(&["huts:read"]);

/// A connector of which no action is linked.
static EMPTY: Connector = Connector::new("nothing", "Nothing", "A vendor of nothing.", "1.0.0").with_host("https://api.nothing.example");

/// A hut.
#[record]
struct Hut {
    /// The ID.
    id: Id,
    /// True if someone lives there.
    lived_in: Option<bool>,
}

/// Get Hut.
///
/// Get a hut
#[action(get("/v1/huts/{hut_id}"), scopes("huts:reed"), returns(Hut), when_flat(fields = Bool(true)))]
struct GetHut {
    /// the hut, please
    hut_id: Id,
    /// The fields to read.
    fields: Option<Text>,
    /// The colour of the hut, one of the many colours that somebody once chose for huts, written as a word of the
    /// language that is spoken where the hut stands today, or as it was when the hut was built. Left out, it is any.
    #[query]
    colour: Option<Text>,
    /// The language. Left out, it is English.
    #[query]
    language: Text,
}

/// Add Hut
///
/// Add a hut
#[action(post("/v1/huts"), returns(Hut), with(Nickname))]
struct AddHut {
    /// The name. Left out, there is none.
    name: Option<Text>,
}

/// A name that travels as another one does.
#[inputs]
struct Nickname {
    /// The nickname. Left out, there is none.
    #[wire("name")]
    nickname: Option<Text>,
}

/// Update Hut
///
/// Update a hut
#[action(patch("/v1/huts/{hut_id}"), returns(Hut), by_hand(send_other_values))]
struct UpdateHut {
    /// The hut to change.
    hut_id: Id,
    /// The size. Left out, it stays.
    size: Option<i64>,
    /// The owner. Left out, it stays.
    owner: Option<Nullable<Text>>,
    /// The height. Left out, it stays.
    height: Option<i64>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, Stop>> + Send + 'a>>;

/// Sends a greater size, no owner where it is null, and refuses a height at another place.
fn send_other_values<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    Box::pin(async move {
        let mut input = call.input().clone();
        if input.contains_key("height") {
            return Err(Error::invalid_input(declaration.key, vec![Fault::new("/hutId", "has no height")]).into());
        }
        input.shift_remove("hutId");
        if let Some(size) = input.get("size").and_then(Value::as_i64) {
            input.insert("size".to_owned(), (size + 1).into());
        }
        if input.get("owner").is_some_and(Value::is_null) {
            input.shift_remove("owner");
        }
        let mut request = call.request(declaration);
        request.body = Body::Json(Value::from(input).to_string().into());
        Ok(call.send(request).await?.into_answer(declaration)?)
    })
}

/// Count Huts
///
/// Count huts of an area
#[action(returns(Hut))]
struct CountHuts {
    /// The area. Left out, all areas.
    area: Option<Text>,
    /// The country. Left out, all countries.
    country: Option<Text>,
}

#[async_trait]
impl Handler for CountHuts {
    async fn run(self, call: &Call<'_>) -> Result<Answer, Stop> {
        let area = self.area.map_or_else(String::new, |Text(area)| format!("/{area}"));
        // The country is forgotten.
        drop(self.country);
        let response = call.send(Request::new(Method::Get, format!("/v1/huts{area}/count"), 0)).await?;
        Ok(Answer::from_data(&response.status()))
    }
}

/// Paint Hut
///
/// Paint a hut
#[action(post("/v1/huts/{hut_id}/paint"), returns(Hut), by_hand(answer_otherwise))]
struct PaintHut {
    /// The hut to paint.
    hut_id: Id,
}

/// Answers other data than the vendor.
fn answer_otherwise<'a>(call: &'a Call<'_>, declaration: &'static Declaration) -> Running<'a> {
    Box::pin(async move {
        let mut answer = call.send(call.request(declaration)).await?.into_answer(declaration)?;
        answer.data = RawJson::from_value(&json!({"id": 1}));
        Ok(answer)
    })
}

/// Open Hut
///
/// Open a hut
#[action(post("/v1/huts/{hut_id}/open"), returns(Hut))]
struct OpenHut {
    /// The hut to open.
    hut_id: Id,
    /// The time at which it opens, to the millisecond. Left out, it is now.
    opens_at: Option<PreciseTime>,
}

/// A time whose form no time of a caller's zone has.
struct PreciseTime;

impl FieldType for PreciseTime {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "format": "date-time", "pattern": r"\.\d{3}Z$", "examples": ["2026-01-31T09:30:00.000Z"]})
    }
}

/// Writes the fixtures, and builds the kit over them. The folder lives as long as the test.
fn build_kit() -> (TempDir, Kit) {
    let folder = tempfile::tempdir().expect("a folder can be created");
    for (key, input) in [
        ("getHut", json!({"hutId": 1, "language": "en"})),
        ("addHut", json!({})),
        ("updateHut", json!({"hutId": 1})),
        ("countHuts", json!({"area": "North", "country": "Wales"})),
        ("paintHut", json!({"hutId": 1})),
        ("openHut", json!({"hutId": 1})),
    ] {
        let fixture = json!({"input": input, "data": {"id": 1, "lived_in": null}});
        std::fs::write(folder.path().join(key).with_extension("json"), fixture.to_string()).expect("the file can be written");
    }
    let kit = Kit::new(&CONNECTOR, folder.path()).fixtures_in(".");
    (folder, kit)
}

/// Runs a check that must fail, and returns what it says.
#[track_caller]
fn fail(check: impl Future<Output = ()>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let caught = catch_unwind(AssertUnwindSafe(|| runtime.block_on(check))).expect_err("the check must find the planted fault");
    *caught.downcast::<String>().expect("a check fails with a text")
}

/// Fails if a message does not name just these faults, each by how it begins.
#[track_caller]
fn assert_faults(message: &str, expected: &[&str]) {
    let found: Vec<&str> = message.lines().skip(1).filter(|line| !line.starts_with('{')).collect();
    assert_eq!(found.len(), expected.len(), "{message}");
    for part in expected {
        assert!(found.iter().any(|line| line.starts_with(part)), "it should say {part:?}: {message}");
    }
}

#[test]
fn finds_prose_that_is_no_plain_sentence() {
    let (_folder, kit) = build_kit();
    let message = fail(async { kit.check_prose() });
    assert_faults(
        &message,
        &[
            "getHut: write the label \"Get Hut.\" as a name",
            "getHut: hutId: write \"the hut, please\" as a sentence",
            "getHut: hutId: write it without \"please\"",
            "getHut: fields: say in \"The fields to read.\" what happens when it is left out",
            "getHut: colour: shorten its 216 characters",
            "getHut: language: a required input cannot be left out",
        ],
    );
}

#[test]
fn finds_two_inputs_under_one_name_and_a_scope_that_is_none() {
    let (_folder, kit) = build_kit();
    // The snapshots, which are not there, are found too.
    let message = fail(async { kit.check_schemas() });
    assert!(message.contains("addHut: `name` travels twice in the Body"), "{message}");
    assert!(message.contains("getHut needs huts:reed, for which OAuth does not ask"), "{message}");
}

#[test]
fn finds_a_value_of_the_flat_view_that_its_action_refuses() {
    let (_folder, kit) = build_kit();
    assert_faults(&fail(kit.check_requests()), &["when_flat(fields = …) does not fit. getHut makes no request of"]);
}

#[test]
fn finds_values_that_are_changed_dropped_or_refused_elsewhere() {
    let (_folder, kit) = build_kit();
    assert_faults(
        &fail(kit.check_three_states()),
        &[
            "updateHut.size = 0: it is sent as None in the query and Some(Number(1)) in the body",
            "updateHut.owner = null: it is sent as None in the query and None in the body",
            "updateHut.height = 0: it is refused, but not by one fault at /height",
            "countHuts.country = \"Wales\": it is dropped, as no request changes",
        ],
    );
    let message = fail(kit.not_sent(&[("countHuts", "country")]).check_three_states());
    assert!(message.starts_with("3 found"), "an input that is not sent on purpose is no fault: {message}");
}

#[test]
fn finds_a_time_that_no_zone_makes_a_moment() {
    let (_folder, kit) = build_kit();
    assert_faults(&fail(kit.check_times()), &["openHut.opensAt: {\"opensAt\":\"2026-07-31T01:30\"} in Europe/Tallinn is"]);
}

#[test]
fn finds_data_that_is_not_what_the_vendor_sent() {
    let (_folder, kit) = build_kit();
    let message = fail(kit.check_flat_view());
    assert!(message.contains("4 found") && message.contains("paintHut: the record view of"), "{message}");
}

#[test]
fn finds_that_no_action_is_linked() {
    let message = fail(async { Kit::new(&EMPTY, ".").check_prose() });
    assert_eq!(message, "nothing declares no action: link the crate of its actions to this test");
}
