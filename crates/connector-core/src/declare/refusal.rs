//! A response that refuses a request.

use std::fmt;

use http::HeaderMap;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::declare::field::Field;
use crate::declare::method::Effect;
use crate::value::error::{Error, ErrorKind};
use crate::value::raw_json::read_members;

/// A response that refuses a request. A connector says what it means.
pub struct Refusal<'a> {
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
    /// Finds the input that travels under a wire name.
    pub(crate) field_on_wire: &'a dyn Fn(&str) -> Option<&'static Field>,
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

    /// Returns the effect that the refused request would have had.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The scopes of the action, any one of which suffices; none where they are not known.
    ///
    /// An action that makes several calls may lack some of several lists: `scopes_all` has them.
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

    /// Builds the error for a call that lacked a scope. Its hint names the scopes to add.
    pub fn explain_missing_scope(&self) -> Error {
        let hint = match self.scope_lists {
            [] => "Add the scope to the app, and connect again.".to_owned(),
            [only] => format!("Add one of these scopes to the app, and connect again: {}.", only.join(", ")),
            several => {
                let lists: Vec<String> = several.iter().map(|list| list.join(" or ")).collect();
                format!("Add each of these scopes to the app, and connect again: {}.", lists.join("; "))
            }
        };
        Error::new(ErrorKind::MissingScope, "The connection was not granted a scope that the action needs.").with_hint(hint)
    }

    /// The input of the action that travels as `wire`.
    pub fn field_on_wire(&self, wire: &str) -> Option<&'static Field> {
        (self.field_on_wire)(wire)
    }
}
