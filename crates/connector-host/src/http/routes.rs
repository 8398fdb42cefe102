//! Every route, once: what answers, who may ask, and what `/openapi.json` says of it.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use connector_core::{ErrorKind, quote};

use super::answer::{JSON, NDJSON, Refusal};
use super::caller::Caller;
use super::{Host, catalogue, conduct, connections, gateway, health, invoke, oauth, openapi};

/// One method of one path.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) who: Who,
    pub(super) about: &'static str,
    /// What it takes in the query or a header: its place, its name, and what it means.
    pub(super) takes: &'static [(&'static str, &'static str, &'static str)],
    /// The body that it takes: media types, and the schema of each.
    pub(super) body: &'static [(&'static str, &'static str)],
    /// What it answers when it goes well: the status, the media type and the schema.
    pub(super) gives: (u16, &'static str, &'static str),
    answer: fn(Call, Body) -> Answering,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Anyone.
    Anyone,
    /// Whoever has an API key.
    Key,
    /// A person's browser, which is answered with pages.
    Browser,
    /// The vendor, under the id and secret of its app.
    Vendor,
    /// A program of this machine, or an operator's key.
    Watcher,
}

/// A request that found its route.
pub(super) struct Call {
    pub(super) host: Arc<Host>,
    pub(super) caller: Caller,
    pub(super) head: Parts,
    params: Vec<(String, String)>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>;

const FILTERS: &[(&str, &str, &str)] =
    &[("query", "app", "Only those of this connector."), ("query", "status", "Only those that are PENDING, ACTIVE or FAILED.")];
const HTML: &str = "text/html; charset=utf-8";
const FORM: &[(&str, &str)] = &[("application/x-www-form-urlencoded", "")];
const CALLBACK: &[(&str, &str, &str)] = &[
    ("query", "code", "The code, where access was granted."),
    ("query", "error", "Why not, where it was not."),
    ("query", "state", "What an authorization that began here was sent with."),
];
const LINK: &[(&str, &str, &str)] = &[("query", "link", "A connection's link; it opens once.")];
const ANY_BODY: &[(&str, &str)] = &[("*/*", "")];
/// Stands for the header that the settings name.
pub(super) const CONNECTION: &str = "Connector-Connection";
const PASSED: &[(&str, &str, &str)] =
    &[("header", CONNECTION, "The connection to use, by name or id; without it the default, else the oldest active one.")];

macro_rules! routes {
    ($($method:ident $path:literal $who:ident, $about:literal, $takes:expr, $body:expr, $gives:expr => $when:tt $answer:path;)*) => {
        &[$(Route {
            method: stringify!($method), path: $path, who: Who::$who, about: $about, takes: $takes, body: $body, gives: $gives,
            answer: |call, body| routes!(@$when $answer, call, body),
        }),*]
    };
    // What is known at once, what takes its time, and what reads a body.
    (@now $answer:path, $call:ident, $body:ident) => {{
        drop($body);
        Box::pin(std::future::ready($answer(&$call)))
    }};
    (@plain $answer:path, $call:ident, $body:ident) => {{
        drop($body);
        Box::pin(std::future::ready(Ok($answer(&$call))))
    }};
    (@soon $answer:path, $call:ident, $body:ident) => {{
        drop($body);
        Box::pin($answer($call))
    }};
    (@with $answer:path, $call:ident, $body:ident) => { Box::pin($answer($call, $body)) };
}

pub(super) static ROUTES: &[Route] = routes! {
    POST "/v1/invoke" Key, "Run an action or data source; a stream of lines is answered line by line", &[],
        &[(JSON, "Invocation"), (NDJSON, "")], (200, JSON, "Outcome") => with invoke::invoke;
    GET "/v1/actions" Key, "List the actions", &[], &[], (200, JSON, "") => now catalogue::actions;
    GET "/v1/actions/{key}" Key, "Show what an action or data source does, takes and gives", &[], &[], (200, JSON, "") => now catalogue::action;
    GET "/v1/data-sources" Key, "List the data sources", &[], &[], (200, JSON, "") => now catalogue::data_sources;
    GET "/v1/manifest" Key, "The whole catalogue of a connector", &[("query", "connector", "The connector's key.")], &[],
        (200, JSON, "Manifest") => now catalogue::manifest;
    GET "/v1/connections" Key, "List the owner's connections, oldest first", FILTERS, &[], (200, JSON, "Connections") => soon connections::list;
    POST "/v1/connections" Key, "Begin a connection: open its url in a browser, or give an API token", &[], &[(JSON, "Begin")],
        (201, JSON, "OneConnection") => with connections::begin;
    GET "/v1/connections/{id}" Key, "One connection", &[], &[], (200, JSON, "OneConnection") => soon connections::get;
    PATCH "/v1/connections/{id}" Key, "Rename a connection, or make it the one for calls that name none", &[], &[(JSON, "Change")],
        (200, JSON, "OneConnection") => with connections::change;
    DELETE "/v1/connections/{id}" Key, "Remove a connection and give its grant back", &[], &[], (200, JSON, "") => soon connections::remove;
    POST "/v1/connections/{id}/exchange" Key, "Grant a connection with the code that came back to the platform", &[], &[(JSON, "Code")],
        (200, JSON, "OneConnection") => with connections::exchange;
    POST "/v1/installs/{handle}/claim" Key, "Claim an install that began at the vendor's, and learn whose it is", &[], &[],
        (200, JSON, "") => soon connections::claim;
    POST "/v1/installs/{handle}/confirm" Key, "Confirm a claimed install", &[], &[], (200, JSON, "OneConnection") => soon connections::confirm;
    POST "/v1/installs/{handle}/decline" Key, "Decline an install and give its grant back", &[], &[], (200, JSON, "") => soon connections::decline;
    GET "/gateway/{connector}/{*path}" Key, "Pass a request on to a connection's own host", PASSED, &[], (200, "*/*", "") => with gateway::pass;
    POST "/gateway/{connector}/{*path}" Key, "Pass a request on to a connection's own host", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::pass;
    PUT "/gateway/{connector}/{*path}" Key, "Pass a request on to a connection's own host", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::pass;
    PATCH "/gateway/{connector}/{*path}" Key, "Pass a request on to a connection's own host", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::pass;
    DELETE "/gateway/{connector}/{*path}" Key, "Pass a request on to a connection's own host", PASSED, ANY_BODY, (200, "*/*", "") => with gateway::pass;
    GET "/oauth/start" Browser, "For whom an account would be connected: by a link, or for who is signed in", LINK, &[], (200, HTML, "") => soon oauth::start_page;
    POST "/oauth/start" Browser, "Go on to the vendor's page", &[], FORM, (200, HTML, "") => with oauth::start;
    GET "/oauth/callback" Browser, "Where the vendor sends a browser back to", CALLBACK, &[], (200, HTML, "") => soon oauth::callback;
    DELETE "/oauth/callback" Vendor, "The vendor tells of an uninstall, under the app's id and secret", &[], &[(JSON, "")],
        (200, JSON, "") => with oauth::uninstalled;
    GET "/oauth/install" Browser, "Show an install that waits, to confirm or decline", &[], &[], (200, HTML, "") => soon oauth::install;
    POST "/oauth/confirm" Browser, "Confirm the install that waits in this browser", &[], FORM, (200, HTML, "") => with oauth::confirm;
    POST "/oauth/decline" Browser, "Decline it", &[], FORM, (200, HTML, "") => with oauth::decline;
    GET "/sign-in" Browser, "Whom a link signs in", &[("query", "token", "What `connector sign-in` printed.")], &[], (200, HTML, "") => soon oauth::sign_in_page;
    POST "/sign-in" Browser, "Sign in by a link, once", &[], FORM, (200, HTML, "") => with oauth::sign_in;
    POST "/sign-out" Browser, "End the session of this browser", &[], FORM, (200, HTML, "") => with oauth::sign_out;
    GET "/healthz" Anyone, "Whether the process is alive", &[], &[], (200, JSON, "") => plain health::alive;
    GET "/readyz" Anyone, "Whether the store can be reached", &[], &[], (200, JSON, "") => soon health::ready;
    GET "/metrics" Watcher, "What is counted, for Prometheus", &[], &[], (200, "text/plain; version=0.0.4", "") => plain health::metrics;
    GET "/openapi.json" Anyone, "This description", &[], &[], (200, JSON, "") => plain openapi::document;
};

/// A router of all routes; what fits none of them is refused in our words.
pub(super) fn router(host: &Arc<Host>) -> Router {
    let router = ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, served(route, Arc::clone(host))));
    let (nowhere, no_method) = (Arc::clone(host), Arc::clone(host));
    router
        .fallback(async move |request: Request| conduct::unrouted(&nowhere, &request, no_route(&request)))
        .method_not_allowed_fallback(async move |request: Request| conduct::unrouted(&no_method, &request, wrong_method(&request)))
}

