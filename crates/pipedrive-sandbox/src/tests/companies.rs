//! Several companies in one sandbox, each with its own records and its own token.

use std::fs;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::oauth::{get_with_token, install};
use super::storage::Folder;
use super::{assert_refused, get_data, open_sandbox, options, read_response};
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::value::open_error::OpenError;
use crate::{Company, Store};

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
fn rejects_other_than_one_to_a_thousand_companies() {
    for companies in [0, 1001] {
        let error = Sandbox::open(Options { companies, ..options() }).expect_err("there are at most a thousand");
        assert!(matches!(&error, OpenError::Options { reason } if reason.contains("1 to 1000")), "{error}");
    }
    assert_eq!(open_sandbox(options()).companies().len(), 1);
}

#[test]
fn a_thousand_companies_do_not_see_each_others_writes() {
    let sandbox = open_sandbox(Options { companies: 1000, ..options() });
    let title = |place: usize| format!("Of company {place}");
    for place in 0..1000 {
        let (status, answer) = send_to(&sandbox, place, "POST", "/api/v2/deals", json!({ "title": title(place) }));
        assert_eq!((status, &answer["data"]["id"]), (200, &json!(201)), "each company should count its ids on its own: {answer}");
    }
    for place in 0..1000 {
        assert_eq!(get_data_of(&sandbox, place, "/api/v2/deals/201")["title"], title(place));
    }
    // Companies 5 and 8 have the records of the second.
    for (place, changed) in [(4, true), (7, false), (1, false)] {
        if changed {
            send_to(&sandbox, place, "PATCH", "/api/v2/persons/1", json!({ "name": "Changed" }));
        }
        assert_eq!(get_data_of(&sandbox, place, "/api/v2/persons/1")["name"] == "Changed", changed, "company {place}");
    }
    for place in [3, 500, 999] {
        let (company, me) = (&sandbox.companies()[place], get_data_of(&sandbox, place, "/v1/users/me"));
        assert_eq!((&me["company_id"], &me["company_domain"]), (&json!(company.id), &json!(company.domain)));
        assert_eq!((company.id, &*company.domain), (10_001 + place as u64, &*format!("company{}", place + 1)));
        assert!(me["email"].as_str().is_some_and(|email| email.ends_with(&format!("@company{}.example.com", place + 1))), "{me}");
    }
}

#[test]
fn app_is_installed_in_any_of_a_thousand_companies() {
    let sandbox = open_sandbox(Options { companies: 1000, ..options() });
    for company in [9173, 10_731, 11_000] {
        let tokens = install(&sandbox, &format!("{company}:2"));
        assert_eq!(get_with_token(&sandbox, &tokens, "/v1/users/me").1["data"]["company_id"], company);
    }
}

#[test]
fn tokens_of_companies_follow_the_documented_rule() {
    let companies = Company::list(1000, "secret").expect("there can be a thousand");
    assert_eq!(companies[0].api_token, "secret");
    // From `printf '10731 secret' | sha256sum`.
    assert_eq!((companies[730].id, &*companies[730].api_token), (10_731, "855cf3b09fcf93c52dd59b2ec14dde5524da52db"));
    let mut tokens: Vec<&str> = companies.iter().map(|company| company.api_token.as_str()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 1000, "each company should have its own token");
}

#[test]
fn state_file_has_shared_records_once() {
    let folder = Folder::new();
    let open = |companies| Sandbox::open(Options { store: Store::File(folder.state()), companies, ..options() }).expect("the file opens");
    let size = || fs::metadata(folder.state()).expect("the file is there").len();
    drop(open(3));
    let of_three = size();
    let many = open(300);
    assert!(size() < of_three + 297 * 5000, "a further company should add its users alone: {of_three} bytes became {}", size());
    let before = size();
    assert_eq!(send_to(&many, 200, "PATCH", "/api/v2/deals/1", json!({ "title": "Kept" })).0, 200);
    assert_eq!(send_to(&many, 2, "DELETE", "/api/v2/deals/2", json!({})).0, 200);
    assert!(size() < before + 10_000, "a write should add its rows alone: {before} bytes became {}", size());

    let again = open(1);
    drop(many);
    let all = open(300);
    assert_eq!(get_data(&again, "/api/v2/deals/1")["id"], 1);
    assert_eq!(get_data_of(&all, 200, "/api/v2/deals/1")["title"], "Kept");
    assert_eq!(get_data_of(&all, 2, "/api/v2/deals/2")["is_deleted"], true);
    for place in [0, 1, 201, 299] {
        assert_ne!(get_data_of(&all, place, "/api/v2/deals/1")["title"], "Kept", "company {place}");
    }
}

#[test]
fn opens_a_file_of_version_2() {
    let folder = Folder::new();
    let open = |companies| Sandbox::open(Options { store: Store::File(folder.state()), companies, ..options() });
    drop(open(2).expect("a new file is made"));
    let mut content: Value = serde_json::from_slice(&fs::read(folder.state()).expect("the file is there")).expect("the file is JSON");
    let mut companies = content["bases"].take();
    companies[0]["tables"]["deals"]["rows"]["1"]["title"] = json!("Of version 2");
    let old = json!({ "version": 2, "companies": companies, "grants": content["grants"] });
    fs::write(folder.state(), old.to_string()).expect("the test writes the file");
    let more = open(4).expect("it takes further companies");
    let titles = [0, 1, 3].map(|place| get_data_of(&more, place, "/api/v2/deals/1")["title"].clone());
    assert_eq!(titles[0], "Of version 2");
    assert!(titles[1..].iter().all(|title| *title != "Of version 2"), "a further company should have the demo records: {titles:?}");
    send_to(&more, 0, "PATCH", "/api/v2/deals/2", json!({ "title": "Changed" }));
    let again = open(4).expect("the file opens again");
    assert_eq!([1, 2].map(|deal| get_data(&again, &format!("/api/v2/deals/{deal}"))["title"].clone()), ["Of version 2", "Changed"]);
}

#[test]
fn opens_a_file_of_version_1_with_more_companies() {
    let folder = Folder::new();
    let open = |companies| Sandbox::open(Options { store: Store::File(folder.state()), companies, ..options() });
    drop(open(1).expect("a new file is made"));
    let content: Value = serde_json::from_slice(&fs::read(folder.state()).expect("the file is there")).expect("the file is JSON");
    let mut tables = content["bases"][0]["tables"].clone();
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
