//! Files that are read while they are sent.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::value::error::{Error, ErrorKind};
use crate::value::file::Source;

/// The reason why a file could not be read whole, once it is known. Then its request was cut before its end.
#[derive(Default)]
pub(super) struct ReadFailure(Option<KnownFailure>);

type KnownFailure = Arc<OnceLock<io::Error>>;

impl ReadFailure {
    /// Opens a file, whose failures it keeps.
    pub(super) fn open(&mut self, source: &dyn Source) -> Result<FileParts, Error> {
        let reader = source.open().map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "A file to send cannot be opened.")
                .with_hint("It may have been moved since the call began.")
                .with_source(error)
        })?;
        Ok(FileParts { parts: ReaderStream::new(reader), left: source.size(), failure: Arc::clone(self.0.get_or_insert_default()) })
    }

    /// Explains a request that broke. If a file is the reason, the vendor got no whole request and did nothing.
    pub(super) fn explain(&self, failed: Error) -> Error {
        let Some(error) = self.0.as_ref().and_then(|known| known.get()) else { return failed };
        Error::new(ErrorKind::InvalidInput, "A file to send could not be read to its end.")
            .with_hint("Nothing was changed, since the request was cut off there: check the file, and try again.")
            .with_source(io::Error::new(error.kind(), error.to_string()))
    }
}

/// The content of a file, which must be as long as it was said to be.
pub(super) struct FileParts {
    parts: ReaderStream<Box<dyn AsyncRead + Send + Unpin>>,
    left: u64,
    failure: KnownFailure,
}

impl FileParts {
    fn fail(&self, error: io::Error) -> io::Error {
        let copy = io::Error::new(error.kind(), error.to_string());
        // The first failure is the cause of those that follow.
        let _ = self.failure.set(error);
        copy
    }
}

impl Stream for FileParts {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let part = ready!(Pin::new(&mut self.parts).poll_next(context));
        Poll::Ready(match part {
            Some(Ok(part)) => Some(match self.left.checked_sub(part.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Ok(part)
                }
                None => Err(self.fail(io::Error::new(io::ErrorKind::InvalidData, "the file is longer than it was"))),
            }),
            Some(Err(error)) => Some(Err(self.fail(error))),
            None if self.left > 0 => Some(Err(self.fail(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than it was")))),
            None => None,
        })
    }
}
