//! The watch over a call: it tells the observer and the span how the call ended, also if its future was dropped.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use tracing::Span;

use crate::declare::connector::Connector;
use crate::declare::method::Method;
use crate::embed::connections::Connection;
use crate::embed::observer::{EndedCall, Observer, WordedRequest};
use crate::runtime::catalogue::Entry;
use crate::runtime::session::Session;
use crate::runtime::watching::spans::{begin_forwarding, begin_invocation, record_end};
use crate::value::error::{Error, ErrorKind};
use crate::value::outcome::Meta;

/// The watch over a call. Dropped before the end, it says that the call was cancelled.
pub(in crate::runtime) struct Watch<'a> {
    observer: Option<&'a dyn Observer>,
    span: Span,
    session: &'a Session,
    connector: Option<&'static str>,
    entry: Option<&'a Entry>,
    forwarded: Option<WordedRequest>,
    idempotency_key: Option<&'a str>,
    connection: OnceLock<Connection>,
    began: SystemTime,
    started: Instant,
    has_ended: bool,
}

impl<'a> Watch<'a> {
    /// Begins to watch an invocation.
    pub(in crate::runtime) fn begin(
        observer: Option<&'a dyn Observer>,
        session: &'a Session,
        entry: Option<&'a Entry>,
        idempotency_key: Option<&'a str>,
    ) -> Self {
        let connector = entry.map(|entry| entry.connector().key);
        let mut watch = Self::new(observer, begin_invocation(entry), session, connector);
        (watch.entry, watch.idempotency_key) = (entry, idempotency_key);
        watch
    }

    /// Begins to watch a request that is forwarded for a caller, by its path without the query.
    pub(in crate::runtime) fn begin_to_forward(
        observer: Option<&'a dyn Observer>,
        session: &'a Session,
        connector: &'static Connector,
        (method, path): (Method, &str),
    ) -> Self {
        let mut watch = Self::new(observer, begin_forwarding(connector, method), session, Some(connector.key));
        if watch.is_watched() {
            watch.forwarded = Some(WordedRequest { method, template: (connector.find_template)(method.as_str(), path) });
        }
        watch
    }

    fn new(observer: Option<&'a dyn Observer>, span: Span, session: &'a Session, connector: Option<&'static str>) -> Self {
        Self {
            observer,
            span,
            session,
            connector,
            entry: None,
            forwarded: None,
            idempotency_key: None,
            connection: OnceLock::new(),
            began: SystemTime::now(),
            started: Instant::now(),
            has_ended: false,
        }
    }

    /// Checks that anybody watches. Where nobody does, nothing is kept for them.
    fn is_watched(&self) -> bool {
        self.observer.is_some() || !self.span.is_disabled()
    }

    /// Asks the observer whether the call may begin.
    pub(in crate::runtime) fn admit(&self) -> Result<(), Error> {
        self.observer.map_or(Ok(()), Observer::admit)
    }

    /// Returns the span of the call.
    pub(in crate::runtime) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Returns the template of the path that is forwarded, if anybody watches and it is known.
    pub(in crate::runtime) fn template(&self) -> Option<&'static str> {
        self.forwarded.and_then(|forwarded| forwarded.template)
    }

    /// Returns the record of the call.
    pub(in crate::runtime) fn session(&self) -> &Session {
        self.session
    }

    /// Takes the facts about the call, with the time that it took.
    pub(in crate::runtime) fn take_meta(&self) -> Meta {
        let mut meta = self.session.take_meta();
        meta.elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        meta
    }

    /// Records the connection that was chosen.
    pub(in crate::runtime) fn record_connection(&self, connection: &Connection) {
        if self.is_watched() {
            self.span.record("connector.connection.id", connection.id.as_str());
            let _ = self.connection.set(connection.clone());
        }
    }

    /// Tells that the call ended.
    pub(in crate::runtime) fn end(mut self, kind: Option<ErrorKind>, meta: &Meta) {
        self.tell(kind, meta);
    }

    fn tell(&mut self, kind: Option<ErrorKind>, meta: &Meta) {
        self.has_ended = true;
        let tally = self.session.tally();
        record_end(&self.span, kind, meta, (tally.retries, tally.refreshes));
        let Some(observer) = self.observer else { return };
        let request = self.forwarded.or(tally.worded);
        observer.observe(&EndedCall {
            connector: self.connector,
            action: self.entry.map(Entry::key),
            request,
            effect: request.map(|request| request.method.effect()).or_else(|| self.entry.map(Entry::effect)),
            connection: self.connection.get(),
            idempotency_key: self.idempotency_key,
            kind,
            is_planned: self.session.is_dry_run() || self.session.is_estimate,
            meta,
            retries: tally.retries,
            refreshes: tally.refreshes,
            began: self.began,
            took: self.started.elapsed(),
        });
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.has_ended && self.is_watched() {
            let meta = self.take_meta();
            self.tell(Some(ErrorKind::Cancelled), &meta);
        }
    }
}
