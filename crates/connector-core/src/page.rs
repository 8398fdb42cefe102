//! How a list pages: by the vendor's own cursor, or by a place in it, over which the cursor is ours.

use serde_json::{Map, Value, json};

use crate::action::Rule;
use crate::field::{Field, FieldShape, FieldType, Place};
use crate::schema::Schemas;

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
    name: "cursor",
    wire: "cursor",
    place: Place::Own,
    doc: "Where to go on: `page.next` of the page before; not together with `start`. Left out, the first page is read.",
    source: None,
    overrides: &[],
    shape: FieldShape::of::<Option<StartCursor>>(),
};

pub(crate) static START_OR_CURSOR: Rule = Rule::at_most_one(&["start", "cursor"]);

impl FieldType for StartCursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^start:[0-9]{1,15}$", "examples": ["start:100"]})
    }
}

impl Paging {
    /// Its name in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cursor => "cursor",
            Self::Start => "start",
        }
    }
}

/// The cursor that stands for a place.
pub(crate) fn cursor(start: u64) -> String {
    format!("{PREFIX}{start}")
}

/// The place that a cursor of ours stands for, as it travels.
pub(crate) fn start(input: &Map<String, Value>) -> Option<&str> {
    input.get(CURSOR_OVER_START.name)?.as_str()?.strip_prefix(PREFIX)
}
