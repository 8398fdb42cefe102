//! The envelope of a response body.

/// The names that a vendor gives to the parts of a response body.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// The member that is `false` in a refusal.
    pub success: &'static str,
    /// The member that holds the data.
    pub data: &'static str,
    /// The member that holds the page facts, and whatever else comes with the data.
    pub extra: &'static str,
    /// The next cursor, within `extra`.
    pub next_cursor: &'static str,
    /// The object within `extra` that holds the page facts of a list that pages by a start.
    /// If there is no such object, `extra` holds them itself.
    pub page: &'static str,
    /// The page fact that is `true` if more records follow.
    pub more: &'static str,
    /// The page fact that holds the start of the next page.
    pub next_start: &'static str,
    /// The list of search results within `data`, and the member of a result that is the record.
    pub search: (&'static str, &'static str),
}
