//! The public face of the sandbox: its options, the path of a request, and the HTTP server.

pub(crate) mod caller;
pub(crate) mod faults;
pub(crate) mod limits;
pub(crate) mod options;
pub(crate) mod recording;
pub(crate) mod sandbox;
pub(crate) mod server;
pub(crate) mod storage;
