//! Answers of a vendor that pages and wraps its data in every way.

use http::HeaderValue;
use serde_json::{Value, json};

use super::*;
use crate::declare::field::{Field, Place};
use crate::declare::toy::{declare, input};
use crate::declare::types::{Id, Json, Start, Text};
use crate::exchange::files::Files;
use crate::exchange::request::{Body, Request};
use crate::value::access::Credential;

static AFTER: [Field; 1] = [input::<Option<Text>>("cursor", "after", Place::Body)];
static OFFSET: [Field; 1] = [input::<Option<Start>>("start", "offset", Place::Query)];
static OFFSET_IN_BODY: [Field; 1] = [input::<Option<Start>>("start", "offset", Place::Body)];
static PAGE: [Field; 1] = [input::<Option<Id>>("page", "page", Place::Query)];

const fn list() -> Declaration {
    declare::<Vec<Json>>("getThings")
}

const fn search() -> Declaration {
    list().with_endpoint(Method::Post, "/search").mark_as_reading()
}

static BY_AFTER: Declaration = search().with_inputs(&AFTER);
static BY_OFFSET: Declaration = list().with_inputs(&OFFSET);
static BY_OFFSET_IN_BODY: Declaration = search().with_inputs(&OFFSET_IN_BODY);
static BY_PAGE: Declaration = list().with_inputs(&PAGE);
static BY_LINK: Declaration = list().with_paging(&Paging::Link).with_envelope(&Envelope::BARE);
static WHOLE: Declaration = list();

/// Builds the request for an input, and reads a body as its answer.
fn answer(
    declaration: &'static Declaration,
    input: &Value,
    (status, headers, body): (u16, &[(&'static str, &str)], &str),
) -> Result<Answer, Error> {
    let request = Request::build(declaration, input.as_object().expect("an input"), &Files::default());
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).expect("a header"));
    }
    let access = Access::new("https://acme.example", Credential::bearer("secret")).expect("a host");
    let response = Response {
        status,
        headers: map,
        body: Bytes::copy_from_slice(body.as_bytes()),
        effect: request.effect(),
        position: request.position,
        access,
    };
    response.into_answer(declaration)
}

fn page(declaration: &'static Declaration, input: &Value, body: &str) -> (u64, bool, Option<String>) {
    let page = answer(declaration, input, (200, &[], body)).expect("the body is an answer").page.expect("it is a list");
    (page.count, page.complete, page.next)
}

fn cursor(text: &str) -> String {
    text.to_owned()
}

