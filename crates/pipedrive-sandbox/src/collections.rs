//! The table of everything that is kept: where it is served, what it points to, how it is searched and answered.

use serde_json::Value;

use crate::answer::Call;
use crate::engine::fields;
use crate::engine::state::State;
use crate::facts::api::Operation;
use crate::rules::{After, Rule};
use crate::value::failure::Failure;
use crate::value::record::Record;
use crate::{comments, participants, rules};

pub(crate) struct Collection {
    /// The table's name in the state.
    pub(crate) name: &'static str,
    /// What an error calls one record.
    pub(crate) label: &'static str,
    pub(crate) route: &'static str,
    pub(crate) verbs: &'static [Verb],
    /// The field that the path's variable names, also where the variable is called `id`.
    pub(crate) key: &'static str,
    /// For records inside another one: the field that holds its id, and its collection.
    pub(crate) within: Option<(&'static str, &'static str)>,
    /// Fields that hold another collection's id.
    pub(crate) links: &'static [(&'static str, &'static str)],
    /// The field by which other collections point here; empty where none does.
    pub(crate) known_as: &'static str,
    /// Required on creation although the document does not say so.
    pub(crate) required: &'static [&'static str],
    pub(crate) defaults: &'static [(&'static str, Preset)],
    /// The table of its field definitions, custom ones among them; empty where it has none.
    pub(crate) fields: &'static str,
    pub(crate) search: Option<&'static Search>,
    /// A filter's `type` and its conditions' `object`.
    pub(crate) filter: Option<(&'static str, &'static str)>,
    /// A list's parameter that goes through another collection: its name, and the ids of our records that it leads to.
    pub(crate) through: &'static [Through],
    /// Which records a call may not see.
    pub(crate) hidden: fn(&Record, &Call) -> bool,
    /// Whether a deleted record can still be read by its id.
    pub(crate) outlives_deletion: bool,
    /// Fields that are answered although the answer's schema leaves them out.
    pub(crate) extra: &'static [&'static str],
    /// Where v1 answers differ from the kept form.
    pub(crate) v1: &'static [(&'static str, V1)],
    pub(crate) rule: Rule,
    pub(crate) after: After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Get,
    Create,
    Update,
    Delete,
    DeleteMany,
    Search,
    Merge,
    AddOptions,
    ChangeOptions,
    DropOptions,
}

