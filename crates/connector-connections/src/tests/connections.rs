//! Which connection a call uses, and what its owner may change.

use connector_core::{Connections, ErrorKind};

use super::{World, on_both};
use crate::Status;

on_both!(
    the_only_one_the_default_or_the_named_one_is_used,
    a_name_is_unique_and_no_id,
    a_test_keeps_what_the_vendor_says,
    a_change_of_another_host_is_seen_a_moment_later,
);

async fn the_only_one_the_default_or_the_named_one_is_used(world: World) {
    let owned = world.vault.of("ann");
    let none = owned.choose("acme", None).await.expect_err("none yet");
    assert_eq!((none.kind(), none.hint()), (ErrorKind::NoConnection, Some("There is none yet: connect an account.")));
    let first = world.connected("ann", (7, 3)).await;
    world.vault.authorize("ann", "acme", None, super::BROWSER).await.expect("begun");
    assert_eq!(owned.choose("acme", None).await.expect("what waits does not count").id, first.id);
    world.clock.advance(std::time::Duration::from_secs(1));
    let second = world.connected("ann", (8, 3)).await;
    let several = owned.choose("acme", None).await.expect_err("two, and none is marked");
    assert_eq!(several.hint(), Some("There are: company7, company8."));
    for one in [&second, &first] {
        world.vault.set_default("ann", &one.id).await.expect("marked");
        assert_eq!(owned.choose("acme", None).await.expect("the marked one").id, one.id);
    }
    assert_eq!(owned.choose("acme", Some("company8")).await.expect("by name").id, second.id);
    assert_eq!(owned.choose("acme", Some(&second.id)).await.expect("by id").id, second.id);
    assert_eq!(owned.choose("acme", Some("company9")).await.expect_err("no such").hint(), Some("There are: company7, company8."));
    assert_eq!(owned.choose("other", Some("company8")).await.expect_err("another app's").kind(), ErrorKind::NoConnection);

    // A failed one that is the default, or the only one: no call goes to another account in its place.
    world.vault.uninstalled(super::vendor::CLIENT.0, "7", "3", None).await.expect("told");
    let chosen = owned.choose("acme", None).await.expect("still the default");
    assert_eq!((&chosen.id, owned.access(&chosen).await.expect_err("gone").kind()), (&first.id, ErrorKind::ReconnectRequired));
}

async fn a_name_is_unique_and_no_id(world: World) {
    let (first, second) = (world.connected("ann", (7, 3)).await, world.connected("ann", (8, 3)).await);
    world.connected("bob", (7, 3)).await;
    assert_eq!(world.vault.rename("ann", &second.id, &first.name).await.expect_err("taken").kind(), ErrorKind::Conflict);
    let begun = world.vault.authorize("ann", "acme", Some(&first.name), super::BROWSER).await;
    assert_eq!(begun.expect_err("taken").kind(), ErrorKind::Conflict);
    for bad in ["", " x", "a\nb", &first.id, &"x".repeat(101)] {
        assert_eq!(world.vault.rename("ann", &second.id, bad).await.expect_err(bad).kind(), ErrorKind::InvalidInput);
    }
    let waiting = world.vault.authorize("ann", "acme", Some("Waiting"), super::BROWSER).await.expect("begun").connection;
    assert_eq!(world.vault.set_default("ann", &waiting.id).await.expect_err("not finished").kind(), ErrorKind::Conflict);
    assert_eq!(world.vault.list("ann", Some("acme"), Some(Status::Pending)).await.expect("a list"), [waiting]);
    assert!(world.vault.list("ann", Some("other"), None).await.expect("a list").is_empty());
}

async fn a_test_keeps_what_the_vendor_says(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.vendor.forget_access_tokens();
    let tested = world.vault.test("ann", &made.id).await.expect("a refused token is refreshed");
    assert_eq!((tested.metadata, world.refreshed()), (made.metadata.clone(), 1));
    world.vendor.forget_grants();
    assert_eq!(world.vault.test("ann", &made.id).await.expect_err("gone").kind(), ErrorKind::ReconnectRequired);
    assert_eq!(world.vault.get("ann", &made.id).await.expect("kept").status, Status::Failed);
}

async fn a_change_of_another_host_is_seen_a_moment_later(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.access("ann", &made.name).await.expect("a credential");
    let elsewhere = world.another().await;
    elsewhere.remove("ann", &made.id).await.expect("removed");
    world.clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(world.access("ann", &made.name).await.expect_err("it is gone").kind(), ErrorKind::NoConnection);
}
