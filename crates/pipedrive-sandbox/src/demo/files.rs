//! The demo's files.

use bytes::Bytes;
use serde_json::json;

use crate::demo::rows::{build_record, make_time};
use crate::engine::fields::make_key;
use crate::engine::state::{FIRST_USER, State};
use crate::objects::files::build_fields;
use crate::objects::pictures::build_picture;
use crate::value::content::File;
use crate::value::record::read_id;

/// Name, media type, the linking field and the id in it, bytes.
const FILES: &[(&str, &str, &str, u64, &[u8])] = &[
    ("offer.txt", "text/plain", "deal_id", 1, b"Offer\n\n10 licences, one year.\n"),
    ("contact.vcf", "text/vcard", "person_id", 1, b"BEGIN:VCARD\nVERSION:4.0\nFN:Alma Ashford\nEND:VCARD\n"),
    ("frame contract.csv", "text/csv", "org_id", 1, b"part,from,until\nbase,2026-01-01,2026-12-31\n"),
    ("data sheet.json", "application/json", "product_id", 1, b"{\"weight\": 12}\n"),
    ("signed offer.txt", "text/plain", "deal_id", 1, b"Offer, signed.\n"),
    ("menü.bin", "application/octet-stream", "deal_id", 2, &[0x00, 0xff, 0x0d, 0x0a, 0x1a, 0x80]),
];

pub(super) fn add(state: &mut State) {
    for (number, (name, media, field, id, bytes)) in (1..).zip(FILES) {
        let time = make_time(200, 60 * number);
        let mut row = build_record(json!({
            "user_id": FIRST_USER, "add_time": time, "update_time": time, "is_deleted": false, "description": "", "remote_location": "s3",
            "s3_bucket": "", "cid": "", "mail_message_id": "", "mail_template_id": "", "inline_flag": false,
        }));
        row.insert((*field).to_owned(), (*id).into());
        let file = File { name: (*name).to_owned(), media: (*media).to_owned(), bytes: Bytes::from_static(bytes) };
        row.extend(build_fields(state, &file));
        state.insert("files", row);
    }
    add_picture(state);
}

/// Adds the picture of the first person.
fn add_picture(state: &mut State) {
    let time = make_time(200, 0);
    let mut row = build_picture(1, FIRST_USER, 20_480, &format!("{}.jpg", make_key(state, "pictures")));
    row.extend(build_record(json!({ "add_time": time, "update_time": time })));
    let id = state.insert("pictures", row);
    state.change(
        "persons",
        |person| read_id(person) == Some(1),
        |person| {
            person.insert("picture_id".to_owned(), id.into());
        },
    );
}
