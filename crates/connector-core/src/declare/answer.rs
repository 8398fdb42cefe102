//! Where the parts of an answer stand.

/// Where the parts of an answer stand.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// The member that is false where the answer is a refusal.
    pub success: &'static str,
    /// The member that holds what was asked for.
    pub data: &'static str,
    /// The member that holds page facts, and what else stands beside the data.
    pub extra: &'static str,
    /// The page fact that is the next cursor, within `beside`.
    pub next_cursor: &'static str,
    /// The object of the page facts of a list that pages by a place, within `beside`; where there is none, they stand there themselves.
    pub page: &'static str,
    /// The page fact that is true where more records follow.
    pub more: &'static str,
    /// The page fact that is the place of the next page.
    pub next_start: &'static str,
    /// The list of what a search found, within `data`, and the member of each that is the record.
    pub search: (&'static str, &'static str),
}
