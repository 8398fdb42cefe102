//! Uploaded files: their bytes, kept as base64 in their record, and the lists of them by what they are linked to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::answer::{Call, Report};
use crate::collections::{Collection, collection};
use crate::engine::fields::field_key;
use crate::engine::read;
use crate::engine::state::State;
use crate::rules::Draft;
use crate::value::content::File;
use crate::value::failure::Failure;
use crate::value::record::{Record, id_of, text};

pub(crate) const DOWNLOAD: &str = "/api/v1/files/{id}/download";

pub(crate) const REPORTS: &[(&str, Report)] = &[
    ("/api/v1/deals/{id}/files", |state, call| linked(state, call, "Deal", "deals", "deal_id")),
    ("/api/v1/persons/{id}/files", |state, call| linked(state, call, "Person", "persons", "person_id")),
    ("/api/v1/organizations/{id}/files", |state, call| linked(state, call, "Organization", "organizations", "org_id")),
    ("/api/v1/products/{id}/files", |state, call| linked(state, call, "Product", "products", "product_id")),
];

/// Where a record keeps its bytes.
const BYTES: &str = "base64";

fn files() -> &'static Collection {
    collection("files").expect("the table has a row for files")
}

fn linked(state: &State, call: &Call, label: &str, table: &str, field: &str) -> Result<Value, Failure> {
    state.get_live(table, call.id()).ok_or_else(|| call.missing(label))?;
    let about = |file: &&Record| file.get(field).and_then(Value::as_u64) == Some(call.id());
    read::paged(state, call, files(), state.live("files").filter(about).collect())
}

pub(crate) fn download(state: &State, call: &Call) -> Result<File, Failure> {
    let row = state.get_live("files", call.id()).ok_or_else(|| call.missing(files().label))?;
    let bytes = STANDARD.decode(text(row, BYTES)).map_err(|_| Failure::internal("The bytes of the file are not as they were kept."))?;
    Ok(File { name: text(row, "name").to_owned(), media: text(row, "media").to_owned(), bytes: bytes.into() })
}

pub(crate) fn rule(draft: &mut Draft) -> Result<(), Failure> {
    if let Some(file) = &draft.call.file {
        draft.row.extend(kept(draft.state, file));
    }
    draft.named("name")
}

/// What a record keeps of a file. Its name in the storage is its own with what makes it the only one.
pub(crate) fn kept(state: &State, file: &File) -> Record {
    let (stem, ending) = file.name.rsplit_once('.').map_or((file.name.as_str(), String::new()), |(stem, end)| (stem, format!(".{end}")));
    let unique = field_key(state, &format!("files.{}", state.rows("files").count()));
    Record::from_iter([
        ("name".to_owned(), file.name.clone().into()),
        ("file_name".to_owned(), format!("{stem}_{unique}{ending}").into()),
        ("file_size".to_owned(), file.bytes.len().into()),
        ("media".to_owned(), file.media.clone().into()),
        (BYTES.to_owned(), STANDARD.encode(&file.bytes).into()),
    ])
}

pub(crate) fn url(file: &Record) -> String {
    format!("https://sandbox.example.com/api/v1/files/{}/download", id_of(file).unwrap_or(0))
}
