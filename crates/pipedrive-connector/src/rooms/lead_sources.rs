//! Lead sources: the origins of leads.

use connector_core::{action, record};

/// Get Lead Sources
///
/// Get all lead sources
#[action(get("/api/v1/leadSources"), scopes("leads:read", "leads:full"), cost = 2, returns(Vec<LeadSource>))]
pub(crate) struct GetLeadSources {}

/// A lead source, which has a name alone.
#[record]
struct LeadSource {
    /// Its name.
    name: String,
}
