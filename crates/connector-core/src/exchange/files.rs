//! The files of a call: those that come beside the input and those within it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

use crate::declare::field::Field;
use crate::value::fault::Fault;
use crate::value::file::{Content, Upload};
use crate::value::pointer::escape_segment;
use crate::value::wording::list_names;

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

impl Upload {
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
            let at = format!("/{}", escape_segment(&name));
            if !fields.iter().any(|field| field.name == name && field.shape.is_file()) {
                let takers: Vec<&str> = fields.iter().filter(|field| field.shape.is_file()).map(|field| field.name).collect();
                let what = if takers.is_empty() { "no input takes one".to_owned() } else { list_names(&takers, "or") + " takes one" };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_that_lies_is_told() {
        let lie = Upload::bytes("a.png", &b"%PDF-1.7"[..]).with_content_type("image/png; q=1");
        assert_eq!(lie.fault(100).map(|(member, _)| member), Some("contentType"));
        assert!(Upload::bytes("a.png", &b"%PDF-1.7"[..]).with_content_type("application/pdf").fault(100).is_none());
        assert!(Upload::bytes("a.txt", &b"text"[..]).with_content_type("text/plain").fault(100).is_none());
    }
}
