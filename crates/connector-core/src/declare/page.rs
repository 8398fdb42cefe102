//! Ways in which lists page. Callers give an input named `cursor` in all of them.

use serde_json::{Map, Value, json};

use crate::declare::field::{Field, Place};
use crate::declare::rule::Rule;
use crate::declare::shape::{FieldShape, FieldType, Schemas};
use crate::declare::types::Text;
use crate::value::fault::{Fault, FaultCode};
use crate::value::wording::shorten;

/// The name of the input that is the cursor.
pub(crate) const CURSOR: &str = "cursor";
/// The name of the input that is the start: the index of a page's first record.
const START: &str = "start";
/// The name of the input that is the page's number.
const PAGE: &str = "page";
/// The name of the input that is the page size.
pub(crate) const LIMIT: &str = "limit";

/// A way in which a list pages. A place is a JSON pointer into the response body.
///
/// An action pages in the first way of its connector whose parameter it takes, in the query or in the body, unless it
/// names another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// By a cursor of the vendor. The input for the parameter is named `cursor`.
    #[non_exhaustive]
    Cursor {
        /// The parameter.
        parameter: &'static str,
        /// The places of the next cursor. Absent, null or empty is the end.
        next: &'static [&'static str],
    },
    /// By the index of the page's first record. The input for the parameter is named `start`.
    #[non_exhaustive]
    Start {
        /// The parameter.
        parameter: &'static str,
        /// The places of a fact that is `true` if more records follow.
        more: &'static [&'static str],
        /// The places of the start of the next page.
        next: &'static [&'static str],
        /// The places of other facts about the page.
        facts: &'static [&'static str],
    },
    /// By the number of the page. The input for the parameter is named `page`.
    #[non_exhaustive]
    Page {
        /// The parameter.
        parameter: &'static str,
        /// The number of the first page.
        first: u64,
        /// The places of a fact that is `true` if more records follow.
        more: &'static [&'static str],
        /// The places of the number of the last page.
        last: &'static [&'static str],
        /// The places of other facts about the page.
        facts: &'static [&'static str],
    },
    /// By the URL with `rel="next"` in the header `Link`. Only its query is used, under the path of the action.
    Link,
}

/// A cursor of ours over starts: `start:100`.
struct StartCursor;
/// A cursor of ours over page numbers: `page:2`.
struct PageCursor;
/// A cursor of ours over links, with the query of the next page: `link:page=2`.
struct LinkCursor;
/// The page size of choices from a list that is kept.
struct ChoiceLimit;

/// The sentence of a cursor that no other input excludes.
const ALONE: &str = "The cursor, `page.next` of the page before. Left out, the first page is read.";

const fn own_cursor<T: FieldType>(doc: &'static str) -> Field {
    Field::new(CURSOR, CURSOR, Place::Own, doc, FieldShape::from_type::<Option<T>>())
}

static CURSOR_OVER_START: Field =
    own_cursor::<StartCursor>("The cursor, `page.next` of the page before; not together with `start`. Left out, the first page is read.");
static CURSOR_OVER_PAGES: Field =
    own_cursor::<PageCursor>("The cursor, `page.next` of the page before; not together with `page`. Left out, the first page is read.");
static CURSOR_OVER_LINKS: Field = own_cursor::<LinkCursor>(ALONE);
pub(crate) static CURSOR_OF_CHOICES: Field = own_cursor::<Text>(ALONE);
/// The page size of choices from a list that is kept.
pub(crate) static LIMIT_OF_CHOICES: Field = {
    let doc = "The number of choices on a page, at most 500. Left out, 100.";
    Field::new(LIMIT, LIMIT, Place::Own, doc, FieldShape::from_type::<Option<ChoiceLimit>>())
};
/// The page size of choices where none is given.
pub(crate) const USUAL_CHOICES: usize = 100;

static START_OR_CURSOR: Rule = Rule::at_most_one(&[START, CURSOR]);
static PAGE_OR_CURSOR: Rule = Rule::at_most_one(&[PAGE, CURSOR]);

impl FieldType for StartCursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^start:[0-9]{1,15}$", "examples": ["start:100"]})
    }
}

impl FieldType for PageCursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^page:[0-9]{1,15}$", "examples": ["page:2"]})
    }
}

impl FieldType for LinkCursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": r"^link:[\x21-\x7e]{1,2000}$", "examples": ["link:page=2"]})
    }
}

impl FieldType for ChoiceLimit {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "integer", "minimum": 1, "maximum": 500})
    }
}

