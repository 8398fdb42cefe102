//! A response that refuses a request.

use std::fmt;
use std::time::SystemTime;

use http::HeaderMap;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::declare::method::Effect;
use crate::value::error::{Error, ErrorKind, Retry, Upstream};
use crate::value::raw_json::read_members;
use crate::value::retry_after::read_retry_after;
use crate::value::wording::shorten;

/// A response that refuses a request. A connector says what it means.
///
/// ```
/// use connector_core::declare::Refusal;
/// use connector_core::{Error, Fault};
///
/// /// Reads `{"message": "…", "field": "dueOn"}`, which names an input by its name on the wire.
/// fn explain(refusal: &Refusal<'_>) -> Error {
///     let body = refusal.json().unwrap_or_default();
///     let error = refusal.explain(body["message"].as_str());
///     match body["field"].as_str().and_then(|field| refusal.find_input(field)) {
///         Some(path) => error.with_faults(vec![Fault::new(path, "is refused")]),
///         None => error,
///     }
/// }
/// ```
pub struct Refusal<'a> {
    /// The name of the vendor.
    pub(crate) label: &'static str,
    pub(crate) status: u16,
    /// The headers, without the credential of the request: a vendor may quote it.
    pub(crate) headers: &'a HeaderMap,
    /// The body, without the credential.
    pub(crate) body: &'a [u8],
    pub(crate) effect: Effect,
    /// The lists of scopes, of each of which one is needed.
    ///
    /// Those that the connection is known to have are left out.
    pub(crate) scope_lists: &'a [&'static [&'static str]],
    /// Finds the input that the vendor names by a place.
    pub(crate) find_input: &'a dyn Fn(&str) -> Option<String>,
    /// The target of the request, as `GET /api/v2/deals/1`.
    pub(crate) target: &'a str,
    /// The knowledge of the operation that was asked for.
    pub(crate) operation: RefusedOperation,
}

/// The knowledge that a connector has of the operation that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusedOperation {
    /// The vendor documents it.
    Documented,
    /// The vendor ended its support, and names another one, or none.
    Ended(Option<&'static str>),
    /// The vendor documents no such method and path.
    Unknown,
}

impl fmt::Debug for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("status", &self.status).field("effect", &self.effect).finish_non_exhaustive()
    }
}

impl Refusal<'_> {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The milliseconds that `Retry-After` names, in seconds or as a date.
    pub fn retry_after_ms(&self) -> Option<u64> {
        read_retry_after(self.header("retry-after")?, self.header("date"), SystemTime::now)
    }

    /// The body, where it is a JSON object, without the credential. A member that no tree can hold is left out.
    pub fn json(&self) -> Option<Value> {
        let raw: &RawValue = serde_json::from_slice(self.body).ok()?;
        if !raw.get().starts_with('{') {
            return None;
        }
        let parsed =
            read_members(raw).into_iter().filter_map(|(name, raw)| Some((name.into_owned(), serde_json::from_str(raw.get()).ok()?)));
        Some(Value::Object(parsed.collect()))
    }

    /// Explains the refusal by its status, with the vendor's message if it is known.
    ///
    /// A failure (5xx) of a write may have been carried out, and the error says so. `Retry-After` is passed on. A vendor that
    /// means something else by a status builds an error of its own.
    pub fn explain(&self, message: Option<&str>) -> Error {
        let (vendor, status) = (self.label, self.status);
        let message = message.map(|message| shorten(message.trim().trim_end_matches('.'), 500)).filter(|message| !message.is_empty());
        let reason = message.as_deref().unwrap_or("no reason given");
        let error = |kind, what: &str, hint: &str| Error::new(kind, format!("{vendor} {what}: {reason}.")).with_hint(hint);
        let failed = format!("failed with {status}");
        let explained = match status {
            401 => error(ErrorKind::Unauthorized, "does not accept the connection's credential", "Connect the account again."),
            402 | 403 => {
                error(ErrorKind::Forbidden, "does not allow the call", "Check the permissions and the plan of the connected user.")
            }
            404 => error(ErrorKind::NotFound, "has no such record", "Check the ID; the record may not be visible to the connected user."),
            409 => error(ErrorKind::Conflict, "refuses the request in the record's current state", "Read the record, and try again."),
            410 => error(ErrorKind::Gone, "no longer has the record", "The record is gone for good."),
            429 => error(ErrorKind::RateLimited, "takes no more requests for a moment", "Try again later, or make fewer calls at once."),
            ..500 => error(ErrorKind::UpstreamRejected, "rejects the request", "Read the message and correct the input."),
            _ if self.effect == Effect::Read => error(ErrorKind::UpstreamError, &failed, "Nothing was changed: try again later."),
            _ => error(ErrorKind::UpstreamError, &failed, "The request may have been carried out: check before you repeat it.")
                .with_retry(Retry::Unsafe),
        };
        let explained = match self.retry_after_ms() {
            Some(milliseconds) => explained.with_retry_after_ms(milliseconds),
            None => explained,
        };
        explained.with_upstream(Upstream { status, error: message, ..Upstream::default() })
    }

    /// Returns the effect that the refused request would have had.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The scopes of the action, any one of which suffices; none where they are not known.
    ///
    /// An action that needs several scopes may lack some of several lists: `scopes_all` has them.
    pub fn scopes(&self) -> &[&'static str] {
        match self.scope_lists {
            [only] => only,
            _ => &[],
        }
    }

    /// The lists of scopes that can be missing, of each of which one is needed.
    pub fn scopes_all(&self) -> &[&'static [&'static str]] {
        self.scope_lists
    }

    /// Builds the error for a call that lacked a scope. Its hint names the scopes, and where an app has them.
    pub fn explain_missing_scope(&self, place: &str) -> Error {
        let hint = match self.scope_lists {
            [] => format!("Add the scope to the app {place}, and connect the account again."),
            [only] => format!("Add one of these scopes to the app {place}, and connect the account again: {}.", only.join(", ")),
            several => {
                let lists: Vec<String> = several.iter().map(|list| list.join(" or ")).collect();
                format!("Add each of these scopes to the app {place}, and connect the account again: {}.", lists.join("; "))
            }
        };
        Error::new(ErrorKind::MissingScope, "The connection was not granted a scope that the action needs.").with_hint(hint)
    }

    /// Finds the input that the vendor names by a place, as `title`, `prices[0].price` or `prices/0/price`.
    ///
    /// It returns a JSON pointer into the input. The runtime leads it into the input as the caller gave it: where the caller named a
    /// custom field, to that name.
    pub fn find_input(&self, place: &str) -> Option<String> {
        (self.find_input)(place)
    }

    /// Returns the method and the path of the request: `GET /api/v2/deals/1`.
    pub fn target(&self) -> &str {
        self.target
    }

    /// Returns what the connector knows of the operation that was asked for.
    pub fn operation(&self) -> RefusedOperation {
        self.operation
    }
}
