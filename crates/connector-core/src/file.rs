//! Files: bytes with a name and a media type, to send or to fetch.

use std::fmt;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Fault;
use crate::field::{Field, FieldType, Holds};
use crate::schema::{Mode, Schemas};

/// The type of an input that is a file, and of an answer that is one.
#[derive(Debug)]
pub struct File;

/// A file to send, as an engine has it.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its name, without a folder.
    pub file_name: String,
    /// Its media type; where there is none, the name tells it.
    pub content_type: Option<String>,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Something that is read while it is sent.
    Source(Arc<dyn Source>),
}

/// Something that can be read, again where a request is sent again.
pub trait Source: Send + Sync {
    /// How many bytes there are.
    fn size(&self) -> u64;
    /// A reader from the first byte on.
    fn open(&self) -> io::Result<Box<dyn AsyncRead + Send + Unpin>>;
}

/// Where a fetched file goes, in place of the outcome.
pub type Sink = Box<dyn AsyncWrite + Send + Unpin>;

/// The files of a call, by the name of the input.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<(String, Upload)>);

/// Some write `=` at the end and some do not: nothing is lost either way.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// How files of some media types begin.
const BEGINNINGS: [(&str, &[&[u8]]); 7] = [
    ("application/pdf", &[b"%PDF-"]),
    ("application/zip", &[b"PK\x03\x04", b"PK\x05\x06"]),
    ("image/bmp", &[b"BM"]),
    ("image/gif", &[b"GIF87a", b"GIF89a"]),
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/webp", &[b"RIFF"]),
];

impl FieldType for File {
    const HOLDS: Holds = Holds::File;
    fn schema(schemas: &mut Schemas) -> Value {
        let name = json!({"type": "string", "description": "The name of the file, without a folder."});
        let media = json!({"type": "string", "description": "The media type of the file."});
        let size = json!({"type": "integer", "minimum": 0, "description": "How many bytes the file has."});
        let content = json!({"type": "string", "contentEncoding": "base64", "description": "The bytes of the file, in base64."});
        let mut schema = json!({"type": "object", "properties": {"contentType": media, "fileName": name, "size": size, "base64": content}});
        let properties = &mut schema["properties"];
        match schemas.mode {
            Mode::Input => {
                properties["fileName"]["pattern"] = r"^[^/\\\x00-\x1f]{1,255}$".into();
                properties["fileName"]["examples"] = json!(["offer.pdf"]);
                properties["contentType"]["pattern"] = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;[\x20-\x7e]*)?$".into();
                properties["contentType"]["examples"] = json!(["application/pdf"]);
                properties["contentType"]["description"] = "The media type of the file. Left out, the name tells it.".into();
                properties["size"]["description"] = "How many bytes the file has, as a check. Left out, nothing is checked.".into();
                schema["required"] = json!(["fileName", "base64"]);
                schema["additionalProperties"] = false.into();
            }
            Mode::Output => {
                properties["base64"]["description"] =
                    "The bytes of the file, in base64. It is not there where the file was written elsewhere.".into();
                schema["required"] = json!(["contentType", "fileName", "size"]);
            }
        }
        schema
    }
}

impl Upload {
    /// A file in memory.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { file_name: file_name.into(), content_type: None, content: Content::Bytes(bytes.into()) }
    }

    /// A file that is read while it is sent.
    pub fn source(file_name: impl Into<String>, source: impl Source + 'static) -> Self {
        Self { file_name: file_name.into(), content_type: None, content: Content::Source(Arc::new(source)) }
    }

    /// With a media type.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// The media type: the one given, or what the name tells.
    pub(crate) fn media_type(&self) -> String {
        let told = || mime_guess::from_path(&self.file_name).first_raw().unwrap_or("application/octet-stream").to_owned();
        self.content_type.clone().unwrap_or_else(told)
    }

    /// What stands in the input for a file whose bytes do not.
    fn told(&self) -> Value {
        json!({"fileName": self.file_name, "contentType": self.media_type(), "size": self.content.size()})
    }

    /// What is wrong with it, and at which of its members.
    fn fault(&self, most: u64) -> Option<(&'static str, String)> {
        let size = self.content.size();
        if size == 0 {
            return Some(("base64", "the file is empty".to_owned()));
        }
        if size > most {
            return Some(("base64", format!("the file has {size} bytes, and at most {most} are sent")));
        }
        let (Some(told), Content::Bytes(bytes)) = (&self.content_type, &self.content) else { return None };
        let media = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (_, beginnings) = BEGINNINGS.iter().find(|(known, _)| *known == media)?;
        let lies = !beginnings.iter().any(|beginning| bytes.starts_with(beginning));
        lies.then(|| ("contentType", format!("the bytes do not begin as those of {media} do")))
    }
}

impl Content {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Source(source) => source.size(),
        }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size())
    }
}

