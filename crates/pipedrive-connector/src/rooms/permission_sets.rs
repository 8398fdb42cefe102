//! Permission sets: the permissions of users.

use connector_core::declare::{Both, Either, Id, Uuid};
use connector_core::{action, record};

use crate::data_sources::{SelectPermissionSet, SelectUser};
use crate::types::ByStart;

/// Get Permission Set
///
/// Get one permission set
#[action(
    get("/api/v1/permissionSets/{permission_set_id}"),
    scopes("admin"),
    cost = 2,
    returns(Either<WholePermissionSet, Vec<WholePermissionSet>>)
)]
struct GetPermissionSet {
    /// The permission set to read.
    #[source(SelectPermissionSet)]
    permission_set_id: Uuid,
}

/// Get Permission Set Assignments
///
/// List permission set assignments
#[action(
    get("/api/v1/permissionSets/{permission_set_id}/assignments"),
    scopes("admin"),
    cost = 20,
    returns(Vec<PermissionSetAssignment>),
    with(ByStart)
)]
struct GetPermissionSetAssignments {
    /// The permission set whose users to read.
    #[source(SelectPermissionSet)]
    permission_set_id: Uuid,
}

/// Get Permission Sets
///
/// Get all permission sets
#[action(get("/api/v1/permissionSets"), scopes("admin"), cost = 20, returns(Vec<PermissionSet>))]
pub(crate) struct GetPermissionSets {
    /// Only permission sets of this part of the product. Left out, those of all.
    app: Option<App>,
}

/// Get User Permissions
///
/// List user permissions
#[action(get("/api/v1/users/{user_id}/permissions"), scopes("users:read"), cost = 10, returns(UserPermissions))]
struct GetUserPermissions {
    /// The user whose permissions to read.
    #[source(SelectUser)]
    user_id: Id,
}

/// A part of the product.
#[record]
pub(crate) enum App {
    Sales,
    Projects,
    Campaigns,
    Global,
    AccountSettings,
    Partnership,
    Nova,
}

/// A permission set.
#[record]
struct PermissionSet {
    /// The ID of the permission set.
    id: String,
    /// Its name.
    name: Option<String>,
    /// Its description.
    description: Option<String>,
    /// The part of the product that it is about.
    app: Option<App>,
    /// The kind of set it is, as admin or custom.
    r#type: Option<String>,
    /// The number of users who have it.
    assignment_count: Option<i64>,
}

/// A permission set and what it allows; Pipedrive documents it both by itself and as the only one of a list.
type WholePermissionSet = Both<PermissionSet, Permissions>;

/// The permissions of a set.
#[record]
struct Permissions {
    /// The names of the permissions.
    contents: Option<Vec<String>>,
}

/// A user who has a permission set.
#[record]
struct PermissionSetAssignment {
    /// The ID of the user.
    user_id: i64,
    /// The ID of the permission set.
    permission_set_id: Option<String>,
    /// The name of the permission set.
    name: Option<String>,
}

/// The permissions of a user.
#[record]
struct UserPermissions {
    /// May add custom fields.
    can_add_custom_fields: Option<bool>,
    /// May add products.
    can_add_products: Option<bool>,
    /// May add prospects as leads.
    can_add_prospects_as_leads: Option<bool>,
    /// May change many records at once.
    can_bulk_edit_items: Option<bool>,
    /// May change who sees a record.
    can_change_visibility_of_items: Option<bool>,
    /// May turn deals into leads.
    can_convert_deals_to_leads: Option<bool>,
    /// May make automations of their own.
    can_create_own_workflow: Option<bool>,
    /// May delete activities.
    can_delete_activities: Option<bool>,
    /// May delete custom fields.
    can_delete_custom_fields: Option<bool>,
    /// May delete deals.
    can_delete_deals: Option<bool>,
    /// May change custom fields.
    can_edit_custom_fields: Option<bool>,
    /// May change when a deal was closed.
    can_edit_deals_closed_date: Option<bool>,
    /// May change products.
    can_edit_products: Option<bool>,
    /// May change filters that are shared.
    can_edit_shared_filters: Option<bool>,
    /// May export lists.
    can_export_data_from_lists: Option<bool>,
    /// May make others follow a record.
    can_follow_other_users: Option<bool>,
    /// May merge deals.
    can_merge_deals: Option<bool>,
    /// May merge organizations.
    can_merge_organizations: Option<bool>,
    /// May merge persons.
    can_merge_people: Option<bool>,
    /// May change labels.
    can_modify_labels: Option<bool>,
    /// May see the statistics of the company.
    can_see_company_wide_statistics: Option<bool>,
    /// May see the summary of a list of deals.
    can_see_deals_list_summary: Option<bool>,
    /// May see the names of hidden records.
    can_see_hidden_items_names: Option<bool>,
    /// May see other users.
    can_see_other_users: Option<bool>,
    /// May see the statistics of other users.
    can_see_other_users_statistics: Option<bool>,
    /// May see the security dashboard.
    can_see_security_dashboard: Option<bool>,
    /// May share filters.
    can_share_filters: Option<bool>,
    /// May share insights.
    can_share_insights: Option<bool>,
    /// May use the API.
    can_use_api: Option<bool>,
    /// May follow whether a mail was opened.
    can_use_email_tracking: Option<bool>,
    /// May import.
    can_use_import: Option<bool>,
}
