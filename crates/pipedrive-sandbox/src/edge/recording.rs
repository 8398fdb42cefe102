//! Files of lines: requests as JSON without their credentials, or issued secrets.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderMap, Request, StatusCode, Uri};
use serde_json::{Value, json};

use crate::edge::fault_kind::FaultKind;
use crate::facts::form;
use crate::facts::form::{MULTIPART, Part, URL_ENCODED};
use crate::value::disk::restrict_to_owner;
use crate::value::open_error::OpenError;
use crate::value::record::Record;

/// An open file to which lines are appended.
#[derive(Debug)]
pub(crate) struct Recording(Mutex<File>);

impl Recording {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let file = restrict_to_owner(OpenOptions::new().create(true).append(true)).open(path);
        file.map(|file| Self(Mutex::new(file))).map_err(|e| OpenError::Unwritable { path: path.to_owned(), reason: e.to_string() })
    }

    /// Appends a request and its response, unless the request may carry an OAuth secret.
    pub(crate) fn append_request(&self, request: &Request<Bytes>, status: StatusCode, response: &Value, fault: Option<FaultKind>) {
        // A token request to a path of the API is refused, but carries a secret too.
        if request.uri().path().contains("/oauth/") || crate::oauth::is_oauth_path(request.uri().path()) {
            return;
        }
        let mut line = build_line(request, status, response);
        if let Some(fault) = fault {
            line["fault"] = fault.word().name.into();
            line["carriedOut"] = fault.word().is_carried_out.into();
            if matches!(fault, FaultKind::ResetBefore | FaultKind::ResetAfter) {
                (line["status"], line["response"]) = (Value::Null, Value::Null);
            }
        }
        self.append_line(line.to_string());
    }

    pub(crate) fn append_line(&self, mut text: String) {
        text.push('\n');
        // A single write, so that lines of several processes do not mix.
        let result = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes());
        if let Err(error) = result {
            tracing::warn!(%error, "cannot append to a recording");
        }
    }
}

fn build_line(request: &Request<Bytes>, status: StatusCode, response: &Value) -> Value {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let host = header(HOST.as_str()).unwrap_or("localhost");
    let mut line = json!({
        "action": header("x-connector-action"),
        "method": request.method().as_str(),
        "url": format!("http://{host}{}", redact_query(request.uri())),
        "headers": redact_headers(request.headers()),
    });
    if let Some((form, body)) = read_body(header(CONTENT_TYPE.as_str()).unwrap_or_default(), request.body()) {
        line[form] = body;
    }
    if header("x-connector-helper") == Some("true") {
        line["helper"] = Value::Bool(true);
    }
    line["status"] = json!(status.as_u16());
    line["response"] = response.clone();
    line
}

/// Returns the path and query, with an API token in the query redacted.
fn redact_query(uri: &Uri) -> Cow<'_, str> {
    let is_token = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "api_token");
    match uri.query().filter(|query| query.split('&').any(is_token)) {
        None => uri.path_and_query().map_or("/", |p| p.as_str()).into(),
        Some(query) => {
            let pairs: Vec<&str> = query.split('&').map(|pair| if is_token(pair) { "api_token=[redacted]" } else { pair }).collect();
            format!("{}?{}", uri.path(), pairs.join("&")).into()
        }
    }
}

fn redact_headers(headers: &HeaderMap) -> Value {
    let is_secret = |name: &str| name == AUTHORIZATION.as_str() || name == COOKIE.as_str() || name == "x-api-token";
    let shown = headers.iter().map(|(name, value)| {
        let value = if is_secret(name.as_str()) { "[redacted]".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        (name.as_str().to_owned(), Value::from(value))
    });
    shown.collect::<Record>().into()
}

/// Reads a body, and names its form; `None` if it is empty or of an unknown form.
fn read_body(content_type: &str, bytes: &Bytes) -> Option<(&'static str, Value)> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        URL_ENCODED => {
            let fields = form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), Value::from(value)));
            Some(("form", fields.collect::<Record>().into()))
        }
        _ if bytes.is_empty() => None,
        MULTIPART => Some(("multipart", form::split_parts(content_type, bytes.clone()).ok()?.iter().map(describe_part).collect())),
        _ => serde_json::from_slice(bytes).ok().map(|body| ("json", body)),
    }
}

fn describe_part(part: &Part) -> Value {
    match &part.file_name {
        Some(file) => json!({ "name": part.name, "filename": file }),
        None => json!({ "name": part.name, "value": part.text() }),
    }
}
