//! The summary of a stream of records: an outcome without its data.

use serde::Serialize;
use serde_json::Value;

use crate::value::error::Error;
use crate::value::outcome::{Answer, Meta, Outcome, Page};
use crate::value::raw_json::{RawJson, write_value};

/// The summary of a stream of records, which comes last.
#[derive(Debug)]
pub struct Summary {
    id: Value,
    action: Option<String>,
    connector: Option<&'static str>,
    error: Option<Error>,
    page: Page,
    meta: Meta,
}

impl Summary {
    /// Builds the summary of an outcome. If that has no page, the list came as far as `reached`.
    pub(crate) fn new(outcome: Outcome, reached: Page) -> Self {
        let Outcome { id, action, connector, result, meta } = outcome;
        let (error, page) = match result {
            Ok(answer) => (None, answer.page.unwrap_or(reached)),
            Err(error) => (Some(error), reached),
        };
        Self { id, action, connector, error, page, meta }
    }

    /// Checks that the list was read as far as it was asked for.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    /// Returns the caller's name for the call: a text or a whole number, or null.
    pub fn id(&self) -> &Value {
        &self.id
    }

    /// Returns the action's key, if it could be read.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// Returns the key of the connector, if the action was found.
    pub fn connector(&self) -> Option<&'static str> {
        self.connector
    }

    /// Returns how many records there were, and where the list goes on, after an error too.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Returns the error that ended the list.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns the facts about the call.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Builds the outcome of the list, without its data.
    pub fn into_outcome(self) -> Outcome {
        let Self { id, action, connector, error, page, meta } = self;
        let result = error.map_or_else(|| Ok(Answer { page: Some(page), ..Answer::new(RawJson::null()) }), Err);
        Outcome { id, action, connector, result, meta }
    }

    /// Writes the summary as one line of JSON: an object of one member, `summary`.
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Written<'a, E> {
            #[serde(skip_serializing_if = "Value::is_null")]
            id: &'a Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            action: Option<&'a str>,
            ok: bool,
            page: &'a Page,
            error: Option<E>,
            meta: &'a Meta,
        }
        let Self { id, action, error, page, meta, .. } = self;
        let written = Written { id, action: action.as_deref(), ok: error.is_none(), page, error: error.as_ref().map(Error::to_wire), meta };
        let mut out = b"{\"summary\":".to_vec();
        write_value(&mut out, &written);
        out.push(b'}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::error::ErrorKind;

    #[test]
    fn names_the_call_only_if_it_has_a_name() {
        let error = || Error::new(ErrorKind::TimedOut, "It took too long.");
        let written = |outcome: Outcome| String::from_utf8(Summary::new(outcome, Page::default()).to_json()).expect("JSON is text");
        let named = written(Outcome::from_failure("step".into(), Some("getDeals".to_owned()), error()));
        assert!(
            named.starts_with(r#"{"summary":{"id":"step","action":"getDeals","ok":false,"page":{"count":0,"complete":false,"next":null},"#)
        );
        let unnamed = written(Outcome::from_error(error()));
        assert!(unnamed.starts_with(r#"{"summary":{"ok":false,"page":"#), "{unnamed}");
        assert!(unnamed.contains(r#""error":{"kind":"timed_out","#) && unnamed.ends_with(r#""warnings":[]}}}"#), "{unnamed}");
    }
}
