//! The catalogue: its declarations against promises, documents and a sandbox.

mod choices;
mod conformance;
mod documents;
mod form;
mod invocations;
mod kit;
mod pages;
mod promises;
mod published;
mod requests;
mod typed;
mod writers;
