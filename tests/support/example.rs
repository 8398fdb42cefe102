//! The connector of the example beside the released one, and the server that plays its vendor.

use connector_host::LinkedConnector;
use example_connector::CONNECTOR;
use example_connector::server::LarkdeskServer;

/// The connectors of a program that links two. Both have the data source `selectPerson`.
pub(crate) static TWO_CONNECTORS: [LinkedConnector; 2] =
    [connector_host::CONNECTORS[0], LinkedConnector::new(&CONNECTOR).with_examples(EXAMPLES)];

const EXAMPLES: &str =
    concat!(r#"{"selectPerson": "#, include_str!("../../crates/example-connector/tests/fixtures/selectPerson.json"), "}");

/// Starts the vendor of the example.
pub(crate) async fn start_larkdesk() -> LarkdeskServer {
    LarkdeskServer::start().await.expect("a port of this machine is free")
}
