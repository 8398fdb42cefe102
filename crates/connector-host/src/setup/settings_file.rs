//! The file `connector.toml`: what it may hold, and where it is looked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use connector_core::wording::{find_nearest, list_names, quote};
use etcetera::BaseStrategy;
use toml::{Table, Value};

use crate::terminal::failure::Failure;
use crate::terminal::linked::Linked;
use crate::terminal::{env, settings};

/// The name of the file: in the working folder, else in the folder `connector` of the user's configuration.
const FILE: &str = "connector.toml";

/// The settings that a file may hold, by the name of their variable.
const KNOWN: [&str; 11] = [
    env::SANDBOX,
    env::API_DOMAIN,
    env::DATA_DIR,
    env::PROXY,
    env::CA_FILE,
    env::STORE,
    env::KEY_FILE,
    env::FORMER_KEY_FILE,
    env::CLIENT_ID,
    env::PUBLIC_URL,
    env::AUDIT,
];

/// The settings of one connector, in a table of its key.
const OF_CONNECTOR: [&str; 3] = [env::SANDBOX, env::API_DOMAIN, env::CLIENT_ID];

/// The settings that are secrets. A file is copied, shared and committed: it holds none.
const SECRETS: [&str; 4] = [env::API_TOKEN, env::CLIENT_SECRET, env::KEY, env::OPERATOR_KEY];

/// The settings that say who sees the requests: a working folder may have come from somebody else.
const NOT_OF_A_WORKING_FOLDER: [&str; 2] = [env::PROXY, env::CA_FILE];

/// The settings that are paths. One that is relative begins at the folder of the file.
const PATHS: [&str; 6] = [env::DATA_DIR, env::CA_FILE, env::STORE, env::KEY_FILE, env::FORMER_KEY_FILE, env::AUDIT];

/// The settings that may be URLs with a password.
const URLS: [&str; 2] = [env::STORE, env::PROXY];

/// Loads the file, if there is one. A process does so once, before it reads a setting.
pub(crate) fn load(linked: Linked) -> Result<(), Failure> {
    let home = etcetera::choose_base_strategy().ok().map(|home| home.config_dir().join("connector").join(FILE));
    let places = std::iter::once((PathBuf::from(FILE), true)).chain(home.map(|path| (path, false)));
    for (path, is_of_working_folder) in places {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(Failure::usage(format!("{}: {error}", path.display()))),
        };
        let file = SettingsFile { path: &path, is_of_working_folder };
        settings::keep(file.read(&text, linked)?);
        break;
    }
    Ok(())
}

struct SettingsFile<'a> {
    path: &'a Path,
    is_of_working_folder: bool,
}

impl SettingsFile<'_> {
    /// Reads the settings, by the names of their variables.
    fn read(&self, text: &str, linked: Linked) -> Result<BTreeMap<String, String>, Failure> {
        let table: Table = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            self.wrong(&format!("line {line}: {}", error.message().replace('\n', " ")))
        })?;
        let mut settings = BTreeMap::new();
        for (name, value) in &table {
            match linked.get(name) {
                Some(connector) => {
                    let Value::Table(members) = value else {
                        return Err(self.wrong(&format!("`{name}` is a connector: write a table, [{name}]")));
                    };
                    for (member, value) in members {
                        let setting = self.read_setting(&format!("{name}.{member}"), member, value, &OF_CONNECTOR)?;
                        settings.insert(env::name_for(connector.key(), setting.0), setting.1);
                    }
                }
                None => {
                    let (variable, value) = self.read_setting(name, name, value, &KNOWN)?;
                    settings.insert(variable.to_owned(), value);
                }
            }
        }
        Ok(settings)
    }

    fn read_setting(&self, shown: &str, name: &str, value: &Value, known: &[&'static str]) -> Result<(&'static str, String), Failure> {
        let is_named = |variable: &&&'static str| env::name_in_file(variable) == name;
        if let Some(secret) = SECRETS.iter().find(is_named) {
            return Err(self.wrong(&format!("`{shown}` is a secret, and a file is copied and shared: set the variable {secret} instead")));
        }
        let Some(variable) = known.iter().find(is_named).copied() else { return Err(self.wrong(&explain_unknown(shown, name, known))) };
        let Value::String(text) = value else { return Err(self.wrong(&format!("`{shown}` is no text: write {name} = \"…\""))) };
        if self.is_of_working_folder && NOT_OF_A_WORKING_FOLDER.contains(&variable) {
            return Err(self.wrong(&format!(
                "`{shown}` says who sees the requests, and this file came with the folder you are in: \
                 set the variable {variable}, or use the file of your configuration folder"
            )));
        }
        if URLS.contains(&variable) && has_password(text) {
            return Err(self.wrong(&format!("`{shown}` holds a password: set the variable {variable} instead")));
        }
        let is_path = PATHS.contains(&variable) && !text.contains(':') && !text.is_empty() && text != "-";
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let text = if is_path { folder.join(text).to_string_lossy().into_owned() } else { text.clone() };
        Ok((variable, text))
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::usage(format!("{}: {what}", self.path.display()))
    }
}

