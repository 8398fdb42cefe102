//! Rooms: one for each object of Pipedrive, with all of its actions and records.

mod activities;
mod activity_types;
mod call_logs;
mod channels;
mod company_addons;
mod currencies;
pub(crate) mod deals;
mod fields;
mod files;
mod filters;
mod followers;
mod lead_labels;
mod lead_sources;
mod leads;
mod mailbox;
pub(crate) mod organizations;
mod participants;
mod permission_sets;
pub(crate) mod persons;
mod pipelines;
mod products;
mod stages;
mod subscriptions;
mod updates;
mod user_connections;
mod user_settings;
mod users;
