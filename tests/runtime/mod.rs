//! The runtime as an engine embeds it, and what goes wrong below and above it.

mod bad_input;
mod bad_upstream;
mod embedding;
mod files;
