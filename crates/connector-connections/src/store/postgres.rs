//! PostgreSQL: one database for several hosts. A connection's lock is the lock of its row, held by a transaction of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Database, Lock, Ran, Row, Statement, Value, misread, taken};

/// How many sessions are open at most, and how many of them may hold a connection's lock: who holds one may need another.
const MOST: usize = 16;
const MOST_LOCKS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than a token endpoint is waited for; and a host that stands still must not hold a row for ever.
const BEGIN_LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '60s'; \
     SET LOCAL idle_in_transaction_session_timeout = '120s'";

pub(super) struct Postgres {
    pool: Arc<Pool>,
    locks: Arc<Semaphore>,
}

struct Pool {
    config: Config,
    tls: MakeRustlsConnect,
    idle: Mutex<Vec<Session>>,
    places: Arc<Semaphore>,
}

/// A session, and the statements that it has prepared.
struct Session {
    client: Client,
    prepared: HashMap<&'static str, tokio_postgres::Statement>,
}

/// A session in use. It goes back when it is clean; one that is dropped is closed, and the server undoes what it began.
struct Lease {
    session: Session,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
}

struct Held {
    lease: Lease,
    _place: OwnedSemaphorePermit,
}

/// What a batch is to its session.
#[derive(Clone, Copy)]
enum Within {
    /// A transaction of its own.
    Nothing,
    /// A part of a transaction, which goes on if it misses.
    Transaction,
}

impl Postgres {
    pub(super) async fn open(url: &str, authorities: &[u8]) -> Result<Self, Error> {
        // Its complaint may quote the URL, which holds a password.
        let mut config: Config = url.parse().map_err(|_: tokio_postgres::Error| {
            Error::new(ErrorKind::Bug, "The store's URL cannot be read.").with_hint("Write it as postgres://user:word@host/database.")
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        config.application_name("connector");
        let pool = Pool { config, tls: tls(authorities)?, idle: Mutex::default(), places: Arc::new(Semaphore::new(MOST)) };
        let store = Self { pool: Arc::new(pool), locks: Arc::new(Semaphore::new(MOST_LOCKS)) };
        store.pool.lease().await?.give_back();
        Ok(store)
    }
}

fn tls(authorities: &[u8]) -> Result<MakeRustlsConnect, Error> {
    let wrong = |error: &dyn std::fmt::Display| Error::new(ErrorKind::Bug, format!("The certificate authorities cannot be read: {error}."));
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.expect("the ring provider has the default versions").with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl Pool {
    async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed");
        let session = match self.idle_session() {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(Lease { session, pool: Arc::clone(self), _place: place })
    }

    fn idle_session(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| !session.client.is_closed());
        idle.pop()
    }

    async fn connect(&self) -> Result<Session, Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(failed)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "a session of the store ended");
            }
        });
        Ok(Session { client, prepared: HashMap::new() })
    }
}

impl Lease {
    fn give_back(self) {
        let Self { session, pool, _place } = self;
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }
}

#[async_trait]
impl Database for Postgres {
    async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error> {
        let mut lease = self.pool.lease().await?;
        let ran = match batch.as_slice() {
            // One statement is a transaction of its own.
            [only] => lease.session.rows(only).await.map(|rows| if only.missed(&rows) { Ran::Missed(0) } else { Ran::All(vec![rows]) }),
            _ => lease.session.batch(&batch, Within::Nothing).await,
        };
        if !lease.session.client.is_closed() {
            lease.give_back();
        }
        ran.map_err(failed)
    }

    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        let place = Arc::clone(&self.locks).acquire_owned().await.expect("the semaphore is never closed");
        let mut lease = self.pool.lease().await?;
        lease.session.client.batch_execute(BEGIN_LOCK).await.map_err(failed)?;
        let row = Statement::new("SELECT 1 FROM connector_secret WHERE connection_id = $1 FOR UPDATE", vec![id.into()]);
        lease.session.rows(&row).await.map_err(failed)?;
        Ok(Box::new(Held { lease, _place: place }))
    }

    fn name(&self) -> String {
        format!("The store of PostgreSQL {}", self.pool.config.get_dbname().unwrap_or_default())
    }
}

