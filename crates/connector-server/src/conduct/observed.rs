//! The observer of the calls of one request: it counts them, and notes them in the audit.

use std::sync::Arc;

use connector_core::Error;
use connector_core::embed::{EndedCall, Observer};

use crate::host::{AuditedCaller, Host};

/// The observer of the calls of one request.
pub(crate) struct RequestObserver {
    pub(crate) host: Arc<Host>,
    /// The owner for whom the request is.
    pub(crate) owner: String,
    /// The id of the API key.
    pub(crate) key: Option<String>,
}

impl Observer for RequestObserver {
    fn admit(&self) -> Result<(), Error> {
        self.host.audit.as_ref().map_or(Ok(()), |audit| audit.admit())
    }

    fn observe(&self, call: &EndedCall<'_>) {
        self.host.metrics.calls.record(call);
        if let Some(audit) = &self.host.audit {
            audit.record(&AuditedCaller::new(Some(&self.owner), self.key.as_deref()), call);
        }
    }
}
