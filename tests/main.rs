//! One program that walks the catalogue: what is declared, what is promised, what is documented, and what comes back.

mod accounts;
mod bad_input;
mod bad_upstream;
mod browser;
mod catalogue;
mod command_line;
mod conforms;
mod connections;
mod documents;
mod engine;
mod evidence;
mod files;
mod fixtures;
mod gateway;
mod gateway_paths;
mod gateway_streams;
mod gateway_wire;
mod hostile;
mod house;
mod invariants;
mod invocations;
mod oauth;
mod owners;
#[cfg(feature = "postgres")]
mod postgres;
mod promised;
mod prose;
mod read_back;
mod requests;
mod serve;
mod served;
mod three_states;
mod world;
