//! Results on stdout.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::render;

/// Prints a text, without its colors where stdout is no terminal.
pub(crate) fn print(text: &str) -> Result<Exit, Failure> {
    let mut bytes = if std::io::stdout().is_terminal() { text.into() } else { anstream::adapter::strip_str(text).to_string().into_bytes() };
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    write(&bytes)?;
    Ok(Exit::Ok)
}

/// Prints a value as indented JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<Exit, Failure> {
    print(&serde_json::to_string_pretty(value).expect("a value is written to memory"))
}

/// Prints rows under headings. Where there are no rows, stderr says so.
pub(crate) fn print_table(headings: &[&str], rows: &[Vec<String>], none: &str) -> Result<Exit, Failure> {
    if rows.is_empty() {
        render::say(none);
        return Ok(Exit::Ok);
    }
    print(&render::table(headings, rows))
}

/// Writes bytes as they are, at once.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    match try_write(bytes) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::silent()),
        Err(error) => Err(Failure::host(format!("stdout: {error}"))),
    }
}

/// Writes bytes as they are, at once. The reader may have gone.
pub(crate) fn try_write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}
