//! The environment variables that the host reads.

use std::path::PathBuf;

use crate::terminal::failure::Failure;
use crate::terminal::settings;

/// A running sandbox, as `http://127.0.0.1:PORT`; this machine alone. It makes the connection `sandbox`.
pub(crate) const SANDBOX: &str = "CONNECTOR_SANDBOX";
/// An API token of an account; together with the domain it makes the connection `env`.
pub(crate) const API_TOKEN: &str = "CONNECTOR_API_TOKEN";
/// The account of the API token, as `https://acme.vendor.example`.
pub(crate) const API_DOMAIN: &str = "CONNECTOR_API_DOMAIN";
/// The folder that holds the sandbox's data.
pub(crate) const DATA_DIR: &str = "CONNECTOR_DATA_DIR";
/// A proxy for requests over https, as `http://proxy.example:3128`.
pub(crate) const PROXY: &str = "CONNECTOR_PROXY";
/// A file of certificate authorities to trust beside the public ones, as PEM.
pub(crate) const CA_FILE: &str = "CONNECTOR_CA_FILE";

/// The store of connections: the path of a file, or postgres://host/name.
pub(crate) const STORE: &str = "CONNECTOR_STORE";
/// The key that seals the store, as 64 hexadecimal digits or in Base64.
pub(crate) const KEY: &str = "CONNECTOR_KEY";
/// The file that holds the key; by default a file beside the store.
pub(crate) const KEY_FILE: &str = "CONNECTOR_KEY_FILE";
/// The file of the key that sealed the store before, which is needed until `connections rekey` is done.
pub(crate) const FORMER_KEY_FILE: &str = "CONNECTOR_FORMER_KEY_FILE";
/// The client id of the app that the vendor registered.
pub(crate) const CLIENT_ID: &str = "CONNECTOR_CLIENT_ID";
/// The secret of the client.
pub(crate) const CLIENT_SECRET: &str = "CONNECTOR_CLIENT_SECRET";
/// The URL at which browsers reach this host. The callback that the vendor registered lies below it.
pub(crate) const PUBLIC_URL: &str = "CONNECTOR_PUBLIC_URL";

/// The file to which a line is appended for each call.
pub(crate) const AUDIT: &str = "CONNECTOR_AUDIT";
/// The collector of spans, as `http://collector:4318`: a variable of OpenTelemetry.
pub(crate) const OTEL_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The variables that the export of spans reads; OpenTelemetry's own crates read more of theirs.
#[cfg(feature = "otel")]
pub(crate) use export::*;

/// The variables of a program that is built with the feature `otel`.
#[cfg(feature = "otel")]
mod export {
    /// The URL to which spans alone are sent.
    pub(crate) const OTEL_TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    /// The word `true` switches the export off.
    pub(crate) const OTEL_SDK_DISABLED: &str = "OTEL_SDK_DISABLED";
    /// The name of the service in its spans; by default `connector`.
    pub(crate) const OTEL_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
    /// Further attributes of the service, among which may be its name.
    pub(crate) const OTEL_RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    /// The span of the caller of a command, as W3C Trace Context writes it.
    pub(crate) const TRACEPARENT: &str = "TRACEPARENT";
    /// The state that systems of traces keep beside `TRACEPARENT`.
    pub(crate) const TRACESTATE: &str = "TRACESTATE";
    /// If it is set, requests to vendors carry the header `traceparent`.
    pub(crate) const PROPAGATE_TRACES: &str = "CONNECTOR_PROPAGATE_TRACES";
}

/// An operator's API key, by which `connector stats` reads the metrics of a host that others reach.
pub(crate) const OPERATOR_KEY: &str = "CONNECTOR_OPERATOR_KEY";

/// The variables that only a store needs. If one of them is set, the embedded sandbox is not used.
pub(crate) const STORE_VARIABLES: [&str; 3] = [KEY, KEY_FILE, FORMER_KEY_FILE];

/// The settings of an app. If one is set for any connector, the embedded sandbox is not used.
pub(crate) const APP_SETTINGS: [&str; 2] = [CLIENT_ID, CLIENT_SECRET];

/// The examples and the variables that `--help` shows. `{vendor}` and `{account}` are those of the plain names.
pub(crate) const HELP: &str = "\
Examples:
  connector invoke searchDeals --input '{\"term\": \"audit\"}'
  connector invoke addDeal --input '{\"title\": \"Rocket\"}' --dry-run
  echo '{\"action\": \"getDeals\", \"input\": {\"limit\": 3}}' | connector invoke

