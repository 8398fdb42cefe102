//! Choice of a call's connection, and changes by its owner.

use connector_core::ErrorKind;
use connector_core::embed::Connections;
use connector_core::run::View;
use secrecy::ExposeSecret;

use super::vendor::Who;
use super::{World, on_both};
use crate::{BeginOptions, Connection, Status};

on_both!(
    chooses_the_only_the_default_or_the_named_connection,
    rejects_names_that_are_taken_or_look_like_ids,
    a_test_refreshes_a_refused_token_and_fails_a_dead_grant,
    sees_changes_of_another_host_after_two_seconds,
    a_clock_set_back_outdates_the_cache,
    a_test_keeps_the_scopes_of_a_concurrent_refresh,
    a_test_ignores_the_refusal_of_a_replaced_token,
    a_view_is_kept_until_another_is_given,
    the_owner_of_a_connection_alone_sets_its_view,
);

async fn chooses_the_only_the_default_or_the_named_connection(world: World) {
    let owned = world.vault.for_owner("ann");
    let none = owned.choose("acme", None).await.expect_err("none yet");
    assert_eq!((none.kind(), none.hint()), (ErrorKind::NoConnection, Some("There is none yet: connect an account.")));
    let first = world.connect("ann", (7, 3)).await;
    world.vault.authorize("ann", "acme", None, super::BROWSER).await.expect("it begins");
    assert_eq!(owned.choose("acme", None).await.expect("the unfinished one does not count").id, first.id);
    world.clock.advance(std::time::Duration::from_secs(1));
    let second = world.connect("ann", (8, 3)).await;
    let several = owned.choose("acme", None).await.expect_err("there are two and no default");
    assert_eq!(several.hint(), Some("There are: company7, company8."));
    for one in [&second, &first] {
        world.vault.set_default("ann", &one.id).await.expect("it is the default");
        assert_eq!(owned.choose("acme", None).await.expect("the default").id, one.id);
    }
    assert_eq!(owned.choose("acme", Some("company8")).await.expect("by name").id, second.id);
    assert_eq!(owned.choose("acme", Some(&second.id)).await.expect("by id").id, second.id);
    let waits = world.vault.authorize("ann", "acme", Some("Waits"), super::BROWSER).await.expect("it begins").connection;
    for named in ["Waits", &waits.id] {
        let error = owned.choose("acme", Some(named)).await.expect_err("it is not finished");
        assert!(error.message().contains("\"Waits\" is not finished"), "{error}");
    }
    assert_eq!(owned.choose("acme", Some("company9")).await.expect_err("there is none").hint(), Some("There are: company7, company8."));
    assert_eq!(owned.choose("other", Some("company8")).await.expect_err("another app's").kind(), ErrorKind::NoConnection);

    // A failed default is chosen too, so that no call goes to another account in its place.
    world.vault.record_uninstall(super::vendor::CLIENT.0, "7", "3", None).await.expect("it is recorded");
    let chosen = owned.choose("acme", None).await.expect("still the default");
    assert_eq!((&chosen.id, owned.access(&chosen).await.expect_err("the grant ended").kind()), (&first.id, ErrorKind::ReconnectRequired));
}

async fn rejects_names_that_are_taken_or_look_like_ids(world: World) {
    let (first, second) = (world.connect("ann", (7, 3)).await, world.connect("ann", (8, 3)).await);
    world.connect("bob", (7, 3)).await;
    assert_eq!(world.vault.rename("ann", &second.id, &first.name).await.expect_err("the name is taken").kind(), ErrorKind::Conflict);
    let begun = world.vault.authorize("ann", "acme", Some(&first.name), super::BROWSER).await;
    assert_eq!(begun.expect_err("the name is taken").kind(), ErrorKind::Conflict);
    for bad in ["", " x", "a\nb", &first.id, &"x".repeat(101)] {
        assert_eq!(world.vault.rename("ann", &second.id, bad).await.expect_err(bad).kind(), ErrorKind::InvalidInput);
    }
    let waiting = world.vault.authorize("ann", "acme", Some("Waiting"), super::BROWSER).await.expect("it begins").connection;
    assert_eq!(world.vault.set_default("ann", &waiting.id).await.expect_err("it is not finished").kind(), ErrorKind::Conflict);
    assert_eq!(world.vault.list("ann", Some("acme"), Some(Status::Pending)).await.expect("a list"), [waiting]);
    assert!(world.vault.list("ann", Some("other"), None).await.expect("a list").is_empty());
}

async fn a_test_refreshes_a_refused_token_and_fails_a_dead_grant(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.vendor.forget_access_tokens();
    let tested = world.vault.test("ann", &made.id).await.expect("a refused token is refreshed");
    assert_eq!((tested.metadata, world.refreshes()), (made.metadata.clone(), 1));
    world.vendor.forget_grants();
    assert_eq!(world.vault.test("ann", &made.id).await.expect_err("the grant ended").kind(), ErrorKind::ReconnectRequired);
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is stored").status, Status::Failed);
}

async fn sees_changes_of_another_host_after_two_seconds(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.access("ann", &made.name).await.expect("a credential");
    let elsewhere = world.open_another().await;
    elsewhere.remove("ann", &made.id).await.expect("it is removed");
    world.clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(world.access("ann", &made.name).await.expect_err("it is gone").kind(), ErrorKind::NoConnection);
}

