//! Cookies of this host: for this host alone, out of reach of scripts, and over https where the host is reached by it.

use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use connector_connections::{CODE_LIFETIME, SESSION_LIFETIME, STATE_LIFETIME};

/// How cookies are written. A browser takes the prefix `__Host-` over https alone, so that on plain http, which is for
/// this machine, a name goes without it and without `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Cookies {
    OverHttps,
    OnThisMachine,
}

/// What a cookie holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Cookie {
    /// The browser that begins an authorization, which must be the one that ends it.
    Browser,
    /// Who is signed in.
    Session,
    /// An install that waits for its owner.
    Install,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Browser => "connector-browser",
            Self::Session => "connector-session",
            Self::Install => "connector-install",
        }
    }

    const fn lives(self) -> Duration {
        match self {
            Self::Browser => STATE_LIFETIME,
            Self::Session => SESSION_LIFETIME,
            Self::Install => CODE_LIFETIME,
        }
    }
}

impl Cookies {
    /// By the URL at which browsers reach this host.
    pub(in crate::http) fn at(public_url: &str) -> Self {
        if public_url.starts_with("https://") { Self::OverHttps } else { Self::OnThisMachine }
    }

    /// The value that a browser sent; one that is there twice is none, since it is not known which is ours.
    pub(in crate::http) fn read(self, headers: &HeaderMap, cookie: Cookie) -> Option<String> {
        let name = self.name(cookie);
        let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(other, _)| *other == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if is_secret(value) => Some(value.to_owned()),
            _ => None,
        }
    }

    pub(in crate::http) fn set(self, cookie: Cookie, value: &str) -> HeaderValue {
        self.written(cookie, value, cookie.lives())
    }

    /// For longer than it was set at first.
    pub(in crate::http) fn set_for(self, cookie: Cookie, value: &str, lives: Duration) -> HeaderValue {
        self.written(cookie, value, lives)
    }

    pub(in crate::http) fn clear(self, cookie: Cookie) -> HeaderValue {
        self.written(cookie, "", Duration::ZERO)
    }

    fn written(self, cookie: Cookie, value: &str, lives: Duration) -> HeaderValue {
        let secure = if self == Self::OverHttps { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}", self.name(cookie), lives.as_secs());
        let mut value = HeaderValue::from_str(&text).expect("a secret of ours is plain letters and digits");
        value.set_sensitive(true);
        value
    }

    fn name(self, cookie: Cookie) -> String {
        let prefix = if self == Self::OverHttps { "__Host-" } else { "" };
        format!("{prefix}{}", cookie.name())
    }
}

/// What this host writes into a cookie: letters and digits of Base64 for URLs.
fn is_secret(value: &str) -> bool {
    (1..=512).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_host_alone_and_over_https_where_it_can_be() {
        let https = Cookies::at("https://connector.example").set(Cookie::Session, "abc");
        assert_eq!(https, "__Host-connector-session=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
        let plain = Cookies::at("http://127.0.0.1:8030").set(Cookie::Session, "abc");
        assert_eq!(plain, "connector-session=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_that_is_there_twice_or_not_ours_is_none() {
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(text))]);
            Cookies::OverHttps.read(&headers, Cookie::Session)
        };
        assert_eq!(read("a=b; __Host-connector-session=abc").as_deref(), Some("abc"));
        for none in
            ["connector-session=abc", "__Host-connector-session=abc; __Host-connector-session=x", "__Host-connector-session=a b", ""]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
