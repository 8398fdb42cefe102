//! Failures on purpose, so that a client can be tested at the moments when it is hardest for it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::oauth::{answer_json, is_token_request};

/// What befalls one request to the token endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenFault {
    /// Answered with this status, such as 500 or 503, and not carried out.
    Status(u16),
    /// The connection closes without an answer, and nothing is carried out.
    ConnectionDropped,
    /// Carried out, but the connection closes before the answer: a rotated refresh token is lost.
    ResponseLost,
    /// Waits until the gate opens, and is then carried out.
    Held(Gate),
}

/// Holds requests back until it is opened. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Halves>);

struct Halves {
    arrived: Semaphore,
    /// Closed once the gate is open, which lets all pass.
    bar: Semaphore,
}

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Halves { arrived: Semaphore::new(0), bar: Semaphore::new(0) }))
    }

    /// Waits until one more request has come to the gate.
    pub async fn wait_for_request(&self) {
        self.0.arrived.acquire().await.expect("nobody closes this half").forget();
    }

    /// Lets pass those who wait and all who come later.
    pub fn open(&self) {
        self.0.bar.close();
    }

    pub(crate) async fn pass(&self) {
        self.0.arrived.add_permits(1);
        // There is nothing to acquire: what ends the waiting is that the gate opens.
        drop(self.0.bar.acquire().await);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.bar.is_closed() { "Gate(open)" } else { "Gate(closed)" })
    }
}

/// The faults that requests to the token endpoint still meet, each once.
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
