//! Requests as plain values, built from a declaration and its input.

use std::fmt::Write as _;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place};
use crate::declare::method::{Effect, Endpoint, Method};
use crate::declare::shape::Notation;
use crate::exchange::files::Files;
use crate::value::file::{Content, Upload};

/// The characters that are encoded in a path segment and in a query: all but the unreserved ones.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request without its host and its credential.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, encoded, with its version.
    pub path: String,
    /// The query, in order, not encoded.
    pub query: Vec<(String, String)>,
    /// The headers beside those that the transport adds.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// The cost in tokens of the daily budget.
    pub cost: u32,
    /// The position of the page that is asked for: its start or its number.
    pub(crate) position: u64,
    /// The declaration of the action, which a refusal refers to.
    pub(crate) declaration: Option<&'static Declaration>,
}

/// The role of a request: the action's own, or a helper beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Own,
    Helper,
}

/// The body of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Body {
    /// No body.
    Empty,
    /// JSON, as text.
    Json(Bytes),
    /// A form.
    Form(Vec<(String, String)>),
    /// Parts.
    Multipart(Vec<Part>),
}

/// A part of a multipart body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part {
    /// The name of the part.
    pub name: String,
    /// The name of the file, if the part is a file.
    pub file_name: Option<String>,
    /// The media type, if it is not plain text.
    pub content_type: Option<String>,
    /// The content.
    pub content: Content,
}

impl Part {
    /// Builds a part of text from its name and content. A file has a file name too.
    pub fn new(name: impl Into<String>, content: impl Into<Content>) -> Self {
        Self { name: name.into(), file_name: None, content_type: None, content: content.into() }
    }
}

impl Request {
    /// Builds a request from a method and a path alone.
    pub fn new(method: Method, path: impl Into<String>, cost: u32) -> Self {
        Self { method, path: path.into(), query: Vec::new(), headers: Vec::new(), body: Body::Empty, cost, position: 0, declaration: None }
    }

    /// Builds the request of a declared action. It cannot fail: the input has passed its checks.
    pub(crate) fn build(declaration: &'static Declaration, input: &Map<String, Value>, files: &Files) -> Self {
        let endpoint = declaration.endpoint.expect("a declared action has an endpoint: the macro sees to it");
        let mut request = Self::new(endpoint.method, fill_path(&endpoint, declaration, input), declaration.cost.unwrap_or(0));
        request.declaration = Some(declaration);
        let given = || declaration.fields().filter_map(|field| Some((field, input.get(field.name)?)));
        let placed = |place: Place| given().filter(move |(field, _)| field.place == place);
        request.query = placed(Place::Query).map(|(field, value)| (field.wire.to_owned(), to_text(field.shape.notation, value))).collect();
        let own_parameter = request.add_page(declaration, input);
        let in_body = |(field, _): &(&Field, &Value)| matches!(field.place, Place::Body | Place::Flat);
        let has = |place: Place| declaration.fields().any(|field| field.place == place);
        request.body = match () {
            () if has(Place::Body) || has(Place::Flat) => Body::Json(build_object(given().filter(in_body), own_parameter)),
            () if has(Place::Form) => Body::Form(
                placed(Place::Form).map(|(field, value)| (field.wire.to_owned(), to_text(field.shape.notation, value))).collect(),
            ),
            () if has(Place::Multipart) => Body::Multipart(
                placed(Place::Multipart)
                    .map(|(field, value)| match files.get(field.name) {
                        Some(upload) => Part::file(field.wire, upload),
                        None => Part::text(field.wire, to_text(field.shape.notation, value)),
                    })
                    .collect(),
            ),
            () => Body::Empty,
        };
        request
    }

    /// Returns the effect on data.
    pub fn effect(&self) -> Effect {
        if self.declaration.is_some_and(|declaration| declaration.reads) { Effect::Read } else { self.method.effect() }
    }

    /// Asks for the page that a cursor of ours stands for. Returns the parameter if it belongs in the body.
    fn add_page(&mut self, declaration: &Declaration, input: &Map<String, Value>) -> Option<(&'static str, u64)> {
        let paging = declaration.paging()?;
        self.position = paging.position(input);
        if let Some(query) = paging.own_query(input) {
            self.query = query.into_iter().filter(|(name, _)| !declaration.connector.is_credential(name)).collect();
        }
        let (parameter, position) = paging.own_parameter(input)?;
        let in_body = declaration.fields().any(|field| field.wire == parameter && field.place == Place::Body);
        if !in_body {
            self.query.push((parameter.to_owned(), position.to_string()));
        }
        in_body.then_some((parameter, position))
    }

