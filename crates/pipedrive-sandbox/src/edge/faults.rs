//! Faults of the token endpoint, which tests of a client can order.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::oauth::{answer_json, is_token_request};

/// A fault that one request to the token endpoint meets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenFault {
    /// The request is answered with this status, such as 500 or 503, and is not carried out.
    Status(u16),
    /// The connection closes without an answer, and nothing is carried out.
    ConnectionDropped,
    /// The request is carried out, but the connection closes before the answer: a rotated refresh token is lost.
    ResponseLost,
    /// The request waits until the gate opens, and is then carried out.
    Held(Gate),
}

/// A gate that holds requests back until it is opened. Clones share the gate.
#[derive(Clone)]
pub struct Gate(Arc<GateState>);

struct GateState {
    arrived: Semaphore,
    /// This semaphore is closed when the gate opens, so that all pass.
    bar: Semaphore,
}

impl Gate {
    /// Builds a closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(GateState { arrived: Semaphore::new(0), bar: Semaphore::new(0) }))
    }

    /// Waits until one more request has reached the gate.
    pub async fn wait_for_request(&self) {
        self.0.arrived.acquire().await.expect("nobody closes this semaphore").forget();
    }

    /// Lets the waiting requests pass, and all later ones.
    pub fn open(&self) {
        self.0.bar.close();
    }

    pub(crate) async fn pass(&self) {
        self.0.arrived.add_permits(1);
        // The semaphore has no permits: the wait ends when it is closed.
        drop(self.0.bar.acquire().await);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.bar.is_closed() { "Gate(open)" } else { "Gate(closed)" })
    }
}

/// Ordered faults. Each is met by one request to the token endpoint.
#[derive(Debug)]
pub(crate) struct Faults(Mutex<VecDeque<TokenFault>>);

impl Faults {
    pub(crate) fn new(faults: Vec<TokenFault>) -> Self {
        Self(Mutex::new(faults.into()))
    }

    pub(crate) fn add(&self, fault: TokenFault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// Takes the next fault for a request to the token endpoint; no other request meets one.
    pub(crate) fn take(&self, request: &Request<Bytes>) -> Option<TokenFault> {
        is_token_request(request).then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front())?
    }
}

/// Answers a token request that is made to fail with a status.
pub(crate) fn fail(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer_json(status, &json!({ "success": false, "error": "The token endpoint was made to fail." }))
}
