//! Invocations as lines of text, as a program reads them from stdin or from the body of a request.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::runtime::spine::Runtime;
use crate::value::error::{Error, ErrorKind};
use crate::value::invocation::Invocation;
use crate::value::outcome::Outcome;

/// One line of a stream of invocations.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// The text of the line, which should be an invocation.
    Text(Vec<u8>),
    /// A line that is longer than this limit in bytes; its text was not kept.
    TooLong(usize),
}

impl Line {
    /// Carries the line out. A line that is no invocation has an outcome too.
    pub fn invoke(self, runtime: &Runtime) -> impl Future<Output = Outcome> + Send + use<> {
        let call = self.read().map(|invocation| runtime.invoke(invocation));
        let call = call.inspect_err(|refused| runtime.record_refused(refused));
        async move {
            match call {
                Ok(call) => call.await,
                Err(refused) => *refused,
            }
        }
    }

    /// Reads the line as an invocation. The error is the outcome of a line that is none.
    pub fn read(self) -> Result<Invocation, Box<Outcome>> {
        match self {
            Self::Text(text) => Invocation::from_json(&text),
            Self::TooLong(limit) => {
                let error = Error::new(ErrorKind::InvalidInvocation, format!("The line is longer than {limit} bytes."));
                Err(Box::new(Outcome::from_error(error.with_hint("Is a line break missing? Each invocation is one line."))))
            }
        }
    }
}

/// A reader of lines that skips blank ones, and limits how much of a long line it keeps in memory.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    limit: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads lines of at most `limit` bytes.
    pub fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit }
    }

    /// Reads the next line that is not blank, or nothing at the end.
    ///
    /// Dropping the future loses what it has read of the line.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        loop {
            let part = self.reader.fill_buf().await?;
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(part.len());
            // One byte more than the limit is kept, which tells a line that is too long from one that just fits.
            let room = (self.limit + 1).saturating_sub(line.len());
            line.extend_from_slice(&part[..taken.min(room)]);
            let is_complete = part.is_empty() || end.is_some();
            self.reader.consume(taken + usize::from(end.is_some()));
            if !is_complete {
                continue;
            }
            let is_blank = line.iter().all(u8::is_ascii_whitespace);
            match (is_blank, end) {
                (true, None) => return Ok(None),
                (true, Some(_)) => line.clear(),
                (false, _) if line.len() > self.limit => return Ok(Some(Line::TooLong(self.limit))),
                (false, _) => return Ok(Some(Line::Text(line))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn splits_at_line_breaks_skips_blank_lines_and_cuts_at_the_limit() {
        let text = b"one\n\n  \r\ntwo\nsixsix\nfiver";
        let mut lines = Lines::new(&text[..], 5);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.expect("memory can be read") {
            read.push(line);
        }
        let text = |text: &[u8]| Line::Text(text.to_vec());
        assert_eq!(read, [text(b"one"), text(b"two"), Line::TooLong(5), text(b"fiver")]);
    }
}