#[test]
fn follows_a_cursor_at_a_deep_place() {
    let empty = json!({});
    for (paging, expected) in [
        (r#"{"next":{"after":"c2","link":"https://acme.example/x"}}"#, (1, false, Some(cursor("c2")))),
        (r#"{"next":{"after":17}}"#, (1, false, Some(cursor("17")))),
        (r#"{"next":{"after":null}}"#, (1, true, None)),
        (r#"{"next":{"after":""}}"#, (1, true, None)),
        (r#"{"next":null}"#, (1, true, None)),
        ("null", (1, true, None)),
    ] {
        assert_eq!(page(&BY_AFTER, &empty, &format!(r#"{{"data":[{{}}],"paging":{paging}}}"#)), expected, "{paging}");
    }
}

#[test]
fn list_that_cannot_go_on_is_not_complete_where_more_follows() {
    for (body, is_complete) in [
        (r#"{"data":[1]}"#, true),
        (r#"{"data":null}"#, true),
        (r#"{"data":[1],"paging":{"next":{"after":null}},"page":{"more":false}}"#, true),
        (r#"{"data":[1],"paging":{"next":{"after":"c2"}}}"#, false),
        (r#"{"data":[1],"page":{"more":true}}"#, false),
        (r#"{"data":[1],"page":{"next":30}}"#, false),
        (r#"{"data":[1],"more":true}"#, false),
        // The place of the list is declared wrongly.
        (r#"{"data":{"things":[1]}}"#, false),
    ] {
        let (_, found, next) = page(&WHOLE, &json!({}), body);
        assert_eq!((found, next), (is_complete, None), "{body}");
    }
}

#[test]
fn follows_a_start_by_its_facts_or_until_a_page_is_empty() {
    let at = |start: u64| json!({"start": start});
    for (input, body, expected) in [
        (at(10), r#"{"data":[1,2],"page":{"more":true,"next":30}}"#, (2, false, Some(cursor("start:30")))),
        (at(10), r#"{"data":[1,2],"page":{"more":true}}"#, (2, false, Some(cursor("start:12")))),
        (at(10), r#"{"data":[1,2],"page":{"more":false,"next":30}}"#, (2, true, None)),
        (at(10), r#"{"data":[1,2],"next":30}"#, (2, false, Some(cursor("start:30")))),
        (at(10), r#"{"data":[1,2]}"#, (2, false, Some(cursor("start:12")))),
        (json!({"cursor": "start:12"}), r#"{"data":[1,2]}"#, (2, false, Some(cursor("start:14")))),
        (at(14), r#"{"data":[]}"#, (0, true, None)),
    ] {
        assert_eq!(page(&BY_OFFSET, &input, body), expected, "{input} {body}");
    }
}

#[test]
fn follows_page_numbers_by_their_facts_or_until_a_page_is_empty() {
    let at = |page: u64| json!({"cursor": format!("page:{page}")});
    for (input, body, expected) in [
        (json!({}), r#"{"data":[1],"meta":{"pages":3,"page":1}}"#, (1, false, Some(cursor("page:2")))),
        (at(3), r#"{"data":[1],"meta":{"pages":3,"page":3}}"#, (1, true, None)),
        (json!({"page": 2}), r#"{"data":[1],"more":true}"#, (1, false, Some(cursor("page:3")))),
        (at(2), r#"{"data":[1],"more":false}"#, (1, true, None)),
        (at(4), r#"{"data":[1]}"#, (1, false, Some(cursor("page:5")))),
        (at(5), r#"{"data":[]}"#, (0, true, None)),
    ] {
        assert_eq!(page(&BY_PAGE, &input, body), expected, "{input} {body}");
    }
}

#[test]
fn follows_the_next_link_of_a_header() {
    let follow = |links: &[&str]| {
        let headers: Vec<(&str, &str)> = links.iter().map(|link| ("link", *link)).collect();
        let answer = answer(&BY_LINK, &json!({}), (200, &headers, "[1,2]")).expect("a bare list");
        assert_eq!(answer.data.as_str(), "[1,2]");
        answer.page.expect("it is a list").next
    };
    for (links, expected) in [
        (
            &[r#"<https://acme.example/things?page=2&per=5>; rel="next", <https://acme.example/things?page=9>; rel="last""#][..],
            Some(cursor("link:page=2&per=5")),
        ),
        (
            &[r#"<https://acme.example/things?a=1,2>; rel="prev", <https://acme.example/things?b=3,4#x>; title="n"; rel=next"#],
            Some(cursor("link:b=3,4")),
        ),
        (&[r#"<https://acme.example/things?page=1>; rel="prev""#, r#"</things?page=3>; REL="last next""#], Some(cursor("link:page=3"))),
        (&[r#"<https://acme.example/things?page=1>; rel="prev""#], None),
        (&["nonsense"], None),
        (&[], None),
    ] {
        assert_eq!(follow(links), expected, "{links:?}");
    }
}

#[test]
fn asks_for_the_page_that_a_cursor_stands_for() {
    let build = |declaration: &'static Declaration, input: Value| {
        let request = Request::build(declaration, input.as_object().expect("an input"), &Files::default());
        let body = if let Body::Json(text) = &request.body { String::from_utf8_lossy(text).into_owned() } else { String::new() };
        format!("{} {body}", request.target())
    };
    for (declaration, input, expected) in [
        (&BY_AFTER, json!({"cursor": "c2"}), r#"/search {"after":"c2"}"#),
        (&BY_OFFSET, json!({"cursor": "start:30"}), "/things?offset=30 "),
        (&BY_OFFSET, json!({"start": 30}), "/things?offset=30 "),
        (&BY_OFFSET_IN_BODY, json!({"cursor": "start:30"}), r#"/search {"offset":30}"#),
        (&BY_PAGE, json!({"cursor": "page:2"}), "/things?page=2 "),
        (&BY_LINK, json!({"cursor": "link:page=2&per=5"}), "/things?page=2&per=5 "),
    ] {
        assert_eq!(build(declaration, input.clone()), expected, "{input}");
    }
}

#[test]
fn reads_data_at_any_place_and_what_comes_beside_it() {
    static DEEP: Envelope = Envelope::at("/result/items");
    static IN_RESULT: Declaration = list().with_envelope(&DEEP);
    static BARE: Declaration = declare::<Json>("getThing").with_envelope(&Envelope::BARE);
    let read = |declaration, body| {
        let answer = answer(declaration, &json!({}), (200, &[], body)).expect("the body is an answer");
        let extra: Vec<(String, String)> = answer.extra.into_iter().map(|(name, raw)| (name, raw.as_str().to_owned())).collect();
        (answer.data.as_str().to_owned(), extra)
    };
    let extra = |name: &str, text: &str| vec![(name.to_owned(), text.to_owned())];
    assert_eq!(read(&IN_RESULT, r#"{"result":{"items":[1,2],"took":5}}"#), ("[1,2]".into(), extra("result", r#"{"took":5}"#)));
    assert_eq!(read(&IN_RESULT, r#"{"result":{"items":[]}}"#), ("[]".into(), Vec::new()));
    assert_eq!(read(&BARE, r#"{"id":1,"data":2}"#), (r#"{"id":1,"data":2}"#.into(), Vec::new()));
    assert_eq!(read(&BARE, "7"), ("7".into(), Vec::new()));
    let body = r#"{"data":[1],"paging":{"next":{"after":"x","link":"y"},"total":9},"more":true}"#;
    let beside = [("paging", r#"{"next":{"link":"y"},"total":9}"#), ("more", "true")];
    assert_eq!(read(&BY_AFTER, body).1, beside.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(read(&BY_AFTER, r#"{"data":[1],"paging":{"next":{"after":"x"}}}"#).1, Vec::new());
}

#[test]
fn empty_body_is_null_where_the_status_or_the_vendor_says_so() {
    static LENIENT: Declaration = declare::<Json>("deleteThing").with_envelope(&Envelope::BARE);
    static HEAD: Declaration = declare::<Json>("hasThing").with_endpoint(Method::Head, "/things");
    static STRICT: Declaration = declare::<Json>("getThing");
    for (declaration, status, is_null) in [
        (&LENIENT, 200, true),
        (&LENIENT, 204, true),
        (&STRICT, 204, true),
        (&HEAD, 200, true),
        (&STRICT, 200, false),
        (&WHOLE, 200, false),
    ] {
        let answer = answer(declaration, &json!({}), (status, &[], " "));
        assert_eq!(answer.as_ref().is_ok_and(|answer| answer.data.as_str() == "null"), is_null, "{} {status}: {answer:?}", declaration.key);
    }
}

#[test]
fn post_that_reads_has_the_effect_of_a_read() {
    assert_eq!((BY_AFTER.effect(), BY_AFTER.is_idempotent()), (Effect::Read, true));
    let broken = answer(&BY_AFTER, &json!({}), (200, &[], "{")).expect_err("it is cut off");
    assert_eq!((broken.kind(), broken.retry()), (ErrorKind::BadAnswer, Retry::Later));
}
