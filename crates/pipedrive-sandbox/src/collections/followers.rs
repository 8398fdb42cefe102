//! The rows of what ties users and persons to records. They are served by code alone: one table is behind several paths.

use crate::{followers, participants};

use super::{Collection, PLAIN};

/// By these a follower, or a change of one, is of a user and of what is followed. Merging moves them along.
const ENDS: &[(&str, &str)] = &[
    ("user_id", "users"),
    ("deal_id", "deals"),
    ("person_id", "persons"),
    ("org_id", "organizations"),
    ("product_id", "products"),
    ("followed_user_id", "users"),
];

pub(super) static ROWS: &[Collection] = &[
    Collection { name: followers::TABLE, label: "Follower", verbs: &[], links: ENDS, ..PLAIN },
    Collection { name: followers::CHANGES, verbs: &[], links: ENDS, ..PLAIN },
    Collection {
        name: participants::TABLE,
        label: "Participant",
        verbs: &[],
        links: &[("deal_id", "deals"), ("person_id", "persons")],
        ..PLAIN
    },
];