impl Paging {
    /// Returns the name in the manifest.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cursor { .. } => CURSOR,
            Self::Start { .. } => START,
            Self::Page { .. } => PAGE,
            Self::Link => "link",
        }
    }

    /// Returns the name of the input that the vendor's parameter has.
    pub(crate) const fn input(&self) -> Option<&'static str> {
        match self {
            Self::Cursor { .. } => Some(CURSOR),
            Self::Start { .. } => Some(START),
            Self::Page { .. } => Some(PAGE),
            Self::Link => None,
        }
    }

    /// Returns the vendor's parameter.
    pub(crate) const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Cursor { parameter, .. } | Self::Start { parameter, .. } | Self::Page { parameter, .. } => Some(parameter),
            Self::Link => None,
        }
    }

    /// Checks that an input carries the vendor's parameter.
    pub(crate) fn is_parameter(&self, field: &Field) -> bool {
        matches!(field.place, Place::Query | Place::Body) && self.parameter() == Some(field.wire)
    }

    /// Returns the input of ours that is the cursor, where the vendor has none.
    pub(crate) fn own_cursor(&self) -> Option<&'static Field> {
        match self {
            Self::Cursor { .. } => None,
            Self::Start { .. } => Some(&CURSOR_OVER_START),
            Self::Page { .. } => Some(&CURSOR_OVER_PAGES),
            Self::Link => Some(&CURSOR_OVER_LINKS),
        }
    }

    /// Returns the rule between the cursor and the vendor's parameter.
    pub(crate) fn rule(&self) -> Option<&'static Rule> {
        match self {
            Self::Start { .. } => Some(&START_OR_CURSOR),
            Self::Page { .. } => Some(&PAGE_OR_CURSOR),
            Self::Cursor { .. } | Self::Link => None,
        }
    }

    /// Lists the places of the page facts, which the answer's page already holds.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &'static str> {
        let lists: [&'static [&'static str]; 3] = match *self {
            Self::Cursor { next, .. } => [next, &[], &[]],
            Self::Start { more, next, facts, .. } => [more, next, facts],
            Self::Page { more, last, facts, .. } => [more, last, facts],
            Self::Link => [&[], &[], &[]],
        };
        lists.into_iter().flatten().copied()
    }

    /// Writes where to go on as a cursor of ours.
    pub(crate) fn write_cursor(&self, next: impl std::fmt::Display) -> String {
        format!("{}:{next}", self.as_str())
    }

    /// Reads where a cursor of ours goes on.
    fn read_cursor<'a>(&self, input: &'a Map<String, Value>) -> Option<&'a str> {
        input.get(CURSOR)?.as_str()?.strip_prefix(self.as_str())?.strip_prefix(':')
    }

    /// Finds the fault of a cursor that is none of ours, in a list that pages by one of ours.
    pub(crate) fn find_cursor_fault(&self, input: &Map<String, Value>) -> Option<Fault> {
        let given = input.get(CURSOR).filter(|_| self.own_cursor().is_some())?;
        let is_ours = match self {
            Self::Link => self.read_cursor(input).is_some_and(|query| !query.is_empty()),
            _ => self.own_parameter(input).is_some(),
        };
        let example = self.write_cursor(if matches!(self, Self::Link) { "page=2" } else { "2" });
        (!is_ours).then(|| Fault::at(format!("/{CURSOR}"), FaultCode::WrongForm { value: shorten(&given.to_string(), 80), example }))
    }

    /// Reads the parameter that a cursor of ours stands for.
    pub(crate) fn own_parameter(&self, input: &Map<String, Value>) -> Option<(&'static str, u64)> {
        self.own_cursor()?;
        Some((self.parameter()?, self.read_cursor(input)?.parse().ok()?))
    }

    /// Reads the query that a cursor over links stands for. It is that of the next page.
    pub(crate) fn own_query(&self, input: &Map<String, Value>) -> Option<Vec<(String, String)>> {
        let query = matches!(self, Self::Link).then(|| self.read_cursor(input)).flatten()?;
        Some(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Reads the position of the page that is asked for: its start or its number.
    pub(crate) fn position(&self, input: &Map<String, Value>) -> u64 {
        let first = if let Self::Page { first, .. } = self { *first } else { 0 };
        let given = || input.get(self.input()?)?.as_u64();
        self.own_parameter(input).map(|(_, position)| position).or_else(given).unwrap_or(first)
    }
}

/// Checks that an input is the page size.
pub(crate) fn is_limit(field: &Field) -> bool {
    field.name == LIMIT
}

/// Reads the start that a cursor of ours stands for, in a list that pages by a start.
pub(crate) fn read_start(cursor: &str) -> Option<u64> {
    cursor.strip_prefix(START)?.strip_prefix(':')?.parse().ok()
}

/// Takes the start out of the input of a list that pages by a cursor. A start of 0 is the first page.
pub(crate) fn take_start(input: &mut Map<String, Value>) -> Option<Fault> {
    let start = input.shift_remove(START)?;
    let number = start.as_f64().or_else(|| start.as_str()?.parse().ok());
    let is_first = start.is_null() || number == Some(0.0);
    let has_cursor = input.get(CURSOR).is_some_and(|cursor| !cursor.is_null());
    match () {
        () if !is_first => Some(Fault::at(format!("/{START}"), FaultCode::PagesByCursor { value: shorten(&start.to_string(), 80) })),
        () if has_cursor && !start.is_null() => Some(Fault::at(format!("/{START}"), FaultCode::Exclusive(vec![START, CURSOR]))),
        () => None,
    }
}
