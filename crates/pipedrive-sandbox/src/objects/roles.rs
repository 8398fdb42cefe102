//! Permission sets, which give rights to users, and roles, which set the visibility of their records.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, V1, Verb};
use crate::engine::envelope::{wrap, wrap_page};
use crate::engine::paging::cut_page;
use crate::engine::read::read_one;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::engine::write;
use crate::objects::users::require_given;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, is_deleted, read_id, read_text, to_text};

pub(super) const OBJECT: Object = Object {
    collections: &[
        Collection {
            name: "permissionSets",
            label: "Permission set",
            route: "/api/v1/permissionSets",
            verbs: &[Verb::List],
            v1: &[("id", V1::From("uuid")), ("assignment_count", V1::Computed(|state, set| list_assigned(state, set).count().into()))],
            ..NO_COLLECTION
        },
        Collection {
            name: "roles",
            label: "Role",
            route: "/api/v1/roles",
            links: &[("parent_role_id", "roles")],
            v1: &[
                ("active_flag", V1::Not("is_deleted")),
                ("assignment_count", V1::Computed(|state, role| list_members(state, role).count().to_string().into())),
                ("sub_role_count", V1::Computed(|state, role| list_below(state, role).count().to_string().into())),
                ("level", V1::Computed(|state, role| find_level(state, role).into())),
            ],
            check,
            after_write: release_members,
            ..NO_COLLECTION
        },
    ],
    reports: &[
        ("/api/v1/permissionSets/{id}", read_set),
        ("/api/v1/permissionSets/{id}/assignments", list_set_assignments),
        ("/api/v1/roles/{id}", read_role),
        ("/api/v1/roles/{id}/assignments", list_role_assignments),
        ("/api/v1/roles/{id}/settings", list_settings),
        ("/api/v1/users/{id}/permissions", list_permissions_of_user),
        ("/api/v1/users/{id}/roleAssignments", list_roles_of_user),
        ("/api/v1/users/{id}/roleSettings", list_settings_of_user),
    ],
    writes: &[
        ("DELETE", "/api/v1/roles/{id}", delete_role),
        ("POST", "/api/v1/roles/{id}/assignments", assign),
        ("DELETE", "/api/v1/roles/{id}/assignments", dismiss),
        ("POST", "/api/v1/roles/{id}/settings", change_setting),
    ],
    ..NO_OBJECT
};

/// The role of users without another.
const DEFAULT: u64 = 1;

/// The visibility of records for which no role sets one.
const ENTIRE_COMPANY: u64 = 3;

fn points_to(row: &Record, field: &str, to: &Record) -> bool {
    row.contains_key(field) && row.get(field) == to.get("id")
}

/// Lists the users who have a permission set: by their access to its app, or by an assignment.
pub(super) fn list_assigned<'a>(state: &'a State, set: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live("users").filter(move |user| has_set(state, user, set))
}

fn has_set(state: &State, user: &Record, set: &Record) -> bool {
    let access = user.get("access").and_then(Value::as_array).into_iter().flatten();
    access.into_iter().any(|access| access.get("permission_set_id").and_then(Value::as_str) == Some(read_text(set, "uuid")))
        || state.live("permissionSetAssignments").any(|a| points_to(a, "user_id", user) && points_to(a, "permission_set_id", set))
}

fn find_set<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    let uuid = call.variables.get("id").map_or("", String::as_str);
    state.live("permissionSets").find(|set| read_text(set, "uuid") == uuid).ok_or_else(|| Failure::not_found("Permission set"))
}

/// Reads a permission set. The document has it without `data` around it.
fn read_set(state: &State, call: &Call) -> Result<Value, Failure> {
    let set = find_set(state, call)?;
    Ok(call.shape(&[]).map_or(Value::Null, |shape| shape_record(state, call, call.tables.collection("permissionSets"), set, shape)))
}

