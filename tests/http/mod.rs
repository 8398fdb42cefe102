//! `connector serve`: its routes, its connections, and its owners.

mod abuse;
mod audit;
mod connections;
mod forms;
mod keys;
mod leaving;
mod owners;
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
mod routes;
mod stats;
mod streams;
mod views;
