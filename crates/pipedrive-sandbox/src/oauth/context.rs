//! A request to the OAuth server or the marketplace, with all on which its response depends.

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http::uri::Authority;
use time::OffsetDateTime;

use crate::oauth::apps::App;
use crate::oauth::server::OauthServer;
use crate::world::company::Companies;
use crate::world::store::WorldStore;

/// A request, and the parts of the sandbox that answer it.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a WorldStore,
    pub(crate) companies: &'a Companies,
    pub(crate) server: &'a OauthServer,
    pub(crate) request: &'a Request<Bytes>,
    pub(crate) now: OffsetDateTime,
    /// Called with each code and token before the response that carries it.
    pub(crate) on_secret: &'a dyn Fn(&str),
}

impl Context<'_> {
    pub(super) fn find_app(&self, client_id: &str) -> Option<&App> {
        self.server.find_app(client_id)
    }

    /// Returns the time of the request in seconds since 1970.
    pub(super) fn seconds(&self) -> i64 {
        self.now.unix_timestamp()
    }

    /// Returns the URL by which the client reached the sandbox: that of `127.0.0.1:PORT` or `company.localhost:PORT`.
    ///
    /// In Pipedrive each company has an address of its own. Here all share one, and the token determines the company.
    pub(super) fn base_url(&self) -> Option<String> {
        let host = self.request.headers().get(HOST)?.to_str().ok()?;
        let host = host.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@'))?;
        Some(format!("http://{host}"))
    }
}
