//! `connector serve`: its routes, its connections, and who may reach them.

mod abuse;
mod connections;
mod owners;
#[cfg(feature = "postgres")]
mod postgres;
mod routes;
