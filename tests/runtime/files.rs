//! Files: what was sent comes back, and each way in which one can go wrong has its words.

use std::sync::{Arc, Mutex};

use connector_core::{Invocation, Upload};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::upstream::{SECRET, http, read_request, runtime as beside, served, upstream};
use crate::support::world::{beside_sandbox, options, rendered};

/// What a test fetched into.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl tokio::io::AsyncWrite for Kept {
    fn poll_write(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>, part: &[u8]) -> std::task::Poll<std::io::Result<usize>> {
        self.0.lock().expect("nothing panics with it").extend_from_slice(part);
        std::task::Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn file_round_trips_in_every_form() {
    let runtime = beside_sandbox(options()).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let as_json = json!({"file": {"fileName": "scan.bin", "base64": base64(&bytes), "size": 70_000}, "dealId": 1});
    let by_json = rendered(&runtime.invoke(Invocation::new("addFile").input(as_json)).await);
    let upload = Upload::bytes("ümlaut \"x\".bin", bytes.clone());
    let by_bytes = rendered(&runtime.invoke(Invocation::new("addFile").input(json!({"dealId": 1})).file("file", upload)).await);
    for added in [by_json, by_bytes] {
        let id = &added["data"]["id"];
        assert_eq!(added["data"]["file_size"], 70_000, "{added}");
        let fetched = rendered(&runtime.invoke(Invocation::new("downloadFile").input(json!({"fileId": id}))).await);
        assert_eq!((&fetched["data"]["size"], &fetched["data"]["base64"]), (&json!(70_000), &json!(base64(&bytes))), "as it was sent");
        let again = rendered(&runtime.invoke(Invocation::new("addFile").input(json!({"dealId": 1, "file": fetched["data"]}))).await);
        assert_eq!(again["ok"], true, "what was fetched can be sent as it is: {again}");
        let kept = Kept::default();
        let call = Invocation::new("downloadFile").input(json!({"fileId": id})).fetch_into(kept.clone());
        let outcome = rendered(&runtime.invoke(call).await);
        assert_eq!((&outcome["data"]["size"], &outcome["data"]["base64"]), (&json!(70_000), &Value::Null), "{outcome}");
        assert_eq!(*kept.0.lock().expect("it is written"), bytes);
    }
}

fn base64(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    // Written out, so that the test does not trust what it tests.
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = if at > chunk.len() { '=' } else { char::from(LETTERS[(group >> (18 - 6 * at)) as usize & 63]) };
            write!(text, "{letter}").expect("a string can be written");
        }
    }
    text
}

#[tokio::test]
async fn unusable_files_are_one_fault_and_nothing_is_sent() {
    let runtime = beside(&upstream(http("200 OK", "", "{}")).await);
    let file = |file: Value| Invocation::new("addFile").input(json!({"dealId": 1, "file": file}));
    let bytes = |upload: Upload| Invocation::new("addFile").input(json!({"dealId": 1})).file("file", upload);
    let pdf = base64(b"%PDF-1.7");
    for (call, path, word) in [
        (file(json!("text")), "/file", "is not an object"),
        (file(json!({"fileName": "a"})), "/file/base64", "is required"),
        (file(json!({"fileName": "a", "base64": null})), "/file/base64", "a value is required"),
        (file(json!({"fileName": "a", "base64": ""})), "/file/base64", "is empty"),
        (file(json!({"fileName": "a", "base64": "%%%"})), "/file/base64", "is not base64"),
        (file(json!({"fileName": "a", "base64": "QUI"})), "", ""),
        (file(json!({"fileName": "../a", "base64": "QUI="})), "/file/fileName", "does not have the form"),
        (file(json!({"fileName": "a", "base64": "QUI=", "size": 7})), "/file/size", "says 7 bytes, and there are 2"),
        (file(json!({"fileName": "a", "base64": "QUI=", "contentType": "pdf"})), "/file/contentType", "does not have the form"),
        (file(json!({"fileName": "a.png", "base64": pdf, "contentType": "image/png"})), "/file/contentType", "do not begin as"),
        (file(json!({"fileName": "a", "base64": "QUI=", "path": "/etc/passwd"})), "/file/path", "no such input"),
        (bytes(Upload::bytes("a", "")), "/file", "is empty"),
        (bytes(Upload::bytes("a", vec![0; 3 << 20])), "/file", "at most 2097152 are sent"),
        (Invocation::new("addFile").input(json!({"file": {"fileName": "a", "base64": "QUI="}})), "", "at least one of"),
        (
            Invocation::new("addFile")
                .input(json!({"dealId": 1, "file": {"fileName": "a", "base64": "QUI="}}))
                .file("file", Upload::bytes("b", "b")),
            "/file",
            "given twice",
        ),
        (Invocation::new("getDeal").input(json!({"dealId": 1})).file("file", Upload::bytes("b", "b")), "/file", "no input takes one"),
    ] {
        let outcome = rendered(&runtime.invoke(call).await);
        if word.is_empty() {
            assert_eq!(outcome["meta"]["requests"], 1, "padding may be left out: {outcome}");
            continue;
        }
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        assert_eq!((faults.len(), outcome["error"]["kind"].as_str()), (1, Some("invalid_input")), "{outcome}");
        assert_eq!(faults[0]["path"], path, "{outcome}");
        assert!(faults[0]["message"].as_str().is_some_and(|message| message.contains(word)), "{word:?} is not in {outcome}");
        assert_eq!(outcome["meta"]["requests"], 0, "nothing was sent: {outcome}");
    }
}