fn list_set_assignments(state: &State, call: &Call) -> Result<Value, Failure> {
    let set = find_set(state, call)?;
    let rows = list_assigned(state, set)
        .map(|user| json!({ "user_id": user.get("id"), "permission_set_id": set.get("uuid"), "name": set.get("name") }))
        .collect::<Vec<_>>();
    Ok(wrap_rows(call, &rows))
}

fn wrap_rows(call: &Call, rows: &[Value]) -> Value {
    let (rows, pagination) = cut_page(call, rows);
    wrap_page(rows.to_vec().into(), json!({ "pagination": pagination }))
}

fn find_user<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("users", call.id()).ok_or_else(Failure::no_user)
}

/// Lists each documented permission, and true for those in one of the user's sets.
fn list_permissions_of_user(state: &State, call: &Call) -> Result<Value, Failure> {
    let user = find_user(state, call)?;
    let sets: Vec<&Record> = state.live("permissionSets").filter(|set| has_set(state, user, set)).collect();
    let may = |permission: &str| {
        let mut contents = sets.iter().filter_map(|set| set.get("contents")?.as_array()).flatten();
        contents.any(|content| content.as_str() == Some(permission))
    };
    let documented = call.shape(&["data"]).map_or(&[][..], |shape| &shape.properties);
    let permissions: Record = documented.iter().map(|(name, _)| (name.clone(), may(name).into())).collect();
    Ok(wrap(permissions.into()))
}

fn find_role<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("roles", call.id()).ok_or_else(|| Failure::not_found("Role"))
}

fn list_members<'a>(state: &'a State, role: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live("users").filter(move |user| points_to(user, "role_id", role))
}

fn list_below<'a>(state: &'a State, role: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live("roles").filter(move |other| points_to(other, "parent_role_id", role))
}

/// Lists the roles above one, the nearest first.
/// The count is limited, as roles in an edited state file may form a circle.
fn list_above<'a>(state: &'a State, role: &'a Record) -> impl Iterator<Item = &'a Record> {
    let parent = |role: &Record| state.find_linked(role, "parent_role_id", "roles");
    std::iter::successors(parent(role), move |role| parent(role)).take(state.rows("roles").count())
}

/// Finds the level of a role. One without a parent is at level 1.
fn find_level(state: &State, role: &Record) -> usize {
    list_above(state, role).count() + 1
}

/// Checks that a role has a name and is not below itself. A new role gets the settings of the default one.
fn check(draft: &mut Draft) -> Result<(), Failure> {
    if read_text(draft.row, "name").trim().is_empty() {
        return Err(Failure::invalid("name", "must not be empty"));
    }
    let is_itself = |other: &Record| draft.before.is_some_and(|before| read_id(before) == read_id(other));
    if list_above(draft.state, draft.row).any(is_itself) {
        return Err(Failure::invalid("parent_role_id", "is the role itself or one below it"));
    }
    if draft.before.is_none() {
        let settings = draft.state.get("roles", DEFAULT).and_then(|role| role.get("settings")?.as_object());
        let inherited = settings.into_iter().flatten().filter(|(name, _)| name.ends_with("_default_visibility"));
        let inherited: Record = inherited.map(|(name, value)| (name.clone(), value.clone())).collect();
        draft.row.insert("settings".to_owned(), inherited.into());
    }
    Ok(())
}

/// Gives the members of a deleted role the default one, and moves the roles below it up.
fn release_members(state: &mut State, _: &Call, _: Option<&Record>, role: &Record) {
    if is_deleted(role) {
        state.change(
            "users",
            |user| points_to(user, "role_id", role),
            |user| {
                user.insert("role_id".to_owned(), DEFAULT.into());
            },
        );
        state.change(
            "roles",
            |other| points_to(other, "parent_role_id", role),
            |other| {
                match role.get("parent_role_id") {
                    Some(parent) => other.insert("parent_role_id".to_owned(), parent.clone()),
                    None => other.shift_remove("parent_role_id"),
                };
            },
        );
    }
}

