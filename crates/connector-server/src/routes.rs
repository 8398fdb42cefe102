//! The table of all routes, and the server that serves it.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use connector_core::ErrorKind;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::api::{catalogue, connections, gateway, health, invoke, openapi, uninstalled};
use crate::conduct;
use crate::conduct::endpoint::Endpoint;
use crate::host::{Audience, CONNECTION_HEADER, Host, Route};
use crate::pages::{callback, install, sign_in, start};
use crate::wire::listen::{self, Timeouts};
use crate::wire::refusal::Refusal;
use crate::wire::response::{FORM, HTML, JSON, NDJSON};

const FILTERS: &[(&str, &str, &str)] = &[
    ("query", "app", "The connector of the connections."),
    ("query", "status", "The status of the connections: PENDING, ACTIVE or FAILED."),
];
const FORM_BODY: &[(&str, &str)] = &[(FORM, "")];
const CALLBACK: &[(&str, &str, &str)] = &[
    ("query", "code", "The authorization code, if access was granted."),
    ("query", "error", "The error, if access was not granted."),
    ("query", "state", "The state of an authorization that began here."),
    ("query", "connector", "The connector, where the redirect URI of its app names it."),
];
const START: &[(&str, &str, &str)] =
    &[("query", "link", "The link of a connection, which opens once."), ("query", "connector", "The connector, without a link.")];
const CONNECTOR: &[(&str, &str, &str)] = &[("query", "connector", "The key of the connector; without it, those of all.")];
const ONE_CONNECTOR: &[(&str, &str, &str)] =
    &[("query", "connector", "The key of the connector; it may be left out where one alone could be meant.")];
const OF_ACCOUNT: &[(&str, &str, &str)] = &[
    ("query", "connector", "The key of the connector; it may be left out where one alone could be meant."),
    ("query", "connection", "The connection, by name or id, whose custom fields stand in the schema of the input. Left out, none do."),
];
const ANY_BODY: &[(&str, &str)] = &[("*/*", "")];
const PASSED: &[(&str, &str, &str)] = &[(
    "header",
    CONNECTION_HEADER,
    "The connection to use, by name or id; without it the default, else the oldest active one. A write needs it if there are several and no default.",
)];

const KEYED: &[(&str, &str, &str)] = &[(
    "header",
    "Idempotency-Key",
    "The key under which a write is carried out at most once, as options.idempotencyKey; not for a stream.",
)];

macro_rules! routes {
    ($($method:ident $path:literal $audience:ident, $summary:literal, $parameters:expr, $body:expr, $response:expr => $kind:tt $handler:path;)*) => {
        &[$(Endpoint {
            route: Route {
                method: stringify!($method), path: $path, audience: Audience::$audience, summary: $summary, parameters: $parameters,
                body: $body, response: $response,
            },
            handle: |call, body| routes!(@$kind $handler, call, body),
        }),*]
    };
    // The kinds of handlers: `now` and `plain` are not async, `soon` is async, `with` reads a body.
    (@now $handler:path, $call:ident, $body:ident) => {{
        drop($body);
        Box::pin(std::future::ready($handler(&$call)))
    }};
    (@plain $handler:path, $call:ident, $body:ident) => {{
        drop($body);
        Box::pin(std::future::ready(Ok($handler(&$call))))
    }};
    (@soon $handler:path, $call:ident, $body:ident) => {{
        drop($body);
        Box::pin($handler($call))
    }};
    (@with $handler:path, $call:ident, $body:ident) => { Box::pin($handler($call, $body)) };
}

