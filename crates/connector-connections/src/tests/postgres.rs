//! PostgreSQL servers that restart, hang, use TLS, grant few rights, or are missing.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use connector_core::{ErrorKind, Retry};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::{Place, START, World, access, open, token, vault};
use crate::store::statement::sql;
use crate::{Clock, Status, Store};

/// Ends the sessions of this application name, and waits until they are gone.
async fn end_sessions(place: &Place, named: &str) {
    let (client, connection) = tokio_postgres::connect(&place.address(), tokio_postgres::NoTls).await.expect("the database is there");
    tokio::spawn(connection);
    let end = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 10000) AS gone FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()) s WHERE gone";
    let ended: i64 = client.query_one(end, &[&named]).await.expect("they end").get(0);
    assert!(ended > 0, "no session is named {named}");
}

/// Builds a world whose sessions have an application name of their own.
async fn build_named_world(place: Place) -> (World, String) {
    let name = crate::value::random::generate_id().expect("an id");
    let place = Place::Schema(format!("{}&application_name={name}", place.address()));
    (World::new(place).await, name)
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnects_to_a_restarted_server() {
    let Some(place) = Place::create_schema().await else { return };
    let (world, name) = build_named_world(place).await;
    let made = world.connect("ann", (7, 3)).await;
    let many: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let vault = world.vault.clone();
                async move { vault.list("ann", None, None).await }
            })
        })
        .collect();
    for list in many {
        list.await.expect("no panic").expect("a list");
    }
    end_sessions(&world.place, &name).await;
    world.vault.get("ann", &made.id).await.expect("by a new session");
    world.expire_tokens();
    world.access("ann", &made.id).await.expect("a refresh, under a new session's lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_tokens_that_came_while_the_server_restarted() {
    let Some(place) = Place::create_schema().await else { return };
    let (world, name) = build_named_world(place).await;
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    world.expire_tokens();
    let gate = world.vendor.close_gate();
    let caller = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|access| token(&access)) }
    });
    gate.arrived.notified().await;
    end_sessions(&world.place, &name).await;
    gate.open();
    let first = caller.await.expect("no panic").expect("stored by another session");
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), first);
    world.vault.test("ann", &made.id).await.expect("the vendor takes it");
    assert_eq!((world.refreshes(), world.vault.get("ann", &made.id).await.expect("it is stored").status), (1, Status::Active));
}

#[tokio::test]
async fn prepares_forgotten_statements_again() {
    let Some(place) = Place::create_schema().await else { return };
    let world = World::new(place).await;
    let made = world.connect("ann", (7, 3)).await;
    world.vault.get("ann", &made.id).await.expect("it exists");
    world.vault.context().store().rows(sql!("DEALLOCATE ALL")).await.expect("the only session forgets");
    let error = world.vault.get("ann", &made.id).await.expect_err("it was forgotten");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later), "{error}");
    world.vault.get("ann", &made.id).await.expect("prepared anew");
}

/// Proxy between a host and the server. It can speak TLS, and can fall silent.
struct Proxy {
    address: String,
    silent: watch::Sender<u32>,
    /// Number of connections that were accepted.
    sessions: watch::Receiver<u32>,
}

impl Proxy {
    async fn start(place: &Place, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (silent, heard) = watch::channel(0);
        let (begun, sessions) = watch::channel(0);
        let server = address_of(&place.address()).to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                begun.send_modify(|sessions| *sessions += 1);
                tokio::spawn(pass_on(stream, tls.clone(), server.clone(), heard.clone()));
            }
        });
        Self { address, silent, sessions }
    }

    /// Returns the URL of a place by way of this proxy.
    fn url(&self, place: &Place, more: &str) -> String {
        let url = place.address();
        url.replace(address_of(&url), &self.address) + more
    }

    /// Passes nothing more on the connections that are open now.
    fn fall_silent(&self) {
        self.silent.send_modify(|times| *times += 1);
    }
}

fn address_of(url: &str) -> &str {
    url.split_once('@').and_then(|(_, rest)| rest.split('/').next()).expect("a server")
}