fn delete_role(state: &mut State, call: &Call) -> Result<Value, Failure> {
    if call.id() == DEFAULT {
        return Err(Failure::invalid("id", "belongs to the default role, which cannot be deleted"));
    }
    write::delete(state, call, call.tables.collection("roles"))
}

fn read_role(state: &State, call: &Call) -> Result<Value, Failure> {
    let mut body = read_one(state, call, call.tables.collection("roles"))?;
    body["additional_data"] = json!({ "settings": find_role(state, call)?.get("settings") });
    Ok(body)
}

fn list_settings(state: &State, call: &Call) -> Result<Value, Failure> {
    Ok(wrap(find_role(state, call)?.get("settings").cloned().unwrap_or_else(|| json!({}))))
}

fn change_setting(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut role = find_role(state, call)?.clone();
    let key = call.body.get("setting_key").map(to_text).unwrap_or_default();
    let value = call.body.get("value").cloned().unwrap_or_default();
    let mut settings = role.get("settings").and_then(Value::as_object).cloned().unwrap_or_default();
    settings.insert(key.clone(), value.clone());
    role.insert("settings".to_owned(), settings.into());
    role.insert("update_time".to_owned(), stamp(call.now).into());
    state.put("roles", role);
    let mut data = json!({ "id": call.id() });
    data[key] = value;
    Ok(wrap(data))
}

fn build_assignment(user: &Record, role: &Record) -> Value {
    json!({
        "parent_role_id": role.get("parent_role_id"), "name": role.get("name"), "user_id": user.get("id"), "role_id": role.get("id"),
        "active_flag": !is_deleted(role), "type": "1",
    })
}

fn list_role_assignments(state: &State, call: &Call) -> Result<Value, Failure> {
    let role = find_role(state, call)?;
    Ok(wrap_rows(call, &list_members(state, role).map(|user| build_assignment(user, role)).collect::<Vec<_>>()))
}

fn find_role_of<'a>(state: &'a State, user: &Record) -> Option<&'a Record> {
    state.find_linked(user, "role_id", "roles")
}

fn list_roles_of_user(state: &State, call: &Call) -> Result<Value, Failure> {
    let user = find_user(state, call)?;
    Ok(wrap_rows(call, &find_role_of(state, user).map(|role| build_assignment(user, role)).into_iter().collect::<Vec<_>>()))
}

fn list_settings_of_user(state: &State, call: &Call) -> Result<Value, Failure> {
    let settings = find_role_of(state, find_user(state, call)?).and_then(|role| role.get("settings"));
    Ok(wrap(settings.cloned().unwrap_or_else(|| json!({}))))
}

/// Finds a visibility in the settings of a user's role, such as that of the deals that the user adds.
pub(super) fn find_visibility(state: &State, user: u64, setting: &str) -> Value {
    let settings = state.get("users", user).and_then(|user| find_role_of(state, user)?.get("settings"));
    settings.and_then(|settings| settings.get(setting)).cloned().unwrap_or_else(|| ENTIRE_COMPANY.into())
}

fn set_role(state: &mut State, mut user: Record, role: u64) {
    user.insert("role_id".to_owned(), role.into());
    state.put("users", user);
}

fn assign(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let role = read_id(find_role(state, call)?).unwrap_or(DEFAULT);
    let user = require_given(state, call)?;
    let data = json!({ "user_id": user.get("id"), "role_id": role });
    set_role(state, user, role);
    Ok(wrap(data))
}

fn dismiss(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let role = find_role(state, call)?;
    let user = require_given(state, call)?;
    if !points_to(&user, "role_id", role) {
        return Err(Failure::invalid("user_id", "does not have the role"));
    }
    set_role(state, user, DEFAULT);
    Ok(wrap(json!({ "id": call.id() })))
}