async fn a_clock_set_back_outdates_the_cache(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.access("ann", &made.name).await.expect("a credential");
    world.open_another().await.remove("ann", &made.id).await.expect("it is removed");
    world.clock.set(crate::Moment::from_micros(super::START.as_micros() - 1_000_000));
    assert_eq!(world.access("ann", &made.name).await.expect_err("it is gone").kind(), ErrorKind::NoConnection);
}

async fn a_test_keeps_the_scopes_of_a_concurrent_refresh(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let gate = world.vendor.close_gate_at("/v1/me");
    let (vault, id) = (world.vault.clone(), made.id.clone());
    let tested = tokio::spawn(async move { vault.test("ann", &id).await });
    gate.arrived.notified().await;
    world.vendor.state().scope = Some("base");
    world.expire_tokens();
    world.access("ann", &made.id).await.expect("refreshed, with fewer scopes");
    gate.open();
    let tested = tested.await.expect("no panic").expect("it is tested");
    assert_eq!(tested.metadata.scopes.as_deref(), Some(["base".to_owned()].as_slice()));
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is stored").metadata, tested.metadata);
}

async fn a_test_ignores_the_refusal_of_a_replaced_token(world: World) {
    world.vendor.state().api_tokens = [("hunter2-old".to_owned(), (7, 3))].into();
    let made = world.vault.add_api_token("ann", "acme", None, None, &world.vendor.url, "hunter2-old".into()).await.expect("it is stored");
    world.vendor.state().api_tokens = [("hunter2-new".to_owned(), (7, 3))].into();
    let gate = world.vendor.close_gate_at("/v1/me");
    let (vault, id) = (world.vault.clone(), made.id.clone());
    let tested = tokio::spawn(async move { vault.test("ann", &id).await });
    gate.arrived.notified().await;
    world.vendor.remove_gate();
    world.vault.add_api_token("ann", "acme", None, None, &world.vendor.url, "hunter2-new".into()).await.expect("it is replaced");
    gate.open();
    assert_eq!(tested.await.expect("no panic").expect("the new token is valid").status, Status::Active);
}

/// Connects an account by way of a platform, with a view.
async fn connect_with_view(world: &World, who: Who, view: Option<View>) -> Connection {
    let begun = world.vault.begin("ann", "acme", BeginOptions { view, ..BeginOptions::default() }).await.expect("it begins").connection;
    assert_eq!(begun.view, view, "a connection that waits has its view already");
    world.vault.exchange("ann", &begun.id, world.vendor.code(who)).await.expect("it is connected")
}

async fn a_view_is_kept_until_another_is_given(world: World) {
    let vault = &world.vault;
    let first = connect_with_view(&world, (7, 3), Some(View::Flat)).await;
    for (given, kept) in [(None, View::Flat), (Some(View::Record), View::Record), (None, View::Record), (Some(View::Flat), View::Flat)] {
        let renewed = connect_with_view(&world, (7, 3), given).await;
        assert_eq!((&renewed.id, renewed.view), (&first.id, Some(kept)), "{given:?} was given");
    }
    // An install that is confirmed names no view.
    let held = vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    let confirmed = vault.confirm_install("ann", held.handle.expose_secret()).await.expect("it is confirmed");
    assert_eq!((&confirmed.id, confirmed.view), (&first.id, Some(View::Flat)));
    // An account that comes back by the link of another is new.
    vault.record_uninstall(super::vendor::CLIENT.0, "7", "3", None).await.expect("it is recorded");
    let link = vault.create_link("ann", &first.id).await.expect("a link");
    let opened = vault.open_link(link.expose_secret(), super::BROWSER).await.expect("it opens");
    let state = super::state_of(&opened.url);
    let other = vault.finish_authorization(super::BROWSER, &state, world.vendor.code((8, 3))).await.expect("it is connected");
    assert!(other.id != first.id && other.view.is_none(), "{other:?}");

    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (9, 3));
    for (given, kept) in
        [(None, None), (Some(View::Flat), Some(View::Flat)), (None, Some(View::Flat)), (Some(View::Record), Some(View::Record))]
    {
        let added = vault.add_api_token("ann", "acme", None, given, &world.vendor.url, "hunter2-api".into()).await;
        assert_eq!(added.expect("it is stored").view, kept, "{given:?} was given");
    }
}

async fn the_owner_of_a_connection_alone_sets_its_view(world: World) {
    let (vault, made) = (&world.vault, world.connect("ann", (7, 3)).await);
    let owned = vault.for_owner("ann");
    assert_eq!((made.view, owned.choose("acme", None).await.expect("the only one").view), (None, None));
    world.clock.advance(std::time::Duration::from_secs(1));
    let changed = vault.set_view("ann", &made.id, Some(View::Flat)).await.expect("it is set");
    assert_eq!((changed.view, changed.last_updated_time), (Some(View::Flat), made.last_updated_time + std::time::Duration::from_secs(1)));
    let refused = vault.set_view("bob", &made.id, None).await.expect_err("it is another owner's");
    assert_eq!(refused.kind(), ErrorKind::NoConnection);
    assert_eq!(owned.choose("acme", None).await.expect("the only one").view, Some(View::Flat));
    let with_view = owned.clone().with_view(Some(View::Record));
    assert_eq!(with_view.choose("acme", None).await.expect("the only one").view, Some(View::Record), "the caller's view goes first");
    assert_eq!(vault.set_view("ann", &made.id, None).await.expect("it is taken away").view, None);
    assert_eq!(owned.choose("acme", None).await.expect("the only one").view, None);
}
