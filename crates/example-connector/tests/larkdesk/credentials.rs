//! Accounts: a token that a person copies, and OAuth with a code challenge, from the first page to a call.

use std::time::Duration;

use crate::support::send;
use connector_connections::{App, Clock, Connection, Key, Moment, Store, Vault};
use connector_core::Error;
use connector_core::run::{Http, Invocation, Runtime};
use example_connector::CONNECTOR;
use example_connector::server::{CLIENT_ID, CLIENT_SECRET, LarkdeskServer, NORTH_TOKEN, PUBLIC_CLIENT_ID, SOUTH_TOKEN};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const CALLBACK: &str = "http://127.0.0.1:8030/oauth/callback";
const BROWSER: &str = "a browser's own token";

/// A server, and a vault whose app stands before it.
struct Engine {
    server: LarkdeskServer,
    vault: Vault,
    clock: Clock,
    http: Http,
    _folder: tempfile::TempDir,
}

impl Engine {
    /// Starts both. `register` gives the app its client.
    async fn start(register: impl FnOnce(App) -> App) -> Self {
        let server = LarkdeskServer::start().await.expect("a port of this machine is free");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::sqlite(folder.path().join("store.db")).await.expect("a store");
        let key = Key::load_or_create(&folder.path().join("key")).expect("a key");
        let clock = Clock::fixed(Moment::from_micros(1_800_000_000_000_000));
        let http = Http::new(None, Vec::new()).expect("a client");
        let app = register(App::new(&CONNECTOR).expect("it signs in")).with_sandbox(server.url()).expect("it is on this machine");
        let vault = Vault::builder(store, key, &http).app(app).clock(clock.clone()).open().await.expect("a vault");
        Self { server, vault, clock, http, _folder: folder }
    }

    /// Signs in at the server's page, and finishes with the code that it sends the browser back with.
    async fn connect(&self) -> Result<Connection, Error> {
        let begun = self.vault.authorize("ann", CONNECTOR.key, None, BROWSER).await?;
        let target = begun.url.expose_secret().strip_prefix(self.server.url()).expect("the page is at the server");
        let page = send(&self.server, "GET", target, "", "").await;
        assert_eq!(page.status, 302, "{}", page.head);
        let back = page.header("location");
        let parameter = |name: &str| back.split(['?', '&']).find_map(|part| part.strip_prefix(name)).expect("a parameter").to_owned();
        assert!(back.starts_with(&format!("{CALLBACK}?code=")), "{back}");
        self.vault.finish_authorization(BROWSER, &parameter("state="), parameter("code=").into()).await
    }

    async fn add_token(&self, name: &str, token: &str) -> Result<Connection, Error> {
        self.vault.add_api_token("ann", CONNECTOR.key, Some(name), None, self.server.url(), token.to_owned().into()).await
    }

    /// Invokes an action as the owner.
    async fn invoke(&self, connection: &str, key: &str, input: Value) -> Value {
        let ann = self.vault.for_owner("ann");
        let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(ann).http(&self.http).build().expect("the runtime builds");
        let outcome = runtime.invoke(Invocation::new(key).input(input).connection(connection)).await;
        serde_json::from_slice(&outcome.to_json()).expect("an outcome is JSON")
    }
}

#[tokio::test]
async fn oauth_with_a_challenge_connects_a_client_with_a_secret_and_one_without() {
    for (client, is_public) in [(CLIENT_ID, false), (PUBLIC_CLIENT_ID, true)] {
        let engine = Engine::start(|app| {
            if is_public { app.with_public_client(client, CALLBACK) } else { app.with_client(client, CLIENT_SECRET, CALLBACK) }
        })
        .await;
        let made = engine.connect().await.unwrap_or_else(|error| panic!("{client}: {error}"));
        assert_eq!(
            (made.metadata.company.name.as_deref(), made.metadata.user.email.as_deref()),
            (Some("North"), Some("ada@north.example"))
        );
        assert_eq!(made.metadata.api_domain.as_deref(), Some(engine.server.url()), "one host serves all accounts");
        let ticket = engine.invoke(&made.name, "getTicket", json!({"ticketId": 1})).await;
        assert_eq!(ticket["data"]["subject"], "Cannot sign in", "{ticket}");

        // A token that ended before its time is renewed by the way, and so is one whose time came.
        engine.server.expire_access_tokens();
        assert_eq!(engine.invoke(&made.name, "getTicket", json!({"ticketId": 1})).await["ok"], true);
        engine.clock.advance(Duration::from_hours(2));
        assert_eq!(engine.invoke(&made.name, "getTicket", json!({"ticketId": 1})).await["ok"], true);
        let refreshes = engine.server.requests().iter().filter(|request| *request == "POST /oauth/token").count();
        assert_eq!((refreshes, engine.server.count_grants()), (3, 1), "a code, and a refresh for each");

        engine.vault.remove("ann", &made.id).await.expect("it is removed");
        engine.vault.wait_until_idle().await;
        assert_eq!(engine.server.count_grants(), 0, "the grant is given back");
    }
}

