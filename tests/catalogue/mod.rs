//! The catalogue: what is declared, what is promised, what is documented, and what each action brings.

mod conformance;
mod documents;
mod fixtures;
mod invocations;
mod promises;
mod prose;
mod read_back;
mod requests;
mod schemas;
mod three_states;
