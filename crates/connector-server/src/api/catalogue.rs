//! `GET /v1/actions`, `/v1/actions/{key}`, `/v1/data-sources` and `/v1/manifest`: the catalogue.

use axum::http::StatusCode;
use axum::response::Response;
use connector_core::run::Entry;
use serde_json::{Value, json};

use crate::conduct::call::Call;
use crate::wire::refusal::Refusal;
use crate::wire::response::respond_json;

pub(crate) fn list_actions(call: &Call) -> Result<Response, Refusal> {
    let rows = summarize(call, |entry| entry.declaration().is_some())?;
    Ok(respond_json(StatusCode::OK, &json!({ "actions": rows })))
}

pub(crate) fn list_data_sources(call: &Call) -> Result<Response, Refusal> {
    let rows = summarize(call, |entry| entry.declaration().is_none())?;
    Ok(respond_json(StatusCode::OK, &json!({ "dataSources": rows })))
}

/// Summarizes the entries of a kind: those of the connector that the query names, else all.
fn summarize(call: &Call, is_wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Value>, Refusal> {
    let (_, connector) = call.query_of_connector(&[])?;
    let is_listed = |entry: &Entry| is_wanted(entry) && connector.is_none_or(|connector| entry.connector().key == connector.key);
    Ok(call.host.catalogue().entries().iter().filter(|entry| is_listed(entry)).map(Entry::summary).collect())
}

/// Describes an action or data source. With `connection` it is the form of that account, with its custom fields.
pub(crate) async fn show_action(call: Call) -> Result<Response, Refusal> {
    let (query, connector) = call.query_of_connector(&["connection"])?;
    let (connector, key) = (connector.map(|connector| connector.key), call.param("key"));
    let find_example = |entry: &Entry| call.host.find_example(entry.connector().key, entry.key());
    let described = match query.into_iter().next() {
        Some((_, connection)) => call.runtime()?.describe(connector, key, Some(&connection), find_example).await?,
        None => {
            let entry = call.host.catalogue().find(connector, key)?;
            entry.describe(|_| find_example(entry))
        }
    };
    Ok(respond_json(StatusCode::OK, &described))
}

pub(crate) fn show_manifest(call: &Call) -> Result<Response, Refusal> {
    let (_, named) = call.query_of_connector(&[])?;
    let connector = named.map_or_else(|| call.host.choose_connector(None, |_| false, "as ?connector=KEY"), Ok)?;
    let manifest = call.host.catalogue().manifest(connector, |key| call.host.find_example(connector.key, key));
    Ok(respond_json(StatusCode::OK, &manifest))
}
