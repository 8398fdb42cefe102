//! The connector against its server, through the runtime.

mod calls;
mod credentials;
mod pages;
mod support;
