//! Upstreams that refuse or misbehave: the kind of error, whether a retry is safe, and no secret.

use connector_core::ErrorKind;
use connector_core::run::{Invocation, Runtime};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::support::runtime::{build, invoke, render, run, run_text};
use crate::support::upstream::{
    SECRET, build_json_response, build_limited_runtime, build_response, build_secret_connection, read_request, serve_connections,
    start_silent_upstream, start_upstream,
};

/// Runs a read and a create against a response, and returns both outcomes.
async fn run_read_and_create(response: Vec<u8>) -> [Value; 2] {
    let url = start_upstream(response).await;
    let runtime = build_limited_runtime(&url);
    let read = invoke(&runtime, "getDeal", json!({"dealId": 1})).await;
    let create = invoke(&runtime, "addDeal", json!({"title": "x"})).await;
    for outcome in [&read, &create] {
        assert!(!outcome.to_string().contains(SECRET), "no outcome may hold the secret: {outcome}");
        if outcome["ok"] == false {
            assert!(outcome["error"]["hint"].is_string(), "give the error a hint: {outcome}");
        }
    }
    [read, create]
}

fn kind_and_retry(outcome: &Value) -> (&str, &str) {
    (outcome["error"]["kind"].as_str().unwrap_or("ok"), outcome["error"]["retry"].as_str().unwrap_or("-"))
}