fn served(route: &'static Route, host: Arc<Host>) -> MethodRouter {
    let method = Method::from_bytes(route.method.as_bytes()).expect("it is a method's name");
    let filter = MethodFilter::try_from(method).expect("axum knows it");
    on(filter, async move |params: Result<RawPathParams, RawPathParamsRejection>, request: Request| match params {
        Ok(params) => {
            let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            conduct::answered(Arc::clone(&host), route, params, request).await
        }
        Err(_) => conduct::unrouted(&host, &request, bad("The path is not UTF-8.", "Encode it as UTF-8, percent by percent.")),
    })
}

impl Route {
    pub(super) fn answer(&self, call: Call, body: Body) -> Answering {
        (self.answer)(call, body)
    }
}

impl Call {
    pub(super) fn new(host: Arc<Host>, caller: Caller, head: Parts, params: Vec<(String, String)>) -> Self {
        Self { host, caller, head, params }
    }

    /// A variable of the path.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// The text of a header, which is there once: of two nobody knows which was meant.
    pub(super) fn header(&self, name: &HeaderName) -> Result<Option<&str>, Refusal> {
        let mut values = self.head.headers.get_all(name).iter().map(|value| value.to_str().ok().filter(|text| !text.trim().is_empty()));
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(Some(text)), None) => Ok(Some(text)),
            _ => Err(bad(format!("The header {name} is there twice, is empty or is no text."), "Send it once, in plain letters.")),
        }
    }

    /// The query by name, which takes these and no others, each once.
    pub(super) fn query(&self, known: &[&str]) -> Result<Vec<(String, String)>, Refusal> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(self.head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let twice = |at: usize, name: &str| pairs[..at].iter().any(|(other, _)| other == name);
        for (at, (name, _)) in pairs.iter().enumerate() {
            // A name that is none of ours may hold a secret, and a message is logged: the hint repeats it, cut short.
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(bad("The query holds what is not known here.", format!("There is no {}; there are: {known}.", quote(name))));
            }
            if twice(at, name) {
                return Err(bad(format!("The query parameter {name:?} is given twice."), "Give it once."));
            }
        }
        Ok(pairs)
    }
}

/// A request that cannot be read.
pub(super) fn bad(message: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInvocation, message, hint)
}

fn no_route(request: &Request) -> Refusal {
    let hint = gateway::right_url(request.uri().path()).unwrap_or_else(|| "GET /openapi.json shows all routes.".to_owned());
    Refusal::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, "There is no such route.", hint)
}

fn wrong_method(request: &Request) -> Refusal {
    let message = format!("The route does not take {}.", request.method());
    let hint = "The header `Allow` names the methods that it takes.";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidInvocation, message, hint)
}
