//! The apps that accounts connect through.

use connector_connections::App;
use connector_core::Connector;

use crate::setup::sandbox;
use crate::terminal::arguments::callback_url;
use crate::terminal::connectors::{CONNECTORS, SANDBOXED, find_connector};
use crate::terminal::env;
use crate::terminal::failure::{Failure, one_line};

/// Builds an app for each connector, with the client and the sandbox that the environment names.
pub(crate) fn build_apps(public_url: &str) -> Result<Vec<App>, Failure> {
    CONNECTORS.into_iter().map(|connector| build_app(connector, public_url)).collect()
}

fn build_app(connector: &'static Connector, public_url: &str) -> Result<App, Failure> {
    let mut app = App::new(connector).map_err(|error| Failure::host(one_line(&error)))?;
    if let Some(url) = env::variable(env::SANDBOX).filter(|_| connector.key == SANDBOXED.key) {
        app = sandbox::use_sandbox(app, &url)?;
    }
    match (env::variable(env::CLIENT_ID), env::variable(env::CLIENT_SECRET)) {
        (Some(id), Some(secret)) => {
            // The environment names one client: it belongs to the only connector.
            find_connector(None)?;
            Ok(app.with_client(id, secret, callback_url(public_url)))
        }
        (None, None) => Ok(app),
        _ => Err(Failure::usage(format!("set both {} and {}, or neither", env::CLIENT_ID, env::CLIENT_SECRET))),
    }
}
