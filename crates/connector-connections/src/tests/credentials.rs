//! Credentials of vendors of any kind: one test for each way that a vendor may differ.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector_core::declare::Connector;
use connector_core::embed::{Access, Connections};
use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::recorder::{Asked, CALLBACK, CHALLENGED, COPIED, HOSTED, KEYED, LOST, OPEN, PUBLIC, Recorder, SECRET};
use super::{BROWSER, World, http, on_both, parameter, state_of, token};
use crate::value::random;
use crate::{App, BeginOptions, Connection, Method, Reason, Revocation, Status, Vault};

on_both!(
    a_challenge_goes_out_and_its_verifier_comes_with_the_code,
    a_platform_has_its_verifier_kept_sealed,
    a_public_client_sends_its_id_alone,
    a_client_without_secret_needs_a_challenge,
    a_host_that_the_token_response_names_is_the_vendors,
    reads_token_responses_leniently,
    refuses_tokens_of_another_type,
    a_token_without_refresh_token_is_used_until_it_expires,
    a_token_without_expiry_is_used_until_it_is_refused,
    a_connection_without_identity_is_known_by_its_name,
    an_api_key_travels_with_its_prefix,
    a_copied_bearer_token_is_checked_by_the_identity,
    an_app_without_oauth_takes_tokens_alone,
    revokes_whatever_token_there_is,
    no_error_or_account_shows_a_secret_of_the_exchange,
);

/// Vendor of a kind, and a vault with its app.
struct Any {
    recorder: Recorder,
    vault: Vault,
    key: &'static str,
}

impl Any {
    async fn new(world: &World, connector: &'static Connector) -> Self {
        let app = App::new(connector).expect("it signs in");
        let app = if connector.key == "public" {
            app.with_public_client("client", CALLBACK)
        } else {
            app.with_client("client", SECRET, CALLBACK)
        };
        let recorder = Recorder::start().await;
        recorder.answer("/token", 200, &json!({"access_token": "hunter2-access", "refresh_token": "hunter2-refresh", "expires_in": 3600}));
        recorder.answer("/v1/whoami", 200, &json!({"user": {"id": 3, "name": "Ann"}, "workspace": "Berlin"}));
        recorder.answer("/revoke", 200, &json!({}));
        Self { vault: recorder.open(world, app).await, recorder, key: connector.key }
    }

    /// Connects an account by an authorization.
    async fn connect(&self) -> Result<Connection, Error> {
        self.connect_as(None).await
    }

    async fn connect_as(&self, name: Option<&str>) -> Result<Connection, Error> {
        let begun = self.vault.authorize("ann", self.key, name, BROWSER).await?;
        self.vault.finish_authorization(BROWSER, &state_of(&begun.url), "hunter2/code+".into()).await
    }

    /// Connects a failed connection again, by its link.
    async fn reconnect(&self, id: &str) -> Result<Connection, Error> {
        let link = self.vault.create_link("ann", id).await?;
        let begun = self.vault.open_link(link.expose_secret(), BROWSER).await?;
        self.vault.finish_authorization(BROWSER, &state_of(&begun.url), "hunter2/code+".into()).await
    }

    async fn access(&self, named: &str) -> Result<Access, Error> {
        let owned = self.vault.for_owner("ann");
        owned.access(&owned.choose(self.key, Some(named)).await?).await
    }

    /// Adds an API token.
    async fn add(&self, name: Option<&str>, key: &str) -> Result<Connection, Error> {
        let host = self.vault.app(self.key)?.host().expect("a fixed host").to_owned();
        self.vault.add_api_token("ann", self.key, name, None, &host, key.to_owned().into()).await
    }

