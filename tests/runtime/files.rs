//! Files: uploads, downloads, and every way in which they fail.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use connector_core::run::{Invocation, Runtime, Source, Upload};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::sync::mpsc;

use crate::support::runtime::{build, build_sandbox_runtime, invoke, run};
use crate::support::sandbox::sandbox_options;
use crate::support::upstream::{
    SECRET, build_limited_runtime, build_response, build_secret_connection, read_request, serve_connections, start_upstream,
};

/// A writer that keeps the file fetched into it.
#[derive(Clone, Default)]
struct MemoryFile(Arc<Mutex<Vec<u8>>>);

impl tokio::io::AsyncWrite for MemoryFile {
    fn poll_write(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>, part: &[u8]) -> std::task::Poll<std::io::Result<usize>> {
        self.0.lock().expect("no writer panicked").extend_from_slice(part);
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
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let as_json = json!({"file": {"fileName": "scan.bin", "base64": encode_base64(&bytes), "size": 70_000}, "dealId": 1});
    let by_json = invoke(&runtime, "addFile", as_json).await;
    let upload = Upload::bytes("ümlaut \"x\".bin", bytes.clone());
    let by_bytes = run(&runtime, Invocation::new("addFile").input(json!({"dealId": 1})).file("file", upload)).await;
    for added in [by_json, by_bytes] {
        let id = &added["data"]["id"];
        assert_eq!(added["data"]["file_size"], 70_000, "{added}");
        let fetched = invoke(&runtime, "downloadFile", json!({"fileId": id})).await;
        assert_eq!(
            (&fetched["data"]["size"], &fetched["data"]["base64"]),
            (&json!(70_000), &json!(encode_base64(&bytes))),
            "return the bytes as they were sent"
        );
        let again = invoke(&runtime, "addFile", json!({"dealId": 1, "file": fetched["data"]})).await;
        assert_eq!(again["ok"], true, "take a fetched file as an input: {again}");
        let file = MemoryFile::default();
        let call = Invocation::new("downloadFile").input(json!({"fileId": id})).fetch_into(file.clone());
        let outcome = run(&runtime, call).await;
        assert_eq!((&outcome["data"]["size"], &outcome["data"]["base64"]), (&json!(70_000), &Value::Null), "{outcome}");
        assert_eq!(*file.0.lock().expect("no writer panicked"), bytes);
    }
}

/// Encodes base64 without the code that is tested.
fn encode_base64(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = if at > chunk.len() { '=' } else { char::from(LETTERS[(group >> (18 - 6 * at)) as usize & 63]) };
            write!(text, "{letter}").expect("writing to a String cannot fail");
        }
    }
    text
}

#[tokio::test]
async fn unusable_files_are_one_fault_and_nothing_is_sent() {
    let runtime = build_limited_runtime(&start_upstream(build_response("200 OK", "", "{}")).await);
    let file = |file: Value| Invocation::new("addFile").input(json!({"dealId": 1, "file": file}));
    let bytes = |upload: Upload| Invocation::new("addFile").input(json!({"dealId": 1})).file("file", upload);
    for (call, path, words) in [
        (file(json!("text")), "/file", "is not an object"),
        (file(json!({"fileName": "a"})), "/file/base64", "is required"),
        (file(json!({"fileName": "a", "base64": null})), "/file/base64", "a value is required"),
        (file(json!({"fileName": "a", "base64": ""})), "/file/base64", "is empty"),
        (file(json!({"fileName": "a", "base64": "%%%"})), "/file/base64", "is not base64"),
        (file(json!({"fileName": "a", "base64": "QUI"})), "", ""),
        (file(json!({"fileName": "../a", "base64": "QUI="})), "/file/fileName", "does not have the form"),
        (file(json!({"fileName": "a", "base64": "QUI=", "size": 7})), "/file/size", "says 7 bytes, and there are 2"),
        (file(json!({"fileName": "a", "base64": "QUI=", "contentType": "pdf"})), "/file/contentType", "does not have the form"),
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
        let outcome = run(&runtime, call).await;
        if words.is_empty() {
            assert_eq!(outcome["meta"]["requests"], 1, "take base64 without padding: {outcome}");
            continue;
        }
        let faults = outcome["error"]["faults"].as_array().cloned().unwrap_or_default();
        assert_eq!((faults.len(), outcome["error"]["kind"].as_str()), (1, Some("invalid_input")), "{outcome}");
        assert_eq!(faults[0]["path"], path, "{outcome}");
        assert!(faults[0]["message"].as_str().is_some_and(|message| message.contains(words)), "say {words:?} in {outcome}");
        assert_eq!(outcome["meta"]["requests"], 0, "send nothing: {outcome}");
    }
}

