//! The terminal, the environment and the files of this machine; and how a command ends.

pub(crate) mod arguments;

pub(crate) mod describe;
pub(crate) mod env;
pub(crate) mod examples;
pub(crate) mod exit_code;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod linked;
pub(crate) mod metrics;
pub(crate) mod outline;
pub(crate) mod records;
pub(crate) mod reference;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod stdout;
pub(crate) mod stop;
pub(crate) mod threads;
