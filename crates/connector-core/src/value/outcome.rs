//! Outcomes, written straight to bytes: data is never parsed to be written.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::value::error::{Error, ErrorKind};
use crate::value::raw_json::{RawJson, write_object, write_value};
use crate::value::redaction::Redaction;
use crate::value::utc::write_utc;
use crate::value::view::View;

/// The outcome of an invocation.
///
/// ```
/// use connector_core::{Error, ErrorKind};
/// use connector_core::run::Outcome;
///
/// let outcome = Outcome::from_error(Error::new(ErrorKind::InvalidInvocation, "The invocation is not JSON."));
/// assert!(!outcome.is_ok());
///
/// let text = String::from_utf8(outcome.to_json()).expect("an outcome is JSON text");
/// assert!(text.contains(r#""kind":"invalid_invocation""#));
/// ```
#[derive(Debug)]
pub struct Outcome {
    pub(crate) id: Value,
    pub(crate) action: Option<String>,
    /// The key of the action's connector, which is no member of the JSON.
    pub(crate) connector: Option<&'static str>,
    pub(crate) result: Result<Answer, Error>,
    pub(crate) meta: Meta,
}

/// The answer of an action.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The data, as it came.
    pub data: RawJson,
    /// The page, if the answer is a list.
    pub page: Option<Page>,
    /// Members that came with the data.
    pub extra: Vec<(String, RawJson)>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The number of records on the page.
    pub count: u64,
    /// `true` after the last page.
    pub complete: bool,
    /// The `cursor` of the next page.
    pub next: Option<String>,
    /// The number of pages after this one, if the vendor told it.
    #[serde(skip)]
    pub(crate) pages_after: Option<u64>,
}

/// Facts about how an outcome came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Meta {
    /// The connection's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `true` if the connection is a sandbox.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandbox: bool,
    /// The status of the last response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The number of requests that were sent.
    pub requests: u32,
    /// The cost of the requests, in tokens of the daily budget.
    pub tokens: u32,
    /// The number of attempts: 1, and one more for each request that was sent again after a failure.
    pub attempts: u32,
    /// The time that the call took, in milliseconds.
    pub elapsed_ms: u64,
    /// The part of that time in which requests waited for a limit of the vendor, in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub queued_ms: u64,
    /// The daily budget of the account, as the vendor's last response told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// The view of the data, if it is not the vendor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// `true` if the outcome is that of an earlier call with the same idempotency key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// `created`, `updated` or `unchanged` after an upsert.
    ///
    /// It is `found` if a look-up at the vendor settled an outcome that was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'static str>,
    /// The lists and searches in which names were looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<LookUp>,
    /// Warnings for the caller.
    pub warnings: Vec<String>,
}

/// The daily budget of an account, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Budget {
    /// The tokens that are left.
    pub left: u64,
    /// The tokens of a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The time at which it is renewed, if the vendor told it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_time")]
    pub resets_at: Option<SystemTime>,
}

impl Budget {
    /// Builds a budget of which no time of renewal is known.
    pub const fn new(left: u64, limit: Option<u64>) -> Self {
        Self { left, limit, resets_at: None }
    }
}

/// A list or search in which names were looked up for a call. Its requests are part of those of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LookUp {
    /// The key of the action that lists or searches.
    pub of: &'static str,
    /// The number of requests that were sent: none if a list was kept.
    pub requests: u32,
    /// The cost of the requests, in tokens of the daily budget.
    pub tokens: u32,
    /// The time since a list was read, in milliseconds. A search has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::ref_option, reason = "serde passes a reference")]
fn write_time<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(write_utc).serialize(serializer)
}

impl Outcome {
    pub(crate) fn from_failure(id: Value, action: Option<String>, error: Error) -> Self {
        Self { id, action, connector: None, result: Err(error), meta: Meta::default() }
    }

    /// Builds the outcome of an invocation that could not be read.
    pub fn from_error(error: Error) -> Self {
        Self::from_failure(Value::Null, None, error)
    }

