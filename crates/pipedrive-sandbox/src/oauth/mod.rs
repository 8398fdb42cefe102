//! The OAuth server and the marketplace beside the API: consent, tokens, installation and its end.

mod apps;
mod form;
mod marketplace;
mod notice;
mod pages;
mod responses;
mod routes;
mod server;
mod token;
mod visit;

pub use apps::{App, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_REDIRECT_URI, SCOPES};
pub(crate) use responses::answer_json;
pub(crate) use routes::{calls_out, is_oauth_path, is_token_request, respond};
pub(crate) use server::Server;
pub(crate) use visit::Visit;
