//! The behaviour on which a client of the sandbox may rely.

mod account;
mod activities;
mod calls;
mod companies;
mod faults;
mod files;
mod floors;
mod flow;
mod followers;
mod leads;
mod mail;
mod marketplace;
mod notes;
mod oauth;
mod pictures;
mod products;
mod protocol;
mod records;
mod statistics;
mod storage;
mod tokens;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use crate::edge::options::{Bearer, Options};
use crate::edge::sandbox::Sandbox;
use crate::{Clock, DEMO_API_TOKEN};

fn options() -> Options {
    Options { clock: Clock::fixed("2026-11-22T12:00:00Z"), ..Options::default() }
}

fn sandbox() -> Sandbox {
    open_sandbox(options())
}

fn open_sandbox(options: Options) -> Sandbox {
    Sandbox::open(options).expect("a sandbox in memory opens")
}

/// Opens a sandbox that accepts these access tokens, each with its scopes and its user.
fn open_with_bearers(bearers: &[(&str, &[&str], Option<u64>)]) -> Sandbox {
    let bearers = bearers.iter().map(|(token, scopes, user)| Bearer {
        token: (*token).to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        user: *user,
    });
    open_sandbox(Options { bearers: bearers.collect(), ..options() })
}

/// Sends a request with an access token in place of the API token.
#[expect(clippy::needless_pass_by_value, reason = "the tests' bodies are literals")]
fn send_as_bearer(sandbox: &Sandbox, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let mut request = request(method, path, Some(&body));
    request.headers_mut().remove("x-api-token");
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a token is a header's value"));
    read_response(&sandbox.respond(request))
}

fn request(method: &str, path: &str, body: Option<&Value>) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(path).header("x-api-token", DEMO_API_TOKEN);
    match body {
        Some(body) => request.header("content-type", "application/json").body(Bytes::from(body.to_string())),
        None => request.body(Bytes::new()),
    }
    .expect("the test's request is valid")
}

fn read_response(response: &Response<Bytes>) -> (u16, Value) {
    let body = serde_json::from_slice(response.body()).expect("every answer is JSON; look at Sandbox::respond");
    (response.status().as_u16(), body)
}

fn get(sandbox: &Sandbox, path: &str) -> (u16, Value) {
    read_response(&sandbox.respond(request("GET", path, None)))
}

#[expect(clippy::needless_pass_by_value, reason = "the tests' bodies are literals")]
fn send(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> (u16, Value) {
    read_response(&sandbox.respond(request(method, path, Some(&body))))
}

/// Sends a multipart form of text fields, and of a file as (field, name, media type, bytes).
fn upload(sandbox: &Sandbox, method: &str, path: &str, fields: &[(&str, &str)], file: Option<(&str, &str, &str, &[u8])>) -> (u16, Value) {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    if let Some((field, name, media, bytes)) = file {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: {media}\r\n\r\n");
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--b--\r\n");
    send_as(sandbox, method, path, "multipart/form-data; boundary=b", Bytes::from(body))
}

fn send_as(sandbox: &Sandbox, method: &str, path: &str, media: &str, body: Bytes) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("x-api-token", DEMO_API_TOKEN).header("content-type", media);
    read_response(&sandbox.respond(request.body(body).expect("the test's request is valid")))
}

/// Reads the `data` of a request that must succeed.
fn get_data(sandbox: &Sandbox, path: &str) -> Value {
    let (status, body) = get(sandbox, path);
    assert_eq!(status, 200, "GET {path} should succeed; it answered {body}");
    body["data"].clone()
}

fn send_ok(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = send(sandbox, method, path, body);
    assert_eq!(status, 200, "{method} {path} should succeed; it answered {answer}");
    answer["data"].clone()
}

/// Reads the `data` of a creation that is documented to answer 201.
fn create(sandbox: &Sandbox, path: &str, body: Value) -> Value {
    let (status, answer) = send(sandbox, "POST", path, body);
    assert_eq!(status, 201, "POST {path} should succeed; it answered {answer}");
    answer["data"].clone()
}

#[track_caller]
fn assert_refused(answer: &(u16, Value), status: u16, part: &str) {
    let error = answer.1["error"].as_str().unwrap_or_default();
    assert!(
        answer.0 == status && answer.1["success"] == false && error.contains(part),
        "should be a {status} with '{part}' in its error; it is {} {}",
        answer.0,
        answer.1
    );
}

fn list_ids(data: &Value) -> Vec<u64> {
    data.as_array().expect("the data is a list").iter().filter_map(|row| row["id"].as_u64()).collect()
}

/// Finds the code of a deal's custom field of this type: the demo has one of each.
fn find_custom_field(sandbox: &Sandbox, kind: &str) -> String {
    let fields = get_data(sandbox, "/api/v2/dealFields?limit=500");
    let field = fields.as_array().into_iter().flatten().find(|f| f["field_type"] == kind && f["is_custom_field"] == true);
    field.and_then(|f| f["field_code"].as_str()).expect("the demo has a custom field of each type").to_owned()
}
