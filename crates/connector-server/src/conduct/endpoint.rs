//! An endpoint: a route, and the function that answers it.

use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;

use crate::conduct::call::Call;
use crate::host::Route;
use crate::wire::refusal::Refusal;

/// The future of a handler.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>;

/// A route, and the function that answers it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) route: Route,
    pub(crate) handle: fn(Call, Body) -> HandlerFuture,
}
