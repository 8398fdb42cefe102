//! The observer of the calls of one request: it counts them.

use std::sync::Arc;

use connector_core::embed::{EndedCall, Observer};

use crate::host::Host;

/// The observer of the calls of one request.
pub(crate) struct RequestObserver {
    pub(crate) host: Arc<Host>,
}

impl Observer for RequestObserver {
    fn observe(&self, call: &EndedCall<'_>) {
        self.host.metrics.calls.record(call);
    }
}
