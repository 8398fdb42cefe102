//! A server of PostgreSQL that begins anew, stands still, speaks TLS, lets a user do little, or is not there.

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

/// The sessions of a schema's own, by the name that its URL gives them.
async fn end_sessions(place: &Place, named: &str) {
    let (client, connection) = tokio_postgres::connect(&place.word(), tokio_postgres::NoTls).await.expect("the database is there");
    tokio::spawn(connection);
    // It waits until they are gone.
    let end = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 10000) AS gone FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()) s WHERE gone";
    let ended: i64 = client.query_one(end, &[&named]).await.expect("they end").get(0);
    assert!(ended > 0, "there are sessions named {named}");
}

/// The world over a schema whose sessions have a name of their own.
async fn named(place: Place) -> (World, String) {
    let name = crate::value::random::generate_id().expect("an id");
    let place = Place::Schema(format!("{}&application_name={name}", place.word()));
    (World::at(place).await, name)
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnects_to_a_restarted_server() {
    let Some(place) = Place::schema().await else { return };
    let (world, name) = named(place).await;
    let made = world.connected("ann", (7, 3)).await;
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
    world.hour();
    world.access("ann", &made.id).await.expect("a refresh, under a new session's lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_tokens_that_came_while_the_server_restarted() {
    let Some(place) = Place::schema().await else { return };
    let (world, name) = named(place).await;
    world.vendor.state().rotates = true;
    let made = world.connected("ann", (7, 3)).await;
    world.hour();
    let gate = world.vendor.gate();
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
    assert_eq!((world.refreshed(), world.vault.get("ann", &made.id).await.expect("kept").status), (1, Status::Active));
}

#[tokio::test]
async fn prepares_forgotten_statements_again() {
    let Some(place) = Place::schema().await else { return };
    let world = World::at(place).await;
    let made = world.connected("ann", (7, 3)).await;
    world.vault.get("ann", &made.id).await.expect("there");
    world.vault.context().store().rows(sql!("DEALLOCATE ALL")).await.expect("the only session forgets");
    let error = world.vault.get("ann", &made.id).await.expect_err("forgotten");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Later), "{error}");
    world.vault.get("ann", &made.id).await.expect("prepared anew");
}

/// What stands between a host and the server: it may speak TLS, and may fall silent.
struct Front {
    address: String,
    silent: watch::Sender<u32>,
    /// How many were begun.
    sessions: watch::Receiver<u32>,
}

impl Front {
    async fn of(place: &Place, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (silent, heard) = watch::channel(0);
        let (begun, sessions) = watch::channel(0);
        let server = address_of(&place.word()).to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                begun.send_modify(|sessions| *sessions += 1);
                tokio::spawn(passed(stream, tls.clone(), server.clone(), heard.clone()));
            }
        });
        Self { address, silent, sessions }
    }

    /// The URL of a place, by way of this.
    fn url(&self, place: &Place, more: &str) -> String {
        let url = place.word();
        url.replace(address_of(&url), &self.address) + more
    }

    /// Nothing more comes through on what is open now.
    fn fall_silent(&self) {
        self.silent.send_modify(|times| *times += 1);
    }
}

fn address_of(url: &str) -> &str {
    url.split_once('@').and_then(|(_, rest)| rest.split('/').next()).expect("a server")
}

async fn passed(mut stream: TcpStream, tls: Option<TlsAcceptor>, server: String, mut silent: watch::Receiver<u32>) {
    let mut server = TcpStream::connect(server).await.expect("the server is there");
    silent.mark_unchanged();
    let passing = async {
        let Some(tls) = tls else { return tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(|_| ()) };
        // The client asks for TLS in eight bytes of its own.
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
    let Some(place) = Place::schema().await else { return };
    let front = Front::of(&place, None).await;
    let store = open(&front.url(&place, "")).await.expect("the store opens");
    let vault = vault(store, "http://127.0.0.1:1", &Clock::fixed(START)).await;
    let held = vault.context().store().lock("id").await.expect("held");
    front.fall_silent();
    // Time goes on as soon as there is nothing to do but to wait.
    tokio::time::pause();
    let error = held.release().await.expect_err("no answer");
    tokio::time::resume();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TimedOut, Retry::Later), "{error}");
    vault.list("ann", None, None).await.expect("by a new session");
    front.fall_silent();
    // That one was left alone, and is asked first whether it is there. Time goes on until it is given up, and no further:
    // it does not go on by itself while a thread works.
    tokio::time::pause();
    let (done, working) = std::sync::mpsc::channel::<()>();
    let thread = tokio::task::spawn_blocking(move || working.recv());
    let list = tokio::spawn(async move { vault.list("ann", None, None).await });
    let sessions = *front.sessions.borrow();
    while *front.sessions.borrow() == sessions {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    list.await.expect("no panic").expect("by a new session");
    done.send(()).expect("the thread waits");
    thread.await.expect("no panic").expect("told");
}

#[tokio::test]
async fn uses_tls_and_checks_the_certificate() {
    let Some(place) = Place::schema().await else { return };
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the ring provider has the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("the key is the certificate's");
    let front = Front::of(&place, Some(TlsAcceptor::from(Arc::new(config)))).await;
    let authority = base64::engine::general_purpose::STANDARD.encode(made.cert.der());
    let authority = format!("-----BEGIN CERTIFICATE-----\n{authority}\n-----END CERTIFICATE-----\n");
    for mode in ["&sslmode=require", "&sslmode=verify-full", "&sslmode=prefer", ""] {
        Store::postgres(&front.url(&place, mode), authority.as_bytes()).await.unwrap_or_else(|error| panic!("{mode}: {error}"));
        let error = Store::postgres(&front.url(&place, mode), &[]).await.expect_err("an authority that nobody knows");
        assert!(error.message().contains("over TLS: invalid peer certificate"), "{mode}: {error}");
    }
    let error = Store::postgres(&(place.word() + "&sslmode=require"), &[]).await.expect_err("a server without TLS");
    assert!(error.message().contains("over TLS: server does not support TLS"), "{error}");
}

#[tokio::test]
async fn a_user_without_create_rights_uses_existing_tables() {
    let Some(place) = Place::schema().await else { return };
    place.store().await;
    let (client, connection) = tokio_postgres::connect(&place.word(), tokio_postgres::NoTls).await.expect("the database is there");
    tokio::spawn(connection);
    let schema = place.word().split("%3D").nth(1).expect("a schema").to_owned();
    let grants = format!(
        "CREATE ROLE {schema} LOGIN PASSWORD 'hunter2'; GRANT USAGE ON SCHEMA {schema} TO {schema}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {schema}"
    );
    client.batch_execute(&grants).await.expect("a role");
    let url = place.word();
    let theirs = format!("postgres://{schema}:hunter2@{}", url.split_once('@').expect("a user").1);
    let world = World::at(Place::Schema(theirs)).await;
    world.connected("ann", (7, 3)).await;
    world.hour();
    world.access("ann", "company7").await.expect("a refresh");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn reports_a_missing_server_without_its_password() {
    for url in ["postgres://user:hunter2@127.0.0.1:1/none", "postgres://user:hunter2@127.0.0.1:port/none"] {
        let error = open(url).await.expect_err("no server");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(error.hint().is_some());
    }
}
