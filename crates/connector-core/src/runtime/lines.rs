//! Invocations as lines of text, as a program reads them from stdin or from the body of a request.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::value::error::{Error, ErrorKind};
use crate::value::invocation::Invocation;
use crate::value::options::Priority;
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
    /// Reads the line as an invocation, which has a priority unless it names another.
    ///
    /// The error is the outcome of a line that is no invocation.
    pub fn read(&self, priority: Priority) -> Result<Invocation, Box<Outcome>> {
        match self {
            Self::Text(text) => Invocation::read_json(text, priority),
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
    place: LinePlace,
}

/// The place of a line in its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinePlace {
    /// The number of the line, from 1. Blank lines count.
    pub number: u64,
    /// The number of bytes up to the end of the line, its line break included.
    pub end: u64,
    /// `true` if a line break ends it. The last line may have none.
    pub is_ended: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads lines of at most `limit` bytes.
    pub fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, place: LinePlace::default() }
    }

    /// Returns the place of the line that was read last.
    pub fn place(&self) -> LinePlace {
        self.place
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
            let consumed = taken + usize::from(end.is_some());
            self.reader.consume(consumed);
            self.place.end += consumed as u64;
            if !is_complete {
                continue;
            }
            self.place.number += 1;
            self.place.is_ended = end.is_some();
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
        let (mut read, mut places) = (Vec::new(), Vec::new());
        while let Some(line) = lines.next().await.expect("memory can be read") {
            read.push(line);
            places.push((lines.place().number, lines.place().end, lines.place().is_ended));
        }
        let text = |text: &[u8]| Line::Text(text.to_vec());
        assert_eq!(read, [text(b"one"), text(b"two"), Line::TooLong(5), text(b"fiver")]);
        assert_eq!(places, [(1, 4, true), (4, 13, true), (5, 20, true), (6, 25, false)], "blank lines count");
    }
}
