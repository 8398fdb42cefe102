//! The apps that an OAuth server knows, and its count of refreshes.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::oauth::apps::{App, check};
use crate::value::open_error::OpenError;
use crate::world::grants::RefreshTokens;

#[derive(Debug)]
pub(crate) struct Server {
    apps: Vec<App>,
    pub(super) refresh_tokens: RefreshTokens,
    refreshes: AtomicU64,
}

impl Server {
    /// Registers the apps, or says why they cannot be served.
    pub(crate) fn open(apps: Vec<App>, refresh_tokens: RefreshTokens) -> Result<Self, OpenError> {
        check(&apps)?;
        Ok(Self { apps, refresh_tokens, refreshes: AtomicU64::new(0) })
    }

    pub(super) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    pub(super) fn count_refresh(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refresh_count(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }
}
