//! Responses, read in one pass. No tree is built, and the data is passed on byte for byte.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::declare::action::Declaration;
use crate::declare::answer::Envelope;
use crate::declare::connector::Connector;
use crate::declare::method::Effect;
use crate::declare::page::{self, Paging};
use crate::declare::refusal::Refusal;
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::outcome::{Answer, Page};
use crate::value::raw_json::{MemberName, RawJson, read_members};
use crate::value::redaction::{REDACTED, Redaction};

/// A response of the vendor.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The effect of the request, which decides whether it may be repeated if the response is unreadable.
    pub(crate) effect: Effect,
    /// The start of the page that was asked for.
    pub(crate) start: u64,
    /// The access that the request used, so that its secret can be removed from messages.
    pub(crate) access: Access,
}

impl Response {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Checks that the content type is JSON.
    pub fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|media| media.contains("json"))
    }

    /// Reads the answer: its data and its page.
    pub fn into_answer(self, declaration: &Declaration) -> Result<Answer, Error> {
        let envelope = &declaration.connector.envelope;
        let is_list = declaration.is_list();
        let read = match AnswerParts::from(&self.body, envelope, is_list) {
            Ok(read) => read,
            // It is JSON but no object, so all of it is the data.
            Err(error) if error.is_data() => {
                let whole: &RawValue = serde_json::from_slice(&self.body).map_err(|error| self.explain_unreadable(error))?;
                return Ok(Answer { data: RawJson::slice(&self.body, whole), page: None, extra: Vec::new() });
            }
            Err(error) => return Err(self.explain_unreadable(error)),
        };
        if read.success == Some(false) {
            return Err(self.read_refusal(declaration.connector, Some(declaration)));
        }
        Ok(read.into_answer(&self.body, envelope, is_list, declaration.paging(), self.start))
    }

    /// Reads what a refusal means, in the connector's words.
    pub(crate) fn read_refusal(&self, connector: &Connector, declaration: Option<&Declaration>) -> Error {
        // A connector may cut a text, and a part of a secret would not be found afterwards.
        let redaction = self.access.redaction();
        (connector.refusal)(&Refusal {
            status: self.status,
            headers: &redact_headers(&self.headers, redaction),
            body: &redaction.redact_body(&self.body),
            effect: self.effect,
            scopes: declaration.map_or(&[], |declaration| declaration.scopes),
            field_on_wire: &|wire| declaration?.field_on_wire(wire),
        })
    }

    /// Explains why the response is unreadable.
    fn explain_unreadable(&self, error: serde_json::Error) -> Error {
        let what = match () {
            () if self.body.iter().all(u8::is_ascii_whitespace) => "is empty".to_owned(),
            () if error.is_eof() => format!("is cut off after {} bytes", self.body.len()),
            () if !self.is_json() => format!("is not JSON but {}", self.header("content-type").unwrap_or("of no media type")),
            () => "is not JSON".to_owned(),
        };
        bad_answer(&format!("The answer ({}) {what}.", self.status), self.effect).with_source(error)
    }
}

/// Copies headers without secrets. A value that is no text is kept: nothing reads it.
fn redact_headers(headers: &HeaderMap, redaction: &Redaction) -> HeaderMap {
    let clean = |value: &HeaderValue| match value.to_str().map(|text| redaction.redact(text)) {
        Ok(Cow::Owned(cleaned)) => HeaderValue::try_from(cleaned).unwrap_or(HeaderValue::from_static(REDACTED)),
        _ => value.clone(),
    };
    headers.iter().map(|(name, value)| (name.clone(), clean(value))).collect()
}

/// Builds the error for a response that is unreadable. A write may have been carried out.
pub(crate) fn bad_answer(message: &str, effect: Effect) -> Error {
    let error = Error::new(ErrorKind::BadAnswer, message);
    match effect {
        Effect::Read => error.with_hint("Nothing was changed: try again."),
        _ => error.with_retry(Retry::Unsafe).with_hint("The request may have been carried out: check before you repeat it."),
    }
}

/// The parts of a response body, borrowed from it.
#[derive(Default)]
struct AnswerParts<'a> {
    success: Option<bool>,
    data: Option<Data<'a>>,
    beside: Option<&'a RawValue>,
    others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

enum Data<'a> {
    /// An array: its length, its first and its last item, which give the array's text.
    List {
        count: u64,
        ends: Option<(&'a RawValue, &'a RawValue)>,
    },
    Raw(&'a RawValue),
}

impl<'a> AnswerParts<'a> {
    fn from(body: &'a [u8], envelope: &Envelope, is_list: bool) -> serde_json::Result<Self> {
        let parse = |is_list| {
            let mut json = serde_json::Deserializer::from_slice(body);
            let read = Members { envelope, is_list }.deserialize(&mut json)?;
            json.end().map(|()| read)
        };
        match parse(is_list) {
            // The list is null, or a search answers an object.
            Err(error) if is_list && error.is_data() => parse(false),
            result => result,
        }
    }