    /// Takes the only request at a path since the last look.
    fn take_only(&self, path: &str) -> Asked {
        let mut asked: Vec<Asked> = self.recorder.take().into_iter().filter(|asked| asked.path == path).collect();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

fn names(asked: &Asked) -> Vec<&str> {
    let mut names: Vec<&str> = asked.form.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

async fn a_challenge_goes_out_and_its_verifier_comes_with_the_code(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    let begun = any.vault.authorize("ann", "challenged", None, BROWSER).await.expect("it begins");
    let url = begun.url.expose_secret();
    assert!(url.starts_with(&format!("{}/authorize?prompt=consent&response_type=code&client_id=client&", any.recorder.url)), "{url}");
    assert_eq!(parameter(&begun.url, "scope"), "things:read things:write");
    assert_eq!(parameter(&begun.url, "code_challenge_method"), "S256");
    let challenge = parameter(&begun.url, "code_challenge");
    let state = state_of(&begun.url);
    let made = any.vault.finish_authorization(BROWSER, &state, "hunter2/code+".into()).await.expect("it is connected");
    let asked = any.take_only("/token");
    assert_eq!(names(&asked), ["client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri"]);
    assert_eq!((&asked.form["client_secret"], asked.authorization.as_deref()), (&SECRET.to_owned(), None));
    let verifier = asked.form["code_verifier"].as_str();
    assert!(verifier.len() == 43 && random::hash(verifier) == challenge, "{verifier} does not fit {challenge}");
    assert!(!url.contains(verifier) && !format!("{begun:?}{made:?}").contains(verifier));
    world.place.assert_holds_none_of(&[verifier, "hunter2"]).await;

    assert_eq!((made.name.as_str(), made.metadata.company.id.as_deref(), made.metadata.user.id.as_deref()), ("Berlin", None, Some("3")));
    assert_eq!(made.metadata.scopes, Some(vec!["things:read".to_owned(), "things:write".to_owned()]), "as asked");
    assert_eq!(any.connect().await.expect("the same user").id, made.id, "a user without a company has two connections");
    any.recorder.take();
    world.clock.advance(Duration::from_hours(1));
    any.access(&made.id).await.expect("it is refreshed");
    assert_eq!(names(&any.take_only("/token")), ["client_id", "client_secret", "grant_type", "refresh_token"]);
    // Each authorization has a verifier of its own.
    let again = any.vault.authorize("ann", "challenged", None, BROWSER).await.expect("it begins");
    assert_ne!(parameter(&again.url, "code_challenge"), challenge);
}

async fn a_platform_has_its_verifier_kept_sealed(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    let options = BeginOptions { redirect_uri: Some("https://platform.example/back"), state: Some("ours"), ..BeginOptions::default() };
    let begun = any.vault.begin("ann", "challenged", options).await.expect("it begins");
    // Another host of the same store may get the code.
    let other = any.recorder.open(&world, App::new(&CHALLENGED).expect("it signs in").with_client("client", SECRET, CALLBACK)).await;
    other.exchange("ann", &begun.connection.id, "hunter2/code+".into()).await.expect("it is connected");
    let verifier = any.take_only("/token").form["code_verifier"].clone();
    assert_eq!(random::hash(&verifier), parameter(&begun.url, "code_challenge"));
    world.place.assert_holds_none_of(&[&verifier]).await;
}

async fn a_public_client_sends_its_id_alone(world: World) {
    let any = Any::new(&world, &PUBLIC).await;
    let begun = any.vault.authorize("ann", "public", None, BROWSER).await.expect("it begins");
    assert!(!begun.url.expose_secret().contains("scope="), "no scope is asked for");
    any.vault.finish_authorization(BROWSER, &state_of(&begun.url), "hunter2/code+".into()).await.expect("it is connected");
    let asked = any.take_only("/token");
    assert_eq!(names(&asked), ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
    assert_eq!(asked.authorization, None);
    let app = any.vault.app("public").expect("it is there");
    assert!(app.is_registered() && !app.is_client("client", ""), "a client without a secret cannot prove itself");
}

async fn a_client_without_secret_needs_a_challenge(world: World) {
    let recorder = Recorder::start().await;
    let vault = recorder.open(&world, App::new(&HOSTED).expect("it signs in").with_public_client("client", CALLBACK)).await;
    let refused = vault.authorize("ann", "hosted", None, BROWSER).await.expect_err("anybody could use its codes");
    assert_eq!((refused.kind(), refused.hint()), (ErrorKind::NoConnection, Some("Register a client with a secret.")));
}

async fn a_host_that_the_token_response_names_is_the_vendors(world: World) {
    let any = Any::new(&world, &HOSTED).await;
    let answer = |host: Value| {
        let body = json!({"access_token": "hunter2-access", "refresh_token": "hunter2-refresh", "instance_url": host});
        any.recorder.answer("/token", 200, &body);
    };
    answer(json!(any.recorder.url));
    let made = any.connect().await.expect("it is connected");
    assert_eq!(made.metadata.api_domain.as_deref(), Some(any.recorder.url.as_str()));
    let basic = format!("Basic {}", STANDARD.encode(format!("client:{SECRET}")));
    let asked = any.take_only("/token");
    assert_eq!((asked.authorization, asked.form.contains_key("client_id")), (Some(basic), false));
    for (host, kind) in [
        (json!("https://evil.example"), ErrorKind::NoConnection),
        (json!("evil.example"), ErrorKind::NoConnection),
        (json!(null), ErrorKind::BadAnswer),
    ] {
        answer(host);
        assert_eq!(any.connect().await.expect_err("no host of the vendor").kind(), kind);
    }
    assert_eq!(any.access(&made.id).await.expect("it is unharmed").origin(), any.recorder.url);
}

async fn reads_token_responses_leniently(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    let scopes = |text: &str| Some(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
    for (body, granted) in [
        (
            r#"{"access_token": "hunter2", "refresh_token": "hunter2r", "token_type": "bEaReR", "expires_in": "3600", "scope": "a b"}"#,
            "a b",
        ),
        (r#"{"access_token": "hunter2", "refresh_token": "", "token_type": null, "scope": ["a", "b"], "expires_in": 3600.0}"#, "a b"),
        (r#"{"access_token": "hunter2", "scope": "", "expires_in": 0}"#, "things:read things:write"),
        ("access_token=hunter2&token_type=bearer&scope=a+b", "a b"),
    ] {
        any.recorder.answer_text("/token", 200, body);
        let made = any.connect().await.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(made.metadata.scopes, scopes(granted), "{body}");
        assert_eq!(token(&any.access(&made.id).await.expect("a credential")), "hunter2");
    }
}

async fn refuses_tokens_of_another_type(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    for body in
        [json!({"access_token": "hunter2", "token_type": "mac"}), json!({"token_type": "bearer"}), json!({"access_token": ""}), json!([])]
    {
        any.recorder.answer("/token", 200, &body);
        assert_eq!(any.connect().await.expect_err("no token that can be used").kind(), ErrorKind::BadAnswer);
    }
    // Some vendors refuse a grant with a status of success.
    any.recorder.answer("/token", 200, &json!({"error": "invalid_grant"}));
    assert_eq!(any.connect().await.expect_err("the code is refused").kind(), ErrorKind::Gone);
}

async fn a_token_without_refresh_token_is_used_until_it_expires(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    any.recorder.answer("/token", 200, &json!({"access_token": "hunter2-access", "expires_in": 3600}));
    let made = any.connect().await.expect("it is connected");
    any.recorder.take();
    world.clock.advance(Duration::from_secs(3599));
    assert_eq!(token(&any.access(&made.id).await.expect("it is still valid")), "hunter2-access");
    world.clock.advance(Duration::from_secs(1));
    let expired = any.access(&made.id).await.expect_err("it expired");
    assert_eq!(expired.kind(), ErrorKind::ReconnectRequired);
    assert!(expired.hint().is_some_and(|hint| hint.starts_with("Connect the account again")), "{expired}");
    assert!(any.recorder.take().is_empty(), "there was nothing to ask with");
    let failed = any.vault.get("ann", &made.id).await.expect("it is kept");
    assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::NeedsReconnect)));
    assert_eq!(any.reconnect(&made.id).await.expect("it is connected").id, made.id);
}

async fn a_token_without_expiry_is_used_until_it_is_refused(world: World) {
    let any = Any::new(&world, &PUBLIC).await;
    any.recorder.answer("/token", 200, &json!({"access_token": "hunter2-access"}));
    let made = any.connect_as(Some("mine")).await.expect("it is connected");
    world.clock.advance(Duration::from_hours(24 * 365));
    let access = any.access("mine").await.expect("it never expires");
    let owned = any.vault.for_owner("ann");
    let chosen = owned.choose("public", Some("mine")).await.expect("it is there");
    let refused = owned.renew(&chosen, &access).await.expect_err("the vendor refused it");
    assert_eq!((refused.kind(), refused.hint().is_some()), (ErrorKind::ReconnectRequired, true));
    let failed = any.vault.get("ann", &made.id).await.expect("it is kept");
    assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::NeedsReconnect)));

    // A call that was refused with the token of before finds the new one.
    any.recorder.answer("/token", 200, &json!({"access_token": "hunter2-newer"}));
    let mended = any.reconnect(&made.id).await.expect("it is connected");
    assert_eq!((&mended.id, mended.name.as_str(), mended.status), (&made.id, "mine", Status::Active), "it is another connection");
    let fresh = owned.renew(&chosen, &access).await.expect("it is read").expect("there is another");
    assert_eq!(token(&fresh), "hunter2-newer");
}

async fn a_connection_without_identity_is_known_by_its_name(world: World) {
    let any = Any::new(&world, &PUBLIC).await;
    let first = any.connect().await.expect("it is connected");
    let second = any.connect().await.expect("it is connected");
    assert_eq!((first.name.as_str(), second.name.as_str()), ("public", "public-2"), "no account is known to be the same");
    let named = any.connect_as(Some("Berlin")).await.expect("it is connected");
    assert_eq!((named.name.as_str(), &named.metadata.company.id, &named.metadata.user.id), ("Berlin", &None, &None));
    assert_eq!(any.connect_as(Some("Berlin")).await.expect_err("the name is taken").kind(), ErrorKind::Conflict);
    let unchecked = any.vault.test("ann", &named.id).await.expect_err("nothing tells the account");
    assert!(unchecked.message().contains("was not checked") && unchecked.hint().is_some(), "{unchecked}");
}

async fn an_api_key_travels_with_its_prefix(world: World) {
    let any = Any::new(&world, &KEYED).await;
    let made = any.add(None, "hunter2-key").await.expect("it is stored");
    assert!(any.recorder.take().is_empty() && !any.vault.app("keyed").expect("it is there").has_identity(), "nothing could check it");
    assert_eq!((made.name.as_str(), made.method, made.status), ("keyed", Method::ApiKey, Status::Active));
    http().get(&KEYED, &any.access("keyed").await.expect("a credential"), "/v1/things").await.expect("it is read");
    assert_eq!(any.take_only("/v1/things").authorization.as_deref(), Some("Token hunter2-key"));
    // The name tells that the same account is meant.
    let renewed = any.add(Some("keyed"), "hunter2-newer").await.expect("it is stored");
    assert_eq!((&renewed.id, token(&any.access("keyed").await.expect("a credential")).as_str()), (&made.id, "hunter2-newer"));
    assert_ne!(any.add(Some("second"), "hunter2-key").await.expect("it is stored").id, made.id);
    assert_eq!(any.add(None, "hunter2-key").await.expect("it is stored").name, "keyed-2");
    world.place.assert_holds_none_of(&["hunter2"]).await;
}

async fn a_copied_bearer_token_is_checked_by_the_identity(world: World) {
    let any = Any::new(&world, &COPIED).await;
    let made = any.add(None, "hunter2-copied").await.expect("it is stored");
    assert_eq!((made.name.as_str(), made.method, made.metadata.user.id.as_deref()), ("Berlin", Method::ApiKey, Some("3")));
    assert_eq!(any.take_only("/v1/whoami").authorization.as_deref(), Some("Bearer hunter2-copied"));
    any.vault.test("ann", &made.id).await.expect("it works");
    any.recorder.answer("/v1/whoami", 401, &json!({"error": "hunter2"}));
    let refused = any.add(None, "hunter2").await.expect_err("it belongs to nobody");
    assert_eq!(refused.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
}

async fn an_app_without_oauth_takes_tokens_alone(world: World) {
    let any = Any::new(&world, &KEYED).await;
    assert!(!any.vault.app("keyed").expect("it is there").is_registered(), "a client is of no use to it");
    let refused = any.vault.authorize("ann", "keyed", None, BROWSER).await.expect_err("it has no OAuth");
    assert_eq!((refused.kind(), refused.hint()), (ErrorKind::NoConnection, Some("Connect by an API token.")));
    assert!(
        any.vault.begin("ann", "keyed", BeginOptions::default()).await.is_err()
            && any.vault.hold_install("keyed", "code".into()).await.is_err()
    );
    let made = any.add(None, "hunter2-key").await.expect("it is stored");
    any.vault.sweep().await.expect("there is nothing to revoke");
    assert_eq!(any.vault.remove("ann", &made.id).await.expect("it is removed"), Revocation::NothingToRevoke);

    let any = Any::new(&world, &CHALLENGED).await;
    let refused = any.add(None, "hunter2-key").await.expect_err("it takes no token");
    assert_eq!((refused.kind(), refused.hint()), (ErrorKind::NoConnection, Some("Connect by OAuth.")));

    let any = Any::new(&world, &OPEN).await;
    for refused in [any.add(None, "hunter2-key").await.map(drop), any.vault.begin("ann", "open", BeginOptions::default()).await.map(drop)] {
        let refused = refused.expect_err("nobody signs in");
        assert_eq!(refused.hint(), Some("Its API is open to all: no connection is needed."), "{refused}");
    }
    let owned = any.vault.for_owner("ann");
    assert_eq!(owned.choose("open", None).await.expect_err("there is none").kind(), ErrorKind::NoConnection);
    assert!(App::new(&LOST).is_err(), "requests could go nowhere");
}

async fn revokes_whatever_token_there_is(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    let remove = async |any: &Any, made: Connection| any.vault.remove("ann", &made.id).await.expect("it is removed");
    let revoked = |any: &Any| {
        let asked = any.take_only("/revoke");
        (asked.form["token"].clone(), asked.form["token_type_hint"].clone())
    };
    let made = any.connect().await.expect("it is connected");
    assert_eq!(remove(&any, made).await, Revocation::Yes);
    assert_eq!(revoked(&any), ("hunter2-refresh".to_owned(), "refresh_token".to_owned()));
    any.recorder.answer("/token", 200, &json!({"access_token": "hunter2-access"}));
    let made = any.connect().await.expect("it is connected");
    let shared = any.vault.authorize("bob", "challenged", None, BROWSER).await.expect("it begins");
    let shared = any.vault.finish_authorization(BROWSER, &state_of(&shared.url), "code".into()).await.expect("it is connected");
    assert_eq!(remove(&any, made).await, Revocation::StillUsed, "the same user is connected by another owner");
    assert_eq!(any.vault.remove("bob", &shared.id).await.expect("it is removed"), Revocation::Yes);
    assert_eq!(revoked(&any), ("hunter2-access".to_owned(), "access_token".to_owned()));

    // A grant of a vendor without identity is revoked by itself, and again by the sweep if the vendor failed.
    let any = Any::new(&world, &HOSTED).await;
    any.recorder.answer("/token", 200, &json!({"access_token": "hunter2-access", "instance_url": any.recorder.url}));
    let made = any.connect().await.expect("it is connected");
    any.recorder.answer("/revoke", 503, &json!({}));
    assert_eq!(remove(&any, made).await, Revocation::No);
    any.recorder.answer("/revoke", 200, &json!({}));
    any.recorder.take();
    world.clock.advance(Duration::from_mins(5));
    any.vault.sweep().await.expect("the sweep runs");
    assert_eq!(revoked(&any).0, "hunter2-access");

    let any = Any::new(&world, &PUBLIC).await;
    let made = any.connect().await.expect("it is connected");
    any.recorder.take();
    assert_eq!(remove(&any, made).await, Revocation::NotOffered);
    any.vault.sweep().await.expect("the sweep runs");
    assert!(any.recorder.take().is_empty(), "there is nothing to ask");
}

async fn no_error_or_account_shows_a_secret_of_the_exchange(world: World) {
    let any = Any::new(&world, &CHALLENGED).await;
    let assert_hidden = |shown: &str| {
        for secret in ["hunter", "plainsecret", SECRET] {
            assert!(!shown.contains(secret), "{secret} is shown in {shown}");
        }
    };
    // An error code is repeated, which is small letters alone: a secret may look like one.
    for status in [400, 401, 418, 429, 503] {
        any.recorder.answer("/token", status, &json!({"error": "hunter_code", "error_description": "refresh token hunter_code"}));
        let begun = any.vault.authorize("ann", "challenged", None, BROWSER).await.expect("it begins");
        let code = SecretString::from("hunter_code");
        let refused = any.vault.finish_authorization(BROWSER, &state_of(&begun.url), code).await.expect_err("it is refused");
        assert_eq!(refused.upstream().and_then(|upstream| upstream.error.as_deref()), Some("[redacted]"), "{refused:?}");
        assert_hidden(&format!("{refused} {refused:?}"));
    }
    let app = App::new(&CHALLENGED).expect("it signs in").with_client("client", "plainsecret", CALLBACK);
    let vault = any.recorder.open(&world, app).await;
    any.recorder.answer("/token", 401, &json!({"error": "plainsecret"}));
    let begun = vault.authorize("ann", "challenged", None, BROWSER).await.expect("it begins");
    let refused = vault.finish_authorization(BROWSER, &state_of(&begun.url), "code".into()).await.expect_err("it is refused");
    assert_hidden(&format!("{refused} {refused:?}"));

    // The account's name quotes the token.
    any.recorder.answer("/token", 200, &json!({"access_token": "hunter/token+1", "refresh_token": "hunter_refresh", "expires_in": 3600}));
    any.recorder.answer("/v1/whoami", 200, &json!({"user": {"id": 3, "name": "hunter%2Ftoken%2B1"}, "workspace": "Bearer hunter/token+1"}));
    let made = any.connect().await.expect("it is connected");
    assert_hidden(&serde_json::to_string(&made).expect("it is shown"));
    any.recorder.answer("/token", 503, &json!({"error": "hunter_refresh"}));
    world.clock.advance(Duration::from_hours(1));
    let failed = any.access(&made.id).await.expect_err("the vendor fails");
    assert_hidden(&format!("{failed} {failed:?}"));
}
