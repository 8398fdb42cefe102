//! The followers of the demo's records, and the participants of its deals.

use crate::demo::rows::{DAYS, make_time};
use crate::engine::state::{FIRST_USER, State};
use crate::objects::followers::{FollowChange, find_field, follow};
use crate::objects::participants::join;
use crate::value::record::{Record, read_id, read_text};

/// Table, id, and the users who follow the record.
const FOLLOWING: &[(&str, u64, &[u64])] = &[
    ("deals", 1, &[1, 2, 3]),
    ("deals", 2, &[2]),
    ("deals", 3, &[1]),
    ("persons", 1, &[1, 2]),
    ("persons", 3, &[4]),
    ("organizations", 1, &[1, 2]),
    ("organizations", 2, &[3, 4]),
    ("products", 1, &[1, 2]),
    ("products", 2, &[1]),
    ("users", 1, &[2, 3, 4]),
    ("users", 2, &[1]),
];

/// The participants of the first deal beside its own person.
const IN_FIRST_DEAL: &[u64] = &[2, 3];

pub(super) fn add(state: &mut State) {
    for (n, (table, id, users)) in (0..).zip(FOLLOWING) {
        let Some(field) = find_field(table).filter(|_| state.get(table, *id).is_some()) else { continue };
        for user in users.iter().copied() {
            follow(state, &FollowChange { field, id: *id, user, actor: user, time: make_time(DAYS, n * 60 + user) });
        }
    }
    let read_person = |deal: &Record| Some((read_id(deal)?, deal.get("person_id")?.as_u64()?, read_text(deal, "add_time").to_owned()));
    for (deal, person, time) in state.rows("deals").filter_map(read_person).collect::<Vec<_>>() {
        join(state, deal, person, FIRST_USER, &time);
    }
    for person in IN_FIRST_DEAL {
        join(state, 1, *person, FIRST_USER, &make_time(DAYS, *person));
    }
}
