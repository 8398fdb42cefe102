//! Grants: how connections come about, are refreshed, and end. Functions over the shared context.

pub(crate) mod api_tokens;
pub(crate) mod authorize;
pub(crate) mod check;
pub(crate) mod installs;
pub(crate) mod leftover;
pub(crate) mod oauth;
pub(crate) mod refresh;
pub(crate) mod removal;
pub(crate) mod settle;
pub(crate) mod sweep;
