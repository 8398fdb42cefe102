//! Options of a call, read strictly.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::value::error::{Error, ErrorKind};
use crate::value::time_zone::{TimeZone, UnknownTimeZone};
use crate::value::view::View;
use crate::value::wording::{find_nearest, quote};

/// The options of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Answers the request that would be sent, or what it would change, and sends none.
    pub dry_run: DryRun,
    /// The values that the record must have, by input. Left out, any record is changed.
    pub expect: Option<Map<String, Value>>,
    /// Answers what the call would cost, and sends at most what is needed to know it.
    pub estimate: bool,
    /// The time that the call may take.
    pub timeout: Duration,
    /// The key under which a write is carried out at most once.
    pub idempotency_key: Option<String>,
    /// The way to settle a key whose outcome was lost. Left out, it stays unknown.
    pub resolve: Option<Resolve>,
    /// The view of the data. Left out, that of the connection or of the runtime.
    pub view: Option<View>,
    /// The pages of a list that are read.
    pub pages: Pages,
    /// The most records of a list that is read whole.
    pub max_items: Option<u64>,
    /// The way in which custom fields are named in the data.
    pub fields: FieldNames,
    /// Reads the lists that the account defines again, and not from what is kept of them.
    pub refreshes_definitions: bool,
    /// The zone of the times in the input that name none.
    pub time_zone: Option<TimeZone>,
    /// The place of the call among those that wait for a limit of the vendor.
    pub priority: Priority,
}

/// A call that is shown, and not made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DryRun {
    /// The call is made.
    #[default]
    No,
    /// The request is shown.
    Requests,
    /// The request is shown, and what it would change in the record as it stands.
    Diff,
}

impl DryRun {
    /// The kinds of dry runs.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Diff];

    /// Returns the word for a kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Requests => "requests",
            Self::Diff => "diff",
        }
    }

    /// Checks that the call is not made.
    pub fn is_asked(self) -> bool {
        self != Self::No
    }
}

/// The place of a call among those of its connection that wait for a limit of the vendor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Priority {
    /// A person or a workflow waits for it: it goes first.
    #[default]
    Interactive,
    /// A part of a large job: it goes when no interactive call waits.
    Batch,
}

impl Priority {
    /// All words.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Batch];

    /// Returns the word in an invocation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Batch => "batch",
        }
    }
}

/// The way in which custom fields are named in the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldNames {
    /// By their keys, as the vendor has them.
    #[default]
    Keys,
    /// By their names, with the labels of options.
    Names,
    /// By their keys, and by their names beside that.
    Both,
}

impl FieldNames {
    /// All words.
    pub const ALL: [Self; 3] = [Self::Keys, Self::Names, Self::Both];

    /// Returns the word in an invocation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Names => "names",
            Self::Both => "both",
        }
    }
}

/// The way to settle an idempotency key whose outcome was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolve {
    /// Looks for the record at the vendor: the only one that could be it is the outcome.
    Look,
}

/// The pages of a list that a call reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pages {
    /// The page that the input asks for.
    #[default]
    One,
    /// The page and all after it, joined.
    All,
}

impl Pages {
    /// All words.
    pub const ALL: [Self; 2] = [Self::One, Self::All];

    /// Returns the word in an invocation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::All => "all",
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dry_run: DryRun::No,
            expect: None,
            estimate: false,
            timeout: Duration::from_secs(30),
            idempotency_key: None,
            resolve: None,
            view: None,
            pages: Pages::One,
            max_items: None,
            fields: FieldNames::Keys,
            refreshes_definitions: false,
            time_zone: None,
            priority: Priority::Interactive,
        }
    }
}

