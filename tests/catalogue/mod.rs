//! The catalogue: its declarations against promises, documents and a sandbox.

mod conformance;
mod documents;
mod fixtures;
mod flat;
mod invocations;
mod promises;
mod prose;
mod read_back;
mod requests;
mod schemas;
mod three_states;
mod typed;
