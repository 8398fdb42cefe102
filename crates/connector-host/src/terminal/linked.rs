//! The connectors of a program, with their settings, examples and sandbox.

use std::path::PathBuf;

use connector_core::declare::{ClientAuth, Connector};
use connector_core::embed::Access;
use connector_core::run::Catalogue;
use connector_core::wording::list_names;
use tokio::net::TcpListener;

use crate::terminal::env;
use crate::terminal::failure::Failure;

/// A connector of a program, with what the program knows of it beside its declarations.
#[derive(Clone, Copy, Debug)]
pub struct LinkedConnector {
    pub(crate) connector: &'static Connector,
    pub(crate) examples: &'static str,
    pub(crate) sandbox: Option<&'static VendorSandbox>,
    has_plain_settings: bool,
}

/// A sandbox that stands in for a vendor on this machine, and its demo account.
#[derive(Debug)]
pub struct VendorSandbox {
    /// The API token of the demo account.
    pub api_token: &'static str,
    /// The client id of the demo app.
    pub client_id: &'static str,
    /// The secret of that client.
    pub client_secret: &'static str,
    /// The function that builds the URL at which people install the demo app, from the URL of the sandbox.
    pub install_url: fn(&str) -> String,
    /// The function that checks the text of faults that the sandbox is to make on purpose.
    pub check_faults: fn(&str) -> Result<(), String>,
    /// The function that serves the sandbox on a listener, on a task of its own.
    pub start: fn(TcpListener, SandboxSetup) -> Result<(), String>,
}

/// The setup of a sandbox.
#[derive(Debug)]
pub struct SandboxSetup {
    /// The file that keeps its data.
    pub data: PathBuf,
    /// The API token that it accepts in place of the demo account's.
    pub api_token: Option<String>,
    /// The URI to which its demo app sends browsers. Without one, it has no app of this host.
    pub redirect_uri: Option<String>,
    /// The text of the faults that it makes on purpose.
    pub faults: Option<String>,
}

impl LinkedConnector {
    /// Builds an entry of the list of a program.
    pub const fn new(connector: &'static Connector) -> Self {
        Self { connector, examples: "{}", sandbox: None, has_plain_settings: false }
    }

    /// Adds examples: a JSON object of `{"input", "data"}` by the key of the action or data source.
    #[must_use]
    pub const fn with_examples(self, examples: &'static str) -> Self {
        Self { examples, ..self }
    }

    /// Adds a sandbox, which calls use where no account at all is set up. One connector of a program has one.
    #[must_use]
    pub const fn with_sandbox(self, sandbox: &'static VendorSandbox) -> Self {
        Self { sandbox: Some(sandbox), ..self }
    }

    /// Gives it the settings without a key in their names, as `CONNECTOR_API_TOKEN`, beside its own.
    #[must_use]
    pub const fn with_plain_settings(self) -> Self {
        Self { has_plain_settings: true, ..self }
    }

