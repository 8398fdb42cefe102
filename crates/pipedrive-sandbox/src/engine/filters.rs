//! Filters: Pipedrive's nested conditions, and a check of records against them.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Tables};
use crate::engine::fields;
use crate::engine::state::State;
use crate::value::clock::parse_date;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id, read_text, to_text};

const MAX_CONDITIONS: usize = 16;

/// Each operator with its description in words.
pub(crate) const OPERATORS: &[(&str, &str)] = &[
    ("=", "is"),
    ("!=", "is not"),
    ("<", "is less than"),
    (">", "is more than"),
    ("<=", "is less or equal to"),
    (">=", "is more or equal to"),
    ("IS NULL", "is empty"),
    ("IS NOT NULL", "is not empty"),
    ("LIKE '$%'", "starts with"),
    ("LIKE '%$'", "ends with"),
    ("LIKE '%$%'", "contains"),
    ("NOT LIKE '$%'", "does not start with"),
    ("NOT LIKE '%$'", "does not end with"),
    ("NOT LIKE '%$%'", "does not contain"),
];

/// Finds the filter that a list's parameter names. One for another list is refused.
pub(crate) fn find<'a>(state: &'a State, tables: &Tables, collection: &Collection, id: &str) -> Result<&'a Record, Failure> {
    let saved = tables.collection(tables.filters);
    let filter = id.parse().ok().and_then(|id| state.get_live(saved.name, id)).ok_or_else(|| Failure::not_found(saved.label))?;
    match collection.filter {
        Some((kind, _)) if kind == read_text(filter, "type") => Ok(filter),
        _ => Err(Failure::invalid("filter_id", "is a filter of another type")),
    }
}

/// Checks conditions, and gives each the id and the code of its field.
pub(crate) fn normalize(state: &State, tables: &Tables, conditions: &Value) -> Result<Value, Failure> {
    let wrong = |reason: &str| Failure::invalid("conditions", reason);
    let groups = conditions.get("conditions").and_then(Value::as_array).ok_or_else(|| wrong("must hold groups of conditions"))?;
    if conditions.get("glue").and_then(Value::as_str) != Some("and") {
        return Err(wrong("the first level must be glued with 'and'"));
    }
    let mut total = 0;
    let mut glues = Vec::new();
    let mut kept = Vec::new();
    for group in groups {
        let glue = group.get("glue").and_then(Value::as_str).filter(|g| matches!(*g, "and" | "or"));
        let glue = glue.ok_or_else(|| wrong("a group must be glued with 'and' or 'or'"))?;
        if glues.contains(&glue) {
            return Err(wrong("one group glued with 'and' and one with 'or' are supported"));
        }
        glues.push(glue);
        let group = group.get("conditions").and_then(Value::as_array).ok_or_else(|| wrong("a group must hold conditions"))?;
        total += group.len();
        let group = group.iter().map(|condition| normalize_condition(state, tables, condition)).collect::<Result<Vec<_>, _>>()?;
        kept.push(json!({ "glue": glue, "conditions": group }));
    }
    if total > MAX_CONDITIONS {
        return Err(wrong("at most 16 conditions are allowed"));
    }
    Ok(json!({ "glue": "and", "conditions": kept }))
}

fn normalize_condition(state: &State, tables: &Tables, condition: &Value) -> Result<Value, Failure> {
    let wrong = |reason: String| Failure::invalid("conditions", reason);
    let given = |name: &str| condition.get(name).filter(|v| !v.is_null()).map(to_text);
    let object = given("object").unwrap_or_default();
    let operator = given("operator").unwrap_or_default();
    if !OPERATORS.iter().any(|(known, _)| *known == operator) {
        return Err(wrong(format!("'{operator}' is no operator")));
    }
    let wanted = given("field_id").or_else(|| given("field_code")).unwrap_or_default();
    let (id, code) = match tables.find_filtered(&object) {
        Some(target) if !target.fields.own.is_empty() => {
            let is_wanted =
                |field: &&Record| fields::read_code(field) == wanted || read_id(field).is_some_and(|id| id.to_string() == wanted);
            let field = fields::list_all(state, &target.fields).find(is_wanted);
            let field = field.ok_or_else(|| wrong(format!("'{wanted}' is no field of {object}")))?;
            (read_id(field).unwrap_or(0).to_string(), fields::read_code(field).to_owned())
        }
        // These objects have no field definitions, so that a field has a code alone.
        known if known.is_some() || tables.unserved_filter_objects.contains(&object.as_str()) => {
            if wanted.is_empty() {
                return Err(wrong("field_id is required".to_owned()));
            }
            (wanted.clone(), wanted)
        }
        _ => return Err(wrong(format!("'{object}' is no object"))),
    };
    Ok(json!({
        "object": object,
        "field_id": id,
        "operator": operator,
        "value": given("value"),
        "extra_value": given("extra_value"),
        "json_value_flag": false,
        "field_code": code,
    }))
}

