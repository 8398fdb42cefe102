//! `connector completion`: scripts for shells, and the words that they ask for.
//!
//! The scripts know nothing of the program: they hand over the words of the line, and show what comes back.

use clap::{Arg, Command};
use connector_core::run::Entry;
use serde_json::Value;

use crate::setup::accounts::Accounts;
use crate::terminal::arguments::read_key;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::Linked;
use crate::terminal::schema::resolve;
use crate::terminal::stdout;

/// The characters of a description that stand beside a word.
const DESCRIBED: usize = 60;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script of a shell.
pub(super) fn print_script(shell: Shell) -> Result<Exit, Failure> {
    stdout::print(match shell {
        Shell::Bash => include_str!("shells/connector.bash"),
        Shell::Zsh => include_str!("shells/connector.zsh"),
        Shell::Fish => include_str!("shells/connector.fish"),
    })
}

/// A word that may stand next, and what it is.
#[derive(Debug)]
struct Candidate {
    word: String,
    help: String,
}

impl Candidate {
    fn new(word: impl Into<String>, help: &str) -> Self {
        let help = help.split(['.', '\n']).next().unwrap_or_default();
        Self { word: word.into(), help: connector_core::wording::shorten(help, DESCRIBED) }
    }
}

/// The words of a line before the last one, read as the program would read them.
struct LineSoFar<'a> {
    command: &'a Command,
    /// The flag whose value comes next.
    open: Option<&'a Arg>,
    positionals: Vec<&'a str>,
}

impl<'a> LineSoFar<'a> {
    fn read(root: &'a Command, words: &'a [String]) -> Self {
        let mut line = Self { command: root, open: None, positionals: Vec::new() };
        for word in words {
            if line.open.take().is_some() {
                continue;
            }
            match word.strip_prefix("--") {
                Some(flag) => line.open = line.find_flag(flag),
                None if word.starts_with('-') && word.len() > 1 => {}
                None => match line.command.find_subcommand(word).filter(|_| line.positionals.is_empty()) {
                    Some(inner) => line.command = inner,
                    None => line.positionals.push(word),
                },
            }
        }
        line
    }

    /// Finds the flag of a name, if it takes a value.
    fn find_flag(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|arg| arg.get_long() == Some(name) && arg.get_action().takes_values())
    }

    /// Finds the positional argument that comes next.
    fn find_positional(&self) -> Option<&'a Arg> {
        let mut all = self.command.get_positionals();
        let last = self.command.get_positionals().last();
        all.nth(self.positionals.len()).or(last.filter(|arg| arg.get_num_args().is_some_and(|count| count.max_values() > 1)))
    }
}

/// Prints the words that may stand in place of the last one, a line each, with a tab and what each is.
pub(super) async fn print_candidates(linked: Linked, mut command: Command, words: &[String]) -> Result<Exit, Failure> {
    command.build();
    let Some((last, before)) = words.split_last() else { return Ok(Exit::Ok) };
    let line = LineSoFar::read(&command, before);
    let flag = last.strip_prefix("--").and_then(|flag| flag.split_once('='));
    let candidates = match (line.open, flag) {
        (Some(open), _) => list_values(linked, &line, open, "").await?,
        (None, Some((flag, _))) => match line.find_flag(flag) {
            Some(arg) => list_values(linked, &line, arg, &format!("--{flag}=")).await?,
            None => Vec::new(),
        },
        (None, None) if last.starts_with('-') => list_flags(line.command),
        (None, None) if line.command.has_subcommands() => {
            let shown = line.command.get_subcommands().filter(|inner| !inner.is_hide_set());
            shown.map(|inner| Candidate::new(inner.get_name(), &help_of(inner.get_about()))).collect()
        }
        (None, None) => match line.find_positional() {
            Some(arg) if arg.get_id() == "inputs" => list_inputs(linked, &line.positionals, last)?,
            Some(arg) => list_values(linked, &line, arg, "").await?,
            None => Vec::new(),
        },
    };
    let fitting = candidates.iter().filter(|candidate| candidate.word.starts_with(last.as_str()));
    let text: String = fitting.map(|Candidate { word, help }| format!("{word}\t{help}\n")).collect();
    stdout::write(text.as_bytes()).map(|()| Exit::Ok)
}

fn help_of(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}

fn list_flags(command: &Command) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| Some(Candidate::new(format!("--{}", arg.get_long()?), &help_of(arg.get_help())))).collect()
}