    fn into_answer(mut self, body: &Bytes, envelope: &Envelope, is_list: bool, paging: Option<Paging>, start: u64) -> Answer {
        let mut extra = Vec::new();
        let Some(data) = self.data else {
            // There is no data, so the answer is the whole body without its success flag.
            self.others.extend(self.beside.map(|beside| (Cow::Borrowed(envelope.extra), beside)));
            let data = if self.others.is_empty() {
                RawJson::null()
            } else {
                RawJson::from_members(self.others.iter().map(|(name, raw)| (&**name, raw.get())))
            };
            return Answer { data, page: None, extra };
        };
        let (data, count) = match data {
            Data::List { count, ends } => (RawJson::slice_array(body, ends), count),
            Data::Raw(raw) => (RawJson::slice(body, raw), if is_list { count_found(raw, envelope.search.0) } else { 0 }),
        };
        let beside = self.beside.filter(|beside| !matches!(beside.get(), "null" | "[]" | "{}"));
        let facts = beside.map(read_members).unwrap_or_default();
        let next = match paging {
            None => None,
            Some(Paging::Cursor) => read_next_cursor(&facts, envelope),
            Some(Paging::Start) => read_next_start(&facts, envelope, start, count).map(page::write_cursor),
        };
        let is_page_fact = |name: &str| paging.is_some_and(|paging| paging.is_page_fact(envelope, name));
        if let Some(beside) = beside {
            let mut rest = facts.iter().filter(|(name, _)| !is_page_fact(name)).peekable();
            if facts.is_empty() {
                extra.push((envelope.extra.to_owned(), RawJson::slice(body, beside)));
            } else if rest.peek().is_some() {
                extra.push((envelope.extra.to_owned(), RawJson::from_members(rest.map(|(name, raw)| (&**name, raw.get())))));
            }
        }
        extra.extend(self.others.into_iter().map(|(name, raw)| (name.into_owned(), RawJson::slice(body, raw))));
        let page = is_list.then(|| Page { count, complete: next.is_none(), next });
        Answer { data, page, extra }
    }
}

type Facts<'a> = [(Cow<'a, str>, &'a RawValue)];

fn find_fact<'a>(facts: &Facts<'a>, name: &str) -> Option<&'a RawValue> {
    facts.iter().find(|(other, _)| other == name).map(|(_, raw)| *raw)
}

/// Reads the next cursor. Null, absent or empty is the end.
fn read_next_cursor(facts: &Facts<'_>, envelope: &Envelope) -> Option<String> {
    let raw = find_fact(facts, envelope.next_cursor)?;
    match serde_json::from_str(raw.get()) {
        Ok(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
        Ok(Value::Null) => None,
        _ => Some(raw.get().to_owned()),
    }
}

/// Reads the start of the next page.
///
/// A list without page facts ends with an empty page: a short page may have been cut by the vendor.
fn read_next_start(facts: &Facts<'_>, envelope: &Envelope, start: u64, count: u64) -> Option<u64> {
    let within = find_fact(facts, envelope.page).map(read_members);
    let facts = within.as_deref().unwrap_or(facts);
    let more = find_fact(facts, envelope.more).map(RawValue::get);
    let stated = find_fact(facts, envelope.next_start).and_then(|raw| serde_json::from_str(raw.get()).ok());
    match more {
        Some("true") => Some(stated.unwrap_or(start + count)),
        Some(_) => None,
        None => stated.or_else(|| (count > 0).then_some(start + count)),
    }
}

/// Counts the results of a search.
fn count_found(data: &RawValue, list: &str) -> u64 {
    let items = read_members(data).into_iter().find(|(name, _)| name == list);
    let items: Option<Vec<IgnoredAny>> = items.and_then(|(_, raw)| serde_json::from_str(raw.get()).ok());
    items.map_or(0, |items| items.len() as u64)
}

struct Members<'e> {
    envelope: &'e Envelope,
    is_list: bool,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = AnswerParts<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnswerParts<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = AnswerParts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnswerParts<'de>, A::Error> {
        let mut read = AnswerParts::default();
        while let Some(MemberName(name)) = map.next_key()? {
            if name == self.envelope.data {
                read.data = Some(if self.is_list { map.next_value_seed(Items)? } else { Data::Raw(map.next_value()?) });
            } else if name == self.envelope.success {
                let raw: &RawValue = map.next_value()?;
                read.success = serde_json::from_str(raw.get()).ok();
            } else if name == self.envelope.extra {
                read.beside = Some(map.next_value()?);
            } else {
                read.others.push((name, map.next_value()?));
            }
        }
        Ok(read)
    }
}

struct Items;

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Data<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data<'de>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Data<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data<'de>, A::Error> {
        let (mut count, mut ends) = (0, None);
        while let Some(item) = items.next_element::<&'de RawValue>()? {
            count += 1;
            ends = Some((ends.map_or(item, |(first, _)| first), item));
        }
        Ok(Data::List { count, ends })
    }
}
