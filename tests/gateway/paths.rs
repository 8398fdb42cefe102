//! Every path that a client of a managed gateway for Pipedrive calls, through ours and to Pipedrive itself: no difference.

use std::collections::BTreeSet;

use pipedrive_sandbox::{DEMO_API_TOKEN, Options, Sandbox};
use serde_json::Value;

use crate::support::http::{JSON, Reply, ask};
use crate::support::server::Served;
use crate::support::world::{none, options, read_json};

/// One call of such a client's.
struct Path {
    /// As that client calls it.
    native: &'static str,
    /// What Pipedrive has in its place, where it took that away.
    twin: Option<&'static str>,
    /// Queries that the living path takes; each is asked for.
    queries: &'static [&'static str],
    /// What a write sends to the living path.
    body: &'static str,
}

const fn read(native: &'static str, twin: Option<&'static str>, queries: &'static [&'static str]) -> Path {
    Path { native, twin, queries, body: "" }
}

const fn write(native: &'static str, twin: Option<&'static str>, body: &'static str) -> Path {
    Path { native, twin, queries: &[""], body }
}

const PATHS: &[Path] = &[
    read(
        "GET /api/v1/deals",
        Some("GET /api/v2/deals"),
        &["", "?status=open&limit=2&stage_id=1", "?sort_by=add_time&sort_direction=desc", "?filter_id=9999"],
    ),
    read("GET /api/v1/deals/{id}", Some("GET /api/v2/deals/{id}"), &["", "?include_fields=products_count,files_count"]),
    write(
        "POST /api/v1/deals",
        Some("POST /api/v2/deals"),
        r#"{"title":"New Deal","value":50000,"currency":"USD","person_id":1,"org_id":1,"stage_id":1,"expected_close_date":"2026-12-30"}"#,
    ),
    write("PUT /api/v1/deals/{id}", Some("PATCH /api/v2/deals/{id}"), r#"{"title":"Ünïcode ☎","value":75000,"status":"won"}"#),
    write("DELETE /api/v1/deals/{id}", Some("DELETE /api/v2/deals/{id}"), ""),
    read(
        "GET /api/v1/deals/search",
        Some("GET /api/v2/deals/search"),
        &["?term=deal", "?term=%C3%9Cn%C3%AFcode&exact_match=false", "?term="],
    ),
    read("GET /api/v1/persons", Some("GET /api/v2/persons"), &["?limit=3", "?sort_by=id&sort_direction=desc"]),
    read("GET /api/v1/persons/{id}", Some("GET /api/v2/persons/{id}"), &[""]),
    write(
        "POST /api/v1/persons",
        Some("POST /api/v2/persons"),
        r#"{"name":"John Doe","emails":[{"value":"john@doe.example","primary":true}],"phones":[{"value":"+1234567890"}],"org_id":1,"visible_to":3}"#,
    ),
    write(
        "PUT /api/v1/persons/{id}",
        Some("PATCH /api/v2/persons/{id}"),
        r#"{"name":"John Smith","emails":[{"value":"john@smith.example"}]}"#,
    ),
    write("DELETE /api/v1/persons/{id}", Some("DELETE /api/v2/persons/{id}"), ""),
    read("GET /api/v1/persons/search", Some("GET /api/v2/persons/search"), &["?term=john", "?term=a"]),
    read("GET /api/v1/organizations", Some("GET /api/v2/organizations"), &["", "?limit=1"]),
    read("GET /api/v1/organizations/{id}", Some("GET /api/v2/organizations/{id}"), &[""]),
    write(
        "POST /api/v1/organizations",
        Some("POST /api/v2/organizations"),
        r#"{"name":"Acme Corporation","address":{"value":"123 Main St, City, Country"},"visible_to":3}"#,
    ),
    write("PUT /api/v1/organizations/{id}", Some("PATCH /api/v2/organizations/{id}"), r#"{"name":"Acme Corp International"}"#),
    write("DELETE /api/v1/organizations/{id}", Some("DELETE /api/v2/organizations/{id}"), ""),
    read(
        "GET /api/v1/activities",
        Some("GET /api/v2/activities"),
        &["", "?done=true&owner_id=1", "?done=1&type=call&start_date=2026-01-01"],
    ),
    read("GET /api/v1/activities/{id}", Some("GET /api/v2/activities/{id}"), &[""]),
    write(
        "POST /api/v1/activities",
        Some("POST /api/v2/activities"),
        r#"{"subject":"Follow-up call","type":"call","due_date":"2026-12-15","due_time":"14:00","duration":"00:30","deal_id":2,"note":"Terms"}"#,
    ),
    write("PUT /api/v1/activities/{id}", Some("PATCH /api/v2/activities/{id}"), r#"{"done":true,"note":"Completed - terms agreed"}"#),
    write("DELETE /api/v1/activities/{id}", Some("DELETE /api/v2/activities/{id}"), ""),
    read("GET /api/v1/pipelines", Some("GET /api/v2/pipelines"), &[""]),
    read("GET /api/v1/pipelines/{id}", Some("GET /api/v2/pipelines/{id}"), &[""]),
    read("GET /api/v1/stages", Some("GET /api/v2/stages"), &["", "?pipeline_id=1"]),
    read("GET /api/v1/stages/{id}", Some("GET /api/v2/stages/{id}"), &[""]),
    read("GET /api/v1/notes", None, &["", "?deal_id=2", "?person_id=1", "?org_id=1&start=0&limit=1"]),
    write("POST /api/v1/notes", None, r#"{"content":"Meeting notes: <b>pricing</b>","deal_id":2,"pinned_to_deal_flag":1}"#),
    read("GET /api/v1/users", None, &[""]),
    read("GET /api/v1/users/me", None, &[""]),
];

/// How many calls such a client knows of each kind of record.
const PROMISED: [(&str, usize); 8] =
    [("activities", 5), ("deals", 6), ("notes", 2), ("organizations", 5), ("persons", 6), ("pipelines", 2), ("stages", 2), ("users", 2)];

/// One account twice: reached through the gateway, and asked itself.
struct Both {
    served: Served,
    key: String,
    itself: String,
}

impl Path {
    fn living(&self) -> &'static str {
        self.twin.unwrap_or(self.native)
    }
}

impl Both {
    async fn of(served: Served, key: String) -> Self {
        let twin = Sandbox::open(Options { companies: 3, ..options() }).expect("a sandbox in memory opens");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let itself = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(pipedrive_sandbox::serve(listener, twin));
        Self { served, key, itself }
    }

    /// Asks both, and gives what the gateway answered where it is what Pipedrive answered: the status, each header, each byte.
    async fn ask(&self, call: &str, query: &str, body: &str) -> Result<Reply, String> {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let path = format!("{path}{query}");
        let media = if body.is_empty() { &[][..] } else { &[JSON] };
        let through = [&[("authorization", self.key.as_str())], media].concat();
        let passed = self.served.ask(method, &format!("/gateway/pipedrive{path}"), &through, body).await;
        let given = ask(&self.itself, method, &path, &[&[("x-api-token", DEMO_API_TOKEN)], media].concat(), body.as_bytes()).await;
        // What tells one answer from the next, counts on, or is for one hop.
        let own = ["date", "x-correlation-id", "x-ratelimit-remaining", "x-ratelimit-reset", "x-daily-ratelimit-token-remaining"];
        let kept = |(name, value): &(String, String)| match passed.header(name) {
            Some(passed) => passed == value || own.contains(&&**name),
            None => name == "connection",
        };
        let same = passed.status == given.status && passed.body == given.body && given.headers.iter().all(kept);
        let shown = |reply: &Reply| format!("{} {:?}\n{:.400}", reply.status, reply.headers, reply.text());
        if same { Ok(passed) } else { Err(format!("{call}{query} answers {}\nnot {}", shown(&passed), shown(&given))) }
    }

    /// A living path: what it answers, and for a write what is there afterwards.
    async fn walk(&self, path: &Path, found: &mut Vec<String>) {
        let call = path.living().replace("{id}", "1");
        for query in path.queries {
            match self.ask(&call, query, path.body).await {
                Ok(reply) if reply.header("deprecation").is_some() => found.push(format!("{call} is said to be out of support")),
                Ok(reply) if query.is_empty() && reply.status >= 300 => found.push(format!("{call}: {} {}", reply.status, reply.text())),
                Ok(reply) if !call.starts_with("GET ") => {
                    let record = format!("GET {}", call.split_once(' ').map(|(_, path)| path).unwrap_or_default());
                    let record = if path.living().ends_with("{id}") { record } else { format!("{record}/{}", reply.json()["data"]["id"]) };
                    found.extend(self.ask(&record, "", "").await.err());
                }
                other => found.extend(other.err()),
            }
        }
    }

    /// A path that is gone: Pipedrive says so itself, and two headers say what to call.
    async fn miss(&self, path: &Path, twin: &str, found: &mut Vec<String>) {
        let native = path.native.replace("{id}", "1");
        match self.ask(&native, "?limit=1&start=0", path.body).await {
            Ok(reply) => {
                let told = ["deprecation", "connector-instead", "connector-error"].map(|name| reply.header(name));
                if (reply.status, told) != (410, [Some("@1785542400"), Some(twin), None]) {
                    found.push(format!("{native} answers {} with {told:?}, and its twin is {twin}", reply.status));
                }
            }
            Err(difference) => found.push(difference),
        }
    }

    async fn walk_all(&self) {
        let mut found = Vec::new();
        for path in PATHS {
            if let Some(twin) = path.twin {
                self.miss(path, twin, &mut found).await;
            }
            self.walk(path, &mut found).await;
        }
        none(&found, "the gateway must change nothing, and name the twin of what is gone");
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
        if !operations.iter().any(|(call, row)| call == path.living() && row["status"] == "current") {
            found.push(format!("{} is not documented", path.living()));
        }
        let replaced = retired.iter().find(|(call, _)| call == path.native).and_then(|(_, row)| row["instead"].as_str());
        if replaced != path.twin {
            found.push(format!("{} is replaced by {replaced:?}", path.native));
        }
    }
    none(&found, "mend the table");
    let natives: BTreeSet<&str> = PATHS.iter().map(|path| path.native).collect();
    let of = |kind: &str| natives.iter().filter(|native| native.split('/').nth(3) == Some(kind)).count();
    assert_eq!(PROMISED.map(|(kind, _)| (kind, of(kind))), PROMISED);
    assert_eq!(PROMISED.iter().map(|(_, count)| count).sum::<usize>(), PATHS.len());
    let methods: BTreeSet<&str> =
        PATHS.iter().flat_map(|path| [path.native, path.living()]).filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(methods, BTreeSet::from(["DELETE", "GET", "PATCH", "POST", "PUT"]));
}

#[tokio::test]
async fn every_path_answers_like_pipedrive_with_an_api_token() {
    let (served, _) = Served::before_sandbox(&["--rate", "0"]).await;
    let key = served.key("acme");
    served.connect(&key, DEMO_API_TOKEN).await;
    Both::of(served, key).await.walk_all().await;
}

#[tokio::test]
async fn every_path_answers_like_pipedrive_with_oauth() {
    let (served, _) = Served::before_sandbox(&["--rate", "0"]).await;
    let key = served.key("acme");
    crate::support::browser::granted(&served, &key, 0).await;
    Both::of(served, key).await.walk_all().await;
}
