//! Every example of an answer that Pipedrive documents fits what we say comes back. The documents are not the project's
//! own: `PIPEDRIVE_DOCUMENTS` names the folder that holds them, and continuous integration sets it.

use connector_core::Declaration;
use serde_json::Value;

use crate::support::world::{catalogue, none};

#[test]
fn documented_examples_fit_the_output_schemas() {
    let Some(folder) = std::env::var_os("PIPEDRIVE_DOCUMENTS").map(std::path::PathBuf::from) else { return };
    let document = |version: &str| -> Value {
        let file = folder.join(format!("openapi-{version}.json"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).expect("the document is JSON")
    };
    let documents = [("/api/v1", document("v1")), ("/api/v2", document("v2"))];
    let (mut found, mut held) = (Vec::new(), 0);
    for entry in catalogue().entries() {
        let Some(declaration) = entry.declaration().filter(|declaration| !declaration.returns.is_file()) else { continue };
        let described = entry.described(|_| None);
        let schema = jsonschema::options().build(&described["output"]).expect("the schema is sound");
        for example in documents.iter().flat_map(|(root, document)| examples(declaration, root, document)) {
            held += 1;
            let data = data_of(example);
            let faults: Vec<String> =
                schema.iter_errors(&data).take(3).map(|error| format!("{}: {error}", error.instance_path())).collect();
            if !faults.is_empty() {
                found.push(format!("{}: {}", declaration.key, faults.join(" · ")));
            }
        }
    }
    none(&found, "Pipedrive answers what the record does not allow: widen the record");
    assert!(held > 100, "the documents have examples, and {held} were found");
}

/// The examples of a good answer to an action's operation.
fn examples<'a>(declaration: &Declaration, root: &str, document: &'a Value) -> Vec<&'a Value> {
    let Some(endpoint) = declaration.endpoint else { return Vec::new() };
    let Some(path) = endpoint.path.strip_prefix(root) else { return Vec::new() };
    let nameless = |path: &str| path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/");
    let operations = document["paths"].as_object().into_iter().flatten().filter(|(other, _)| nameless(other) == nameless(path));
    let method = endpoint.method.as_str().to_lowercase();
    let answers = operations.flat_map(|(_, item)| item[&method]["responses"].as_object().into_iter().flatten());
    let good = answers.filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| &answer["content"]["application/json"]);
    good.flat_map(|content| {
        let named = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        content.get("example").into_iter().chain(named)
    })
    .collect()
}

/// What an outcome would have of it.
fn data_of(example: &Value) -> Value {
    match example.get("data") {
        Some(data) => data.clone(),
        None => {
            let mut rest = example.clone();
            rest.as_object_mut().map(|members| members.shift_remove("success"));
            rest
        }
    }
}
