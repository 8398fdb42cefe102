//! Faults of the token endpoint on purpose, so that a client's handling of them can be tested.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::oauth::{is_token_request, respond_json};

/// A fault of one request to the token endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenFault {
    /// The request is not carried out, and the response has this status, such as 500 or 503.
    Status(u16),
    /// The request is not carried out, and the connection closes without a response.
    ConnectionDropped,
    /// The request is carried out, but the connection closes before the response: a rotated refresh token is lost.
    ResponseLost,
    /// The request waits until the gate opens, and is then carried out.
    Held(Gate),
}

/// A gate that holds requests back until it is opened. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<GateState>);

struct GateState {
    /// Has one permit for each request that arrived and was not waited for yet.
    arrived: Semaphore,
    /// Never has a permit. Closing it ends all waits, which opens the gate.
    barrier: Semaphore,
}

impl Gate {
    /// Creates a closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(GateState { arrived: Semaphore::new(0), barrier: Semaphore::new(0) }))
    }

    /// Waits until one more request has arrived at the gate.
    pub async fn wait_for_request(&self) {
        self.0.arrived.acquire().await.expect("this semaphore is never closed").forget();
    }

    /// Opens the gate for the requests that wait and for all later ones.
    pub fn open(&self) {
        self.0.barrier.close();
    }

    pub(crate) async fn pass(&self) {
        self.0.arrived.add_permits(1);
        // There is never a permit: the wait ends with an error when the gate opens.
        drop(self.0.barrier.acquire().await);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.barrier.is_closed() { "Gate(open)" } else { "Gate(closed)" })
    }
}

/// A queue of faults. Each request to the token endpoint takes the next one.
#[derive(Debug)]
pub(crate) struct FaultQueue(Mutex<VecDeque<TokenFault>>);

impl FaultQueue {
    pub(crate) fn new(faults: Vec<TokenFault>) -> Self {
        Self(Mutex::new(faults.into()))
    }

    pub(crate) fn add(&self, fault: TokenFault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// Takes the next fault, if the request is one to the token endpoint.
    pub(crate) fn take(&self, request: &Request<Bytes>) -> Option<TokenFault> {
        is_token_request(request).then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front())?
    }
}

/// Builds the response of a token request that fails on purpose.
pub(crate) fn build_failure(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond_json(status, &json!({ "success": false, "error": "The token endpoint fails on purpose." }))
}
