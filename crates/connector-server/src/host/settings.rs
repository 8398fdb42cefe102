//! The settings of a host.

use std::time::Duration;

use axum::http::HeaderName;

use crate::wire::authority;
use crate::wire::cookies::Cookies;

/// Settings of a [`Host`](crate::Host). Change those that you need on [`Settings::default`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The URL at which browsers reach the host: a scheme, a host and a port alone.
    pub public_url: String,
    /// The header that names the connection to the gateway; see [`parse_connection_header`].
    pub connection_header: HeaderName,
    /// The requests that an API key may send to the gateway in a second; 0 means no limit.
    pub rate: u32,
    /// The largest body of a request, in bytes.
    pub max_body: usize,
    /// The timeout of a request, and of each pause in a body. Invocations have a timeout of their own.
    pub timeout: Duration,
    /// The largest number of requests of programs in flight.
    pub concurrency: usize,
    /// The time that open requests get to end when the host stops.
    pub drain: Duration,
    /// The way in which installs without a state are handled.
    pub installs: Installs,
    /// The hint for a person whose host has no client at the vendor.
    pub no_client_hint: String,
}

/// The ways to handle an install that comes without a state, as from a marketplace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Installs {
    /// The host keeps the install until an owner signs in, and confirms it on a page.
    Confirm,
    /// The host redirects to this page of a platform, with a handle that the platform claims and confirms.
    Redirect(String),
    /// The host drops the code, and begins an authorization of its own.
    Restart,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8030".to_owned(),
            connection_header: HeaderName::from_static("connector-connection"),
            rate: 10,
            max_body: 64 << 20,
            timeout: Duration::from_mins(2),
            concurrency: 512,
            drain: Duration::from_secs(30),
            installs: Installs::Confirm,
            no_client_hint: "Whoever runs this host registers it with the vendor.".to_owned(),
        }
    }
}

impl Settings {
    /// Checks whether browsers reach the host on this machine alone.
    pub(crate) fn is_for_this_machine(&self) -> bool {
        self.public_url.split_once("://").is_some_and(|(_, authority)| authority::is_this_machine(authority))
    }

    pub(crate) fn cookies(&self) -> Cookies {
        Cookies::new(&self.public_url)
    }
}

/// Parses the name of a header that names a connection. A header that has a meaning of its own is refused.
pub fn parse_connection_header(name: &str) -> Result<HeaderName, String> {
    const RESERVED: [&str; 9] =
        ["authorization", "connection", "connector-owner", "cookie", "expect", "host", "te", "upgrade", "x-api-token"];
    const RESERVED_PREFIXES: [&str; 6] = ["accept", "content-", "proxy-", "sec-", "transfer-", "x-forwarded-"];
    let header = HeaderName::try_from(name).map_err(|_| "it is not the name of a header".to_owned())?;
    let is_reserved = RESERVED.contains(&header.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| header.as_str().starts_with(prefix));
    if is_reserved { Err("that header has a meaning of its own".to_owned()) } else { Ok(header) }
}