pub(crate) fn matches(state: &State, call: &Call, at: &Collection, row: &Record, filter: &Record) -> bool {
    let groups = filter.get("conditions").and_then(|c| c.get("conditions")).and_then(Value::as_array);
    groups.into_iter().flatten().all(|group| {
        let conditions = group.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let met = |condition: &Value| meets(state, call, at, row, condition);
        match group.get("glue").and_then(Value::as_str) {
            // A group without conditions lets every record pass.
            Some("or") => conditions.is_empty() || conditions.iter().any(met),
            _ => conditions.iter().all(met),
        }
    })
}

fn meets(state: &State, call: &Call, at: &Collection, row: &Record, condition: &Value) -> bool {
    let part = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
    let kept = find_subject(state, call.tables, at, row, part("object")).and_then(|row| find_value(row, part("field_code")));
    let operator = part("operator");
    let me = call.user.to_string();
    let wanted = if part("value") == "me" { me.as_str() } else { part("value") };
    match (operator, kept) {
        ("IS NULL", kept) => kept.is_none_or(is_empty),
        ("IS NOT NULL", kept) => kept.is_some_and(|value| !is_empty(value)),
        ("!=", None) => true,
        (_, None) => operator.starts_with("NOT LIKE"),
        ("=", Some(kept)) => equals(kept, wanted),
        ("!=", Some(kept)) => !equals(kept, wanted),
        ("<", Some(kept)) => compare(kept, wanted).is_lt(),
        (">", Some(kept)) => compare(kept, wanted).is_gt(),
        ("<=", Some(kept)) => compare(kept, wanted).is_le(),
        (">=", Some(kept)) => compare(kept, wanted).is_ge(),
        (_, Some(kept)) => match operator.strip_prefix("NOT ") {
            Some(like) => !is_like(kept, like, wanted),
            None => is_like(kept, operator, wanted),
        },
    }
}

/// Finds the record that a condition is about: the list's own, or the one that it points to.
fn find_subject<'a>(state: &'a State, tables: &Tables, at: &Collection, row: &'a Record, object: &str) -> Option<&'a Record> {
    if at.filter.is_some_and(|(_, own)| own == object) {
        return Some(row);
    }
    let target = tables.find_filtered(object)?;
    let (field, table) = at.links.iter().find(|(_, table)| *table == target.name)?;
    state.find_linked(row, field, table)
}

fn find_value<'a>(row: &'a Record, code: &str) -> Option<&'a Value> {
    let value = row.get(code).or_else(|| row.get("custom_fields")?.get(code))?;
    // The value of some records is an object with an amount.
    Some(value.get("value").or_else(|| value.get("amount")).unwrap_or(value))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Lists the entries of a list such as e-mail addresses, or the value itself.
fn list_texts(kept: &Value) -> Vec<String> {
    match kept {
        Value::Array(items) => items.iter().map(|item| to_text(item.get("value").unwrap_or(item)).to_lowercase()).collect(),
        other => vec![to_text(other).to_lowercase()],
    }
}

fn equals(kept: &Value, wanted: &str) -> bool {
    match kept {
        Value::Array(_) => list_texts(kept).contains(&wanted.to_lowercase()),
        Value::Bool(kept) => matches!(wanted, "1" | "true") == *kept,
        _ => compare(kept, wanted).is_eq(),
    }
}

fn compare(kept: &Value, wanted: &str) -> std::cmp::Ordering {
    if let (Some(kept), Ok(wanted)) = (kept.as_f64(), wanted.parse::<f64>()) {
        return kept.total_cmp(&wanted);
    }
    let kept = to_text(kept).to_lowercase();
    // A date matches each time of its day.
    let whole_day = wanted.len() == 10 && parse_date(wanted).is_some();
    let kept = if whole_day { kept.get(..10).unwrap_or(&kept) } else { &kept };
    kept.cmp(wanted.to_lowercase().as_str())
}

fn is_like(kept: &Value, operator: &str, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    list_texts(kept).iter().any(|kept| match operator {
        "LIKE '$%'" => kept.starts_with(&wanted),
        "LIKE '%$'" => kept.ends_with(&wanted),
        _ => kept.contains(&wanted),
    })
}
