//! `GET /openapi.json`: describes the routes, from the table that serves them.

use axum::http::StatusCode;
use axum::response::Response;
use connector_core::run::View;
use serde_json::{Map, Value, json};

use crate::conduct::call::Call;
use crate::host::{Audience, CONNECTION_HEADER, Host, Route};
use crate::wire::response::{HTML, JSON, NDJSON, respond_json};

/// The schemas of the protocol.
const SCHEMAS: [(&str, &str); 3] = [
    ("Invocation", include_str!("../../schemas/invocation.schema.json")),
    ("Outcome", include_str!("../../schemas/outcome.schema.json")),
    ("Manifest", include_str!("../../schemas/manifest.schema.json")),
];

/// The description of a route that answers lines.
const LINES: &str = "Lines of invocations are answered by an outcome each. One invocation with `Accept: application/x-ndjson` and \
    `options.pages` of \"all\" is answered by a line for each record, and a last line by the schema Summary.";

// In a checkout without symbolic links, the files hold the paths of the schemas in place of the schemas.
const _: () = assert!(matches!(SCHEMAS[0].1.as_bytes(), [b'{', ..]), "check the repository out with git's core.symlinks");

pub(crate) fn show_document(call: &Call) -> Response {
    respond_json(StatusCode::OK, call.host.openapi.get_or_init(|| write_document(&call.host)))
}

fn write_document(host: &Host) -> Value {
    let connection_header = host.settings.connection_header.as_str();
    let mut paths = Map::new();
    for route in &host.routes {
        let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = describe_route(route, connection_header);
    }
    let mut schemas: Map<String, Value> = SCHEMAS.iter().map(|(name, text)| ((*name).to_owned(), read_schema(name, text))).collect();
    schemas.extend(connection_schemas());
    let error = json!({"$ref": "#/components/schemas/Outcome/$defs/error"});
    schemas.insert("Summary".to_owned(), json!({"$ref": "#/components/schemas/Outcome/$defs/summary"}));
    schemas.insert("Error".to_owned(), json!({"type": "object", "required": ["error"], "properties": {"error": error}}));
    json!({
        "openapi": "3.1.0",
        "info": {"title": "connector", "version": env!("CARGO_PKG_VERSION"), "description": "Runs actions on other people's software."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, as `connector keys create` makes one."},
                "vendor": {"type": "http", "scheme": "basic", "description": "The client id and secret of the app."},
            },
        },
    })
}

/// Builds the schemas of connections.
fn connection_schemas() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let maybe = || json!({"type": ["string", "null"]});
    let maybe_view = || json!({"enum": View::ALL.into_iter().map(Some).chain([None]).collect::<Vec<_>>()});
    let connection = json!({
        "type": "object",
        "required": ["connection_id", "name", "app", "method", "status", "reason", "owner", "creation_time", "last_updated_time", "url", "metadata"],
        "properties": {
            "connection_id": text(), "owner": text(), "name": text(), "app": text(), "is_default": {"type": "boolean"},
            "method": {"enum": ["OAUTH2", "API_KEY"]}, "status": {"enum": ["PENDING", "ACTIVE", "FAILED"]},
            "reason": {"enum": [null, "needsReconnect", "uninstalled"]},
            "creation_time": {"type": "string", "format": "date-time"}, "last_updated_time": {"type": "string", "format": "date-time"},
            "url": {"type": ["string", "null"], "description": "A link to open once in a browser, while the connection is PENDING or FAILED."},
            "metadata": {"type": "object", "description": "The account: company, user, scopes, api_domain."},
            "view": {"enum": View::ALL, "description": "The view of calls that name none, where it was set."},
        },
    });
    let reference = json!({"$ref": "#/components/schemas/Connection"});
    let begin = json!({
        "app": text(), "connector": text(), "method": {"enum": ["OAUTH2", "API_KEY"]}, "name": maybe(), "redirect_uri": maybe(), "redirectUri": maybe(),
        "state": maybe(), "api_token": maybe(), "apiToken": maybe(), "api_domain": maybe(), "apiDomain": maybe(),
        "view": maybe_view(),
    });
    let change = json!({"name": text(), "is_default": {"const": true}, "isDefault": {"const": true}, "view": maybe_view()});
    let all = json!({
        "Connection": connection,
        "OneConnection": {"type": "object", "required": ["connection"], "properties": {"connection": reference}},
        "Connections": {"type": "object", "required": ["connections"], "properties": {"connections": {"type": "array", "items": reference}}},
        "Begin": {"type": "object", "additionalProperties": false, "properties": begin},
        "Change": {"type": "object", "additionalProperties": false, "properties": change},
        "Code": {"type": "object", "required": ["code"], "additionalProperties": false, "properties": {"code": text()}},
    });
    all.as_object().cloned().unwrap_or_default()
}

/// Reads a schema, and makes its references relative to the document.
fn read_schema(name: &str, text: &str) -> Value {
    let text = text.replace("\"#/$defs/", &format!("\"#/components/schemas/{name}/$defs/"));
    let mut schema: Value = serde_json::from_str(&text).expect("a schema of the protocol is JSON, and a test reads it");
    schema.as_object_mut().into_iter().for_each(|schema| {
        schema.retain(|name, _| name != "$schema" && name != "$id");
    });
    schema
}

/// Describes a route; `connection_header` is the name of the header that names a connection.
fn describe_route(route: &Route, connection_header: &str) -> Value {
    let (status, media, schema) = route.response;
    let refusal = if route.audience == Audience::Browser { describe_content(HTML, "") } else { describe_content(JSON, "Error") };
    let mut operation = json!({
        "summary": route.summary,
        "responses": {
            status.to_string(): {"description": "Success.", "content": describe_content(media, schema)},
            "default": {"description": "The request was refused.", "content": refusal},
        },
    });
    if route.body.iter().any(|(media, _)| *media == NDJSON) {
        operation["description"] = LINES.into();
        operation["responses"][status.to_string()]["content"][NDJSON] = json!({});
    }
    let variables = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = variables
        .map(|name| json!({"name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(route.parameters.iter().map(|(place, name, description)| {
        let name = if *name == CONNECTION_HEADER { connection_header } else { name };
        json!({"name": name, "in": place, "required": false, "description": description, "schema": {"type": "string"}})
    }));
    if route.audience == Audience::Key {
        operation["security"] = json!([{"key": []}]);
        parameters.push(json!({
            "name": "Connector-Owner", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The owner for whom an operator's key is used. Leave it out with an owner's key.",
        }));
    }
    if route.audience == Audience::Vendor {
        operation["security"] = json!([{"vendor": []}]);
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if !route.body.is_empty() {
        let contents: Map<String, Value> = route
            .body
            .iter()
            .flat_map(|(media, schema)| describe_content(media, schema).as_object().cloned().unwrap_or_default())
            .collect();
        operation["requestBody"] = json!({"content": contents});
    }
    operation
}

fn describe_content(media: &str, schema: &str) -> Value {
    let body = if schema.is_empty() { json!({}) } else { json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}}) };
    json!({ media: body })
}