fn explain_unknown(shown: &str, name: &str, known: &[&str]) -> String {
    let names: Vec<String> = known.iter().map(|variable| env::name_in_file(variable)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = find_nearest(name, names.iter().copied(), 1);
    let near = near.first().map_or_else(String::new, |near| format!("; the nearest is `{near}`"));
    format!("there is no setting {}{near}. There are: {}", quote(shown), list_names(&names, "and"))
}

fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use connector_core::declare::Connector;

    use super::*;
    use crate::terminal::linked::LinkedConnector;

    static ACME: Connector = Connector::new("acme", "Acme", "Work with things.", "1.0.0");
    static CONNECTORS: &[LinkedConnector] = &[LinkedConnector::new(&ACME)];

    fn read(path: &str, is_of_working_folder: bool, text: &str) -> Result<BTreeMap<String, String>, String> {
        let file = SettingsFile { path: Path::new(path), is_of_working_folder };
        file.read(text, Linked::new(CONNECTORS)).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn reads_settings_by_the_names_of_their_variables() {
        let text = "store = \"a.db\"\npublic_url = \"https://connect.example\"\n[acme]\napi_domain = \"https://one.acme.example\"\n";
        let settings = read("/home/me/connector.toml", false, text).expect("they are settings");
        let expected = [
            ("CONNECTOR_ACME_API_DOMAIN", "https://one.acme.example"),
            ("CONNECTOR_PUBLIC_URL", "https://connect.example"),
            ("CONNECTOR_STORE", "/home/me/a.db"),
        ];
        assert_eq!(settings, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(read("connector.toml", true, "store = \"a.db\"").expect("a setting")["CONNECTOR_STORE"], "a.db");
        assert!(read("connector.toml", true, "").expect("an empty file").is_empty());
    }

    #[test]
    fn refuses_secrets_strangers_and_what_has_another_form() {
        for (text, words) in [
            ("stor = \"a.db\"", "the nearest is `store`"),
            ("port = 8030", "There are: `sandbox`, `api_domain`"),
            ("[acme]\nstore = \"a.db\"", "there is no setting \"acme.store\""),
            ("acme = 1", "write a table, [acme]"),
            ("store = 1", "write store = \"…\""),
            ("api_token = \"t\"", "set the variable CONNECTOR_API_TOKEN"),
            ("[acme]\nclient_secret = \"t\"", "`acme.client_secret` is a secret"),
            ("store = \"postgres://me:hunter2@host/name\"", "holds a password"),
            ("proxy = \"http://proxy.example\"", "set the variable CONNECTOR_PROXY"),
            ("\n\nstore = ", "connector.toml: line 3: "),
        ] {
            let message = read("connector.toml", true, text).expect_err("it is refused");
            assert!(message.contains(words) && !message.contains("hunter2"), "{text}: {message}");
        }
        assert!(read("/home/me/connector.toml", false, "proxy = \"http://proxy.example\"").is_ok());
    }
}
