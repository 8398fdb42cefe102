//! The parameters of a query or a form, each of which may occur once.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;

/// Parameters by name.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Parses encoded parameters. The error names a parameter that occurs twice.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(format!("{name} is given twice"));
            }
        }
        Ok(Self(parameters))
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

    /// Returns the value of a parameter. An empty value counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Tells whether a parameter is present, even if its value is empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
