//! `GET /openapi.json`: the routes, as OpenAPI describes them; written from the table that serves them.

use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::routes::{CONNECTION, Call, ROUTES, Route, Who};

/// The schemas that bodies have.
const SCHEMAS: [(&str, &str); 3] = [
    ("Invocation", include_str!("../../../../spec/protocol/invocation.schema.json")),
    ("Outcome", include_str!("../../../../spec/protocol/outcome.schema.json")),
    ("Manifest", include_str!("../../../../spec/protocol/manifest.schema.json")),
];

pub(super) fn document(call: &Call) -> Response {
    // A process has one set of settings.
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    answer::json(StatusCode::OK, DOCUMENT.get_or_init(|| described(call.host.settings.connection_header.as_str())))
}

fn described(connection: &str) -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation(route, connection);
    }
    let mut schemas: Map<String, Value> = SCHEMAS.iter().map(|(name, text)| ((*name).to_owned(), schema(name, text))).collect();
    schemas.extend(connection_schemas());
    let error = schemas["Outcome"].pointer("/properties/error").cloned().unwrap_or_else(|| json!({"type": "object"}));
    schemas.insert("Error".to_owned(), json!({"type": "object", "required": ["error"], "properties": {"error": error}}));
    json!({
        "openapi": "3.1.0",
        "info": {"title": "connector", "version": env!("CARGO_PKG_VERSION"), "description": "Runs actions on other people's software."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key: `connector keys create`."},
                "vendor": {"type": "http", "scheme": "basic", "description": "The client id and secret of the app."},
            },
        },
    })
}

/// What the connections' routes take and give.
fn connection_schemas() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let maybe = || json!({"type": ["string", "null"]});
    let connection = json!({
        "type": "object",
        "required": ["connection_id", "name", "app", "method", "status", "reason", "owner", "creation_time", "last_updated_time", "url", "metadata"],
        "properties": {
            "connection_id": text(), "owner": text(), "name": text(), "app": text(), "is_default": {"type": "boolean"},
            "method": {"enum": ["OAUTH2", "API_KEY"]}, "status": {"enum": ["PENDING", "ACTIVE", "FAILED"]},
            "reason": {"enum": [null, "needsReconnect", "uninstalled"]},
            "creation_time": {"type": "string", "format": "date-time"}, "last_updated_time": {"type": "string", "format": "date-time"},
            "url": {"type": ["string", "null"], "description": "A link to open once in a browser, while it is PENDING or FAILED."},
            "metadata": {"type": "object", "description": "Whose account it is: company, user, scopes, api_domain."},
        },
    });
    let reference = json!({"$ref": "#/components/schemas/Connection"});
    let begin = json!({
        "app": text(), "method": {"enum": ["OAUTH2", "API_KEY"]}, "name": maybe(), "redirect_uri": maybe(), "redirectUri": maybe(),
        "state": maybe(), "api_token": maybe(), "apiToken": maybe(), "api_domain": maybe(), "apiDomain": maybe(),
    });
    let all = json!({
        "Connection": connection,
        "OneConnection": {"type": "object", "required": ["connection"], "properties": {"connection": reference}},
        "Connections": {"type": "object", "required": ["connections"], "properties": {"connections": {"type": "array", "items": reference}}},
        "Begin": {"type": "object", "additionalProperties": false, "properties": begin},
        "Change": {"type": "object", "additionalProperties": false, "properties": {"name": text(), "is_default": {"const": true}, "isDefault": {"const": true}}},
        "Code": {"type": "object", "required": ["code"], "additionalProperties": false, "properties": {"code": text()}},
    });
    all.as_object().cloned().unwrap_or_default()
}

/// A schema's references, from its place within the document.
fn schema(name: &str, text: &str) -> Value {
    let text = text.replace("\"#/$defs/", &format!("\"#/components/schemas/{name}/$defs/"));
    let mut schema: Value = serde_json::from_str(&text).expect("a schema of ours is JSON, and a test reads it");
    schema.as_object_mut().into_iter().for_each(|schema| {
        schema.retain(|name, _| name != "$schema" && name != "$id");
    });
    schema
}

/// `connection` is the name of the header that names one.
fn operation(route: &Route, connection: &str) -> Value {
    let (status, media, schema) = route.gives;
    let mut operation = json!({
        "summary": route.about,
        "responses": {
            status.to_string(): {"description": "It went well.", "content": content(media, schema)},
            "default": {"description": "It was refused.", "content": content("application/json", "Error")},
        },
    });
    let variables = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = variables
        .map(|name| json!({"name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(route.takes.iter().map(|(place, name, about)| {
        let name = if *name == CONNECTION { connection } else { name };
        json!({"name": name, "in": place, "required": false, "description": about, "schema": {"type": "string"}})
    }));
    if route.who == Who::Key {
        operation["security"] = json!([{"key": []}]);
        parameters.push(json!({
            "name": "Connector-Owner", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "Whom an operator's key acts for; with an owner's key it may be left out.",
        }));
    }
    if route.who == Who::Vendor {
        operation["security"] = json!([{"vendor": []}]);
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if !route.body.is_empty() {
        let contents: Map<String, Value> =
            route.body.iter().flat_map(|(media, schema)| content(media, schema).as_object().cloned().unwrap_or_default()).collect();
        operation["requestBody"] = json!({"content": contents});
    }
    operation
}

fn content(media: &str, schema: &str) -> Value {
    let body = if schema.is_empty() { json!({}) } else { json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}}) };
    json!({ media: body })
}
