//! A vendor that answers its requests in turn, as the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use connector_core::run::{Invocation, Runtime};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::runtime::run;
use super::upstream::{build_json_response, build_limited_runtime, read_request, serve_connections};

/// A vendor that answers its requests in turn, and then falls silent.
pub(crate) struct Script {
    pub(crate) runtime: Runtime,
    /// The path and query of each request.
    asked: watch::Receiver<Vec<String>>,
    /// The number of callers that left before they were answered.
    left: watch::Receiver<usize>,
}

impl Script {
    pub(crate) async fn start(bodies: impl IntoIterator<Item = Value>) -> Self {
        Self::start_with(bodies.into_iter().map(|body| build_json_response("200 OK", &body.to_string()))).await
    }

    pub(crate) async fn start_with(responses: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let responses: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::new(Mutex::new(responses.into_iter().collect()));
        let (asks, asked) = watch::channel(Vec::new());
        let (leaves, left) = watch::channel(0);
        let url = serve_connections(move |mut stream| {
            let (responses, asks, leaves) = (Arc::clone(&responses), asks.clone(), leaves.clone());
            async move {
                let request = read_request(&mut stream).await;
                let Some(target) = request.split(' ').nth(1) else { return };
                let response = responses.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                asks.send_modify(|asked| asked.push(target.to_owned()));
                match response {
                    Some(response) => drop(stream.write_all(&response).await),
                    None => {
                        let _ = stream.read(&mut [0]).await;
                        leaves.send_modify(|left| *left += 1);
                    }
                }
            }
        })
        .await;
        Self { runtime: build_limited_runtime(&url), asked, left }
    }

    pub(crate) async fn read(&self, key: &str, input: Value, most: Option<u64>) -> Value {
        run(&self.runtime, Invocation::new(key).input(input).all_pages(most)).await
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn wait_for_requests(&self, count: usize) {
        self.asked.clone().wait_for(|asked| asked.len() >= count).await.expect("the vendor listens");
    }

    /// Waits until a caller left before it was answered.
    pub(crate) async fn wait_for_leaving(&self) {
        self.left.clone().wait_for(|left| *left > 0).await.expect("the vendor listens");
    }
}

/// Builds a page of a list that pages by a cursor.
pub(crate) fn by_cursor(ids: &[u64], next: Option<&str>) -> Value {
    let records: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"success": true, "data": records, "additional_data": {"next_cursor": next}})
}

/// Builds a page of a list that pages by a start.
pub(crate) fn by_start(ids: &[u64], next: Option<u64>) -> Value {
    let records: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"success": true, "data": records,
        "additional_data": {"pagination": {"more_items_in_collection": next.is_some(), "next_start": next}}})
}
