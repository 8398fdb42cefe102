//! One object, one room.

pub(crate) mod deals;
pub(crate) mod organizations;
pub(crate) mod persons;
mod pipelines;
mod stages;
mod users;
