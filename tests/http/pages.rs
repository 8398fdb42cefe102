//! Lists read whole over HTTP, by one invocation and by the lines of a stream.

use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::http::NDJSON;
use crate::support::server::Server;

#[tokio::test]
async fn invocation_and_line_of_a_stream_read_a_list_whole() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let key = server.create_key("acme");
    server.connect(&key, DEMO_API_TOKEN).await;
    let read = |options: Value| json!({"action": "getDeals", "input": {"limit": 40}, "options": options}).to_string();
    let whole = server.invoke(&key, read(json!({"pages": "all"}))).await;
    let count = whole["data"].as_array().map_or(0, Vec::len);
    assert!(count > 100, "{}", whole["page"]);
    assert_eq!(whole["page"], json!({"count": count, "complete": true, "next": null}));
    let lines = [json!({"pages": "all", "maxItems": 70}), json!({"maxItems": 70}), json!({"pages": "one"})].map(read).join("\n");
    let response = server.send("POST", "/v1/invoke", &[("authorization", &key), NDJSON], lines).await;
    let outcomes: Vec<Value> = response.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(outcomes[0]["data"].as_array().map(Vec::as_slice), whole["data"].as_array().map(|all| &all[..70]));
    assert_eq!((&outcomes[0]["page"]["complete"], &outcomes[0]["meta"]["requests"]), (&json!(false), &json!(2)));
    assert_eq!(outcomes[1]["error"]["kind"], "invalid_invocation", "{}", outcomes[1]);
    assert_eq!(outcomes[2]["page"]["count"], 40);
    let openapi = server.get("/openapi.json", &key).await.json();
    let options = &openapi["components"]["schemas"]["Invocation"]["properties"]["options"]["properties"];
    assert_eq!((&options["pages"]["enum"], &options["maxItems"]["minimum"]), (&json!(["one", "all"]), &json!(1)));
}
