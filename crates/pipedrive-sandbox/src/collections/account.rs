//! The rows of what an account has beside its records: fields of activities and notes, types of activities, comments, roles.

use crate::{activity_types, comments, roles};

use super::{CRUD, Collection, FIELDS, FIELDS_V1, PLAIN, Preset, READ, V1, Verb};

pub(super) static ROWS: &[Collection] = &[
    Collection { name: "activityFields", route: "/api/v2/activityFields", verbs: READ, ..FIELDS },
    Collection { name: "activityFields", route: "/api/v1/activityFields", verbs: &[Verb::List], ..FIELDS_V1 },
    Collection { name: "noteFields", route: "/api/v1/noteFields", verbs: &[Verb::List], ..FIELDS_V1 },
    Collection {
        name: "activityTypes",
        label: "Activity type",
        route: "/api/v1/activityTypes",
        verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
        defaults: &[("order_nr", Preset::Next("")), ("color", Preset::Text("FFFFFF")), ("is_custom_flag", Preset::Flag(true))],
        v1: &[("active_flag", V1::Not("is_deleted"))],
        rule: activity_types::rule,
        ..PLAIN
    },
    Collection {
        name: "noteComments",
        label: "Comment",
        route: "/api/v1/notes/{id}/comments",
        verbs: CRUD,
        key: "commentId",
        defaults: &[("user_id", Preset::User), ("object_type", Preset::Text("note"))],
        hidden: comments::hidden,
        v1: &[
            ("uuid", V1::From("commentId")),
            ("active_flag", V1::Not("is_deleted")),
            ("add_time", V1::Moment("add_time")),
            ("update_time", V1::Moment("update_time")),
            ("company_id", V1::Company),
        ],
        rule: comments::rule,
        ..PLAIN
    },
    Collection {
        name: "permissionSets",
        label: "Permission set",
        route: "/api/v1/permissionSets",
        verbs: &[Verb::List],
        v1: &[("id", V1::From("uuid")), ("assignment_count", V1::Made(|state, set| roles::assigned(state, set).count().into()))],
        ..PLAIN
    },
    Collection {
        name: "roles",
        label: "Role",
        route: "/api/v1/roles",
        links: &[("parent_role_id", "roles")],
        v1: &[
            ("active_flag", V1::Not("is_deleted")),
            ("assignment_count", V1::Made(|state, role| roles::members(state, role).count().to_string().into())),
            ("sub_role_count", V1::Made(|state, role| roles::below(state, role).count().to_string().into())),
            ("level", V1::Made(|state, role| roles::level(state, role).into())),
        ],
        rule: roles::rule,
        after: roles::after,
        ..PLAIN
    },
];
