//! Redaction from end to end: a vendor quotes credentials in every way, and a connector repeats all of it.

mod loopback;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connector_core::declare::{Auth, Connector, Envelope, Json, Refusal};
use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Runtime};
use connector_core::wording::shorten;
use connector_core::{Error, ErrorKind, Fault, Upstream, action};
use serde_json::{Value, json};

pub(crate) static CONNECTOR: Connector = Connector::new("parrot", "Parrot", "A vendor that repeats what it hears.", "1.0.0")
    .with_domains(&["parrot.example"])
    .with_auth(&[Auth::api_token("x-token")])
    .with_envelope(Envelope::at("/data").with_success("success"))
    .with_refusal(repeat);

/// Repeat Things
///
/// Repeats the credential in a refusal.
#[action(get("/v1/refuse"), returns(Json))]
struct RefuseThings {}

/// Get Things
///
/// Repeats the credential in data.
#[action(get("/v1/things"), returns(Json))]
struct GetThings {}

/// Follow Things
///
/// Repeats the credential in a redirect.
#[action(get("/v1/redirect"), returns(Json))]
struct FollowThings {}

/// Repeats a refusal in every text of an error, cut at an awkward place.
fn repeat(refusal: &Refusal<'_>) -> Error {
    let body = refusal.json().unwrap_or_default().to_string();
    let header = refusal.header("www-authenticate").unwrap_or_default().to_owned();
    let words = Upstream::new(refusal.status()).with_error(body.clone()).with_info(header.clone()).with_code(shorten(&body, 30));
    let faults = vec![Fault::new(format!("/{body}"), body.clone()), Fault::new("/debug", format!("{header:?}"))];
    Error::new(ErrorKind::UpstreamRejected, format!("Refused: {body}"))
        .with_hint(format!("Not with {header}, nor {:?}", shorten(&body, 40)))
        .with_faults(faults)
        .with_upstream(words)
}

/// Tokens with characters that are escaped in a URL, in JSON or in HTML, and plain ones.
const TOKENS: [&str; 5] =
    ["hunter2plainhunter2", "hunter2/a+b==", r#"hunter2"quo\te"&<x>'y"#, "hunter2 with space%2F%", "pat_hunter2-._~:hunter2"];

fn answer(head: &str, _: &str) -> loopback::Answer {
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let token = value("authorization").map_or_else(|| value("x-token"), |value| value.strip_prefix("Bearer ")).expect("a credential");
    let quoted = json!({ "success": true, "data": {"quotations": quote_all(token), token: token} }).to_string();
    let (status, headers) = match head.split(' ').nth(1).expect("a path") {
        "/v1/refuse" => ("400 Bad", format!("www-authenticate: Bearer error=\"invalid_token\", error_description=\"{token}\"\r\n")),
        "/v1/redirect" => ("302 Found", format!("location: /x/{token}\r\n")),
        _ => ("200 OK", String::new()),
    };
    (status, headers, quoted)
}

/// Quotes a token in every way that leaves it readable.
fn quote_all(token: &str) -> Vec<String> {
    let percent: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let json = Value::from(token).to_string();
    vec![
        format!("The token {token} is bad"),
        percent.to_lowercase(),
        percent.replace('%', "%25").replace('+', "%20"),
        percent,
        json.replace('/', r"\/"),
        Value::from(json).to_string(),
        token.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('\'', "&#39;"),
    ]
}

/// Checks that no readable form of a token is in a text.
fn assert_hidden(token: &str, shown: &str, what: &str) {
    assert!(!shown.contains("hunter2"), "{what} of {token} shows it: {shown}");
    for offset in 0..3 {
        let encoded = STANDARD.encode(format!("{}{token}", &"ab"[..offset]));
        let middle = &encoded[4..encoded.len() - 4];
        assert!(!shown.contains(middle), "{what} of {token} shows it in Base64: {shown}");
    }
    assert!(shown.contains("[redacted]"), "{what} of {token} quotes nothing: {shown}");
}

#[tokio::test]
async fn no_outcome_shows_a_credential_that_the_vendor_quotes() {
    let url = loopback::serve(answer).await;
    for token in TOKENS {
        for credential in [Credential::bearer(token), Credential::api_token(token), Credential::api_token(format!("Token {token}"))] {
            let account = OneConnection::new("me", &url, credential).expect("this machine");
            let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(account).build().expect("it builds");
            for (key, kind) in
                [("refuseThings", Some(ErrorKind::UpstreamRejected)), ("followThings", Some(ErrorKind::BadAnswer)), ("getThings", None)]
            {
                let outcome = runtime.invoke(Invocation::new(key)).await;
                assert_eq!(outcome.error().map(Error::kind), kind, "{key}: {outcome:?}");
                let text = String::from_utf8(outcome.to_json()).expect("text");
                serde_json::from_str::<Value>(&text).expect("an outcome is JSON");
                assert_hidden(token, &text, key);
                let shown = outcome.error().map_or_else(String::new, |error| format!("{error} {error:?}"));
                assert!(!shown.contains("hunter2"), "{shown}");
            }
        }
    }
}

#[test]
fn base64_of_a_credential_is_found_whatever_stands_around_it() {
    for token in TOKENS {
        let redaction = connector_core::embed::Redaction::new([token]);
        for around in ["client:", "c", "", "me@x.example/"] {
            let text = format!("{around}{token}:x");
            for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                assert_eq!(redaction.redact(&format!("Authorization: Basic {encoded}")), "Authorization: Basic [redacted]");
            }
        }
    }
}
