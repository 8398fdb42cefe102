//! Pictures of persons.

use serde_json::{Value, json};

use super::{assert_refused, get, get_data, sandbox, send, send_ok, upload};
use crate::edge::sandbox::Sandbox;
use crate::value::image::Image;

/// Builds the head of a PNG of a size.
fn build_png(width: u32, height: u32) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat()
}

fn send_picture(sandbox: &Sandbox, person: u64, fields: &[(&str, &str)], bytes: &[u8]) -> (u16, Value) {
    upload(sandbox, "POST", &format!("/v1/persons/{person}/picture"), fields, Some(("file", "face.png", "image/png", bytes)))
}

#[test]
fn person_has_one_picture_at_a_time() {
    let sandbox = sandbox();
    let id = |person: u64| get_data(&sandbox, &format!("/api/v2/persons/{person}"))["picture_id"].clone();
    let first = get_data(&sandbox, "/api/v2/persons/1/picture");
    assert_eq!((&id(1), &first["item_id"], &first["active_flag"]), (&json!(1), &json!(1), &json!(true)));
    assert!(first["pictures"]["128"].as_str().is_some_and(|url| url.ends_with("_128.jpg")));
    assert_eq!(id(2), Value::Null);
    assert_refused(&get(&sandbox, "/api/v2/persons/2/picture"), 404, "Picture not found");

    let (status, added) = send_picture(&sandbox, 1, &[], &build_png(128, 128));
    let second = get_data(&sandbox, "/api/v2/persons/1/picture");
    assert_eq!((status, &added["data"]["id"], &second["file_size"]), (200, &second["id"], &json!(build_png(1, 1).len())));
    assert_eq!((id(1), &added["data"]["add_time"]), (second["id"].clone(), &json!("2026-11-22 12:00:00")));
    assert_ne!(second["pictures"], first["pictures"], "a new picture should have new addresses");

    let merged = send_ok(&sandbox, "PUT", "/v1/persons/1/merge", json!({ "merge_with_id": 2 }));
    assert_eq!(
        (&merged["picture_id"]["id"], &merged["picture_id"]["item_id"]),
        (&second["id"], &json!(2)),
        "v1 should answer the picture itself"
    );
    assert_eq!(send_ok(&sandbox, "DELETE", "/v1/persons/2/picture", json!({})), json!({ "id": second["id"] }));
    assert_eq!(id(2), Value::Null);
    assert_refused(&get(&sandbox, "/api/v2/persons/2/picture"), 404, "Picture not found");
    assert_refused(&send(&sandbox, "DELETE", "/v1/persons/2/picture", json!({})), 404, "Picture not found");
}

#[test]
fn rejects_pictures_that_are_small_or_not_square() {
    let sandbox = sandbox();
    let crop = |x, side| [("crop_x", x), ("crop_y", "0"), ("crop_width", side), ("crop_height", side)];
    for (fields, bytes, part) in [
        (&[][..], b"hello".to_vec(), "must be a GIF, JPG or PNG"),
        (&[], build_png(128, 128)[..18].to_vec(), "must be a GIF, JPG or PNG"),
        (&[], build_png(127, 127), "square of at least 128"),
        (&[], build_png(200, 300), "square of at least 128"),
        (&crop("0", "100"), build_png(200, 300), "square of at least 128"),
        (&crop("100", "150"), build_png(200, 300), "within the image"),
        (&crop("-1", "150"), build_png(200, 300), "within the image"),
        (&[("crop_x", "a")], build_png(128, 128), "crop_x: must be an integer"),
    ] {
        assert_refused(&send_picture(&sandbox, 2, fields, &bytes), 400, part);
    }
    assert_refused(&upload(&sandbox, "POST", "/v1/persons/2/picture", &[], None), 400, "file: is required");
    assert_refused(&send_picture(&sandbox, 9999, &[], &build_png(128, 128)), 404, "Person not found");
    assert_eq!(send_picture(&sandbox, 2, &crop("50", "150"), &build_png(200, 300)).0, 200);
}

#[test]
fn reads_the_size_of_images() {
    let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x02\xff\xc2\0\x0b\x08\x01\x02\x03\x04\x01";
    for (bytes, ending, width, height) in [
        (build_png(70_000, 2), "png", 70_000, 2),
        (b"GIF89a\x02\x01\x04\x03".to_vec(), "gif", 0x0102, 0x0304),
        (jpeg.to_vec(), "jpg", 0x0304, 0x0102),
    ] {
        assert_eq!(Image::read(&bytes), Some(Image { ending, width, height }));
    }
    assert_eq!(Image::read(&jpeg[..12]), None);
    assert_eq!(Image::read(b"\xff\xd8\xff\xe0\0\x02ab"), None, "bytes that are no segment should end the search");
}
