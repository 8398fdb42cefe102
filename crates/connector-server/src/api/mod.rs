//! The endpoints for programs.

pub(crate) mod catalogue;
pub(crate) mod connections;
pub(crate) mod gateway;
pub(crate) mod health;
pub(crate) mod invoke;
pub(crate) mod openapi;
mod records;
pub(crate) mod uninstalled;
