//! Registered apps, with their scopes and redirect URIs.

use std::fmt;

use http::Uri;

use crate::value::open_error::OpenError;
use crate::value::secret::is_same;

/// The client id of the demo app, which a sandbox has by default.
pub const DEMO_CLIENT_ID: &str = "5a4db0c5a4db0c5a";
/// The client secret of the demo app.
pub const DEMO_CLIENT_SECRET: &str = "5a4db0c5ec2e75a4db0c5ec2e75a4db0c5ec2e70";
/// The redirect URI of the demo app.
pub const DEMO_REDIRECT_URI: &str = "http://127.0.0.1:8010/oauth/callback";

/// All scopes that Pipedrive has.
pub const SCOPES: &[&str] = &[
    "base",
    "deals:read",
    "deals:full",
    "mail:read",
    "mail:full",
    "activities:read",
    "activities:full",
    "contacts:read",
    "contacts:full",
    "products:read",
    "products:full",
    "projects:read",
    "projects:full",
    "leads:read",
    "leads:full",
    "goals:read",
    "goals:full",
    "users:read",
    "recents:read",
    "search:read",
    "admin",
    "phone-integration",
    "video-calls",
    "messengers-integration",
    "deal-fields:full",
    "product-fields:full",
    "contact-fields:full",
    "project-fields:full",
    "webhooks:read",
    "webhooks:full",
];

/// An app as its developer registers it.
///
/// Each installation asks for all scopes of the app. A client cannot name other scopes in its request.
#[derive(Clone)]
pub struct App {
    /// The id of the client.
    pub client_id: String,
    /// The secret of the client.
    pub client_secret: String,
    /// The name on the consent page.
    pub name: String,
    /// The addresses to which a browser may return. The first one is the app's callback:
    /// installations from the marketplace return to it, and uninstallations are reported to it.
    pub redirect_uris: Vec<String>,
    /// The scopes of the app.
    pub scopes: Vec<String>,
}

impl App {
    /// Builds an app that is named by its client id.
    pub fn new(client_id: &str, client_secret: &str, redirect_uri: &str, scopes: &[&str]) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            name: client_id.to_owned(),
            redirect_uris: vec![redirect_uri.to_owned()],
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    /// Builds the demo app, which has every scope.
    pub fn demo() -> Self {
        Self { name: "Demo app".to_owned(), ..Self::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, SCOPES) }
    }

    pub(super) fn has_secret(&self, secret: &str) -> bool {
        is_same(self.client_secret.as_bytes(), secret.as_bytes())
    }

    pub(super) fn has_redirect_uri(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|own| own == uri)
    }

    /// Returns the first redirect URI.
    pub(super) fn callback(&self) -> &str {
        self.redirect_uris.first().map_or("", String::as_str)
    }

    /// Lists the scopes that an installation grants. Every app has `base`.
    pub(super) fn list_scopes(&self) -> Vec<String> {
        let mut scopes: Vec<String> = self.scopes.iter().filter(|scope| *scope != "base").cloned().collect();
        scopes.push("base".to_owned());
        scopes
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .field("redirect_uris", &self.redirect_uris)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Checks the registration of the apps.
pub(super) fn check_apps(apps: &[App]) -> Result<(), OpenError> {
    let fault = apps.iter().enumerate().find_map(|(index, app)| {
        let describe = |reason: String| format!("The app {:?} {reason}.", app.client_id);
        if app.client_id.is_empty() || app.client_secret.is_empty() {
            return Some(describe("needs a client id and a client secret".to_owned()));
        }
        if apps[..index].iter().any(|other| other.client_id == app.client_id) {
            return Some(describe("is registered twice".to_owned()));
        }
        if app.redirect_uris.is_empty() {
            return Some(describe("needs a redirect URI".to_owned()));
        }
        let wrong_uri = app.redirect_uris.iter().find(|uri| !is_redirect_uri(uri));
        let wrong_scope = app.scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str()));
        wrong_uri
            .map(|uri| describe(format!("has the redirect URI {uri:?}, which must be an http or https address without a fragment")))
            .or_else(|| wrong_scope.map(|scope| describe(format!("has the scope {scope:?}, which does not exist"))))
    });
    fault.map_or(Ok(()), |reason| Err(OpenError::Options { reason }))
}

/// Tells whether a redirect URI fits in a header and can take parameters.
pub(super) fn is_redirect_uri(uri: &str) -> bool {
    let parsed = uri.parse::<Uri>().ok().filter(|_| uri.is_ascii() && !uri.contains('#'));
    parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()))
}
