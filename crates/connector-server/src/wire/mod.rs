//! HTTP itself: connections, bodies, cookies, pages, limits and counters. Nothing here knows a route.

pub(crate) mod authority;
pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod cookies;
pub(crate) mod exposition;
pub(crate) mod html;
pub(crate) mod limit;
pub(crate) mod listen;
pub(crate) mod metrics;
pub(crate) mod places;
pub(crate) mod refusal;
pub(crate) mod response;
