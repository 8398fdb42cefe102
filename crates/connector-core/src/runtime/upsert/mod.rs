//! Upserts: a record is looked for by its values, read and compared, and then changed or added.

pub(super) mod check;
mod find;
mod holding;
mod run;
mod values;
mod wanted;
mod work;

pub(super) use run::run_upsert;
