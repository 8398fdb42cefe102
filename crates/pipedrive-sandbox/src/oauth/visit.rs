//! A request to the OAuth server or the marketplace, with all that its answer depends on.

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http::uri::Authority;
use time::OffsetDateTime;

use crate::oauth::apps::App;
use crate::oauth::server::Server;
use crate::world::company::Company;
use crate::world::kept::Kept;

pub(crate) struct Visit<'a> {
    pub(crate) kept: &'a Kept,
    pub(crate) companies: &'a [Company],
    pub(crate) server: &'a Server,
    pub(crate) request: &'a Request<Bytes>,
    pub(crate) now: OffsetDateTime,
    /// Gets each code and token before it is answered.
    pub(crate) on_secret: &'a dyn Fn(&str),
}

impl Visit<'_> {
    pub(super) fn app(&self, client_id: &str) -> Option<&App> {
        self.server.app(client_id)
    }

    pub(super) fn seconds(&self) -> i64 {
        self.now.unix_timestamp()
    }

    /// Gives the address of this sandbox as the client reached it: `127.0.0.1:PORT` or `company.localhost:PORT`.
    ///
    /// Pipedrive has an address for each company. Here all companies share one, and the token alone tells the company.
    pub(super) fn base(&self) -> Option<String> {
        let host = self.request.headers().get(HOST)?.to_str().ok()?;
        let host = host.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@'))?;
        Some(format!("http://{host}"))
    }
}
