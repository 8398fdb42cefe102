//! A vendor of examples, for tests: it has every way to page.

use crate::declare::action::Declaration;
use crate::declare::answer::Envelope;
use crate::declare::connector::Connector;
use crate::declare::field::{Field, Place};
use crate::declare::fields::{AccountField, FieldKind, FieldWords};
use crate::declare::flat::FlatWords;
use crate::declare::method::Method;
use crate::declare::page::Paging;
use crate::declare::shape::{FieldShape, FieldType};

/// The words for custom fields. A code is `cf` and two digits.
pub(crate) const WORDS: FieldWords = FieldWords::new(|definition| {
    Some(AccountField::new(definition.get("code")?.as_str()?, definition.get("name")?.as_str()?, FieldKind::Other))
})
.with_code(|name| name.strip_prefix("cf").is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit())));

pub(crate) static VENDOR: Connector = Connector::new("vendor", "Vendor", "A vendor.", "1")
    .with_roots(&["/v2/", "/v1/"])
    .with_envelope(Envelope::at("/data").with_success("ok").with_search("items", "item").never_empty())
    .with_paging(&[
        Paging::cursor("after", &["/paging/next/after"]),
        Paging::start("offset").with_more(&["/page/more"]).with_next(&["/page/next", "/next"]).with_facts(&["/page"]),
        Paging::page("page", 1).with_more(&["/more"]).with_last(&["/meta/pages"]).with_facts(&["/meta/page"]),
    ])
    .with_fields(WORDS)
    .with_flat(FlatWords::COMMON.with_id(&["id", "thing_id"]).with_custom_key(|name| name.starts_with("cf_")));

/// Declares an action without inputs that returns a `T`.
pub(crate) const fn declare<T: FieldType>(key: &'static str) -> Declaration {
    Declaration::new(key, ["Label", "Description"], ["vendor::rooms::things", "things.rs:1"], &VENDOR, FieldShape::from_type::<T>())
        .with_endpoint(Method::Get, "/things")
}

/// Declares an input.
pub(crate) const fn input<T: FieldType>(name: &'static str, wire: &'static str, place: Place) -> Field {
    Field::new(name, wire, place, "An input.", FieldShape::from_type::<T>())
}
