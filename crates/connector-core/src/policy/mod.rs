//! Pure decisions about requests: an error and what is known of its request → wait, or stop.

pub(crate) mod retry;
pub(crate) mod seconds;