    /// Returns the stable key.
    pub(crate) fn key(&self) -> &'static str {
        self.connector.key
    }

    /// Checks whether the setting without a key in its name belongs to this connector.
    fn has_plain(&self, setting: &str) -> bool {
        if setting == env::SANDBOX { self.sandbox.is_some() } else { self.has_plain_settings }
    }

    /// Returns the name of the variable of a setting, as people are told it.
    pub(crate) fn variable(&self, setting: &'static str) -> String {
        if self.has_plain(setting) { setting.to_owned() } else { env::name_for(self.key(), setting) }
    }

    /// Reads a setting: the variable with the connector's key, else the one without. Both must not differ.
    pub(crate) fn setting(&self, setting: &'static str) -> Result<Option<String>, Failure> {
        let named = env::name_for(self.key(), setting);
        let plain = env::variable(setting).filter(|_| self.has_plain(setting));
        match (env::variable(&named), plain) {
            (Some(one), Some(other)) if one != other => {
                Err(Failure::usage(format!("{named} and {setting} differ, and both are settings of {}: set one", self.connector.label)))
            }
            (one, other) => Ok(one.or(other)),
        }
    }

    /// Returns the host of all accounts, or the sandbox in its place, if accounts have no hosts of their own.
    ///
    /// The name beside it is where it stands.
    pub(crate) fn fixed_host(&self) -> Result<Option<(String, String)>, Failure> {
        let Some(host) = self.connector.host else { return Ok(None) };
        let sandbox = self.setting(env::SANDBOX)?.map(|url| (self.variable(env::SANDBOX), url));
        Ok(Some(sandbox.unwrap_or_else(|| (self.connector.label.to_owned(), host.to_owned()))))
    }

    /// Reads the host of an account, with the name of where it stands: as it is set, else the one of all accounts.
    pub(crate) fn account_host(&self) -> Result<Option<(String, String)>, Failure> {
        match self.setting(env::API_DOMAIN)? {
            Some(domain) => Ok(Some((self.variable(env::API_DOMAIN), domain))),
            None => self.fixed_host(),
        }
    }

    /// Reads the client of the app: its id, and its secret unless clients of the vendor have none.
    pub(crate) fn client(&self) -> Result<Option<(String, Option<String>)>, Failure> {
        let (id, secret) = (self.setting(env::CLIENT_ID)?, self.setting(env::CLIENT_SECRET)?);
        let (id_name, secret_name) = (self.variable(env::CLIENT_ID), self.variable(env::CLIENT_SECRET));
        match (id, secret, self.has_public_clients()) {
            (None, None, _) => Ok(None),
            (_, Some(_), true) => Err(Failure::usage(format!(
                "clients of {} have no secret: set {id_name} alone, without {secret_name}",
                self.connector.label
            ))),
            (Some(id), None, true) => Ok(Some((id, None))),
            (Some(id), Some(secret), false) => Ok(Some((id, Some(secret)))),
            (_, _, false) => Err(Failure::usage(format!("set both {id_name} and {secret_name}, or neither"))),
        }
    }

    fn has_public_clients(&self) -> bool {
        self.connector.oauth().is_some_and(|oauth| oauth.client_auth == ClientAuth::Public)
    }

    /// Lists the variables that set up the client of the app.
    pub(crate) fn client_variables(&self) -> Vec<String> {
        let secret = (!self.has_public_clients()).then(|| self.variable(env::CLIENT_SECRET));
        std::iter::once(self.variable(env::CLIENT_ID)).chain(secret).collect()
    }

    /// Names the variables that make an account by an API token, if the vendor takes one.
    pub(crate) fn token_variables(&self) -> Option<String> {
        let token = self.variable(env::API_TOKEN);
        let needed = if self.connector.host.is_some() { token } else { format!("{token} and {}", self.variable(env::API_DOMAIN)) };
        self.connector.takes_token().then_some(needed)
    }

    /// Writes the URL of an account, as an example.
    pub(crate) fn example_url(&self) -> String {
        format!("https://acme.{}", self.connector.domains.first().unwrap_or(&"vendor.example"))
    }
}

/// All connectors of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linked(&'static [LinkedConnector]);

impl Linked {
    pub(crate) fn new(all: &'static [LinkedConnector]) -> Self {
        Self(all)
    }

