//! PostgreSQL: one database for several hosts.
//!
//! A connection's lock is a row lock, held by a transaction of its own.

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

use crate::store::database::{Database, Decision, Lock, conflict, lock_timeout};
use crate::store::statement::{Ran, Row, Statement, Value, misread};

/// Maximum number of open sessions.
const MAX_SESSIONS: usize = 16;
/// Maximum number of sessions that hold a lock. It is lower, since the holder of a lock may need another session.
const MAX_LOCKS: usize = 8;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of a response. A server that is gone, or a network that is cut, gives no sign of it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of a response while the server waits for a row lock, which its own `lock_timeout` ends earlier.
const LOCK_RESPONSE_TIMEOUT: Duration = Duration::from_secs(90);
/// Idle time after which a session is checked before it is used.
const CHECK_AFTER: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_secs(1) };
/// Statements that begin a lock's transaction.
///
/// The lock timeout exceeds that of a token endpoint. A host that hangs must not lock a row for ever.
const BEGIN_LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '60s'; \
     SET LOCAL idle_in_transaction_session_timeout = '120s'";

/// PostgreSQL database with a pool of sessions.
pub(super) struct Postgres {
    pool: Arc<Pool>,
    locks: Arc<Semaphore>,
}

struct Pool {
    config: Config,
    tls: MakeRustlsConnect,
    idle: Mutex<Vec<Session>>,
    permits: Arc<Semaphore>,
}

/// Session, and the statements that it has prepared.
struct Session {
    client: Client,
    prepared: HashMap<&'static str, tokio_postgres::Statement>,
    used: Instant,
}

/// Failure of a statement.
enum Failure {
    /// The server refused the statement, and the session can be used again.
    Refused(tokio_postgres::Error),
    /// The session ended, or is in an unknown state, and cannot be used again.
    Lost(tokio_postgres::Error),
    /// The server gave no response in time.
    TimedOut,
}

/// Session in use.
///
/// It is given back when it is clean. If it is dropped it is closed, and the server undoes its transaction.
struct Lease {
    session: Session,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

/// Transaction that holds a connection's row lock.
struct RowLock {
    lease: Lease,
    _permit: OwnedSemaphorePermit,
}

/// Kind of transaction in which a batch runs.
#[derive(Clone, Copy)]
enum Scope {
    /// A transaction of its own.
    Transaction,
    /// A savepoint in a transaction, which goes on if the batch misses.
    Savepoint,
}

impl Postgres {
    pub(super) async fn open(url: &str, authorities: &[u8]) -> Result<Self, Error> {
        let (config, tls) = (parse_url(url)?, build_tls(authorities)?);
        let pool = Pool { config, tls, idle: Mutex::default(), permits: Arc::new(Semaphore::new(MAX_SESSIONS)) };
        let store = Self { pool: Arc::new(pool), locks: Arc::new(Semaphore::new(MAX_LOCKS)) };
        store.pool.lease().await?.give_back();
        Ok(store)
    }
}

/// Parses a URL and fills in what it leaves open.
fn parse_url(url: &str) -> Result<Config, Error> {
    // `require` always checks the certificate and its name here, so that the stricter modes mean the same.
    let url = ["sslmode=verify-full", "sslmode=verify-ca"].iter().fold(url.to_owned(), |url, mode| url.replace(mode, "sslmode=require"));
    // The parser's error is dropped: it may quote the URL, which holds a password.
    let mut config: Config = url.parse().map_err(|_: tokio_postgres::Error| {
        Error::new(ErrorKind::Bug, "The store's URL cannot be read.").with_hint(
            "Write it as postgres://user:password@host/database?sslmode=require, with special characters of the password percent-encoded.",
        )
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(RESPONSE_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("connector");
    }
    Ok(config)
}

fn build_tls(authorities: &[u8]) -> Result<MakeRustlsConnect, Error> {
    let unreadable =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::Bug, format!("The certificate authorities cannot be read: {error}."));
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate.map_err(|error| unreadable(&error))?).map_err(|error| unreadable(&error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.expect("the ring provider has the default versions").with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl Pool {
    async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let session = match self.take_idle().await {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(Lease { session, pool: Arc::clone(self), _permit: permit })
    }

    /// Takes an idle session that is still alive.
    async fn take_idle(&self) -> Option<Session> {
        let session = self.idle().pop()?;
        if session.used.elapsed() < CHECK_AFTER && !session.client.is_closed() {
            return Some(session);
        }
        if wait(CONNECT_TIMEOUT, session.client.check_connection()).await.is_ok() {
            return Some(session);
        }
        // The server restarted or was replaced, so that the other sessions are dead too.
        self.idle().clear();
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Session, Error> {
        let connected = wait(RESPONSE_TIMEOUT, self.config.connect(self.tls.clone())).await;
        let (client, connection) = connected.map_err(explain)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = first_message(&error), "a database session ended");
            }
        });
        Ok(Session { client, prepared: HashMap::new(), used: Instant::now() })
    }
}

impl Lease {
    fn give_back(self) {
        let Self { mut session, pool, _permit } = self;
        session.used = Instant::now();
        pool.idle().push(session);
    }
}

#[async_trait]
impl Database for Postgres {
    async fn run(&self, batch: Vec<Statement>) -> Result<Ran, Error> {
        let mut lease = self.pool.lease().await?;
        let ran = match batch.as_slice() {
            // A single statement is a transaction of its own.
            [only] => lease.session.run(only).await.map(|rows| if only.is_missed(&rows) { Ran::Missed(0) } else { Ran::All(vec![rows]) }),
            _ => lease.session.run_batch(&batch, Scope::Transaction).await,
        };
        if matches!(&ran, Ok(_) | Err(Failure::Refused(_))) {
            lease.give_back();
        }
        ran.map_err(explain)
    }

