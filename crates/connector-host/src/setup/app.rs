//! The apps that accounts connect through.

use connector_connections::App;

use crate::setup::sandbox;
use crate::terminal::env;
use crate::terminal::failure::{Failure, one_line};
use crate::terminal::linked::{Linked, LinkedConnector};

/// Builds an app for each connector, with the client and the sandbox that the environment names.
pub(crate) fn build_apps(linked: Linked, public_url: &str) -> Result<Vec<App>, Failure> {
    linked.all().iter().map(|one| build_app(linked, one, public_url)).collect()
}

/// Builds the apps of a host that runs a sandbox: that of its demo app in place of the connector's own.
pub(crate) fn build_apps_beside(demo: App, linked: Linked, public_url: &str) -> Result<Vec<App>, Failure> {
    let others = linked.all().iter().filter(|one| one.key() != demo.key()).map(|one| build_app(linked, one, public_url));
    let others: Vec<App> = others.collect::<Result<_, _>>()?;
    Ok([vec![demo], others].concat())
}

fn build_app(linked: Linked, one: &LinkedConnector, public_url: &str) -> Result<App, Failure> {
    let mut app = App::new(one.connector).map_err(|error| Failure::host(one_line(&error)))?;
    if let Some(url) = one.setting(env::SANDBOX)? {
        app = sandbox::use_sandbox(app, &url, &one.variable(env::SANDBOX))?;
    }
    let callback = linked.callback_url(one, public_url);
    Ok(match one.client()? {
        Some((id, Some(secret))) => app.with_client(id, secret, callback),
        Some((id, None)) => app.with_public_client(id, callback),
        None => app,
    })
}
