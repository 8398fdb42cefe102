//! Files: unchanged bytes, lists, and redirects of downloads to a storage host.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::storage::Folder;
use super::{
    assert_refused, get, get_data, list_ids, open_sandbox, options, read_response, request, sandbox, send, send_as, send_ok, upload,
};
use crate::Downloads;
use crate::edge::options::Options;
use crate::edge::sandbox::Sandbox;

const FORM: &str = "application/x-www-form-urlencoded";
/// Bytes that are no text in any encoding, with line ends and a delimiter of parts.
const BYTES: &[u8] = b"\x00\xff\r\n--\r\n\xc3\x28\x1a";

fn add_file(sandbox: &Sandbox, fields: &[(&str, &str)], name: &str) -> Value {
    let (status, answer) = upload(sandbox, "POST", "/v1/files", fields, Some(("file", name, "image/x-odd", BYTES)));
    assert_eq!(status, 200, "the upload should succeed; it answered {answer}");
    answer["data"].clone()
}

fn download(sandbox: &Sandbox, id: &Value) -> Response<Bytes> {
    sandbox.respond(request("GET", &format!("/v1/files/{id}/download"), None))
}

fn read_header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[test]
fn downloads_the_uploaded_bytes() {
    let folder = Folder::new();
    let file = add_file(&folder.open().expect("a new file is made"), &[("deal_id", "1")], "grüße 1.bin");
    for sandbox in [folder.open().expect("the file opens again"), folder.open().expect("the file opens twice")] {
        let response = download(&sandbox, &file["id"]);
        assert_eq!(
            (response.status().as_u16(), &response.body()[..]),
            (200, BYTES),
            "another sandbox should read the same bytes from the file"
        );
        assert_eq!(read_header(&response, "content-type"), "image/x-odd");
        let disposition = read_header(&response, "content-disposition");
        assert!(disposition.ends_with("filename*=UTF-8''gr%C3%BC%C3%9Fe%201.bin"), "the name should be encoded: {disposition}");
    }
    let budgeted = open_sandbox(Options { daily_budget: Some(100), ..options() });
    let left = download(&budgeted, &json!(1));
    assert_eq!(read_header(&left, "x-daily-ratelimit-token-remaining"), "80", "a download should cost 20 tokens");
}

#[test]
fn adds_renames_and_deletes_a_file() {
    let sandbox = sandbox();
    let file = add_file(&sandbox, &[("deal_id", "3"), ("person_id", "2"), ("org_id", "")], "plan.pdf");
    let title = get_data(&sandbox, "/api/v2/deals/3")["title"].clone();
    assert_eq!((&file["deal_id"], &file["deal_name"], &file["org_name"]), (&json!(3), &title, &json!("")));
    assert_eq!((&file["name"], &file["file_size"], &file["active_flag"]), (&json!("plan.pdf"), &json!(BYTES.len()), &json!(true)));
    assert!(file.get("org_id").is_none() && file.get("base64").is_none(), "the response should have documented fields alone: {file}");
    let path = format!("/v1/files/{}", file["id"]);
    assert_eq!(get_data(&sandbox, &path), file);
    assert_eq!(list_ids(&get_data(&sandbox, "/v1/deals/3/files")), list_ids(&get_data(&sandbox, "/v1/persons/2/files")));

    let (status, renamed) = send_as(&sandbox, "PUT", &path, FORM, Bytes::from("name=final+plan.pdf&description=a%26b"));
    assert_eq!((status, &renamed["data"]["name"], &renamed["data"]["description"]), (200, &json!("final plan.pdf"), &json!("a&b")));
    assert_eq!(renamed["data"]["file_name"], file["file_name"], "renaming should keep the name in the storage");
    assert!(read_header(&download(&sandbox, &file["id"]), "content-disposition").contains("final plan.pdf"));
    assert_refused(&send_as(&sandbox, "PUT", &path, FORM, Bytes::from("name=")), 400, "name: must not be empty");
    assert_refused(&send(&sandbox, "PUT", &path, json!({ "name": "x" })), 400, "must be application/x-www-form-urlencoded");

    assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({})), json!({ "id": file["id"] }));
    for gone in ["", "/download"] {
        assert_refused(&get(&sandbox, &format!("{path}{gone}")), 404, "File not found");
    }
    assert_refused(&send(&sandbox, "DELETE", &path, json!({})), 404, "File not found");
    assert_eq!(get_data(&sandbox, "/v1/deals/3/files"), json!([]));
}