    async fn run_in_turn(&self, first: Vec<Statement>, decide: Decision) -> Result<Ran, Error> {
        let mut lease = self.pool.lease().await?;
        let ran = lease.session.run_in_turn(&first, decide).await;
        if matches!(&ran, Ok(_) | Err(Failure::Refused(_))) {
            lease.give_back();
        }
        ran.map_err(explain)?
    }

    async fn lock(&self, id: &str) -> Result<Box<dyn Lock>, Error> {
        let permit = Arc::clone(&self.locks).acquire_owned().await.expect("the semaphore is never closed");
        let mut lease = self.pool.lease().await?;
        lease.session.execute(BEGIN_LOCK).await.map_err(explain)?;
        let row = Statement::new("SELECT 1 FROM connector_secret WHERE connection_id = $1 FOR UPDATE", vec![id.into()]);
        lease.session.run_within(LOCK_RESPONSE_TIMEOUT, &row).await.map_err(explain)?;
        Ok(Box::new(RowLock { lease, _permit: permit }))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        format!("The PostgreSQL store {}", self.pool.config.get_dbname().unwrap_or_default())
    }
}

#[async_trait]
impl Lock for RowLock {
    async fn run(&mut self, batch: Vec<Statement>) -> Result<Ran, Error> {
        self.lease.session.run_batch(&batch, Scope::Savepoint).await.map_err(explain)
    }

    async fn release(self: Box<Self>) -> Result<(), Error> {
        self.lease.session.execute("COMMIT").await.map_err(explain)?;
        self.lease.give_back();
        Ok(())
    }
}

impl Scope {
    /// Returns the statements that begin, keep and undo the batch.
    const fn statements(self) -> [&'static str; 3] {
        match self {
            Self::Transaction => ["BEGIN ISOLATION LEVEL READ COMMITTED", "COMMIT", "ROLLBACK"],
            Self::Savepoint => ["SAVEPOINT batch", "RELEASE SAVEPOINT batch", "ROLLBACK TO SAVEPOINT batch"],
        }
    }
}

impl Session {
    async fn run_batch(&mut self, batch: &[Statement], scope: Scope) -> Result<Ran, Failure> {
        let [begin, keep, undo] = scope.statements();
        self.execute(begin).await?;
        let ran = self.run_all(batch).await;
        let end = match &ran {
            Ok(Ran::All(_)) => keep,
            Ok(Ran::Missed(_)) | Err(Failure::Refused(_)) => undo,
            // The session cannot be used again, and its transaction ends with it.
            Err(Failure::Lost(_) | Failure::TimedOut) => return ran,
        };
        self.execute(end).await.map_err(Failure::into_lost)?;
        ran
    }

