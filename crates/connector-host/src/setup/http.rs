//! The HTTP client, and the runtime that sends its requests through it.

use connector_connections::Vault;
use connector_core::embed::Connections;
use connector_core::run::{Http, Runtime, View};

use crate::terminal::env;
use crate::terminal::failure::{Failure, one_line};
use crate::terminal::linked::Linked;

/// Builds the HTTP client, with the proxy and the certificate authorities that the environment names.
pub(crate) fn build_client() -> Result<Http, Failure> {
    let proxy = env::variable(env::PROXY);
    let hint = if proxy.is_some() { format!(" Write {} as http://proxy.example:3128.", env::PROXY) } else { String::new() };
    // The cause is left out: it may quote the URL of the proxy, which may hold a password.
    let http = Http::new(proxy, env::authorities()?).map_err(|error| Failure::host(format!("{}{hint}", error.message())))?;
    #[cfg(feature = "otel")]
    if env::variable(env::PROPAGATE_TRACES).is_some() {
        http.propagate_traces(crate::setup::bridge::Bridge::default());
    }
    Ok(http)
}

/// Builds a runtime that uses these connections, with the view of calls over connections that name none.
///
/// Where other hosts can use the store, they share the limits of connections through it.
pub(crate) fn build_runtime(
    linked: Linked,
    http: &Http,
    connections: impl Connections + 'static,
    store: Option<&Vault>,
    view: View,
) -> Result<Runtime, Failure> {
    let builder = Runtime::builder().connectors(&linked.connectors()).connections(connections).view(view).http(http);
    let builder = match store.filter(|store| store.is_shared()) {
        Some(store) => builder.meter(store.clone()),
        None => builder,
    };
    builder.build().map_err(|error| Failure::host(one_line(&error)))
}
