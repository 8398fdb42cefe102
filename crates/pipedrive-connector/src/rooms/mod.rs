//! One object, one room.

mod activities;
pub(crate) mod deals;
mod filters;
pub(crate) mod organizations;
pub(crate) mod persons;
mod pipelines;
mod stages;
mod users;
