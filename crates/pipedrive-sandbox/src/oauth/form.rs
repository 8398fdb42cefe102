//! The parameters of a query or a form, each at most once.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;

pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Parses parameters. The error names a parameter that came twice.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut all = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if all.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(format!("{name} is given twice"));
            }
        }
        Ok(Self(all))
    }

    pub(super) fn from_query(request: &Request<Bytes>) -> Result<Self, String> {
        Self::parse(request.uri().query().unwrap_or_default().as_bytes())
    }

    pub(super) fn from_body(request: &Request<Bytes>) -> Result<Self, String> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err("the body must be application/x-www-form-urlencoded".to_owned());
        }
        Self::parse(request.body())
    }

    /// Finds a parameter. One without a value counts as left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
