//! The checks that need no server of the vendor, over an API that is open to all.

use connector_core::declare::{Connector, Text};
use connector_core::{action, record};
use connector_testkit::Kit;

static CONNECTOR: Connector = Connector::new("tides", "Tides", "The tides of harbours.", "1.0.0")
    .with_domains(&["tides.example"])
    .with_host("https://api.tides.example")
    .with_roots(&["/v1/"]);

/// A tide.
#[record]
struct Tide {
    /// The level.
    level: String,
}

/// Get Tide
///
/// Get the tide of a harbour
#[action(get("/v1/tide"), returns(Tide))]
struct GetTide {
    /// The harbour. Left out, the next one.
    harbour: Option<Text>,
}

#[tokio::test]
async fn requests_of_an_open_api_carry_no_credential() {
    let kit = Kit::new(&CONNECTOR, env!("CARGO_MANIFEST_DIR")).fixtures_in("tests/open/fixtures").snapshots_in("tests/open/snapshots");
    kit.check_fixtures();
    kit.check_requests().await;
    kit.check_three_states().await;
    kit.check_times().await;
    kit.check_flat_view().await;
}
