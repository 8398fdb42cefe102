//! Connections over HTTP: begun in every form, listed, shown, removed, and used by the gateway.

use pipedrive_sandbox::{DEMO_API_TOKEN, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
use serde_json::{Value, json};

use crate::support::browser::grant_connection;
use crate::support::http::build_basic;
use crate::support::server::{Server, build_uninstall_notice};

const ME: &str = "/gateway/pipedrive/api/v1/users/me";

fn text<'a>(connection: &'a Value, name: &str) -> &'a str {
    connection[name].as_str().unwrap_or_else(|| panic!("no {name} in {connection}"))
}

/// Connects an account whose user then uninstalls the app.
async fn connect_and_uninstall(server: &Server, key: &str, nth: usize) -> Value {
    let id = grant_connection(server, key, nth).await;
    let notice = build_uninstall_notice(&server.read_connection(key, &id).await);
    assert_eq!(server.notify_of_uninstall(&build_basic(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET), &notice).await.status, 200);
    let connection = server.read_connection(key, &id).await;
    assert_eq!(connection["status"], "FAILED", "{connection}");
    connection
}

#[tokio::test]
async fn connections_are_begun_listed_shown_and_removed() {
    let (server, sandbox) = Server::start_with_sandbox(&["--rate", "0"]).await;
    let key = server.create_key("acme");
    let domain = server.upstream().to_owned();
    let link = format!("{}/oauth/start?link=", server.url);
    let page = format!("{domain}/oauth/authorize?");
    let [token, other] = [DEMO_API_TOKEN, sandbox.companies()[1].api_token.as_str()];
    let begin = async |body: Value| server.post("/v1/connections", &key, body.to_string()).await;
    for (body, method, status, url) in [
        (json!({}), "OAUTH2", "PENDING", Some(&link)),
        (json!({"app": "pipedrive", "method": "OAUTH2", "name": "a b/ç"}), "OAUTH2", "PENDING", Some(&link)),
        (json!({"redirect_uri": format!("{}/oauth/callback", server.url), "state": "theirs"}), "OAUTH2", "PENDING", Some(&page)),
        (json!({"api_token": token, "api_domain": domain}), "API_KEY", "ACTIVE", None),
        (json!({"method": "API_KEY", "api_token": other, "api_domain": domain, "name": "second"}), "API_KEY", "ACTIVE", None),
        // The same account is the same connection.
        (json!({"api_token": token, "api_domain": domain, "name": "again"}), "API_KEY", "ACTIVE", None),
    ] {
        let response = begin(body.clone()).await;
        let connection = response.json()["connection"].clone();
        assert_eq!(
            (response.status, text(&connection, "method"), text(&connection, "status")),
            (201, method, status),
            "{body}: {connection}"
        );
        assert_eq!(
            connection["url"].as_str().map(|shown| url.is_some_and(|url| shown.starts_with(url.as_str()))),
            url.map(|_| true),
            "{body}: {connection}"
        );
        assert!(!connection.to_string().contains(token) && !connection.to_string().contains(other), "do not show a token: {connection}");
        assert_eq!(
            (text(&connection, "owner"), text(&connection, "app"), connection["metadata"].is_object()),
            ("acme", "pipedrive", true),
            "{connection}"
        );
        for time in ["creation_time", "last_updated_time"] {
            let time = text(&connection, time);
            assert!(time.len() == 27 && time.as_bytes()[10] == b'T' && time.ends_with('Z'), "write microseconds of UTC: {time}");
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
        let response = begin(body.clone()).await;
        assert_eq!((response.status, response.kind().as_str()), (status, kind), "{body}: {}", response.text());
        assert!(!response.text().contains("hunter2"), "{}", response.text());
    }
    let failed = connect_and_uninstall(&server, &key, 1).await;
    assert!(text(&failed, "url").starts_with(&link), "offer a link to reconnect: {failed}");

    let list = async |query: &str| {
        let all = server.get(&format!("/v1/connections{query}"), &key).await.json();
        all["connections"].as_array().unwrap_or_else(|| panic!("no list: {all}")).clone()
    };
    let all = list("").await;
    assert!(all.is_sorted_by_key(|one| text(one, "creation_time")), "list the oldest first: {all:?}");
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
        let status = query.split(['?', '&']).find_map(|part| part.strip_prefix("status=")).unwrap_or_default();
        assert!(status.is_empty() || found.iter().all(|one| one["status"] == status), "{query}: {found:?}");
    }
    for (query, kind) in [("?status=active", "invalid_invocation"), ("?state=ACTIVE", "invalid_invocation")] {
        let response = server.get(&format!("/v1/connections{query}"), &key).await;
        assert_eq!((response.status, response.kind().as_str()), (400, kind), "{query}");
    }

    for (at, one) in all.iter().enumerate() {
        let id = text(one, "connection_id");
        // The third was begun by a platform, which got its page once.
        let has_link = one["status"] != "ACTIVE" && at != 2;
        let mut shown = server.read_connection(&key, id).await;
        assert_eq!(shown["url"].is_string(), has_link, "{shown}");
        shown["url"] = one["url"].clone();
        assert_eq!(&shown, one, "show what is listed, but with a fresh link");
        let remove = async || server.delete(&format!("/v1/connections/{id}"), &key).await;
        let removed = remove().await;
        assert_eq!((removed.status, &removed.json()["deleted"], &removed.json()["connection_id"]), (200, &json!(true), &json!(id)));
        assert!(removed.json()["revoked"].is_string(), "{}", removed.text());
        let again = remove().await;
        assert_eq!((again.status, again.kind().as_str()), (404, "not_found"));
        assert_eq!(server.get(&format!("/v1/connections/{id}"), &key).await.status, 404);
        let passed = server.send("GET", ME, &[("authorization", &key), ("connector-connection", id)], "").await;
        assert_eq!((passed.status, passed.kind().as_str()), (400, "no_connection"));
    }
    assert_eq!(list("").await, Vec::<Value>::new());
    let passed = server.get(ME, &key).await;
    assert_eq!((passed.status, passed.kind().as_str()), (400, "no_connection"));
}

