//! The store: statements over SQLite or PostgreSQL. It knows tables and rows, and no connection.

pub(crate) mod database;
mod handle;
mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod statement;

pub use handle::Store;
