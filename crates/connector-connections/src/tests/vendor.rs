//! Vendor of the tests: a token endpoint, a revocation endpoint, and the account of a token. It counts requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use connector_core::declare::{Auth, Connector, Envelope, Identity, OAuth};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use crate::value::app::App;

pub(super) static ACME: Connector = Connector::new("acme", "Acme", "A vendor of examples.", "1.0.0")
    .with_domains(&["acme.example"])
    .with_roots(&["/v1/"])
    .with_auth(&[Auth::oauth2(OAUTH), Auth::api_token("x-api-token")])
    .with_identity(IDENTITY)
    .with_envelope(Envelope::at("/data").with_success("success").never_empty());

const OAUTH: OAuth = OAuth::new("https://oauth.acme.example/oauth/authorize", "https://oauth.acme.example/oauth/token")
    .with_revoke("https://oauth.acme.example/oauth/revoke")
    .with_scope_separator(',')
    .with_host_member("api_domain");

const IDENTITY: Identity = Identity::at("/v1/me")
    .with_company("/data/company_id")
    .with_company_name("/data/company_name")
    .with_company_domain("/data/company_domain")
    .with_user("/data/id")
    .with_user_name("/data/name")
    .with_email("/data/email");

pub(super) const CLIENT: (&str, &str) = ("client", "client-secret-hunter2");
pub(super) const CALLBACK: &str = "https://host.example/oauth/callback";

/// Account: a company and a user.
pub(super) type Who = (i64, i64);

#[derive(Clone)]
pub(super) struct Vendor {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(super) struct State {
    issued_count: u64,
    codes: HashMap<String, (Who, String)>,
    refresh: HashMap<String, Who>,
    access: HashMap<String, Who>,
    issued: HashMap<String, Who>,
    pub(super) api_tokens: HashMap<String, Who>,
    /// True if a refresh token can be used once.
    pub(super) rotates: bool,
    pub(super) fails: Option<Fault>,
    pub(super) expires_in: Option<Value>,
    pub(super) api_domain: Option<String>,
    pub(super) scope: Option<&'static str>,
    /// The status of a failing account request.
    pub(super) no_identity: Option<u16>,
    gate: Option<(&'static str, Arc<Gate>)>,
    token_requests: usize,
    exchanges: usize,
    refreshes: usize,
    revocations: usize,
}

/// Gate at which responses wait until it opens.
pub(super) struct Gate {
    pub(super) arrived: Notify,
    open: Semaphore,
}

impl Gate {
    /// Lets all waiting and future responses through.
    pub(super) fn open(&self) {
        self.open.close();
    }
}

/// Fault of the token endpoint.
#[derive(Clone)]
pub(super) enum Fault {
    /// It responds with this status and body.
    Answers(u16, &'static str),
    /// It closes the connection.
    HangsUp,
}

impl Vendor {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let vendor = Self { url, state: Arc::default() };
        let served = vendor.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        vendor
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds back responses of the token endpoint from now on.
    pub(super) fn close_gate(&self) -> Arc<Gate> {
        self.close_gate_at("/oauth/token")
    }

    /// Holds back no further responses; those that wait still do.
    pub(super) fn remove_gate(&self) {
        self.state().gate = None;
    }

    /// Holds back responses at this path from now on.
    pub(super) fn close_gate_at(&self, path: &'static str) -> Arc<Gate> {
        let gate = Arc::new(Gate { arrived: Notify::new(), open: Semaphore::new(0) });
        Arc::clone(&self.state().gate.insert((path, gate)).1)
    }

    /// Counts the requests to the token endpoint.
    pub(super) fn token_requests(&self) -> usize {
        self.state().token_requests
    }

    pub(super) fn exchanges(&self) -> usize {
        self.state().exchanges
    }

    pub(super) fn refreshes(&self) -> usize {
        self.state().refreshes
    }

    pub(super) fn revocations(&self) -> usize {
        self.state().revocations
    }

    /// Builds the app of this vendor.
    pub(super) fn app(&self) -> App {
        app(&self.url)
    }

    /// Issues a code, as a user's consent does.
    pub(super) fn code(&self, who: Who) -> secrecy::SecretString {
        self.code_for(who, CALLBACK).into()
    }

    pub(super) fn code_for(&self, who: Who, redirect_uri: &str) -> String {
        let mut state = self.state();
        let code = state.new_token("code");
        state.codes.insert(code.clone(), (who, redirect_uri.to_owned()));
        code
    }

    /// Finds the account of an access token that was ever issued.
    pub(super) fn account_of(&self, token: &str) -> Who {
        self.state().issued[token]
    }

    /// Checks whether an access token is valid.
    pub(super) fn accepts(&self, token: &str) -> bool {
        self.state().access.contains_key(token)
    }

    /// Ends all access tokens.
    pub(super) fn forget_access_tokens(&self) {
        self.state().access.clear();
    }

