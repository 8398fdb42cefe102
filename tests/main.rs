//! One program that walks the catalogue: what is declared, what is promised, what is documented, and what comes back.

mod bad_input;
mod bad_upstream;
mod catalogue;
mod command_line;
mod conforms;
mod engine;
mod fixtures;
mod invariants;
mod invocations;
mod promised;
mod prose;
mod requests;
mod three_states;
mod world;
