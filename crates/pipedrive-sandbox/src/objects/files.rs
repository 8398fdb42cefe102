//! Uploaded files, whose bytes are stored as base64 in their record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::engine::collection::{CRUD, Call, Collection, Draft, NO_COLLECTION, NO_OBJECT, Object, Preset, V1};
use crate::engine::fields::make_key;
use crate::engine::read::answer_list;
use crate::engine::state::State;
use crate::objects::users::CALLER;
use crate::value::content::File;
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
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
            ("user_id", CALLER),
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
            ("url", V1::Computed(|_, file| build_url(file).into())),
            ("deal_name", V1::Computed(|state, file| find_name(state, file, "deal_id", "deals", "title"))),
            ("person_name", V1::Computed(|state, file| find_name(state, file, "person_id", "persons", "name"))),
            ("org_name", V1::Computed(|state, file| find_name(state, file, "org_id", "organizations", "name"))),
            ("product_name", V1::Computed(|state, file| find_name(state, file, "product_id", "products", "name"))),
            ("lead_name", V1::Computed(|state, file| find_name(state, file, "lead_id", "leads", "title"))),
            ("project_name", V1::Computed(|state, file| find_name(state, file, "project_id", "projects", "title"))),
        ],
        check,
        ..NO_COLLECTION
    }],
    reports: &[
        ("/api/v1/deals/{id}/files", |state, call| list_linked(state, call, "Deal", "deals", "deal_id")),
        ("/api/v1/persons/{id}/files", |state, call| list_linked(state, call, "Person", "persons", "person_id")),
        ("/api/v1/organizations/{id}/files", |state, call| list_linked(state, call, "Organization", "organizations", "org_id")),
        ("/api/v1/products/{id}/files", |state, call| list_linked(state, call, "Product", "products", "product_id")),
    ],
    downloads: &[("/api/v1/files/{id}/download", download)],
    ..NO_OBJECT
};

/// The field with the bytes.
const BYTES: &str = "base64";

fn list_linked(state: &State, call: &Call, label: &str, table: &str, field: &str) -> Result<Value, Failure> {
    state.get_live(table, call.id()).ok_or_else(|| call.refuse_missing(label))?;
    let is_linked = |file: &&Record| file.get(field).and_then(Value::as_u64) == Some(call.id());
    answer_list(state, call, call.tables.collection("files"), state.live("files").filter(is_linked).collect())
}

fn download(state: &State, call: &Call) -> Result<File, Failure> {
    let row = state.get_live("files", call.id()).ok_or_else(|| call.refuse_missing("File"))?;
    let bytes = STANDARD.decode(read_text(row, BYTES)).map_err(|_| Failure::internal("The stored bytes of the file are damaged."))?;
    Ok(File { name: read_text(row, "name").to_owned(), media: read_text(row, "media").to_owned(), bytes: bytes.into() })
}

fn check(draft: &mut Draft) -> Result<(), Failure> {
    if let Some(file) = &draft.call.file {
        draft.row.extend(build_fields(draft.state, file));
    }
    draft.require_text("name")
}

/// Builds the fields of a file's record. The name in the storage is the file's with a unique suffix.
pub(crate) fn build_fields(state: &State, file: &File) -> Record {
    let (stem, ending) = file.name.rsplit_once('.').map_or((file.name.as_str(), String::new()), |(stem, end)| (stem, format!(".{end}")));
    let unique = make_key(state, &format!("files.{}", state.rows("files").count()));
    Record::from_iter([
        ("name".to_owned(), file.name.clone().into()),
        ("file_name".to_owned(), format!("{stem}_{unique}{ending}").into()),
        ("file_size".to_owned(), file.bytes.len().into()),
        ("media".to_owned(), file.media.clone().into()),
        (BYTES.to_owned(), STANDARD.encode(&file.bytes).into()),
    ])
}

fn build_url(file: &Record) -> String {
    format!("https://sandbox.example.com/api/v1/files/{}/download", read_id(file).unwrap_or(0))
}

/// Finds the name of the record to which a file is linked; empty if there is none.
fn find_name(state: &State, file: &Record, field: &str, table: &str, name: &str) -> Value {
    state.find_linked(file, field, table).and_then(|row| row.get(name)).cloned().unwrap_or_else(|| json!(""))
}
