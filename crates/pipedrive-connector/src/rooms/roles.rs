//! Roles: the places of users in the hierarchy that sets who sees what.

use connector_core::{action, record};

use crate::types::ByStart;

/// Get Roles
///
/// Get all roles
#[action(get("/api/v1/roles"), scopes("admin"), cost = 20, returns(Vec<Role>), with(ByStart))]
pub(crate) struct GetRoles {}

/// A role.
#[record]
struct Role {
    /// The ID of the role.
    id: i64,
    /// The ID of the role above it; the highest has none.
    parent_role_id: Option<i64>,
    /// Its name.
    name: Option<String>,
    /// True if it is in use.
    active_flag: Option<bool>,
    /// The number of users who have it, as a text.
    assignment_count: Option<String>,
    /// The number of roles below it, as a text.
    sub_role_count: Option<String>,
    /// Its level in the hierarchy, counted from the highest.
    level: Option<i64>,
}
