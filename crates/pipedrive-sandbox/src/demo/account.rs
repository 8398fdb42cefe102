//! What the demo company has beside its records: fields of activities and notes, currencies, roles, permission sets.

use serde_json::{Value, json};

use super::{Standard, at, record};

use crate::engine::changes::PAST_STAGES;
use crate::engine::fields;
use crate::engine::state::{FIRST_USER, State};
use crate::value::clock::{parse_time, stamp};
use crate::value::record::{Record, id_of, text};

const ACTIVITY_FIELDS: &[Standard] = &[
    ("ID", "int", "id"),
    ("Subject", "varchar", "subject"),
    ("Type", "enum", "type"),
    ("Owner", "user", "owner_id"),
    ("Creator", "user", "creator_user_id"),
    ("Due date", "date", "due_date"),
    ("Due time", "time", "due_time"),
    ("Duration", "time", "duration"),
    ("Done", "boolean", "done"),
    ("Marked as done", "date", "marked_as_done_time"),
    ("Busy", "boolean", "busy"),
    ("Deal", "deal", "deal_id"),
    ("Lead", "lead", "lead_id"),
    ("Person", "people", "person_id"),
    ("Organization", "org", "org_id"),
    ("Project", "project", "project_id"),
    ("Location", "address", "location"),
    ("Public description", "text", "public_description"),
    ("Note", "text", "note"),
    ("Created", "date", "add_time"),
    ("Updated", "date", "update_time"),
];

const NOTE_FIELDS: &[Standard] = &[
    ("Content", "text", "content"),
    ("User", "user", "user_id"),
    ("Deal", "deal", "deal_id"),
    ("Lead", "lead", "lead_id"),
    ("Person", "people", "person_id"),
    ("Organization", "org", "org_id"),
    ("Pinned to deal", "enum", "pinned_to_deal_flag"),
    ("Pinned to lead", "enum", "pinned_to_lead_flag"),
    ("Pinned to person", "enum", "pinned_to_person_flag"),
    ("Pinned to organization", "enum", "pinned_to_organization_flag"),
    ("Created", "date", "add_time"),
    ("Updated", "date", "update_time"),
];

const ACTIVITY_TYPES: &[&str] = &["call", "meeting", "task", "deadline", "email", "lunch"];

/// Code, name, digits after the point, symbol.
const CURRENCIES: &[(&str, &str, u8, &str)] = &[
    ("EUR", "Euro", 2, "€"),
    ("USD", "US Dollar", 2, "US$"),
    ("GBP", "Pound Sterling", 2, "£"),
    ("CHF", "Swiss Franc", 2, "CHF"),
    ("CZK", "Czech Koruna", 2, "Kč"),
    ("JPY", "Japanese Yen", 0, "¥"),
    ("SEK", "Swedish Krona", 2, "kr"),
];

const ADDONS: &[&str] = &["leadbooster_v2", "smart_docs_v2"];

const ROLES: &[(&str, Option<u64>)] = &[("(Unassigned users)", None), ("Sales", Some(1)), ("Account managers", Some(2))];

