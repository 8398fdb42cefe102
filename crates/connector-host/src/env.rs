//! Every environment variable that the host reads, each once.

/// A running sandbox, as `http://127.0.0.1:PORT`; this machine alone. It makes the connection `sandbox`.
pub(crate) const SANDBOX: &str = "CONNECTOR_SANDBOX";
/// An API token of Pipedrive; together with the domain it makes the connection `env`.
pub(crate) const API_TOKEN: &str = "CONNECTOR_API_TOKEN";
/// The account of the API token, as `https://acme.pipedrive.com`.
pub(crate) const API_DOMAIN: &str = "CONNECTOR_API_DOMAIN";
/// The folder that holds the sandbox's data.
pub(crate) const DATA_DIR: &str = "CONNECTOR_DATA_DIR";
/// A proxy for requests over https, as `http://proxy.example:3128`.
pub(crate) const PROXY: &str = "CONNECTOR_PROXY";
/// A file of certificate authorities to trust beside the public ones, as PEM.
pub(crate) const CA_FILE: &str = "CONNECTOR_CA_FILE";

/// What `--help` says of them.
pub(crate) const HELP: &str = "\
Examples:
  connector invoke searchDeals --input '{\"term\": \"audit\"}'
  connector invoke addDeal --input '{\"title\": \"Rocket\"}' --dry-run
  echo '{\"action\": \"getDeals\", \"input\": {\"limit\": 3}}' | connector invoke

Environment:
  CONNECTOR_SANDBOX      a running sandbox, http://127.0.0.1:PORT: the connection `sandbox`
  CONNECTOR_API_TOKEN    an API token of Pipedrive: the connection `env`, together with
  CONNECTOR_API_DOMAIN   the account of the token, https://acme.pipedrive.com
  CONNECTOR_DATA_DIR     the folder that holds the sandbox's data
  CONNECTOR_PROXY        a proxy for requests over https, http://proxy.example:3128
  CONNECTOR_CA_FILE      certificate authorities to trust beside the public ones, as PEM

With no account set up, `invoke` uses an embedded sandbox: a Pipedrive of your own on this machine.

Exit codes: 0 all outcomes ok, 1 some outcome not ok, 2 wrong usage, 3 the host failed.";

/// A variable's value; an empty one counts as not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
