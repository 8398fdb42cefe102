//! Lead labels: names and colors that mark leads.

use connector_core::declare::{DateTime, Text, Uuid};
use connector_core::{action, record};

use crate::data_sources::SelectLeadLabel;
use crate::types::DeletedUuid;

/// Add Lead Label
///
/// Add a lead label
#[action(post("/api/v1/leadLabels"), scopes("leads:full"), cost = 10, returns(LeadLabel))]
struct AddLeadLabel {
    /// The name of the label.
    name: Text,
    /// The color of the label.
    color: LabelColor,
}

/// Get Lead Labels
///
/// Get all lead labels
#[action(get("/api/v1/leadLabels"), scopes("leads:read", "leads:full"), cost = 10, returns(Vec<LeadLabel>))]
pub(crate) struct GetLeadLabels {}

/// Update Lead Label
///
/// Update a lead label
#[action(patch("/api/v1/leadLabels/{label_id}"), scopes("leads:full"), cost = 10, returns(LeadLabel))]
struct UpdateLeadLabel {
    /// The label to change.
    #[source(SelectLeadLabel)]
    label_id: Uuid,
    /// The name of the label. Left out, it stays.
    name: Option<Text>,
    /// The color of the label. Left out, it stays.
    color: Option<LabelColor>,
}

/// Delete Lead Label
///
/// Delete a lead label
#[action(delete("/api/v1/leadLabels/{label_id}"), scopes("leads:full"), cost = 6, returns(DeletedUuid))]
struct DeleteLeadLabel {
    /// The label to delete; leads that carry it lose it.
    #[source(SelectLeadLabel)]
    label_id: Uuid,
}

/// The color of a label.
#[record]
enum LabelColor {
    Blue,
    Brown,
    #[wire("dark-gray")]
    DarkGray,
    Gray,
    Green,
    Orange,
    Pink,
    Purple,
    Red,
    Yellow,
}

/// A lead label.
#[record]
struct LeadLabel {
    /// The ID of the label.
    id: Uuid,
    /// Its name.
    name: Option<String>,
    /// Its color.
    color: Option<LabelColor>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
}
