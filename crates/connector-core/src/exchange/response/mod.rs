//! Responses, read in one pass. No tree is built, and the data is passed on byte for byte.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::declare::action::Declaration;
use crate::declare::answer::{Envelope, split_pointer, strip_member};
use crate::declare::connector::Connector;
use crate::declare::method::{Effect, Method};
use crate::declare::page::Paging;
use crate::declare::refusal::{Refusal, RefusedOperation};
use crate::declare::shape::ValueKind;
use crate::exchange::fault_paths::find_input;
use crate::value::access::Access;
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::outcome::{Answer, Page};
use crate::value::raw_json::{MemberName, RawJson, read_members, write_object};
use crate::value::redaction::{REDACTED, Redaction};
use crate::value::scan::{Scanner, is_nested_deeper};
use crate::value::wording::shorten;

/// The depth to which lists and objects are nested in an outcome at most, as serde_json reads them.
///
/// Its limit of 128 levels counts the innermost value too.
const DEEPEST: usize = 127;

/// The characters that a message has of a path.
const LONGEST_PATH: usize = 200;

/// The depth at which data begins in an outcome.
const BEFORE_DATA: usize = 1;
/// The depth at which members beside the data begin.
const BEFORE_EXTRA: usize = 2;
/// The depth at which the records of a list begin in the flat view, which is the deeper one.
const BEFORE_RECORD: usize = 3;

