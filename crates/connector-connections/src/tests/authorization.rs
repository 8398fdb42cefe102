//! Connections by authorization, by a platform's code, and by an API token.

use std::time::Duration;

use connector_core::ErrorKind;
use connector_core::embed::Connections;
use secrecy::ExposeSecret;
use serde_json::json;

use super::vendor::{CALLBACK, CLIENT};
use super::{BROWSER, World, on_both, parameter, state_of, token};
use crate::store::statement::sql;
use crate::{BeginOptions, Method, Progress, Reason, Revocation, Status};

on_both!(
    an_authorization_connects_an_account,
    renews_the_same_account_and_never_overwrites_another,
    a_link_reconnects_a_failed_connection,
    a_platform_exchanges_its_own_code,
    tests_an_api_token_before_storing_it,
    a_declined_authorization_removes_its_connection,
    reports_the_progress_of_a_begun_connection,
    keeps_the_name_of_a_connected_account,
);

async fn an_authorization_connects_an_account(world: World) {
    world.vendor.state().expires_in = Some(json!("3600"));
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    assert_eq!((begun.connection.status, begun.connection.method), (Status::Pending, Method::OAuth2));
    assert!(begun.url.expose_secret().starts_with(&format!("{}/oauth/authorize?", world.vendor.url)));
    assert_eq!((parameter(&begun.url, "client_id").as_str(), parameter(&begun.url, "redirect_uri").as_str()), (CLIENT.0, CALLBACK));
    let pending = world.vault.for_owner("ann").choose("acme", Some(&begun.connection.id)).await.expect_err("it is not finished");
    assert_eq!(pending.kind(), ErrorKind::NoConnection);

    let code = world.vendor.code((7, 3));
    let made = world.vault.finish_authorization(BROWSER, &state_of(&begun.url), code).await.expect("it is connected");
    assert_eq!((made.id.as_str(), made.name.as_str(), made.status), (begun.connection.id.as_str(), "company7", Status::Active));
    let shown = serde_json::to_value(&made).expect("it is shown");
    assert_eq!(
        shown["metadata"],
        json!({
            "company": {"id": "7", "name": "Company 7", "domain": "company7"},
            "user": {"id": "3", "name": "User 3", "email": "3@7.example"},
            "scopes": ["base", "deals:full"],
            "api_domain": world.vendor.url,
        })
    );
    assert_eq!(
        (&shown["status"], &shown["method"], &shown["creation_time"]),
        (&json!("ACTIVE"), &json!("OAUTH2"), &json!("2027-01-15T08:00:00.000000Z"))
    );
    let chosen = world.vault.for_owner("ann").choose("acme", None).await.expect("the only one");
    assert_eq!((chosen.name.as_str(), chosen.sandbox, chosen.api_token, chosen.scopes), ("company7", true, false, made.metadata.scopes));
    world.access("ann", "company7").await.expect("a credential");
    assert_eq!((world.vendor.exchanges(), world.refreshes()), (1, 0));
}

async fn renews_the_same_account_and_never_overwrites_another(world: World) {
    let first = world.connect("ann", (7, 3)).await;
    let named = world.vault.rename("ann", &first.id, "Acme, Berlin").await.expect("it is renamed");
    let before = token(&world.access("ann", &named.name).await.expect("a credential"));
    let again = world.connect("ann", (7, 3)).await;
    assert_eq!((&again.id, again.name.as_str()), (&first.id, "Acme, Berlin"), "the account got a second connection");
    assert_ne!(token(&world.access("ann", &again.name).await.expect("a credential")), before, "the old token is still used");

    let user = world.connect("ann", (7, 4)).await;
    let company = world.connect("ann", (8, 3)).await;
    let owner = world.connect("bob", (7, 3)).await;
    let ids: std::collections::HashSet<_> = [&first, &user, &company, &owner].map(|one| one.id.clone()).into();
    assert_eq!(ids.len(), 4, "another user, company or owner shares a connection");
    assert_eq!((user.name.as_str(), company.name.as_str()), ("company7", "company8"));
    assert_eq!(world.connect("ann", (7, 5)).await.name, "company7-2");
    assert!(world.vault.list("ann", None, Some(Status::Pending)).await.expect("a list").is_empty(), "an unfinished connection was left");
}

