//! Values of the command line that several commands take.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use connector_core::embed::{Access, Credential};
use connector_core::run::{DryRun, FieldNames, Pages, View};

use crate::terminal::env;
use crate::terminal::failure::{Failure, one_line};

/// The owner of the connections of this command line, unless another is named.
pub(crate) const LOCAL_OWNER: &str = "local";

/// The URL at which browsers reach `connector serve` on this machine, unless another is named.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8030";

/// Parses the name of an owner, before a store is made for it.
pub(crate) fn parse_owner(text: &str) -> Result<String, String> {
    connector_connections::check_owner(text).map(|()| text.to_owned()).map_err(|error| one_line(&error))
}

/// Parses the name of a connection or an API key.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    connector_connections::check_name(text).map(|()| text.to_owned()).map_err(|error| one_line(&error))
}

/// Reads a key with the connector before it, as `acme/getThing`, or the connector that a flag names beside it.
pub(crate) fn read_key<'a>(written: &'a str, flag: Option<&'a str>) -> Result<(Option<&'a str>, &'a str), Failure> {
    match (written.split_once('/'), flag) {
        (Some((connector, _)), Some(flag)) if connector != flag => {
            Err(Failure::usage(format!("{written} and --connector {flag} name two connectors: name one of them")))
        }
        (Some((connector, key)), _) => Ok((Some(connector), key)),
        (None, flag) => Ok((flag, written)),
    }
}

/// Builds the parser of a view, which lists the words.
pub(crate) fn build_view_parser() -> impl TypedValueParser<Value = View> {
    PossibleValuesParser::new(View::ALL.map(View::as_str)).try_map(|word| word.parse())
}

/// Builds the parser of the pages of a list that are read, which lists the words.
pub(crate) fn build_pages_parser() -> impl TypedValueParser<Value = Pages> {
    PossibleValuesParser::new(Pages::ALL.map(Pages::as_str)).map(|word| if word == Pages::All.as_str() { Pages::All } else { Pages::One })
}

/// Builds the parser of what a dry run shows, which lists the words.
pub(crate) fn build_dry_run_parser() -> impl TypedValueParser<Value = DryRun> {
    let read = |word: String| DryRun::ALL.into_iter().find(|shown| shown.as_str() == word).unwrap_or_default();
    PossibleValuesParser::new(DryRun::ALL.map(DryRun::as_str)).map(read)
}

/// Builds the parser of the names of custom fields in the data, which lists the words.
pub(crate) fn build_fields_parser() -> impl TypedValueParser<Value = FieldNames> {
    let read = |word: String| FieldNames::ALL.into_iter().find(|names| names.as_str() == word).unwrap_or_default();
    PossibleValuesParser::new(FieldNames::ALL.map(FieldNames::as_str)).map(read)
}

/// Finds the URL at which browsers reach this host: by the flag, else by the variable.
pub(crate) fn find_public_url(flag: Option<&str>) -> Result<Option<String>, Failure> {
    let variable = env::variable(env::PUBLIC_URL);
    let (name, url) = match (flag, &variable) {
        (Some(url), _) => ("--public-url", url),
        (None, Some(url)) => (env::PUBLIC_URL, url.as_str()),
        (None, None) => return Ok(None),
    };
    let origin = Access::new(url, Credential::bearer("")).map(|access| access.origin().to_owned());
    origin.map(Some).map_err(|_| {
        Failure::usage(format!(
            "{name} {url:?}: write a scheme, a host and a port alone, as https://connect.example; plain http is for this machine"
        ))
    })
}
