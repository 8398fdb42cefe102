//! The rows of what is uploaded.

use serde_json::{Value, json};

use crate::engine::state::State;
use crate::files;
use crate::value::record::Record;

use super::{CRUD, Collection, PLAIN, Preset, V1};

pub(super) static ROWS: &[Collection] = &[FILES, PICTURES];

const FILES: Collection = Collection {
    name: "files",
    label: "File",
    route: "/api/v1/files",
    verbs: CRUD,
    links: &[
        ("user_id", "users"),
        ("deal_id", "deals"),
        ("person_id", "persons"),
        ("org_id", "organizations"),
        ("product_id", "products"),
        ("activity_id", "activities"),
        ("lead_id", "leads"),
        ("project_id", "projects"),
    ],
    defaults: &[
        ("user_id", Preset::User),
        ("description", Preset::Text("")),
        ("remote_location", Preset::Text("s3")),
        ("s3_bucket", Preset::Text("")),
        ("cid", Preset::Text("")),
        ("mail_message_id", Preset::Text("")),
        ("mail_template_id", Preset::Text("")),
        ("inline_flag", Preset::Flag(false)),
    ],
    v1: &[
        ("active_flag", V1::Not("is_deleted")),
        ("remote_id", V1::From("file_name")),
        ("url", V1::Made(|_, file| files::url(file).into())),
        ("deal_name", V1::Made(|state, file| name_of(state, file, "deal_id", "deals", "title"))),
        ("person_name", V1::Made(|state, file| name_of(state, file, "person_id", "persons", "name"))),
        ("org_name", V1::Made(|state, file| name_of(state, file, "org_id", "organizations", "name"))),
        ("product_name", V1::Made(|state, file| name_of(state, file, "product_id", "products", "name"))),
        ("lead_name", V1::Made(|state, file| name_of(state, file, "lead_id", "leads", "title"))),
        ("project_name", V1::Made(|state, file| name_of(state, file, "project_id", "projects", "title"))),
    ],
    rule: files::rule,
    ..PLAIN
};

const PICTURES: Collection = Collection {
    name: "pictures",
    label: "Picture",
    route: "/api/v1/persons/{id}/picture",
    verbs: &[],
    links: &[("item_id", "persons"), ("added_by_user_id", "users")],
    ..PLAIN
};

/// The name of what a file is linked to; empty where it is linked to none.
fn name_of(state: &State, file: &Record, field: &str, table: &str, name: &str) -> Value {
    state.linked(file, field, table).and_then(|row| row.get(name)).cloned().unwrap_or_else(|| json!(""))
}
