//! Results on stdout.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

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

/// Ends the last line of stdout if that is a file, and the line has no break: a kill left a part of it.
///
/// Where the file cannot be read, nothing is done.
pub(crate) fn end_torn_line() -> io::Result<()> {
    match read_last_byte() {
        Ok(Some(last)) if last != b'\n' => try_write(b"\n"),
        _ => Ok(()),
    }
}

/// Reads the last byte of stdout, if it is a file that has one.
fn read_last_byte() -> io::Result<Option<u8>> {
    let facts = File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()?;
    if !facts.is_file() || facts.len() == 0 {
        return Ok(None);
    }
    let mut file = File::open("/dev/stdout")?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(Some(last[0]))
}
