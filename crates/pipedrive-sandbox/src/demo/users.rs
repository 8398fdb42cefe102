//! The demo's users, with their settings, roles and permission sets.

use serde_json::json;

use crate::demo::companies::Identity;
use crate::demo::rows::{DAYS, build_record, make_time};
use crate::engine::state::{FIRST_USER, State};
use crate::value::money::CURRENCY;
use crate::value::record::{Record, read_id};

const ROLES: &[(&str, Option<u64>)] = &[("(Unassigned users)", None), ("Sales", Some(1)), ("Account managers", Some(2))];

const SALES_PERMISSIONS: &[&str] = &[
    "can_add_products",
    "can_bulk_edit_items",
    "can_change_visibility_of_items",
    "can_convert_deals_to_leads",
    "can_add_prospects_as_leads",
    "can_edit_products",
    "can_see_deals_list_summary",
];

const SALES_ADMIN_PERMISSIONS: &[&str] =
    &["can_delete_deals", "can_edit_deals_closed_date", "can_merge_deals", "can_see_company_wide_statistics"];

const COMMON_PERMISSIONS: &[&str] = &[
    "can_create_own_workflow",
    "can_delete_activities",
    "can_edit_shared_filters",
    "can_export_data_from_lists",
    "can_follow_other_users",
    "can_see_other_users",
    "can_share_filters",
    "can_use_api",
    "can_use_email_tracking",
];

const ADMIN_PERMISSIONS: &[&str] = &[
    "can_add_custom_fields",
    "can_delete_custom_fields",
    "can_edit_custom_fields",
    "can_merge_organizations",
    "can_merge_people",
    "can_modify_labels",
    "can_see_hidden_items_names",
    "can_see_other_users_statistics",
    "can_share_insights",
    "can_use_import",
];

/// Name, description, app, type, contents. Every user's access names the first two sets.
type PermissionSet = (&'static str, &'static str, &'static str, &'static str, &'static [&'static [&'static str]]);

const PERMISSION_SETS: &[PermissionSet] = &[
    ("Global regular user", "Works with contacts, activities and reports.", "global", "regular", &[COMMON_PERMISSIONS]),
    ("Deals regular user", "Works with deals and leads.", "sales", "regular", &[SALES_PERMISSIONS]),
    ("Deals admin", "Sees and changes all of sales and sets it up.", "sales", "admin", &[SALES_PERMISSIONS, SALES_ADMIN_PERMISSIONS]),
    ("Global admin", "Sees and changes what all apps share and sets it up.", "global", "admin", &[COMMON_PERMISSIONS, ADMIN_PERMISSIONS]),
    ("Account settings", "Looks after users, billing and security.", "account_settings", "admin", &[&["can_see_security_dashboard"]]),
];

/// Further sets of the first user, who is the company's admin.
const FURTHER_SETS_OF_ADMIN: &[u64] = &[3, 4, 5];

/// Adds the users of a company.
pub(super) fn add(state: &mut State, company: &Identity) {
    let demo = company.demo();
    for (n, (name, mailbox)) in (0_u64..).zip(demo.users) {
        state.insert(
            "users",
            build_record(json!({
                "name": name, "email": format!("{mailbox}@{}", company.mail), "default_currency": CURRENCY, "locale": "en_US",
                "lang": 1, "activated": true, "last_login": make_time(DAYS, n * 977), "created": make_time(n, 0), "modified": make_time(DAYS, n * 977),
                "has_created_company": n == 0,
                "access": [
                    { "app": "global", "admin": n == 0, "permission_set_id": "00000000-0000-4000-8000-000000000001" },
                    { "app": "sales", "admin": n == 0, "permission_set_id": "00000000-0000-4000-8000-000000000002" },
                ],
                "timezone_name": "Europe/Tallinn", "timezone_offset": "+02:00", "role_id": 1, "is_deleted": false,
                "company_id": company.id, "company_name": company.name, "company_domain": company.domain, "company_country": demo.country,
                "company_industry": demo.industry, "language": { "language_code": "en", "country_code": "US" },
            })),
        );
    }
}

/// Gives the users of a company that shares another one's records to it.
pub(super) fn take_over(state: &mut State, company: &Identity) {
    let mailboxes = company.demo().users.iter().map(|(_, mailbox)| mailbox);
    let users: Vec<Record> = state.rows("users").cloned().collect();
    for (mut user, mailbox) in users.into_iter().zip(mailboxes) {
        user.insert("email".to_owned(), format!("{mailbox}@{}", company.mail).into());
        user.insert("company_id".to_owned(), company.id.into());
        user.insert("company_name".to_owned(), (*company.name).into());
        user.insert("company_domain".to_owned(), (*company.domain).into());
        state.put("users", user);
    }
}

/// Adds the connections and the settings of the users.
pub(super) fn add_settings(state: &mut State) {
    let users: Vec<u64> = state.rows("users").filter_map(read_id).collect();
    for user in users {
        // The last user has no connection.
        if user < 4 {
            state.insert("userConnections", build_record(json!({ "user_id": user, "google": format!("demo-google-{user:04}") })));
        }
        let settings = json!({
            "user_id": user, "marketplace_team": false, "list_limit": if user == 1 { 100 } else { 50 }, "beta_app": false,
            "prevent_salesphone_callto_override": false, "file_upload_destination": "s3", "callto_link_syntax": "callto:[number]",
            "autofill_deal_expected_close_date": user == 1, "person_duplicate_condition": "name && (org_id || email || phone)",
        });
        state.insert("userSettings", build_record(settings));
    }
}

/// Adds roles, permission sets and their assignments.
pub(super) fn add_rights(state: &mut State) {
    for (order, (name, parent)) in (0..).zip(ROLES) {
        let mut settings = Record::new();
        for kind in ["deal", "lead", "org", "person", "product"] {
            settings.insert(format!("{kind}_default_visibility"), 3.into());
        }
        // The default role has access levels too.
        for kind in ["deal", "org", "person", "product"].iter().filter(|_| parent.is_none()) {
            settings.insert(format!("{kind}_access_level"), 1.into());
        }
        let row = json!({
            "name": name, "parent_role_id": parent, "settings": settings, "is_deleted": false, "add_time": make_time(0, order),
            "update_time": make_time(0, order),
        });
        state.insert("roles", build_record(row));
    }
    for (n, (name, description, app, kind, contents)) in (1_u64..).zip(PERMISSION_SETS) {
        let row = json!({
            "uuid": format!("00000000-0000-4000-8000-{n:012}"), "name": name, "description": description, "app": app, "type": kind,
            "contents": contents.concat(),
        });
        state.insert("permissionSets", build_record(row));
    }
    for set in FURTHER_SETS_OF_ADMIN {
        state.insert("permissionSetAssignments", build_record(json!({ "user_id": FIRST_USER, "permission_set_id": set })));
    }
}