async fn pass_on(mut stream: TcpStream, tls: Option<TlsAcceptor>, server: String, mut silent: watch::Receiver<u32>) {
    let mut server = TcpStream::connect(server).await.expect("the server is there");
    silent.mark_unchanged();
    let passing = async {
        let Some(tls) = tls else { return tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(|_| ()) };
        // The client asks for TLS in a message of eight bytes.
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut [0; 8]).await?;
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"S").await?;
        let mut stream = tls.accept(stream).await?;
        tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(|_| ())
    };
    tokio::pin!(passing);
    tokio::select! {
        _ = &mut passing => {}
        _ = silent.changed() => std::future::pending().await,
    }
}

#[tokio::test]
async fn gives_up_on_a_silent_server() {
    let Some(place) = Place::create_schema().await else { return };
    let proxy = Proxy::start(&place, None).await;
    let store = open(&proxy.url(&place, "")).await.expect("the store opens");
    let vault = vault(store, "http://127.0.0.1:1", &Clock::fixed(START)).await;
    let held = vault.context().store().lock("id").await.expect("it is held");
    proxy.fall_silent();
    // A paused clock advances as soon as all tasks wait.
    tokio::time::pause();
    let error = held.release().await.expect_err("no answer");
    tokio::time::resume();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TimedOut, Retry::Later), "{error}");
    vault.list("ann", None, None).await.expect("by a new session");
    proxy.fall_silent();
    // The idle session is checked first. The clock is advanced by hand until the check times out: while a blocking thread
    // runs, it does not advance by itself.
    tokio::time::pause();
    let (done, working) = std::sync::mpsc::channel::<()>();
    let thread = tokio::task::spawn_blocking(move || working.recv());
    let list = tokio::spawn(async move { vault.list("ann", None, None).await });
    let sessions = *proxy.sessions.borrow();
    while *proxy.sessions.borrow() == sessions {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    list.await.expect("no panic").expect("by a new session");
    done.send(()).expect("the thread waits");
    thread.await.expect("no panic").expect("the sender sends");
}

#[tokio::test]
async fn uses_tls_and_checks_the_certificate() {
    let Some(place) = Place::create_schema().await else { return };
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the ring provider has the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("the key is the certificate's");
    let proxy = Proxy::start(&place, Some(TlsAcceptor::from(Arc::new(config)))).await;
    let authority = base64::engine::general_purpose::STANDARD.encode(made.cert.der());
    let authority = format!("-----BEGIN CERTIFICATE-----\n{authority}\n-----END CERTIFICATE-----\n");
    for mode in ["&sslmode=require", "&sslmode=verify-full", "&sslmode=prefer", ""] {
        Store::postgres(&proxy.url(&place, mode), authority.as_bytes()).await.unwrap_or_else(|error| panic!("{mode}: {error}"));
        let error = Store::postgres(&proxy.url(&place, mode), &[]).await.expect_err("an authority that nobody knows");
        assert!(error.message().contains("over TLS: invalid peer certificate"), "{mode}: {error}");
    }
    let error = Store::postgres(&(place.address() + "&sslmode=require"), &[]).await.expect_err("a server without TLS");
    assert!(error.message().contains("over TLS: server does not support TLS"), "{error}");
}

#[tokio::test]
async fn a_user_without_create_rights_uses_existing_tables() {
    let Some(place) = Place::create_schema().await else { return };
    place.store().await;
    let (client, connection) = tokio_postgres::connect(&place.address(), tokio_postgres::NoTls).await.expect("the database is there");
    tokio::spawn(connection);
    let schema = place.address().split("%3D").nth(1).expect("a schema").to_owned();
    let grants = format!(
        "CREATE ROLE {schema} LOGIN PASSWORD 'hunter2'; GRANT USAGE ON SCHEMA {schema} TO {schema}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {schema}"
    );
    client.batch_execute(&grants).await.expect("a role");
    let url = place.address();
    let theirs = format!("postgres://{schema}:hunter2@{}", url.split_once('@').expect("a user").1);
    let world = World::new(Place::Schema(theirs)).await;
    world.connect("ann", (7, 3)).await;
    world.expire_tokens();
    world.access("ann", "company7").await.expect("a refresh");
}

#[tokio::test]
async fn reports_a_missing_server_without_its_password() {
    for url in ["postgres://user:hunter2@127.0.0.1:1/none", "postgres://user:hunter2@127.0.0.1:port/none"] {
        let error = open(url).await.expect_err("no server");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(error.hint().is_some());
    }
}
