//! Installs that begin on the vendor's site, and uninstalls.

use std::time::Duration;

use connector_core::ErrorKind;
use secrecy::ExposeSecret;

use super::vendor::CLIENT;
use super::{World, on_both};
use crate::{Moment, Reason, Revocation, Status};

on_both!(
    an_install_is_held_claimed_and_confirmed,
    an_install_of_a_connected_account_renews_it_even_if_declined,
    revokes_declined_and_expired_installs,
    an_uninstall_fails_connections_granted_before_it,
    an_uninstall_fails_only_the_grant_that_it_ended,
    finds_a_claimed_install_for_its_owner_alone,
);

async fn an_install_is_held_claimed_and_confirmed(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    assert_eq!(held.expires, Moment::from_micros(super::START.as_micros() + 300_000_000));
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty(), "a code without a state connects nothing");
    let handle = held.handle.expose_secret();
    let claimed = world.vault.claim_install("ann", handle).await.expect("claimed");
    assert_eq!((claimed.connection.status, claimed.renews), (Status::Pending, None));
    assert_eq!(claimed.connection.metadata.user.email.as_deref(), Some("3@7.example"), "whose it is can be shown before it is confirmed");
    world.access("ann", &claimed.connection.id).await.expect_err("it is not confirmed");
    let made = world.vault.confirm_install("ann", handle).await.expect("confirmed");
    assert_eq!((made.status, made.name.as_str(), &made.id), (Status::Active, "company7", &claimed.connection.id));
    world.access("ann", "company7").await.expect("a credential");
    assert_eq!(world.vault.confirm_install("ann", handle).await.expect_err("once").kind(), ErrorKind::NotFound);

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
    assert_eq!(claimed.renews.map(|known| known.id), Some(made.id.clone()), "what it renews can be shown");
    let renewed = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("confirmed");
    assert_eq!(renewed.id, made.id);
    assert_eq!(world.vault.list("ann", None, None).await.expect("a list").len(), 1);
}

async fn an_install_of_a_connected_account_renews_it_even_if_declined(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    for confirms in [false, true] {
        // The vendor ends what it gave before.
        world.vendor.forget_grants();
        let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
        let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
        assert_eq!(claimed.renews.as_ref().map(|renews| &renews.id), Some(&made.id));
        world.vault.test("ann", &made.id).await.expect("it goes on");
        if confirms {
            let confirmed = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("confirmed");
            assert_eq!(confirmed.id, made.id);
        } else {
            assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect("declined"), Revocation::StillUsed);
        }
        world.vault.test("ann", &made.id).await.expect("it goes on");
        assert_eq!(world.vault.list("ann", None, None).await.expect("a list").len(), 1);
    }
    // One that nobody decides on ends no grant either.
    world.vendor.forget_grants();
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
    world.clock.advance(Duration::from_mins(10));
    world.vault.sweep().await.expect("swept");
    world.vault.test("ann", &made.id).await.expect("it goes on");
    assert_eq!(world.vendor.revoked(), 0);
}

async fn revokes_declined_and_expired_installs(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
    assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect("declined"), Revocation::Yes);
    assert_eq!(world.vendor.revoked(), 1);

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect("declined"), Revocation::NothingToRevoke);

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
    assert_eq!(world.vault.sweep().await.expect("swept").connections, 0);
    world.clock.advance(Duration::from_mins(10));
    let late = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect_err("ten minutes are over");
    assert_eq!(late.kind(), ErrorKind::NotFound);
    let swept = world.vault.sweep().await.expect("swept");
    assert_eq!((swept.connections, swept.not_revoked, world.vendor.revoked()), (1, 0, 2));
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty());
}

async fn an_uninstall_fails_connections_granted_before_it(world: World) {
    let (ann, bob, other) =
        (world.connected("ann", (7, 3)).await, world.connected("bob", (7, 3)).await, world.connected("ann", (7, 4)).await);
    let before = Some(Moment::from_micros(super::START.as_micros() - 6_000_000));
    assert_eq!(world.vault.record_uninstall(CLIENT.0, "7", "3", before).await.expect("told"), 0, "what was installed since stays");
    assert_eq!(world.vault.record_uninstall("another", "7", "3", None).await.expect("told"), 0);
    assert_eq!(world.vault.record_uninstall(CLIENT.0, "7", "3", None).await.expect("told"), 2);
    for (owner, made) in [("ann", &ann), ("bob", &bob)] {
        let failed = world.vault.get(owner, &made.id).await.expect("it is kept");
        assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::Uninstalled)));
        assert_eq!(world.access(owner, &made.id).await.expect_err("gone").kind(), ErrorKind::ReconnectRequired);
    }
    world.access("ann", &other.id).await.expect("another user's stays");
    assert_eq!(world.connected("ann", (7, 3)).await.status, Status::Active, "and it can be installed again");
    assert!(world.vendor.app().is_client(CLIENT.0, CLIENT.1) && !world.vendor.app().is_client(CLIENT.0, "guess"));
}

async fn an_uninstall_fails_only_the_grant_that_it_ended(world: World) {
    let told = |after: i64| {
        let (vault, at) = (world.vault.clone(), Moment::from_micros(super::START.as_micros() + after * 1_000_000));
        async move { vault.record_uninstall(CLIENT.0, "7", "3", Some(at)).await.expect("told") }
    };
    // Uninstalled at once: a notice in whole seconds, of a clock that is behind, seems to be of before.
    world.connected("ann", (7, 3)).await;
    assert_eq!(told(-4).await, 1);
    world.clock.advance(Duration::from_secs(30));
    let again = world.connected("ann", (7, 3)).await;
    assert_eq!(told(0).await, 0, "a notice that comes late leaves what was granted since");
    world.vault.test("ann", &again.id).await.expect("its grant lives");
    world.vault.remove("ann", &again.id).await.expect("removed");

    // Between the claim and the confirmation: it is the claimed grant that ended, not one of when it was confirmed.
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
    world.clock.advance(Duration::from_mins(5));
    let made = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("confirmed");
    assert_eq!(told(60).await, 1, "the notice of four minutes ago");
    assert_eq!(world.vault.get("ann", &made.id).await.expect("kept").reason, Some(Reason::Uninstalled));

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("claimed");
    assert_eq!(world.vault.record_uninstall(CLIENT.0, "7", "3", None).await.expect("told"), 1);
    assert_eq!(world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect_err("uninstalled").kind(), ErrorKind::NotFound);
}

async fn finds_a_claimed_install_for_its_owner_alone(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("held");
    let handle = held.handle.expose_secret();
    assert!(world.vault.find_claimed_install("ann", handle).await.expect("asked").is_none(), "nobody claimed it yet");
    let claimed = world.vault.claim_install("ann", handle).await.expect("claimed");
    let again = world.vault.find_claimed_install("ann", handle).await.expect("asked").expect("it waits");
    assert_eq!(again.connection, claimed.connection);
    assert!(world.vault.find_claimed_install("bob", handle).await.expect("asked").is_none());
    world.vault.confirm_install("ann", handle).await.expect("confirmed");
    assert!(world.vault.find_claimed_install("ann", handle).await.expect("asked").is_none(), "it is decided");
}
