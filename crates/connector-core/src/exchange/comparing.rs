//! Comparisons of a value that a caller gave with the one that a record has. Pure.

use serde_json::{Map, Number, Value};

use crate::declare::flat::FlatWords;
use crate::exchange::times::{is_same_moment, is_same_time_of_day};

/// The form of a value, where it is more than the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComparedForm {
    /// Any value.
    Plain,
    /// A moment, whatever the zone and the form that it is written in.
    Time,
    /// IDs with commas between them, in any order.
    Ids,
}

/// The members of a record's object that the caller's object does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherMembers {
    /// They may have any value: the caller expects nothing of them.
    Open,
    /// They have no value: an object that is written replaces the whole.
    Empty,
}

/// Compares values of the records of one vendor.
#[derive(Clone, Copy)]
pub(crate) struct Comparison<'a> {
    pub(crate) words: &'a FlatWords,
    pub(crate) others: OtherMembers,
}

impl Comparison<'_> {
    /// Checks that a record has the value that a caller gave, in one of its forms.
    pub(crate) fn is_same_in(self, form: ComparedForm, given: &Value, has: &Value) -> bool {
        match (form, given, has) {
            (ComparedForm::Time, Value::String(given), Value::String(has)) => given == has || is_same_moment(given, has),
            (ComparedForm::Ids, Value::String(given), Value::String(has)) => self.is_same(&split_ids(given), &split_ids(has)),
            _ => self.is_same(given, has),
        }
    }

    /// Checks that a record has all members that a body would write.
    pub(crate) fn has_all(self, written: &Map<String, Value>, record: &Value) -> bool {
        written.iter().all(|(name, value)| self.is_same(value, record.get(name).unwrap_or(&Value::Null)))
    }

    /// Checks that a record has the value that a caller gave. Null is no value, and a list has no order.
    ///
    /// Where the record has an object and the caller gave an ID or a text, the object's own ID or value is compared.
    fn is_same(self, given: &Value, has: &Value) -> bool {
        match (given, has) {
            (Value::Null, has) => is_empty(has),
            (Value::Array(items), Value::Array(others)) => self.have_same_items(items, others),
            (Value::Array(items), has) if items.is_empty() => is_empty(has),
            (Value::Object(members), Value::Object(others)) => {
                members.iter().all(|(name, value)| self.is_same(value, others.get(name).unwrap_or(&Value::Null)))
                    && (self.others == OtherMembers::Open
                        || others.iter().all(|(name, value)| members.contains_key(name) || is_empty(value)))
            }
            (Value::Bool(_) | Value::Number(_) | Value::String(_), Value::Object(members)) => {
                let own = self.words.id.iter().chain([&self.words.value]).find_map(|name| members.get(*name));
                own.is_some_and(|own| !own.is_object() && self.is_same(given, own))
            }
            // A vendor may write a flag as a digit, and a number as a text.
            (Value::Bool(flag), Value::Number(digit)) => digit.as_u64() == Some(u64::from(*flag)),
            (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => number.to_string() == *text,
            (Value::Number(given), Value::Number(has)) => is_same_number(given, has),
            // A vendor adds the seconds of a time of day.
            (Value::String(given), Value::String(has)) => given == has || is_same_time_of_day(given, has),
            (given, has) => given == has,
        }
    }

    /// Checks that each item has one of its own among the others, and none is left.
    fn have_same_items(self, items: &[Value], others: &[Value]) -> bool {
        let mut left: Vec<&Value> = others.iter().collect();
        let takes_one = |item: &Value| match left.iter().position(|other| self.is_same(item, other)) {
            Some(at) => {
                left.swap_remove(at);
                true
            }
            None => false,
        };
        items.len() == others.len() && items.iter().all(takes_one)
    }
}

/// Checks that a record has no value: null, an empty text or list, or an object of which no member has one.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Compares whole numbers exactly, and others by their value.
fn is_same_number(one: &Number, other: &Number) -> bool {
    let is_whole = |number: &Number| !number.is_f64();
    if is_whole(one) && is_whole(other) { one == other } else { one.as_f64() == other.as_f64() }
}

