//! Who may do what: permission sets, which say what a user may do, and roles, which say what others see of it.

use serde_json::{Value, json};

use crate::answer::{Call, Deed, Report, page, shaped, success};
use crate::collections::known;
use crate::engine::read::numbered;
use crate::engine::state::State;
use crate::engine::{read, write};
use crate::rules::Draft;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::record::{Record, id_of, is_deleted, plain, text};

pub(crate) const REPORTS: &[(&str, Report)] = &[
    ("/api/v1/permissionSets/{id}", permission_set),
    ("/api/v1/permissionSets/{id}/assignments", permission_set_assignments),
    ("/api/v1/roles/{id}", role),
    ("/api/v1/roles/{id}/assignments", role_assignments),
    ("/api/v1/roles/{id}/settings", role_settings),
    ("/api/v1/users/{id}/permissions", permissions_of_user),
    ("/api/v1/users/{id}/roleAssignments", roles_of_user),
    ("/api/v1/users/{id}/roleSettings", settings_of_user),
];

pub(crate) const DEEDS: &[(&str, &str, Deed)] = &[
    ("DELETE", "/api/v1/roles/{id}", delete),
    ("POST", "/api/v1/roles/{id}/assignments", assign),
    ("DELETE", "/api/v1/roles/{id}/assignments", dismiss),
    ("POST", "/api/v1/roles/{id}/settings", set),
];

/// The role of those who have no other.
const DEFAULT: u64 = 1;

/// The level at which a record is seen where no role says.
const ENTIRE_COMPANY: u64 = 3;

fn points(row: &Record, field: &str, to: &Record) -> bool {
    row.contains_key(field) && row.get(field) == to.get("id")
}

/// The users who have a permission set: by their access to its app, or beside that.
pub(crate) fn assigned<'a>(state: &'a State, set: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live("users").filter(move |user| has(state, user, set))
}

fn has(state: &State, user: &Record, set: &Record) -> bool {
    let access = user.get("access").and_then(Value::as_array).into_iter().flatten();
    access.into_iter().any(|access| access.get("permission_set_id").and_then(Value::as_str) == Some(text(set, "uuid")))
        || state.live("permissionSetAssignments").any(|a| points(a, "user_id", user) && points(a, "permission_set_id", set))
}

fn set_of<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    let uuid = call.variables.get("id").map_or("", String::as_str);
    state.live("permissionSets").find(|set| text(set, "uuid") == uuid).ok_or_else(|| Failure::not_found("Permission set"))
}

/// The document has it bare, without `data` around it.
fn permission_set(state: &State, call: &Call) -> Result<Value, Failure> {
    let set = set_of(state, call)?;
    Ok(call.shape(&[]).map_or(Value::Null, |shape| shaped(state, call, known("permissionSets"), set, shape)))
}

fn permission_set_assignments(state: &State, call: &Call) -> Result<Value, Failure> {
    let set = set_of(state, call)?;
    let rows = assigned(state, set)
        .map(|user| json!({ "user_id": user.get("id"), "permission_set_id": set.get("uuid"), "name": set.get("name") }))
        .collect::<Vec<_>>();
    Ok(paged(call, &rows))
}

fn paged(call: &Call, rows: &[Value]) -> Value {
    let (rows, pagination) = numbered(call, rows);
    page(rows.to_vec().into(), json!({ "pagination": pagination }))
}

fn user<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("users", call.id()).ok_or_else(Failure::no_user)
}

/// Each permission that the document names, and whether one of the user's sets has it.
fn permissions_of_user(state: &State, call: &Call) -> Result<Value, Failure> {
    let user = user(state, call)?;
    let sets: Vec<&Record> = state.live("permissionSets").filter(|set| has(state, user, set)).collect();
    let may = |permission: &str| {
        let mut contents = sets.iter().filter_map(|set| set.get("contents")?.as_array()).flatten();
        contents.any(|one| one.as_str() == Some(permission))
    };
    let documented = call.shape(&["data"]).map_or(&[][..], |shape| &shape.properties);
    let permissions: Record = documented.iter().map(|(name, _)| (name.clone(), may(name).into())).collect();
    Ok(success(permissions.into()))
}

fn by_id<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("roles", call.id()).ok_or_else(|| Failure::not_found("Role"))
}

pub(crate) fn members<'a>(state: &'a State, role: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live("users").filter(move |user| points(user, "role_id", role))
}

pub(crate) fn below<'a>(state: &'a State, role: &'a Record) -> impl Iterator<Item = &'a Record> {
    state.live("roles").filter(move |other| points(other, "parent_role_id", role))
}

/// The roles above one, the nearest first: no more than there are, as a file that was edited may have them in a ring.
fn above<'a>(state: &'a State, role: &'a Record) -> impl Iterator<Item = &'a Record> {
    let parent = |role: &Record| state.linked(role, "parent_role_id", "roles");
    std::iter::successors(parent(role), move |role| parent(role)).take(state.rows("roles").count())
}

