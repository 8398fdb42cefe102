//! The state of the OAuth server beside the store: its apps, and its count of refreshes.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::oauth::apps::{App, check_apps};
use crate::value::open_error::OpenError;
use crate::world::grants::RefreshTokens;

/// The OAuth server of a sandbox.
#[derive(Debug)]
pub(crate) struct OauthServer {
    apps: Vec<App>,
    pub(super) refresh_tokens: RefreshTokens,
    refresh_count: AtomicU64,
}

impl OauthServer {
    /// Opens a server for these apps, if their registration is valid.
    pub(crate) fn open(apps: Vec<App>, refresh_tokens: RefreshTokens) -> Result<Self, OpenError> {
        check_apps(&apps)?;
        Ok(Self { apps, refresh_tokens, refresh_count: AtomicU64::new(0) })
    }

    pub(super) fn find_app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    pub(super) fn count_refresh(&self) {
        self.refresh_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refresh_count(&self) -> u64 {
        self.refresh_count.load(Ordering::Relaxed)
    }
}
