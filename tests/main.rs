//! One program that walks the catalogue: what is declared, what is promised, what is documented, and what comes back.

mod browser;
mod catalogue;
mod cli;
mod gateway;
mod house;
mod http;
mod oauth;
mod runtime;
mod support;