/// Lists the values of an argument: keys, connectors and connections of this machine, or the words that it takes.
async fn list_values(linked: Linked, line: &LineSoFar<'_>, arg: &Arg, prefix: &str) -> Result<Vec<Candidate>, Failure> {
    let with_prefix = |word: &str, help: &str| Candidate::new(format!("{prefix}{word}"), help);
    Ok(match (line.command.get_name(), arg.get_id().as_str()) {
        ("invoke", "action") | ("describe", "key") => list_keys(linked)?,
        (_, "connection") => Accounts::list_names(linked).await?.iter().map(|name| with_prefix(name, "")).collect(),
        (_, "connector") => linked.all().iter().map(|one| with_prefix(one.key(), one.connector.label)).collect(),
        _ => {
            let values = arg.get_possible_values();
            let shown = values.iter().filter(|value| !value.is_hide_set());
            shown.map(|value| with_prefix(value.get_name(), &help_of(value.get_help()))).collect()
        }
    })
}

/// Lists the keys; with their connector too, where several have one.
fn list_keys(linked: Linked) -> Result<Vec<Candidate>, Failure> {
    let catalogue = linked.build_catalogue()?;
    let key = |entry: &Entry| match catalogue.find(None, entry.key()) {
        Ok(_) => entry.key().to_owned(),
        Err(_) => format!("{}/{}", entry.connector().key, entry.key()),
    };
    Ok(catalogue.entries().iter().map(|entry| Candidate::new(key(entry), entry.description())).collect())
}

/// Lists the inputs of an action as `NAME=`, or the values of the one whose name is written.
fn list_inputs(linked: Linked, positionals: &[&str], last: &str) -> Result<Vec<Candidate>, Failure> {
    let Some((action, given)) = positionals.split_first() else { return Ok(Vec::new()) };
    let catalogue = linked.build_catalogue()?;
    let (connector, key) = read_key(action, None)?;
    let Ok(entry) = catalogue.find(connector, key) else { return Ok(Vec::new()) };
    let schema = entry.input_schema();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let Some((name, written)) = last.split_once('=') else {
        let is_given = |name: &str| given.iter().any(|word| word.split(['=', ':', '.']).next() == Some(name));
        let open = properties.filter(|(name, _)| !is_given(name));
        let describe = |property: &Value| property["description"].as_str().unwrap_or_default().to_owned();
        return Ok(open.map(|(name, property)| Candidate::new(format!("{name}="), &describe(property))).collect());
    };
    // The items of a list stand with commas between them.
    let before = written.rfind(',').map_or("", |comma| &written[..=comma]);
    let property = resolve(&schema["properties"][name], &schema);
    let (values, before) = match property["type"].as_str() {
        Some("array") => (list_enum(resolve(&property["items"], &schema)), before),
        _ => (list_enum(property), ""),
    };
    Ok(values.iter().map(|value| Candidate::new(format!("{name}={before}{value}"), "")).collect())
}

/// Lists the values of a closed set, as texts.
fn list_enum(schema: &Value) -> Vec<String> {
    let is_boolean = schema["type"] == "boolean";
    let values = schema["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null());
    let written = values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    written.chain(["true", "false"].into_iter().filter(|_| is_boolean).map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_as_the_program_does() {
        let mut root = Command::new("root").subcommand(
            Command::new("do")
                .arg(Arg::new("view").long("view").value_parser(["a", "b"]))
                .arg(Arg::new("quiet").long("quiet").action(clap::ArgAction::SetTrue))
                .arg(Arg::new("key"))
                .arg(Arg::new("inputs").num_args(0..)),
        );
        root.build();
        for (words, command, open, positionals, next) in [
            (&[][..], "root", None, 0, None),
            (&["do"], "do", None, 0, Some("key")),
            (&["do", "--view"], "do", Some("view"), 0, Some("key")),
            (&["do", "--view", "a", "--quiet", "k"], "do", None, 1, Some("inputs")),
            (&["do", "k", "a=1", "b=2"], "do", None, 3, Some("inputs")),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let line = LineSoFar::read(&root, &words);
            assert_eq!((line.command.get_name(), line.positionals.len()), (command, positionals), "{words:?}");
            assert_eq!(line.open.map(|arg| arg.get_id().as_str()), open, "{words:?}");
            assert_eq!(line.find_positional().map(|arg| arg.get_id().as_str()), next, "{words:?}");
        }
    }
}
