//! Pipedrive's documented examples against the output schemas.
//!
//! The documents are not part of the project: CI sets `PIPEDRIVE_DOCUMENTS` to the folder that holds them.

use connector_core::declare::Declaration;
use connector_testkit::assert_none;
use serde_json::Value;

use crate::support::repository::build_catalogue;

#[test]
fn documented_examples_fit_the_output_schemas() {
    let Some(folder) = std::env::var_os("PIPEDRIVE_DOCUMENTS").map(std::path::PathBuf::from) else { return };
    let document = |version: &str| -> Value {
        let file = folder.join(format!("openapi-{version}.json"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).expect("the document is JSON")
    };
    let documents = [("/api/v1", document("v1")), ("/api/v2", document("v2"))];
    let (mut found, mut count) = (Vec::new(), 0);
    for entry in build_catalogue().entries() {
        let Some(declaration) = entry.declaration().filter(|declaration| !declaration.returns.is_file()) else { continue };
        let described = entry.describe(|_| None);
        let schema = jsonschema::options().build(&described["output"]).expect("the schema compiles");
        for example in documents.iter().flat_map(|(root, document)| find_examples(declaration, root, document)) {
            count += 1;
            let data = extract_data(example);
            let faults: Vec<String> =
                schema.iter_errors(&data).take(3).map(|error| format!("{}: {error}", error.instance_path())).collect();
            if !faults.is_empty() {
                found.push(format!("{}: {}", declaration.key, faults.join(" · ")));
            }
        }
    }
    assert_none(&found, "widen the record, which does not allow what Pipedrive answers");
    assert!(count > 100, "fix how examples are found: the documents hold more than {count}");
}

/// Finds the examples of successful answers to an action's operation.
fn find_examples<'a>(declaration: &Declaration, root: &str, document: &'a Value) -> Vec<&'a Value> {
    let Some(endpoint) = declaration.endpoint else { return Vec::new() };
    let Some(path) = endpoint.path.strip_prefix(root) else { return Vec::new() };
    let strip_names =
        |path: &str| path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/");
    let operations = document["paths"].as_object().into_iter().flatten().filter(|(other, _)| strip_names(other) == strip_names(path));
    let method = endpoint.method.as_str().to_lowercase();
    let answers = operations.flat_map(|(_, item)| item[&method]["responses"].as_object().into_iter().flatten());
    let good = answers.filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| &answer["content"]["application/json"]);
    good.flat_map(|content| {
        let named = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        content.get("example").into_iter().chain(named)
    })
    .collect()
}

/// Extracts the data that an outcome of this answer would hold.
fn extract_data(example: &Value) -> Value {
    match example.get("data") {
        Some(data) => data.clone(),
        None => {
            let mut rest = example.clone();
            rest.as_object_mut().map(|members| members.shift_remove("success"));
            rest
        }
    }
}
