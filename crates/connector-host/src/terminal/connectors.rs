//! The connectors that are linked in.

use connector_core::{Catalogue, Connector};

use crate::terminal::failure::Failure;

/// All connectors. A connector in this list is also what links its crate.
pub(crate) static CONNECTORS: [&Connector; 1] = [&pipedrive_connector::CONNECTOR];

/// The connector that the sandbox stands in for.
pub(crate) static SANDBOXED: &Connector = &pipedrive_connector::CONNECTOR;

/// Lists the names of the vendors for a message: `A or B`.
pub(crate) fn vendor_names() -> String {
    CONNECTORS.map(|connector| connector.label).join(" or ")
}

/// Builds the catalogue of all connectors.
pub(crate) fn build_catalogue() -> Result<Catalogue, Failure> {
    Ok(Catalogue::build(&CONNECTORS)?)
}

/// Finds the connector that is named, else the only one.
pub(crate) fn find_connector(named: Option<&str>) -> Result<&'static Connector, Failure> {
    Ok(build_catalogue()?.find_connector(named)?)
}
