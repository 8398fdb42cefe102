//! The shape of a response body.

/// The places of the parts of a response body. A place is a JSON pointer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Envelope {
    /// The place of the data: `/data`, or empty if the whole body is the data.
    pub data: &'static str,
    /// The member that is `false` in a refusal with the status of a success, if there is such a member.
    pub success: Option<&'static str>,
    /// The list of search results within the data, and the member of a result that is the record, if the vendor's
    /// searches answer so.
    pub search: Option<(&'static str, &'static str)>,
    /// `true` if a success may have an empty body, whatever its status. A body under status 204 is always empty.
    pub may_be_empty: bool,
}

impl Envelope {
    /// The whole body is the data.
    pub const BARE: Self = Self { data: "", success: None, search: None, may_be_empty: true };

    /// Builds the shape of a body whose data is at a place.
    pub const fn at(data: &'static str) -> Self {
        Self { data, ..Self::BARE }
    }
}

/// Splits a JSON pointer into its first name and the pointer below it. The empty pointer has none.
pub(crate) fn split_pointer(pointer: &str) -> Option<(&str, &str)> {
    let path = pointer.strip_prefix('/')?;
    Some(path.find('/').map_or((path, ""), |at| path.split_at(at)))
}

/// Returns the pointer below a member, if it leads into that member.
pub(crate) fn strip_member<'p>(pointer: &'p str, member: &str) -> Option<&'p str> {
    pointer.strip_prefix('/')?.strip_prefix(member).filter(|below| below.is_empty() || below.starts_with('/'))
}
