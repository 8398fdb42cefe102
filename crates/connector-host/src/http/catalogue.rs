//! `GET /v1/actions`, `/v1/actions/{key}`, `/v1/data-sources` and `/v1/manifest`: what there is.

use axum::http::StatusCode;
use axum::response::Response;
use connector_core::{Catalogue, Entry};
use serde_json::json;

use super::answer::{self, Refusal};
use super::routes::{Call, bad};
use crate::terminal::examples::find_example;

pub(super) fn actions(call: &Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let rows: Vec<_> = call.catalogue().entries().iter().filter(|entry| entry.declaration().is_some()).map(Entry::summary).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "actions": rows })))
}

pub(super) fn data_sources(call: &Call) -> Result<Response, Refusal> {
    call.query(&[])?;
    let rows: Vec<_> = call.catalogue().entries().iter().filter(|entry| entry.declaration().is_none()).map(Entry::summary).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "dataSources": rows })))
}

pub(super) fn action(call: &Call) -> Result<Response, Refusal> {
    if call.query(&["connection"])?.iter().any(|(name, _)| name == "connection") {
        return Err(bad("The account's own form of an action (`connection`) is not built yet.", "Leave it out."));
    }
    let entry: &Entry = call.catalogue().find(None, call.param("key"))?;
    Ok(answer::json(StatusCode::OK, &entry.described(find_example)))
}

pub(super) fn manifest(call: &Call) -> Result<Response, Refusal> {
    let query = call.query(&["connector"])?;
    let connectors = call.catalogue().connectors();
    let connector = match query.first() {
        Some((_, key)) => connectors.iter().find(|connector| connector.key == key),
        None => connectors.first(),
    };
    let connector = connector.ok_or_else(|| {
        let known: Vec<&str> = connectors.iter().map(|connector| connector.key).collect();
        bad("There is no such connector.", format!("There are: {}.", known.join(", ")))
    })?;
    Ok(answer::json(StatusCode::OK, &call.catalogue().manifest(connector, find_example)))
}

impl Call {
    fn catalogue(&self) -> &Catalogue {
        self.host.runtime.catalogue()
    }
}
