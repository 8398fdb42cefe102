//! `connector serve`: its routes, its connections, and who may reach them.

mod connections;
mod hostile;
mod owners;
#[cfg(feature = "postgres")]
mod postgres;
mod serve;
