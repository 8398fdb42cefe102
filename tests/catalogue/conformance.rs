//! Declarations against Pipedrive's documents, as `spec/pipedrive/api.json` holds them.

use std::collections::{BTreeMap, BTreeSet};

use connector_core::declare::{Declaration, Field, Place};
use connector_testkit::assert_none;
use serde_json::{Map, Value};

use crate::support::repository::{build_catalogue, read_json};

/// The documented operations, by method and path. Variables of a path lose their names.
struct Documents {
    types: Map<String, Value>,
    operations: BTreeMap<(String, String), Value>,
}

impl Documents {
    fn read() -> Self {
        let file = read_json("spec/pipedrive/api.json");
        let key = |row: &Value| (text(&row["method"]), strip_names(row["path"].as_str().expect("a path")));
        Self {
            types: file["types"].as_object().expect("types").clone(),
            operations: file["operations"].as_array().expect("operations").iter().map(|row| (key(row), row.clone())).collect(),
        }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$type"].as_str() {
            Some(name) => self.resolve(&self.types[name]),
            None => schema,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strip_names(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect::<Vec<_>>().join("/")
}

fn to_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

#[test]
fn declarations_match_the_documents() {
    let documents = Documents::read();
    let mut found = Vec::new();
    for declaration in build_catalogue().actions() {
        let Some(endpoint) = &declaration.endpoint else { continue };
        let key = (endpoint.method.as_str().to_owned(), strip_names(endpoint.path));
        match documents.operations.get(&key) {
            None => found.push(format!("{}: {} {} is in neither document", declaration.key, key.0, endpoint.path)),
            Some(operation) => {
                found.extend(
                    find_differences(&documents, declaration, operation)
                        .into_iter()
                        .map(|difference| format!("{}: {difference}", declaration.key)),
                );
            }
        }
    }
    assert_none(&found, "find out which is wrong, the room or spec/pipedrive/extract.py, and correct it");
}

fn find_differences(documents: &Documents, declaration: &Declaration, operation: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if operation["status"] != "current" {
        found.push(format!("the operation is {}", operation["status"]));
    }
    if operation["cost"].as_u64() != declaration.cost.map(u64::from) {
        found.push(format!("its cost is {:?}, documented {}", declaration.cost, operation["cost"]));
    }
    let scopes: BTreeSet<&str> = operation["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // An action that makes several calls needs those of its own operation among others.
    let lists: Vec<BTreeSet<&str>> = declaration.scope_lists().map(|list| list.iter().copied().collect()).collect();
    if !(lists.contains(&scopes) || lists.is_empty() && scopes.is_empty()) {
        found.push(format!("its scopes are {lists:?}, documented {scopes:?}"));
    }
    let variables = operation["path_params"].as_array().map_or(0, Vec::len);
    let declared = declaration.fields().filter(|field| field.place == Place::Path).count();
    if variables != declared {
        found.push(format!("it fills {declared} variables of the path, documented {variables}"));
    }
    let parameters = operation["query"].as_array().into_iter().flatten().map(|row| text(&row["name"]));
    let members = operation["body"]["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let documented: Vec<String> = parameters.chain(members).map(|name| to_camel_case(&name)).collect();
    for (name, _) in declaration.without {
        if !documented.iter().any(|other| other == name) || declaration.fields().any(|field| field.name == *name) {
            found.push(format!("{name} is left out, and is no documented input that it lacks"));
        }
    }
    let queries = operation["query"].as_array().into_iter().flatten().map(|row| (text(&row["name"]), row, row["required"] == true));
    found.extend(compare_fields(documents, declaration, &[Place::Query], &queries.collect::<Vec<_>>()));
    // An input that code composes is no single documented field.
    if declaration.fields().any(|field| field.place == Place::Own && field.name != "cursor") {
        return found;
    }
    let body = &operation["body"];
    let required: Vec<&str> = body["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = body["properties"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, schema)| (name.clone(), schema, required.contains(&name.as_str())));
    found.extend(compare_fields(documents, declaration, &[Place::Body, Place::Form, Place::Multipart], &fields.collect::<Vec<_>>()));
    found
}

/// Lists documented names that are no input of the same type, and inputs that are not documented.
fn compare_fields(
    documents: &Documents,
    declaration: &Declaration,
    places: &[Place],
    documented: &[(String, &Value, bool)],
) -> Vec<String> {
    let mut found = Vec::new();
    let declared: Vec<&Field> = declaration.fields().filter(|field| places.contains(&field.place) && field.instead_of.is_none()).collect();
    let schema = read_input_schema(declaration.key);
    let allow = read_json("spec/pipedrive/allow.json");
    for (name, fact, required) in documented {
        let Some(field) = declared.iter().find(|field| field.wire == name) else {
            // A field left out on purpose stands in allow.json with its reason; the declaration tells callers, or takes another way.
            let place = if places.contains(&Place::Query) { "query" } else { "body" };
            let reason = allow[declaration.key][format!("{place}:{name}")].as_str();
            let is_explained = !declaration.without.is_empty() || declaration.fields().any(|field| field.instead_of.is_some());
            if reason.is_none() || !is_explained {
                found.push(format!("has no input for {name}"));
            }
            continue;
        };
        let overridden = fact["overridden_by"].as_str();
        let overriding = overridden.and_then(|name| declared.iter().find(|field| field.wire == name));
        if overriding.is_some_and(|other| !other.overrides.contains(&field.name)) {
            found.push(format!("{name} is overridden by {overridden:?}, which does not say so"));
        }
        if *required && !field.shape.required {
            found.push(format!("{name} is required"));
        }
        let property = &schema["properties"][field.name];
        if field.shape.is_file() && fact["format"] == "binary" {
            continue;
        }
        if let Some(difference) = find_type_difference(documents, property, documents.resolve(fact), &schema) {
            found.push(format!("{name}: {difference}"));
        }
        if has_form_of_prose(fact) && property["pattern"].is_null() {
            found.push(format!("{name} has no pattern, documented of the form {}", fact["format"]));
        }
        if fact["nullable"] == true && !field.shape.nullable {
            found.push(format!("{name} may be null"));
        }
    }
    found.extend(
        declared
            .iter()
            .filter(|field| !documented.iter().any(|(name, ..)| name == field.wire))
            .map(|field| format!("{} is not documented", field.wire)),
    );
    found
}

/// Returns true if the documents describe the form of a text in prose: JSON Schema has no name for it.
fn has_form_of_prose(fact: &Value) -> bool {
    matches!(fact["format"].as_str(), Some("utc" | "hex"))
}

fn read_input_schema(key: &str) -> Value {
    build_catalogue().find(None, key).expect("the key is in the catalogue").input_schema()
}

/// Describes how an input's schema differs from the documented type.
fn find_type_difference(documents: &Documents, property: &Value, fact: &Value, root: &Value) -> Option<String> {
    let property = match property["$ref"].as_str() {
        Some(reference) => &root["$defs"][reference.trim_start_matches("#/$defs/")],
        None => property,
    };
    let ours = match &property["type"] {
        Value::Array(kinds) => text(&kinds[0]),
        kind => text(kind),
    };
    let is_list = fact["list"] == true && ours == "array";
    let item = if is_list { &property["items"] } else { property };
    let kind = if is_list { text(&item["type"]) } else { ours };
    let theirs = text(&fact["type"]);
    let is_flag = kind == "boolean" && theirs == "number" && fact["enum"] == serde_json::json!([0, 1]);
    // A list of IDs is a list of whole numbers, even if it is documented as one text.
    let is_id_list = is_list && kind == "integer" && theirs == "string";
    let is_whole = kind == "integer" && theirs == "number";
    if kind != theirs && !is_flag && !is_id_list && !is_whole {
        return Some(format!("it is {kind:?}, documented {theirs:?}"));
    }
    if let (Some(values), false) = (fact["enum"].as_array(), is_flag) {
        let ours: BTreeSet<String> =
            item["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null()).map(Value::to_string).collect();
        // Some documents spell out every combination of a list's values.
        let each = |value: &Value| match value.as_str() {
            Some(text) if is_list => text.split(',').map(|value| Value::from(value).to_string()).collect(),
            _ => vec![value.to_string()],
        };
        let theirs: BTreeSet<String> = values.iter().flat_map(each).collect();
        if ours != theirs {
            return Some(format!("its values are {ours:?}, documented {theirs:?}"));
        }
    }
    if kind == "array" {
        let inner = documents.resolve(&fact["items"]);
        return find_type_difference(documents, &item["items"], inner, root).map(|difference| format!("items: {difference}"));
    }
    for (name, inner) in fact["properties"].as_object().into_iter().flatten() {
        let member = &item["properties"][name];
        if member.is_null() {
            return Some(format!("{name} is missing in it"));
        }
        if let Some(difference) = find_type_difference(documents, member, documents.resolve(inner), root) {
            return Some(format!("{name}: {difference}"));
        }
    }
    None
}

#[test]
fn raw_request_costs_match_the_documents() {
    let file = read_json("spec/pipedrive/api.json");
    let table = crate::support::repository::read("crates/pipedrive-connector/src/by_hand/operations.tsv");
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let operations = file["operations"].as_array().expect("operations");
    let mut found = Vec::new();
    for operation in operations {
        let start = format!("{}\t{}\t{}\t", text(&operation["method"]), text(&operation["path"]), operation["cost"]);
        if !rows.iter().any(|row| row.starts_with(&start)) {
            found.push(format!("{start}is missing"));
        }
    }
    for retired in file["out_of_support"].as_array().expect("a list") {
        let instead = retired["instead"].as_str().unwrap_or("nothing");
        let row = format!("{}\t{}\t-\t{instead}", text(&retired["method"]), text(&retired["path"]));
        if !rows.contains(&row.as_str()) {
            found.push(format!("{row} is missing"));
        }
        let (method, path) = instead.split('?').next().and_then(|call| call.split_once(' ')).unwrap_or_default();
        let is_current = |operation: &Value| operation["method"] == method && operation["path"] == path && operation["status"] == "current";
        if instead != "nothing" && !operations.iter().any(is_current) {
            found.push(format!("{row}, which is not documented itself"));
        }
    }
    assert_none(&found, "run spec/pipedrive/extract.py, which writes operations.tsv");
}