/// A response of the vendor.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The effect of the request, which decides whether it may be repeated if the response is unreadable.
    pub(crate) effect: Effect,
    /// The position of the page that was asked for: its start or its number.
    pub(crate) position: u64,
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
        let (envelope, is_list) = (declaration.envelope(), declaration.is_list());
        let has_no_body = declaration.endpoint.is_some_and(|endpoint| endpoint.method == Method::Head) || matches!(self.status, 204 | 205);
        if self.body.iter().all(u8::is_ascii_whitespace) && (has_no_body || envelope.may_be_empty) {
            let page = is_list.then_some(Page { complete: true, ..Page::default() });
            return Ok(Answer { data: RawJson::null(), page, extra: Vec::new() });
        }
        let parts = match AnswerParts::from(&self.body, envelope, is_list) {
            Ok(parts) => parts,
            // It is JSON but no object, so all of it is the data.
            Err(error) if error.is_data() => AnswerParts::from_bare(&self.body, is_list).map_err(|error| self.explain_unreadable(error))?,
            Err(error) => return Err(self.explain_unreadable(error)),
        };
        if parts.success == Some(false) {
            let lists: Vec<_> = declaration.scope_lists().collect();
            let endpoint = declaration.endpoint.map(|endpoint| (endpoint.method, endpoint.path));
            return Err(self.read_refusal(declaration.connector, Some(declaration), endpoint.unwrap_or((Method::Get, "")), &lists));
        }
        if parts.are_too_deep(is_list) {
            let message = format!("The answer ({}) is nested deeper than an outcome may be.", self.status);
            return Err(bad_answer(&message, self.effect));
        }
        Ok(parts.into_answer(&self, declaration))
    }

    /// Finds the query of the next page in the header `Link`.
    fn find_next_link(&self) -> Option<&str> {
        let values = self.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
        let is_next = |rest: &str| {
            rest.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split(' ').any(|word| word.eq_ignore_ascii_case("next"))
            })
        };
        // A comma separates links, and may stand within the URL between the angle brackets.
        let links = values.flat_map(|value| value.split('<').skip(1)).filter_map(|link| link.split_once('>'));
        let url = links.into_iter().find(|(_, rest)| is_next(rest.trim_end().trim_end_matches(','))).map(|(url, _)| url)?;
        Some(url.split_once('#').map_or(url, |(url, _)| url).split_once('?').map_or("", |(_, query)| query))
    }

    /// Reads what the refusal of a request means, in the connector's words.
    ///
    /// `scope_lists` are those that can be missing.
    pub(crate) fn read_refusal(
        &self,
        connector: &Connector,
        declaration: Option<&Declaration>,
        (method, path): (Method, &str),
        scope_lists: &[&'static [&'static str]],
    ) -> Error {
        // A connector may cut a text, and a part of a secret would not be found afterwards.
        let redaction = self.access.redaction();
        (connector.refusal)(&Refusal {
            label: connector.label,
            status: self.status,
            headers: &redact_headers(&self.headers, redaction),
            body: &redaction.redact_body(&self.body),
            effect: self.effect,
            scope_lists,
            find_input: &|place| find_input(declaration?, place),
            target: &format!("{} {}", method.as_str(), shorten(path, LONGEST_PATH)),
            operation: find_operation(connector, declaration, method, path),
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

/// Finds what a connector knows of an operation. An action's own is documented, or was taken away.
fn find_operation(connector: &Connector, declaration: Option<&Declaration>, method: Method, path: &str) -> RefusedOperation {
    let is_declared = declaration.is_some_and(|declaration| declaration.endpoint.is_some());
    match (connector.out_of_support)(method.as_str(), path) {
        Some(ended) => RefusedOperation::Ended(ended.instead),
        None if is_declared || (connector.find_template)(method.as_str(), path).is_some() => RefusedOperation::Documented,
        None => RefusedOperation::Unknown,
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
    /// The other members of the body, among them the one that holds the data at a deeper place.
    others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

enum Data<'a> {
    /// An array: its length, its first and its last item, which give the array's text.
    List {
        count: u64,
        ends: Option<(&'a RawValue, &'a RawValue)>,
        /// `true` if an item is nested too deep for an outcome.
        has_deep: bool,
    },
    Raw(&'a RawValue),
}

impl<'a> AnswerParts<'a> {
    fn from(body: &'a [u8], envelope: &Envelope, is_list: bool) -> serde_json::Result<Self> {
        let Some((member, below)) = split_pointer(envelope.data) else { return Self::from_bare(body, is_list) };
        let parse = |is_list| {
            let mut json = serde_json::Deserializer::from_slice(body);
            let read = Members { member, success: envelope.success, is_list }.deserialize(&mut json)?;
            json.end().map(|()| read)
        };
        let mut parts: Self = match parse(is_list && below.is_empty()) {
            // The list is null, or a search answers an object.
            Err(error) if is_list && error.is_data() => parse(false),
            result => result,
        }?;
        if let (Some(Data::Raw(outer)), false) = (&parts.data, below.is_empty()) {
            let outer = *outer;
            let text = Scanner::new(outer.get()).find_at(below);
            parts.data = text.map(|text| Self::from_bare(text.as_bytes(), is_list).map(|parts| parts.data)).transpose()?.flatten();
            parts.others.push((Cow::Borrowed(member), outer));
        }
        Ok(parts)
    }

    /// Reads a body that is the data.
    fn from_bare(body: &'a [u8], is_list: bool) -> serde_json::Result<Self> {
        let read_list = || {
            let mut json = serde_json::Deserializer::from_slice(body);
            let list = Items.deserialize(&mut json)?;
            json.end().map(|()| list)
        };
        let data = match is_list.then(read_list) {
            Some(Ok(list)) => list,
            Some(Err(error)) if !error.is_data() => return Err(error),
            _ => Data::Raw(serde_json::from_slice(body)?),
        };
        Ok(Self { success: None, data: Some(data), others: Vec::new() })
    }

    /// Checks whether the outcome would be nested deeper than its readers allow, in whichever view.
    fn are_too_deep(&self, is_list: bool) -> bool {
        let before_data = if is_list { BEFORE_RECORD } else { BEFORE_DATA };
        let is_data_too_deep = match &self.data {
            Some(Data::List { has_deep, .. }) => *has_deep,
            Some(Data::Raw(raw)) => is_nested_deeper(raw.get(), DEEPEST - before_data),
            None => false,
        };
        is_data_too_deep || self.others.iter().any(|(_, raw)| is_nested_deeper(raw.get(), DEEPEST - BEFORE_EXTRA))
    }

    fn into_answer(self, response: &Response, declaration: &Declaration) -> Answer {
        let (body, envelope, is_list) = (&response.body, declaration.envelope(), declaration.is_list());
        let Some(data) = &self.data else {
            // There is no data, so the answer is the whole body without its success flag.
            let data = if self.others.is_empty() {
                RawJson::null()
            } else {
                RawJson::from_members(self.others.iter().map(|(name, raw)| (&**name, raw.get())))
            };
            return Answer { data, page: None, extra: Vec::new() };
        };
        let (text, count) = match data {
            Data::List { count, ends, .. } => (RawJson::slice_array(body, *ends), *count),
            Data::Raw(raw) => (RawJson::slice(body, raw), count_found(raw, envelope.search.filter(|_| is_list))),
        };
        let next = declaration.paging().and_then(|paging| self.find_next(paging, response, count));
        let is_known_to_end = next.is_none() && !self.has_doubtful_end(response, declaration);
        let pages_after = next.as_ref().and_then(|_| self.count_pages_after(declaration, response));
        let page = is_list.then_some(Page { count, complete: is_known_to_end, next, pages_after });
        Answer { data: text, page, extra: self.into_extra(response, declaration) }
    }

    /// Checks whether more may follow a page without a next one.
    ///
    /// So it is where the data is no list, or where a way to page that the action does not take says that more follows.
    fn has_doubtful_end(&self, response: &Response, declaration: &Declaration) -> bool {
        let is_odd = matches!(self.data, Some(Data::Raw(raw)) if raw.get() != "null") && declaration.returns.kind == ValueKind::List;
        let says_more = |paging: &Paging| match *paging {
            Paging::Cursor { next, .. } => self.find_fact(next).and_then(read_next_cursor).is_some(),
            Paging::Start { more, next, .. } => self.find_fact(more) == Some("true") || self.find_number(next).is_some(),
            Paging::Page { more, .. } => self.find_fact(more) == Some("true"),
            Paging::Link => response.find_next_link().is_some(),
        };
        is_odd || (declaration.paging().is_none() && declaration.connector.paging.iter().any(says_more))
    }

    /// Finds where the next page begins, as the cursor that asks for it.
    fn find_next(&self, paging: &Paging, response: &Response, count: u64) -> Option<String> {
        let position = response.position;
        // A list without page facts ends with an empty page: a short page may have been cut by the vendor.
        let until_empty = |next: u64| (count > 0).then_some(next);
        match *paging {
            Paging::Cursor { next, .. } => read_next_cursor(self.find_fact(next)?),
            Paging::Start { more, next, .. } => {
                let stated = self.find_number(next);
                let following = match self.find_fact(more) {
                    Some("true") => Some(stated.unwrap_or(position + count)),
                    Some(_) => None,
                    None => stated.or_else(|| until_empty(position + count)),
                };
                following.map(|start| paging.write_cursor(start))
            }
            Paging::Page { more, last, .. } => {
                let follows = match (self.find_fact(more), self.find_number(last)) {
                    (Some(more), _) => more == "true",
                    (None, Some(last)) => position < last,
                    (None, None) => count > 0,
                };
                follows.then(|| paging.write_cursor(position + 1))
            }
            Paging::Link => response.find_next_link().map(|query| paging.write_cursor(query)),
        }
    }

    /// Finds the fact at the first of these places that has one.
    fn find_fact(&self, places: &[&str]) -> Option<&'a str> {
        places.iter().find_map(|place| {
            let (member, below) = split_pointer(place)?;
            let raw = self.others.iter().find(|(name, _)| name == member).map(|(_, raw)| *raw)?;
            Scanner::new(raw.get()).find_at(below)
        })
    }

    /// Counts the pages after this one, where the vendor tells the number of the last.
    fn count_pages_after(&self, declaration: &Declaration, response: &Response) -> Option<u64> {
        let Some(Paging::Page { last, .. }) = declaration.paging() else { return None };
        self.find_number(last)?.checked_sub(response.position)
    }

    fn find_number(&self, places: &[&str]) -> Option<u64> {
        self.find_fact(places).and_then(|fact| serde_json::from_str(fact).ok())
    }

    /// Collects what came beside the data and is no page fact.
    fn into_extra(self, response: &Response, declaration: &Declaration) -> Vec<(String, RawJson)> {
        let envelope = declaration.envelope();
        let data = Some(envelope.data).filter(|_| split_pointer(envelope.data).is_some_and(|(_, below)| !below.is_empty()));
        let known: Vec<&str> = declaration.paging().into_iter().flat_map(Paging::facts).chain(data).collect();
        let all_facts = || declaration.connector.paging.iter().flat_map(Paging::facts).chain(known.iter().copied());
        let keep = |(name, raw): (Cow<'a, str>, &'a RawValue)| {
            // The member that holds page facts is left out where it holds nothing else.
            if matches!(raw.get(), "null" | "[]" | "{}") && all_facts().any(|place| strip_member(place, &name).is_some()) {
                return None;
            }
            let facts: Vec<&str> = known.iter().filter_map(|place| strip_member(place, &name)).collect();
            let kept = if facts.is_empty() { RawJson::slice(&response.body, raw) } else { prune(raw, &facts).map(RawJson::on_one_line)? };
            Some((name.into_owned(), kept))
        };
        self.others.into_iter().filter_map(keep).collect()
    }
}

/// Writes a value without the members at these places, or nothing if nothing else is left.
fn prune(raw: &RawValue, places: &[&str]) -> Option<String> {
    if places.contains(&"") {
        return None;
    }
    let members = read_members(raw);
    if places.is_empty() || members.is_empty() {
        return Some(raw.get().to_owned());
    }
    let kept: Vec<(&str, String)> = members
        .iter()
        .filter_map(|(name, raw)| {
            let places: Vec<&str> = places.iter().filter_map(|place| strip_member(place, name)).collect();
            Some((&**name, prune(raw, &places)?))
        })
        .collect();
    let mut out = Vec::new();
    write_object(&mut out, kept.iter().map(|(name, text)| (*name, text.as_str())));
    (!kept.is_empty()).then(|| String::from_utf8_lossy(&out).into_owned())
}

/// Reads the next cursor. Null or empty is the end.
fn read_next_cursor(fact: &str) -> Option<String> {
    match serde_json::from_str(fact) {
        Ok(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
        Ok(Value::Null) => None,
        _ => Some(fact.to_owned()),
    }
}

/// Counts the results of a search.
fn count_found(data: &RawValue, search: Option<(&str, &str)>) -> u64 {
    let items = search.and_then(|(list, _)| Scanner::new(data.get()).find_at(&format!("/{list}")));
    let items: Option<Vec<IgnoredAny>> = items.and_then(|text| serde_json::from_str(text).ok());
    items.map_or(0, |items| items.len() as u64)
}

struct Members<'e> {
    /// The member that holds the data.
    member: &'e str,
    success: Option<&'e str>,
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
            if name == self.member {
                read.data = Some(if self.is_list { map.next_value_seed(Items)? } else { Data::Raw(map.next_value()?) });
            } else if self.success.is_some_and(|success| name == success) {
                let raw: &RawValue = map.next_value()?;
                read.success = serde_json::from_str(raw.get()).ok();
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
        let (mut count, mut ends, mut has_deep) = (0, None, false);
        while let Some(item) = items.next_element::<&'de RawValue>()? {
            count += 1;
            has_deep |= is_nested_deeper(item.get(), DEEPEST - BEFORE_RECORD);
            ends = Some((ends.map_or(item, |(first, _)| first), item));
        }
        Ok(Data::List { count, ends, has_deep })
    }
}

#[cfg(test)]
mod tests;
