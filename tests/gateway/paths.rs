//! Every path that clients of a managed Pipedrive gateway call, compared with Pipedrive itself.

use std::collections::BTreeSet;

use connector_testkit::assert_none;
use pipedrive_sandbox::{DEMO_API_TOKEN, Options};
use serde_json::Value;

use crate::support::http::{JSON, Response, send};
use crate::support::repository::read_json;
use crate::support::sandbox::{sandbox_options, start_sandbox};
use crate::support::server::Server;

/// A call of such a client.
struct PathCase {
    /// The method and path that the client calls.
    native: &'static str,
    /// The call that replaces it, if Pipedrive removed it.
    replacement: Option<&'static str>,
    /// The queries to try on the current path.
    queries: &'static [&'static str],
    /// The body that a write sends to the current path.
    body: &'static str,
}

const fn read_case(native: &'static str, replacement: Option<&'static str>, queries: &'static [&'static str]) -> PathCase {
    PathCase { native, replacement, queries, body: "" }
}

const fn write_case(native: &'static str, replacement: Option<&'static str>, body: &'static str) -> PathCase {
    PathCase { native, replacement, queries: &[""], body }
}

const PATHS: &[PathCase] = &[
    read_case(
        "GET /api/v1/deals",
        Some("GET /api/v2/deals"),
        &["", "?status=open&limit=2&stage_id=1", "?sort_by=add_time&sort_direction=desc", "?filter_id=9999"],
    ),
    read_case("GET /api/v1/deals/{id}", Some("GET /api/v2/deals/{id}"), &["", "?include_fields=products_count,files_count"]),
    write_case(
        "POST /api/v1/deals",
        Some("POST /api/v2/deals"),
        r#"{"title":"New Deal","value":50000,"currency":"USD","person_id":1,"org_id":1,"stage_id":1,"expected_close_date":"2026-12-30"}"#,
    ),
    write_case("PUT /api/v1/deals/{id}", Some("PATCH /api/v2/deals/{id}"), r#"{"title":"Ünïcode ☎","value":75000,"status":"won"}"#),
    write_case("DELETE /api/v1/deals/{id}", Some("DELETE /api/v2/deals/{id}"), ""),
    read_case(
        "GET /api/v1/deals/search",
        Some("GET /api/v2/deals/search"),
        &["?term=deal", "?term=%C3%9Cn%C3%AFcode&exact_match=false", "?term="],
    ),
    read_case("GET /api/v1/persons", Some("GET /api/v2/persons"), &["?limit=3", "?sort_by=id&sort_direction=desc"]),
    read_case("GET /api/v1/persons/{id}", Some("GET /api/v2/persons/{id}"), &[""]),
    write_case(
        "POST /api/v1/persons",
        Some("POST /api/v2/persons"),
        r#"{"name":"John Doe","emails":[{"value":"john@doe.example","primary":true}],"phones":[{"value":"+1234567890"}],"org_id":1,"visible_to":3}"#,
    ),
    write_case(
        "PUT /api/v1/persons/{id}",
        Some("PATCH /api/v2/persons/{id}"),
        r#"{"name":"John Smith","emails":[{"value":"john@smith.example"}]}"#,
    ),
    write_case("DELETE /api/v1/persons/{id}", Some("DELETE /api/v2/persons/{id}"), ""),
    read_case("GET /api/v1/persons/search", Some("GET /api/v2/persons/search"), &["?term=john", "?term=a"]),
    read_case("GET /api/v1/organizations", Some("GET /api/v2/organizations"), &["", "?limit=1"]),
    read_case("GET /api/v1/organizations/{id}", Some("GET /api/v2/organizations/{id}"), &[""]),
    write_case(
        "POST /api/v1/organizations",
        Some("POST /api/v2/organizations"),
        r#"{"name":"Acme Corporation","address":{"value":"123 Main St, City, Country"},"visible_to":3}"#,
    ),
    write_case("PUT /api/v1/organizations/{id}", Some("PATCH /api/v2/organizations/{id}"), r#"{"name":"Acme Corp International"}"#),
    write_case("DELETE /api/v1/organizations/{id}", Some("DELETE /api/v2/organizations/{id}"), ""),
    read_case(
        "GET /api/v1/activities",
        Some("GET /api/v2/activities"),
        &["", "?done=true&owner_id=1", "?done=1&type=call&start_date=2026-01-01"],
    ),
    read_case("GET /api/v1/activities/{id}", Some("GET /api/v2/activities/{id}"), &[""]),
    write_case(
        "POST /api/v1/activities",
        Some("POST /api/v2/activities"),
        r#"{"subject":"Follow-up call","type":"call","due_date":"2026-12-15","due_time":"14:00","duration":"00:30","deal_id":2,"note":"Terms"}"#,
    ),
    write_case("PUT /api/v1/activities/{id}", Some("PATCH /api/v2/activities/{id}"), r#"{"done":true,"note":"Completed - terms agreed"}"#),
    write_case("DELETE /api/v1/activities/{id}", Some("DELETE /api/v2/activities/{id}"), ""),
    read_case("GET /api/v1/pipelines", Some("GET /api/v2/pipelines"), &[""]),
    read_case("GET /api/v1/pipelines/{id}", Some("GET /api/v2/pipelines/{id}"), &[""]),
    read_case("GET /api/v1/stages", Some("GET /api/v2/stages"), &["", "?pipeline_id=1"]),
    read_case("GET /api/v1/stages/{id}", Some("GET /api/v2/stages/{id}"), &[""]),
    read_case("GET /api/v1/notes", None, &["", "?deal_id=2", "?person_id=1", "?org_id=1&start=0&limit=1"]),
    write_case("POST /api/v1/notes", None, r#"{"content":"Meeting notes: <b>pricing</b>","deal_id":2,"pinned_to_deal_flag":1}"#),
    read_case("GET /api/v1/users", None, &[""]),
    read_case("GET /api/v1/users/me", None, &[""]),
];

/// The number of calls of each kind of record.
const PROMISED: [(&str, usize); 8] =
    [("activities", 5), ("deals", 6), ("notes", 2), ("organizations", 5), ("persons", 6), ("pipelines", 2), ("stages", 2), ("users", 2)];

/// Two equal accounts: one behind the gateway, the other asked directly.
struct TwinAccounts {
    server: Server,
    key: String,
    direct: String,
}

impl PathCase {
    fn current(&self) -> &'static str {
        self.replacement.unwrap_or(self.native)
    }
}

impl TwinAccounts {
    async fn start(server: Server, key: String) -> Self {
        let direct = start_sandbox(Options { companies: 3, ..sandbox_options() }).await;
        Self { server, key, direct }
    }

    /// Sends a request to both. Returns the gateway's response if status, headers and body are the same.
    async fn send_to_both(&self, call: &str, query: &str, body: &str) -> Result<Response, String> {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let path = format!("{path}{query}");
        let media = if body.is_empty() { &[][..] } else { &[JSON] };
        let through = [&[("authorization", self.key.as_str())], media].concat();
        let passed = self.server.send(method, &format!("/gateway/pipedrive{path}"), &through, body).await;
        let expected = send(&self.direct, method, &path, &[&[("x-api-token", DEMO_API_TOKEN)], media].concat(), body.as_bytes()).await;
        // Headers that differ between any two responses.
        let varying = ["date", "x-correlation-id"];
        let is_kept = |(name, value): &(String, String)| match passed.header(name) {
            Some(passed) => passed == value || varying.contains(&&**name),
            None => name == "connection",
        };
        let is_same = passed.status == expected.status && passed.body == expected.body && expected.headers.iter().all(is_kept);
        let describe = |response: &Response| format!("{} {:?}\n{:.400}", response.status, response.headers, response.text());
        if is_same { Ok(passed) } else { Err(format!("{call}{query} answers {}\nnot {}", describe(&passed), describe(&expected))) }
    }

    /// Compares a current path, and for a write the record afterwards.
    async fn compare(&self, path: &PathCase, found: &mut Vec<String>) {
        let call = path.current().replace("{id}", "1");
        for query in path.queries {
            match self.send_to_both(&call, query, path.body).await {
                Ok(response) if response.header("deprecation").is_some() => {
                    found.push(format!("{call} must not carry a warning of deprecation"));
                }
                Ok(response) if query.is_empty() && response.status >= 300 => {
                    found.push(format!("{call}: {} {}", response.status, response.text()));
                }
                Ok(response) if !call.starts_with("GET ") => {
                    let record = format!("GET {}", call.split_once(' ').map(|(_, path)| path).unwrap_or_default());
                    let record =
                        if path.current().ends_with("{id}") { record } else { format!("{record}/{}", response.json()["data"]["id"]) };
                    found.extend(self.send_to_both(&record, "", "").await.err());
                }
                other => found.extend(other.err()),
            }
        }
    }

    /// Compares a removed path, whose response names its replacement in a header.
    async fn compare_removed(&self, path: &PathCase, replacement: &str, found: &mut Vec<String>) {
        let native = path.native.replace("{id}", "1");
        match self.send_to_both(&native, "?limit=1&start=0", path.body).await {
            Ok(response) => {
                let hints = ["deprecation", "connector-instead", "connector-error"].map(|name| response.header(name));
                if (response.status, hints) != (410, [Some("@1785542400"), Some(replacement), None]) {
                    found.push(format!("{native} answers {} with {hints:?}, but its replacement is {replacement}", response.status));
                }
            }
            Err(difference) => found.push(difference),
        }
    }

    async fn compare_all(&self) {
        let mut found = Vec::new();
        for path in PATHS {
            if let Some(replacement) = path.replacement {
                self.compare_removed(path, replacement, &mut found).await;
            }
            self.compare(path, &mut found).await;
        }
        assert_none(&found, "pass each response unchanged, and name the replacement of a removed path");
    }
}

#[test]
fn path_table_is_complete_and_documented() {
    let file = read_json("spec/pipedrive/api.json");
    let rows = |name: &str| -> Vec<(String, Value)> {
        let rows = file[name].as_array().expect("rows").iter();
        let text = |row: &Value, name: &str| row[name].as_str().expect("a text").to_owned();
        rows.map(|row| (format!("{} {}", text(row, "method"), text(row, "path")), row.clone())).collect()
    };
    let (operations, retired) = (rows("operations"), rows("out_of_support"));
    let mut found = Vec::new();
    for path in PATHS {
        if !operations.iter().any(|(call, row)| call == path.current() && row["status"] == "current") {
            found.push(format!("{} is not documented", path.current()));
        }
        let replaced = retired.iter().find(|(call, _)| call == path.native).and_then(|(_, row)| row["instead"].as_str());
        if replaced != path.replacement {
            found.push(format!("{} is replaced by {replaced:?}", path.native));
        }
    }
    assert_none(&found, "correct the table");
    let natives: BTreeSet<&str> = PATHS.iter().map(|path| path.native).collect();
    let count = |kind: &str| natives.iter().filter(|native| native.split('/').nth(3) == Some(kind)).count();
    assert_eq!(PROMISED.map(|(kind, _)| (kind, count(kind))), PROMISED);
    assert_eq!(PROMISED.iter().map(|(_, count)| count).sum::<usize>(), PATHS.len());
    let methods: BTreeSet<&str> =
        PATHS.iter().flat_map(|path| [path.native, path.current()]).filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(methods, BTreeSet::from(["DELETE", "GET", "PATCH", "POST", "PUT"]));
}

#[tokio::test]
async fn every_path_answers_like_pipedrive_with_an_api_token() {
    let (server, _) = Server::start_with_sandbox(&["--rate", "0"]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    TwinAccounts::start(server, key).await.compare_all().await;
}

#[tokio::test]
async fn every_path_answers_like_pipedrive_with_oauth() {
    let (server, _) = Server::start_with_sandbox(&["--rate", "0"]).await;
    let key = server.create_key("acme");
    crate::support::browser::grant_connection(&server, &key, 0).await;
    TwinAccounts::start(server, key).await.compare_all().await;
}