/// How far down a role is; one without another above it is at the first level.
pub(crate) fn level(state: &State, role: &Record) -> usize {
    above(state, role).count() + 1
}

/// A role needs a name, stands below no role that is below it, and begins with the settings of the default one.
pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    if text(draft.row, "name").trim().is_empty() {
        return Err(Failure::invalid("name", "must not be empty"));
    }
    let is_itself = |other: &Record| draft.before.is_some_and(|before| id_of(before) == id_of(other));
    if above(draft.state, draft.row).any(is_itself) {
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

/// Those who had a deleted role have the default one, and what was below it moves up.
pub(crate) fn after(state: &mut State, _: &Call, _: Option<&Record>, role: &Record) {
    if is_deleted(role) {
        state.change(
            "users",
            |user| points(user, "role_id", role),
            |user| {
                user.insert("role_id".to_owned(), DEFAULT.into());
            },
        );
        state.change(
            "roles",
            |other| points(other, "parent_role_id", role),
            |other| {
                match role.get("parent_role_id") {
                    Some(parent) => other.insert("parent_role_id".to_owned(), parent.clone()),
                    None => other.shift_remove("parent_role_id"),
                };
            },
        );
    }
}

fn delete(state: &mut State, call: &Call) -> Result<Value, Failure> {
    if call.id() == DEFAULT {
        return Err(Failure::invalid("id", "is that of the default role"));
    }
    write::delete(state, call, known("roles"))
}

fn role(state: &State, call: &Call) -> Result<Value, Failure> {
    let mut body = read::one(state, call, known("roles"))?;
    body["additional_data"] = json!({ "settings": by_id(state, call)?.get("settings") });
    Ok(body)
}

fn role_settings(state: &State, call: &Call) -> Result<Value, Failure> {
    Ok(success(by_id(state, call)?.get("settings").cloned().unwrap_or_else(|| json!({}))))
}

fn set(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut role = by_id(state, call)?.clone();
    let key = call.body.get("setting_key").map(plain).unwrap_or_default();
    let value = call.body.get("value").cloned().unwrap_or_default();
    let mut settings = role.get("settings").and_then(Value::as_object).cloned().unwrap_or_default();
    settings.insert(key.clone(), value.clone());
    role.insert("settings".to_owned(), settings.into());
    role.insert("update_time".to_owned(), stamp(call.now).into());
    state.put("roles", role);
    let mut data = json!({ "id": call.id() });
    data[key] = value;
    Ok(success(data))
}

fn assignment(user: &Record, role: &Record) -> Value {
    json!({
        "parent_role_id": role.get("parent_role_id"), "name": role.get("name"), "user_id": user.get("id"), "role_id": role.get("id"),
        "active_flag": !is_deleted(role), "type": "1",
    })
}

fn role_assignments(state: &State, call: &Call) -> Result<Value, Failure> {
    let role = by_id(state, call)?;
    Ok(paged(call, &members(state, role).map(|user| assignment(user, role)).collect::<Vec<_>>()))
}

fn role_of<'a>(state: &'a State, user: &Record) -> Option<&'a Record> {
    state.linked(user, "role_id", "roles")
}

fn roles_of_user(state: &State, call: &Call) -> Result<Value, Failure> {
    let user = user(state, call)?;
    Ok(paged(call, &role_of(state, user).map(|role| assignment(user, role)).into_iter().collect::<Vec<_>>()))
}

fn settings_of_user(state: &State, call: &Call) -> Result<Value, Failure> {
    let settings = role_of(state, user(state, call)?).and_then(|role| role.get("settings"));
    Ok(success(settings.cloned().unwrap_or_else(|| json!({}))))
}

/// What the role of a user says, such as who sees the deals that the user adds.
pub(crate) fn setting_of_user(state: &State, user: u64, setting: &str) -> Value {
    let settings = state.get("users", user).and_then(|user| role_of(state, user)?.get("settings"));
    settings.and_then(|settings| settings.get(setting)).cloned().unwrap_or_else(|| ENTIRE_COMPANY.into())
}

/// The user that a body names.
pub(crate) fn given_user(state: &State, call: &Call) -> Result<Record, Failure> {
    let id = call.body.get("user_id").and_then(Value::as_u64).unwrap_or(0);
    state.get_live("users", id).cloned().ok_or_else(|| Failure::invalid("user_id", "does not exist"))
}

fn give(state: &mut State, mut user: Record, role: u64) {
    user.insert("role_id".to_owned(), role.into());
    state.put("users", user);
}

fn assign(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let role = id_of(by_id(state, call)?).unwrap_or(DEFAULT);
    let user = given_user(state, call)?;
    let data = json!({ "user_id": user.get("id"), "role_id": role });
    give(state, user, role);
    Ok(success(data))
}

fn dismiss(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let role = by_id(state, call)?;
    let user = given_user(state, call)?;
    if !points(&user, "role_id", role) {
        return Err(Failure::invalid("user_id", "does not have the role"));
    }
    give(state, user, DEFAULT);
    Ok(success(json!({ "id": call.id() })))
}
