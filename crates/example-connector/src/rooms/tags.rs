//! Tags: words that group tickets.

use connector_core::declare::{Envelope, Id, Start};
use connector_core::{action, record};

/// List Tags
///
/// List the tags that tickets have
#[action(get("/v1/tags"), scopes("tickets:read", "tickets:write"), envelope(Envelope::at("/window/items")), returns(Vec<Tag>))]
pub(crate) struct ListTags {
    /// The index of the first tag. Left out, 0.
    #[wire("offset")]
    start: Option<Start>,
    /// The number of tags on a page. Left out, 25.
    limit: Option<Id>,
}

/// A tag.
#[record]
struct Tag {
    /// The word.
    name: String,
    /// The number of tickets that have it.
    ticket_count: i64,
}
