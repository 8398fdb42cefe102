//! A host as people reach it, over https, before a sandbox of three companies.

use std::sync::Arc;

use pipedrive_sandbox::{App, Clock, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Options, SCOPES, Sandbox};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::support::chromium::Person;
use crate::support::server::Served;

pub(crate) struct Site {
    pub(crate) served: Served,
    /// Where people reach the host.
    pub(crate) url: String,
    /// The sandbox's clock.
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) async fn over_https(arguments: &[&str]) -> Self {
        let front = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let url = format!("https://{}", front.local_addr().expect("it is bound"));
        let site = Self::at(Some(&url), &format!("{url}/oauth/callback"), arguments).await;
        tokio::spawn(in_front(front, site.served.url["http://".len()..].to_owned()));
        site
    }

    /// As a person has it on their own machine. The vendor's clock is the host's, which judges by it what is older.
    pub(crate) async fn on_this_machine() -> Self {
        Self::by(Clock::system(), None, "", &[]).await
    }

    /// Before an app whose callback is a platform's own.
    pub(crate) async fn behind(callback: &str) -> Self {
        Self::at(None, callback, &[]).await
    }

    async fn at(public: Option<&str>, callback: &str, arguments: &[&str]) -> Self {
        Self::by(crate::support::world::options().clock, public, callback, arguments).await
    }

    async fn by(clock: Clock, public: Option<&str>, callback: &str, arguments: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let upstream = format!("http://{}", listener.local_addr().expect("it is bound"));
        let arguments: Vec<&str> = public.iter().flat_map(|url| ["--public-url", url]).chain(arguments.iter().copied()).collect();
        let served = Served::before(&upstream, &arguments);
        let url = public.unwrap_or(&served.url).to_owned();
        let callback = if callback.is_empty() { format!("{url}/oauth/callback") } else { callback.to_owned() };
        let app = App { name: "Connector".to_owned(), ..App::new(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, &callback, SCOPES) };
        let options = Options { companies: 3, apps: vec![app], clock: clock.clone(), ..crate::support::world::options() };
        tokio::spawn(pipedrive_sandbox::serve(listener, Sandbox::open(options).expect("a sandbox in memory opens")));
        Self { served, url, clock }
    }

    pub(crate) fn at_path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The link that signs somebody in.
    pub(crate) fn invitation(&self, owner: &str) -> String {
        self.served.run(&["sign-in", "--owner", owner, "--public-url", &self.url], "")
    }

    /// Signs somebody in by a fresh link.
    pub(crate) async fn sign_in(&self, person: &Person, owner: &str) {
        person.open(&self.invitation(owner)).await;
        assert_eq!(person.text("#owner").await, owner);
        person.press("#sign-in").await;
    }

    pub(crate) fn marketplace(&self) -> String {
        format!("{}/marketplace/{DEMO_CLIENT_ID}", self.served.upstream())
    }

    /// Installs the app from the marketplace; whose account it is, as the vendor writes it.
    pub(crate) async fn install(&self, person: &Person, nth: usize) -> String {
        person.open(&self.marketplace()).await;
        person.press("a[href^='/oauth/authorize']").await;
        allow(person, nth).await
    }

    /// How many accounts the vendor offers.
    pub(crate) async fn people(&self, person: &Person) -> usize {
        person.open(&self.marketplace()).await;
        person.press("a[href^='/oauth/authorize']").await;
        person.count("fieldset label").await
    }

    /// Each of an owner's connections: its status, and the name of its company.
    pub(crate) async fn connections(&self, key: &str) -> Vec<(String, String)> {
        let all = self.served.get("/v1/connections", key).await.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let one = |one: &serde_json::Value| (text(&one["status"]), text(&one["metadata"]["company"]["name"]));
        all["connections"].as_array().expect("a list").iter().map(one).collect()
    }
}

/// On the vendor's page: allows the access to the nth account; whose it is.
pub(crate) async fn allow(person: &Person, nth: usize) -> String {
    person.text("fieldset").await;
    assert_eq!(person.heading().await, "Allow access?");
    let account = format!("fieldset label:nth-of-type({})", nth + 1);
    person.choose(&format!("{account} input")).await;
    let whose = person.text(&account).await;
    person.press("button[value=allow]").await;
    whose
}

/// Takes the encryption off, as a proxy in front of a host does.
async fn in_front(listener: TcpListener, to: String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions of TLS");
    let config = config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key.into()).expect("its own key");
    let tls = TlsAcceptor::from(Arc::new(config));
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, to) = (tls.clone(), to.clone());
        tokio::spawn(async move {
            // A browser that closes early is no fault.
            let Ok(mut outside) = tls.accept(stream).await else { return };
            let mut inside = TcpStream::connect(&to).await.expect("the host listens");
            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
        });
    }
}

pub(crate) fn is(status: &str, company: &str) -> (String, String) {
    (status.to_owned(), company.to_owned())
}

pub(crate) fn company(whose: &str) -> &str {
    whose.rsplit_once(", ").expect("a company stands last").1
}
