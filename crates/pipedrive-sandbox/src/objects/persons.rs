//! Persons.

use serde_json::{Value, json};

use crate::engine::collection::{
    CRM, Call, Collection, Draft, FieldTables, NO_COLLECTION, NO_OBJECT, Object, Preset, Search, SearchPlace, V1,
};
use crate::engine::search::list_field_texts;
use crate::engine::state::State;
use crate::objects::roles::find_visibility;
use crate::objects::users::CALLER;
use crate::objects::{derived, participants};
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "persons",
        label: "Person",
        route: "/api/v2/persons",
        verbs: CRM,
        links: &[("owner_id", "users"), ("org_id", "organizations")],
        foreign_key: "person_id",
        related_key: Some("person"),
        field_type: Some("people"),
        required: &["name"],
        defaults: &[
            ("owner_id", CALLER),
            ("emails", Preset::EmptyList),
            ("phones", Preset::EmptyList),
            ("visible_to", Preset::Computed(|state, call| find_visibility(state, call.user, "person_default_visibility"))),
            ("label_ids", Preset::EmptyList),
            ("custom_fields", Preset::EmptyObject),
        ],
        fields: FieldTables::new("personFields"),
        search: Some(&Search {
            kind: "person",
            fields: &[
                ("name", SearchPlace::Field("name")),
                ("email", SearchPlace::Field("emails")),
                ("phone", SearchPlace::Field("phones")),
                ("notes", SearchPlace::About("notes", "content")),
                ("custom_fields", SearchPlace::CustomFields),
            ],
            nested: &[("owner", "owner_id", "users"), ("organization", "org_id", "organizations")],
            computed: &[
                ("emails", |_, person| Some(list_contacts(person, "emails"))),
                ("phones", |_, person| Some(list_contacts(person, "phones"))),
            ],
            includable: &[("person.picture", "picture", |_, _, _| None)],
        }),
        filter: Some(("people", "person")),
        indirect_parameters: &[("deal_id", participants::list_persons)],
        readable_when_deleted: true,
        v1: &[
            ("email", V1::From("emails")),
            ("phone", V1::From("phones")),
            ("active_flag", V1::Not("is_deleted")),
            ("cc_email", V1::From("smart_bcc_email")),
            ("picture_id", V1::Linked("picture_id", "pictures")),
            ("company_id", V1::Computed(|state, _| state.company().into())),
            ("label", V1::From("label_ids")),
        ],
        check,
        derive,
        after_merge: replace_participant,
        keeps_changes: true,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("name")?;
    let name = read_text(draft.row, "name").trim().to_owned();
    let (first, last) = name.split_once(' ').map_or((name.as_str(), ""), |(first, last)| (first, last.trim()));
    draft.set("first_name", first);
    if last.is_empty() {
        draft.clear("last_name");
    } else {
        draft.set("last_name", last);
    }
    for list in ["emails", "phones", "im"] {
        check_contacts(draft, list)?;
    }
    Ok(())
}

/// Lists the e-mail addresses or the phone numbers of a person, as a search has them.
pub(super) fn list_contacts(person: &Record, list: &str) -> Value {
    list_field_texts(person, list).collect()
}

/// Checks a list of contact details: at most one is primary. If none is, the first becomes it.
fn check_contacts(draft: &mut Draft, list: &str) -> Result<(), Failure> {
    let Some(entries) = draft.row.get_mut(list).and_then(Value::as_array_mut) else {
        return Ok(());
    };
    let is_primary = |entry: &Value| entry.get("primary") == Some(&Value::Bool(true));
    let primaries = entries.iter().filter(|entry| is_primary(entry)).count();
    if primaries > 1 {
        return Err(Failure::invalid(list, "at most one may be primary"));
    }
    for (index, entry) in entries.iter_mut().enumerate() {
        if entry.get("value").and_then(Value::as_str).is_none_or(|v| v.trim().is_empty()) {
            return Err(Failure::invalid(list, "each must have a value"));
        }
        let primary = is_primary(entry) || (primaries == 0 && index == 0);
        let label = entry.get("label").and_then(Value::as_str).filter(|l| !l.is_empty()).unwrap_or("work");
        *entry = json!({ "value": entry["value"], "primary": primary, "label": label });
    }
    Ok(())
}

fn derive(state: &State, at: &Collection, person: &Record, name: &str) -> Option<Value> {
    match name {
        "marketing_status" => Some("no_consent".into()),
        _ => derived::derive(state, at, person, name).or_else(|| count_deals(state, person, name)),
    }
}

/// Counts a person's own deals, those of its organization, or those in which it takes part.
fn count_deals(state: &State, person: &Record, name: &str) -> Option<Value> {
    let (kind, statuses) = derived::read_deal_count(name)?;
    let id = read_id(person)?;
    let taking_part = if kind == "participant" { participants::list_deals(state, id) } else { Vec::new() };
    let counts = |deal: &&Record| {
        let is_own = deal.get("person_id").and_then(Value::as_u64) == Some(id);
        match kind {
            "" => is_own,
            "related" => !is_own && person.contains_key("org_id") && deal.get("org_id") == person.get("org_id"),
            _ => !is_own && read_id(deal).is_some_and(|deal| taking_part.contains(&deal)),
        }
    };
    Some(derived::list_deals(state, statuses).filter(counts).count().into())
}

/// Replaces a merged person in the participants of activities.
fn replace_participant(state: &mut State, _: &Call, from: u64, into: u64) {
    let is_merged = |participant: &Value| participant.get("person_id").and_then(Value::as_u64) == Some(from);
    let takes_part = |row: &Record| row.get("participants").and_then(Value::as_array).is_some_and(|p| p.iter().any(is_merged));
    state.change("activities", takes_part, |row| {
        for participant in row.get_mut("participants").and_then(Value::as_array_mut).into_iter().flatten() {
            if is_merged(participant) {
                participant["person_id"] = into.into();
            }
        }
    });
}