    /// Runs two batches in one transaction, which is undone if the second cannot be decided.
    async fn run_in_turn(&mut self, first: &[Statement], decide: Decision) -> Result<Result<Ran, Error>, Failure> {
        let [begin, keep, undo] = Scope::Transaction.statements();
        self.execute(begin).await?;
        let ran = match self.run_all(first).await {
            Ok(Ran::All(rows)) => match decide(rows) {
                Ok(second) => self.run_all(&second).await.map(Ok),
                Err(error) => Ok(Err(error)),
            },
            other => other.map(Ok),
        };
        let end = match &ran {
            Ok(Ok(Ran::All(_))) => keep,
            Ok(_) | Err(Failure::Refused(_)) => undo,
            Err(Failure::Lost(_) | Failure::TimedOut) => return ran,
        };
        self.execute(end).await.map_err(Failure::into_lost)?;
        ran
    }

    async fn run_all(&mut self, batch: &[Statement]) -> Result<Ran, Failure> {
        let mut all = Vec::with_capacity(batch.len());
        for (at, statement) in batch.iter().enumerate() {
            let rows = self.run(statement).await?;
            if statement.is_missed(&rows) {
                return Ok(Ran::Missed(at));
            }
            all.push(rows);
        }
        Ok(Ran::All(all))
    }

    async fn execute(&self, sql: &str) -> Result<(), Failure> {
        wait(RESPONSE_TIMEOUT, self.client.batch_execute(sql)).await
    }

    async fn run(&mut self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        self.run_within(RESPONSE_TIMEOUT, statement).await
    }

