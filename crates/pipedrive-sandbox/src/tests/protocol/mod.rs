//! The protocol of all operations: authentication, routes, limits, validation, headers and recording.

mod limits;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::storage::Folder;
use super::{
    assert_refused, find_custom_field, get, get_data, list_ids, open_sandbox, open_with_bearers, options, read_response, request, sandbox,
    send, send_ok,
};
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;
use crate::facts::api::api;
use crate::objects::TABLES;
use crate::{DEMO_API_TOKEN, serve};

fn get_with_headers(sandbox: &Sandbox, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let request = headers.iter().fold(Request::builder().uri(path), |r, (name, value)| r.header(*name, *value));
    read_response(&sandbox.respond(request.body(Bytes::new()).expect("the test's request is valid")))
}

#[test]
fn accepts_exactly_one_valid_credential() {
    let sandbox = open_with_bearers(&[("oauth", &["deals:read"], None)]);
    let as_bearer = format!("Bearer {DEMO_API_TOKEN}");
    for headers in [
        &[][..],
        &[("x-api-token", "wrong")],
        &[("authorization", "Bearer wrong")],
        &[("authorization", as_bearer.as_str())],
        &[("x-api-token", DEMO_API_TOKEN), ("authorization", "Bearer oauth")],
    ] {
        let answer = get_with_headers(&sandbox, "/api/v2/deals/1", headers);
        assert_refused(&answer, 401, "unauthorized access");
        assert_eq!(answer.1["errorCode"], 401, "an error of the gateway should have its status in the body");
    }
    assert_refused(&get_with_headers(&sandbox, "/api/v2/deals?api_token=x", &[("x-api-token", DEMO_API_TOKEN)]), 401, "unauthorized");
    assert_eq!(get_with_headers(&sandbox, "/api/v2/deals/1", &[("authorization", "Bearer oauth")]).0, 200);
    assert_refused(&get_with_headers(&sandbox, "/api/v2/persons/1", &[("authorization", "Bearer oauth")]), 403, "Scope and URL mismatch");
}

#[test]
fn unserved_routes_say_why() {
    let sandbox = sandbox();
    assert_refused(&get(&sandbox, "/api/v2/nothing"), 404, "Unknown path");
    assert_refused(&get(&sandbox, "/v2/deals"), 404, "Unknown path");
    assert_refused(&send(&sandbox, "PUT", "/api/v2/deals/1", json!({})), 405, "not allowed");
    assert_refused(&get(&sandbox, "/v1/deals/1"), 410, "out of support");
    assert_refused(&get(&sandbox, "/api/v2/projects"), 501, "does not serve GET /api/v2/projects yet");
    assert_eq!(get(&sandbox, "/v1/users/me"), get(&sandbox, "/api/v1/users/me"), "/v1 should be an alias of /api/v1");
}

#[test]
fn answers_every_documented_operation() {
    let sandbox = sandbox();
    for operation in api().operations() {
        let path = operation.path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
        let (status, body) = send(&sandbox, &operation.method, &path, json!({}));
        let served = TABLES.find_action(operation).is_some();
        assert_eq!(served, !matches!(status, 410 | 501), "{} {path} should be served or say why not: {status} {body}", operation.method);
        assert!(matches!(status, 200 | 201 | 400 | 404 | 410 | 501), "{} {path} answered {status} {body}", operation.method);
    }
}

