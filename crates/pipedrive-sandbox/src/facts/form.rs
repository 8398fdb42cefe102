//! Bodies that are forms, with text fields and at most one file.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use serde_json::Value;

use crate::facts::api::{Kind, Schema};
use crate::value::content::File;
use crate::value::failure::Failure;
use crate::value::record::Record;

pub(crate) const URL_ENCODED: &str = "application/x-www-form-urlencoded";
pub(crate) const MULTIPART: &str = "multipart/form-data";

/// One part of a multipart body. A part with a file name is a file.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    media: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Part {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

pub(crate) fn read_url_encoded(schema: &Schema, bytes: &[u8]) -> Record {
    form_urlencoded::parse(bytes).map(|(name, text)| (name.to_string(), read_field(schema, &name, text.into_owned()))).collect()
}

/// Reads the text fields and the file. The file's name becomes the value of the file's field.
pub(crate) fn read_multipart(schema: &Schema, content_type: &str, bytes: &Bytes) -> Result<(Record, Option<File>), Failure> {
    let parts = split_parts(content_type, bytes.clone())
        .map_err(|error| Failure::bad_request(format!("The request's body is not a valid form: {error}")))?;
    let (mut fields, mut sent) = (Record::new(), None);
    for part in parts {
        let text = part.text();
        if !is_file(schema, &part.name) {
            fields.insert(part.name.clone(), read_field(schema, &part.name, text));
            continue;
        }
        let Some(name) = part.file_name else {
            return Err(Failure::invalid(&part.name, "must be a file"));
        };
        fields.insert(part.name, name.clone().into());
        sent = Some(File { name, media: part.media.unwrap_or_else(|| "application/octet-stream".to_owned()), bytes: part.bytes });
    }
    Ok((fields, sent))
}

pub(crate) fn is_file(schema: &Schema, name: &str) -> bool {
    schema.property(name).is_some_and(|property| property.format.as_deref() == Some("binary"))
}

/// Reads a form's field. Forms have no null: an empty value clears a field that is no text.
fn read_field(schema: &Schema, name: &str, text: String) -> Value {
    let is_text = schema.property(name).is_none_or(|property| property.kind == Some(Kind::String));
    if text.is_empty() && !is_text { Value::Null } else { text.into() }
}

pub(crate) fn split_parts(content_type: &str, bytes: Bytes) -> Result<Vec<Part>, multer::Error> {
    let boundary = multer::parse_boundary(content_type)?;
    let mut multipart = multer::Multipart::new(BodyDataStream::new(Full::new(bytes)), boundary);
    let read = pin!(async move {
        let mut parts = Vec::new();
        while let Some(field) = multipart.next_field().await? {
            let (name, file_name) = (field.name().unwrap_or_default().to_owned(), field.file_name().map(str::to_owned));
            let media = field.content_type().map(ToString::to_string);
            parts.push(Part { name, file_name, media, bytes: field.bytes().await? });
        }
        Ok(parts)
    });
    // The whole body is in memory, so that the first poll is the last.
    match read.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parts) => parts,
        Poll::Pending => Err(multer::Error::IncompleteStream),
    }
}
