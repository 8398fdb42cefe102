//! Connections over HTTP: begun in every form, listed, shown, removed, and which of them the gateway takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipedrive_sandbox::{DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
use serde_json::{Value, json};

use crate::support::browser::granted;
use crate::support::http::JSON;
use crate::support::server::Served;

const ME: &str = "/gateway/pipedrive/api/v1/users/me";

fn text<'a>(connection: &'a Value, name: &str) -> &'a str {
    connection[name].as_str().unwrap_or_else(|| panic!("no {name} in {connection}"))
}

/// A connection whose user uninstalled the app, of which the vendor tells.
async fn failed(served: &Served, key: &str, nth: usize) -> Value {
    let id = granted(served, key, nth).await;
    let path = format!("/v1/connections/{id}");
    let metadata = served.get(&path, key).await.json()["connection"]["metadata"].clone();
    let (company, user) = (&metadata["company"]["id"], &metadata["user"]["id"]);
    let notice = json!({"client_id": DEMO_CLIENT_ID, "company_id": company, "user_id": user, "timestamp": "now"}).to_string();
    let basic = format!("Basic {}", STANDARD.encode(format!("{DEMO_CLIENT_ID}:{DEMO_CLIENT_SECRET}")));
    assert_eq!(served.ask("DELETE", "/oauth/callback", &[("authorization", &basic), JSON], &notice).await.status, 200);
    let connection = served.get(&path, key).await.json()["connection"].clone();
    assert_eq!(connection["status"], "FAILED", "{connection}");
    connection
}

#[tokio::test]
async fn connections_are_begun_listed_shown_and_removed() {
    let (served, sandbox) = Served::before_sandbox(&["--rate", "0"]).await;
    let key = served.key("acme");
    let domain = served.upstream().to_owned();
    let link = format!("{}/oauth/start?link=", served.url);
    let page = format!("{domain}/oauth/authorize?");
    let [token, other] = [DEMO_API_TOKEN, sandbox.companies()[1].api_token.as_str()];
    let begin = async |body: Value| served.ask("POST", "/v1/connections", &[("authorization", &key), JSON], body.to_string()).await;
    for (body, method, status, url) in [
        (json!({}), "OAUTH2", "PENDING", Some(&link)),
        (json!({"app": "pipedrive", "method": "OAUTH2", "name": "a b/ç"}), "OAUTH2", "PENDING", Some(&link)),
        (json!({"redirect_uri": format!("{}/oauth/callback", served.url), "state": "theirs"}), "OAUTH2", "PENDING", Some(&page)),
        (json!({"api_token": token, "api_domain": domain}), "API_KEY", "ACTIVE", None),
        (json!({"method": "API_KEY", "api_token": other, "api_domain": domain, "name": "second"}), "API_KEY", "ACTIVE", None),
        // The same account again is the same connection.
        (json!({"api_token": token, "api_domain": domain, "name": "again"}), "API_KEY", "ACTIVE", None),
    ] {
        let reply = begin(body.clone()).await;
        let made = reply.json()["connection"].clone();
        assert_eq!((reply.status, text(&made, "method"), text(&made, "status")), (201, method, status), "{body}: {made}");
        assert_eq!(
            made["url"].as_str().map(|given| url.is_some_and(|url| given.starts_with(url.as_str()))),
            url.map(|_| true),
            "{body}: {made}"
        );
        assert!(!made.to_string().contains(token) && !made.to_string().contains(other), "a token is not shown: {made}");
        assert_eq!((text(&made, "owner"), text(&made, "app"), made["metadata"].is_object()), ("acme", "pipedrive", true), "{made}");
        for time in ["creation_time", "last_updated_time"] {
            let time = text(&made, time);
            assert!(time.len() == 27 && time.as_bytes()[10] == b'T' && time.ends_with('Z'), "microseconds of UTC: {time}");
        }
    }
    for (body, status, kind) in [
        (json!({"name": "second"}), 409, "conflict"),
        (json!({"name": ""}), 400, "invalid_input"),
        (json!({"redirect_uri": "http://evil.example"}), 400, "invalid_input"),
        (json!({"state": "theirs"}), 400, "invalid_invocation"),
        (json!({"api_token": "hunter2"}), 400, "invalid_invocation"),
        (json!({"api_token": "hunter2", "api_domain": "https://evil.example"}), 400, "no_connection"),
        (json!({"method": "OAUTH2", "api_token": "hunter2"}), 400, "invalid_invocation"),
        (json!([]), 400, "invalid_invocation"),
    ] {
        let reply = begin(body.clone()).await;
        assert_eq!((reply.status, reply.kind().as_str()), (status, kind), "{body}: {}", reply.text());
        assert!(!reply.text().contains("hunter2"), "{}", reply.text());
    }
    let gone = failed(&served, &key, 1).await;
    assert!(text(&gone, "url").starts_with(&link), "a link leads back: {gone}");

    let list = async |query: &str| {
        let all = served.get(&format!("/v1/connections{query}"), &key).await.json();
        all["connections"].as_array().unwrap_or_else(|| panic!("no list: {all}")).clone()
    };
    let all = list("").await;
    assert!(all.is_sorted_by_key(|one| text(one, "creation_time")), "oldest first: {all:?}");
    for (query, count) in [
        ("?app=pipedrive", 6),
        ("?app=&status=", 6),
        ("?app=hubspot", 0),
        ("?status=PENDING", 3),
        ("?status=ACTIVE&app=pipedrive", 2),
        ("?status=FAILED", 1),
        ("?status=FAILED&app=hubspot", 0),
    ] {
        let found = list(query).await;
        assert_eq!(found.len(), count, "{query}: {found:?}");
        let wanted = query.split(['?', '&']).find_map(|part| part.strip_prefix("status=")).unwrap_or_default();
        assert!(wanted.is_empty() || found.iter().all(|one| one["status"] == wanted), "{query}: {found:?}");
    }
    for (query, kind) in [("?status=active", "invalid_invocation"), ("?state=ACTIVE", "invalid_invocation")] {
        let reply = served.get(&format!("/v1/connections{query}"), &key).await;
        assert_eq!((reply.status, reply.kind().as_str()), (400, kind), "{query}");
    }

    for (at, one) in all.iter().enumerate() {
        let id = text(one, "connection_id");
        // The third has the page of the platform that began it, which it was told once.
        let has_link = one["status"] != "ACTIVE" && at != 2;
        let mut shown = served.get(&format!("/v1/connections/{id}"), &key).await.json()["connection"].clone();
        assert_eq!(shown["url"].is_string(), has_link, "{shown}");
        shown["url"] = one["url"].clone();
        assert_eq!(&shown, one, "but for its link, which is a fresh one each time");
        let remove = async || served.ask("DELETE", &format!("/v1/connections/{id}"), &[("authorization", &key)], "").await;
        let removed = remove().await;
        assert_eq!((removed.status, &removed.json()["deleted"], &removed.json()["connection_id"]), (200, &json!(true), &json!(id)));
        assert!(removed.json()["revoked"].is_string(), "{}", removed.text());
        let again = remove().await;
        assert_eq!((again.status, again.kind().as_str()), (404, "not_found"));
        assert_eq!(served.get(&format!("/v1/connections/{id}"), &key).await.status, 404);
        let passed = served.ask("GET", ME, &[("authorization", &key), ("connector-connection", id)], "").await;
        assert_eq!((passed.status, passed.kind().as_str()), (400, "no_connection"));
    }
    assert_eq!(list("").await, Vec::<Value>::new());
    let passed = served.get(ME, &key).await;
    assert_eq!((passed.status, passed.kind().as_str()), (400, "no_connection"));
}

