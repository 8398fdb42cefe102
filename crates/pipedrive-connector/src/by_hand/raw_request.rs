//! A request that the caller words, sent to the connection's host.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector_core::by_hand::{Body, Call, Handler, Part, Request, Stop};
use connector_core::declare::{Base64, Declares, Json, MapOf, Method, Nullable, Text};
use connector_core::run::Answer;
use connector_core::wording::escape_segment;
use connector_core::{Error, Fault, action, record};
use serde::Deserialize;
use serde_json::Value;

use super::operations::find_operation;

/// Headers that the transport sets.
const TRANSPORT_HEADERS: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Prefixes of headers that could override the method, the path or the origin of the request.
const OVERRIDING_PREFIXES: [&str; 5] = ["x-http-method", "x-method-override", "x-original-url", "x-rewrite-url", "x-forwarded"];

/// Words in the names of headers that carry a credential.
const CREDENTIAL_WORDS: [&str; 6] = ["authorization", "cookie", "token", "api-key", "secret", "password"];

/// Raw Request
///
/// Send raw HTTP request to Pipedrive
#[action(destructive, rules(at_most_one(&["json", "form", "multipart"])))]
struct RawRequest {
    /// The method.
    method: RawMethod,
    /// The path on the connection's own host, below /api/v2, /api/v1 or /v1.
    path: Text,
    /// The query, by name; a list is sent as one text with commas. Left out, there is none.
    query: Option<MapOf<Json>>,
    /// Further headers, by name; none that carries a credential. Left out, there are none.
    headers: Option<MapOf<String>>,
    /// The body as JSON; null is a body too. Left out, there is none.
    json: Option<Nullable<Json>>,
    /// The body as a form, by name. Left out, there is none.
    form: Option<MapOf<Json>>,
    /// The body in parts. Left out, there is none.
    multipart: Option<Vec<RawPart>>,
}

/// An HTTP method.
#[record]
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum RawMethod {
    #[wire("GET")]
    Get,
    #[wire("POST")]
    Post,
    #[wire("PUT")]
    Put,
    #[wire("PATCH")]
    Patch,
    #[wire("DELETE")]
    Delete,
}

/// One part of a body.
#[record]
#[derive(Deserialize)]
struct RawPart {
    /// The name of the part.
    name: String,
    /// The content as text. Left out, `base64` gives it.
    value: Option<String>,
    /// The content as bytes, in base64. Left out, `value` gives it.
    base64: Option<Base64>,
    /// The name of the file. Left out, the part is no file.
    #[wire("fileName")]
    #[serde(rename = "fileName")]
    file_name: Option<String>,
    /// The media type of the content. Left out, none is sent.
    #[wire("contentType")]
    #[serde(rename = "contentType")]
    content_type: Option<String>,
}

#[async_trait]
impl Handler for RawRequest {
    async fn run(self, call: &Call<'_>) -> Result<Answer, Stop> {
        let (request, warning) = self.build_request().map_err(|fault| Error::invalid_input(Self::declaration().key, vec![fault]))?;
        if let Some(warning) = warning {
            call.warn(warning);
        }
        Ok(call.send(request).await?.into_answer(Self::declaration())?)
    }
}

impl RawRequest {
    /// Builds the request, with a warning where Pipedrive does not document or support the operation.
    fn build_request(self) -> Result<(Request, Option<String>), Fault> {
        let connector = Self::declaration().connector;
        let (path, query_of_path) = self.path.0.split_once('?').unwrap_or((&self.path.0, ""));
        connector.check_path(path).map_err(|why| Fault::new("/path", why))?;
        let method = match self.method {
            RawMethod::Get => Method::Get,
            RawMethod::Post => Method::Post,
            RawMethod::Put => Method::Put,
            RawMethod::Patch => Method::Patch,
            RawMethod::Delete => Method::Delete,
        };
        let known = find_operation(method.as_str(), path);
        let warning = match known.map(|operation| operation.instead) {
            Some(None) => None,
            Some(Some("deprecated")) => Some(format!("{} {path} is deprecated by Pipedrive.", method.as_str())),
            Some(Some("nothing")) => Some(format!("{} {path} is out of support at Pipedrive, and nothing replaces it.", method.as_str())),
            Some(Some(instead)) => Some(format!("{} {path} is out of support at Pipedrive: call {instead} instead.", method.as_str())),
            None => Some(format!("{} {path} is not documented by Pipedrive; what it costs is not counted.", method.as_str())),
        };
        let mut request = Request::new(method, path, known.and_then(|operation| operation.cost).unwrap_or(0));
        request.query = form_urlencoded::parse(query_of_path.as_bytes()).into_owned().collect();
        if query_of_path.contains('%')
            && request.query.iter().any(|(name, value)| [name, value].iter().any(|text| text.contains('\u{fffd}')))
        {
            return Err(Fault::new("/path", "its query is not UTF-8"));
        }
        request.query.extend(write_pairs(self.query, "query")?);
        if request.query.iter().any(|(name, _)| connector.is_credential(name)) {
            return Err(Fault::new("/query", "a token in a query ends up in logs; the connection's credential is sent instead"));
        }
        request.headers = read_headers(self.headers)?;
        request.body = match (self.json, self.form, self.multipart) {
            (Some(Nullable::Null), ..) => Body::Json("null".into()),
            (Some(Nullable::Value(Json(value))), ..) => Body::Json(value.to_string().into()),
            (_, Some(form), _) => Body::Form(write_pairs(Some(form), "form")?),
            (.., Some(multipart)) => Body::Multipart(read_parts(multipart)?),
            (None, None, None) => Body::Empty,
        };
        Ok((request, warning))
    }
}