#[async_trait]
impl Lock for Held {
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error> {
        self.lease.session.batch(&batch, Within::Transaction).await.map_err(failed)
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.lease.session.client.batch_execute("COMMIT").await.map_err(failed)?;
        self.lease.give_back();
        Ok(())
    }
}

impl Within {
    const fn words(self) -> [&'static str; 3] {
        match self {
            Self::Nothing => ["BEGIN ISOLATION LEVEL READ COMMITTED", "COMMIT", "ROLLBACK"],
            Self::Transaction => ["SAVEPOINT batch", "RELEASE SAVEPOINT batch", "ROLLBACK TO SAVEPOINT batch"],
        }
    }
}

impl Session {
    async fn batch(&mut self, batch: &[Statement], within: Within) -> Result<Ran, tokio_postgres::Error> {
        let [begin, keep, undo] = within.words();
        self.client.batch_execute(begin).await?;
        let ran = self.all(batch).await;
        let end = if matches!(ran, Ok(Ran::All(_))) { keep } else { undo };
        self.client.batch_execute(end).await?;
        ran
    }

    async fn all(&mut self, batch: &[Statement]) -> Result<Ran, tokio_postgres::Error> {
        let mut all = Vec::with_capacity(batch.len());
        for (at, statement) in batch.iter().enumerate() {
            let rows = self.rows(statement).await?;
            if statement.missed(&rows) {
                return Ok(Ran::Missed(at));
            }
            all.push(rows);
        }
        Ok(Ran::All(all))
    }

    async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, tokio_postgres::Error> {
        let prepared = match self.prepared.get(statement.sql) {
            Some(prepared) => prepared.clone(),
            None => {
                let prepared = self.client.prepare(statement.sql).await?;
                self.prepared.insert(statement.sql, prepared.clone());
                prepared
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = statement.values.iter().map(|value| value as _).collect();
        let rows = self.client.query(&prepared, &values).await?;
        rows.iter().map(|row| Ok(Row((0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?))).collect()
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) if *kind == Type::INT4 => i32::try_from(*integer)?.to_sql(kind, out),
            Self::Integer(integer) => integer.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT4 | Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        match *kind {
            Type::INT4 => i32::from_sql(kind, raw).map(|integer| Self::Integer(integer.into())),
            Type::INT8 => i64::from_sql(kind, raw).map(Self::Integer),
            Type::TEXT => String::from_sql(kind, raw).map(Self::Text),
            Type::BYTEA => Vec::from_sql(kind, raw).map(Self::Bytes),
            _ => Err(Box::new(misread())),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        <Self as ToSql>::accepts(kind)
    }
}

fn failed(error: tokio_postgres::Error) -> Error {
    const MADE_ALREADY: [SqlState; 3] = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
    let bug = |what: &str, hint: &str| Error::new(ErrorKind::Bug, format!("The store of PostgreSQL {what}")).with_hint(hint);
    let failure = match error.code() {
        Some(code) if MADE_ALREADY.contains(code) => return taken(),
        Some(code) if [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE].contains(code) => return taken(),
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => {
            Error::new(ErrorKind::TimedOut, "The store's row is held by another host.").with_hint("Try again.")
        }
        Some(code) if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) => {
            bug("refuses the user or the password.", "Check the store's URL.")
        }
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => bug("has no such database.", "Check the store's URL."),
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => bug("does not let this user make tables.", "Grant it the schema."),
        Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => bug("cannot be written.", "Give the primary server's URL."),
        Some(_) => bug("failed.", "The log says why."),
        None => Error::new(ErrorKind::Unreachable, "The store of PostgreSQL cannot be reached.")
            .with_retry(Retry::Later)
            .with_hint("Check that the server runs, and what its URL says of TLS."),
    };
    failure.with_source(error)
}
