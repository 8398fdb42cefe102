//! Statements of each table, and the readers of their rows. No other file holds SQL of these tables.

pub(crate) mod api_keys;
pub(crate) mod connections;
pub(crate) mod definitions;
pub(crate) mod ended;
pub(crate) mod installs;
pub(crate) mod ledger;
pub(crate) mod leftovers;
pub(crate) mod meter;
pub(crate) mod register;
pub(crate) mod sealed;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod used;
pub(crate) mod visits;

use connector_core::Error;
use connector_core::run::View;

use crate::store::statement::{Row, misread};

/// Reads a column `view`, which is null where no view was set.
fn read_view(row: &Row, at: usize) -> Result<Option<View>, Error> {
    row.maybe_text(at)?.map(|word| word.parse().map_err(|_| misread())).transpose()
}
