//! PostgreSQL: one database for several hosts. A connection's lock is the lock of its row, held by a transaction of its own.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Database, Lock, Ran, Row, Statement, Value, held, misread, taken};

/// How many sessions are open at most, and how many of them may hold a connection's lock: who holds one may need another.
const MOST: usize = 16;
const MOST_LOCKS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// For how long a server may say nothing: one that is gone, or a network that is cut, gives no sign of it.
const SILENCE: Duration = Duration::from_secs(30);
/// The same while a row's lock is waited for, which the server itself ends before.
const LOCK_SILENCE: Duration = Duration::from_secs(90);
/// After how long a session that was left alone is asked first whether it is still there.
const UNSURE: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_secs(1) };
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
    used: Instant,
}

/// Why the server did not do what it was told.
enum Failure {
    /// It refused, and the session serves on.
    Refused(tokio_postgres::Error),
    /// The session is of no more use: it ended, or nobody knows what it is in.
    Lost(tokio_postgres::Error),
    /// It gave no answer in time.
    Silent,
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
        let config = config(url)?;
        let pool = Pool { config, tls: tls(authorities)?, idle: Mutex::default(), places: Arc::new(Semaphore::new(MOST)) };
        let store = Self { pool: Arc::new(pool), locks: Arc::new(Semaphore::new(MOST_LOCKS)) };
        store.pool.lease().await?.give_back();
        Ok(store)
    }
}

/// What a URL says, and what it leaves open.
fn config(url: &str) -> Result<Config, Error> {
    // Whoever wants TLS gets a certificate that is checked, by its name too.
    let url = ["sslmode=verify-full", "sslmode=verify-ca"].iter().fold(url.to_owned(), |url, mode| url.replace(mode, "sslmode=require"));
    // Its complaint may quote the URL, which holds a password.
    let mut config: Config = url.parse().map_err(|_: tokio_postgres::Error| {
        Error::new(ErrorKind::Bug, "The store's URL cannot be read.")
            .with_hint("Write it as postgres://user:word@host/database?sslmode=require, with percent signs for what is special in a word.")
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("connector");
    }
    Ok(config)
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
        let session = match self.idle_session().await {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(Lease { session, pool: Arc::clone(self), _place: place })
    }

    /// A session that was used before, and is there still.
    async fn idle_session(&self) -> Option<Session> {
        let session = self.idle().pop()?;
        if session.used.elapsed() < UNSURE && !session.client.is_closed() {
            return Some(session);
        }
        if answer(PATIENCE, session.client.check_connection()).await.is_ok() {
            return Some(session);
        }
        // The others went with it: the server began anew, or is another.
        self.idle().clear();
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Session, Error> {
        let connected = answer(SILENCE, self.config.connect(self.tls.clone())).await;
        let (client, connection) = connected.map_err(failed)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = why(&error), "a session of the store ended");
            }
        });
        Ok(Session { client, prepared: HashMap::new(), used: Instant::now() })
    }
}

impl Lease {
    fn give_back(self) {
        let Self { mut session, pool, _place } = self;
        session.used = Instant::now();
        pool.idle().push(session);
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
        if matches!(&ran, Ok(_) | Err(Failure::Refused(_))) {
            lease.give_back();
        }
        ran.map_err(failed)
    }

    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        let place = Arc::clone(&self.locks).acquire_owned().await.expect("the semaphore is never closed");
        let mut lease = self.pool.lease().await?;
        lease.session.execute(BEGIN_LOCK).await.map_err(failed)?;
        let row = Statement::new("SELECT 1 FROM connector_secret WHERE connection_id = $1 FOR UPDATE", vec![id.into()]);
        lease.session.rows_within(LOCK_SILENCE, &row).await.map_err(failed)?;
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
        self.lease.session.execute("COMMIT").await.map_err(failed)?;
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
    async fn batch(&mut self, batch: &[Statement], within: Within) -> Result<Ran, Failure> {
        let [begin, keep, undo] = within.words();
        self.execute(begin).await?;
        let ran = self.all(batch).await;
        let end = match &ran {
            Ok(Ran::All(_)) => keep,
            Ok(Ran::Missed(_)) | Err(Failure::Refused(_)) => undo,
            // Its session is of no more use, and what it began ends with it.
            Err(Failure::Lost(_) | Failure::Silent) => return ran,
        };
        self.execute(end).await.map_err(Failure::lost)?;
        ran
    }

    async fn all(&mut self, batch: &[Statement]) -> Result<Ran, Failure> {
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

    async fn execute(&self, words: &str) -> Result<(), Failure> {
        answer(SILENCE, self.client.batch_execute(words)).await
    }

    async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        self.rows_within(SILENCE, statement).await
    }

