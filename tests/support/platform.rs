//! A small platform with users of its own, that lets the host connect them: by a callback of its own, or by the handle
//! of an install that the host received.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::http::{JSON, Reply, ask};
use super::site::Site;

/// What the platform remembers. Its sessions and what it holds are told by what the browser's cookies say; a real one
/// takes random words for them.
#[derive(Default)]
struct Memory {
    sessions: HashMap<String, String>,
    held: HashMap<String, Held>,
    /// The connection that waits for a state, and whose it is.
    begun: HashMap<String, (String, String)>,
    next: u32,
}

#[derive(Clone)]
enum Held {
    Code(String),
    Handle(String),
}

#[derive(Clone)]
pub(crate) struct Platform {
    memory: Arc<Mutex<Memory>>,
    pub(crate) url: String,
    host: Arc<Mutex<Option<(String, String)>>>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let platform = Self { memory: Arc::default(), url, host: Arc::default() };
        let router = axum::Router::new()
            .route("/callback", get(callback))
            .route("/setup", get(setup))
            .route("/finish", get(asked).post(finish))
            .route("/log-in", post(log_in))
            .route("/log-out", get(log_out))
            .route("/connect", get(connect))
            .with_state(platform.clone());
        tokio::spawn(async { axum::serve(listener, router).await.expect("it serves") });
        platform
    }

    pub(crate) fn knows(&self, site: &Site) {
        *self.host.lock().expect("no panic") = Some((site.served.url.clone(), site.served.operator_key()));
    }

    /// Asks the host, as the platform that runs it, for one of its customers.
    async fn ask(&self, owner: &str, path: &str, body: &Value) -> Reply {
        let (url, key) = self.host.lock().expect("no panic").clone().expect("the host is known");
        let headers = [("authorization", key.as_str()), ("connector-owner", owner), JSON];
        let reply = ask(&url, "POST", path, &headers, body.to_string().as_bytes()).await;
        assert!(reply.status < 300, "{path}: {}", reply.text());
        reply
    }

    fn word(&self) -> String {
        let mut memory = self.memory.lock().expect("no panic");
        memory.next += 1;
        format!("word-{}", memory.next)
    }

    fn user(&self, headers: &HeaderMap) -> Option<String> {
        self.memory.lock().expect("no panic").sessions.get(&cookie(headers, "session")?).cloned()
    }

    fn hold(&self, held: Held) -> Response {
        let word = self.word();
        self.memory.lock().expect("no panic").held.insert(word.clone(), held);
        redirect_with("/finish", "held", &word)
    }

    async fn begin(&self, owner: &str) -> (String, String, String) {
        let state = self.word();
        let body = json!({"redirect_uri": format!("{}/callback", self.url), "state": state});
        let begun = self.ask(owner, "/v1/connections", &body).await.json()["connection"].clone();
        let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
        (state, text("connection_id"), text("url"))
    }

    async fn exchange(&self, owner: &str, id: &str, code: &str) -> Response {
        let reply = self.ask(owner, &format!("/v1/connections/{id}/exchange"), &json!({ "code": code })).await;
        ready(&reply.json()["connection"])
    }
}

fn redirect(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

/// The same with a cookie.
fn redirect_with(to: &str, name: &str, value: &str) -> Response {
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/");
    (StatusCode::SEE_OTHER, [(LOCATION, to), (SET_COOKIE, cookie.as_str())]).into_response()
}

fn page(heading: &str, body: &str) -> Html<String> {
    Html(format!("<!doctype html><title>Platform</title><h1>{heading}</h1>{body}"))
}

fn ready(connection: &Value) -> Response {
    let company = connection["metadata"]["company"]["name"].as_str().expect("a company");
    page("Ready", &format!("<p id=\"company\">{company}</p>")).into_response()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(other, _)| *other == name).map(|(_, value)| value.to_owned())
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

async fn callback(State(platform): State<Platform>, request: Request) -> Response {
    let code = parameter(&request, "code").expect("a code");
    let Some(state) = parameter(&request, "state") else { return platform.hold(Held::Code(code)) };
    let begun = platform.memory.lock().expect("no panic").begun.remove(&state);
    let (owner, id) = begun.filter(|(owner, _)| platform.user(request.headers()).as_ref() == Some(owner)).expect("its own state");
    platform.exchange(&owner, &id, &code).await
}

async fn setup(State(platform): State<Platform>, request: Request) -> Response {
    platform.hold(Held::Handle(parameter(&request, "install").expect("a handle")))
}

async fn asked(State(platform): State<Platform>, request: Request) -> Response {
    let Some(user) = platform.user(request.headers()) else {
        let form = "<form method=\"post\" action=\"/log-in\"><button id=\"log-in\">Log in, or sign up</button></form>";
        return page("Who are you?", form).into_response();
    };
    let held = cookie(request.headers(), "held").expect("something waits");
    let held = platform.memory.lock().expect("no panic").held.get(&held).cloned().expect("it waits");
    let whose = match held {
        Held::Code(_) => "your Pipedrive".to_owned(),
        Held::Handle(handle) => {
            let claimed = platform.ask(&user, &format!("/v1/installs/{handle}/claim"), &json!({})).await.json();
            let told = &claimed["connection"]["metadata"];
            format!("{} ({}), {}", told["user"]["name"], told["user"]["email"], told["company"]["name"]).replace('"', "")
        }
    };
    let form = "<form method=\"post\"><button id=\"confirm\">Connect</button></form>";
    page("Connect?", &format!("<p id=\"whose\">{whose}</p>{form}")).into_response()
}

async fn finish(State(platform): State<Platform>, request: Request) -> Response {
    let user = platform.user(request.headers()).expect("somebody is logged in");
    let held = cookie(request.headers(), "held").expect("something waits");
    let held = platform.memory.lock().expect("no panic").held.remove(&held).expect("it is used once");
    match held {
        Held::Code(code) => {
            let (_, id, _) = platform.begin(&user).await;
            platform.exchange(&user, &id, &code).await
        }
        Held::Handle(handle) => {
            let confirmed = platform.ask(&user, &format!("/v1/installs/{handle}/confirm"), &json!({})).await;
            ready(&confirmed.json()["connection"])
        }
    }
}

async fn log_in(State(platform): State<Platform>, request: Request) -> Response {
    let session = platform.word();
    platform.memory.lock().expect("no panic").sessions.insert(session.clone(), "ann".to_owned());
    let to = if cookie(request.headers(), "held").is_some() { "/finish" } else { "/connect" };
    redirect_with(to, "session", &session)
}

async fn log_out(State(platform): State<Platform>, request: Request) -> Response {
    let session = cookie(request.headers(), "session").expect("a session");
    platform.memory.lock().expect("no panic").sessions.remove(&session);
    page("Goodbye", "").into_response()
}

async fn connect(State(platform): State<Platform>, request: Request) -> Response {
    let user = platform.user(request.headers()).expect("somebody is logged in");
    let (state, id, url) = platform.begin(&user).await;
    platform.memory.lock().expect("no panic").begun.insert(state, (user, id));
    redirect(&url)
}
