//! A person's picture: one at a time, square, in two sizes.

use serde_json::{Value, json};

use crate::answer::{Call, Deed, Report, shaped, success};
use crate::collections::{Collection, collection};
use crate::engine::fields::field_key;
use crate::engine::read;
use crate::engine::state::State;
use crate::engine::write::mark_deleted;
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::image::Image;
use crate::value::record::Record;

pub(crate) const REPORTS: &[(&str, Report)] = &[("/api/v2/persons/{id}/picture", one)];

pub(crate) const DEEDS: &[(&str, &str, Deed)] =
    &[("POST", "/api/v1/persons/{id}/picture", add), ("DELETE", "/api/v1/persons/{id}/picture", delete)];

const LEAST_PIXELS: u64 = 128;

fn pictures() -> &'static Collection {
    collection("pictures").expect("the table has a row for pictures")
}

fn person<'a>(state: &'a State, call: &Call) -> Result<&'a Record, Failure> {
    state.get_live("persons", call.id()).ok_or_else(|| Failure::not_found("Person"))
}

fn of<'a>(state: &'a State, person: &Record) -> Result<&'a Record, Failure> {
    state.linked(person, "picture_id", pictures().name).ok_or_else(|| Failure::not_found(pictures().label))
}

fn one(state: &State, call: &Call) -> Result<Value, Failure> {
    let picture = of(state, person(state, call)?)?;
    Ok(success(read::record(state, call, pictures(), picture)))
}

fn add(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut person = person(state, call)?.clone();
    let file = call.file.as_ref().ok_or_else(|| Failure::invalid("file", "is required"))?;
    let image = Image::of(&file.bytes).ok_or_else(|| Failure::invalid("file", "must be a GIF, JPG or PNG"))?;
    check(call, image)?;
    if let Ok(old) = of(state, &person) {
        retire(state, call, old.clone());
    }
    let name = field_key(state, &format!("pictures.{}", state.rows(pictures().name).count()));
    let mut row = made(call.id(), call.user, file.bytes.len(), &format!("{name}.{}", image.ending));
    row.insert("add_time".to_owned(), stamp(call.now).into());
    row.insert("update_time".to_owned(), stamp(call.now).into());
    let id = state.insert(pictures().name, row);
    person.insert("picture_id".to_owned(), id.into());
    touch(state, call, person);
    let picture = state.get(pictures().name, id).cloned().unwrap_or_default();
    // The document calls the answer's data by a name that stands for the picture's id; what is answered is the picture.
    let shape = call.shape(&["data", "PICTURE_ID"]);
    Ok(success(shape.map(|shape| shaped(state, call, pictures(), &picture, shape)).unwrap_or_default()))
}

fn delete(state: &mut State, call: &Call) -> Result<Value, Failure> {
    let mut person = person(state, call)?.clone();
    let picture = of(state, &person)?.clone();
    let id = picture.get("id").cloned();
    retire(state, call, picture);
    person.shift_remove("picture_id");
    touch(state, call, person);
    Ok(success(json!({ "id": id })))
}

/// What is cut out of an image, or all of it, must be a square of some size.
fn check(call: &Call, image: Image) -> Result<(), Failure> {
    let given = |name: &str| call.body.get(name).and_then(Value::as_i64).map(|n| u64::try_from(n).unwrap_or(u64::MAX));
    let width = given("crop_width").unwrap_or(image.width);
    let height = given("crop_height").unwrap_or(image.height);
    let right = given("crop_x").unwrap_or(0).saturating_add(width);
    let bottom = given("crop_y").unwrap_or(0).saturating_add(height);
    if right > image.width || bottom > image.height {
        return Err(Failure::bad_request("The cropping area must lie within the image."));
    }
    if width != height || width < LEAST_PIXELS {
        return Err(Failure::bad_request(format!("The picture must be a square of at least {LEAST_PIXELS} pixels.")));
    }
    Ok(())
}

/// A picture as it is kept, but for its times.
pub(crate) fn made(person: u64, user: u64, size: usize, name: &str) -> Record {
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
    state.put(pictures().name, picture);
}

fn touch(state: &mut State, call: &Call, mut person: Record) {
    person.insert("update_time".to_owned(), stamp(call.now).into());
    state.put("persons", person);
}