/// Sends PDFs that begin late, as scanners write them, and one that is none.
#[tokio::test]
async fn doubtful_media_type_is_a_warning_and_the_file_is_sent() {
    let runtime = build_limited_runtime(&start_upstream(build_response("200 OK", "", "{\"success\":true,\"data\":{\"id\":1}}")).await);
    let late = [&b"\r\n\r\n"[..], b"%PDF-1.7"].concat();
    for (bytes, media_type, is_doubtful) in [
        (&b"%PDF-1.7"[..], "application/pdf", false),
        (&late, "application/pdf", false),
        (b"a scan", "application/pdf", true),
        (b"%PDF-1.7", "image/png", true),
    ] {
        let within = json!({"fileName": "a", "base64": encode_base64(bytes), "contentType": media_type});
        let beside = Upload::bytes("a", bytes.to_vec()).with_content_type(media_type);
        for call in [
            Invocation::new("addFile").input(json!({"dealId": 1, "file": within})),
            Invocation::new("addFile").input(json!({"dealId": 1})).file("file", beside),
        ] {
            let outcome = run(&runtime, call).await;
            assert_eq!((&outcome["ok"], &outcome["meta"]["requests"]), (&json!(true), &json!(1)), "{outcome}");
            let warning = format!("The file of `file` travels as {media_type}, but its bytes do not look like that.");
            let expected = if is_doubtful { vec![warning] } else { Vec::new() };
            assert_eq!(outcome["meta"]["warnings"], json!(expected), "{outcome}");
        }
    }
}

/// A source that breaks in one of its ways.
struct BrokenSource {
    said: u64,
    bytes: &'static [u8],
    fails: bool,
}

impl Source for BrokenSource {
    fn size(&self) -> u64 {
        self.said
    }

    fn open(&self) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        if self.said == 0xdead {
            return Err(io::ErrorKind::NotFound.into());
        }
        let end: Box<dyn AsyncRead + Send + Unpin> = if self.fails { Box::new(FailingReader) } else { Box::new(tokio::io::empty()) };
        Ok(Box::new(self.bytes.chain(end)))
    }
}

struct FailingReader;

impl AsyncRead for FailingReader {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::other("the disk is gone")))
    }
}

