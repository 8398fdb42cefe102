//! The rows of what an account has beside its records: fields of activities and notes, permission sets, roles.

use crate::roles;

use super::{Collection, FIELDS, FIELDS_V1, PLAIN, READ, V1, Verb};

pub(super) static ROWS: &[Collection] = &[
    Collection { name: "activityFields", route: "/api/v2/activityFields", verbs: READ, ..FIELDS },
    Collection { name: "activityFields", route: "/api/v1/activityFields", verbs: &[Verb::List], ..FIELDS_V1 },
    Collection { name: "noteFields", route: "/api/v1/noteFields", verbs: &[Verb::List], ..FIELDS_V1 },
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