static ENDPOINTS: &[Endpoint] = routes! {
    POST "/v1/invoke" Key, "Run an action or data source; a stream of lines is answered line by line, and a list streams its records", KEYED,
        &[(JSON, "Invocation"), (NDJSON, "")], (200, JSON, "Outcome") => with invoke::invoke;
    GET "/v1/actions" Key, "List the actions", CONNECTOR, &[], (200, JSON, "") => now catalogue::list_actions;
    GET "/v1/actions/{key}" Key, "Describe an action or data source, with the custom fields of an account", OF_ACCOUNT, &[],
        (200, JSON, "") => soon catalogue::show_action;
    GET "/v1/data-sources" Key, "List the data sources", CONNECTOR, &[], (200, JSON, "") => now catalogue::list_data_sources;
    GET "/v1/manifest" Key, "Show the whole catalogue of a connector", ONE_CONNECTOR, &[],
        (200, JSON, "Manifest") => now catalogue::show_manifest;
    GET "/v1/connections" Key, "List the owner's connections, oldest first", FILTERS, &[], (200, JSON, "Connections") => soon connections::list;
    POST "/v1/connections" Key, "Begin a connection: open its url in a browser, or give an API token", &[], &[(JSON, "Begin")],
        (201, JSON, "OneConnection") => with connections::begin;
    GET "/v1/connections/{id}" Key, "Show a connection", &[], &[], (200, JSON, "OneConnection") => soon connections::get;
    PATCH "/v1/connections/{id}" Key, "Rename a connection, make it the default, or set its view", &[], &[(JSON, "Change")],
        (200, JSON, "OneConnection") => with connections::change;
    DELETE "/v1/connections/{id}" Key, "Remove a connection and revoke its grant", &[], &[], (200, JSON, "") => soon connections::remove;
    POST "/v1/connections/{id}/exchange" Key, "Finish a connection with the authorization code that a platform received", &[], &[(JSON, "Code")],
        (200, JSON, "OneConnection") => with connections::exchange;
    POST "/v1/installs/{handle}/claim" Key, "Claim an install that began at the vendor, and show its account", &[], &[],
        (200, JSON, "") => soon connections::claim;
    POST "/v1/installs/{handle}/confirm" Key, "Confirm a claimed install", &[], &[], (200, JSON, "OneConnection") => soon connections::confirm;
    POST "/v1/installs/{handle}/decline" Key, "Decline an install and revoke its grant", &[], &[], (200, JSON, "") => soon connections::decline;
    GET "/gateway/{connector}/{*path}" Key, "Pass a request on to the host of a connection", PASSED, &[], (200, "*/*", "") => with gateway::forward;
    POST "/gateway/{connector}/{*path}" Key, "Pass a request on to the host of a connection", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::forward;
    PUT "/gateway/{connector}/{*path}" Key, "Pass a request on to the host of a connection", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::forward;
    PATCH "/gateway/{connector}/{*path}" Key, "Pass a request on to the host of a connection", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::forward;
    DELETE "/gateway/{connector}/{*path}" Key, "Pass a request on to the host of a connection", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::forward;
    GET "/oauth/start" Browser, "Show the owner for whom an account will be connected", START, &[], (200, HTML, "") => soon start::show_start;
    POST "/oauth/start" Browser, "Begin an authorization on the vendor's page", &[], FORM_BODY, (200, HTML, "") => with start::begin;
    GET "/oauth/callback" Browser, "Finish an authorization, or hold an install; the vendor redirects a browser here", CALLBACK, &[], (200, HTML, "") => soon callback::finish;
    DELETE "/oauth/callback" Vendor, "Record an uninstall; the vendor sends this with the client id and secret of the app", &[], &[(JSON, "")],
        (200, JSON, "") => with uninstalled::record_uninstall;
    GET "/oauth/install" Browser, "Show the install that waits in this browser", &[], &[], (200, HTML, "") => soon install::show_install;
    POST "/oauth/confirm" Browser, "Confirm the install that waits in this browser", &[], FORM_BODY, (200, HTML, "") => with install::confirm;
    POST "/oauth/decline" Browser, "Decline the install that waits in this browser", &[], FORM_BODY, (200, HTML, "") => with install::decline;
    GET "/sign-in" Browser, "Show the owner whom a link signs in", &[("query", "token", "The token of a link that `connector sign-in` printed.")], &[], (200, HTML, "") => soon sign_in::show_sign_in;
    POST "/sign-in" Browser, "Sign in by a link, once", &[], FORM_BODY, (200, HTML, "") => with sign_in::sign_in;
    POST "/sign-out" Browser, "End the session of this browser", &[], FORM_BODY, (200, HTML, "") => with sign_in::sign_out;
    GET "/healthz" Anyone, "Check that the process is alive", &[], &[], (200, JSON, "") => plain health::show_alive;
    GET "/readyz" Anyone, "Check that the store can be reached", &[], &[], (200, JSON, "") => soon health::show_ready;
    GET "/metrics" Watcher, "Show the counters for Prometheus", &[], &[], (200, "text/plain; version=0.0.4", "") => plain health::show_metrics;
    GET "/openapi.json" Anyone, "Show this description", &[], &[], (200, JSON, "") => plain openapi::show_document;
};

/// Serves a host until `stop` ends, then waits for open requests.
///
/// Returns the deadline of that wait, for other work that should end by then, as [`Vault::wait_until_idle`] does.
///
/// [`Vault::wait_until_idle`]: connector_connections::Vault::wait_until_idle
pub async fn serve(listener: TcpListener, mut host: Host, stop: impl Future<Output = ()>) -> Instant {
    let timeouts = Timeouts { unread: host.settings.timeout, drain: host.settings.drain };
    host.routes = ENDPOINTS.iter().map(|endpoint| &endpoint.route).collect();
    let host = Arc::new(host);
    listen::run(listener, build_router(&host), timeouts, stop).await
}

/// Builds a router of all routes, which refuses all other requests in the words of this host.
fn build_router(host: &Arc<Host>) -> Router {
    let router = ENDPOINTS
        .iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.route.path, build_method(endpoint, Arc::clone(host))));
    let (unknown, wrong) = (Arc::clone(host), Arc::clone(host));
    router
        .fallback(async move |request: Request| conduct::refuse_unrouted(&unknown, &request, unknown_route(&unknown, &request)))
        .method_not_allowed_fallback(async move |request: Request| conduct::refuse_unrouted(&wrong, &request, wrong_method(&request)))
}

fn build_method(endpoint: &'static Endpoint, host: Arc<Host>) -> MethodRouter {
    let method = Method::from_bytes(endpoint.route.method.as_bytes()).expect("the table names a method");
    let filter = MethodFilter::try_from(method).expect("axum knows all methods of the table");
    on(filter, async move |params: Result<RawPathParams, RawPathParamsRejection>, request: Request| match params {
        Ok(params) => {
            let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            conduct::answer(Arc::clone(&host), endpoint, params, request).await
        }
        Err(_) => {
            let refusal = Refusal::bad_request("The path is not UTF-8.", "Encode it as UTF-8, then with percent signs.");
            conduct::refuse_unrouted(&host, &request, refusal)
        }
    })
}

fn unknown_route(host: &Host, request: &Request) -> Refusal {
    let suggestion = gateway::suggest_url(host.catalogue().connectors(), request.uri().path());
    let hint = suggestion.unwrap_or_else(|| "GET /openapi.json shows all routes.".to_owned());
    Refusal::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, "There is no such route.", hint)
}

fn wrong_method(request: &Request) -> Refusal {
    let message = format!("The route does not take {}.", request.method());
    let hint = "The header `Allow` names the methods that it takes.";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInvocation, message, hint)
}
