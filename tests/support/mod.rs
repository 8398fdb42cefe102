//! Parts that tests share: servers, processes, browsers and checks. No test stands here.

pub(crate) mod assertions;
pub(crate) mod browser;
pub(crate) mod chromium;
pub(crate) mod evidence;
pub(crate) mod example;
pub(crate) mod held;
pub(crate) mod http;
pub(crate) mod kit;
pub(crate) mod plain;
pub(crate) mod platform;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod repository;
pub(crate) mod runtime;
pub(crate) mod sandbox;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod upstream;
pub(crate) mod vendor;
