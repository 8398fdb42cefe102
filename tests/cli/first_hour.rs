//! The guide of the first hour: each command that it shows is run, and prints what it shows.

use std::fmt::Write as _;
use std::process::Command;

use crate::support::process::{isolate, run_with_stdin};
use crate::support::repository::path;

const GUIDE: &str = "docs/guide/first-hour.md";

/// A folder in which the commands of the guide run one after the other, like those of one person.
struct Hour(tempfile::TempDir);

impl Hour {
    fn begin() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let programs = folder.path().join("bin");
        std::fs::create_dir(&programs).expect("a folder can be created");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_connector"), programs.join("connector")).expect("a link can be created");
        Self(folder)
    }

    /// Runs a line in a shell, and returns what it prints, without what differs from run to run.
    fn run(&self, line: &str) -> String {
        let folder = self.0.path();
        let mut command = Command::new("sh");
        isolate(&mut command, &folder.join("data"));
        let programs = std::env::join_paths(
            std::iter::once(folder.join("bin")).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        command.args(["-c", line]).current_dir(folder).env("PATH", programs.expect("paths"));
        let output = run_with_stdin(command, b"");
        let text = [output.stderr, output.stdout].concat();
        let text = String::from_utf8(text).expect("it is text").replace("\r\n", "\n");
        let text = text.replace(&folder.join("data").display().to_string(), "~/.local/share/connector");
        mask_durations(&text)
    }
}

/// Replaces the milliseconds of `"elapsedMs":12` and `"ageMs":12`.
fn mask_durations(text: &str) -> String {
    const END_OF_NAME: &str = "Ms\":";
    let mut parts = text.split(END_OF_NAME);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let _ = write!(out, "{END_OF_NAME}…{}", part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    out
}

/// Writes the guide anew: below each command what it prints now.
fn rewrite(guide: &str, hour: &Hour) -> String {
    let (mut out, mut is_console) = (String::new(), false);
    for line in guide.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if is_console {
            // Lines that a command printed before are left out.
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let _ = write!(out, "{line}\n{}", hour.run(command));
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[test]
fn every_command_of_the_guide_prints_what_it_shows() {
    let file = path(GUIDE);
    let guide = std::fs::read_to_string(&file).expect("the guide can be read");
    let now = rewrite(&guide, &Hour::begin());
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        return std::fs::write(file, now).expect("the guide can be written");
    }
    let difference = guide.lines().zip(now.lines()).enumerate().find(|(_, (shown, printed))| shown != printed);
    assert!(guide == now, "{GUIDE} is out of date: run `just fixtures`, and read the difference: {difference:?}");
}