#[test]
fn rejects_files_without_bytes_or_with_unknown_records() {
    let sandbox = sandbox();
    let before = list_ids(&get_data(&sandbox, "/v1/files"));
    let file = Some(("file", "a.txt", "text/plain", &b"a"[..]));
    assert_refused(&upload(&sandbox, "POST", "/v1/files", &[("deal_id", "1")], None), 400, "file: is required");
    assert_refused(&upload(&sandbox, "POST", "/v1/files", &[("file", "text")], None), 400, "file: must be a file");
    for (field, value, part) in [
        ("deal_id", "9999", "deal_id: 9999 does not exist"),
        ("person_id", "9999", "does not exist"),
        ("activity_id", "9999", "does not exist"),
        ("deal_id", "one", "deal_id: must be an integer"),
        ("lead_id", "1", "lead_id: must be a UUID"),
        ("lead_id", "00000000-0000-4000-8000-00000000ffff", "does not exist"),
    ] {
        assert_refused(&upload(&sandbox, "POST", "/v1/files", &[(field, value)], file), 400, part);
    }
    let cut = Bytes::from("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhal");
    assert_refused(&send_as(&sandbox, "POST", "/v1/files", "multipart/form-data; boundary=b", cut), 400, "not a valid form");
    assert_refused(&send_as(&sandbox, "POST", "/v1/files", "multipart/form-data", Bytes::from("x")), 400, "not a valid form");
    assert_eq!(list_ids(&get_data(&sandbox, "/v1/files")), before, "a refused upload should add no file");
    assert_refused(&get(&sandbox, "/v1/deals/9999/files"), 404, "Deal not found");
}

#[test]
fn page_has_at_most_100_files() {
    let sandbox = sandbox();
    let first = add_file(&sandbox, &[], "0.txt")["id"].as_u64().expect("a file has an id");
    for n in 1..110 {
        add_file(&sandbox, &[], &format!("{n}.txt"));
    }
    for limit in ["", "&limit=100", "&limit=101", "&limit=100000"] {
        let (status, page) = get(&sandbox, &format!("/v1/files?start={}{limit}", first - 1));
        let pagination = &page["additional_data"]["pagination"];
        assert_eq!((status, list_ids(&page["data"]).len()), (200, 100), "a larger limit should be cut silently, such as '{limit}'");
        assert_eq!((&pagination["limit"], &pagination["next_start"]), (&json!(100), &json!(first + 99)));
    }
    assert_refused(&get(&sandbox, "/v1/files?limit=0"), 400, "limit: must be between 1");
    let sorted = list_ids(&get_data(&sandbox, "/v1/files?sort=id%20DESC&limit=2"));
    assert_eq!(sorted, [first + 109, first + 108]);
    assert_eq!(list_ids(&get_data(&sandbox, "/v1/files?sort=update_time%20DESC,id&limit=1")), [first + 109]);
}

#[test]
fn records_count_their_files_and_keep_them_in_a_merge() {
    let sandbox = sandbox();
    let count =
        |table: &str, id: u64| get_data(&sandbox, &format!("/api/v2/{table}/{id}?include_fields=files_count"))["files_count"].clone();
    assert_eq!((count("deals", 1), count("persons", 1), count("organizations", 1)), (json!(2), json!(1), json!(1)));
    assert_eq!(list_ids(&get_data(&sandbox, "/v1/deals/1/files")), [1, 5]);
    let file = add_file(&sandbox, &[("deal_id", "4")], "a.txt");
    assert_eq!((count("deals", 4), count("deals", 6)), (json!(1), json!(0)));
    send_ok(&sandbox, "PUT", "/v1/deals/4/merge", json!({ "merge_with_id": 6 }));
    assert_eq!(get_data(&sandbox, &format!("/v1/files/{}", file["id"]))["deal_id"], 6);
    send_ok(&sandbox, "DELETE", &format!("/v1/files/{}", file["id"]), json!({}));
    assert_eq!(count("deals", 6), 0);
}

#[test]
fn download_redirects_to_a_url_that_is_valid_once() {
    let sandbox = open_sandbox(Options { downloads: Downloads::Redirected, ..options() });
    let at = |host: &str| {
        let mut request = request("GET", "/v1/files/1/download", None);
        request.headers_mut().insert("host", host.parse().expect("a host is a header's value"));
        let response = sandbox.respond(request);
        assert_eq!((response.status().as_u16(), response.body().len()), (302, 0));
        read_header(&response, "location").to_owned()
    };
    let fetch = |place: &str, credential: Option<&str>| {
        let path = place.find("/storage/").map(|start| &place[start..]).expect("the place is in the storage");
        let request = credential.iter().fold(Request::builder().uri(path), |request, name| request.header(*name, "x"));
        sandbox.respond(request.body(Bytes::new()).expect("the test's request is valid"))
    };
    let place = at("127.0.0.1:99");
    assert!(place.starts_with("http://localhost:99/storage/"), "should be another host: {place}");
    assert!(at("localhost:99").starts_with("http://127.0.0.1:99/storage/"));
    assert!(at("example.com").starts_with("/storage/"));
    for name in ["x-api-token", "authorization"] {
        assert_refused(&read_response(&fetch(&place, Some(name))), 400, "takes no credential");
    }
    let response = fetch(&place, None);
    assert_eq!((response.status().as_u16(), read_header(&response, "content-type")), (200, "text/plain"));
    assert!(response.body().starts_with(b"Offer") && read_header(&response, "content-disposition").contains("offer.txt"));
    assert_refused(&read_response(&fetch(&place, None)), 403, "was used");
    assert_refused(&get(&super::sandbox(), "/storage/x"), 404, "Unknown path");
}
