//! The runtime as an engine embeds it: bad input, bad responses, retries, files, pages and idempotency.

mod bad_input;
mod bad_upstream;
mod changed_names;
mod deadlines;
mod definitions;
mod depth;
mod embedding;
mod estimates;
mod files;
mod guards;
mod keys;
mod names;
mod pacing;
mod pages;
mod references;
mod refusals;
mod retries;
mod streams;
mod times;
mod upserts;