    /// Checks that the call succeeded.
    pub fn is_ok(&self) -> bool {
        self.result.is_ok()
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

    /// Returns the members that came with the data, by name.
    pub fn extra(&self) -> &[(String, RawJson)] {
        self.result.as_ref().map_or(&[], |answer| &answer.extra)
    }

    /// Returns the data as JSON text.
    pub fn data(&self) -> Option<&RawJson> {
        self.result.as_ref().ok().map(|answer| &answer.data)
    }

    /// Returns the page, if the answer is a list.
    pub fn page(&self) -> Option<&Page> {
        self.result.as_ref().ok()?.page.as_ref()
    }

    /// Returns the error.
    pub fn error(&self) -> Option<&Error> {
        self.result.as_ref().err()
    }

    /// Returns the answer, or the error of a call that did not succeed.
    ///
    /// ```
    /// use connector_core::Error;
    /// use connector_core::run::{Invocation, Runtime};
    ///
    /// async fn read_deal(runtime: &Runtime) -> Result<String, Error> {
    ///     let answer = runtime.invoke(Invocation::new("getDeal")).await.into_result()?;
    ///     Ok(answer.data.as_str().to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// # let runtime = Runtime::builder().build()?;
    /// let error = read_deal(&runtime).await.expect_err("no connector is linked");
    /// assert_eq!(error.kind().as_str(), "unknown_action");
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_result(self) -> Result<Answer, Error> {
        self.result
    }

    /// Returns the facts about the call.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Writes the outcome as one line of JSON.
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
    /// Builds an answer of JSON alone, which is passed on as it is.
    pub fn new(data: RawJson) -> Self {
        Self { data, page: None, extra: Vec::new() }
    }

    /// Builds an answer of data alone.
    pub fn from_data(data: &impl Serialize) -> Self {
        Self::new(RawJson::from_value(data))
    }

    /// Removes secrets: a vendor may quote them in its data too.
    pub(crate) fn redact(mut self, redaction: &Redaction) -> Self {
        let clean = |data: &mut RawJson| {
            if redaction.may_be_in_data(data.as_bytes()) {
                *data = RawJson::from_text(redaction.redact_data(data.as_str()));
            }
        };
        clean(&mut self.data);
        for (name, value) in &mut self.extra {
            *name = redaction.redact(name).into_owned();
            clean(value);
        }
        if let Some(next) = self.page.as_mut().and_then(|page| page.next.as_mut()) {
            *next = redaction.redact(next).into_owned();
        }
        self
    }

    /// Writes the answer as a ledger keeps it. Of one that is too long, only its size is kept.
    pub fn to_ledger(&self) -> Vec<u8> {
        const LONGEST: usize = 8 << 20;
        let mut out = vec![b'{'];
        self.write(&mut out);
        out.push(b'}');
        if out.len() > LONGEST {
            return format!("{{\"data\":null,\"leftOut\":{}}}", out.len()).into_bytes();
        }
        out
    }

    /// Reads an answer that a ledger stored, and the warning that comes with it.
    pub(crate) fn from_ledger(text: &[u8]) -> Result<(Self, Option<String>), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kept<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
            page: Option<Page>,
            #[serde(borrow, default)]
            extra: BTreeMap<String, &'a RawValue>,
            left_out: Option<u64>,
        }
        let body = Bytes::copy_from_slice(text);
        let kept: Kept<'_> = serde_json::from_slice(&body)
            .map_err(|error| Error::new(ErrorKind::Bug, "The outcome in the ledger cannot be read.").with_source(error))?;
        let extra = kept.extra.into_iter().map(|(name, raw)| (name, RawJson::slice(&body, raw))).collect();
        let warning = kept.left_out.map(|size| format!("The call was carried out. Its answer of {size} bytes was too long to be kept."));
        Ok((Self { data: RawJson::slice(&body, kept.data), page: kept.page, extra }, warning))
    }

    /// Writes the members of an outcome that hold the answer.
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
