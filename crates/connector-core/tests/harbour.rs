//! A vendor that writes camelCase and has no budget: its names on the wire, and its data sources from end to end.

mod loopback;

use async_trait::async_trait;
use connector_core::by_hand::{Call, Choice, ChoiceHandler, Choices, Request, Stop};
use connector_core::declare::{Auth, Case, Connector, Envelope, Flag, Id, Method, Nullable, Paging, Refusal, Text};
use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Catalogue, Invocation, Outcome, Runtime, View};
use connector_core::{Error, ErrorKind, Fault, action, data_source, inputs, record};
use serde_json::{Value, json};

pub(crate) static CONNECTOR: Connector = Connector::new("harbour", "Harbour", "A vendor of berths.", "1.0.0")
    .with_domains(&["harbour.example"])
    .with_roots(&["/v1/"])
    .with_auth(&[Auth::api_token("x-key")])
    .with_case(Case::Camel)
    .with_envelope(Envelope::at("/results"))
    .with_paging(&[Paging::cursor("after", &["/paging/next/after"])])
    .with_refusal(explain);

/// Reads a refusal, which names the field by its name on the wire.
fn explain(refusal: &Refusal<'_>) -> Error {
    let body = refusal.json().unwrap_or_default();
    let path = body["field"].as_str().and_then(|field| refusal.find_input(field));
    let faults = path.map(|path| Fault::new(path, "is refused")).into_iter().collect();
    Error::new(ErrorKind::UpstreamRejected, "Harbour refused it.").with_faults(faults)
}

/// A ship.
#[record]
struct Ship {
    /// The reference.
    ship_ref: ShipRef,
    /// The name.
    ship_name: Option<String>,
    /// The captain.
    captain: Option<Captain>,
    /// The number of the maritime organization.
    #[wire("IMO_number")]
    imo_number: Option<String>,
}

/// The reference of a ship.
#[record]
struct ShipRef {
    /// The number.
    ship_no: i64,
}

/// A captain.
#[record]
struct Captain {
    /// The name.
    full_name: String,
}

/// Get Ship
///
/// Get a ship in a port
#[action(get("/v1/ports/{portId}/ships/{ship_no}"), envelope(Envelope::BARE), returns(Ship))]
struct GetShip {
    /// The port.
    port_id: Id,
    /// The ship.
    ship_no: Id,
    /// True to include the crew.
    with_crew: Option<Flag>,
}

/// The size of a ship.
#[inputs]
struct Size {
    /// The tonnage. Left out, it is unknown.
    gross_tonnage: Option<Nullable<i64>>,
}

/// Add Ship
///
/// Add a ship
#[action(post("/v1/ships"), envelope(Envelope::BARE), returns(Ship), with(Size))]
struct AddShip {
    /// The name.
    ship_name: Text,
    /// The captain.
    captain: Option<Captain>,
    /// The number of the maritime organization.
    #[wire("IMO_number")]
    imo_number: Option<Text>,
}

/// Change Ship
///
/// Change a ship
#[action(post("/v1/ships/{ship_no}"), changes, returns(Ship), with(Size))]
struct ChangeShip {
    /// The ship.
    ship_no: Id,
    /// The name. Left out, it stays.
    ship_name: Option<Text>,
}

/// Get Ships
///
/// Get all ships
#[action(get("/v1/ships"), returns(Vec<Ship>))]
struct GetShips {
    /// The cursor to go on from.
    #[wire("after")]
    cursor: Option<Text>,
    /// The number of ships on a page.
    limit: Option<Id>,
}

/// Search Ships
///
/// Search ships by name
#[action(post("/v1/ships/search"), reads, returns(Vec<Ship>))]
struct SearchShips {
    /// The text to look for.
    name_part: Text,
    /// The cursor to go on from.
    #[wire("after")]
    cursor: Option<Text>,
}

/// Get Crews
///
/// Get the crews of all ships
#[action(get("/v1/crews"), returns(Vec<Captain>))]
struct GetCrews {}