#[test]
fn v2_is_strict() {
    let sandbox = sandbox();
    let key = find_custom_field(&sandbox, "set");
    for (body, part) in [
        (json!({}), "title: is required"),
        (json!({ "title": "" }), "title: is required"),
        (json!({ "title": 5 }), "title: must be a string"),
        (json!({ "title": "x", "value": "5" }), "value: must be a number"),
        (json!({ "title": "x", "is_archived": 1 }), "is_archived: must be a boolean"),
        (json!({ "title": "x", "owner_id": null }), "owner_id: must not be null"),
        (json!({ "title": "x", "status": "lose" }), "status: must be one of"),
        (json!({ "title": "x", "expected_close_date": "22.11.2026" }), "expected_close_date: is not in"),
        (json!({ "title": "x", "won_time": "2026-11-22 10:00:00", "status": "won" }), "won_time: is not in"),
        (json!({ "title": "x", "colour": "red" }), "colour: unknown field"),
        (json!({ "title": "x", "custom_fields": { "abc": 1 } }), "custom_fields: Unknown key 'abc'"),
        (json!({ "title": "x", "custom_fields": { key.clone(): [] } }), "at least one option id"),
        (json!({ "title": "x", "custom_fields": { key.clone(): ["1"] } }), "must be an option's id"),
        (json!({ "title": "x", "custom_fields": { key.clone(): [99] } }), "99 is not an option"),
        (json!({ "title": "x", "visible_to": 2 }), "visible_to: must be one of"),
        (json!({ "title": "x", "label_ids": [77] }), "label_ids: 77 is not an option"),
        (json!({ "title": "x", "probability": 101 }), "probability: must be between"),
    ] {
        let answer = send(&sandbox, "POST", "/api/v2/deals", body);
        assert_refused(&answer, 400, part);
        assert_eq!(answer.1["code"], "ERR_SCHEMA_VALIDATION_FAILED", "a validation error should have its code");
    }
    assert_refused(&get(&sandbox, "/api/v2/deals?user_id=1"), 400, "user_id: unknown query parameter");
    assert_refused(&get(&sandbox, "/api/v2/deals?limit=501"), 400, "limit: must be between");
    assert_refused(&get(&sandbox, "/api/v2/deals?include_fields=notes_count,nothing"), 400, "include_fields: must be one of");
    assert_refused(&get(&sandbox, "/api/v2/deals?updated_since=2026-01-01T00:00:00.5Z"), 400, "whole seconds");
    assert_refused(&get(&sandbox, &format!("/api/v2/deals?ids={}", vec!["1"; 101].join(","))), 400, "at most 100 ids");
    assert_refused(&get(&sandbox, &format!("/api/v2/deals?custom_fields={}", vec!["a"; 16].join(","))), 400, "at most 15 keys");
    assert_refused(&get(&sandbox, "/api/v2/deals/abc"), 400, "id: must be an integer");
}

#[test]
fn v1_is_lenient() {
    let sandbox = sandbox();
    let note =
        send_ok(&sandbox, "POST", "/v1/notes", json!({ "content": "hi", "deal_id": "1", "pinned_to_deal_flag": "1", "colour": "red" }));
    assert_eq!((&note["deal_id"], &note["pinned_to_deal_flag"]), (&json!(1), &json!(true)));
    assert_eq!(note["add_time"], "2026-11-22 12:00:00", "v1 should write times without T and Z");
    assert!(note.get("colour").is_none(), "an unknown field should be ignored");
    assert_refused(&send(&sandbox, "POST", "/v1/notes", json!({ "deal_id": 1 })), 400, "content: is required");
    assert_eq!(get(&sandbox, "/v1/notes?whatever=1").0, 200, "v1 should ignore unknown query parameters");
}

#[test]
fn rejects_bodies_of_another_type_than_json() {
    let sandbox = sandbox();
    let send_with_type = |media: &str, body: &'static str| {
        let request = Request::builder().method("POST").uri("/api/v2/deals").header("x-api-token", DEMO_API_TOKEN);
        read_response(&sandbox.respond(request.header("content-type", media).body(Bytes::from(body)).expect("the test's request is valid")))
    };
    assert_refused(&send_with_type("text/plain", "{\"title\":\"x\"}"), 400, "content-type must be application/json");
    assert_refused(&send_with_type("application/json", "{\"title\":"), 400, "not valid JSON");
    assert_refused(&send_with_type("application/json", "[]"), 400, "must be an object");
    assert_eq!(send_with_type("application/json; charset=utf-8", "{\"title\":\"x\"}").0, 200);
}

