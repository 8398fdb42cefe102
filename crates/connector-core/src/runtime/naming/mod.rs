//! Names in place of IDs: definitions that are kept, and records that are looked up.

pub(crate) mod definitions;
mod faults;
mod fields;
mod keeper;
mod look_up;
pub(crate) mod reader;
mod record;
mod resolve;

pub(super) use faults::lead_faults;
pub(super) use fields::{name_fields_or_warn, resolve_by};
pub(crate) use keeper::Keeper;
pub(super) use look_up::{read_id, read_record};
pub(super) use record::ChangedRecord;
pub(super) use resolve::{has_names, resolve_names, resolve_values_for};