/// Get Buoys
///
/// Get all buoys
#[action(get("/v1/buoys"), envelope(Envelope::BARE), returns(Vec<Captain>))]
struct GetBuoys {}

/// Select Ship
///
/// Select a ship.
#[data_source(list(GetShips), search(SearchShips), term = "name_part", key("shipRef.shipNo"), label("{shipName} ({captain.fullName})"))]
struct SelectShip;

/// Select Captain
///
/// Select a captain.
#[data_source(list(GetCrews), key("fullName"), label("{fullName}"))]
struct SelectCaptain;

/// Select Berth
///
/// Select a berth of a port.
#[data_source(by_hand)]
struct SelectBerth {
    /// The port.
    port_id: Id,
    /// The side of the port. Left out, both.
    quay_side: Option<Text>,
}

#[async_trait]
impl ChoiceHandler for SelectBerth {
    async fn list_choices(self, call: &Call<'_>) -> Result<Choices, Stop> {
        let response = call.send(Request::new(Method::Get, format!("/v1/ports/{}/berths", self.port_id.0), 0)).await?;
        let berths: Vec<String> = serde_json::from_slice(response.body())
            .map_err(|error| Error::new(ErrorKind::BadAnswer, "The berths cannot be read.").with_source(error))?;
        let side = self.quay_side.map_or_else(String::new, |Text(side)| side);
        let berths = berths.into_iter().filter(|berth| berth.starts_with(&side));
        Ok(berths.map(|berth| Choice::new(berth.to_lowercase(), berth)).collect())
    }
}

fn answer(head: &str, body: &str) -> loopback::Answer {
    let ship = |number: i64, name: &str| json!({"shipRef": {"shipNo": number}, "shipName": name, "captain": {"fullName": "Ada"}, "IMO_number": "9"});
    let target = head.split(' ').nth(1).expect("a target");
    let (status, answer) = match target {
        "/v1/ships/search" => ("200 OK", json!({"results": [ship(2, body)]})),
        "/v1/ships" if head.starts_with("POST") => ("400 Bad", json!({"code": 7, "field": "grossTonnage"})),
        "/v1/ships?after=a%2F1" => ("200 OK", json!({"results": [], "paging": {}})),
        "/v1/ships" | "/v1/ships?limit=1" => ("200 OK", json!({"results": [ship(1, "Alma")], "paging": {"next": {"after": "a/1"}}})),
        "/v1/ports/5/ships/1" => ("200 OK", ship(1, "Alma")),
        "/v1/crews" => ("200 OK", json!({"results": [{"fullName": "Ada"}], "paging": {"next": {"after": "a/1"}}})),
        "/v1/buoys" => ("200 OK", json!({"results": [{"fullName": "Ada"}]})),
        "/v1/ports/5/berths" => ("200 OK", json!(["North 1", "South 1"])),
        other => panic!("nothing asks for {other}"),
    };
    (status, String::new(), answer.to_string())
}

async fn start() -> Runtime {
    let account = OneConnection::new("pier", &loopback::serve(answer).await, Credential::api_token("a token")).expect("an account");
    Runtime::builder().connectors(&[&CONNECTOR]).connections(account).build().expect("the declarations fit each other")
}

fn read(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.to_json()).expect("an outcome is JSON")
}

#[tokio::test]
async fn names_on_the_wire_are_in_the_case_of_the_vendor() {
    let runtime = start().await;
    let plan = async |action: &str, input: Value| {
        let mut outcome = read(&runtime.invoke(Invocation::new(action).input(input).dry_run()).await);
        outcome["data"][0].take()
    };
    let request = plan("getShip", json!({"portId": 5, "shipNo": 1, "withCrew": true})).await;
    assert!(request["url"].as_str().is_some_and(|url| url.ends_with("/v1/ports/5/ships/1?withCrew=1")), "{request}");

    let ship = json!({"shipName": "Alma", "captain": {"fullName": "Ada"}, "imoNumber": "9", "grossTonnage": 7});
    let request = plan("addShip", ship).await;
    let expected = json!({"shipName": "Alma", "captain": {"fullName": "Ada"}, "IMO_number": "9", "grossTonnage": 7});
    assert_eq!(request["json"], expected, "what #[wire] names stays as it is written");

    let request = plan("selectShip", json!({"search": "al", "cursor": "a/1"})).await;
    assert_eq!(request["json"], json!({"namePart": "al", "after": "a/1"}));
}

