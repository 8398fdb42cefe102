//! Pure decisions about requests: an error → wait, or stop; what was sent and heard → how many more.

pub(crate) mod pacing;
pub(crate) mod retry;
pub(crate) mod seconds;
