//! The fields of each kind of object, with the custom ones.

use serde_json::Value;

use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, V1, Verb};
use crate::engine::fields;
use crate::engine::fields::check_custom;
use crate::engine::fields::make_key;
use crate::engine::read::answer_list;
use crate::engine::state::State;
use crate::objects::leads;
use crate::value::failure::Failure;
use crate::value::record::{read_part, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[
        Collection { name: "dealFields", route: "/api/v2/dealFields", ..FIELD },
        Collection { name: "personFields", route: "/api/v2/personFields", ..FIELD },
        Collection { name: "organizationFields", route: "/api/v2/organizationFields", ..FIELD },
        Collection { name: "productFields", route: "/api/v2/productFields", ..FIELD },
        Collection { name: "dealFields", route: "/api/v1/dealFields", ..FIELD_V1 },
        Collection { name: "personFields", route: "/api/v1/personFields", ..FIELD_V1 },
        Collection { name: "organizationFields", route: "/api/v1/organizationFields", ..FIELD_V1 },
        Collection { name: "productFields", route: "/api/v1/productFields", ..FIELD_V1 },
        Collection { name: "activityFields", route: "/api/v2/activityFields", verbs: &[Verb::List, Verb::Get], ..FIELD },
        Collection { name: "activityFields", route: "/api/v1/activityFields", verbs: &[Verb::List], ..FIELD_V1 },
        Collection { name: "noteFields", route: "/api/v1/noteFields", verbs: &[Verb::List], ..FIELD_V1 },
        Collection { name: leads::FIELDS.own, verbs: &[], ..FIELD_V1 },
    ],
    reports: &[("/api/v1/leadFields", list_lead_fields)],
    ..NO_OBJECT
};

const FIELD: Collection = Collection {
    label: "Field",
    verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::AddOptions, Verb::ChangeOptions, Verb::DropOptions],
    variable: "field_code",
    key: Some("field_code"),
    check,
    ..NO_COLLECTION
};

/// The same fields in v1. Only v1 shows the id by which a filter names a field.
const FIELD_V1: Collection = Collection {
    verbs: &[Verb::List, Verb::Get, Verb::Delete, Verb::DeleteMany],
    variable: "id",
    key: None,
    v1: &[
        ("key", V1::From("field_code")),
        ("name", V1::From("field_name")),
        ("order_nr", V1::From("id")),
        // Of product fields, the document has the types of custom ones alone.
        ("field_type", V1::Mapped(&[("int", "double"), ("visible_to", "double"), ("billing_frequency", "enum")])),
        ("edit_flag", V1::From("is_custom_field")),
        ("active_flag", V1::Not("is_deleted")),
        ("add_visible_flag", V1::Computed(|_, field| read_part(field, "ui_visibility", "add_visible_flag"))),
        ("details_visible_flag", V1::Computed(|_, field| read_part(field, "ui_visibility", "details_visible_flag"))),
        ("important_flag", V1::Computed(|_, field| read_part(field, "important_fields", "enabled"))),
        ("mandatory_flag", V1::Computed(|_, field| read_part(field, "required_fields", "enabled"))),
        ("searchable_flag", V1::Computed(|_, field| fields::is_searchable(field).into())),
    ],
    ..FIELD
};

/// Gives a new field its key, and its options their ids. Standard fields cannot be changed.
fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("field_name")?;
    if draft.before.is_some() {
        return check_custom(draft.row);
    }
    let kind = read_text(draft.row, "field_type").to_owned();
    let labels = draft.row.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
    if matches!(kind.as_str(), "enum" | "set") == labels.is_empty() {
        return Err(Failure::invalid("options", "are required for the types enum and set, and not allowed for other types"));
    }
    let table = draft.table;
    let key = make_key(draft.state, &format!("{table}.{}", draft.state.rows(table).count()));
    let options = if labels.is_empty() { Value::Null } else { fields::number_options(&labels) };
    let definition = fields::define(read_text(draft.row, "field_name"), &kind, &key, &options, true);
    for (name, value) in definition {
        if name == "options" || !draft.row.contains_key(&name) {
            draft.row.insert(name, value);
        }
    }
    Ok(())
}

fn list_lead_fields(state: &State, call: &Call) -> Result<Value, Failure> {
    answer_list(state, call, call.tables.collection(leads::FIELDS.own), fields::list_all(state, &leads::FIELDS).collect())
}
