//! `GET /v1/actions`, `/v1/actions/{key}`, `/v1/data-sources` and `/v1/manifest`: the catalogue.

use axum::http::StatusCode;
use axum::response::Response;
use connector_core::Entry;
use serde_json::json;

use crate::conduct::call::Call;
use crate::wire::refusal::Refusal;
use crate::wire::response::respond_json;

pub(crate) fn list_actions(call: &Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let entries = call.host.catalogue().entries().iter();
    let rows: Vec<_> = entries.filter(|entry| entry.declaration().is_some()).map(Entry::summary).collect();
    Ok(respond_json(StatusCode::OK, &json!({ "actions": rows })))
}

pub(crate) fn list_data_sources(call: &Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let entries = call.host.catalogue().entries().iter();
    let rows: Vec<_> = entries.filter(|entry| entry.declaration().is_none()).map(Entry::summary).collect();
    Ok(respond_json(StatusCode::OK, &json!({ "dataSources": rows })))
}

pub(crate) fn show_action(call: &Call) -> Result<Response, Refusal> {
    if call.query(&["connection"])?.iter().any(|(name, _)| name == "connection") {
        let message = "The form of an action for one account (`connection`) is not built yet.";
        return Err(Refusal::bad_request(message, "Leave it out."));
    }
    let entry = call.host.catalogue().find(None, call.param("key"))?;
    Ok(respond_json(StatusCode::OK, &entry.describe(call.host.find_example)))
}

pub(crate) fn show_manifest(call: &Call) -> Result<Response, Refusal> {
    let query = call.query(&["connector"])?;
    let named = query.first().map(|(_, key)| key.as_str());
    let connector = call.host.catalogue().find_connector(named).map_err(|error| match named {
        // The key is the caller's text, and messages are logged.
        Some(_) => Refusal::bad_request("There is no such connector.", error.hint().unwrap_or_default()),
        None => error.into(),
    })?;
    Ok(respond_json(StatusCode::OK, &call.host.catalogue().manifest(connector, call.host.find_example)))
}
