//! Fields that an account defines: how a definition is read, and which action lists those of each object.

use connector_core::declare::{AccountField, FieldKind, FieldOption, FieldWords, FieldsOf, InputValue, Picklist};
use serde_json::{Map, Value};

/// The words of API v2 for fields. Records of API v1 have the values beside their own members.
pub(crate) const FIELD_WORDS: FieldWords = FieldWords::new(read_definition).with_code(is_key);

/// A kind of records that have custom fields.
pub(crate) trait FieldOwner {
    /// The definitions of the fields.
    const FIELDS: &'static FieldsOf;
}

/// A kind of records of whose custom fields some can be chosen.
pub(crate) trait FieldChoice: FieldOwner {
    /// The data source that offers the keys of the custom fields.
    type Keys: Picklist;
}

/// Custom fields of deals, which leads share.
pub(crate) struct OfDeals;
/// Custom fields of persons.
pub(crate) struct OfPersons;
/// Custom fields of organizations.
pub(crate) struct OfOrganizations;
/// Custom fields of products.
pub(crate) struct OfProducts;

/// The marks of a form, which deals and contacts have.
pub(crate) const WITH_MARKS: &[(&str, InputValue)] = &[("includeFields", InputValue::Texts(&["important_fields", "required_fields"]))];

static DEALS: FieldsOf = FieldsOf::new("getDealFields", WITH_MARKS);
static PERSONS: FieldsOf = FieldsOf::new("getPersonFields", WITH_MARKS);
static ORGANIZATIONS: FieldsOf = FieldsOf::new("getOrganizationFields", WITH_MARKS);
static PRODUCTS: FieldsOf = FieldsOf::new("getProductFields", &[]);

impl FieldOwner for OfDeals {
    const FIELDS: &'static FieldsOf = &DEALS;
}

impl FieldOwner for OfPersons {
    const FIELDS: &'static FieldsOf = &PERSONS;
}

impl FieldOwner for OfOrganizations {
    const FIELDS: &'static FieldsOf = &ORGANIZATIONS;
}

impl FieldOwner for OfProducts {
    const FIELDS: &'static FieldsOf = &PRODUCTS;
}

/// Checks that a search covers custom fields of a kind.
pub(crate) fn is_searchable(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Text { .. } | FieldKind::Number | FieldKind::Money | FieldKind::Phone | FieldKind::Address)
}

/// Checks that a text has the form of a custom field's key.
fn is_key(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads a definition as API v2 has it.
fn read_definition(definition: &Map<String, Value>) -> Option<AccountField> {
    let text = |name: &str| definition.get(name).and_then(Value::as_str);
    let flag = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
    let is_enabled = |name: &str| flag(definition.get(name).and_then(|marks| marks.get("enabled")));
    let (kind, parts) = read_type(text("field_type")?);
    let options = definition.get("options").and_then(Value::as_array).into_iter().flatten().filter_map(read_option).collect();
    let field = AccountField::new(text("field_code")?, text("field_name").unwrap_or_default(), kind)
        .with_parts(parts)
        .with_options(options)
        .with_marks(is_enabled("important_fields"), is_enabled("required_fields"));
    Some(if flag(definition.get("is_custom_field")) { field } else { field.as_standard() })
}

fn read_option(option: &Value) -> Option<FieldOption> {
    let id = option.get("id").filter(|id| id.is_number() || id.is_string())?;
    Some(FieldOption::new(id.clone(), option.get("label")?.as_str()?))
}

/// Reads the type of a field as a kind of values, with the members of such a value.
fn read_type(name: &str) -> (FieldKind, &'static [&'static str]) {
    match name {
        "varchar" | "varchar_auto" => (FieldKind::Text { most: 255 }, &[]),
        "text" => (FieldKind::Text { most: 65_535 }, &[]),
        "double" => (FieldKind::Number, &[]),
        "monetary" => (FieldKind::Money, &["value", "currency"]),
        "enum" => (FieldKind::Option, &[]),
        "set" => (FieldKind::Options, &[]),
        "user" => (FieldKind::Reference("selectUser"), &[]),
        "people" => (FieldKind::Reference("selectPerson"), &[]),
        "org" => (FieldKind::Reference("selectOrganization"), &[]),
        "phone" => (FieldKind::Phone, &[]),
        "time" => (FieldKind::Time, &["value", "timezone_id", "timezone_name"]),
        "timerange" => (FieldKind::TimeRange, &["value", "until", "timezone_id", "timezone_name"]),
        "date" => (FieldKind::Date, &[]),
        "daterange" => (FieldKind::DateRange, &["value", "until"]),
        "address" => (FieldKind::Address, ADDRESS),
        _ => (FieldKind::Other, &[]),
    }
}

/// The parts of an address.
const ADDRESS: &[&str] = &[
    "value",
    "subpremise",
    "street_number",
    "route",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
    "formatted_address",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(definition: &Value) -> Option<AccountField> {
        read_definition(definition.as_object().expect("an object"))
    }

    #[test]
    fn each_of_the_sixteen_types_has_a_kind_and_its_parts() {
        for (name, kind, parts) in [
            ("varchar", FieldKind::Text { most: 255 }, 0),
            ("varchar_auto", FieldKind::Text { most: 255 }, 0),
            ("text", FieldKind::Text { most: 65_535 }, 0),
            ("double", FieldKind::Number, 0),
            ("monetary", FieldKind::Money, 2),
            ("set", FieldKind::Options, 0),
            ("enum", FieldKind::Option, 0),
            ("user", FieldKind::Reference("selectUser"), 0),
            ("org", FieldKind::Reference("selectOrganization"), 0),
            ("people", FieldKind::Reference("selectPerson"), 0),
            ("phone", FieldKind::Phone, 0),
            ("time", FieldKind::Time, 3),
            ("timerange", FieldKind::TimeRange, 4),
            ("date", FieldKind::Date, 0),
            ("daterange", FieldKind::DateRange, 2),
            ("address", FieldKind::Address, 11),
            ("status", FieldKind::Other, 0),
        ] {
            let field = read(&json!({"field_code": "c", "field_name": "n", "field_type": name, "is_custom_field": true})).expect("a field");
            assert_eq!((field.kind, field.parts.len()), (kind, parts), "{name}");
            assert!(field.is_custom && field.options.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_definition_has_its_options_and_marks() {
        let options =
            json!([{"id": 3, "label": "Gold", "color": null}, {"id": "open", "label": "Open"}, {"id": null, "label": "None"}, {"id": 4}]);
        let definition = json!({
            "field_code": "status", "field_name": null, "field_type": "enum", "options": options,
            "important_fields": {"enabled": true, "stage_ids": [1]}, "required_fields": {"enabled": false},
        });
        let field = read(&definition).expect("a field");
        let options: Vec<(&Value, &str)> = field.options.iter().map(|option| (&option.id, option.label.as_str())).collect();
        assert_eq!(options, [(&json!(3), "Gold"), (&json!("open"), "Open")]);
        assert!(field.is_important && !field.is_required && !field.is_custom, "{field:?}");
        assert_eq!(read(&json!({"id": 1, "name": "no field"})), None);
    }

    #[test]
    fn a_key_has_forty_hexadecimal_digits() {
        let key = "0123456789abcdef0123456789abcdef01234567";
        assert!(is_key(key));
        for other in ["", "title", &key[1..], &format!("{key}_currency"), &key.replace('a', "g")] {
            assert!(!is_key(other), "{other}");
        }
    }
}
