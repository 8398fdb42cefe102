//! How a list pages: by the vendor's own cursor, or by a place in it, over which the cursor is ours.

use serde_json::{Map, Value, json};

use crate::declare::answer::Envelope;
use crate::declare::field::{Field, Place};
use crate::declare::rule::Rule;
use crate::declare::shape::{FieldShape, FieldType, Schemas};
use crate::declare::types::Text;

/// The query parameter, the page fact and the input that say at which record a page starts.
const START: &str = "start";
/// The query parameter and the input that say where to go on.
const CURSOR: &str = "cursor";
/// The query parameter, the page fact and the input that say how many records a page has.
const LIMIT: &str = "limit";

/// How a list pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// By a cursor of the vendor's.
    Cursor,
    /// By the place of its first record.
    Start,
}

/// Where to go on in a list that pages by a place.
struct StartCursor;

const PREFIX: &str = "start:";

pub(crate) static CURSOR_OVER_START: Field = Field {
    name: CURSOR,
    wire: CURSOR,
    place: Place::Own,
    doc: "Where to go on: `page.next` of the page before; not together with `start`. Left out, the first page is read.",
    source: None,
    overrides: &[],
    shape: FieldShape::from_type::<Option<StartCursor>>(),
};

pub(crate) static CURSOR_OF_CHOICES: Field = Field {
    name: CURSOR,
    wire: CURSOR,
    place: Place::Own,
    doc: "Where to go on: `page.next` of the page before. Left out, the first page is read.",
    source: None,
    overrides: &[],
    shape: FieldShape::from_type::<Option<Text>>(),
};

pub(crate) static START_OR_CURSOR: Rule = Rule::at_most_one(&[START, CURSOR]);

impl FieldType for StartCursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^start:[0-9]{1,15}$", "examples": ["start:100"]})
    }
}

impl Paging {
    /// The way to page that a field of an action shows, where it shows one.
    pub(crate) fn from_field(field: &Field) -> Option<Self> {
        match field.wire {
            _ if is_start(field) => Some(Self::Start),
            CURSOR if field.place == Place::Query => Some(Self::Cursor),
            _ => None,
        }
    }

    /// Whether a member beside the data is a page fact, which the page of an answer already tells.
    pub(crate) fn is_page_fact(self, envelope: &Envelope, name: &str) -> bool {
        match self {
            Self::Cursor => name == envelope.next_cursor,
            Self::Start => [envelope.page, envelope.more, envelope.next_start, START, LIMIT].contains(&name),
        }
    }

    /// Its name in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cursor => CURSOR,
            Self::Start => START,
        }
    }
}

/// Whether a field says at which record a page starts.
pub(crate) fn is_start(field: &Field) -> bool {
    field.place == Place::Query && field.wire == START
}

/// Whether a field says how many records a page has.
pub(crate) fn is_limit(field: &Field) -> bool {
    field.name == LIMIT
}

/// Writes the cursor that stands for a start.
pub(crate) fn write_cursor(start: u64) -> String {
    format!("{PREFIX}{start}")
}

/// Reads the query parameter that the input's cursor stands for, in a list that pages by a start.
pub(crate) fn start_parameter(input: &Map<String, Value>) -> Option<(String, String)> {
    let start = input.get(CURSOR)?.as_str()?.strip_prefix(PREFIX)?;
    Some((START.to_owned(), start.to_owned()))
}

/// Reads from a query at which record the page starts.
pub(crate) fn read_start(query: &[(String, String)]) -> u64 {
    query.iter().find(|(name, _)| name == START).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}
