//! Invocations as lines, as they come from stdin or in the body of a request.

use std::io;

use connector_core::{Error, ErrorKind, Outcome, Runtime};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// A longer line than this is refused, so that one line cannot fill the memory.
pub(crate) const LONGEST_LINE: usize = 64 << 20;

/// One line: an invocation, or what should be one.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Text(Vec<u8>),
    TooLong,
}

impl Line {
    pub(crate) fn invoke(self, runtime: &Runtime) -> impl Future<Output = Outcome> + Send + use<> {
        let call = match self {
            Self::Text(text) => Ok(runtime.invoke_json(&text)),
            Self::TooLong => Err(Error::new(ErrorKind::InvalidInvocation, "The line is longer than 64 MiB.")
                .with_hint("Is a line break missing? Each invocation is one line.")),
        };
        async move {
            match call {
                Ok(call) => call.await,
                Err(error) => Outcome::refused(error),
            }
        }
    }
}

/// Lines that hold something, each at most [`LONGEST_LINE`] long.
pub(crate) struct Lines<R> {
    reader: R,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(crate) fn of(reader: R) -> Self {
        Self { reader }
    }

    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        loop {
            let part = self.reader.fill_buf().await?;
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(part.len());
            // One byte over is kept, so that what is too long is told from what just fits.
            let room = (LONGEST_LINE + 1).saturating_sub(line.len());
            line.extend_from_slice(&part[..taken.min(room)]);
            let over = part.is_empty() || end.is_some();
            self.reader.consume(taken + usize::from(end.is_some()));
            if !over {
                continue;
            }
            let blank = line.iter().all(u8::is_ascii_whitespace);
            match (blank, end) {
                (true, None) => return Ok(None),
                (true, Some(_)) => line.clear(),
                (false, _) if line.len() > LONGEST_LINE => return Ok(Some(Line::TooLong)),
                (false, _) => return Ok(Some(Line::Text(line))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn lines_are_cut_at_line_breaks_and_at_the_cap() {
        let long = vec![b'x'; LONGEST_LINE + 10];
        let text = [b"one\n\n  \r\ntwo\n", &long[..], b"\nthree"].concat();
        let mut lines = Lines::of(&text[..]);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.expect("memory can be read") {
            read.push(line);
        }
        let text = |text: &[u8]| Line::Text(text.to_vec());
        assert_eq!(read, [text(b"one"), text(b"two"), Line::TooLong, text(b"three")]);
    }
}
