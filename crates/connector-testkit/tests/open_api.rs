//! The checks that need no server of the vendor, over an API that is open to all.

use connector_core::declare::{Case, Connector, Envelope, FlatWords, Text};
use connector_core::{Error, ErrorKind, action, record};
use connector_testkit::Kit;

static CONNECTOR: Connector = Connector {
    key: "tides",
    label: "Tides",
    description: "The tides of harbours.",
    version: "1.0.0",
    domains: &["tides.example"],
    host: Some("https://api.tides.example"),
    roots: &["/v1/"],
    auth: &[],
    identity: None,
    case: Case::Snake,
    envelope: Envelope::BARE,
    paging: &[],
    flat: FlatWords::COMMON,
    refusal: |refusal| Error::new(ErrorKind::UpstreamRejected, format!("Tides answered {}.", refusal.status())),
    out_of_support: |_, _| None,
};

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
    kit.check_flat_view().await;
}
