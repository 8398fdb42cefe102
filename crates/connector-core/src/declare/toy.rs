//! A vendor of examples, for tests: it has every way to page.

use crate::declare::action::Declaration;
use crate::declare::answer::Envelope;
use crate::declare::case::Case;
use crate::declare::connector::Connector;
use crate::declare::field::{Field, Place};
use crate::declare::flat::FlatWords;
use crate::declare::method::{Endpoint, Method};
use crate::declare::page::Paging;
use crate::declare::shape::{FieldShape, FieldType};
use crate::value::error::{Error, ErrorKind};

pub(crate) static VENDOR: Connector = Connector {
    key: "vendor",
    label: "Vendor",
    description: "A vendor.",
    version: "1",
    domains: &[],
    host: None,
    roots: &["/v2/", "/v1/"],
    auth: &[],
    identity: None,
    case: Case::Snake,
    envelope: Envelope { data: "/data", success: Some("ok"), search: Some(("items", "item")), may_be_empty: false },
    paging: &[
        Paging::Cursor { parameter: "after", next: &["/paging/next/after"] },
        Paging::Start { parameter: "offset", more: &["/page/more"], next: &["/page/next", "/next"], facts: &["/page"] },
        Paging::Page { parameter: "page", first: 1, more: &["/more"], last: &["/meta/pages"], facts: &["/meta/page"] },
    ],
    flat: FlatWords { id: &["id", "thing_id"], is_custom_key: |name| name.starts_with("cf_"), ..FlatWords::COMMON },
    refusal: |_| Error::new(ErrorKind::Bug, "Refused."),
    out_of_support: |_, _| None,
};

/// Declares an action without inputs that returns a `T`.
pub(crate) const fn declare<T: FieldType>(key: &'static str) -> Declaration {
    Declaration {
        key,
        label: "Label",
        description: "Description",
        module: "vendor::rooms::things",
        resource: None,
        line: "things.rs:1",
        connector: &VENDOR,
        endpoint: Some(Endpoint { method: Method::Get, path: "/things" }),
        scopes: &[],
        scopes_all: &[],
        cost: None,
        idempotent: None,
        reads: false,
        destructive: false,
        removed: None,
        rules: &[],
        own: &[],
        with: &[],
        like: None,
        without: &[],
        when_flat: &[],
        paging: None,
        envelope: None,
        returns: FieldShape::from_type::<T>(),
    }
}

/// Declares an input.
pub(crate) const fn input<T: FieldType>(name: &'static str, wire: &'static str, place: Place) -> Field {
    let shape = FieldShape::from_type::<T>();
    Field { name, wire, place, doc: "An input.", source: None, overrides: &[], instead_of: None, shape }
}
