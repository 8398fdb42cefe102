//! A small platform with users of its own, whose connections the host makes.
//!
//! The host returns either to the platform's callback, or to its page with the handle of an install.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::http::{self, JSON};
use super::sandbox::bind;
use super::site::Site;

/// The state of the platform. Its cookies hold countable words; a real platform takes random ones.
#[derive(Default)]
struct Memory {
    /// Users by session.
    sessions: HashMap<String, String>,
    /// Installs that wait for a user, by the cookie of their browser.
    held: HashMap<String, Held>,
    /// Users and their pending connections, by state.
    pending: HashMap<String, (String, String)>,
    /// The URL of the host, and the platform's key there.
    host: Option<(String, String)>,
    words: u32,
}

#[derive(Clone)]
enum Held {
    Code(String),
    Handle(String),
}

/// A pending connection: its state, its id and the link to the vendor.
struct Pending {
    state: String,
    id: String,
    link: String,
}

#[derive(Clone)]
pub(crate) struct Platform {
    memory: Arc<Mutex<Memory>>,
    pub(crate) url: String,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let (listener, url) = bind().await;
        let platform = Self { memory: Arc::default(), url };
        let router = axum::Router::new()
            .route("/callback", get(receive_callback))
            .route("/setup", get(receive_handle))
            .route("/finish", get(show_install).post(finish_install))
            .route("/log-in", post(log_in))
            .route("/log-out", get(log_out))
            .route("/connect", get(connect))
            .with_state(platform.clone());
        tokio::spawn(async { axum::serve(listener, router).await.expect("the platform serves") });
        platform
    }

    /// Gives the platform a host and a key there.
    pub(crate) fn use_host(&self, site: &Site) {
        self.memory().host = Some((site.server.url.clone(), site.server.create_operator_key()));
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no handler panicked")
    }

    /// Posts to the host for one of the platform's users.
    async fn post(&self, owner: &str, path: &str, body: &Value) -> Value {
        let (url, key) = self.memory().host.clone().expect("the test gave the platform a host");
        let headers = [("authorization", key.as_str()), ("connector-owner", owner), JSON];
        let response = http::send(&url, "POST", path, &headers, body.to_string().as_bytes()).await;
        assert!(response.status < 300, "{path}: {}", response.text());
        response.json()["connection"].clone()
    }

    fn make_word(&self) -> String {
        let mut memory = self.memory();
        memory.words += 1;
        format!("word-{}", memory.words)
    }

    fn find_user(&self, headers: &HeaderMap) -> Option<String> {
        self.memory().sessions.get(&find_cookie(headers, "session")?).cloned()
    }

    /// Holds an install for the browser that brought it.
    fn hold(&self, held: Held) -> Response {
        let word = self.make_word();
        self.memory().held.insert(word.clone(), held);
        redirect_with_cookie("/finish", "held", &word)
    }

    async fn begin(&self, owner: &str) -> Pending {
        let state = self.make_word();
        let body = json!({"redirect_uri": format!("{}/callback", self.url), "state": state});
        let connection = self.post(owner, "/v1/connections", &body).await;
        let text = |name: &str| connection[name].as_str().expect("a text").to_owned();
        Pending { state, id: text("connection_id"), link: text("url") }
    }

    async fn exchange(&self, owner: &str, id: &str, code: &str) -> Response {
        show_ready(&self.post(owner, &format!("/v1/connections/{id}/exchange"), &json!({ "code": code })).await)
    }
}

async fn receive_callback(State(platform): State<Platform>, request: Request) -> Response {
    let code = find_parameter(&request, "code").expect("a code");
    let Some(state) = find_parameter(&request, "state") else { return platform.hold(Held::Code(code)) };
    let pending = platform.memory().pending.remove(&state);
    let user = platform.find_user(request.headers());
    let (owner, id) = pending.filter(|(owner, _)| user.as_ref() == Some(owner)).expect("the state belongs to the user");
    platform.exchange(&owner, &id, &code).await
}

async fn receive_handle(State(platform): State<Platform>, request: Request) -> Response {
    platform.hold(Held::Handle(find_parameter(&request, "install").expect("a handle")))
}

async fn show_install(State(platform): State<Platform>, request: Request) -> Response {
    let Some(user) = platform.find_user(request.headers()) else {
        let form = "<form method=\"post\" action=\"/log-in\"><button id=\"log-in\">Log in, or sign up</button></form>";
        return show_page("Who are you?", form).into_response();
    };
    let cookie = find_cookie(request.headers(), "held").expect("the browser holds an install");
    let held = platform.memory().held.get(&cookie).cloned().expect("the install waits");
    let account = match held {
        Held::Code(_) => "your Pipedrive".to_owned(),
        Held::Handle(handle) => {
            let claimed = platform.post(&user, &format!("/v1/installs/{handle}/claim"), &json!({})).await;
            let facts = &claimed["metadata"];
            format!("{} ({}), {}", facts["user"]["name"], facts["user"]["email"], facts["company"]["name"]).replace('"', "")
        }
    };
    let form = "<form method=\"post\"><button id=\"confirm\">Connect</button></form>";
    show_page("Connect?", &format!("<p id=\"account\">{account}</p>{form}")).into_response()
}

async fn finish_install(State(platform): State<Platform>, request: Request) -> Response {
    let user = platform.find_user(request.headers()).expect("a user is logged in");
    let cookie = find_cookie(request.headers(), "held").expect("the browser holds an install");
    let held = platform.memory().held.remove(&cookie).expect("an install is finished once");
    match held {
        Held::Code(code) => {
            let pending = platform.begin(&user).await;
            platform.exchange(&user, &pending.id, &code).await
        }
        Held::Handle(handle) => show_ready(&platform.post(&user, &format!("/v1/installs/{handle}/confirm"), &json!({})).await),
    }
}

async fn log_in(State(platform): State<Platform>, request: Request) -> Response {
    let session = platform.make_word();
    platform.memory().sessions.insert(session.clone(), "ann".to_owned());
    let to = if find_cookie(request.headers(), "held").is_some() { "/finish" } else { "/connect" };
    redirect_with_cookie(to, "session", &session)
}

async fn log_out(State(platform): State<Platform>, request: Request) -> Response {
    let session = find_cookie(request.headers(), "session").expect("a session");
    platform.memory().sessions.remove(&session);
    show_page("Goodbye", "").into_response()
}

async fn connect(State(platform): State<Platform>, request: Request) -> Response {
    let user = platform.find_user(request.headers()).expect("a user is logged in");
    let pending = platform.begin(&user).await;
    platform.memory().pending.insert(pending.state, (user, pending.id));
    (StatusCode::SEE_OTHER, [(LOCATION, pending.link)]).into_response()
}

fn redirect_with_cookie(to: &str, name: &str, value: &str) -> Response {
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/");
    (StatusCode::SEE_OTHER, [(LOCATION, to), (SET_COOKIE, cookie.as_str())]).into_response()
}

fn show_page(heading: &str, body: &str) -> Html<String> {
    Html(format!("<!doctype html><title>Platform</title><h1>{heading}</h1>{body}"))
}

fn show_ready(connection: &Value) -> Response {
    let company = connection["metadata"]["company"]["name"].as_str().expect("a company");
    show_page("Ready", &format!("<p id=\"company\">{company}</p>")).into_response()
}

fn find_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(other, _)| *other == name).map(|(_, value)| value.to_owned())
}

fn find_parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}
