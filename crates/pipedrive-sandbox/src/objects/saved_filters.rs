//! Saved filters, and the words in which their conditions are written.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1, Verb};
use crate::engine::envelope::wrap;
use crate::engine::filters;
use crate::engine::state::State;
use crate::objects::users::CALLER;
use crate::value::failure::Failure;
use crate::value::record::Record;

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: TABLE,
        label: "Filter",
        route: "/api/v1/filters",
        verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::DeleteMany],
        defaults: &[
            ("user_id", CALLER),
            ("is_editable", Preset::Flag(true)),
            ("temporary_flag", Preset::Flag(false)),
            ("visible_to", Preset::Number(1)),
        ],
        v1: &[("active_flag", V1::Not("is_deleted")), ("conditions", V1::ComputedForCall(list_conditions))],
        check,
        ..NO_COLLECTION
    }],
    reports: &[("/api/v1/filters/helpers", list_helpers)],
    ..NO_OBJECT
};

pub(super) const TABLE: &str = "filters";

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("name")?;
    if let Some(conditions) = draft.call.body.get("conditions") {
        draft.set("conditions", filters::normalize(draft.state, draft.call.tables, conditions)?);
    }
    Ok(())
}

/// Lists a filter's conditions. They have the codes of their fields only on request.
fn list_conditions(_: &State, call: &Call, filter: &Record) -> Value {
    let Some(mut conditions) = filter.get("conditions").cloned() else { return Value::Null };
    if !call.asks_for("include_field_code") {
        let groups = conditions.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten();
        for condition in groups.filter_map(|g| g.get_mut("conditions")?.as_array_mut()).flatten() {
            if let Some(condition) = condition.as_object_mut() {
                condition.shift_remove("field_code");
            }
        }
    }
    conditions
}

#[expect(clippy::unnecessary_wraps, reason = "a report like the others")]
fn list_helpers(_: &State, _: &Call) -> Result<Value, Failure> {
    const KINDS: &[&str] = &[
        "int",
        "double",
        "monetary",
        "time",
        "date",
        "timerange",
        "daterange",
        "varchar",
        "varchar_auto",
        "text",
        "phone",
        "address",
        "enum",
        "set",
        "user",
        "org",
        "people",
        "deal",
        "stage",
        "status",
    ];
    let operators: Record = filters::OPERATORS.iter().map(|(operator, words)| ((*operator).to_owned(), (*words).into())).collect();
    let of_kind = KINDS.iter().map(|kind| ((*kind).to_owned(), Value::Object(operators.clone())));
    Ok(wrap(json!({ "operators": of_kind.collect::<Record>() })))
}