/// Names a pending, a failed and another owner's connection.
#[tokio::test]
async fn gateway_explains_unusable_connections() {
    let (server, _) = Server::start_with_sandbox(&["--rate", "0"]).await;
    let (key, other) = (server.create_key("acme"), server.create_key("other"));
    let pending = server.post("/v1/connections", &key, r#"{"name":"begun"}"#).await;
    let pending = pending.json()["connection"].clone();
    let failed = connect_and_uninstall(&server, &key, 4).await;
    let foreign = server.connect(&other, DEMO_API_TOKEN).await;
    for (connection, status, kind) in
        [(&pending, 400, "no_connection"), (&failed, 424, "reconnect_required"), (&foreign, 400, "no_connection")]
    {
        for member in ["connection_id", "name"] {
            for method in ["GET", "DELETE"] {
                let headers = [("authorization", key.as_str()), ("connector-connection", text(connection, member))];
                let response = server.send(method, ME, &headers, "").await;
                assert_eq!(
                    (response.status, response.kind().as_str()),
                    (status, kind),
                    "{method} {}: {}",
                    connection["name"],
                    response.text()
                );
                assert!(!response.text().contains(text(&foreign["metadata"], "api_domain")), "{}", response.text());
            }
        }
    }
    // Without a name, pending and failed connections are not used, and a write does not choose between two.
    let call = async |method: &str| server.send(method, ME, &[("authorization", &key)], "").await;
    let none = call("GET").await;
    assert_eq!((none.status, none.kind().as_str()), (400, "no_connection"));
    let active = server.connect(&key, DEMO_API_TOKEN).await;
    assert_eq!(call("GET").await.json()["data"]["company_name"], active["metadata"]["company"]["name"]);
    let ambiguous = call("DELETE").await;
    assert_eq!((ambiguous.status, ambiguous.kind().as_str()), (409, "conflict"), "{}", ambiguous.text());
    let headers = [("authorization", key.as_str()), ("connector-connection", text(&active, "name"))];
    assert_eq!(server.send("DELETE", ME, &headers, "").await.status, 405, "pass on the vendor's own refusal");
    // A revoked key is refused.
    server.revoke_key("acme");
    let refused = call("GET").await;
    assert_eq!((refused.status, refused.kind().as_str(), refused.header("www-authenticate")), (401, "unauthorized", Some("Bearer")));
}