/// The value of a field that a creation leaves out.
pub(crate) enum Preset {
    User,
    Currency,
    /// What this setting of the user's role says.
    Visibility(&'static str),
    Text(&'static str),
    Number(i64),
    Flag(bool),
    Nothing,
    Empty,
    /// One more than the highest of the records with the same value in this field; an empty name is all of them.
    Next(&'static str),
}

/// What a field of a v1 answer is made from.
pub(crate) enum V1 {
    From(&'static str),
    Not(&'static str),
    /// The record that a field points to, in the answer's own nested shape.
    Linked(&'static str, &'static str),
    Fixed(fn() -> Value),
    /// The kept word, or the one beside it here where the document does not have the kept one.
    Word(&'static [(&'static str, &'static str)]),
    /// The kept time, to the millisecond as some services answer it.
    Moment(&'static str),
    /// What the state says about the record.
    Made(fn(&State, &Record) -> Value),
    /// The company of the record's user.
    Company,
    /// Whether the record is the token's user.
    IsYou,
}

/// A parameter, and the ids of the records that the one it names leads to.
type Through = (&'static str, fn(&State, u64) -> Vec<u64>);

pub(crate) struct Search {
    pub(crate) kind: &'static str,
    /// The name of the `fields` token, and where it looks.
    pub(crate) fields: &'static [(&'static str, Place)],
    /// The item's nested records: (name, field, collection).
    pub(crate) nested: &'static [(&'static str, &'static str, &'static str)],
}

#[derive(Clone, Copy)]
pub(crate) enum Place {
    Field(&'static str),
    /// The values of a list such as `emails`.
    Values(&'static str),
    /// An address's one-line form.
    Address(&'static str),
    Notes,
    CustomFields,
}

const CRUD: &[Verb] = &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete];
const CRM: &[Verb] = &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::Search, Verb::Merge];
const READ: &[Verb] = &[Verb::List, Verb::Get];
const FIELD_VERBS: &[Verb] =
    &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::AddOptions, Verb::ChangeOptions, Verb::DropOptions];

const PLAIN: Collection = Collection {
    name: "",
    label: "",
    route: "",
    verbs: CRUD,
    key: "id",
    within: None,
    links: &[],
    known_as: "",
    required: &[],
    defaults: &[],
    fields: "",
    search: None,
    filter: None,
    through: &[],
    hidden: |_, _| false,
    outlives_deletion: false,
    extra: &[],
    v1: &[],
    rule: rules::none,
    after: rules::nothing_after,
};

const FIELDS: Collection = Collection { label: "Field", verbs: FIELD_VERBS, key: "field_code", rule: rules::field, ..PLAIN };

/// The same fields in v1, which alone tells the id by which a filter knows a field.
const FIELDS_V1: Collection = Collection {
    verbs: &[Verb::List, Verb::Get, Verb::Delete, Verb::DeleteMany],
    key: "id",
    v1: &[
        ("key", V1::From("field_code")),
        ("name", V1::From("field_name")),
        ("order_nr", V1::From("id")),
        // The types of product fields are documented for those that can be made alone.
        ("field_type", V1::Word(&[("int", "double"), ("visible_to", "double"), ("billing_frequency", "enum")])),
        ("edit_flag", V1::From("is_custom_field")),
        ("active_flag", V1::Not("is_deleted")),
        ("add_visible_flag", V1::Made(|_, field| part(field, "ui_visibility", "add_visible_flag"))),
        ("details_visible_flag", V1::Made(|_, field| part(field, "ui_visibility", "details_visible_flag"))),
        ("important_flag", V1::Made(|_, field| part(field, "important_fields", "enabled"))),
        ("mandatory_flag", V1::Made(|_, field| part(field, "required_fields", "enabled"))),
        ("searchable_flag", V1::Made(|_, field| fields::is_searchable(field).into())),
    ],
    ..FIELDS
};

fn part(row: &Record, field: &str, name: &str) -> Value {
    row.get(field).and_then(|whole| whole.get(name)).cloned().unwrap_or_default()
}

/// What deals, persons and organizations share in v1.
const fn v1_label() -> (&'static str, V1) {
    ("label", V1::From("label_ids"))
}

pub(crate) static COLLECTIONS: &[Collection] = &[
    Collection {
        name: "deals",
        label: "Deal",
        route: "/api/v2/deals",
        verbs: CRM,
        links: &[
            ("owner_id", "users"),
            ("creator_user_id", "users"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("pipeline_id", "pipelines"),
            ("stage_id", "stages"),
        ],
        known_as: "deal_id",
        defaults: &[
            ("owner_id", Preset::User),
            ("creator_user_id", Preset::User),
            ("value", Preset::Number(0)),
            ("currency", Preset::Currency),
            ("status", Preset::Text("open")),
            ("visible_to", Preset::Visibility("deal_default_visibility")),
            ("label_ids", Preset::Empty),
            ("origin", Preset::Text("API")),
            ("is_archived", Preset::Flag(false)),
            ("custom_fields", Preset::Nothing),
        ],
        fields: "dealFields",
        search: Some(&Search {
            kind: "deal",
            fields: &[("title", Place::Field("title")), ("notes", Place::Notes), ("custom_fields", Place::CustomFields)],
            nested: &[
                ("owner", "owner_id", "users"),
                ("stage", "stage_id", "stages"),
                ("person", "person_id", "persons"),
                ("organization", "org_id", "organizations"),
            ],
        }),
        filter: Some(("deals", "deal")),
        outlives_deletion: true,
        extra: &["creator_user_id", "archive_time"],
        v1: &[
            ("user_id", V1::From("owner_id")),
            ("deleted", V1::From("is_deleted")),
            ("cc_email", V1::From("smart_bcc_email")),
            ("company_id", V1::Made(|state, _| state.company().into())),
            ("first_add_time", V1::From("add_time")),
            v1_label(),
        ],
        rule: rules::deal,
        after: participants::after_deal,
        ..PLAIN
    },
    Collection {
        name: "persons",
        label: "Person",
        route: "/api/v2/persons",
        verbs: CRM,
        links: &[("owner_id", "users"), ("org_id", "organizations")],
        known_as: "person_id",
        required: &["name"],
        defaults: &[
            ("owner_id", Preset::User),
            ("emails", Preset::Empty),
            ("phones", Preset::Empty),
            ("visible_to", Preset::Visibility("person_default_visibility")),
            ("label_ids", Preset::Empty),
            ("custom_fields", Preset::Nothing),
        ],
        fields: "personFields",
        search: Some(&Search {
            kind: "person",
            fields: &[
                ("name", Place::Field("name")),
                ("email", Place::Values("emails")),
                ("phone", Place::Values("phones")),
                ("notes", Place::Notes),
                ("custom_fields", Place::CustomFields),
            ],
            nested: &[("owner", "owner_id", "users"), ("organization", "org_id", "organizations")],
        }),
        filter: Some(("people", "person")),
        through: &[("deal_id", participants::persons_of)],
        outlives_deletion: true,
        v1: &[
            ("email", V1::From("emails")),
            ("phone", V1::From("phones")),
            ("active_flag", V1::Not("is_deleted")),
            ("cc_email", V1::From("smart_bcc_email")),
            ("picture_id", V1::Linked("picture_id", "pictures")),
            ("company_id", V1::Made(|state, _| state.company().into())),
            v1_label(),
        ],
        rule: rules::person,
        ..PLAIN
    },
    Collection {
        name: "organizations",
        label: "Organization",
        route: "/api/v2/organizations",
        verbs: CRM,
        links: &[("owner_id", "users")],
        known_as: "org_id",
        defaults: &[
            ("owner_id", Preset::User),
            ("visible_to", Preset::Visibility("org_default_visibility")),
            ("label_ids", Preset::Empty),
            ("custom_fields", Preset::Nothing),
        ],
        fields: "organizationFields",
        search: Some(&Search {
            kind: "organization",
            fields: &[
                ("name", Place::Field("name")),
                ("address", Place::Address("address")),
                ("notes", Place::Notes),
                ("custom_fields", Place::CustomFields),
            ],
            nested: &[("owner", "owner_id", "users")],
        }),
        filter: Some(("org", "organization")),
        outlives_deletion: true,
        v1: &[
            ("active_flag", V1::Not("is_deleted")),
            ("cc_email", V1::From("smart_bcc_email")),
            ("address", V1::Made(|_, organization| part(organization, "address", "value"))),
            v1_label(),
        ],
        ..PLAIN
    },
    Collection {
        name: "activities",
        label: "Activity",
        route: "/api/v2/activities",
        links: &[
            ("owner_id", "users"),
            ("creator_user_id", "users"),
            ("deal_id", "deals"),
            ("lead_id", "leads"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("project_id", "projects"),
        ],
        known_as: "activity_id",
        defaults: &[
            ("subject", Preset::Text("Call")),
            ("type", Preset::Text("call")),
            ("owner_id", Preset::User),
            ("creator_user_id", Preset::User),
            ("busy", Preset::Flag(false)),
            ("done", Preset::Flag(false)),
            ("participants", Preset::Empty),
        ],
        filter: Some(("activity", "activity")),
        outlives_deletion: true,
        v1: &[
            ("user_id", V1::From("owner_id")),
            ("busy_flag", V1::From("busy")),
            ("active_flag", V1::Not("is_deleted")),
            ("company_id", V1::Made(|state, _| state.company().into())),
            ("location_subpremise", V1::Made(|_, activity| part(activity, "location", "subpremise"))),
            ("location_street_number", V1::Made(|_, activity| part(activity, "location", "street_number"))),
            ("location_route", V1::Made(|_, activity| part(activity, "location", "route"))),
            ("location_sublocality", V1::Made(|_, activity| part(activity, "location", "sublocality"))),
            ("location_locality", V1::Made(|_, activity| part(activity, "location", "locality"))),
            ("location_admin_area_level_1", V1::Made(|_, activity| part(activity, "location", "admin_area_level_1"))),
            ("location_admin_area_level_2", V1::Made(|_, activity| part(activity, "location", "admin_area_level_2"))),
            ("location_country", V1::Made(|_, activity| part(activity, "location", "country"))),
            ("location_postal_code", V1::Made(|_, activity| part(activity, "location", "postal_code"))),
            ("location_formatted_address", V1::Made(|_, activity| part(activity, "location", "formatted_address"))),
        ],
        rule: rules::activity,
        ..PLAIN
    },
    Collection {
        name: "pipelines",
        label: "Pipeline",
        route: "/api/v2/pipelines",
        known_as: "pipeline_id",
        defaults: &[("order_nr", Preset::Next("")), ("is_deal_probability_enabled", Preset::Flag(true))],
        outlives_deletion: true,
        after: rules::after_pipeline,
        ..PLAIN
    },
    Collection {
        name: "stages",
        label: "Stage",
        route: "/api/v2/stages",
        links: &[("pipeline_id", "pipelines")],
        known_as: "stage_id",
        defaults: &[
            ("order_nr", Preset::Next("pipeline_id")),
            ("deal_probability", Preset::Number(100)),
            ("is_deal_rot_enabled", Preset::Flag(false)),
        ],
        outlives_deletion: true,
        rule: rules::stage,
        after: rules::after_stage,
        ..PLAIN
    },
    Collection { name: "dealFields", route: "/api/v2/dealFields", ..FIELDS },
    Collection { name: "personFields", route: "/api/v2/personFields", ..FIELDS },
    Collection { name: "organizationFields", route: "/api/v2/organizationFields", ..FIELDS },
    Collection { name: "productFields", route: "/api/v2/productFields", ..FIELDS },
    Collection { name: "dealFields", route: "/api/v1/dealFields", ..FIELDS_V1 },
    Collection { name: "personFields", route: "/api/v1/personFields", ..FIELDS_V1 },
    Collection { name: "organizationFields", route: "/api/v1/organizationFields", ..FIELDS_V1 },
    Collection { name: "productFields", route: "/api/v1/productFields", ..FIELDS_V1 },
    Collection {
        name: "users",
        label: "User",
        route: "/api/v1/users",
        verbs: READ,
        known_as: "user_id",
        v1: &[("is_you", V1::IsYou), ("active_flag", V1::Not("is_deleted"))],
        ..PLAIN
    },
    Collection {
        name: "notes",
        label: "Note",
        route: "/api/v1/notes",
        links: &[
            ("user_id", "users"),
            ("deal_id", "deals"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("lead_id", "leads"),
            ("project_id", "projects"),
            ("task_id", "tasks"),
        ],
        defaults: &[
            ("user_id", Preset::User),
            ("last_update_user_id", Preset::User),
            ("pinned_to_lead_flag", Preset::Flag(false)),
            ("pinned_to_deal_flag", Preset::Flag(false)),
            ("pinned_to_organization_flag", Preset::Flag(false)),
            ("pinned_to_person_flag", Preset::Flag(false)),
            ("pinned_to_project_flag", Preset::Flag(false)),
            ("pinned_to_task_flag", Preset::Flag(false)),
        ],
        v1: &[
            ("active_flag", V1::Not("is_deleted")),
            ("deal", V1::Linked("deal_id", "deals")),
            ("person", V1::Linked("person_id", "persons")),
            ("organization", V1::Linked("org_id", "organizations")),
            ("user", V1::Linked("user_id", "users")),
        ],
        rule: rules::note,
        after: comments::after_note,
        ..PLAIN
    },
    Collection {
        name: "filters",
        label: "Filter",
        route: "/api/v1/filters",
        verbs: &[Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete, Verb::DeleteMany],
        defaults: &[
            ("user_id", Preset::User),
            ("is_editable", Preset::Flag(true)),
            ("temporary_flag", Preset::Flag(false)),
            ("visible_to", Preset::Number(1)),
        ],
        v1: &[("active_flag", V1::Not("is_deleted"))],
        rule: rules::filter,
        ..PLAIN
    },
];

mod account;
mod calls;
mod files;
mod followers;
mod leads;
mod mail;
mod products;

pub(crate) fn all() -> impl Iterator<Item = &'static Collection> {
    [COLLECTIONS, account::ROWS, calls::ROWS, files::ROWS, followers::ROWS, leads::ROWS, mail::ROWS, products::ROWS].into_iter().flatten()
}

/// The collection and verb that an operation is, where the sandbox has it.
pub(crate) fn served(operation: &Operation) -> Option<(&'static Collection, Verb)> {
    all().find_map(|collection| {
        let verb = collection.verb(&operation.method, &operation.path)?;
        collection.verbs.contains(&verb).then_some((collection, verb))
    })
}

pub(crate) fn collection(name: &str) -> Option<&'static Collection> {
    all().find(|c| c.name == name)
}

/// A collection that the code names.
pub(crate) fn known(name: &str) -> &'static Collection {
    collection(name).expect("the collection is in the table")
}

/// The collection that a filter's conditions call by this name.
pub(crate) fn filtered_as(object: &str) -> Option<&'static Collection> {
    all().find(|c| c.filter.is_some_and(|(_, name)| name == object))
}

impl Collection {
    fn verb(&self, method: &str, path: &str) -> Option<Verb> {
        // Merging stayed in v1 when the collections moved on.
        let merged = path.strip_prefix("/api/v1").and_then(|path| path.strip_suffix("/{id}/merge"));
        if merged.is_some() && method == "PUT" {
            return (merged == self.route.strip_prefix("/api/v2")).then_some(Verb::Merge);
        }
        let rest = path.strip_prefix(self.route)?;
        match (method, rest) {
            ("GET", "" | "/archived") => Some(Verb::List),
            ("GET", "/search") => Some(Verb::Search),
            ("POST", "") => Some(Verb::Create),
            ("DELETE", "") => Some(Verb::DeleteMany),
            ("POST", "/{field_code}/options") => Some(Verb::AddOptions),
            ("PATCH", "/{field_code}/options") => Some(Verb::ChangeOptions),
            ("DELETE", "/{field_code}/options") => Some(Verb::DropOptions),
            (_, one) if self.names(one) => match method {
                "GET" => Some(Verb::Get),
                "PATCH" | "PUT" => Some(Verb::Update),
                "DELETE" => Some(Verb::Delete),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the rest of a path is the variable of one record.
    fn names(&self, rest: &str) -> bool {
        let variable = rest.strip_prefix("/{").and_then(|rest| rest.strip_suffix('}'));
        variable.is_some_and(|variable| variable == self.key || matches!(variable, "id" | "commentId"))
    }

    /// Whether a record is inside the one that the path names.
    pub(crate) fn has(&self, call: &Call, row: &Record) -> bool {
        self.within.is_none_or(|(field, _)| row.get(field).and_then(Value::as_u64) == Some(call.id()))
    }

    /// Refuses a path that goes through a record that is not there.
    pub(crate) fn reachable(&self, state: &State, call: &Call) -> Result<(), Failure> {
        match self.within {
            Some((_, table)) if state.get_live(table, call.id()).is_none() => {
                Err(call.missing(collection(table).map_or(self.label, |around| around.label)))
            }
            _ => Ok(()),
        }
    }
}