Environment:
  CONNECTOR_SANDBOX        a running sandbox, as http://127.0.0.1:8020:
                           the connection `sandbox`
  CONNECTOR_API_TOKEN      an API token of {vendor}, together with
  CONNECTOR_API_DOMAIN     its account, as {account}:
                           the connection `env`
  CONNECTOR_STORE          the store of connections: the path of a file,
                           or postgres://host/name
  CONNECTOR_KEY            the key that seals it, 64 hexadecimal digits; or
  CONNECTOR_KEY_FILE       the file that holds the key
  CONNECTOR_FORMER_KEY_FILE
                           the file of the key before it, needed until
                           `connector connections rekey` is done
  CONNECTOR_CLIENT_ID      the client id of an app registered at {vendor},
  CONNECTOR_CLIENT_SECRET  its secret, and
  CONNECTOR_PUBLIC_URL     the URL at which browsers reach `connector serve`,
                           as https://connect.example; the callback URL of
                           the app is /oauth/callback below it
  CONNECTOR_AUDIT          a file to which `invoke` and `serve` append a line
                           for each call
  OTEL_EXPORTER_OTLP_ENDPOINT
                           the collector of traces, if the program is built
                           with the feature `otel`; with it,
  CONNECTOR_PROPAGATE_TRACES
                           makes vendors get the header traceparent too
  CONNECTOR_OPERATOR_KEY   an operator's API key, by which `connector stats`
                           reads a host that others reach
  CONNECTOR_DATA_DIR       the folder of the sandbox's data and of the store
  CONNECTOR_PROXY          a proxy for https, as http://proxy.example:3128
  CONNECTOR_CA_FILE        certificate authorities to trust beside the public
                           ones, as PEM

Each connector also has these settings under its own key. For a connector
`acme` they are CONNECTOR_ACME_API_TOKEN, CONNECTOR_ACME_API_DOMAIN,
CONNECTOR_ACME_CLIENT_ID, CONNECTOR_ACME_CLIENT_SECRET and
CONNECTOR_ACME_SANDBOX. The domain is not needed where all accounts of a
vendor have one host, nor the secret where its clients have none.
";

/// The part of `--help` about `connector.toml`.
pub(crate) const HELP_OF_FILE: &str = "
Settings come from flags, then from these variables, then from the file
connector.toml: that of the working folder, else that of the folder
connector in your configuration (~/.config/connector). It names them in
lower case without CONNECTOR_, those of a connector in a table of its key:
  store = \"connections.db\"
  [acme]
  api_domain = \"{account}\"
It holds no secret: tokens, keys and client secrets are variables alone.
";

/// The part of `--help` about the embedded sandbox.
pub(crate) const HELP_OF_SANDBOX: &str = "
If no connection, store, key or app is set up, `invoke` uses an embedded
sandbox, which stands in for {vendor} on this machine. With --sandbox it
uses that whatever is set up.
";

/// The end of `--help`.
pub(crate) const HELP_OF_CODES: &str = "
Exit codes: 0 all outcomes are ok, 1 some outcome is not ok, 2 wrong usage,
3 the host failed.";

/// Reads a setting: the variable, else `connector.toml`. An empty one counts as not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().or_else(|| settings::find(name)).filter(|value| !value.is_empty())
}

/// Names a setting as `connector.toml` does: `CONNECTOR_API_DOMAIN` becomes `api_domain`.
pub(crate) fn name_in_file(variable: &str) -> String {
    variable.trim_start_matches("CONNECTOR_").to_ascii_lowercase()
}

/// Names the variable of a connector's own setting: `CONNECTOR_CLIENT_ID` becomes `CONNECTOR_ACME_CLIENT_ID`.
pub(crate) fn name_for(connector: &str, setting: &str) -> String {
    let key = connector.to_ascii_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    setting.replacen('_', &format!("_{key}_"), 1)
}

/// Finds the folder that holds the data of this program.
pub(crate) fn data_folder() -> Result<PathBuf, Failure> {
    use etcetera::BaseStrategy;
    if let Some(folder) = variable(DATA_DIR) {
        return Ok(folder.into());
    }
    let home = etcetera::choose_base_strategy();
    let home = home.map_err(|_| Failure::host(format!("there is no home folder for the data: set {DATA_DIR}")))?;
    Ok(home.data_dir().join("connector"))
}

/// Reads the certificate authorities to trust beside the public ones, as PEM; empty if none are named.
pub(crate) fn authorities() -> Result<Vec<u8>, Failure> {
    let Some(file) = variable(CA_FILE) else { return Ok(Vec::new()) };
    std::fs::read(&file).map_err(|error| Failure::host(format!("{CA_FILE}: {file}: {error}")))
}