/// Sends a file that breaks, shrinks, grows or vanishes: the vendor gets no whole request.
#[tokio::test]
async fn file_that_breaks_while_it_is_sent_is_the_callers_fault() {
    let (sender, mut received) = mpsc::unbounded_channel();
    let url = serve_connections(move |mut stream| {
        let sender = sender.clone();
        async move {
            let mut text = Vec::new();
            let _ = stream.read_to_end(&mut text).await;
            let _ = sender.send(text.ends_with(b"--\r\n"));
        }
    })
    .await;
    let runtime = build(Runtime::builder().connections(build_secret_connection(&url)));
    for (source, requests, words) in [
        (BrokenSource { said: 9, bytes: b"half", fails: true }, 1, "could not be read to its end"),
        (BrokenSource { said: 9, bytes: b"half", fails: false }, 1, "could not be read to its end"),
        (BrokenSource { said: 3, bytes: b"half", fails: false }, 1, "could not be read to its end"),
        (BrokenSource { said: 0xdead, bytes: b"", fails: false }, 0, "cannot be opened"),
    ] {
        let call = Invocation::new("addFile").input(json!({"dealId": 1})).file("file", Upload::source("a.txt", source));
        let outcome = run(&runtime, call).await;
        let error = &outcome["error"];
        assert_eq!((&error["kind"], &error["retry"]), (&json!("invalid_input"), &json!("never")), "{outcome}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "say {words:?} in {outcome}");
        assert_eq!(outcome["meta"]["requests"], requests, "send it once at most: {outcome}");
        if requests > 0 {
            assert_eq!(received.recv().await, Some(false), "the vendor must not take a part for the whole: {outcome}");
        }
    }
}

async fn download(url: &str) -> Value {
    invoke(&build_limited_runtime(url), "downloadFile", json!({"fileId": 1})).await
}

#[tokio::test]
async fn download_from_another_host_carries_no_credential() {
    let seen = Arc::new(Mutex::new(String::new()));
    let other_host = {
        let seen = Arc::clone(&seen);
        serve_connections(move |mut stream| {
            let seen = Arc::clone(&seen);
            async move {
                let request = read_request(&mut stream).await;
                seen.lock().expect("no writer panicked").push_str(&request);
                let head = "content-type: text/plain\r\ncontent-disposition: attachment; filename=\"a.txt\"\r\n";
                let _ = stream.write_all(&build_response("200 OK", head, "hello")).await;
            }
        })
        .await
    };
    let url = start_upstream(build_response("302 Found", &format!("location: {other_host}/kept/1?signature=s3cret\r\n"), "")).await;
    let outcome = download(&url).await;
    assert_eq!(outcome["data"], json!({"contentType": "text/plain", "fileName": "a.txt", "size": 5, "base64": "aGVsbG8="}), "{outcome}");
    assert_eq!((&outcome["meta"]["requests"], &outcome["meta"]["tokens"]), (&json!(2), &json!(20)), "{outcome}");
    let request = seen.lock().expect("no handler panicked").to_lowercase();
    assert!(request.starts_with("get /kept/1?signature=s3cret "), "{request}");
    for header in ["authorization", "x-api-token", "x-connector", "referer", "cookie", SECRET] {
        assert!(!request.contains(header), "{header} must not go to another host: {request}");
    }
}

#[tokio::test]
async fn failed_downloads_say_why() {
    let to = |location: &str| build_response("302 Found", &format!("location: {location}\r\n"), "");
    let refusing = start_upstream(build_response("403 Forbidden", "content-type: text/xml\r\n", "<Error/>")).await;
    let truncated = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nhalf".to_vec();
    let huge = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3221225472\r\nconnection: close\r\n\r\nx".to_vec();
    let gone = build_response("404 Not Found", "content-type: application/json\r\n", r#"{"success":false,"error":"File not found"}"#);
    for (response, kind, words) in [
        (to("http://files.example/1?signature=s3cret"), "bad_answer", "it is not https"),
        (to("ftp://files.example/1"), "bad_answer", "it is not https"),
        (to("//[::"), "bad_answer", "an invalid URL"),
        (build_response("302 Found", "", ""), "bad_answer", "a redirect to nowhere"),
        (to("/again"), "bad_answer", "not found within 5 redirects"),
        (to(&format!("{refusing}/1?signature=s3cret")), "bad_answer", "refuses it (403)"),
        (truncated, "bad_answer", "broke off after 4 bytes"),
        (huge, "bad_answer", "larger than"),
        (gone, "not_found", "File not found"),
        (build_response("304 Not Modified", "", ""), "bad_answer", "not found"),
    ] {
        let outcome = download(&start_upstream(response).await).await;
        assert_eq!(outcome["error"]["kind"], kind, "{outcome}");
        assert!(outcome["error"]["message"].as_str().is_some_and(|message| message.contains(words)), "say {words:?} in {outcome}");
        assert_eq!(outcome["error"]["retry"], if kind == "bad_answer" { "later" } else { "never" }, "{outcome}");
        for secret in [SECRET, "s3cret"] {
            assert!(!outcome.to_string().contains(secret), "{secret} must not be in {outcome}");
        }
    }
}

#[tokio::test]
async fn only_file_actions_can_be_fetched_into_a_writer() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let outcome = run(&runtime, Invocation::new("getDeal").input(json!({"dealId": 1})).fetch_into(MemoryFile::default())).await;
    assert_eq!(outcome["error"]["kind"], "invalid_invocation", "{outcome}");
    let call = Invocation::new("downloadFile").input(json!({"fileId": 1})).dry_run();
    let outcome = run(&runtime, call).await;
    assert_eq!(outcome["data"][0]["url"].as_str().map(|url| url.ends_with("/api/v1/files/1/download")), Some(true), "{outcome}");
}
