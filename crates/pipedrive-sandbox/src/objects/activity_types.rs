//! The types of activities.

use crate::engine::collection::{Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1, Verb};
use crate::value::failure::Failure;
use crate::value::record::read_text;

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "activityTypes",
        label: "Activity type",
        route: "/api/v1/activityTypes",
        verbs: &[Verb::List, Verb::Create, Verb::Update, Verb::Delete],
        defaults: &[("order_nr", Preset::Next("")), ("color", Preset::Text("FFFFFF")), ("is_custom_flag", Preset::Flag(true))],
        v1: &[("active_flag", V1::Not("is_deleted"))],
        check,
        ..NO_COLLECTION
    }],
    ..NO_OBJECT
};

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("name")?;
    let color = read_text(draft.row, "color");
    if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::invalid("color", "must be six hexadecimal digits"));
    }
    if draft.before.is_none() {
        let key = make_free_key(draft);
        draft.set("key_string", key);
    }
    Ok(())
}

/// Makes the key by which activities name their type: `video_call` for `Video call`, or else `video_call2`.
fn make_free_key(draft: &Draft) -> String {
    let key = read_text(draft.row, "name").to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
    let is_free = |key: &String| !draft.state.rows(draft.table).any(|other| read_text(other, "key_string") == key);
    let numbered = (2_u32..).map(|number| format!("{key}{number}"));
    std::iter::once(key.clone()).chain(numbered).find(is_free).unwrap_or(key)
}
