//! The rows of products: the products themselves, their variations, and those attached to deals.

use crate::{attached, products};

use super::{Collection, PLAIN, Place, Preset, Search, V1, Verb};

pub(super) static ROWS: &[Collection] = &[
    Collection {
        name: "products",
        label: "Product",
        route: "/api/v2/products",
        verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::Search],
        links: &[("owner_id", "users")],
        known_as: "product_id",
        defaults: &[
            ("code", Preset::Text("")),
            ("description", Preset::Text("")),
            ("unit", Preset::Text("")),
            ("tax", Preset::Number(0)),
            ("is_linkable", Preset::Flag(true)),
            ("visible_to", Preset::Visibility("product_default_visibility")),
            ("owner_id", Preset::User),
            ("billing_frequency", Preset::Text("one-time")),
            ("custom_fields", Preset::Nothing),
        ],
        fields: "productFields",
        search: Some(&Search {
            kind: "product",
            fields: &[("name", Place::Field("name")), ("code", Place::Field("code")), ("custom_fields", Place::CustomFields)],
            nested: &[("owner", "owner_id", "users")],
        }),
        filter: Some(("products", "product")),
        outlives_deletion: true,
        v1: &[
            ("active_flag", V1::Not("is_deleted")),
            ("selectable", V1::From("is_linkable")),
            ("company_id", V1::Made(|state, _| state.company().into())),
        ],
        rule: products::rule,
        after: products::after,
        ..PLAIN
    },
    Collection {
        name: "productVariations",
        label: "Product variation",
        route: "/api/v2/products/{id}/variations",
        verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
        key: "product_variation_id",
        within: Some(("product_id", "products")),
        links: &[("product_id", "products")],
        known_as: "product_variation_id",
        rule: products::variation,
        after: products::after_variation,
        ..PLAIN
    },
    Collection {
        name: attached::TABLE,
        label: "Deal product",
        route: "/api/v2/deals/{id}/products",
        verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
        key: "product_attachment_id",
        within: Some(("deal_id", "deals")),
        links: &[("deal_id", "deals"), ("product_id", "products"), ("product_variation_id", "productVariations")],
        defaults: &[
            ("tax", Preset::Number(0)),
            ("comments", Preset::Text("")),
            ("discount", Preset::Number(0)),
            ("discount_type", Preset::Text("percentage")),
            ("is_enabled", Preset::Flag(true)),
            ("billing_frequency", Preset::Text("one-time")),
            ("order_nr", Preset::Next("deal_id")),
        ],
        rule: attached::rule,
        after: attached::after,
        ..PLAIN
    },
];