#[test]
fn every_answer_has_the_standard_headers() {
    let sandbox = sandbox();
    for path in ["/api/v2/deals/1", "/api/v2/deals/9999", "/nothing"] {
        let response = sandbox.respond(request("GET", path, None));
        assert!(response.headers().contains_key("x-correlation-id"), "{path} should be answered with a number of the request");
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[test]
fn pages_add_up_to_the_whole_list() {
    let sandbox = sandbox();
    for path in [
        "deals?limit=37",
        "deals?limit=13&sort_by=update_time&sort_direction=desc",
        "persons?limit=11&sort_by=add_time",
        "deals/search?term=e1&limit=9",
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, page) = get(&sandbox, &format!("/api/v2/{path}{cursor}"));
            assert_eq!(status, 200, "{path}{cursor} should be a page: {page}");
            let rows = if path.contains("search") { page["data"]["items"].as_array() } else { page["data"].as_array() };
            let id = |row: &Value| row["id"].as_u64().or(row["item"]["id"].as_u64());
            seen.extend(rows.expect("a page has rows").iter().filter_map(id));
            match page["additional_data"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let name = path.split(['?', '/']).next().unwrap_or_default();
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), seen.len(), "{path} should list no record twice");
        if !path.contains("search") {
            assert_eq!(sorted, list_ids(&get_data(&sandbox, &format!("/api/v2/{name}?limit=500"))), "{path} should list every record");
        }
    }
}

#[test]
fn cursor_belongs_to_its_list_and_survives_changes() {
    let sandbox = sandbox();
    let (_, page) = get(&sandbox, "/api/v2/deals?limit=5");
    let cursor = page["additional_data"]["next_cursor"].as_str().expect("there are more deals").to_owned();
    assert_refused(&get(&sandbox, "/api/v2/deals?cursor=garbage"), 400, "cursor");
    assert_refused(&get(&sandbox, &format!("/api/v2/persons?cursor={cursor}")), 400, "another list");
    assert_refused(&get(&sandbox, &format!("/api/v2/deals?sort_by=add_time&cursor={cursor}")), 400, "another list or order");
    let before = list_ids(&get_data(&sandbox, &format!("/api/v2/deals?limit=5&cursor={cursor}")));
    send_ok(&sandbox, "DELETE", "/api/v2/deals/5", json!({}));
    assert_eq!(
        list_ids(&get_data(&sandbox, &format!("/api/v2/deals?limit=5&cursor={cursor}"))),
        before,
        "a cursor should stay valid when its record is deleted"
    );
}

#[test]
fn records_requests_without_secrets() {
    let folder = Folder::new();
    let sandbox = open_sandbox(Options { record_file: Some(folder.recording()), ..options() });
    let form = "--b\r\nContent-Disposition: form-data; name=\"deal_id\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n";
    let upload = Request::builder()
        .method("POST")
        .uri("/api/v1/files")
        .header("x-api-token", DEMO_API_TOKEN)
        .header("content-type", "multipart/form-data; boundary=b")
        .header("x-connector-action", "addFile")
        .header("x-connector-helper", "true");
    sandbox.respond(upload.body(Bytes::from(form)).expect("the test's request is valid"));
    send(&sandbox, "POST", "/api/v2/deals?x=1", json!({ "title": "T" }));
    let text = std::fs::read_to_string(folder.recording()).expect("the recording is there");
    assert!(!text.contains(DEMO_API_TOKEN), "credentials should be redacted");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["multipart"], json!([{ "name": "deal_id", "value": "1" }, { "name": "file", "filename": "a.txt" }]));
    assert_eq!((&lines[0]["action"], &lines[0]["helper"]), (&json!("addFile"), &json!(true)));
    assert_eq!(lines[1]["json"], json!({ "title": "T" }));
    assert_eq!(lines[1]["url"], "http://localhost/api/v2/deals?x=1");
    assert_eq!((&lines[1]["status"], &lines[1]["response"]["success"]), (&json!(400), &json!(false)));
    assert_eq!(lines[1]["headers"]["x-api-token"], "[redacted]");
}

/// Sends one request over a socket, and reads the head of its response.
fn send_over_socket(body: usize) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(serve(listener, sandbox()));
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("the sandbox listens");
        let head = format!(
            "POST /api/v2/deals HTTP/1.1\r\nhost: x\r\nx-api-token: {DEMO_API_TOKEN}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {body}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("the head is sent");
        stream.write_all(&vec![b' '; body]).await.expect("the body is read to its end");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the answer is text");
        answer
    })
}

#[test]
fn rejects_a_body_over_ten_mebibytes_with_a_response() {
    let refused = send_over_socket((10 << 20) + 1);
    assert!(refused.starts_with("HTTP/1.1 413") && refused.contains("\"success\":false"), "should be a 413 with an error body: {refused}");
    let allowed = send_over_socket(10 << 20);
    assert!(allowed.starts_with("HTTP/1.1 400"), "a body of ten mebibytes should be read, and blanks are not JSON: {allowed}");
}