#[tokio::test]
async fn post_that_changes_a_record_clears_what_is_null() {
    let runtime = start().await;
    let plan = async |action: &str, input: Value| read(&runtime.invoke(Invocation::new(action).input(input).dry_run()).await);
    let changed = plan("changeShip", json!({"shipNo": 1, "grossTonnage": null})).await;
    assert_eq!(changed["data"][0]["json"], json!({"grossTonnage": null}), "{changed}");
    let refused = plan("changeShip", json!({"shipNo": 1, "shipName": null})).await;
    assert_eq!(refused["error"]["faults"][0]["path"], "/shipName", "what cannot be cleared is not dropped: {refused}");
    let added = plan("addShip", json!({"shipName": "Alma", "grossTonnage": null})).await;
    assert_eq!(added["data"][0]["json"], json!({"shipName": "Alma"}), "where a record is added, null is absent: {added}");

    let catalogue = Catalogue::build(&[&CONNECTOR]).expect("the declarations fit each other");
    let change = catalogue.find(None, "changeShip").expect("it is declared").describe(|_| None);
    assert_eq!((&change["effect"], &change["idempotent"]), (&json!("write"), &json!(true)));
    let tonnage = &change["input"]["properties"]["grossTonnage"]["description"];
    assert_eq!(tonnage, "The tonnage; null clears it. Left out, it stays.");
}

#[tokio::test]
async fn refusals_and_answers_are_read_under_the_names_of_the_vendor() {
    let runtime = start().await;
    let refused = read(&runtime.invoke(Invocation::new("addShip").input(json!({"shipName": "Alma", "grossTonnage": 1}))).await);
    assert_eq!(refused["error"]["faults"][0]["path"], "/grossTonnage");

    for (view, number) in [(View::Record, "IMO_number"), (View::Flat, "IMO_number")] {
        let invocation = Invocation::new("getShip").input(json!({"portId": 5, "shipNo": 1})).view(view);
        let ship = read(&runtime.invoke(invocation).await);
        assert_eq!((&ship["data"]["shipName"], &ship["data"]["shipRef"]["shipNo"]), (&json!("Alma"), &json!(1)), "{ship}");
        assert_eq!(ship["data"][number], "9", "{ship}");
        assert_eq!((&ship["meta"]["requests"], &ship["meta"]["tokens"]), (&json!(1), &json!(0)), "without a budget nothing costs");
    }
}

#[tokio::test]
async fn list_that_may_go_on_is_not_complete_and_says_why() {
    let runtime = start().await;
    for (action, warning) in [
        ("getCrews", "More records follow, and getCrews does not ask for them."),
        ("getBuoys", "getBuoys returns a list, and the data of this answer is none."),
        ("selectCaptain", "More records follow, and selectCaptain does not ask for them."),
    ] {
        let outcome = read(&runtime.invoke(Invocation::new(action)).await);
        assert_eq!((&outcome["ok"], &outcome["page"]["complete"]), (&json!(true), &json!(false)), "{outcome}");
        assert_eq!(outcome["meta"]["warnings"], json!([warning]));
    }
}