    /// Ends all grants.
    pub(super) fn forget_grants(&self) {
        let mut state = self.state();
        state.access.clear();
        state.refresh.clear();
    }

    /// Prefix of every token.
    pub(super) const MARK: &str = "hunter2-";

    async fn serve(self, mut stream: TcpStream) {
        let mut text = Vec::new();
        let mut part = [0; 4096];
        let (head, body) = loop {
            let Ok(read) = stream.read(&mut part).await else { return };
            if read == 0 {
                return;
            }
            text.extend_from_slice(&part[..read]);
            let all = String::from_utf8_lossy(&text).into_owned();
            let Some((head, body)) = all.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        };
        let (answer, gate) = {
            let mut state = self.state();
            (state.answer(&head, &body, &self.url), state.gate.clone().filter(|(path, _)| head.contains(path)).map(|(_, gate)| gate))
        };
        if let Some(gate) = gate {
            gate.arrived.notify_one();
            gate.open.acquire().await.expect_err("the semaphore closes");
        }
        let Some((status, answer)) = answer else { return };
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        let _ = stream.write_all((head + &answer).as_bytes()).await;
    }
}

/// Builds the app of a vendor at this URL.
pub(super) fn app(url: &str) -> App {
    App::new(&ACME).expect("it signs in by OAuth").with_sandbox(url).expect("on this machine").with_client(CLIENT.0, CLIENT.1, CALLBACK)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.split_once(": ").filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

impl State {
    fn new_token(&mut self, kind: &str) -> String {
        self.issued_count += 1;
        format!("{}{kind}-{}", Vendor::MARK, self.issued_count)
    }

    fn answer(&mut self, head: &str, body: &str, url: &str) -> Option<(u16, Value)> {
        let target = head.split(' ').nth(1).unwrap_or_default();
        if target.starts_with("/oauth/") {
            self.token_requests += usize::from(target == "/oauth/token");
            match &self.fails {
                Some(Fault::HangsUp) => return None,
                Some(Fault::Answers(status, text)) => return Some((*status, serde_json::from_str(text).unwrap_or_else(|_| json!(text)))),
                None => {}
            }
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1));
            if header(head, "authorization") != Some(&format!("Basic {basic}")) {
                return Some((401, json!({"error": "invalid_client"})));
            }
            let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            return Some(if target == "/oauth/revoke" { self.revoke(&form) } else { self.token(&form, url) });
        }
        if let Some(status) = self.no_identity {
            return Some((status, json!({})));
        }
        Some(match self.caller(head) {
            Some((company, user)) => (
                200,
                json!({"success": true, "data": {
                    "id": user, "name": format!("User {user}"), "email": format!("{user}@{company}.example"),
                    "company_id": company, "company_name": format!("Company {company}"), "company_domain": format!("company{company}"),
                }}),
            ),
            None => (401, json!({"success": false, "error": "unauthorized access"})),
        })
    }

    fn caller(&self, head: &str) -> Option<Who> {
        let bearer = header(head, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        let by_token = || self.api_tokens.get(header(head, "x-api-token")?).copied();
        bearer.map_or_else(by_token, |token| self.access.get(token).copied())
    }

    fn token(&mut self, form: &HashMap<String, String>, url: &str) -> (u16, Value) {
        let refused = |what: &str| (400, json!({"success": false, "message": format!("Invalid grant: {what} is invalid")}));
        let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let (who, refresh) = match given("grant_type") {
            "authorization_code" => {
                let Some((who, redirect_uri)) = self.codes.remove(given("code")) else { return refused("code") };
                if redirect_uri != given("redirect_uri") {
                    return (400, json!({"error": "invalid_request"}));
                }
                self.exchanges += 1;
                (who, None)
            }
            _ => {
                let Some(who) = self.refresh.get(given("refresh_token")).copied() else { return refused("refresh_token") };
                self.refreshes += 1;
                if self.rotates {
                    self.refresh.remove(given("refresh_token"));
                }
                (who, (!self.rotates).then(|| given("refresh_token").to_owned()))
            }
        };
        let refresh = refresh.unwrap_or_else(|| self.new_token("refresh"));
        let access = self.new_token("access");
        self.refresh.insert(refresh.clone(), who);
        self.access.insert(access.clone(), who);
        self.issued.insert(access.clone(), who);
        let expires_in = self.expires_in.clone().unwrap_or_else(|| json!(3600));
        let domain = self.api_domain.as_deref().unwrap_or(url);
        let answer = json!({
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "scope": self.scope.unwrap_or("base,deals:full"),
            "expires_in": expires_in, "api_domain": domain,
        });
        (200, answer)
    }

    fn revoke(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        if let Some(who) = form.get("token").and_then(|token| self.refresh.remove(token)) {
            self.revocations += 1;
            self.refresh.retain(|_, other| *other != who);
            self.access.retain(|_, other| *other != who);
        }
        (200, json!({}))
    }
}
