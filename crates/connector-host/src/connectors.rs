//! The connectors that are linked in.

use connector_core::Connector;

/// Naming a connector here is also what links its crate.
pub(crate) static CONNECTORS: [&Connector; 1] = [&pipedrive_connector::CONNECTOR];