#[tokio::test]
async fn runtime_without_connections_says_who_gives_some() {
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).build().expect("it builds without connections");
    let ship = json!({"portId": 5, "shipNo": 1});
    for invocation in [Invocation::new("getShip").input(ship.clone()), Invocation::new("getShip").input(ship).connection("pier").dry_run()]
    {
        let refused = read(&runtime.invoke(invocation).await);
        assert_eq!(
            (&refused["error"]["kind"], &refused["error"]["message"], &refused["error"]["hint"]),
            (
                &json!("no_connection"),
                &json!("This program gave the runtime no connections."),
                &json!("Its author gives some by `Builder::connections`, as a `OneConnection` or a store.")
            )
        );
    }
    // Whatever needs no connection is checked as ever.
    let refused = runtime.invoke(Invocation::new("getShip").connector("harbour")).await.into_result().expect_err("inputs are missing");
    assert_eq!((refused.kind(), refused.faults().len()), (ErrorKind::InvalidInput, 2));
    let unknown =
        runtime.invoke(Invocation::new("getShip").connector("haven")).await.into_result().expect_err("there is no such connector");
    assert_eq!(unknown.kind(), ErrorKind::InvalidInvocation);
}

#[test]
fn manifest_has_the_names_of_the_vendor_and_no_cost() {
    let catalogue = Catalogue::build(&[&CONNECTOR]).expect("the declarations fit each other");
    let manifest = catalogue.manifest(&CONNECTOR, |_| None);
    let find =
        |list: &str, key: &str| manifest[list].as_array().and_then(|all| all.iter().find(|one| one["key"] == key)).expect("it is there");
    let add = find("actions", "addShip");
    assert_eq!((&add["cost"], &add["resource"], &add["scopes"]), (&json!(null), &json!("harbour"), &json!([])));
    let wire = |name: &str| add["input"]["properties"][name]["x-wire"].clone();
    assert_eq!(["shipName", "imoNumber", "grossTonnage"].map(wire), ["body:shipName", "body:IMO_number", "body:grossTonnage"]);
    assert_eq!(find("actions", "getShip")["input"]["properties"]["shipNo"]["x-wire"], "path:ship_no", "a variable is that of the path");
    let members = |schema: &Value| schema["properties"].as_object().expect("it is a record").keys().cloned().collect::<Vec<_>>();
    let ship = &add["output"]["$defs"]["Ship"];
    assert_eq!(members(ship), ["shipRef", "shipName", "captain", "IMO_number"]);
    assert_eq!(ship["required"], json!(["shipRef"]));
    assert_eq!(members(&find("dataSources", "selectShip")["input"]), ["search", "cursor", "limit"]);
    assert_eq!(find("dataSources", "selectBerth")["input"]["required"], json!(["portId"]));
}

#[tokio::test]
async fn data_sources_list_search_and_page() {
    let runtime = start().await;
    let choose = async |key: &str, input: Value| read(&runtime.invoke(Invocation::new(key).input(input)).await);

    let first = choose("selectShip", json!({"limit": 1})).await;
    assert_eq!(first["data"], json!([{"key": "1", "label": "Alma (Ada)"}]));
    assert_eq!(first["page"], json!({"count": 1, "complete": false, "next": "a/1"}));
    assert_eq!((&first["meta"]["requests"], &first["meta"]["tokens"]), (&json!(1), &json!(0)));
    let last = choose("selectShip", json!({"cursor": first["page"]["next"]})).await;
    assert_eq!((&last["data"], &last["page"]["complete"]), (&json!([]), &json!(true)), "{last}");

    let found = choose("selectShip", json!({"search": "al"})).await;
    assert_eq!(found["data"], json!([{"key": "2", "label": "{\"namePart\":\"al\"} (Ada)"}]));
    let refused = choose("selectShip", json!({"search": "al", "limit": 1})).await;
    assert_eq!(refused["error"]["faults"][0]["path"], "/limit", "the search takes no limit, and would drop it: {refused}");

    let berths = choose("selectBerth", json!({"portId": "5", "quaySide": "South"})).await;
    assert_eq!(berths["data"], json!([{"key": "south 1", "label": "South 1"}]), "{berths}");
    let refused = choose("selectBerth", json!({"port": 5})).await;
    assert_eq!(refused["error"]["kind"], "invalid_input", "{refused}");
}