impl Options {
    pub(super) fn with_members(self, members: Map<String, Value>) -> Result<Self, Error> {
        const KNOWN: [&str; 13] = [
            "estimate",
            "expect",
            "dryRun",
            "timeoutMs",
            "idempotencyKey",
            "resolve",
            "view",
            "pages",
            "maxItems",
            "fields",
            "cache",
            "timeZone",
            "priority",
        ];
        let mut options = self;
        for (name, value) in members {
            match (name.as_str(), &value) {
                ("dryRun", Value::Bool(is_dry_run)) => options.dry_run = if *is_dry_run { DryRun::Requests } else { DryRun::No },
                ("dryRun", Value::String(word)) if word == "diff" => options.dry_run = DryRun::Diff,
                ("dryRun", _) => return Err(invalid("The option dryRun is none of true, false and \"diff\".")),
                ("expect", Value::Object(expected)) => options.expect = Some(expected.clone()),
                ("estimate", Value::Bool(estimate)) => options.estimate = *estimate,
                ("estimate", _) => return Err(invalid("The option estimate is neither true nor false.")),
                ("timeoutMs", Value::Number(number)) if number.as_u64().is_some_and(|ms| (1..=3_600_000).contains(&ms)) => {
                    options.timeout = Duration::from_millis(number.as_u64().unwrap_or_default());
                }
                ("timeoutMs", _) => return Err(invalid("The option timeoutMs is not a whole number from 1 to 3600000.")),
                ("idempotencyKey", Value::String(key)) => options.idempotency_key = Some(key.clone()),
                ("resolve", Value::String(word)) if word == "look" => options.resolve = Some(Resolve::Look),
                ("resolve", value) if !value.is_null() => return Err(invalid("The option resolve is neither \"look\" nor null.")),
                ("idempotencyKey" | "resolve" | "maxItems" | "expect" | "timeZone", Value::Null) => {}
                ("idempotencyKey", _) => return Err(explain_key()),
                ("view", Value::String(word)) => {
                    options.view = Some(word.parse().map_err(|words| invalid(format!("The option view is {}: {words}.", quote(word))))?);
                }
                ("view", _) => return Err(invalid("The option view is not text.").with_hint("Give \"record\" or \"flat\".")),
                ("pages", Value::String(word)) if word == Pages::One.as_str() => options.pages = Pages::One,
                ("pages", Value::String(word)) if word == Pages::All.as_str() => options.pages = Pages::All,
                ("pages", _) => return Err(invalid("The option pages is neither \"one\" nor \"all\".")),
                ("maxItems", Value::Number(number)) if number.as_u64().is_some_and(|most| most > 0) => options.max_items = number.as_u64(),
                ("maxItems", _) => return Err(invalid("The option maxItems is not a whole number from 1.")),
                ("fields", value) => {
                    let named = FieldNames::ALL.into_iter().find(|names| value.as_str() == Some(names.as_str()));
                    options.fields = named.ok_or_else(|| invalid("The option fields is none of \"keys\", \"names\" and \"both\"."))?;
                }
                ("priority", value) => {
                    let named = Priority::ALL.into_iter().find(|priority| value.as_str() == Some(priority.as_str()));
                    options.priority = named.ok_or_else(|| invalid("The option priority is neither \"interactive\" nor \"batch\"."))?;
                }
                ("cache", Value::String(word)) if matches!(word.as_str(), "use" | "refresh") => {
                    options.refreshes_definitions = word == "refresh";
                }
                ("cache", _) => return Err(invalid("The option cache is neither \"use\" nor \"refresh\".")),
                ("timeZone", Value::String(name)) => {
                    let refuse = |unknown: UnknownTimeZone| invalid(unknown.message()).with_hint(unknown.hint());
                    options.time_zone = Some(name.parse().map_err(refuse)?);
                }
                ("timeZone", _) => {
                    return Err(invalid("The option timeZone is neither text nor null.").with_hint("Name a zone, as Europe/Tallinn."));
                }
                ("expect", _) => return Err(explain_expectation()),
                _ => return Err(unknown_member("The member `options`", &name, &KNOWN)),
            }
        }
        options.check_key()?;
        options.check_estimate()?;
        Ok(options)
    }

    /// Checks that the call itself is not made: reads for it may be.
    pub(crate) fn sends_nothing_of_its_own(&self) -> bool {
        self.dry_run.is_asked() || self.estimate
    }

    /// Checks that no dry run is estimated: it sends nothing but look-ups, which an estimate makes too.
    pub(crate) fn check_estimate(&self) -> Result<(), Error> {
        if self.estimate && self.dry_run.is_asked() {
            return Err(invalid("The options estimate and dryRun are both given.")
                .with_hint("Give estimate to learn what the call costs, or dryRun to see its requests."));
        }
        Ok(())
    }

    /// Checks that the idempotency key has a length that every ledger can store.
    pub(crate) fn check_key(&self) -> Result<(), Error> {
        let fits = |key: &str| (1..=255).contains(&key.len()) && !key.contains('\0');
        if !self.idempotency_key.as_deref().is_none_or(fits) {
            return Err(explain_key());
        }
        if self.resolve.is_some() && self.idempotency_key.is_none() {
            return Err(
                invalid("The option resolve settles an idempotency key, and there is none.").with_hint("Give options.idempotencyKey too.")
            );
        }
        Ok(())
    }
}

pub(super) fn explain_expectation() -> Error {
    invalid("The option expect is neither an object nor null.")
        .with_hint(r#"Write the values that the record must have by input: {"a name": "a value"}."#)
}

fn explain_key() -> Error {
    invalid("The option idempotencyKey is not text of 1 to 255 bytes without NUL.")
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInvocation, message)
}

pub(super) fn unknown_member(of: &str, name: &str, known: &[&str]) -> Error {
    let error = invalid(format!("{of} has no member {}.", quote(name)));
    match find_nearest(name, known.iter().copied(), 1).first() {
        Some(near) => error.with_hint(format!("The nearest is `{near}`.")),
        None => error.with_hint(format!("There are: {}.", known.join(", "))),
    }
}
