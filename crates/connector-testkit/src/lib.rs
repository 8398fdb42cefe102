//! Tests that hold the catalogue of any connector to one standard.
//!
//! The tests of a connector's crate build a [`Kit`] from its `CONNECTOR`, and each calls one check. A check fails with all that it
//! found, and says what to do. The author brings fixtures, and a server of the vendor on loopback.
//!
//! ```no_run
//! use connector_core::embed::{Credential, OneConnection};
//! use connector_testkit::Kit;
//! # mod acme_connector {
//! #     use connector_core::declare::{Auth, Connector};
//! #     pub static CONNECTOR: Connector = Connector::new("acme", "Acme", "A vendor of examples.", "1.0.0")
//! #         .with_domains(&["acme.example"])
//! #         .with_auth(&[Auth::bearer_token()]);
//! # }
//! # mod server { pub async fn start() -> String { "http://127.0.0.1:9".to_owned() } }
//!
//! fn build_kit() -> Kit {
//!     Kit::new(&acme_connector::CONNECTOR, env!("CARGO_MANIFEST_DIR"))
//! }
//!
//! /// Starts the vendor's server, and connects an account to it.
//! async fn connect() -> OneConnection {
//!     let origin = server::start().await;
//!     OneConnection::new("test", &origin, Credential::bearer("a-token")).expect("loopback is allowed")
//! }
//!
//! // Each of these lines is a test: #[test] or #[tokio::test].
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! build_kit().check_fixtures();
//! build_kit().check_prose();
//! build_kit().check_schemas();
//! build_kit().check_requests().await;
//! build_kit().check_three_states().await;
//! build_kit().check_times().await;
//! build_kit().check_answers(connect).await;
//! build_kit().check_flat_answers(connect).await;
//! build_kit().check_flat_view().await;
//! build_kit().check_read_back(connect).await;
//! build_kit().check_estimates(connect).await;
//! # }
//! ```
//!
//! The checks that call `connect` do so before each input: a server may keep what is written, and each input finds the same records
//! all the same. Where a server keeps nothing, one is enough for a check: `check_answers(async || account.clone())`.
//!
//! # Fixtures
//!
//! Each action and data source has a fixture, `tests/fixtures/<key>.json`:
//!
//! | member | holds |
//! |---|---|
//! | `input` | an input |
//! | `data` | the data that comes back for it, which `UPDATE_FIXTURES=1 cargo test` writes |
//! | `more` | further inputs, so that together they try each input, and one holds the required ones alone |
//! | `untried` | the inputs that the vendor's server cannot serve, each with the reason |
//! | `then` | for a write, the read that shows it: `action`, `input` and one of the next three |
//! | `shows` of `then` | a part of what is read; without one of the three, what is read equals what was written |
//! | `lacks` of `then` | a part that no item of the list has which is read |
//! | `fails` of `then` | the kind of error that the read fails with, as `not_found` |
//!
//! In the input of `then`, `"<id>"` stands for the member `id` of what the write returned. In an input of `more`, `"<next of {…}>"` as
//! a `cursor` stands for the one that a first call with that input returns.
//!
//! # Snapshots
//!
//! They lie in `tests/snapshots`, and [insta](https://insta.rs) compares them: `INSTA_UPDATE=always cargo test` accepts all changes.

mod checks;
mod fixture;
mod kit;
mod loopback;
mod report;
mod trial;

#[cfg(test)]
mod tests;

pub use checks::prose::OPENERS;
pub use fixture::Fixture;
pub use kit::Kit;
pub use report::assert_none;

/// The connector of the declarations in this crate's own tests, where the macros look for it.
#[cfg(test)]
pub(crate) use tests::kiosk::CONNECTOR;
