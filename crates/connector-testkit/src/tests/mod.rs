//! The kit against a connector without a fault, and each check against faults that are planted.

pub(crate) mod kiosk;
mod planted;
mod server;
mod sound;