#[tokio::test]
async fn client_with_a_wrong_secret_connects_nothing() {
    let engine = Engine::start(|app| app.with_client(CLIENT_ID, "hunter2-hunter2", CALLBACK)).await;
    let refused = engine.connect().await.expect_err("the server knows another secret");
    assert_eq!(refused.hint(), Some("Check the client's id and secret."), "{refused}");
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    assert_eq!(engine.server.count_grants(), 0);
}

#[tokio::test]
async fn grant_without_a_scope_says_which_one_to_allow() {
    let engine = Engine::start(|app| app.with_client(CLIENT_ID, CLIENT_SECRET, CALLBACK).with_scopes(["tickets:read"])).await;
    let made = engine.connect().await.expect("it is connected");
    assert_eq!(made.metadata.scopes, Some(vec!["tickets:read".to_owned()]));
    assert_eq!(engine.invoke(&made.name, "listTickets", json!({})).await["ok"], true, "one scope of two suffices");
    let refused = engine.invoke(&made.name, "deleteTicket", json!({"ticketId": 1})).await;
    assert_eq!(
        (&refused["error"]["kind"], &refused["error"]["hint"]),
        (
            &json!("missing_scope"),
            &json!(
                "Add one of these scopes to the app in Larkdesk's settings for developers, and connect the account again: tickets:write."
            )
        )
    );
    // An action of several calls says which of its scopes is missing.
    let refused = engine.invoke(&made.name, "assignTicket", json!({"ticketId": 1, "agentName": "Nils Aho"})).await;
    let hint = "Add each of these scopes to the app in Larkdesk's settings for developers, and connect the account again: people:read; tickets:write.";
    assert_eq!((&refused["error"]["kind"], &refused["error"]["hint"]), (&json!("missing_scope"), &json!(hint)));
}

#[tokio::test]
async fn copied_tokens_lead_each_to_its_own_account() {
    let engine = Engine::start(|app| app).await;
    for (name, token, company, subject) in
        [("one", NORTH_TOKEN, "North", "Cannot sign in"), ("two", SOUTH_TOKEN, "South", "Phone rings twice")]
    {
        let made = engine.add_token(name, token).await.expect("the token is checked");
        assert_eq!(made.metadata.company.name.as_deref(), Some(company));
        let ticket = engine.invoke(name, "getTicket", json!({"ticketId": 1})).await;
        assert_eq!(ticket["data"]["subject"], subject, "{ticket}");
    }
    let refused = engine.add_token("three", "hunter2-hunter2").await.expect_err("the server does not know it");
    assert!(!format!("{refused:?} {refused}").contains("hunter2"), "{refused:?}");
}

#[tokio::test]
async fn server_gives_no_code_without_a_challenge_and_no_token_without_its_verifier() {
    let server = LarkdeskServer::start().await.expect("a port of this machine is free");
    let page = |more: &str| {
        let back = "http%3A%2F%2F127.0.0.1%3A1%2Fback";
        format!("/oauth/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri={back}&state=s&scope=tickets%3Aread{more}")
    };
    let refused = send(&server, "GET", &page(""), "", "").await;
    assert_eq!(refused.header("location"), "http://127.0.0.1:1/back?error=invalid_request&state=s");
    // The challenge of RFC 7636, appendix B.
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (verifier, status) in [(verifier, 200), ("another", 400), ("", 400)] {
        let granted = send(&server, "GET", &page(challenge), "", "").await;
        let code = granted.header("location").split(['?', '&']).find_map(|part| part.strip_prefix("code=")).expect("a code").to_owned();
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fback&code_verifier={verifier}\
             &client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"
        );
        let reply = send(&server, "POST", "/oauth/token", "application/x-www-form-urlencoded", &form).await;
        assert_eq!(reply.status, status, "{verifier}: {}", reply.head);
        let again = send(&server, "POST", "/oauth/token", "application/x-www-form-urlencoded", &form).await;
        assert_eq!((again.status, again.json()["error"].as_str()), (400, Some("invalid_grant")), "a code is used up");
    }
}
