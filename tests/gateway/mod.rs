//! The gateway: requests passed on to the vendor, and answers passed back.

mod paths;
mod requests;
mod streams;
mod wire;
