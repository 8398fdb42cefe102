//! A page: its blocks of code, and what they do in an empty home.

use std::path::Path;
use std::process::Command;

use super::shown::Shown;
use crate::support::process::{isolate, run_with_stdin, stderr_text};

/// The last line of a script that is meant to fail, before its code.
const EXIT_CODE: &str = "# exit code ";

/// A page of Markdown.
pub(super) struct Page {
    path: String,
    blocks: Vec<Block>,
    /// Mistakes in how its blocks are written.
    faults: Vec<String>,
}

/// A block of code, and the number of its first line.
struct Block {
    line: usize,
    content: Content,
}

enum Content {
    /// Commands for a shell, and what they print, if the page shows it.
    Script(String, Option<Shown>),
    /// A file: its name and its text.
    File(String, String),
}

impl Page {
    /// Reads the pages of a folder.
    pub(super) fn read_all(folder: &Path) -> Vec<Self> {
        let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files = files.map(|file| file.expect("the folder can be listed").path());
        let pages = files.filter(|file| file.extension().is_some_and(|extension| extension == "md"));
        pages.map(|page| Self::parse(&page.display().to_string(), &std::fs::read_to_string(&page).expect("a page is text"))).collect()
    }

    pub(super) fn parse(path: &str, text: &str) -> Self {
        let (mut blocks, mut faults): (Vec<Block>, Vec<String>) = (Vec::new(), Vec::new());
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(language) = line.strip_prefix("```") else { continue };
            let line = at + 1;
            let text: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let name = text.first().and_then(|first| first.strip_prefix("# ")?.strip_suffix(".py"));
            let text = text.join("\n") + "\n";
            match (language, blocks.last_mut()) {
                ("sh", _) => blocks.push(Block { line, content: Content::Script(text, None) }),
                ("python", _) => match name {
                    Some(name) => blocks.push(Block { line, content: Content::File(format!("{name}.py"), text) }),
                    None => faults.push(format!("{path}:{line}: begins with no comment that names its file")),
                },
                // The suite compiles a file that holds it.
                ("rust", _) => {}
                (_, Some(Block { content: Content::Script(_, shown @ None), .. })) => *shown = Some(Shown::parse(language, &text)),
                _ => faults.push(format!("{path}:{line}: shows what no command before it printed")),
            }
        }
        Self { path: path.to_owned(), blocks, faults }
    }

    pub(super) fn has_commands(&self) -> bool {
        self.blocks.iter().any(|block| matches!(block.content, Content::Script(..)))
    }

    /// Runs the blocks in an empty home, and finds those that fail or print something else.
    pub(super) fn find_faults(&self) -> Vec<String> {
        let home = Home::new();
        let mut found = self.faults.clone();
        for block in &self.blocks {
            match &block.content {
                Content::File(name, text) => std::fs::write(home.0.path().join(name), text).expect("the home can be written"),
                Content::Script(script, shown) => {
                    found.extend(home.find_fault(script, shown.as_ref()).map(|fault| format!("{}:{}: {fault}", self.path, block.line)));
                }
            }
        }
        found
    }
}

/// A home without an account, in which `connector` is the program of this build.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let programs = folder.path().join("bin");
        std::fs::create_dir(&programs).expect("the home can be written");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_connector"), programs.join("connector")).expect("the home can be written");
        Self(folder)
    }

    /// Runs a script, and finds that it fails or prints something else.
    fn find_fault(&self, script: &str, shown: Option<&Shown>) -> Option<String> {
        let folder = self.0.path();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let programs = std::env::join_paths([folder.join("bin")].into_iter().chain(std::env::split_paths(&others)));
        let mut command = Command::new("sh");
        isolate(&mut command, &folder.join("data"));
        command.args(["-ec", script]).current_dir(folder).env("HOME", folder).env("PATH", programs.expect("no path has a colon"));
        let output = run_with_stdin(command, b"");
        let printed = String::from_utf8_lossy(&output.stdout);
        let expected = script.lines().last().and_then(|last| last.strip_prefix(EXIT_CODE)?.parse().ok()).unwrap_or(0);
        let said = || format!("printed {}\n{}", printed.trim_end(), stderr_text(&output));
        match output.status.code() {
            Some(code) if code == expected => shown.filter(|shown| !shown.fits(&printed)).map(|_| said()),
            Some(code) => Some(format!("ended with exit code {code} and not {expected}; it {}", said())),
            None => Some(format!("was killed; it {}", said())),
        }
    }
}
