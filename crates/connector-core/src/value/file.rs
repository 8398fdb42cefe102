//! Files: bytes with a name and a media type, to send or to fetch.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

/// A file to send, as an engine has it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upload {
    /// The name, without a folder.
    pub file_name: String,
    /// The media type. Without one, the name decides.
    pub content_type: Option<String>,
    /// The content.
    pub content: Content,
}

/// The content of a file.
#[derive(Clone)]
#[non_exhaustive]
pub enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A source that is read while it is sent.
    Source(Arc<dyn Source>),
}

/// A source of bytes. It is opened again if a request is sent again.
pub trait Source: Send + Sync {
    /// Returns the number of bytes.
    fn size(&self) -> u64;
    /// Opens a reader at the first byte.
    fn open(&self) -> io::Result<Box<dyn AsyncRead + Send + Unpin>>;
}

/// A destination of a fetched file, in place of the outcome.
pub type Sink = Box<dyn AsyncWrite + Send + Unpin>;

impl Upload {
    /// Builds a file from bytes in memory.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { file_name: file_name.into(), content_type: None, content: Content::Bytes(bytes.into()) }
    }

    /// Builds a file that is read while it is sent.
    pub fn source(file_name: impl Into<String>, source: impl Source + 'static) -> Self {
        Self { file_name: file_name.into(), content_type: None, content: Content::Source(Arc::new(source)) }
    }

    /// Sets the media type.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Returns the media type that was given, else the one of the name.
    pub(crate) fn media_type(&self) -> String {
        let guess = || mime_guess::from_path(&self.file_name).first_raw().unwrap_or("application/octet-stream").to_owned();
        self.content_type.clone().unwrap_or_else(guess)
    }
}

impl Content {
    /// Returns the number of bytes.
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

/// Reads the name of a file from a `content-disposition` header, without any folder.
pub(crate) fn read_file_name(disposition: &str) -> Option<String> {
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
    fn reads_a_file_name_from_either_form_and_drops_folders() {
        for (header, name) in [
            (r#"attachment; filename="offer.pdf""#, Some("offer.pdf")),
            ("attachment; filename=offer.pdf", Some("offer.pdf")),
            (r#"attachment; filename="x"; filename*=UTF-8''caf%C3%A9%20menu.pdf"#, Some("café menu.pdf")),
            (r#"attachment; filename="../../etc/passwd""#, Some("passwd")),
            (r#"attachment; filename="..""#, None),
            ("attachment", None),
        ] {
            assert_eq!(read_file_name(header).as_deref(), name, "{header}");
        }
    }
}
