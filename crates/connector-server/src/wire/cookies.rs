//! The cookies of this host. No other host and no script sees them; over https they are `Secure`.

use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use connector_connections::{CODE_LIFETIME, SESSION_LIFETIME, STATE_LIFETIME};

/// The form of the cookies of this host.
///
/// A browser accepts the prefix `__Host-` and `Secure` over https alone. Plain http, which is for this machine, goes
/// without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookies {
    Https,
    PlainHttp,
}

/// A cookie of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The token of a browser. The browser that begins an authorization must be the one that ends it.
    Browser,
    /// The session of an owner who is signed in.
    Session,
    /// The handle of an install that waits for its owner.
    Install,
    /// The mark of the authorization that this browser finished last.
    Finished,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Browser => "connector-browser",
            Self::Session => "connector-session",
            Self::Install => "connector-install",
            Self::Finished => "connector-finished",
        }
    }

    const fn lifetime(self) -> Duration {
        match self {
            Self::Browser | Self::Finished => STATE_LIFETIME,
            Self::Session => SESSION_LIFETIME,
            Self::Install => CODE_LIFETIME,
        }
    }
}

impl Cookies {
    /// Chooses the form for the URL at which browsers reach this host.
    pub(crate) fn new(public_url: &str) -> Self {
        if public_url.starts_with("https://") { Self::Https } else { Self::PlainHttp }
    }

    /// Reads the value that a browser sent. A cookie that is there twice counts as none: one of the two is not ours.
    pub(crate) fn read(self, headers: &HeaderMap, cookie: Cookie) -> Option<String> {
        let name = self.name(cookie);
        let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(other, _)| *other == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if is_secret(value) => Some(value.to_owned()),
            _ => None,
        }
    }

    pub(crate) fn set(self, cookie: Cookie, value: &str) -> HeaderValue {
        self.set_for(cookie, value, cookie.lifetime())
    }

    pub(crate) fn clear(self, cookie: Cookie) -> HeaderValue {
        self.set_for(cookie, "", Duration::ZERO)
    }

    /// Sets a cookie for another time than its usual lifetime.
    pub(crate) fn set_for(self, cookie: Cookie, value: &str, lifetime: Duration) -> HeaderValue {
        let secure = if self == Self::Https { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}", self.name(cookie), lifetime.as_secs());
        let mut value = HeaderValue::from_str(&text).expect("a secret is plain letters and digits");
        value.set_sensitive(true);
        value
    }

    fn name(self, cookie: Cookie) -> String {
        let prefix = if self == Self::Https { "__Host-" } else { "" };
        format!("{prefix}{}", cookie.name())
    }
}

/// Checks that a value can be one of this host: Base64 for URLs.
fn is_secret(value: &str) -> bool {
    (1..=512).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_cookies_for_one_host_and_secure_over_https() {
        let https = Cookies::new("https://connector.example").set(Cookie::Session, "abc");
        assert_eq!(https, "__Host-connector-session=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
        let plain = Cookies::new("http://127.0.0.1:8030").set(Cookie::Session, "abc");
        assert_eq!(plain, "connector-session=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn ignores_cookies_that_are_doubled_or_foreign() {
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(text))]);
            Cookies::Https.read(&headers, Cookie::Session)
        };
        assert_eq!(read("a=b; __Host-connector-session=abc").as_deref(), Some("abc"));
        for none in
            ["connector-session=abc", "__Host-connector-session=abc; __Host-connector-session=x", "__Host-connector-session=a b", ""]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
