//! The content of a response: JSON mostly, else a file or a redirect to one.

use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Characters of a file's name to encode: all but letters, digits and these three.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

#[derive(Debug)]
pub(crate) enum Content {
    Json(Value),
    File(File),
    Elsewhere(String),
    /// An HTML page, which no documented response is.
    Page(&'static str),
}

/// An uploaded or downloaded file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) media: String,
    pub(crate) bytes: Bytes,
}

impl Content {
    /// Describes the content for a recording: JSON as it is, a file by its properties.
    pub(crate) fn describe(&self) -> Value {
        match self {
            Self::Json(body) => body.clone(),
            Self::File(file) => json!({ "contentType": file.media, "fileName": file.name, "size": file.bytes.len() }),
            Self::Elsewhere(_) | Self::Page(_) => Value::Null,
        }
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let (body, name, value) = match self {
            Self::Json(body) => (Bytes::from(body.to_string()), CONTENT_TYPE, HeaderValue::from_static("application/json")),
            Self::File(file) => return file.into_response(),
            Self::Page(html) => (Bytes::from_static(html.as_bytes()), CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8")),
            Self::Elsewhere(place) => (Bytes::new(), LOCATION, HeaderValue::from_str(&place).unwrap_or(HeaderValue::from_static("/"))),
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(name, value);
        response
    }
}

impl File {
    pub(crate) fn into_response(self) -> Response<Bytes> {
        let media = HeaderValue::from_str(&self.media).unwrap_or(OCTETS);
        let plain: String =
            self.name.chars().map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ' { c } else { '_' }).collect();
        let named = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(&self.name, ENCODED));
        let mut response = Response::new(self.bytes);
        response.headers_mut().insert(CONTENT_TYPE, media);
        if let Ok(named) = HeaderValue::from_str(&named) {
            response.headers_mut().insert(CONTENT_DISPOSITION, named);
        }
        response
    }
}
