//! A vendor whose answers a test holds back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, mpsc};

use super::upstream::{build_json_response, read_request, serve_connections};
use super::vendor::build_user;

/// A vendor that answers a create once it is told to, and counts the creates.
pub(crate) struct HeldVendor {
    pub(crate) url: String,
    /// Gives one message for each request that arrived.
    pub(crate) arrived: mpsc::UnboundedReceiver<()>,
    /// Has a permit for each answer that may be given.
    pub(crate) answers: Arc<Semaphore>,
    count: Arc<AtomicU32>,
}

impl HeldVendor {
    pub(crate) async fn start() -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let (answers, count) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let (gate, counter) = (Arc::clone(&answers), Arc::clone(&count));
        let url = serve_connections(move |mut stream| {
            let (sender, gate, counter) = (sender.clone(), Arc::clone(&gate), Arc::clone(&counter));
            async move {
                let request = read_request(&mut stream).await;
                if request.contains(" /api/v1/users/me ") {
                    let _ = stream.write_all(&build_user(&request)).await;
                    return;
                }
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let _ = sender.send(());
                // A closed gate answers nothing.
                let Ok(permit) = gate.acquire().await else { return };
                permit.forget();
                let body = json!({"success": true, "data": {"id": number, "title": "Once"}}).to_string();
                let _ = stream.write_all(&build_json_response("201 Created", &body)).await;
            }
        })
        .await;
        Self { url, arrived, answers, count }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }
}
