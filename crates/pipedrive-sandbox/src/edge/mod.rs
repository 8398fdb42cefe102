//! The public face of the sandbox: its options, the path of a request, and the HTTP server.

pub(crate) mod broken;
pub(crate) mod caller;
pub(crate) mod fault_choice;
pub(crate) mod fault_effects;
pub(crate) mod fault_kind;
pub(crate) mod fault_source;
pub(crate) mod fault_spec;
pub(crate) mod faults;
pub(crate) mod limits;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod recording;
pub(crate) mod sandbox;
pub(crate) mod server;
pub(crate) mod storage;
