//! The pages that people see: they connect accounts, confirm installs and sign in.

mod account;
pub(crate) mod callback;
mod forms;
pub(crate) mod install;
pub(crate) mod sign_in;
pub(crate) mod start;