/// A connection that cannot be used is named as what it is, and another owner's is none.
#[tokio::test]
async fn gateway_explains_unusable_connections() {
    let (served, _) = Served::before_sandbox(&["--rate", "0"]).await;
    let (key, other) = (served.key("acme"), served.key("other"));
    let pending = served.ask("POST", "/v1/connections", &[("authorization", &key), JSON], r#"{"name":"begun"}"#).await;
    let pending = pending.json()["connection"].clone();
    let gone = failed(&served, &key, 4).await;
    let theirs = served.connect(&other, DEMO_API_TOKEN).await;
    for (connection, status, kind) in
        [(&pending, 400, "no_connection"), (&gone, 424, "reconnect_required"), (&theirs, 400, "no_connection")]
    {
        for member in ["connection_id", "name"] {
            for method in ["GET", "DELETE"] {
                let headers = [("authorization", key.as_str()), ("connector-connection", text(connection, member))];
                let reply = served.ask(method, ME, &headers, "").await;
                assert_eq!((reply.status, reply.kind().as_str()), (status, kind), "{method} {}: {}", connection["name"], reply.text());
                assert!(!reply.text().contains(text(&theirs["metadata"], "api_domain")), "{}", reply.text());
            }
        }
    }
    // None is named: what waits and what failed is not taken, and a write does not go where the failed one did not.
    let ask = async |method: &str| served.ask(method, ME, &[("authorization", &key)], "").await;
    let none = ask("GET").await;
    assert_eq!((none.status, none.kind().as_str()), (400, "no_connection"));
    let active = served.connect(&key, DEMO_API_TOKEN).await;
    assert_eq!(ask("GET").await.json()["data"]["company_name"], active["metadata"]["company"]["name"]);
    let unsure = ask("DELETE").await;
    assert_eq!((unsure.status, unsure.kind().as_str()), (409, "conflict"), "{}", unsure.text());
    let headers = [("authorization", key.as_str()), ("connector-connection", text(&active, "name"))];
    assert_eq!(served.ask("DELETE", ME, &headers, "").await.status, 405, "it is the vendor's own word");
    // A key that was ended opens nothing from then on.
    let listed = served.run(&["keys", "list", "--owner", "acme"], "");
    served.run(&["keys", "revoke", listed.split('\t').next().expect("an id"), "--owner", "acme"], "");
    let refused = ask("GET").await;
    assert_eq!((refused.status, refused.kind().as_str(), refused.header("www-authenticate")), (401, "unauthorized", Some("Bearer")));
}