    /// Returns the path and the query, encoded.
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            // A comma and a colon are legal in a query, and make lists and times easier to read.
            let plain = |text: &str| utf8_percent_encode(text, RESERVED).to_string().replace("%2C", ",").replace("%3A", ":");
            write!(target, "{}={}", plain(name), plain(value)).expect("writing to a String cannot fail");
        }
        target
    }

    /// Describes the request for a dry run, in the form of recorded traffic.
    pub(crate) fn describe(&self, action: &str, origin: &str, credential: Option<&str>, role: Role) -> Value {
        let mut line = json!({"action": action, "method": self.method.as_str(), "url": format!("{origin}{}", self.target())});
        let mut headers: Map<_, _> = credential.into_iter().map(|name| (name.to_owned(), Value::from("[redacted]"))).collect();
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())));
        line["headers"] = headers.into();
        match &self.body {
            Body::Empty => {}
            Body::Json(text) => line["json"] = serde_json::from_slice(text).unwrap_or(Value::Null),
            Body::Form(pairs) => {
                line["form"] = pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect::<Map<_, _>>().into();
            }
            Body::Multipart(parts) => line["multipart"] = parts.iter().map(Part::describe).collect(),
        }
        if role == Role::Helper {
            line["helper"] = true.into();
        }
        line
    }
}

impl Part {
    /// Builds a part of plain text.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), file_name: None, content_type: None, content: Bytes::from(value.into()).into() }
    }

    /// Builds a part that is a file.
    pub(crate) fn file(name: impl Into<String>, upload: &Upload) -> Self {
        let (file_name, content_type) = (Some(upload.file_name.clone()), Some(upload.media_type()));
        Self { name: name.into(), file_name, content_type, content: upload.content.clone() }
    }

    fn describe(&self) -> Value {
        match (&self.file_name, &self.content) {
            (None, Content::Bytes(text)) => json!({"name": self.name, "value": String::from_utf8_lossy(text)}),
            (file, _) => json!({"name": self.name, "filename": file}),
        }
    }
}

/// Fills in the variables of a path.
fn fill_path(endpoint: &Endpoint, declaration: &Declaration, input: &Map<String, Value>) -> String {
    let mut path = String::with_capacity(endpoint.path.len() + 16);
    for segment in endpoint.path.split('/').skip(1) {
        path.push('/');
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(variable) => {
                let field = declaration.fields().find(|field| field.place == Place::Path && field.wire == variable);
                let value = field.and_then(|field| input.get(field.name)).expect("a path's fields are required");
                path.extend(utf8_percent_encode(&to_text(Notation::Plain, value), RESERVED));
            }
            None => path.push_str(segment),
        }
    }
    path
}

/// Writes a value as text outside JSON.
fn to_text(how: Notation, value: &Value) -> String {
    match (how, value) {
        (Notation::Digit, Value::Bool(flag)) => u8::from(*flag).to_string(),
        (Notation::Commas, Value::Array(items)) => items.iter().map(|item| to_text(Notation::Plain, item)).collect::<Vec<_>>().join(","),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// Builds a JSON object under wire names, in the order of the declaration.
fn build_object<'a>(fields: impl Iterator<Item = (&'a Field, &'a Value)>, own_parameter: Option<(&str, u64)>) -> Bytes {
    let mut text = vec![b'{'];
    let mut member = |name: &str, value: &Value| {
        if text.len() > 1 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, name).expect("a name is written to memory");
        text.push(b':');
        serde_json::to_writer(&mut text, value).expect("a value is written to memory");
    };
    for (field, value) in fields {
        let encoded = field.shape.encode.map(|encode| encode(value));
        match encoded.as_ref().unwrap_or(value) {
            Value::Object(members) if field.place == Place::Flat => members.iter().for_each(|(name, value)| member(name, value)),
            Value::Bool(flag) if field.shape.notation == Notation::Digit => member(field.wire, &u8::from(*flag).into()),
            value => member(field.wire, value),
        }
    }
    if let Some((name, position)) = own_parameter {
        member(name, &position.into());
    }
    text.push(b'}');
    text.into()
}
