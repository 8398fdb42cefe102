//! A host as people reach it, over https, before a sandbox of three companies.

use std::sync::Arc;

use pipedrive_sandbox::{App, Clock, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Options, SCOPES};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::chromium::Person;
use super::sandbox::{bind, sandbox_options, serve_sandbox};
use super::server::Server;

pub(crate) struct Site {
    pub(crate) server: Server,
    /// The URL at which people reach the host.
    pub(crate) url: String,
    /// The clock of the sandbox.
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) async fn start_over_https(arguments: &[&str]) -> Self {
        let (front, url) = bind().await;
        let url = url.replacen("http", "https", 1);
        let site = Self::start_at(Some(&url), &format!("{url}/oauth/callback"), arguments).await;
        tokio::spawn(terminate_tls(front, site.server.url["http://".len()..].to_owned()));
        site
    }

    /// Starts a host on a person's own machine.
    ///
    /// It shares its clock with the vendor, since it compares the times of the vendor's notices.
    pub(crate) async fn start_on_this_machine() -> Self {
        Self::start(Clock::system(), None, "", &[]).await
    }

    /// Starts a host whose app returns to a platform's callback.
    pub(crate) async fn start_behind_platform(callback: &str) -> Self {
        Self::start_at(None, callback, &[]).await
    }

    async fn start_at(public_url: Option<&str>, callback: &str, arguments: &[&str]) -> Self {
        Self::start(sandbox_options().clock, public_url, callback, arguments).await
    }

    async fn start(clock: Clock, public_url: Option<&str>, callback: &str, arguments: &[&str]) -> Self {
        let (listener, upstream) = bind().await;
        let arguments: Vec<&str> = public_url.iter().flat_map(|url| ["--public-url", url]).chain(arguments.iter().copied()).collect();
        let server = Server::start(&upstream, &arguments);
        let url = public_url.unwrap_or(&server.url).to_owned();
        let callback = if callback.is_empty() { format!("{url}/oauth/callback") } else { callback.to_owned() };
        let app = App { name: "Connector".to_owned(), ..App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &callback, SCOPES) };
        serve_sandbox(listener, Options { companies: 3, apps: vec![app], clock: clock.clone(), ..sandbox_options() });
        Self { server, url, clock }
    }

    pub(crate) fn page_url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn marketplace_url(&self) -> String {
        format!("{}/marketplace/{DEMO_CLIENT_ID}", self.server.upstream())
    }

    /// Signs a person in by a fresh link.
    pub(crate) async fn sign_in(&self, person: &Person, owner: &str) {
        let link = self.server.run(&["sign-in", "--owner", owner, "--public-url", &self.url], "");
        person.open(&link).await;
        assert_eq!(person.text("#owner").await, owner);
        person.press("#sign-in").await;
    }

    /// Installs the app from the marketplace as the nth account, and returns the account as the vendor shows it.
    pub(crate) async fn install(&self, person: &Person, nth: usize) -> String {
        self.open_consent(person).await;
        allow_access(person, nth).await
    }

    /// Counts the accounts that the vendor offers.
    pub(crate) async fn count_accounts(&self, person: &Person) -> usize {
        self.open_consent(person).await;
        person.count("fieldset label").await
    }

    async fn open_consent(&self, person: &Person) {
        person.open(&self.marketplace_url()).await;
        person.press("a[href^='/oauth/authorize']").await;
    }

    /// Reads the connections of an owner: the status and the company of each.
    pub(crate) async fn read_connections(&self, key: &str) -> Vec<(String, String)> {
        let all = self.server.get("/v1/connections", key).await.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let summary = |one: &Value| (text(&one["status"]), text(&one["metadata"]["company"]["name"]));
        all["connections"].as_array().expect("a list").iter().map(summary).collect()
    }
}

/// Allows access on the vendor's page as the nth account, and returns the account as the vendor shows it.
pub(crate) async fn allow_access(person: &Person, nth: usize) -> String {
    person.text("fieldset").await;
    assert_eq!(person.heading().await, "Allow access?");
    let account = format!("fieldset label:nth-of-type({})", nth + 1);
    person.click(&format!("{account} input")).await;
    let shown = person.text(&account).await;
    person.press("button[value=allow]").await;
    shown
}

/// Builds the summary of a connection to the company of an account.
pub(crate) fn summarize(status: &str, account: &str) -> (String, String) {
    (status.to_owned(), company_name(account).to_owned())
}

/// Returns the company of an account, which the vendor shows last.
pub(crate) fn company_name(account: &str) -> &str {
    account.rsplit_once(", ").expect("an account ends with its company").1
}

/// Terminates TLS as a proxy in front of a host does.
async fn terminate_tls(listener: TcpListener, to: String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions of TLS");
    let config = config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key.into()).expect("the key fits");
    let tls = TlsAcceptor::from(Arc::new(config));
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, to) = (tls.clone(), to.clone());
        tokio::spawn(async move {
            // A browser may close before the handshake ends.
            let Ok(mut outside) = tls.accept(stream).await else { return };
            let mut inside = TcpStream::connect(&to).await.expect("the host listens");
            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
        });
    }
}
