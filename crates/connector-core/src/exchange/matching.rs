//! Compares values as an upsert does, to find a record and to see what an update would change. Pure.

use serde_json::{Map, Value};

use crate::declare::fields::FieldKind;
use crate::declare::match_key::MatchKind;

/// Brings values together that are the same in a way of comparing. Nothing is left of a value that says nothing.
pub(crate) fn normalize(kind: MatchKind, custom: Option<FieldKind>, text: &str) -> Option<String> {
    let normal = match (kind, custom) {
        (MatchKind::Code, _) => text.to_owned(),
        (MatchKind::Phone, _) | (MatchKind::Custom(_), Some(FieldKind::Phone)) => read_digits(text),
        (MatchKind::Custom(_), Some(FieldKind::Number | FieldKind::Money)) => {
            text.trim().parse::<f64>().map_or_else(|_| text.trim().to_lowercase(), |number| number.to_string())
        }
        (MatchKind::Text | MatchKind::Email | MatchKind::Custom(_) | MatchKind::Refused(_), _) => text.trim().to_lowercase(),
    };
    (!normal.is_empty()).then_some(normal)
}

/// Reads the digits of a phone number. `00` at the start is another way to write `+`.
fn read_digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.strip_prefix("00").map_or_else(|| digits.clone(), str::to_owned)
}

/// Lists the texts of a value: its own, that of its `value`, or those of the items of a list.
pub(crate) fn read_texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(read_texts).collect(),
        Value::Object(members) => members.get("value").map(read_texts).unwrap_or_default(),
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// Checks that a record has all that an update would write.
///
/// Members of an object that the update does not name are not compared, and the order of a list does not count.
pub(crate) fn is_written(sent: &Map<String, Value>, held: &Value) -> bool {
    sent.iter().all(|(name, value)| is_same(value, held.get(name).unwrap_or(&Value::Null)))
}

fn is_same(sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        // An empty list clears what null clears.
        (Value::Null, Value::Array(items)) | (Value::Array(items), Value::Null) => items.is_empty(),
        (Value::Object(members), held) if held.is_object() => is_written(members, held),
        (Value::Array(sent), Value::Array(held)) => {
            // Each item has one of its own, so that [1, 1] is not [1, 2].
            let mut left: Vec<&Value> = held.iter().collect();
            let mut takes = |item: &Value| left.iter().position(|other| is_same(item, other)).map(|at| left.swap_remove(at)).is_some();
            sent.len() == held.len() && sent.iter().all(&mut takes)
        }
        // A vendor may write a number as text: an ID, an amount.
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => number.to_string() == *text,
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one.to_bits() == other.to_bits())
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_their_kind() {
        let custom = MatchKind::Custom(|_| true);
        for (kind, field, one, other, is_same) in [
            (MatchKind::Email, None, "Ada@Example.com ", "ada@example.com", true),
            (MatchKind::Email, None, "ada@example.com", "adam@example.com", false),
            (MatchKind::Text, None, " ACME GmbH", "Acme gmbh", true),
            (MatchKind::Text, None, "Acme", "Acmé", false),
            (MatchKind::Code, None, "A-1", "a-1", false),
            (MatchKind::Code, None, "A-1", "A-1", true),
            (MatchKind::Phone, None, "+49 (30) 123-45", "0049 30 12345", true),
            (MatchKind::Phone, None, "+49 30 12345", "030 12345", false),
            (custom, Some(FieldKind::Phone), "+1 555", "1555", true),
            (custom, Some(FieldKind::Number), "7.0", "7", true),
            (custom, Some(FieldKind::Number), "7.5", "7", false),
            (custom, Some(FieldKind::Money), "1200.50", "1200.5", true),
            (custom, Some(FieldKind::Text { most: 9 }), "x-1", "X-1", true),
        ] {
            let (one_normal, other_normal) = (normalize(kind, field, one), normalize(kind, field, other));
            assert_eq!(one_normal == other_normal, is_same, "{kind:?}: {one} and {other}");
        }
        assert_eq!(normalize(MatchKind::Phone, None, "unknown"), None);
        assert_eq!(normalize(MatchKind::Text, None, "  "), None);
    }

    #[test]
    fn texts_are_those_of_a_value_and_of_lists() {
        for (value, texts) in [
            (json!("a"), vec!["a"]),
            (json!([{"value": "a", "label": "work"}, "b"]), vec!["a", "b"]),
            (json!({"value": 5, "currency": "EUR"}), vec!["5"]),
            (json!(null), vec![]),
            (json!([]), vec![]),
        ] {
            assert_eq!(read_texts(&value), texts, "{value}");
        }
    }

    #[test]
    fn update_writes_nothing_where_the_record_has_it_already() {
        let held = json!({
            "name": "Ada", "owner_id": 7, "value": 5.0, "visible_to": "3", "label_ids": [1, 2], "notes": null,
            "emails": [{"value": "a@b", "primary": true, "label": "work"}],
            "custom_fields": {"a": {"value": 1, "currency": "EUR"}, "b": null},
        });
        for (sent, is_there) in [
            (json!({}), true),
            (json!({"name": "Ada", "owner_id": 7, "value": 5, "visible_to": 3}), true),
            (json!({"name": "ada"}), false),
            (json!({"label_ids": [2, 1]}), true),
            (json!({"label_ids": [2, 2]}), false),
            (json!({"label_ids": [1]}), false),
            (json!({"notes": null, "gone": null, "im": []}), true),
            (json!({"notes": ""}), false),
            (json!({"emails": [{"value": "a@b", "primary": true}]}), true),
            (json!({"emails": [{"value": "a@b", "label": "home"}]}), false),
            (json!({"emails": []}), false),
            (json!({"custom_fields": {"a": {"value": 1}, "b": null}}), true),
            (json!({"custom_fields": {"b": "x"}}), false),
        ] {
            let sent_members = sent.as_object().expect("it is an object");
            assert_eq!(is_written(sent_members, &held), is_there, "{sent}");
        }
    }
}