fn split_ids(text: &str) -> Value {
    text.split(',').map(str::trim).filter(|id| !id.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::declare::toy::VENDOR;

    fn is_same(form: ComparedForm, others: OtherMembers, given: &Value, has: &Value) -> bool {
        Comparison { words: &VENDOR.flat, others }.is_same_in(form, given, has)
    }

    #[test]
    fn same_values_are_the_same_in_whichever_form_a_vendor_has_them() {
        for (given, has) in [
            (json!(1), json!(1.0)),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_993_i64)),
            (json!(0), json!(0)),
            (json!(3), json!("3")),
            (json!("3"), json!(3)),
            (json!(true), json!(1)),
            (json!(false), json!(0)),
            (json!("x"), json!("x")),
            (json!("09:30"), json!("09:30:00")),
            (json!(7), json!({"id": 7, "name": "Ann"})),
            (json!(7), json!({"thing_id": 7})),
            (json!("a@b.example"), json!({"value": "a@b.example", "primary": true})),
            (json!([1, 2]), json!([2, 1])),
            (json!([1]), json!([{"id": 1, "label": "Hot"}])),
            (json!([{"value": "a"}]), json!([{"value": "a", "label": "work", "primary": true}])),
            (json!({"value": "Main Street 1"}), json!({"value": "Main Street 1", "city": "Springfield"})),
            (json!({"city": null}), json!({"value": "Main Street 1"})),
            (json!([]), json!(null)),
        ] {
            assert!(is_same(ComparedForm::Plain, OtherMembers::Open, &given, &has), "{given} {has}");
        }
    }

    #[test]
    fn other_values_differ() {
        for (given, has) in [
            (json!(1), json!(2)),
            (json!(9_007_199_254_740_992_i64), json!(9_007_199_254_740_993_i64)),
            (json!(0), json!(null)),
            (json!(""), json!(null)),
            (json!(false), json!(null)),
            (json!(true), json!(2)),
            (json!("x"), json!("X")),
            (json!("x"), json!("x ")),
            (json!("09:30"), json!("09:30:01")),
            (json!("9:30"), json!("09:30:00")),
            (json!(7), json!({"id": 8})),
            (json!(7), json!({"name": "Ann"})),
            (json!([1, 1]), json!([1, 2])),
            (json!([1]), json!([1, 2])),
            (json!([1, 2]), json!([1])),
            (json!([]), json!([1])),
            (json!({"value": "a"}), json!(null)),
            (json!("1,2"), json!("2,1")),
        ] {
            assert!(!is_same(ComparedForm::Plain, OtherMembers::Open, &given, &has), "{given} {has}");
        }
    }

    #[test]
    fn null_means_that_there_is_no_value() {
        for (has, is_none) in [
            (json!(null), true),
            (json!(""), true),
            (json!([]), true),
            (json!({"value": null, "city": ""}), true),
            (json!(0), false),
            (json!(false), false),
            (json!("x"), false),
            (json!([null]), false),
        ] {
            assert_eq!(is_same(ComparedForm::Plain, OtherMembers::Open, &Value::Null, &has), is_none, "{has}");
        }
    }

    #[test]
    fn object_that_replaces_another_has_no_less() {
        let (given, has) = (json!({"value": "a"}), json!({"value": "a", "label": "work"}));
        assert!(!is_same(ComparedForm::Plain, OtherMembers::Empty, &given, &has));
        assert!(is_same(ComparedForm::Plain, OtherMembers::Empty, &given, &json!({"value": "a", "label": null})));
    }

    #[test]
    fn moments_and_ids_have_several_forms() {
        for (form, given, has, same) in [
            (ComparedForm::Time, "2026-01-31T09:30:00Z", "2026-01-31 09:30:00", true),
            (ComparedForm::Time, "2026-01-31T11:30:00+02:00", "2026-01-31T09:30:00Z", true),
            (ComparedForm::Time, "2026-01-31T09:30:00Z", "2026-01-31T09:30:00.551Z", true),
            (ComparedForm::Time, "2026-01-31T09:30:00.551Z", "2026-01-31T09:30:00.551Z", true),
            (ComparedForm::Time, "2026-01-31T09:30:00.551Z", "2026-01-31T09:30:00.552Z", false),
            (ComparedForm::Time, "2026-01-31T09:30:00Z", "2026-01-31T09:30:01Z", false),
            (ComparedForm::Time, "tomorrow", "2026-01-31T09:30:01Z", false),
            (ComparedForm::Ids, "1,2", "2,1", true),
            (ComparedForm::Ids, "1,2", "2", false),
        ] {
            assert_eq!(is_same(form, OtherMembers::Open, &given.into(), &has.into()), same, "{given} {has}");
        }
    }

    #[test]
    fn update_writes_nothing_where_the_record_has_it_already() {
        let comparison = Comparison { words: &VENDOR.flat, others: OtherMembers::Open };
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
            let members = sent.as_object().expect("it is an object");
            assert_eq!(comparison.has_all(members, &held), is_there, "{sent}");
        }
    }
}