async fn a_link_reconnects_a_failed_connection(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    assert_eq!(world.vault.create_link("ann", &made.id).await.expect_err("it is active").kind(), ErrorKind::Conflict);
    world.vendor.forget_grants();
    world.expire_tokens();
    world.access("ann", &made.id).await.expect_err("the grant is gone");
    let failed = world.vault.get("ann", &made.id).await.expect("it is kept");
    assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::NeedsReconnect)));

    let link = world.vault.create_link("ann", &made.id).await.expect("a link");
    let opened = world.vault.open_link(link.expose_secret(), BROWSER).await.expect("it opens");
    let again = world.vault.open_link(link.expose_secret(), BROWSER).await.expect_err("it opens once");
    assert_eq!(again.kind(), ErrorKind::Forbidden);
    // A sign-in as another company makes another connection and leaves the failed one as it is.
    let other =
        world.vault.finish_authorization(BROWSER, &state_of(&opened.url), world.vendor.code((9, 1))).await.expect("it is connected");
    assert_ne!(other.id, made.id);
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is kept"), failed);

    let link = world.vault.create_link("ann", &made.id).await.expect("a link");
    let opened = world.vault.open_link(link.expose_secret(), BROWSER).await.expect("it opens");
    world.vault.decline_authorization(BROWSER, &state_of(&opened.url)).await.expect("it is declined");
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is kept"), failed, "a declined reconnection changed the connection");

    let link = world.vault.create_link("ann", &made.id).await.expect("a link");
    let opened = world.vault.open_link(link.expose_secret(), BROWSER).await.expect("it opens");
    let mended =
        world.vault.finish_authorization(BROWSER, &state_of(&opened.url), world.vendor.code((7, 3))).await.expect("it is connected");
    assert_eq!((&mended.id, mended.status, mended.reason), (&made.id, Status::Active, None));
    world.access("ann", &made.id).await.expect("a credential");
}

async fn a_platform_exchanges_its_own_code(world: World) {
    let callback = "https://platform.example/back";
    let begun = world
        .vault
        .begin(
            "ann",
            "acme",
            BeginOptions { name: Some("Acme"), redirect_uri: Some(callback), state: Some("ours"), ..BeginOptions::default() },
        )
        .await
        .expect("it begins");
    assert_eq!((parameter(&begun.url, "redirect_uri").as_str(), state_of(&begun.url).as_str()), (callback, "ours"));
    let code = world.vendor.code_for((7, 3), callback);
    let made = world.vault.exchange("ann", &begun.connection.id, code.into()).await.expect("it is connected");
    assert_eq!((&made.id, made.name.as_str(), made.status), (&begun.connection.id, "Acme", Status::Active));
    let code = world.vendor.code_for((8, 3), callback);
    let again = world.vault.exchange("ann", &made.id, code.into()).await.expect_err("it is finished");
    assert_eq!((again.kind(), world.vendor.exchanges()), (ErrorKind::Conflict, 1), "the second code was exchanged");
    let plain = world
        .vault
        .begin("ann", "acme", BeginOptions { redirect_uri: Some("http://platform.example/back"), ..BeginOptions::default() })
        .await;
    assert_eq!(plain.expect_err("not https").kind(), ErrorKind::InvalidInput);
}

async fn tests_an_api_token_before_storing_it(world: World) {
    let add = |name: Option<&'static str>, token: &'static str| {
        let (vault, url) = (world.vault.clone(), world.vendor.url.clone());
        async move { vault.add_api_token("ann", "acme", name, None, &url, token.into()).await }
    };
    assert_eq!(add(None, "hunter2-api").await.expect_err("it belongs to nobody").kind(), ErrorKind::Unauthorized);
    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (7, 3));
    let made = add(Some("main"), "hunter2-api").await.expect("it is stored");
    assert_eq!((made.name.as_str(), made.method, made.status), ("main", Method::ApiKey, Status::Active));
    assert!(world.vault.for_owner("ann").choose("acme", None).await.expect("the only one").api_token);
    assert_eq!(token(&world.access("ann", "main").await.expect("a credential")), "hunter2-api");

    // The token is replaced at the vendor: a test fails the connection, and the new token repairs it.
    world.vendor.state().api_tokens = [("hunter2-new".to_owned(), (7, 3))].into();
    assert_eq!(world.vault.test("ann", &made.id).await.expect_err("it is refused").kind(), ErrorKind::Unauthorized);
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is stored").reason, Some(Reason::NeedsReconnect));
    let mended = add(None, "hunter2-new").await.expect("it is stored");
    assert_eq!((&mended.id, mended.name.as_str(), mended.status), (&made.id, "main", Status::Active));
    assert_eq!(token(&world.access("ann", "main").await.expect("a credential")), "hunter2-new");

    let elsewhere = world.vault.add_api_token("ann", "acme", None, None, "https://company.acme.example", "hunter2-new".into()).await;
    assert_eq!(elsewhere.expect_err("a sandbox is on this machine").kind(), ErrorKind::NoConnection);
    world.connect("ann", (7, 3)).await;
    assert_eq!(add(None, "hunter2-new").await.expect_err("it is connected by OAuth").kind(), ErrorKind::Conflict);
}

