//! The HTTP client. No other floor names reqwest or rustls.

pub(crate) mod http;
pub(crate) mod passing;
mod places;
pub(crate) mod tls;
pub(crate) mod transport;
mod upload;