    /// Returns all of them, in the order of the program.
    pub(crate) fn all(self) -> &'static [LinkedConnector] {
        self.0
    }

    /// Checks that there are several, so that what is shown has to say which one is meant.
    pub(crate) fn are_several(self) -> bool {
        self.0.len() > 1
    }

    /// Lists what they declare.
    pub(crate) fn connectors(self) -> Vec<&'static Connector> {
        self.0.iter().map(|linked| linked.connector).collect()
    }

    /// Builds the catalogue of all of them.
    pub(crate) fn build_catalogue(self) -> Result<Catalogue, Failure> {
        Ok(Catalogue::build(&self.connectors())?)
    }

    /// Lists the names of the vendors for a message: `A or B`.
    pub(crate) fn vendor_names(self) -> String {
        list_vendors(self.0.iter())
    }

    /// Lists the names of the vendors that have OAuth: `A or B`. None has it where this is empty.
    pub(crate) fn names_with_oauth(self) -> String {
        list_vendors(self.0.iter().filter(|one| one.connector.oauth().is_some()))
    }

    /// Finds the connector that has a sandbox.
    pub(crate) fn find_sandboxed(self) -> Option<(&'static LinkedConnector, &'static VendorSandbox)> {
        self.0.iter().find_map(|linked| Some((linked, linked.sandbox?)))
    }

    /// Finds the connector that has a sandbox, or fails if none has.
    pub(crate) fn require_sandboxed(self) -> Result<(&'static LinkedConnector, &'static VendorSandbox), Failure> {
        self.find_sandboxed().ok_or_else(|| Failure::usage(format!("--sandbox: there is no sandbox of {}", self.vendor_names())))
    }

    /// Names the vendor of a connector as the end of a clause, where there are several: ` of A`.
    pub(crate) fn of_vendor(self, key: &str) -> String {
        let known = self.get(key).filter(|_| self.are_several());
        known.map_or_else(String::new, |linked| format!(" of {}", linked.connector.label))
    }

    /// Finds the connector of a key that the runtime knows.
    pub(crate) fn get(self, key: &str) -> Option<&'static LinkedConnector> {
        self.0.iter().find(|linked| linked.key() == key)
    }

    /// Finds the connector that a flag names.
    pub(crate) fn find(self, named: &str) -> Result<&'static LinkedConnector, Failure> {
        self.get(named).ok_or_else(|| {
            let known: Vec<&str> = self.0.iter().map(LinkedConnector::key).collect();
            Failure::usage(format!("There is no connector {named:?}. Linked in: {}.", known.join(", ")))
        })
    }

    /// Chooses the connector that is named, else the only one, else the only one that fits the rest of the command.
    pub(crate) fn choose(
        self,
        named: Option<&str>,
        fits: impl Fn(&LinkedConnector) -> Result<bool, Failure>,
    ) -> Result<&'static LinkedConnector, Failure> {
        if let Some(named) = named {
            return self.find(named);
        }
        if let [only] = self.0 {
            return Ok(only);
        }
        let mut fitting = Vec::new();
        for linked in self.0 {
            if fits(linked)? {
                fitting.push(linked);
            }
        }
        match fitting.as_slice() {
            [only] => Ok(only),
            several => {
                let meant = if several.is_empty() { self.0.iter().collect() } else { fitting };
                let keys: Vec<&str> = meant.iter().map(|linked| linked.key()).collect();
                Err(Failure::usage(format!("several connectors could be meant: name one with --connector, {}", list_names(&keys, "or"))))
            }
        }
    }

    /// Checks that a text is the URL of a vendor's host, or of this machine. `name` is where it stands.
    ///
    /// Without a connector, the host may be that of any.
    pub(crate) fn check_host(self, of: Option<&LinkedConnector>, domain: &str, name: &str) -> Result<Access, Failure> {
        let candidates: Vec<&LinkedConnector> = of.map_or_else(|| self.0.iter().collect(), |linked| vec![linked]);
        let example = candidates.first().map_or_else(String::new, |linked| linked.example_url());
        let wrong = |what: &str| Failure::usage(format!("{name}: {domain:?} is {what}; write it as {example}"));
        let access =
            Access::new(domain, connector_core::embed::Credential::api_token("")).map_err(|_| wrong("no https URL of a host alone"))?;
        if candidates.iter().any(|linked| linked.connector.accepts(&access)) {
            return Ok(access);
        }
        Err(wrong(&format!("no host of {}", list_vendors(candidates.into_iter()))))
    }

    /// Builds the URL that a vendor redirects browsers to.
    ///
    /// Where there are several connectors, each but one names itself in it, which tells installs apart.
    pub(crate) fn callback_url(self, linked: &LinkedConnector, public_url: &str) -> String {
        let url = format!("{public_url}/oauth/callback");
        if linked.has_plain_settings || !self.are_several() { url } else { format!("{url}?connector={}", linked.key()) }
    }

    /// Lists the variables that set up an app, for each connector: `A, B and C`.
    pub(crate) fn name_client_variables(self) -> String {
        if let [only] = self.0 {
            return format!("{} and {}", only.client_variables().join(", "), env::PUBLIC_URL);
        }
        let with_oauth = self.0.iter().filter(|one| one.connector.oauth().is_some());
        let each: Vec<String> =
            with_oauth.map(|one| format!("{} for {}", one.client_variables().join(" and "), one.connector.label)).collect();
        format!("{}, and {}", env::PUBLIC_URL, each.join(" or "))
    }

    /// Writes the text that `--help` ends with.
    pub(crate) fn build_help(self) -> String {
        let plain = self.0.iter().find(|linked| linked.has_plain_settings).or(self.0.first());
        let (vendor, url) = plain.map_or_else(Default::default, |linked| (linked.connector.label, linked.example_url()));
        let mut help = format!("{}{}", env::HELP, env::HELP_OF_FILE).replace("{vendor}", vendor).replace("{account}", &url);
        if let Some((sandboxed, _)) = self.find_sandboxed() {
            help.push_str(&env::HELP_OF_SANDBOX.replace("{vendor}", sandboxed.connector.label));
        }
        help + env::HELP_OF_CODES
    }
}

fn list_vendors<'a>(all: impl Iterator<Item = &'a LinkedConnector>) -> String {
    all.map(|linked| linked.connector.label).collect::<Vec<_>>().join(" or ")
}
