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

/// The marks of media types, and the number of other bytes that readers pass over before a mark.
const MARKS: [(&str, usize, &[&[u8]]); 7] = [
    ("application/pdf", 1024, &[b"%PDF-"]),
    ("application/zip", 0, &[b"PK\x03\x04", b"PK\x05\x06"]),
    ("image/bmp", 0, &[b"BM"]),
    ("image/gif", 0, &[b"GIF87a", b"GIF89a"]),
    ("image/jpeg", 0, &[b"\xff\xd8\xff"]),
    ("image/png", 0, &[b"\x89PNG\r\n\x1a\n"]),
    ("image/webp", 0, &[b"RIFF"]),
];

impl Upload {
    /// Describes a file whose bytes are not in the input.
    pub(crate) fn describe(&self) -> Value {
        json!({"fileName": self.file_name, "contentType": self.media_type(), "size": self.content.size()})
    }

    /// Finds a fault of the file's size.
    fn find_fault(&self, largest: u64) -> Option<String> {
        match self.content.size() {
            0 => Some("the file is empty".to_owned()),
            size if size > largest => Some(format!("the file has {size} bytes, and at most {largest} are sent")),
            _ => None,
        }
    }

    /// Finds the media type that was given and that the bytes do not show.
    ///
    /// The caller may know better, so that it is no fault.
    fn find_doubtful_type(&self) -> Option<String> {
        let (Some(content_type), Content::Bytes(bytes)) = (&self.content_type, &self.content) else { return None };
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (_, most_before, marks) = MARKS.iter().find(|(known, ..)| *known == media_type)?;
        let has = |mark: &&[u8]| (0..=*most_before).any(|at| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark)));
        (!marks.iter().any(has)).then_some(media_type)
    }
}

impl Files {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Upload)> {
        self.0.iter().map(|(input, upload)| (input.as_str(), upload))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Upload> {
        self.0.iter().find(|(input, _)| input == name).map(|(_, upload)| upload)
    }

    /// Lists a warning for each file whose bytes do not show its media type.
    pub(crate) fn list_doubts(&self) -> impl Iterator<Item = String> {
        self.iter().filter_map(|(input, upload)| {
            let media_type = upload.find_doubtful_type()?;
            Some(format!("The file of `{input}` travels as {media_type}, but its bytes do not look like that."))
        })
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
                faults.extend(upload.find_fault(largest).map(|message| Fault::new(format!("/{}", field.name), message)));
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
            if let Some(message) = upload.find_fault(largest) {
                refuse(CONTENT, message);
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
    fn doubts_a_media_type_that_the_bytes_do_not_show() {
        let doubt = |media_type: &str, bytes: &[u8]| Upload::bytes("a", bytes.to_vec()).with_content_type(media_type).find_doubtful_type();
        assert_eq!(doubt("image/png; q=1", b"%PDF-1.7"), Some("image/png".to_owned()));
        assert_eq!(doubt("application/pdf", b"text"), Some("application/pdf".to_owned()));
        assert_eq!(doubt("application/pdf", &[&[b'\n'; 1025][..], b"%PDF-1.7"].concat()), Some("application/pdf".to_owned()));
        for (media_type, bytes) in [
            ("application/pdf", &b"%PDF-1.7"[..]),
            // A scanner or a mail gateway may write before the header, and readers take it within the first kilobyte.
            ("application/pdf", &[&[b'\n'; 1024][..], b"%PDF-1.7"].concat()),
            ("text/plain", b"text"),
        ] {
            assert_eq!(doubt(media_type, bytes), None, "{media_type}");
        }
    }
}
