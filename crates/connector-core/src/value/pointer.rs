//! JSON pointers, which say where in an input a fault is.

use std::borrow::Cow;

/// Escapes a name as a segment of a JSON pointer.
pub fn escape_segment(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}

/// Reads a segment of a JSON pointer as the name that it stands for.
pub(crate) fn unescape_segment(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') { segment.replace("~1", "/").replace("~0", "~").into() } else { segment.into() }
}