const OF_SALES: &[&str] = &[
    "can_add_products",
    "can_bulk_edit_items",
    "can_change_visibility_of_items",
    "can_convert_deals_to_leads",
    "can_add_prospects_as_leads",
    "can_edit_products",
    "can_see_deals_list_summary",
];
const OF_SALES_ADMINS: &[&str] = &["can_delete_deals", "can_edit_deals_closed_date", "can_merge_deals", "can_see_company_wide_statistics"];
const OF_ALL: &[&str] = &[
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
const OF_ADMINS: &[&str] = &[
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

/// Name, what it is for, app, type, contents. Every user's access names the first two.
type Set = (&'static str, &'static str, &'static str, &'static str, &'static [&'static [&'static str]]);

const PERMISSION_SETS: &[Set] = &[
    ("Global regular user", "Works with contacts, activities and reports.", "global", "regular", &[OF_ALL]),
    ("Deals regular user", "Works with deals and leads.", "sales", "regular", &[OF_SALES]),
    ("Deals admin", "Sees and changes all of sales and sets it up.", "sales", "admin", &[OF_SALES, OF_SALES_ADMINS]),
    ("Global admin", "Sees and changes what all apps share and sets it up.", "global", "admin", &[OF_ALL, OF_ADMINS]),
    ("Account settings", "Looks after users, billing and security.", "account_settings", "admin", &[&["can_see_security_dashboard"]]),
];

/// What the first user, who is the company's admin, has beside the sets that the access names.
const SETS_OF_THE_ADMIN: &[u64] = &[3, 4, 5];

pub(super) fn add(state: &mut State) {
    field_definitions(state);
    activity_types(state);
    for (code, name, digits, symbol) in CURRENCIES {
        let row = json!({
            "code": code, "name": name, "decimal_points": digits, "symbol": symbol, "active_flag": true, "is_custom_flag": false,
        });
        state.insert("currencies", record(row));
    }
    for code in ADDONS {
        state.insert("addons", record(json!({ "code": code })));
    }
    // Projects are not served yet; what links to one needs one to link to.
    state.insert("projects", record(json!({ "title": "Fleet rollout", "is_deleted": false })));
    of_users(state);
    rights(state);
    past_stages(state);
}

fn field_definitions(state: &mut State) {
    let words = |words: &[&str]| words.iter().map(|word| json!({ "id": word, "label": word })).collect();
    for (name, kind, code) in ACTIVITY_FIELDS {
        let options: Value = if *code == "type" { words(ACTIVITY_TYPES) } else { Value::Null };
        // An address lists its parts, as that of a custom field does.
        let mut field = fields::define(name, kind, code, &options, *kind == "address");
        field.insert("is_custom_field".to_owned(), false.into());
        require(&mut field, matches!(*code, "subject" | "type"));
        state.insert("activityFields", field);
    }
    for (name, kind, code) in NOTE_FIELDS {
        let is_choice = *kind == "enum";
        let options = if is_choice { json!([{ "id": 1, "label": "Yes" }, { "id": 0, "label": "No" }]) } else { Value::Null };
        let mut field = fields::define(name, kind, code, &options, false);
        require(&mut field, *code == "content");
        state.insert("noteFields", field);
    }
}

fn activity_types(state: &mut State) {
    for (order, key) in (1..).zip(ACTIVITY_TYPES) {
        let name = format!("{}{}", key[..1].to_uppercase(), &key[1..]);
        let row = json!({
            "name": name, "key_string": key, "icon_key": key, "color": "FFFFFF", "order_nr": order, "is_custom_flag": false,
            "add_time": at(0, order), "update_time": at(0, order), "is_deleted": false,
        });
        state.insert("activityTypes", record(row));
    }
}

fn require(field: &mut Record, is_required: bool) {
    field.insert("required_fields".to_owned(), json!({ "enabled": is_required, "stage_ids": [], "statuses": {} }));
}

fn of_users(state: &mut State) {
    let users: Vec<u64> = state.rows("users").filter_map(id_of).collect();
    for user in users {
        // The last one has connected nothing.
        if user < 4 {
            state.insert("userConnections", record(json!({ "user_id": user, "google": format!("demo-google-{user:04}") })));
        }
        let settings = json!({
            "user_id": user, "marketplace_team": false, "list_limit": if user == 1 { 100 } else { 50 }, "beta_app": false,
            "prevent_salesphone_callto_override": false, "file_upload_destination": "s3", "callto_link_syntax": "callto:[number]",
            "autofill_deal_expected_close_date": user == 1, "person_duplicate_condition": "name && (org_id || email || phone)",
        });
        state.insert("userSettings", record(settings));
    }
}

fn rights(state: &mut State) {
    for (order, (name, parent)) in (0..).zip(ROLES) {
        let mut settings = Record::new();
        for kind in ["deal", "lead", "org", "person", "product"] {
            settings.insert(format!("{kind}_default_visibility"), 3.into());
        }
        // Who has no other role is held to these too.
        for kind in ["deal", "org", "person", "product"].iter().filter(|_| parent.is_none()) {
            settings.insert(format!("{kind}_access_level"), 1.into());
        }
        let row = json!({
            "name": name, "parent_role_id": parent, "settings": settings, "is_deleted": false, "add_time": at(0, order),
            "update_time": at(0, order),
        });
        state.insert("roles", record(row));
    }
    for (n, (name, description, app, kind, contents)) in (1_u64..).zip(PERMISSION_SETS) {
        let row = json!({
            "uuid": format!("00000000-0000-4000-8000-{n:012}"), "name": name, "description": description, "app": app, "type": kind,
            "contents": contents.concat(),
        });
        state.insert("permissionSets", record(row));
    }
    for set in SETS_OF_THE_ADMIN {
        state.insert("permissionSetAssignments", record(json!({ "user_id": FIRST_USER, "permission_set_id": set })));
    }
}

/// How each deal came to its stage: through those before it, or back from the second where it stands in the first.
fn past_stages(state: &mut State) {
    let mut stages: Vec<Record> = state.rows("stages").cloned().collect();
    stages.sort_by_key(|stage| stage.get("order_nr").and_then(Value::as_u64));
    let way = |deal: &Record| -> Option<Vec<Value>> {
        let (made, moved) = (parse_time(text(deal, "add_time"))?, parse_time(text(deal, "stage_change_time"))?);
        let pipeline = stages.iter().filter(|stage| stage.get("pipeline_id") == deal.get("pipeline_id"));
        let pipeline: Vec<&Value> = pipeline.filter_map(|stage| stage.get("id")).collect();
        let place = pipeline.iter().position(|id| Some(*id) == deal.get("stage_id"))?;
        let passed = if place == 0 { pipeline.get(1..2)? } else { &pipeline[..place] };
        let step = (moved - made) / i32::try_from(passed.len()).ok()?;
        let stays = (0_i32..).zip(passed).map(|(n, id)| json!({ "stage_id": id, "since": stamp(made.saturating_add(step * n)) }));
        (made < moved).then(|| stays.collect())
    };
    state.change(
        "deals",
        |deal| way(deal).is_some(),
        |deal| {
            if let Some(past) = way(deal) {
                deal.insert(PAST_STAGES.to_owned(), past.into());
            }
        },
    );
}
