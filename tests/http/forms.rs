//! The account's own form: an action described with the custom fields of a connection.

use pipedrive_sandbox::DEMO_API_TOKEN;

use crate::support::server::Server;

#[tokio::test]
async fn form_has_the_custom_fields_of_the_owners_connection() {
    let (server, _) = Server::start_with_sandbox(&[]).await;
    let (key, other) = (server.create_key("acme"), server.create_key("other"));
    let connected = server.connect(&key, DEMO_API_TOKEN).await;
    let id = connected["connection_id"].as_str().expect("an id");
    let path = format!("/v1/actions/addDeal?connection={id}");
    let form = server.get(&path, &key).await.json();
    let plain = server.get("/v1/actions/addDeal", &key).await.json();
    let fields = form["input"]["properties"]["customFields"]["properties"].as_object().expect("the account has custom fields");
    assert!(fields.values().any(|field| field["title"] == "Tier"), "{form}");
    assert_eq!(form["account"]["tokens"], 10, "{form}");
    assert!(plain.get("account").is_none() && plain["input"]["properties"]["customFields"].get("properties").is_none(), "{plain}");
    assert_eq!((&form["output"], &form["example"]), (&plain["output"], &plain["example"]));
    assert_eq!(server.get(&path, &key).await.json()["account"]["requests"], 0, "the definitions are kept");
    let refused = server.get(&path, &other).await;
    assert_eq!((refused.status, refused.kind().as_str()), (400, "no_connection"), "{}", refused.text());
}