    async fn run_within(&mut self, limit: Duration, statement: &Statement) -> Result<Vec<Row>, Failure> {
        let prepared = match self.prepared.get(statement.sql) {
            Some(prepared) => prepared.clone(),
            None => {
                let prepared = wait(RESPONSE_TIMEOUT, self.client.prepare(statement.sql)).await?;
                self.prepared.insert(statement.sql, prepared.clone());
                prepared
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = statement.values.iter().map(|value| value as _).collect();
        let rows = wait(limit, self.client.query(&prepared, &values)).await;
        if rows.is_err() {
            // The server may have dropped or invalidated the prepared statement.
            self.prepared.remove(statement.sql);
        }
        let rows = rows?;
        let rows = rows.iter().map(|row| Ok(Row((0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?)));
        rows.collect::<Result<_, _>>().map_err(Failure::Refused)
    }
}

/// Waits for a response of the server until the limit.
async fn wait<T>(limit: Duration, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(response) => response.map_err(Failure::from),
        Err(_) => Err(Failure::TimedOut),
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let severity = error.as_db_error().and_then(DbError::parsed_severity);
        if severity == Some(Severity::Error) { Self::Refused(error) } else { Self::Lost(error) }
    }
}

impl Failure {
    fn into_lost(self) -> Self {
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

/// Code, retry, message and hint of each failure that an operator can mend.
///
/// The server's own message is for the log.
const KNOWN_FAILURES: [(SqlState, Retry, &str, &str); 14] = [
    (SqlState::INVALID_PASSWORD, Retry::Never, "refuses the user or the password", "Check the store's URL."),
    (
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        Retry::Never,
        "refuses the user",
        "Check the store's URL, and which users the server accepts.",
    ),
    (SqlState::INVALID_CATALOG_NAME, Retry::Never, "has no such database", "Check the store's URL."),
    (SqlState::INVALID_SCHEMA_NAME, Retry::Never, "has no schema for the tables", "Create one, and grant it to this user."),
    (
        SqlState::INSUFFICIENT_PRIVILEGE,
        Retry::Never,
        "does not let this user create or use the tables",
        "Grant the user USAGE and CREATE on the schema.",
    ),
    (SqlState::UNDEFINED_TABLE, Retry::Never, "lacks a table", "Restore the table: it was changed by hand."),
    (SqlState::READ_ONLY_SQL_TRANSACTION, Retry::Never, "cannot be written", "Give the primary server's URL."),
    (SqlState::DISK_FULL, Retry::Later, "has no room: its disk is full", "Free some space, and try again."),
    (SqlState::TOO_MANY_CONNECTIONS, Retry::Later, "accepts no more connections", "Raise its max_connections, or run fewer hosts."),
    (SqlState::INVALID_SQL_STATEMENT_NAME, Retry::Later, "has lost a prepared statement", "Try again. A pooler must pool by session."),
    (SqlState::QUERY_CANCELED, Retry::Later, "cancelled a statement that took too long", "Try again."),
    (SqlState::ADMIN_SHUTDOWN, Retry::Later, "was stopped", "Try again when it runs."),
    (SqlState::CRASH_SHUTDOWN, Retry::Later, "was stopped", "Try again when it runs."),
    (SqlState::CANNOT_CONNECT_NOW, Retry::Later, "is starting or stopping", "Try again when it runs."),
];

/// Turns a failure into an error that says what to do.
fn explain(failure: Failure) -> Error {
    match failure {
        Failure::TimedOut => Error::new(ErrorKind::TimedOut, "The PostgreSQL store does not respond.")
            .with_retry(Retry::Later)
            .with_hint("Check that the server runs, and the network to it."),
        Failure::Refused(error) | Failure::Lost(error) => match error.code() {
            Some(code) => explain_code(code),
            None => explain_session(&error),
        }
        .with_source(error),
    }
}

fn explain_code(code: &SqlState) -> Error {
    const CONFLICTS: [SqlState; 5] = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    if CONFLICTS.contains(code) {
        return conflict();
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return lock_timeout();
    }
    match KNOWN_FAILURES.iter().find(|(other, ..)| other == code) {
        Some((_, Retry::Never, what, hint)) => misconfigured(what, hint),
        Some((_, retry, what, hint)) => {
            Error::new(ErrorKind::Unreachable, format!("The PostgreSQL store {what}.")).with_retry(*retry).with_hint(*hint)
        }
        None => misconfigured(&format!("failed with code {}", code.code()), "The log says why."),
    }
}

/// Explains why a session could not begin, or ended. The library tells the kinds apart by their messages alone.
fn explain_session(error: &tokio_postgres::Error) -> Error {
    let why = first_message(error);
    match error.to_string().as_str() {
        "invalid configuration" if why == "password missing" => misconfigured("asks for a password", "Write it into the store's URL."),
        "invalid configuration" => misconfigured("has an incomplete URL", "Write it as postgres://user:password@host/database."),
        "authentication error" => misconfigured("and this program share no way to sign in", "Let the server accept scram-sha-256."),
        "error performing TLS handshake" => misconfigured(
            &format!("cannot be reached over TLS: {why}"),
            "Give the authority of its certificate, or write sslmode=disable if the network is your own.",
        ),
        _ => Error::new(ErrorKind::Unreachable, "The PostgreSQL store cannot be reached.")
            .with_retry(Retry::Later)
            .with_hint("Check that the server runs, and the store's URL."),
    }
}

/// Returns the first message of the server or the network. A server's details could quote a row.
fn first_message(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(server), _) => server.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    }
}

fn misconfigured(what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Bug, format!("The PostgreSQL store {what}.")).with_hint(hint)
}
