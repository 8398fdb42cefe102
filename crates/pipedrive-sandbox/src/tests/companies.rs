//! Several companies in one sandbox, each with its own records and its own token.

use std::fs;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::storage::Folder;
use super::{assert_refused, get_data, open_sandbox, options, read_response};
use crate::Store;
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::value::open_error::OpenError;

fn open_three_companies() -> Sandbox {
    open_sandbox(Options { companies: 3, ..options() })
}

/// Sends a request as the first user of the company at `place`.
#[expect(clippy::needless_pass_by_value, reason = "the tests' bodies are literals")]
fn send_to(sandbox: &Sandbox, place: usize, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("x-api-token", &sandbox.companies()[place].api_token);
    let request = request.header("content-type", "application/json").body(Bytes::from(body.to_string()));
    read_response(&sandbox.respond(request.expect("the test's request is valid")))
}

fn get_data_of(sandbox: &Sandbox, place: usize, path: &str) -> Value {
    let (status, body) = send_to(sandbox, place, "GET", path, json!({}));
    assert_eq!(status, 200, "GET {path} should succeed in company {place}; it answered {body}");
    body["data"].clone()
}

fn list_values<'a>(list: &'a Value, member: &str) -> Vec<&'a Value> {
    list.as_array().into_iter().flatten().map(|row| &row[member]).collect()
}

#[test]
fn companies_have_their_own_records() {
    let sandbox = open_three_companies();
    let mut seen: Vec<Value> = Vec::new();
    for (place, company) in sandbox.companies().iter().enumerate() {
        let me = get_data_of(&sandbox, place, "/v1/users/me");
        assert_eq!(me["company_id"], company.id);
        assert_eq!((&me["company_name"], &me["company_domain"]), (&json!(company.name), &json!(company.domain)));
        let merged = send_to(&sandbox, place, "PUT", "/v1/persons/59/merge", json!({ "merge_with_id": 60 })).1["data"].clone();
        assert_eq!(merged["company_id"], company.id, "a record should have the id of its company: {merged}");
        let mut own = vec![me["email"].clone(), me["name"].clone(), json!(company.api_token)];
        for path in ["/api/v2/persons?limit=500", "/api/v2/organizations?limit=500"] {
            own.extend(list_values(&get_data_of(&sandbox, place, path), "name").into_iter().cloned());
        }
        own.extend(list_values(&get_data_of(&sandbox, place, "/api/v2/deals?limit=500"), "title").into_iter().cloned());
        let fields = get_data_of(&sandbox, place, "/api/v2/dealFields?limit=500");
        let custom = fields.as_array().into_iter().flatten().filter(|field| field["is_custom_field"] == true);
        own.extend(custom.map(|field| field["field_code"].clone()));
        own.retain(|value| !value.as_str().unwrap_or_default().starts_with("Walk-in "));
        let doubled: Vec<&Value> = own.iter().filter(|value| seen.contains(value)).collect();
        assert!(own.len() > 250 && doubled.is_empty(), "{} should have nothing that another has: {doubled:?}", company.name);
        seen.extend(own);
    }
    let debug = format!("{:?}", sandbox.companies());
    assert!(
        debug.contains("Brightpath") && !debug.contains(&sandbox.companies()[1].api_token),
        "a debug form should show no token: {debug}"
    );
}

#[test]
fn writes_stay_within_a_company() {
    let sandbox = open_three_companies();
    let deal = |place, title| send_to(&sandbox, place, "POST", "/api/v2/deals", json!({ "title": title })).1["data"]["id"].clone();
    let (first, second) = (deal(0, "Of the first"), deal(1, "Of the second"));
    assert_eq!(first, second, "each company should count its ids on its own");
    for (place, title) in [(0, "Of the first"), (1, "Of the second")] {
        assert_eq!(get_data_of(&sandbox, place, &format!("/api/v2/deals/{first}"))["title"], title);
    }
    assert_refused(&send_to(&sandbox, 2, "GET", &format!("/api/v2/deals/{first}"), json!({})), 404, "Deal not found");
    let found = |place| get_data_of(&sandbox, place, "/api/v2/deals/search?term=Of%20the%20second")["items"].as_array().map(Vec::len);
    assert_eq!((found(0), found(1), found(2)), (Some(0), Some(1), Some(0)));

    let field = |place| {
        let body = json!({ "field_name": "Same", "field_type": "varchar" });
        send_to(&sandbox, place, "POST", "/api/v2/dealFields", body).1["data"]["field_code"].clone()
    };
    assert_ne!(field(0), field(1), "fields of the same name should have different keys in different companies");
}

#[test]
fn companies_have_their_own_budgets() {
    let sandbox = open_sandbox(Options { companies: 2, daily_budget: Some(10), ..options() });
    get_data_of(&sandbox, 0, "/api/v2/deals");
    assert_refused(&send_to(&sandbox, 0, "GET", "/api/v2/deals", json!({})), 429, "request over limit");
    get_data_of(&sandbox, 1, "/api/v2/deals");
}

#[test]
fn rejects_other_than_one_to_three_companies() {
    for companies in [0, 4] {
        let error = Sandbox::open(Options { companies, ..options() }).expect_err("there are three");
        assert!(matches!(&error, OpenError::Options { reason } if reason.contains("1 to 3")), "{error}");
    }
    assert_eq!(open_sandbox(options()).companies().len(), 1);
}

#[test]
fn opens_a_file_of_version_1_with_more_companies() {
    let folder = Folder::new();
    let open = |companies| Sandbox::open(Options { store: Store::File(folder.state()), companies, ..options() });
    drop(open(1).expect("a new file is made"));
    let content: Value = serde_json::from_slice(&fs::read(folder.state()).expect("the file is there")).expect("the file is JSON");
    let mut tables = content["companies"][0]["tables"].clone();
    tables["deals"]["rows"]["1"]["title"] = json!("From long ago");
    fs::write(folder.state(), json!({ "version": 1, "tables": tables }).to_string()).expect("the test writes the file");

    let old = open(1).expect("an older file opens");
    assert_eq!(get_data(&old, "/api/v2/deals/1")["title"], "From long ago");
    let more = open(2).expect("it takes another company");
    assert_eq!(get_data(&more, "/api/v2/deals/1")["title"], "From long ago");
    assert_eq!(get_data_of(&more, 1, "/v1/users/me")["company_domain"], "brightpath");
    send_to(&more, 1, "PATCH", "/api/v2/deals/1", json!({ "title": "Kept" }));
    assert_eq!(get_data_of(&open(2).expect("the file opens again"), 1, "/api/v2/deals/1")["title"], "Kept");
    assert_eq!(get_data(&open(1).expect("with fewer companies too"), "/api/v2/deals/1")["title"], "From long ago");
}
