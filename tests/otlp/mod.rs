//! The export of spans over OTLP, for a program that is built with it.

mod collector;
mod export;
