//! What Pipedrive offers, declared. Nothing here opens a socket, a file or a variable.

mod by_hand;
mod data_sources;
mod error;
mod rooms;
mod types;

use connector_core::{Auth, Connector, Envelope};

/// Pipedrive; a host lists it, which is also what links this crate.
pub static CONNECTOR: Connector = Connector {
    key: "pipedrive",
    label: "Pipedrive",
    description: "Work with deals, contacts, activities and the rest of the Pipedrive sales CRM.",
    version: env!("CARGO_PKG_VERSION"),
    domains: &["pipedrive.com"],
    roots: &["/api/v2/", "/api/v1/", "/v1/"],
    auth: &[Auth::OAuth2, Auth::ApiToken { header: "x-api-token" }],
    envelope: Envelope {
        success: "success",
        data: "data",
        beside: "additional_data",
        next_cursor: "next_cursor",
        place: "pagination",
        more: "more_items_in_collection",
        next_start: "next_start",
        found: ("items", "item"),
    },
    refusal: error::refusal,
};
