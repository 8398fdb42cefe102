//! A request that found its route, with what handlers read of it.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use connector_connections::{Connection, Holder, Status};
use connector_core::ErrorKind;
use connector_core::declare::Connector;
use connector_core::run::Runtime;
use connector_core::wording::quote;

use crate::conduct::caller::{Caller, unauthorized};
use crate::conduct::observed::RequestObserver;
use crate::host::Host;
use crate::wire::places::Place;
use crate::wire::refusal::Refusal;

/// The header that names the owner for whom an operator's key is used.
const OWNER: HeaderName = HeaderName::from_static("connector-owner");

/// The header with the key under which a write is carried out at most once.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The parameters of a query: names and values.
type Query = Vec<(String, String)>;

/// A request that found its route, and whose caller may use it.
pub(crate) struct Call {
    pub(crate) host: Arc<Host>,
    pub(crate) caller: Caller,
    pub(crate) head: Parts,
    params: Vec<(String, String)>,
    /// The place of the request among those in flight.
    pub(crate) place: Option<Arc<Place>>,
}

impl Call {
    pub(crate) fn new(host: Arc<Host>, caller: Caller, head: Parts, params: Vec<(String, String)>, place: Option<Arc<Place>>) -> Self {
        Self { host, caller, head, params, place }
    }

    /// Reads a variable of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// Reads the text of a header. With two values, it is not known which one was meant.
    pub(crate) fn header(&self, name: &HeaderName) -> Result<Option<&str>, Refusal> {
        let mut values = self.head.headers.get_all(name).iter().map(|value| value.to_str().ok().filter(|text| !text.trim().is_empty()));
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(Some(text)), None) => Ok(Some(text)),
            _ => Err(Refusal::bad_request(
                format!("The header {name} is there twice, is empty or is not text."),
                "Send it once, in plain letters.",
            )),
        }
    }

    /// Reads the query. It may hold the known parameters alone, each once.
    pub(crate) fn query(&self, known: &[&str]) -> Result<Query, Refusal> {
        let pairs: Query = form_urlencoded::parse(self.head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        for (at, (name, _)) in pairs.iter().enumerate() {
            // An unknown name may hold a secret, and messages are logged: only the hint repeats it, cut short.
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let hint = format!("There is no {}; there are: {known}.", quote(name));
                return Err(Refusal::bad_request("The query holds an unknown parameter.", hint));
            }
            if pairs[..at].iter().any(|(other, _)| other == name) {
                return Err(Refusal::bad_request(format!("The query parameter {name:?} is given twice."), "Give it once."));
            }
        }
        Ok(pairs)
    }

    /// Reads the query, and the connector that it may name. Without `known` it may hold no other parameter.
    pub(crate) fn query_of_connector(&self, known: &[&str]) -> Result<(Query, Option<&'static Connector>), Refusal> {
        let mut pairs = self.query(&[known, &["connector"]].concat())?;
        let at = pairs.iter().position(|(name, _)| name == "connector");
        let named = at.map(|at| pairs.remove(at).1);
        let connector = named.map(|named| self.host.find_connector(&named)).transpose()?;
        Ok((pairs, connector))
    }

    /// Finds the owner for whom the request is.
    pub(crate) fn owner(&self) -> Result<&str, Refusal> {
        match (&self.caller.holder, self.header(&OWNER)?) {
            (Some(Holder::Operator), Some(owner)) => Ok(owner),
            (Some(Holder::Operator), None) => Err(Refusal::bad_request(
                "An operator's key acts for an owner, and none is named.",
                "Name the owner in the header Connector-Owner.",
            )),
            (Some(Holder::Owner(owner)), None) => Ok(owner),
            (Some(Holder::Owner(owner)), Some(named)) if owner == named => Ok(owner),
            (Some(Holder::Owner(_)), Some(_)) => {
                let hint = "Leave the header Connector-Owner out: the key belongs to an owner.";
                Err(Refusal::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, "The key belongs to another owner.", hint))
            }
            (None, _) => Err(unauthorized("There is no API key.")),
        }
    }

    /// Builds a runtime with what is of the owner alone: connections, ledger, register and kept lists.
    ///
    /// It has the view of the API key.
    pub(crate) fn runtime(&self) -> Result<Runtime, Refusal> {
        let owner = self.owner()?;
        let vault = self.host.vault.for_owner(owner).with_view(self.caller.view);
        let runtime = self.host.runtime.with_connections(vault.clone(), Some(Box::new(vault.clone())), Some(Box::new(vault.clone())));
        let runtime = runtime.with_register(vault);
        Ok(runtime.with_observer(RequestObserver {
            host: Arc::clone(&self.host),
            owner: owner.to_owned(),
            key: self.caller.key_id.clone(),
        }))
    }

    /// Lists the owner's connections of an app, oldest first, without those that wait to be connected.
    pub(crate) async fn finished_connections(&self, app: &str) -> Result<Vec<Connection>, Refusal> {
        let mut all = self.host.vault.list(self.owner()?, Some(app), None).await?;
        all.retain(|connection| connection.status != Status::Pending);
        Ok(all)
    }
}
