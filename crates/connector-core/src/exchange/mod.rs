//! Requests built and responses read, without IO: (declaration, input) to request, response to answer.

pub(crate) mod choices;
pub(crate) mod comparing;
pub(crate) mod fault_paths;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod input;
pub(crate) mod joining;
pub(crate) mod later;
pub(crate) mod matching;
pub(crate) mod merging;
pub(crate) mod overlay;
pub(crate) mod plan;
pub(crate) mod record_form;
pub(crate) mod references;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod schema;
pub(crate) mod seen;
pub(crate) mod sifting;
pub(crate) mod times;
pub(crate) mod view;
pub(crate) mod wanted;
