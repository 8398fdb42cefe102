//! The gateway: requests forwarded to the vendor, and responses passed back.

mod limits;
mod paths;
mod requests;
mod streams;
mod wire;