#[tokio::test]
async fn maps_each_refusal_and_broken_response_to_a_kind() {
    let scope =
        r#"{"success":false,"error":"Scope and URL mismatch","errorCode":403,"error_info":"Please check developers.pipedrive.com"}"#;
    let plain = r#"{"success":false,"error":"No.","error_info":"x"}"#;
    let limit = "content-type: application/json\r\nretry-after: 3\r\n";
    let spent = "content-type: application/json\r\nx-daily-ratelimit-token-remaining: 0\r\n";
    let half =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n{\"success\":true,\"da"
            .as_bytes()
            .to_vec();
    let huge =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3221225472\r\nconnection: close\r\n\r\n{".as_bytes().to_vec();
    let html = "content-type: text/html\r\n";
    let moved = "location: https://evil.example/api/v2/deals/1?token=x\r\n";
    for (name, response, read, write) in [
        ("html", build_response("200 OK", html, "<html>hello</html>"), ("bad_answer", "later"), ("bad_answer", "unsafe")),
        ("an empty body", build_json_response("200 OK", ""), ("bad_answer", "later"), ("bad_answer", "unsafe")),
        (
            "half of a JSON text",
            build_json_response("200 OK", r#"{"success":true,"data":{"id":1"#),
            ("bad_answer", "later"),
            ("bad_answer", "unsafe"),
        ),
        ("a truncated body", half, ("bad_answer", "later"), ("bad_answer", "unsafe")),
        ("3 GB", huge, ("bad_answer", "later"), ("bad_answer", "unsafe")),
        (
            "not UTF-8",
            build_json_response("200 OK", "{\"success\":true,\"data\":\"?\"}")
                .into_iter()
                .map(|byte| if byte == b'?' { 0xff } else { byte })
                .collect(),
            ("bad_answer", "later"),
            ("bad_answer", "unsafe"),
        ),
        ("a redirect", build_response("302 Found", moved, ""), ("bad_answer", "later"), ("bad_answer", "unsafe")),
        ("no response", Vec::new(), ("unreachable", "later"), ("unreachable", "unsafe")),
        ("a refusal with status 200", build_json_response("200 OK", plain), ("upstream_rejected", "never"), ("upstream_rejected", "never")),
        ("400", build_json_response("400 Bad Request", plain), ("upstream_rejected", "never"), ("upstream_rejected", "never")),
        ("401", build_json_response("401 Unauthorized", plain), ("unauthorized", "never"), ("unauthorized", "never")),
        ("402", build_json_response("402 Payment Required", plain), ("forbidden", "never"), ("forbidden", "never")),
        ("403 scope", build_json_response("403 Forbidden", scope), ("missing_scope", "never"), ("missing_scope", "never")),
        ("403", build_json_response("403 Forbidden", plain), ("forbidden", "never"), ("forbidden", "never")),
        (
            "403 as a page",
            build_response("403 Forbidden", html, "<html>blocked</html>"),
            ("rate_limited", "later"),
            ("rate_limited", "later"),
        ),
        ("404", build_json_response("404 Not Found", plain), ("not_found", "never"), ("not_found", "never")),
        ("409", build_json_response("409 Conflict", plain), ("conflict", "never"), ("conflict", "never")),
        ("410", build_json_response("410 Gone", plain), ("gone", "never"), ("gone", "never")),
        ("410 as a page", build_response("410 Gone", html, "<html>"), ("gone", "never"), ("gone", "never")),
        ("409 as a page", build_response("409 Conflict", html, "<html>"), ("conflict", "never"), ("conflict", "never")),
        ("418", build_json_response("418 Teapot", plain), ("upstream_rejected", "never"), ("upstream_rejected", "never")),
        ("501", build_json_response("501 No", plain), ("upstream_rejected", "never"), ("upstream_rejected", "never")),
        ("501 as a page", build_response("501 No", html, "<html>"), ("upstream_rejected", "never"), ("upstream_rejected", "never")),
        (
            "a refusal with a number that no type can hold",
            build_json_response("200 OK", r#"{"success":false,"error":"no","n":1e999}"#),
            ("upstream_rejected", "never"),
            ("upstream_rejected", "never"),
        ),
        ("422", build_json_response("422 Unprocessable", plain), ("upstream_rejected", "never"), ("upstream_rejected", "never")),
        ("429", build_response("429 Too Many Requests", limit, plain), ("rate_limited", "later"), ("rate_limited", "later")),
        (
            "429 for the day",
            build_response("429 Too Many Requests", spent, plain),
            ("budget_exhausted", "later"),
            ("budget_exhausted", "later"),
        ),
        ("500", build_json_response("500 Oops", plain), ("upstream_error", "later"), ("upstream_error", "unsafe")),
        ("502 as a page", build_response("502 Bad Gateway", html, "<html>"), ("upstream_error", "later"), ("upstream_error", "unsafe")),
        ("503", build_json_response("503 Maintenance", plain), ("upstream_error", "later"), ("upstream_error", "later")),
    ] {
        let [read_outcome, create_outcome] = run_read_and_create(response).await;
        assert_eq!(kind_and_retry(&read_outcome), read, "{name}, read: {read_outcome}");
        assert_eq!(kind_and_retry(&create_outcome), write, "{name}, create: {create_outcome}");
    }
}

/// Sends a body without length or end, which is given up at the limit.
#[tokio::test]
async fn caps_a_body_without_end() {
    let url = serve_connections(|mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let mut sent = stream.write_all(head.as_bytes()).await;
        while sent.is_ok() {
            sent = stream.write_all(chunk.as_bytes()).await;
        }
    })
    .await;
    let outcome = invoke(&build_limited_runtime(&url), "getDeal", json!({"dealId": 1})).await;
    assert_eq!(kind_and_retry(&outcome), ("bad_answer", "later"), "{outcome}");
    assert!(outcome["error"]["message"].as_str().is_some_and(|message| message.contains("larger than")), "{outcome}");
}

#[tokio::test]
async fn names_the_missing_scope_and_the_retry_delay() {
    let scope = r#"{"success":false,"error":"Scope and URL mismatch","errorCode":403}"#;
    let [_, create] = run_read_and_create(build_json_response("403 Forbidden", scope)).await;
    assert!(create["error"]["hint"].as_str().is_some_and(|hint| hint.contains("deals:full")), "{create}");
    let url = start_upstream(build_json_response("403 Forbidden", scope)).await;
    let picklist = run(&build_limited_runtime(&url), Invocation::new("selectPerson")).await;
    assert!(
        picklist["error"]["hint"].as_str().is_some_and(|hint| hint.contains("contacts:read")),
        "name the missing scope of a data source: {picklist}"
    );
    let [read, _] =
        run_read_and_create(build_response("429 Too Many Requests", "content-type: application/json\r\nretry-after: 3\r\n", "{}")).await;
    assert_eq!(read["error"]["retryAfterMs"], 3000, "{read}");
}

#[tokio::test]
async fn data_is_passed_byte_for_byte_on_one_line() {
    let body = "{\r\n \"success\" : true,\n \"data\": {\n\t\"id\": 12345678901234567890123, \"b\":1.10, \"a\": \"x\\n\\u00e9\", \"z\": null\n },\n \"related_objects\": {\"user\": {\"7\": {}}},\n \"additional_data\": []\n}\n";
    let [read, _] = run_read_and_create(build_json_response("200 OK", body)).await;
    assert_eq!(read["ok"], true, "{read}");
    let url = start_upstream(build_json_response("200 OK", body)).await;
    let outcome = build_limited_runtime(&url).invoke(Invocation::new("getDeal").input(json!({"dealId": 1}))).await;
    let text = outcome.data().expect("there is data").as_str().to_owned();
    assert_eq!(text, "{ \t\"id\": 12345678901234567890123, \"b\":1.10, \"a\": \"x\\n\\u00e9\", \"z\": null  }");
    assert_eq!(read["extra"], json!({"related_objects": {"user": {"7": {}}}}), "leave out an empty list beside the data");
}

#[tokio::test]
async fn reads_every_shape_of_data_that_pipedrive_sends() {
    for (key, input, body, data, page) in [
        (
            "getDeals",
            json!({}),
            r#"{"data":[{"id":1}],"additional_data":{"next_cursor":123}}"#,
            json!([{"id": 1}]),
            json!({"count": 1, "complete": false, "next": "123"}),
        ),
        (
            "getDeals",
            json!({}),
            r#"{"data":[{"id":1}],"additional_data":{"next_cursor":""}}"#,
            json!([{"id": 1}]),
            json!({"count": 1, "complete": true, "next": null}),
        ),
        ("selectDeal", json!({}), r#"{"success":true,"data":null}"#, json!([]), json!({"count": 0, "complete": true, "next": null})),
        (
            "selectDeal",
            json!({}),
            r#"{"data":[{"id":18446744073709551617,"title":"a\u00e9","status":"open"}]}"#,
            json!([{"key": "18446744073709551617", "label": "aé - open"}]),
            json!({"count": 1, "complete": true, "next": null}),
        ),
        ("rawRequest", json!({"method": "GET", "path": "/api/v2/x"}), r"[1,2]", json!([1, 2]), json!(null)),
        ("getDeals", json!({}), r#"{"success":true,"data":null}"#, json!(null), json!({"count": 0, "complete": true, "next": null})),
        (
            "getDeals",
            json!({}),
            r#"{"success":true,"data":[],"additional_data":{"next_cursor":null}}"#,
            json!([]),
            json!({"count": 0, "complete": true, "next": null}),
        ),
        (
            "getDeals",
            json!({}),
            r#"{"data":[ {"id":1} , {"id":2} ],"additional_data":{"next_cursor":"abc"}}"#,
            json!([{"id": 1}, {"id": 2}]),
            json!({"count": 2, "complete": false, "next": "abc"}),
        ),
        (
            "getUsers",
            json!({}),
            r#"{"success":true,"data":[{"id":1}],"additional_data":null}"#,
            json!([{"id": 1}]),
            json!({"count": 1, "complete": true, "next": null}),
        ),
        (
            "searchDeals",
            json!({"term": "ab"}),
            r#"{"success":true,"data":{"items":[{"item":{"id":1}}]},"additional_data":{"next_cursor":"n"}}"#,
            json!({"items": [{"item": {"id": 1}}]}),
            json!({"count": 1, "complete": false, "next": "n"}),
        ),
        ("deleteDeal", json!({"dealId": 1}), r#"{"success":true}"#, json!(null), json!(null)),
        ("deleteDeal", json!({"dealId": 1}), r#"{"success":true,"id":1}"#, json!({"id": 1}), json!(null)),
    ] {
        let url = start_upstream(build_json_response("200 OK", body)).await;
        let outcome = invoke(&build_limited_runtime(&url), key, input).await;
        assert_eq!((&outcome["data"], outcome.get("page").unwrap_or(&Value::Null)), (&data, &page), "{key} {body}: {outcome}");
    }
}

#[tokio::test]
async fn redacts_secrets_that_the_vendor_quotes() {
    let body = format!(r#"{{"success":false,"error":"token {SECRET} is bad","error_info":"{SECRET}"}}"#);
    for status in ["400 Bad Request", "200 OK", "500 Oops"] {
        let [read, _] = run_read_and_create(build_json_response(status, &body)).await;
        assert_eq!(read["error"]["upstream"]["info"], "[redacted]", "{status}: {read}");
    }
}

/// Puts the secret into a pointer, and where a long message is cut.
#[tokio::test]
async fn redacts_secrets_in_pointers_and_at_cuts() {
    let long = "x".repeat(490);
    for message in [format!("Validation failed: title.{SECRET}: bad"), format!("{long}{SECRET}")] {
        let body = format!(r#"{{"success":false,"error":"{message}"}}"#);
        let [_, create] = run_read_and_create(build_json_response("400 Bad Request", &body)).await;
        assert!(!create.to_string().contains("hunter2-"), "{create}");
    }
}

/// Lets a write wait behind another until both time out: the second was never sent.
#[tokio::test]
async fn queued_write_that_timed_out_was_not_sent() {
    let url = start_silent_upstream().await;
    let connection = build_secret_connection(&url);
    let runtime = build(Runtime::builder().connections(connection).connections_per_host(1));
    let text = |ms: u32| format!(r#"{{"action": "addDeal", "input": {{"title": "x"}}, "options": {{"timeoutMs": {ms}}}}}"#);
    let (first, second) = tokio::join!(runtime.invoke_json(text(600).as_bytes()), runtime.invoke_json(text(200).as_bytes()));
    let (first, second) = (render(&first), render(&second));
    assert_eq!((kind_and_retry(&first), &first["meta"]["requests"]), (("timed_out", "unsafe"), &json!(1)), "{first}");
    assert_eq!((kind_and_retry(&second), &second["meta"]["requests"]), (("timed_out", "later"), &json!(0)), "{second}");
}

/// Names a host that is not the vendor's, as an engine might: it gets no credential.
#[tokio::test]
async fn foreign_host_gets_no_credential() {
    let connection = build_secret_connection("https://evil.example");
    let runtime = build(Runtime::builder().connections(connection));
    let outcome = invoke(&runtime, "getDeal", json!({"dealId": 1})).await;
    assert_eq!((&outcome["error"]["kind"], &outcome["meta"]["requests"]), (&json!("no_connection"), &json!(0)), "{outcome}");
}

#[tokio::test]
async fn unreachable_host_was_never_sent_to() {
    // A socket that is bound and does not listen: no other test can take its port.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("loopback has a free port");
    let address = socket.local_addr().expect("a bound socket has an address");
    let runtime = build_limited_runtime(&format!("http://{address}"));
    let outcome = invoke(&runtime, "addDeal", json!({"title": "x"})).await;
    assert_eq!(kind_and_retry(&outcome), ("unreachable", "later"), "{outcome}");
}

#[tokio::test]
async fn timeout_says_whether_the_request_was_sent() {
    let url = start_silent_upstream().await;
    let runtime = build_limited_runtime(&url);
    let text = br#"{"action": "addDeal", "input": {"title": "x"}, "options": {"timeoutMs": 200}}"#;
    let outcome = run_text(&runtime, text).await;
    assert_eq!(kind_and_retry(&outcome), ("timed_out", "unsafe"), "{outcome}");
    let text = br#"{"action": "getDeal", "input": {"dealId": 1}, "options": {"timeoutMs": 200}}"#;
    let outcome = run_text(&runtime, text).await;
    assert_eq!(kind_and_retry(&outcome), ("timed_out", "later"), "{outcome}");
}

#[tokio::test]
async fn real_account_gets_the_credential_in_a_header_and_no_action_key() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let url = serve_connections(move |mut stream| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(read_request(&mut stream).await);
            let _ = stream.write_all(&build_json_response("200 OK", r#"{"success":true,"data":{"id":1}}"#)).await;
        }
    })
    .await;
    let outcome = build_limited_runtime(&url).invoke(Invocation::new("getDeal").input(json!({"dealId": 1}))).await;
    assert_eq!(outcome.error().map(connector_core::Error::kind), None::<ErrorKind>);
    let request = seen.recv().await.expect("the upstream got a request").to_lowercase();
    assert!(request.contains(&format!("authorization: bearer {SECRET}")), "{request}");
    assert!(!request.contains("x-connector-action"), "send the action key to a sandbox only: {request}");
    assert!(!request.lines().next().unwrap_or_default().contains(SECRET), "keep the secret out of the URL: {request}");
}