async fn download(url: &str) -> Value {
    rendered(&beside(url).invoke(Invocation::new("downloadFile").input(json!({"fileId": 1}))).await)
}

#[tokio::test]
async fn download_from_another_host_carries_no_credential() {
    let seen = Arc::new(Mutex::new(String::new()));
    let elsewhere = {
        let seen = Arc::clone(&seen);
        served(move |mut stream| {
            let seen = Arc::clone(&seen);
            async move {
                let request = read_request(&mut stream).await;
                seen.lock().expect("nothing panics with it").push_str(&request);
                let head = "content-type: text/plain\r\ncontent-disposition: attachment; filename=\"a.txt\"\r\n";
                let _ = stream.write_all(&http("200 OK", head, "hello")).await;
            }
        })
        .await
    };
    let url = upstream(http("302 Found", &format!("location: {elsewhere}/kept/1?signature=s3cret\r\n"), "")).await;
    let outcome = download(&url).await;
    assert_eq!(outcome["data"], json!({"contentType": "text/plain", "fileName": "a.txt", "size": 5, "base64": "aGVsbG8="}), "{outcome}");
    assert_eq!((&outcome["meta"]["requests"], &outcome["meta"]["tokens"]), (&json!(2), &json!(20)), "{outcome}");
    let request = seen.lock().expect("it was asked").to_lowercase();
    assert!(request.starts_with("get /kept/1?signature=s3cret "), "{request}");
    for header in ["authorization", "x-api-token", "x-connector", "referer", "cookie", SECRET] {
        assert!(!request.contains(header), "{header} went to another host: {request}");
    }
}

#[tokio::test]
async fn failed_downloads_say_why() {
    let to = |location: &str| http("302 Found", &format!("location: {location}\r\n"), "");
    let refuses = upstream(http("403 Forbidden", "content-type: text/xml\r\n", "<Error/>")).await;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nhalf".to_vec();
    let huge = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3221225472\r\nconnection: close\r\n\r\nx".to_vec();
    let gone = http("404 Not Found", "content-type: application/json\r\n", r#"{"success":false,"error":"File not found"}"#);
    for (answer, kind, words) in [
        (to("http://files.example/1?signature=s3cret"), "bad_answer", "it is not https"),
        (to("ftp://files.example/1"), "bad_answer", "it is not https"),
        (to("//[::"), "bad_answer", "what is no URL"),
        (http("302 Found", "", ""), "bad_answer", "a redirect to nowhere"),
        (to("/again"), "bad_answer", "not found within 5 redirects"),
        (to(&format!("{refuses}/1?signature=s3cret")), "bad_answer", "refuses it (403)"),
        (cut, "bad_answer", "broke off after 4 bytes"),
        (huge, "bad_answer", "larger than"),
        (gone, "not_found", "File not found"),
        (http("304 Not Modified", "", ""), "bad_answer", "not found"),
    ] {
        let outcome = download(&upstream(answer).await).await;
        assert_eq!(outcome["error"]["kind"], kind, "{outcome}");
        assert!(outcome["error"]["message"].as_str().is_some_and(|message| message.contains(words)), "{words:?} is not in {outcome}");
        assert_eq!(outcome["error"]["retry"], if kind == "bad_answer" { "later" } else { "never" }, "{outcome}");
        for secret in [SECRET, "s3cret"] {
            assert!(!outcome.to_string().contains(secret), "{secret} is in {outcome}");
        }
    }
}

#[tokio::test]
async fn only_file_actions_can_be_fetched_into_a_writer() {
    let runtime = beside_sandbox(options()).await;
    let outcome = rendered(&runtime.invoke(Invocation::new("getDeal").input(json!({"dealId": 1})).fetch_into(Kept::default())).await);
    assert_eq!(outcome["error"]["kind"], "invalid_invocation", "{outcome}");
    let call = Invocation::new("downloadFile").input(json!({"fileId": 1})).dry_run();
    let outcome = rendered(&runtime.invoke(call).await);
    assert_eq!(outcome["data"][0]["url"].as_str().map(|url| url.ends_with("/api/v1/files/1/download")), Some(true), "{outcome}");
}
