//! Compares values as an upsert does to find a record. Pure.

use serde_json::Value;

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
}
