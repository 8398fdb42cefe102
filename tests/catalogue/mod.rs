//! The catalogue: what is declared, what is promised, what is documented, and what each action brings.

mod conforms;
mod documents;
mod fixtures;
mod invocations;
mod promised;
mod prose;
mod read_back;
mod requests;
mod schemas;
mod three_states;
