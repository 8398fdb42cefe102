//! The parts of requests and responses. They know no API document, no table and no company.

pub(crate) mod clock;
pub(crate) mod content;
pub(crate) mod disk;
pub(crate) mod failure;
pub(crate) mod image;
pub(crate) mod money;
pub(crate) mod nearest;
pub(crate) mod open_error;
pub(crate) mod random;
pub(crate) mod record;
pub(crate) mod secret;
