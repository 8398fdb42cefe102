//! JSON out: what came of an invocation, serialized straight to bytes so that data is never parsed to be written.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::value::error::{Error, ErrorKind};
use crate::value::raw_json::{RawJson, write_object, write_value};

/// What came of an invocation.
#[derive(Debug)]
pub struct Outcome {
    pub(crate) id: Value,
    pub(crate) action: Option<String>,
    pub(crate) result: Result<Answer, Error>,
    pub(crate) meta: Meta,
}

/// What an action answers.
#[derive(Debug)]
pub struct Answer {
    /// What was asked for, as it came.
    pub data: RawJson,
    /// Where a list stands.
    pub page: Option<Page>,
    /// What came beside the data.
    pub extra: Vec<(String, RawJson)>,
}

/// Where a list stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// How many records came.
    pub count: u64,
    /// Whether the last page was read.
    pub complete: bool,
    /// What to give as `cursor` to go on.
    pub next: Option<String>,
}

/// How an outcome came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Meta {
    /// The connection's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Whether the connection is a sandbox.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandbox: bool,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many requests were sent.
    pub requests: u32,
    /// What they cost of the daily budget.
    pub tokens: u32,
    /// How often the action was tried.
    pub attempts: u32,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Whether the outcome is that of an earlier call with the same idempotency key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

impl Outcome {
    pub(crate) fn from_failure(id: Value, action: Option<String>, error: Error) -> Self {
        Self { id, action, result: Err(error), meta: Meta::default() }
    }

    /// The outcome of an invocation that could not be read at all.
    pub fn from_error(error: Error) -> Self {
        Self::from_failure(Value::Null, None, error)
    }

    /// Whether it went well.
    pub fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// The caller's own name for the call.
    pub fn id(&self) -> Option<&str> {
        self.id.as_str()
    }

    /// The action's key, where it could be read.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// What came beside the data, by name.
    pub fn extra(&self) -> &[(String, RawJson)] {
        self.result.as_ref().map_or(&[], |answer| &answer.extra)
    }

    /// What was asked for, as JSON text.
    pub fn data(&self) -> Option<&RawJson> {
        self.result.as_ref().ok().map(|answer| &answer.data)
    }

    /// Where a list stands.
    pub fn page(&self) -> Option<&Page> {
        self.result.as_ref().ok()?.page.as_ref()
    }

    /// What went wrong.
    pub fn error(&self) -> Option<&Error> {
        self.result.as_ref().err()
    }

    /// How it came about.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The outcome as one line of JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let room = self.data().map_or(0, |data| data.as_str().len());
        let mut out = Vec::with_capacity(room + 512);
        out.extend_from_slice(b"{\"id\":");
        write_value(&mut out, &self.id);
        out.extend_from_slice(b",\"action\":");
        write_value(&mut out, &self.action);
        match &self.result {
            Ok(answer) => {
                out.extend_from_slice(b",\"ok\":true,");
                answer.write(&mut out);
            }
            Err(error) => {
                out.extend_from_slice(b",\"ok\":false,\"error\":");
                write_value(&mut out, &error.to_wire());
            }
        }
        out.extend_from_slice(b",\"meta\":");
        write_value(&mut out, &self.meta);
        out.push(b'}');
        out
    }
}

impl Answer {
    /// An answer that is data alone.
    pub fn from_data(data: &impl Serialize) -> Self {
        Self { data: RawJson::from_value(data), page: None, extra: Vec::new() }
    }

    /// The answer as a ledger keeps it.
    pub(crate) fn to_ledger(&self) -> Vec<u8> {
        let mut out = vec![b'{'];
        self.write(&mut out);
        out.push(b'}');
        out
    }

    /// The answer that a ledger kept.
    pub(crate) fn from_ledger(text: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Kept<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
            page: Option<Page>,
            #[serde(borrow, default)]
            extra: BTreeMap<String, &'a RawValue>,
        }
        let body = Bytes::copy_from_slice(text);
        let kept: Kept<'_> = serde_json::from_slice(&body)
            .map_err(|error| Error::new(ErrorKind::Bug, "The outcome that the ledger kept cannot be read.").with_source(error))?;
        let extra = kept.extra.into_iter().map(|(name, raw)| (name, RawJson::slice(&body, raw))).collect();
        Ok(Self { data: RawJson::slice(&body, kept.data), page: kept.page, extra })
    }

    /// The members of an outcome that are the answer's.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"data\":");
        out.extend_from_slice(self.data.as_str().as_bytes());
        if let Some(page) = &self.page {
            out.extend_from_slice(b",\"page\":");
            write_value(out, page);
        }
        if !self.extra.is_empty() {
            out.extend_from_slice(b",\"extra\":");
            write_object(out, self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
    }
}
