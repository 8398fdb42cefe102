//! The OAuth server and the marketplace: consent, tokens, installation and uninstallation.

mod apps;
mod context;
mod form;
mod marketplace;
mod notice;
mod pages;
mod responses;
mod routes;
mod server;
mod token;

pub use apps::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, SCOPES};
pub(crate) use context::Context;
pub(crate) use responses::respond_json;
pub(crate) use routes::{is_oauth_path, is_token_request, respond, sends_notice};
pub(crate) use server::OauthServer;