fn read_headers(given: Option<MapOf<String>>) -> Result<Vec<(String, String)>, Fault> {
    let mut headers = Vec::new();
    for (name, value) in given.map(|given| given.0).unwrap_or_default() {
        let lower = name.to_ascii_lowercase();
        let why = match () {
            () if CREDENTIAL_WORDS.iter().any(|word| lower.contains(word)) => {
                "it carries a credential; the connection's credential is sent instead"
            }
            () if TRANSPORT_HEADERS.contains(&&*lower) || lower.starts_with("x-connector") => "the connector sets it itself",
            () if OVERRIDING_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) => {
                "it could override the method, the path or the origin of the request"
            }
            () if headers.iter().any(|(other, _): &(String, String)| *other == lower) => "it is given twice",
            () if lower.is_empty() || !lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) => {
                "it is not the name of a header"
            }
            () if value.chars().any(|letter| letter.is_control() || !letter.is_ascii()) => {
                "its value has a character that a header cannot carry"
            }
            () => {
                headers.push((lower, value));
                continue;
            }
        };
        return Err(Fault::new(format!("/headers/{}", escape_segment(&name)), why));
    }
    Ok(headers)
}

/// Writes names and values as text; a list is one text with commas.
fn write_pairs(given: Option<MapOf<Json>>, place: &str) -> Result<Vec<(String, String)>, Fault> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    let pair = |(name, Json(value)): (String, Json)| {
        let written = match &value {
            // A comma inside an item would split it, and an empty list has no text.
            Value::Array(items) if items.is_empty() || items.iter().any(|item| item.as_str().is_some_and(|item| item.contains(','))) => {
                None
            }
            Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>().map(|items| items.join(",")),
            value => text(value),
        };
        match written {
            Some(written) => Ok((name, written)),
            None => Err(Fault::new(
                format!("/{place}/{}", escape_segment(&name)),
                "it must be a text, a number, a boolean, or a list of these without commas inside",
            )),
        }
    };
    given.map(|given| given.0).unwrap_or_default().into_iter().map(pair).collect()
}

fn read_parts(given: Vec<RawPart>) -> Result<Vec<Part>, Fault> {
    let part = |(at, part): (usize, RawPart)| {
        let content = match (part.value, part.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(Base64(text))) => STANDARD
                .decode(text)
                .map_err(|error| Fault::new(format!("/multipart/{at}/base64"), format!("it is not base64: {error}")))?,
            _ => return Err(Fault::new(format!("/multipart/{at}"), "exactly one of `value` and `base64` is required")),
        };
        let breaks = |text: &str| text.chars().any(char::is_control);
        if breaks(&part.name) || part.file_name.as_deref().is_some_and(breaks) {
            return Err(Fault::new(format!("/multipart/{at}"), "its name or file name has a control character"));
        }
        if part.content_type.as_deref().is_some_and(|media| !is_media_type(media)) {
            return Err(Fault::new(format!("/multipart/{at}/contentType"), "it is not a media type such as text/plain"));
        }
        let mut built = Part::new(part.name, content);
        (built.file_name, built.content_type) = (part.file_name, part.content_type);
        Ok(built)
    };
    given.into_iter().enumerate().map(part).collect()
}

/// Checks for `type/subtype`, with parameters after a semicolon.
fn is_media_type(text: &str) -> bool {
    let token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte));
    let parameter = |text: &str| text.split_once('=').is_some_and(|(name, value)| token(name.trim()) && token(value.trim()));
    let mut parts = text.split(';');
    let essence = parts.next().and_then(|essence| essence.trim().split_once('/'));
    essence.is_some_and(|(kind, subtype)| token(kind) && token(subtype)) && parts.all(parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_headers_with_credentials_without_quoting_them() {
        for name in [
            "Authorization",
            "Cookie",
            "x-api-token",
            "Proxy-Authorization",
            "Host",
            "X-Forwarded-For",
            "x-connector-action",
            "X-HTTP-Method-Override",
            "Accept-Encoding",
            "a b",
            "",
        ] {
            let given = MapOf(vec![(name.to_owned(), "hunter2".to_owned())]);
            let fault = read_headers(Some(given)).expect_err(&format!("{name:?} must be rejected"));
            assert!(!fault.message().contains("hunter2") && fault.path().starts_with("/headers"));
        }
        let given = MapOf(vec![("X-Trace".to_owned(), "a\r\nb: c".to_owned())]);
        assert!(read_headers(Some(given)).is_err(), "a line break in a value must be rejected");
    }
}
