//! The kit that holds the catalogue of the connector to the tests of any connector.

use connector_testkit::Kit;

use super::repository::{CONNECTORS, path};
use super::runtime::render;

/// Builds the kit. Each outcome must fit its published schema, too.
pub(crate) fn build_kit() -> Kit {
    let kit = Kit::new(CONNECTORS[0], path("")).fixtures_in("tests/fixtures/pipedrive");
    kit.observe(|outcome| drop(render(outcome)))
}
