//! Tests that hold the catalogue of any connector to one standard.
//!
//! A test of the connector's crate builds a [`Kit`] from its `CONNECTOR` and calls each `check_…`, in a test of its own. A check fails
//! with all that it found.
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
#![deny(missing_docs)]

mod checks;
mod fixture;
mod kit;
mod report;
mod trial;

pub use checks::prose::OPENERS;
pub use fixture::Fixture;
pub use kit::Kit;
pub use report::assert_none;
