//! Forwarding of a caller's request with a connection's credential.

use tokio::time::Instant;
use tracing::Instrument as _;

use crate::declare::connector::Connector;
use crate::declare::method::{Effect, Method};
use crate::embed::connections::{Chosen, Connection};
use crate::embed::observer::{EndedCall, WordedRequest};
use crate::runtime::pacing::{Ask, Permit};
use crate::runtime::session::Session;
use crate::runtime::spine::Runtime;
use crate::runtime::watching::requests::begin_client;
use crate::runtime::watching::watch::Watch;
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Reach};
use crate::value::options::{DryRun, Priority};
use crate::value::outcome::Meta;
use crate::wire::passing::{ForwardedRequest, ForwardedResponse};

/// The cost of a request whose cost is not documented: what costs something needs a budget.
const UNKNOWN_COST: u32 = 1;

impl Runtime {
    /// Forwards a request to a connection's host, and returns the response.
    ///
    /// A 401 renews the credential once, and the request is sent again if its body is not a stream.
    /// A redirect is not followed: one to another host is an error.
    pub async fn forward(
        &self,
        connector: &'static Connector,
        connection: Option<&str>,
        passing: ForwardedRequest,
    ) -> Result<ForwardedResponse, Error> {
        let mut session = Session::new(DryRun::No, false, None, None);
        session.is_observed = self.0.observer.is_some();
        let path = passing.target.split('?').next().unwrap_or_default();
        let watch = Watch::begin_to_forward(self.0.observer.as_deref(), &session, connector, (passing.method, path));
        let work = self.forward_watched(connector, connection, passing, &watch);
        let result = work.instrument(watch.span()).await;
        let meta = watch.take_meta();
        watch.end(result.as_ref().err().map(Error::kind), &meta);
        result
    }

    /// Tells the observer of a request that was refused before it could be forwarded.
    pub fn record_unforwarded(&self, connector: &'static Connector, method: Method, path: &str, kind: ErrorKind) {
        if let Some(observer) = &self.0.observer {
            let meta = Meta::default();
            let mut call = EndedCall::new(Some(kind), &meta);
            (call.connector, call.effect) = (Some(connector.key), Some(method.effect()));
            call.request = Some(WordedRequest { method, template: (connector.find_template)(method.as_str(), path) });
            observer.observe(&call);
        }
    }

    async fn forward_watched(
        &self,
        connector: &'static Connector,
        connection: Option<&str>,
        passing: ForwardedRequest,
        watch: &Watch<'_>,
    ) -> Result<ForwardedResponse, Error> {
        watch.admit()?;
        check_target(connector, &passing.target)?;
        let passing = passing.filter(connector);
        let chosen = Chosen::choose(&*self.0.connections, connector, connection).await?;
        watch.record_connection(&chosen.connection);
        let until = Instant::now() + passing.timeout;
        let path = passing.target.split('?').next().unwrap_or_default().to_owned();
        let permit = self.admit(watch, connector, &chosen.connection, (passing.method, &path), until).await?;
        let access = chosen.connections().access(&chosen.connection).await?;
        let (effect, again) = (passing.method.effect(), passing.try_clone());
        let passed = self.send_forwarded(connector, passing, &access, (permit, watch, 0)).await?;
        if passed.status != 401 {
            return passed.filter(effect);
        }
        // A request answered by 401 was not carried out, so it is safe to send it again.
        let fresh = chosen.connections().renew(&chosen.connection, &access).await?;
        match fresh.zip(again) {
            Some((fresh, again)) => {
                drop(passed);
                watch.session().lock().tally.refreshes += 1;
                let permit = self.admit(watch, connector, &chosen.connection, (again.method, &path), until).await?;
                self.send_forwarded(connector, again, &fresh, (permit, watch, 1)).await?.filter(effect)
            }
            None => passed.filter(effect),
        }
    }

    /// Waits until the limits of a connection have room for a request.
    async fn admit(
        &self,
        watch: &Watch<'_>,
        connector: &'static Connector,
        connection: &Connection,
        (method, path): (Method, &str),
        until: Instant,
    ) -> Result<Permit, Error> {
        let cost = find_cost(connector, method, path).unwrap_or(UNKNOWN_COST);
        let ask = Ask { connector, connection, path, cost, priority: Priority::Interactive, until, ticket: None };
        let permit = self.0.pacer.admit(ask).await?;
        watch.session().record_wait(permit.waited);
        Ok(permit)
    }

    async fn send_forwarded(
        &self,
        connector: &'static Connector,
        passing: ForwardedRequest,
        access: &Access,
        (permit, watch, resend): (Permit, &Watch<'_>, u32),
    ) -> Result<ForwardedResponse, Error> {
        let header = connector.credential_header(access)?;
        let method = passing.method;
        let cost = find_cost(connector, method, passing.target.split('?').next().unwrap_or_default()).unwrap_or(0);
        let on_sent = || {
            watch.session().begin_to_send(cost, method.effect() != Effect::Read, access)?;
            Ok(begin_client((method, watch.template()), access.address(), resend, 0))
        };
        let result = self.0.transport.forward(passing, access, header, permit.connection(), on_sent).await;
        match &result {
            Ok(passed) => {
                watch.session().lock().meta.status = Some(passed.status);
                watch.session().record_limits(permit.hear(passed.status, |name| passed.header(name)));
            }
            Err(error) if matches!(error.reach(), None | Some(Reach::Unsent)) => permit.withdraw(),
            Err(_) => {}
        }
        result.map_err(|error| error.redact(access.redaction()))
    }
}

fn find_cost(connector: &Connector, method: Method, path: &str) -> Option<u32> {
    (connector.limits.cost)(method.as_str(), path)
}

/// Checks that a path is below the vendor's API, and that the query holds no credential.
fn check_target(connector: &Connector, target: &str) -> Result<(), Error> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    connector.check_path(path).map_err(|why| {
        Error::new(ErrorKind::InvalidInput, format!("The path cannot be forwarded: {why}.")).with_hint(format!(
            "It is {}'s own path, below {}.",
            connector.label,
            connector.roots.join(" or ")
        ))
    })?;
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| connector.is_credential(&name)) {
        let message = "The query holds a credential, which logs would show and which may be another account's.";
        return Err(Error::new(ErrorKind::InvalidInput, message).with_hint("Leave it out: the connection's own credential is sent."));
    }
    Ok(())
}
