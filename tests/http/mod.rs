//! `connector serve`: its routes, its connections, and its owners.

mod abuse;
mod connections;
mod owners;
#[cfg(feature = "postgres")]
mod postgres;
mod routes;
mod views;
