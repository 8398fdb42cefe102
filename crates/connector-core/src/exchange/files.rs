//! Files of a call: those that come beside the input, and those within it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

use crate::declare::field::Field;
use crate::value::fault::{Fault, FaultCode};
use crate::value::file::{Content, Upload};
use crate::value::pointer::escape_segment;
use crate::value::wording::list_names;

/// The files of a call, by the name of the input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(Vec<(String, Upload)>);

/// The member of a file in the input that holds its bytes.
pub(crate) const CONTENT: &str = "base64";

/// Base64 that takes padding or none: some encoders write `=` at the end and some do not.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The first bytes of files, by media type.
const BEGINNINGS: [(&str, &[&[u8]]); 7] = [
    ("application/pdf", &[b"%PDF-"]),
    ("application/zip", &[b"PK\x03\x04", b"PK\x05\x06"]),
    ("image/bmp", &[b"BM"]),
    ("image/gif", &[b"GIF87a", b"GIF89a"]),
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/webp", &[b"RIFF"]),
];

impl Upload {
    /// Describes a file whose bytes are not in the input.
    pub(crate) fn describe(&self) -> Value {
        json!({"fileName": self.file_name, "contentType": self.media_type(), "size": self.content.size()})
    }

    /// Finds a fault of the file: the member of the input that has it, and the message.
    fn find_fault(&self, largest: u64) -> Option<(&'static str, String)> {
        let size = self.content.size();
        if size == 0 {
            return Some((CONTENT, "the file is empty".to_owned()));
        }
        if size > largest {
            return Some((CONTENT, format!("the file has {size} bytes, and at most {largest} are sent")));
        }
        let (Some(content_type), Content::Bytes(bytes)) = (&self.content_type, &self.content) else { return None };
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (_, beginnings) = BEGINNINGS.iter().find(|(known, _)| *known == media_type)?;
        let fits = beginnings.iter().any(|beginning| bytes.starts_with(beginning));
        (!fits).then(|| ("contentType", format!("the bytes do not begin as those of {media_type} do")))
    }
}

impl Files {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Upload)> {
        self.0.iter().map(|(input, upload)| (input.as_str(), upload))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Upload> {
        self.0.iter().find(|(input, _)| input == name).map(|(_, upload)| upload)
    }

    /// Takes the files that come beside the input, and describes each of them in the input.
    ///
    /// A file may come either way, so the schema for checks requires no bytes. They are checked here.
    pub(crate) fn attach(
        attached: Vec<(String, Upload)>,
        fields: &[&Field],
        input: &mut Map<String, Value>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let file_inputs = || fields.iter().filter(|field| field.shape.is_file()).map(|field| field.name);
        for name in file_inputs() {
            let Some(file) = input.get(name).and_then(Value::as_object) else { continue };
            let code = match file.get(CONTENT) {
                None => FaultCode::Missing,
                Some(Value::Null) => FaultCode::NullRequired,
                Some(_) => continue,
            };
            faults.push(Fault::at(format!("/{name}/{CONTENT}"), code));
        }
        let mut files = Vec::with_capacity(attached.len());
        for (name, upload) in attached {
            let at = format!("/{}", escape_segment(&name));
            if !file_inputs().any(|known| known == name) {
                let known: Vec<&str> = file_inputs().collect();
                let what = if known.is_empty() { "no input takes one".to_owned() } else { list_names(&known, "or") + " takes one" };
                faults.push(Fault::new(at, format!("there is a file for it, and {what}")));
            } else if input.contains_key(&name) {
                faults.push(Fault::new(at, "is given twice: in the input, and as a file beside it"));
            } else {
                input.insert(name.clone(), upload.describe());
                files.push((name, upload));
            }
        }
        Self(files)
    }

    /// Decodes the files within an input that fits its schema, and finds the faults of all files.
    pub(crate) fn decode(&mut self, fields: &[&Field], input: &Map<String, Value>, largest: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        for field in fields.iter().filter(|field| field.shape.is_file()) {
            let Some(file) = input.get(field.name) else { continue };
            let mut refuse = |member: &str, message: String| faults.push(Fault::new(format!("/{}/{member}", field.name), message));
            if let Some(upload) = self.get(field.name) {
                if let Some((_, message)) = upload.find_fault(largest) {
                    faults.push(Fault::new(format!("/{}", field.name), message));
                }
                continue;
            }
            let text = |name: &str| file[name].as_str().map(str::to_owned);
            let bytes = match BASE64.decode(file[CONTENT].as_str().unwrap_or_default()) {
                Ok(bytes) => bytes,
                Err(error) => {
                    refuse(CONTENT, format!("is not base64: {error}"));
                    continue;
                }
            };
            if let Some(size) = file["size"].as_u64().filter(|size| *size != bytes.len() as u64) {
                refuse("size", format!("says {size} bytes, and there are {}", bytes.len()));
            }
            let content = Content::Bytes(bytes.into());
            let upload = Upload { file_name: text("fileName").unwrap_or_default(), content_type: text("contentType"), content };
            if let Some((member, message)) = upload.find_fault(largest) {
                refuse(member, message);
            }
            self.0.push((field.name.to_owned(), upload));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_media_type_that_the_bytes_contradict() {
        let contradicted = Upload::bytes("a.png", &b"%PDF-1.7"[..]).with_content_type("image/png; q=1");
        assert_eq!(contradicted.find_fault(100).map(|(member, _)| member), Some("contentType"));
        assert!(Upload::bytes("a.png", &b"%PDF-1.7"[..]).with_content_type("application/pdf").find_fault(100).is_none());
        assert!(Upload::bytes("a.txt", &b"text"[..]).with_content_type("text/plain").find_fault(100).is_none());
    }
}
