//! Requests as the server reads them, its replies, and its refusals.

use bytes::Bytes;
use serde_json::{Value, json};

/// A request, decoded.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// The token of the header `authorization`.
    pub(super) bearer: Option<String>,
    pub(super) content_type: String,
    /// The base of the URLs that the server writes.
    pub(super) origin: String,
    pub(super) body: Bytes,
}

/// A reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

/// A refusal. Every one has the same body.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    /// The name of the field that is wrong, with the index of an item: `tags.1`.
    field: Option<String>,
}

impl Received {
    /// Returns the segments of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').skip(1).collect()
    }
}

impl Reply {
    /// Builds a reply with a body.
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    /// Builds a reply without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// Adds a header.
    pub(super) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Denial {
    /// Builds a refusal of the whole request.
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None }
    }

    /// Builds a refusal of one field.
    pub(super) fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 422, code: "invalid_field", message: message.into(), field: Some(field.into()) }
    }
}

impl From<Denial> for Reply {
    fn from(denial: Denial) -> Self {
        let mut body = json!({"code": denial.code, "message": denial.message});
        if let Some(field) = denial.field {
            body["field"] = field.into();
        }
        let reply = Self::json(denial.status, body);
        if denial.status == 429 { reply.with_header("retry-after", "3".to_owned()) } else { reply }
    }
}