impl Files {
    pub(crate) fn get(&self, name: &str) -> Option<&Upload> {
        self.0.iter().find(|(input, _)| input == name).map(|(_, upload)| upload)
    }

    /// Puts what stands for the files that come beside the input into it, so that the input is checked as a whole.
    pub(crate) fn beside(
        attached: Vec<(String, Upload)>,
        fields: &[&Field],
        input: &mut Map<String, Value>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut files = Vec::with_capacity(attached.len());
        for (name, upload) in attached {
            let at = format!("/{}", crate::input::escaped(&name));
            if !fields.iter().any(|field| field.name == name && field.shape.is_file()) {
                let takers: Vec<&str> = fields.iter().filter(|field| field.shape.is_file()).map(|field| field.name).collect();
                let what =
                    if takers.is_empty() { "no input takes one".to_owned() } else { crate::action::listed(&takers, "or") + " takes one" };
                faults.push(Fault::new(at, format!("there is a file for it, and {what}")));
            } else if input.contains_key(&name) {
                faults.push(Fault::new(at, "is given twice: in the input, and as a file beside it"));
            } else {
                let mut stands = upload.told();
                // The schema wants bytes; those beside the input are not copied into it.
                stands["base64"] = "AA==".into();
                input.insert(name.clone(), stands);
                files.push((name, upload));
            }
        }
        Self(files)
    }

    /// Reads the files within the input, which has passed its schema, and says what is wrong with any of them.
    pub(crate) fn read(&mut self, fields: &[&Field], input: &mut Map<String, Value>, most: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        for field in fields.iter().filter(|field| field.shape.is_file()) {
            let Some(given) = input.get_mut(field.name) else { continue };
            let mut wrong = |member: &str, message: String| faults.push(Fault::new(format!("/{}/{member}", field.name), message));
            if let Some(upload) = self.get(field.name) {
                if let Some((_, message)) = upload.fault(most) {
                    faults.push(Fault::new(format!("/{}", field.name), message));
                }
                *given = upload.told();
                continue;
            }
            let text = |name: &str| given[name].as_str().map(str::to_owned);
            let bytes = match BASE64.decode(given["base64"].as_str().unwrap_or_default()) {
                Ok(bytes) => bytes,
                Err(error) => {
                    wrong("base64", format!("is not base64: {error}"));
                    continue;
                }
            };
            if let Some(size) = given["size"].as_u64().filter(|size| *size != bytes.len() as u64) {
                wrong("size", format!("says {size} bytes, and there are {}", bytes.len()));
            }
            let content = Content::Bytes(bytes.into());
            let upload = Upload { file_name: text("fileName").unwrap_or_default(), content_type: text("contentType"), content };
            if let Some((member, message)) = upload.fault(most) {
                wrong(member, message);
            }
            self.0.push((field.name.to_owned(), upload));
        }
        faults
    }
}

/// The name that a header gives to a file, without any folder.
pub(crate) fn named(disposition: &str) -> Option<String> {
    let parameters =
        || disposition.split(';').skip(1).filter_map(|part| part.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
    let encoded = parameters().find(|(name, _)| name.eq_ignore_ascii_case("filename*")).and_then(|(_, value)| {
        let text = value.trim_matches('"').splitn(3, '\'').nth(2)?;
        Some(percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned())
    });
    let plain =
        || parameters().find(|(name, _)| name.eq_ignore_ascii_case("filename")).map(|(_, value)| value.trim_matches('"').to_owned());
    let name = encoded.or_else(plain)?;
    let name: String = name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|letter| !letter.is_control()).collect();
    (!matches!(name.trim(), "" | "." | "..")).then(|| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_either_form_and_keeps_no_folder() {
        for (header, name) in [
            (r#"attachment; filename="offer.pdf""#, Some("offer.pdf")),
            ("attachment; filename=offer.pdf", Some("offer.pdf")),
            (r#"attachment; filename="x"; filename*=UTF-8''caf%C3%A9%20menu.pdf"#, Some("café menu.pdf")),
            (r#"attachment; filename="../../etc/passwd""#, Some("passwd")),
            (r#"attachment; filename="..""#, None),
            ("attachment", None),
        ] {
            assert_eq!(named(header).as_deref(), name, "{header}");
        }
    }

    #[test]
    fn a_media_type_that_lies_is_told() {
        let lie = Upload::bytes("a.png", &b"%PDF-1.7"[..]).with_content_type("image/png; q=1");
        assert_eq!(lie.fault(100).map(|(member, _)| member), Some("contentType"));
        assert!(Upload::bytes("a.png", &b"%PDF-1.7"[..]).with_content_type("application/pdf").fault(100).is_none());
        assert!(Upload::bytes("a.txt", &b"text"[..]).with_content_type("text/plain").fault(100).is_none());
    }
}
