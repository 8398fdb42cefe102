//! Invocations as lines, as they come from stdin or in the body of a request.

use std::io;

use connector_core::{Error, ErrorKind, Outcome, Runtime};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// One line: an invocation, or what should be one.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Text(Vec<u8>),
    /// Longer than this many bytes.
    TooLong(usize),
}

impl Line {
    pub(crate) fn invoke(self, runtime: &Runtime) -> impl Future<Output = Outcome> + Send + use<> {
        let call = match self {
            Self::Text(text) => Ok(runtime.invoke_json(&text)),
            Self::TooLong(longest) => Err(Error::new(ErrorKind::InvalidInvocation, format!("The line is longer than {longest} bytes."))
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

/// Lines that hold something. One that is too long is refused, so that it cannot fill the memory.
pub(crate) struct Lines<R> {
    reader: R,
    longest: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(crate) fn of(reader: R, longest: usize) -> Self {
        Self { reader, longest }
    }

    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        loop {
            let part = self.reader.fill_buf().await?;
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(part.len());
            // One byte over is kept, so that what is too long is told from what just fits.
            let room = (self.longest + 1).saturating_sub(line.len());
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
                (false, _) if line.len() > self.longest => return Ok(Some(Line::TooLong(self.longest))),
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
        let text = b"one\n\n  \r\ntwo\nsixsix\nfiver";
        let mut lines = Lines::of(&text[..], 5);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.expect("memory can be read") {
            read.push(line);
        }
        let text = |text: &[u8]| Line::Text(text.to_vec());
        assert_eq!(read, [text(b"one"), text(b"two"), Line::TooLong(5), text(b"fiver")]);
    }
}
