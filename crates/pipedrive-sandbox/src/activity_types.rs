//! What a type of activities demands: a name, a key of its own made from it, and a colour.

use crate::rules::Draft;
use crate::value::failure::Failure;
use crate::value::record::text;

pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    draft.named("name")?;
    let color = text(draft.row, "color");
    if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::invalid("color", "must be six hexadecimal digits"));
    }
    if draft.before.is_none() {
        let key = free_key(draft);
        draft.set("key_string", key);
    }
    Ok(())
}

/// By which activities name their type: `Video call` is `video_call`, and `video_call2` where there is one.
fn free_key(draft: &Draft) -> String {
    let key = text(draft.row, "name").to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
    let is_free = |key: &String| !draft.state.rows(draft.table).any(|other| text(other, "key_string") == key);
    let numbered = (2_u32..).map(|number| format!("{key}{number}"));
    std::iter::once(key.clone()).chain(numbered).find(is_free).unwrap_or(key)
}