async fn a_declined_authorization_removes_its_connection(world: World) {
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    let state = state_of(&begun.url);
    let declined = world.vault.decline_authorization(BROWSER, &state).await.expect("it is declined");
    assert_eq!(declined.map(|one| one.id), Some(begun.connection.id), "the caller cannot name the vendor");
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty());
    let late = world.vault.finish_authorization(BROWSER, &state, world.vendor.code((7, 3))).await;
    assert_eq!(late.expect_err("the state is used up").kind(), ErrorKind::Forbidden);
    assert_eq!(world.vendor.exchanges(), 0);
}

async fn reports_the_progress_of_a_begun_connection(world: World) {
    let vault = &world.vault;
    let begin = |options: BeginOptions<'static>| async move { vault.begin("ann", "acme", options).await.expect("it begins").connection };
    let open_link = |id: String| async move {
        let link = vault.create_link("ann", &id).await.expect("a link");
        state_of(&vault.open_link(link.expose_secret(), BROWSER).await.expect("it opens").url)
    };
    let progress = |id: String| async move { vault.progress("ann", &id).await.expect("it is looked up") };
    let first = begin(BeginOptions::default()).await;
    assert_eq!(progress(first.id.clone()).await, Progress::Waiting);
    let made =
        vault.finish_authorization(BROWSER, &open_link(first.id.clone()).await, world.vendor.code((7, 3))).await.expect("it is connected");
    assert_eq!(progress(first.id.clone()).await, Progress::Connected(made));

    let again = begin(BeginOptions::default()).await;
    vault.finish_authorization(BROWSER, &open_link(again.id.clone()).await, world.vendor.code((7, 3))).await.expect("it is connected");
    assert_eq!(progress(again.id.clone()).await, Progress::Renewed(vault.get("ann", &first.id).await.expect("it is stored")));
    assert_eq!(vault.progress("bob", &again.id).await.expect("it is looked up"), Progress::Removed, "another owner learns nothing");

    let declined = begin(BeginOptions::default()).await;
    vault.decline_authorization(BROWSER, &open_link(declined.id.clone()).await).await.expect("it is declined");
    assert_eq!(progress(declined.id).await, Progress::Declined);
    // A connection of a platform has the platform's page, and no link of this host.
    let platforms = begin(BeginOptions { redirect_uri: Some("https://platform.example/back"), ..BeginOptions::default() }).await;
    assert_eq!(vault.create_link("ann", &platforms.id).await.expect_err("no link").kind(), ErrorKind::Conflict);
    assert_eq!(progress(platforms.id.clone()).await, Progress::Waiting);
    assert_eq!(vault.remove("ann", &platforms.id).await.expect("it is removed"), Revocation::NothingToRevoke);
    assert_eq!(progress(platforms.id).await, Progress::Removed);

    vault.remove("ann", &first.id).await.expect("it is removed");
    assert_eq!(progress(again.id.clone()).await, Progress::Removed, "the renewed connection was removed");
    world.clock.advance(Duration::from_hours(24));
    vault.sweep().await.expect("the sweep runs");
    assert!(
        vault.context().store().rows(sql!("SELECT id FROM connector_ended")).await.expect("rows").is_empty(),
        "ends of connections are kept for longer than a day"
    );
}

async fn keeps_the_name_of_a_connected_account(world: World) {
    let begun = world
        .vault
        .begin("ann", "acme", BeginOptions { name: Some("Main"), ..BeginOptions::default() })
        .await
        .expect("it begins")
        .connection;
    let first = world.vault.exchange("ann", &begun.id, world.vendor.code((7, 3))).await.expect("it is connected");
    assert_eq!((&first.id, first.name.as_str()), (&begun.id, "Main"));
    // Calls use the name, so that connecting the account again under another name does not change it.
    let begun = world
        .vault
        .begin("ann", "acme", BeginOptions { name: Some("Other"), ..BeginOptions::default() })
        .await
        .expect("it begins")
        .connection;
    let renewed = world.vault.exchange("ann", &begun.id, world.vendor.code((7, 3))).await.expect("it is connected");
    assert_eq!((&renewed.id, renewed.name.as_str()), (&first.id, "Main"));

    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (8, 3));
    let add = |name: Option<&'static str>| {
        let (vault, url) = (world.vault.clone(), world.vendor.url.clone());
        async move { vault.add_api_token("ann", "acme", name, None, &url, "hunter2-api".into()).await }
    };
    let taken = add(Some("Main")).await.expect_err("another's name");
    assert!(taken.kind() == ErrorKind::Conflict && taken.message().contains("Main"), "{taken}");
    let made = add(None).await.expect("it is stored");
    assert_eq!(made.name, "company8");
    let again = add(Some("Second")).await.expect("it is stored");
    assert_eq!((&again.id, again.name.as_str()), (&made.id, "company8"));
}
