//! Organizations.

use serde_json::Value;

use crate::engine::collection::{CRM, Collection, FieldTables, NO_COLLECTION, NO_OBJECT, Object, Preset, Search, SearchPlace, V1};
use crate::engine::search::list_field_texts;
use crate::engine::state::State;
use crate::objects::derived;
use crate::objects::roles::find_visibility;
use crate::objects::users::CALLER;
use crate::value::record::{Record, read_part};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "organizations",
        label: "Organization",
        route: "/api/v2/organizations",
        verbs: CRM,
        links: &[("owner_id", "users")],
        foreign_key: "org_id",
        related_key: Some("organization"),
        field_type: Some("org"),
        defaults: &[
            ("owner_id", CALLER),
            ("visible_to", Preset::Computed(|state, call| find_visibility(state, call.user, "org_default_visibility"))),
            ("label_ids", Preset::EmptyList),
            ("custom_fields", Preset::EmptyObject),
        ],
        fields: FieldTables::new("organizationFields"),
        search: Some(&Search {
            kind: "organization",
            fields: &[
                ("name", SearchPlace::Field("name")),
                ("address", SearchPlace::Field("address")),
                ("notes", SearchPlace::About("notes", "content")),
                ("custom_fields", SearchPlace::CustomFields),
            ],
            nested: &[("owner", "owner_id", "users")],
            computed: &[("address", |_, organization| list_field_texts(organization, "address").next().map(Into::into))],
            includable: &[],
        }),
        filter: Some(("org", "organization")),
        readable_when_deleted: true,
        v1: &[
            ("active_flag", V1::Not("is_deleted")),
            ("cc_email", V1::From("smart_bcc_email")),
            ("address", V1::Computed(|_, organization| read_part(organization, "address", "value"))),
            ("label", V1::From("label_ids")),
        ],
        derive,
        keeps_changes: true,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

fn derive(state: &State, at: &Collection, organization: &Record, name: &str) -> Option<Value> {
    match name {
        "people_count" => Some(state.live("persons").filter(|person| person.get("org_id") == organization.get("id")).count().into()),
        _ => derived::derive(state, at, organization, name).or_else(|| count_deals(state, organization, name)),
    }
}

/// Counts an organization's own deals, or those of its persons.
fn count_deals(state: &State, organization: &Record, name: &str) -> Option<Value> {
    let (kind, statuses) = derived::read_deal_count(name)?;
    let id = organization.get("id");
    let counts = |deal: &&Record| {
        let is_own = deal.get("org_id") == id;
        let person = || state.find_linked(deal, "person_id", "persons");
        match kind {
            "" => is_own,
            "related" => !is_own && person().is_some_and(|person| person.get("org_id") == id),
            _ => false,
        }
    };
    Some(derived::list_deals(state, statuses).filter(counts).count().into())
}
