//! Places that a vendor names in a refusal, as pointers into the input that the caller gave. Pure.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::field::Field;
use crate::declare::fields::{FieldLayout, Naming};
use crate::value::pointer::{escape_segment, unescape_segment};

/// Finds the input that a vendor names by a place, as `prices[0].price`, `prices/0/price` or `prices.0.price`.
///
/// It returns a JSON pointer into the input as it travels: custom fields have their codes.
pub(crate) fn find_input(declaration: &Declaration, place: &str) -> Option<String> {
    let mut segments =
        place.split(['.', '/', '[', ']']).map(|segment| segment.trim_matches(['"', '\'', ' '])).filter(|name| !name.is_empty());
    let first = segments.next()?;
    let is_code = declaration.connector.flat.is_custom_key;
    let stands_beside = |field: &Field| matches!(field.shape.naming, Some(Naming::Values(_, FieldLayout::Beside)));
    let path = match declaration.field_on_wire(first) {
        Some(field) => format!("/{}", field.name),
        // Among the members of a record a custom field stands alone.
        None if is_code(first) => format!("/{}/{}", declaration.fields().find(|field| stands_beside(field))?.name, escape_segment(first)),
        None => return None,
    };
    Some(segments.fold(path, |path, segment| format!("{path}/{}", escape_segment(segment))))
}

/// Leads the pointer of a fault into the input as it was given.
///
/// `names` has the names of custom fields by their codes.
/// A value that stands for another, as a name or a change to a list, has no parts that the vendor could know.
pub(crate) fn lead_into_given(
    path: &str,
    given: &Map<String, Value>,
    fields: &[&'static Field],
    names: &HashMap<String, String>,
) -> String {
    let mut segments = path.split('/').skip(1);
    let Some(first) = segments.next() else { return path.to_owned() };
    let Some(value) = given.get(first) else {
        // The caller gave the input that stands for this one.
        let wire = fields.iter().find(|field| field.name == first).map(|field| field.wire);
        let other = fields.iter().find(|field| field.instead_of.is_some() && Some(field.wire) == wire && given.contains_key(field.name));
        return other.map_or_else(|| path.to_owned(), |other| format!("/{}", other.name));
    };
    let (mut found, mut value) = (format!("/{first}"), value);
    for segment in segments {
        let name = names.get(segment).map_or_else(|| segment.to_owned(), |name| escape_segment(name).into_owned());
        let is_index = name.bytes().all(|byte| byte.is_ascii_digit());
        let below = match value {
            Value::Array(items) => name.parse().ok().and_then(|at: usize| items.get(at)),
            Value::Object(members) => members.get(&*unescape_segment(&name)),
            _ => break,
        };
        match below {
            Some(below) => value = below,
            // A member may be missing, and that may be the fault. An item is there or not meant.
            None if value.is_object() && !is_index => return format!("{found}/{name}"),
            None => break,
        }
        found = format!("{found}/{name}");
    }
    found
}

/// Lists the custom fields that pointers of faults name by code, and the caller did not: the input and the code.
pub(crate) fn list_codes<'p>(paths: impl Iterator<Item = &'p str>, given: &Map<String, Value>) -> Vec<(&'p str, &'p str)> {
    let code = |path: &'p str| {
        let (input, code) = path.strip_prefix('/')?.split_once('/')?;
        let code = code.split('/').next().unwrap_or_default();
        given.get(input)?.as_object().filter(|members| !members.contains_key(code)).map(|_| (input, code))
    };
    paths.filter_map(code).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::declare::field::Place;
    use crate::declare::rule::Rule;
    use crate::declare::toy::{declare, input};
    use crate::declare::types::Json;

    static INPUTS: [Field; 4] = [
        input::<Json>("prices", "price_list", Place::Body),
        input::<Option<Json>>("emails", "emails", Place::Body),
        input::<Option<Json>>("email", "emails", Place::Body).with_instead_of(Rule::AtMostOne(&["email", "emails"])),
        input::<Option<Json>>("customFields", "custom_fields", Place::Body),
    ];
    static ACTION: Declaration = declare::<Json>("addThing").with_inputs(&INPUTS);

    #[test]
    fn places_of_vendors_lead_to_inputs_whichever_way_they_are_written() {
        for (place, path) in [
            ("price_list", Some("/prices")),
            ("price_list[0].price", Some("/prices/0/price")),
            ("price_list/0/price", Some("/prices/0/price")),
            ("price_list.0.price", Some("/prices/0/price")),
            ("/price_list/0", Some("/prices/0")),
            ("\"price_list\"", Some("/prices")),
            ("custom_fields.cf_1", Some("/customFields/cf_1")),
            ("emails[1].value", Some("/emails/1/value")),
            ("other", None),
            ("cf_1", None),
            ("", None),
        ] {
            assert_eq!(find_input(&ACTION, place).as_deref(), path, "{place}");
        }
    }

    #[test]
    fn pointers_lead_into_the_input_as_it_was_given() {
        let fields: Vec<&'static Field> = ACTION.fields().collect();
        let names = HashMap::from([("cf_1".to_owned(), "Tier/1".to_owned())]);
        for (given, path, expected) in [
            (json!({"prices": [{"price": 1}]}), "/prices/0/price", "/prices/0/price"),
            (json!({"prices": [{"price": 1}]}), "/prices/0/currency", "/prices/0/currency"),
            (json!({"prices": [1]}), "/prices/7", "/prices"),
            (json!({"prices": {"add": [1]}}), "/prices/0", "/prices"),
            (json!({"prices": {"name": "Gold"}}), "/prices", "/prices"),
            (json!({"email": "a@b.example"}), "/emails/0/value", "/email"),
            (json!({"emails": [{"value": 1}]}), "/emails/0/value", "/emails/0/value"),
            (json!({"customFields": {"Tier/1": "Gold"}}), "/customFields/cf_1", "/customFields/Tier~11"),
            (json!({"customFields": {"Tier/1": "Gold"}}), "/customFields/cf_1/value", "/customFields/Tier~11"),
            (json!({"customFields": {"cf_2": {"value": 1}}}), "/customFields/cf_2/value", "/customFields/cf_2/value"),
            (json!({}), "/prices", "/prices"),
        ] {
            let given = given.as_object().expect("an object");
            assert_eq!(lead_into_given(path, given, &fields, &names), expected, "{path}");
        }
    }

    #[test]
    fn codes_that_the_caller_gave_need_no_name() {
        let given = json!({"customFields": {"Tier": 1, "cf_2": 2}, "prices": []});
        let paths = ["/customFields/cf_1", "/customFields/cf_2", "/prices/0", "/customFields", "/other/cf_3"];
        let given = given.as_object().expect("an object");
        assert_eq!(list_codes(paths.into_iter(), given), [("customFields", "cf_1")]);
    }
}
