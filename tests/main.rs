//! The suite: one program for the catalogue, the runtime, the command line and the host.

mod browser;
mod catalogue;
mod cli;
mod gateway;
mod house;
mod http;
mod oauth;
#[cfg(feature = "otel-test")]
mod otlp;
mod recipes;
mod runtime;
mod several;
mod support;
