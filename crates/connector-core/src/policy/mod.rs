//! Pure decisions about requests: an error and what is known of its request → wait, or stop; what was sent and heard → how many more.

pub(crate) mod pacing;
pub(crate) mod retry;
pub(crate) mod seconds;
