//! The rows of leads, their labels, sources and fields.

use crate::engine::fields::OF_LEADS;
use crate::leads;
use crate::value::record::UUID;

use super::{Collection, FIELDS_V1, PLAIN, Place, Preset, Search, V1, Verb};

const LEADS: Collection = Collection {
    name: "leads",
    label: "Lead",
    links: &[
        ("owner_id", "users"),
        ("creator_id", "users"),
        ("person_id", "persons"),
        ("organization_id", "organizations"),
        ("source_deal_id", "deals"),
    ],
    known_as: "lead_id",
    defaults: &[
        ("owner_id", Preset::User),
        ("creator_id", Preset::User),
        ("label_ids", Preset::Empty),
        ("source_name", Preset::Text("API")),
        ("origin", Preset::Text("API")),
        ("is_archived", Preset::Flag(false)),
        ("was_seen", Preset::Flag(false)),
        ("visible_to", Preset::Visibility("lead_default_visibility")),
        ("custom_fields", Preset::Nothing),
    ],
    fields: OF_LEADS,
    search: Some(&Search {
        kind: "lead",
        fields: &[("title", Place::Field("title")), ("notes", Place::Notes), ("custom_fields", Place::CustomFields)],
        nested: &[("owner", "owner_id", "users"), ("person", "person_id", "persons"), ("organization", "organization_id", "organizations")],
    }),
    filter: Some(("leads", "lead")),
    v1: &[("id", V1::From(UUID)), ("cc_email", V1::From("smart_bcc_email")), ADDED, UPDATED],
    rule: leads::rule,
    ..PLAIN
};

const ADDED: (&str, V1) = ("add_time", V1::Moment("add_time"));
const UPDATED: (&str, V1) = ("update_time", V1::Moment("update_time"));

pub(super) static ROWS: &[Collection] = &[
    Collection { route: "/api/v1/leads", verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::Search], ..LEADS },
    Collection { route: "/api/v2/leads", verbs: &[Verb::Search], ..LEADS },
    Collection {
        name: "leadLabels",
        label: "Lead label",
        route: "/api/v1/leadLabels",
        verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
        v1: &[("id", V1::From(UUID)), ADDED, UPDATED],
        rule: leads::label,
        after: leads::after_label,
        ..PLAIN
    },
    Collection { name: "leadSources", label: "Lead source", route: "/api/v1/leadSources", verbs: &[Verb::List], ..PLAIN },
    Collection { name: OF_LEADS, verbs: &[], ..FIELDS_V1 },
];
