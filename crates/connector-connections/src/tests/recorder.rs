//! Vendors of other kinds, and a server that records what they are asked and answers as a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use connector_core::declare::{Auth, ClientAuth, Connector, Envelope, Identity, OAuth};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{World, http};
use crate::value::app::App;
use crate::{Key, Vault};

/// Builds a vendor that has one host.
const fn build(key: &'static str, label: &'static str) -> Connector {
    let connector = Connector::new(key, label, "A vendor of examples.", "1.0.0");
    connector.with_domains(&["vendor.example"]).with_host("https://api.vendor.example").with_envelope(Envelope::at("/data"))
}

/// OAuth of most of them, without PKCE and scopes.
const OAUTH: OAuth = OAuth::new("https://vendor.example/authorize?prompt=consent", "https://vendor.example/token");

/// Account of a user, without a company.
const WHO: Identity = Identity::at("/v1/whoami").with_company_name("/workspace").with_user("/user/id").with_user_name("/user/name");

/// OAuth with scopes, PKCE, the secret in the form, a fixed host, and an identity.
pub(super) static CHALLENGED: Connector = build("challenged", "Challenged")
    .with_auth(&[Auth::oauth2(
        OAUTH
            .with_revoke("https://vendor.example/revoke")
            .with_client_auth(ClientAuth::Form)
            .with_pkce()
            .with_scopes(&["things:read", "things:write"]),
    )])
    .with_identity(WHO);

/// OAuth for clients without a secret; no identity, no revocation.
pub(super) static PUBLIC: Connector =
    build("public", "Public").with_auth(&[Auth::oauth2(OAUTH.with_client_auth(ClientAuth::Public).with_pkce())]);

/// OAuth with Basic, and the host in the token response.
pub(super) static HOSTED: Connector =
    Connector::new("hosted", "Hosted", "A vendor of examples.", "1.0.0").with_domains(&["vendor.example"]).with_auth(&[Auth::oauth2(
        OAUTH.with_revoke("https://vendor.example/revoke").with_scopes(&["things:read", "things:write"]).with_host_member("instance_url"),
    )]);

/// API key with a prefix, and no identity.
pub(super) static KEYED: Connector = build("keyed", "Keyed").with_auth(&[Auth::api_token("authorization").with_prefix("Token ")]);

/// Bearer token that a person copies, with an identity.
pub(super) static COPIED: Connector = build("copied", "Copied").with_auth(&[Auth::bearer_token()]).with_identity(WHO);

/// Connector of an API that is open to all.
pub(super) static OPEN: Connector = build("open", "Open");

/// Connector that declares neither a way to sign in nor a host.
pub(super) static LOST: Connector = Connector::new("lost", "Lost", "A vendor of examples.", "1.0.0").with_domains(&["vendor.example"]);

pub(super) const SECRET: &str = "hunter2/client+secret";
pub(super) const CALLBACK: &str = "https://host.example/oauth/callback";

/// Request that the server received.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) form: HashMap<String, String>,
}

/// Server of any vendor: it records requests, and answers each path as it was last told to.
#[derive(Clone)]
pub(super) struct Recorder {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<HashMap<&'static str, (u16, String)>>>,
}

impl Recorder {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let recorder = Self { url, asked: Arc::default(), answers: Arc::default() };
        let served = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        recorder
    }

    /// Answers a path by JSON from now on.
    pub(super) fn answer(&self, path: &'static str, status: u16, body: &Value) {
        self.answer_text(path, status, &body.to_string());
    }

    /// Answers a path by a text from now on.
    pub(super) fn answer_text(&self, path: &'static str, status: u16, body: &str) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(path, (status, body.to_owned()));
    }

    /// Takes the requests since the last call.
    pub(super) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens a vault over the store of a world, with an app of this vendor.
    pub(super) async fn open(&self, world: &World, app: App) -> Vault {
        let app = app.with_sandbox(&self.url).expect("on this machine");
        let key = Key::parse(super::HEX_KEY).expect("a key");
        Vault::builder(world.place.store().await, key, &http()).app(app).clock(world.clock.clone()).open().await.expect("it opens")
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut text = String::new();
        let (head, body) = loop {
            let mut part = [0; 4096];
            let Ok(read @ 1..) = stream.read(&mut part).await else { return };
            text += &String::from_utf8_lossy(&part[..read]);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = find_header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        };
        let path = head.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let asked = Asked { path: path.clone(), authorization: find_header(&head, "authorization").map(str::to_owned), form };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        let told = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(path.as_str()).cloned();
        let (status, body) = told.unwrap_or_else(|| (404, json!({}).to_string()));
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _ = stream.write_all((head + &body).as_bytes()).await;
    }
}

fn find_header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.split_once(": ").filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}