    async fn rows_within(&mut self, limit: Duration, statement: &Statement) -> Result<Vec<Row>, Failure> {
        let prepared = match self.prepared.get(statement.sql) {
            Some(prepared) => prepared.clone(),
            None => {
                let prepared = answer(SILENCE, self.client.prepare(statement.sql)).await?;
                self.prepared.insert(statement.sql, prepared.clone());
                prepared
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = statement.values.iter().map(|value| value as _).collect();
        let rows = answer(limit, self.client.query(&prepared, &values)).await;
        if rows.is_err() {
            // It may be what was prepared that the server no longer has, or takes.
            self.prepared.remove(statement.sql);
        }
        let rows = rows?;
        let rows = rows.iter().map(|row| Ok(Row((0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?)));
        rows.collect::<Result<_, _>>().map_err(Failure::Refused)
    }
}

/// What the server answers, within a time.
async fn answer<T>(limit: Duration, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(answered) => answered.map_err(Failure::of),
        Err(_) => Err(Failure::Silent),
    }
}

impl Failure {
    fn of(error: tokio_postgres::Error) -> Self {
        let severity = error.as_db_error().and_then(DbError::parsed_severity);
        if severity == Some(Severity::Error) { Self::Refused(error) } else { Self::Lost(error) }
    }

    fn lost(self) -> Self {
        match self {
            Self::Refused(error) => Self::Lost(error),
            other => other,
        }
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

/// What a server says is wrong, by its code; its own words are for the log.
const WRONG: [(SqlState, Retry, &str, &str); 14] = [
    (SqlState::INVALID_PASSWORD, Retry::Never, "refuses the user or the password", "Check the store's URL."),
    (
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        Retry::Never,
        "refuses the user",
        "Check the store's URL, and whom the server lets in.",
    ),
    (SqlState::INVALID_CATALOG_NAME, Retry::Never, "has no such database", "Check the store's URL."),
    (SqlState::INVALID_SCHEMA_NAME, Retry::Never, "has no schema to make tables in", "Make one, and grant it to this user."),
    (
        SqlState::INSUFFICIENT_PRIVILEGE,
        Retry::Never,
        "does not let this user make or use its tables",
        "Grant it the schema: USAGE and CREATE.",
    ),
    (SqlState::UNDEFINED_TABLE, Retry::Never, "lacks a table", "Restore it: it was changed by hand."),
    (SqlState::READ_ONLY_SQL_TRANSACTION, Retry::Never, "cannot be written", "Give the primary server's URL."),
    (SqlState::DISK_FULL, Retry::Later, "has no room: its disk is full", "Free some space, and try again."),
    (SqlState::TOO_MANY_CONNECTIONS, Retry::Later, "gives no more sessions", "Let it give more, or run fewer hosts."),
    (SqlState::INVALID_SQL_STATEMENT_NAME, Retry::Later, "has forgotten what was prepared", "Try again; a pooler must keep sessions."),
    (SqlState::QUERY_CANCELED, Retry::Later, "took too long, and gave up", "Try again."),
    (SqlState::ADMIN_SHUTDOWN, Retry::Later, "was stopped", "Try again when it runs."),
    (SqlState::CRASH_SHUTDOWN, Retry::Later, "was stopped", "Try again when it runs."),
    (SqlState::CANNOT_CONNECT_NOW, Retry::Later, "is being started or stopped", "Try again when it runs."),
];

fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Silent => Error::new(ErrorKind::TimedOut, "The store of PostgreSQL gives no answer.")
            .with_retry(Retry::Later)
            .with_hint("Check that the server runs, and the network to it."),
        Failure::Refused(error) | Failure::Lost(error) => match error.code() {
            Some(code) => refused(code),
            None => unreachable(&error),
        }
        .with_source(error),
    }
}

fn refused(code: &SqlState) -> Error {
    const TAKEN: [SqlState; 5] = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    if TAKEN.contains(code) {
        return taken();
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return held();
    }
    match WRONG.iter().find(|(other, ..)| other == code) {
        Some((_, Retry::Never, what, hint)) => wrong(what, hint),
        Some((_, retry, what, hint)) => {
            Error::new(ErrorKind::Unreachable, format!("The store of PostgreSQL {what}.")).with_retry(*retry).with_hint(*hint)
        }
        None => wrong(&format!("failed, with its code {}", code.code()), "The log says why."),
    }
}

/// Why a session did not come about, or ended. The kinds are told apart by their words alone.
fn unreachable(error: &tokio_postgres::Error) -> Error {
    let why = why(error);
    match error.to_string().as_str() {
        "invalid configuration" if why == "password missing" => wrong("wants a password", "Write it into the store's URL."),
        "invalid configuration" => wrong("is not named in full", "Write its URL as postgres://user:word@host/database."),
        "authentication error" => wrong("and this program know no common way to sign in", "Let the server take scram-sha-256."),
        "error performing TLS handshake" => wrong(
            &format!("cannot be spoken to over TLS: {why}"),
            "Give the authority of its certificate; or write sslmode=disable, where the network is your own.",
        ),
        _ => Error::new(ErrorKind::Unreachable, "The store of PostgreSQL cannot be reached.")
            .with_retry(Retry::Later)
            .with_hint("Check that the server runs, and the store's URL."),
    }
}

/// The words of a server or of the network. What a server adds to them could quote a row.
fn why(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    }
}

fn wrong(what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Bug, format!("The store of PostgreSQL {what}.")).with_hint(hint)
}
