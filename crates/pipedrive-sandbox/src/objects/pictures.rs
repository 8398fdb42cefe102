//! The picture of a person: one at a time, square, in two sizes.

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, NO_COLLECTION, NO_OBJECT, Object};
use crate::engine::envelope::wrap;
use crate::engine::fields::make_key;
use crate::engine::read::shape_data;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::image::Image;
use crate::value::record::Record;

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: TABLE,
        label: "Picture",
        route: "/api/v1/persons/{id}/picture",
        verbs: &[],
        links: &[("item_id", "persons"), ("added_by_user_id", "users")],
        ..NO_COLLECTION
    }],
    reports: &[("/api/v2/persons/{id}/picture", read_picture)],
    writes: &[("POST", "/api/v1/persons/{id}/picture", add), ("DELETE", "/api/v1/persons/{id}/picture", delete)],
    ..NO_OBJECT
};

const MIN_PIXELS: u64 = 128;

const TABLE: &str = "pictures";

fn find_person<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("persons", call.id()).ok_or_else(|| Failure::not_found("Person"))
}

fn find_picture<'a>(state: &'a State, person: &Record) -> Result<&'a Record, Failure> {
    state.find_linked(person, "picture_id", TABLE).ok_or_else(|| Failure::not_found("Picture"))
}

fn read_picture(state: &State, call: &Call) -> Result<Value, Failure> {
    let picture = find_picture(state, find_person(state, call)?)?;
    Ok(wrap(shape_data(state, call, call.tables.collection(TABLE), picture)))
}

fn add(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut person = find_person(state, call)?.clone();
    let file = call.file.as_ref().ok_or_else(|| Failure::invalid("file", "is required"))?;
    let image = Image::read(&file.bytes).ok_or_else(|| Failure::invalid("file", "must be a GIF, JPG or PNG"))?;
    check_area(call, image)?;
    if let Ok(old) = find_picture(state, &person) {
        retire(state, call, old.clone());
    }
    let name = make_key(state, &format!("pictures.{}", state.rows(TABLE).count()));
    let mut row = build_picture(call.id(), call.user, file.bytes.len(), &format!("{name}.{}", image.ending));
    row.insert("add_time".to_owned(), stamp(call.now).into());
    row.insert("update_time".to_owned(), stamp(call.now).into());
    let id = state.insert(TABLE, row);
    person.insert("picture_id".to_owned(), id.into());
    store_person(state, call, person);
    let picture = state.get(TABLE, id).cloned().unwrap_or_default();
    // The document has a placeholder around the picture's shape. The answer has the picture alone.
    let shape = call.shape(&["data", "PICTURE_ID"]);
    Ok(wrap(shape.map(|shape| shape_record(state, call, call.tables.collection(TABLE), &picture, shape)).unwrap_or_default()))
}

fn delete(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut person = find_person(state, call)?.clone();
    let picture = find_picture(state, &person)?.clone();
    let id = picture.get("id").cloned();
    retire(state, call, picture);
    person.shift_remove("picture_id");
    store_person(state, call, person);
    Ok(wrap(json!({ "id": id })))
}

/// Checks that the cropped area, or the whole image, is a square of sufficient size.
fn check_area(call: &Call, image: Image) -> Result<(), Failure> {
    let number = |name: &str| call.body.get(name).and_then(Value::as_i64).map(|n| u64::try_from(n).unwrap_or(u64::MAX));
    let width = number("crop_width").unwrap_or(image.width);
    let height = number("crop_height").unwrap_or(image.height);
    let right = number("crop_x").unwrap_or(0).saturating_add(width);
    let bottom = number("crop_y").unwrap_or(0).saturating_add(height);
    if right > image.width || bottom > image.height {
        return Err(Failure::bad_request("The cropping area must lie within the image."));
    }
    if width != height || width < MIN_PIXELS {
        return Err(Failure::bad_request(format!("The picture must be a square of at least {MIN_PIXELS} pixels.")));
    }
    Ok(())
}

/// Builds a picture's record without its times.
pub(crate) fn build_picture(person: u64, user: u64, size: usize, name: &str) -> Record {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "jpg"));
    let url = |pixels: u64| format!("https://sandbox.example.com/pictures/{stem}_{pixels}.{ending}");
    let fields = [
        ("item_type", json!("person")),
        ("item_id", json!(person)),
        ("active_flag", json!(true)),
        ("added_by_user_id", json!(user)),
        ("file_size", json!(size)),
        ("pictures", json!({ "128": url(128), "512": url(512) })),
        ("is_deleted", json!(false)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn retire(state: &mut State, call: &Call, mut picture: Record) {
    picture.insert("active_flag".to_owned(), false.into());
    mark_deleted(&mut picture, call);
    state.put(TABLE, picture);
}

fn store_person(state: &mut State, call: &Call, mut person: Record) {
    person.insert("update_time".to_owned(), stamp(call.now).into());
    state.put("persons", person);
}
