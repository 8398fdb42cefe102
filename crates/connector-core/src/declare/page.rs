//! Ways in which lists page: by the vendor's cursor, or by a start, for which the runtime makes the cursor.

use serde_json::{Map, Value, json};

use crate::declare::answer::Envelope;
use crate::declare::field::{Field, Place};
use crate::declare::rule::Rule;
use crate::declare::shape::{FieldShape, FieldType, Schemas};
use crate::declare::types::Text;
use crate::value::fault::{Fault, FaultCode};
use crate::value::wording::shorten;

/// The name of the start in a query, in page facts and in an input: the index of a page's first record.
const START: &str = "start";
/// The name of the cursor in a query and in an input.
const CURSOR: &str = "cursor";
/// The name of the page size in a query, in page facts and in an input.
const LIMIT: &str = "limit";

/// A way in which a list pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// By a cursor of the vendor.
    Cursor,
    /// By the index of the page's first record.
    Start,
}

/// The cursor of a list that pages by a start.
struct StartCursor;

const PREFIX: &str = "start:";

pub(crate) static CURSOR_OVER_START: Field = Field {
    name: CURSOR,
    wire: CURSOR,
    place: Place::Own,
    doc: "The cursor, `page.next` of the page before; not together with `start`. Left out, the first page is read.",
    source: None,
    overrides: &[],
    instead_of: None,
    shape: FieldShape::from_type::<Option<StartCursor>>(),
};

pub(crate) static CURSOR_OF_CHOICES: Field = Field {
    name: CURSOR,
    wire: CURSOR,
    place: Place::Own,
    doc: "The cursor, `page.next` of the page before. Left out, the first page is read.",
    source: None,
    overrides: &[],
    instead_of: None,
    shape: FieldShape::from_type::<Option<Text>>(),
};

pub(crate) static START_OR_CURSOR: Rule = Rule::at_most_one(&[START, CURSOR]);

impl FieldType for StartCursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^start:[0-9]{1,15}$", "examples": ["start:100"]})
    }
}

impl Paging {
    /// Reads the way to page from an input of an action, if the input shows one.
    pub(crate) fn from_field(field: &Field) -> Option<Self> {
        match field.wire {
            _ if is_start(field) => Some(Self::Start),
            CURSOR if field.place == Place::Query => Some(Self::Cursor),
            _ => None,
        }
    }

    /// Checks that a member of the envelope is a page fact, which the answer's page already holds.
    pub(crate) fn is_page_fact(self, envelope: &Envelope, name: &str) -> bool {
        match self {
            Self::Cursor => name == envelope.next_cursor,
            Self::Start => [envelope.page, envelope.more, envelope.next_start, START, LIMIT].contains(&name),
        }
    }

    /// Returns the name in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cursor => CURSOR,
            Self::Start => START,
        }
    }
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

/// Checks that an input is the start of a page.
pub(crate) fn is_start(field: &Field) -> bool {
    field.place == Place::Query && field.wire == START
}

/// Checks that an input is the page size.
pub(crate) fn is_limit(field: &Field) -> bool {
    field.name == LIMIT
}

/// Writes a start as a cursor.
pub(crate) fn write_cursor(start: u64) -> String {
    format!("{PREFIX}{start}")
}

/// Reads the start that a cursor of ours stands for.
pub(crate) fn read_cursor(cursor: &str) -> Option<u64> {
    cursor.strip_prefix(PREFIX)?.parse().ok()
}

/// Reads the query parameter that the input's cursor stands for, in a list that pages by a start.
pub(crate) fn start_parameter(input: &Map<String, Value>) -> Option<(String, String)> {
    let start = input.get(CURSOR)?.as_str()?.strip_prefix(PREFIX)?;
    Some((START.to_owned(), start.to_owned()))
}

/// Reads the start of the page from a query.
pub(crate) fn read_start(query: &[(String, String)]) -> u64 {
    query.iter().find(|(name, _)| name == START).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}
