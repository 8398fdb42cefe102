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
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    assert_eq!(held.expires, Moment::from_micros(super::START.as_micros() + 300_000_000));
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty(), "a code without a state connected an account");
    let handle = held.handle.expose_secret();
    let claimed = world.vault.claim_install("ann", handle).await.expect("it is claimed");
    assert_eq!((claimed.connection.status, claimed.renews), (Status::Pending, None));
    assert_eq!(claimed.connection.metadata.user.email.as_deref(), Some("3@7.example"), "the account can be shown before it is confirmed");
    world.access("ann", &claimed.connection.id).await.expect_err("it is not confirmed");
    let made = world.vault.confirm_install("ann", handle).await.expect("it is confirmed");
    assert_eq!((made.status, made.name.as_str(), &made.id), (Status::Active, "company7", &claimed.connection.id));
    world.access("ann", "company7").await.expect("a credential");
    assert_eq!(world.vault.confirm_install("ann", handle).await.expect_err("it was confirmed before").kind(), ErrorKind::NotFound);

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    assert_eq!(claimed.renews.map(|known| known.id), Some(made.id.clone()), "the connection to renew can be shown");
    let renewed = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("it is confirmed");
    assert_eq!(renewed.id, made.id);
    assert_eq!(world.vault.list("ann", None, None).await.expect("a list").len(), 1);
}

async fn an_install_of_a_connected_account_renews_it_even_if_declined(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    for confirms in [false, true] {
        // The vendor ends the old grant with the new one.
        world.vendor.forget_grants();
        let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
        let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
        assert_eq!(claimed.renews.as_ref().map(|renews| &renews.id), Some(&made.id));
        world.vault.test("ann", &made.id).await.expect("the connection works");
        if confirms {
            let confirmed = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("it is confirmed");
            assert_eq!(confirmed.id, made.id);
        } else {
            assert_eq!(
                world.vault.decline_install("ann", held.handle.expose_secret()).await.expect("it is declined"),
                Revocation::StillUsed
            );
        }
        world.vault.test("ann", &made.id).await.expect("the connection works");
        assert_eq!(world.vault.list("ann", None, None).await.expect("a list").len(), 1);
    }
    // An install that expires ends no grant either.
    world.vendor.forget_grants();
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    world.clock.advance(Duration::from_mins(10));
    world.vault.sweep().await.expect("the sweep runs");
    world.vault.test("ann", &made.id).await.expect("the connection works");
    assert_eq!(world.vendor.revocations(), 0);
}

async fn revokes_declined_and_expired_installs(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect("it is declined"), Revocation::Yes);
    assert_eq!(world.vendor.revocations(), 1);

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect("it is declined"), Revocation::NothingToRevoke);

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    assert_eq!(world.vault.sweep().await.expect("the sweep runs").connections, 0);
    world.clock.advance(Duration::from_mins(10));
    let late = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect_err("ten minutes are over");
    assert_eq!(late.kind(), ErrorKind::NotFound);
    let swept = world.vault.sweep().await.expect("the sweep runs");
    assert_eq!((swept.connections, swept.not_revoked, world.vendor.revocations()), (1, 0, 2));
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty());
}

async fn an_uninstall_fails_connections_granted_before_it(world: World) {
    let (ann, bob, other) = (world.connect("ann", (7, 3)).await, world.connect("bob", (7, 3)).await, world.connect("ann", (7, 4)).await);
    let before = Some(Moment::from_micros(super::START.as_micros() - 6_000_000));
    assert_eq!(
        world.vault.record_uninstall(CLIENT.0, "7", "3", before).await.expect("it is recorded"),
        0,
        "a connection failed that was granted later"
    );
    assert_eq!(world.vault.record_uninstall("another", "7", "3", None).await.expect("it is recorded"), 0);
    assert_eq!(world.vault.record_uninstall(CLIENT.0, "7", "3", None).await.expect("it is recorded"), 2);
    for (owner, made) in [("ann", &ann), ("bob", &bob)] {
        let failed = world.vault.get(owner, &made.id).await.expect("it is kept");
        assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::Uninstalled)));
        assert_eq!(world.access(owner, &made.id).await.expect_err("the grant ended").kind(), ErrorKind::ReconnectRequired);
    }
    world.access("ann", &other.id).await.expect("another user's stays");
    assert_eq!(world.connect("ann", (7, 3)).await.status, Status::Active, "the app cannot be installed again");
    assert!(world.vendor.app().is_client(CLIENT.0, CLIENT.1) && !world.vendor.app().is_client(CLIENT.0, "guess"));
}

async fn an_uninstall_fails_only_the_grant_that_it_ended(world: World) {
    let uninstall = |after: i64| {
        let (vault, at) = (world.vault.clone(), Moment::from_micros(super::START.as_micros() + after * 1_000_000));
        async move { vault.record_uninstall(CLIENT.0, "7", "3", Some(at)).await.expect("it is recorded") }
    };
    // Uninstalled at once: the notice has whole seconds of a slow clock, and seems older than the grant.
    world.connect("ann", (7, 3)).await;
    assert_eq!(uninstall(-4).await, 1);
    world.clock.advance(Duration::from_secs(30));
    let again = world.connect("ann", (7, 3)).await;
    assert_eq!(uninstall(0).await, 0, "a late notice failed a newer grant");
    world.vault.test("ann", &again.id).await.expect("its grant is in force");
    world.vault.remove("ann", &again.id).await.expect("it is removed");

    // Uninstalled between the claim and the confirmation: the claimed grant ended, whenever it was confirmed.
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    world.clock.advance(Duration::from_mins(5));
    let made = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("it is confirmed");
    assert_eq!(uninstall(60).await, 1, "the notice is four minutes old");
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is stored").reason, Some(Reason::Uninstalled));

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    assert_eq!(world.vault.record_uninstall(CLIENT.0, "7", "3", None).await.expect("it is recorded"), 1);
    assert_eq!(world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect_err("uninstalled").kind(), ErrorKind::NotFound);
}

async fn finds_a_claimed_install_for_its_owner_alone(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    let handle = held.handle.expose_secret();
    assert!(
        world.vault.find_claimed_install("ann", handle).await.expect("it is looked up").is_none(),
        "an install was found before its claim"
    );
    let claimed = world.vault.claim_install("ann", handle).await.expect("it is claimed");
    let again = world.vault.find_claimed_install("ann", handle).await.expect("it is looked up").expect("it waits");
    assert_eq!(again.connection, claimed.connection);
    assert!(world.vault.find_claimed_install("bob", handle).await.expect("it is looked up").is_none());
    world.vault.confirm_install("ann", handle).await.expect("it is confirmed");
    assert!(
        world.vault.find_claimed_install("ann", handle).await.expect("it is looked up").is_none(),
        "an install was found after its confirmation"
    );
}
