//! Grants that no connection has yet, or has any more: none is lost, and none is taken from another connection.

use std::time::Duration;

use connector_core::{ErrorKind, Retry};
use secrecy::ExposeSecret;

use super::vendor::Fault;
use super::{BROWSER, World, on_both, state_of};
use crate::store::statement::sql;
use crate::{App, BeginOptions, ClaimedInstall, HeldInstall, Key, Revocation, Vault};

on_both!(
    keeps_a_grant_that_another_connection_uses,
    an_install_being_declined_cannot_be_confirmed,
    keeps_a_grant_that_another_owner_has_claimed,
    revokes_a_grant_once_its_account_is_known,
    gives_up_a_grant_whose_account_stays_unknown,
    revokes_one_of_two_concurrent_codes,
    keeps_a_held_code_while_the_vendor_fails,
    a_link_opened_late_can_still_be_finished,
    retries_a_revocation_for_a_day,
    one_of_two_concurrent_removals_revokes_the_grant,
    revokes_nothing_while_the_account_is_being_connected,
    revokes_a_grant_once,
    leaves_grants_to_a_process_with_a_client,
    sends_a_token_to_its_own_vendor_alone,
    counts_a_grant_that_the_vendor_forgot_as_revoked,
);

impl World {
    async fn held(&self, who: super::Who) -> HeldInstall {
        self.vault.hold_install("acme", self.vendor.code(who)).await.expect("held")
    }

    async fn claimed(&self, owner: &str, held: &HeldInstall) -> ClaimedInstall {
        self.vault.claim_install(owner, held.handle.expose_secret()).await.expect("claimed")
    }

    /// How many grants are to be given back.
    async fn leftovers(&self) -> usize {
        self.vault.context().store().rows(sql!("SELECT id FROM connector_leftover")).await.expect("rows").len()
    }

    async fn swept(&self) -> usize {
        self.vault.sweep().await.expect("swept").not_revoked
    }
}

async fn keeps_a_grant_that_another_connection_uses(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    let shared = world.connected("bob", (7, 3)).await;
    assert_eq!(world.vault.remove("bob", &shared.id).await.expect("removed"), Revocation::StillUsed);
    world.vault.test("ann", &made.id).await.expect("it still works");
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("removed all the same"), Revocation::No);
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty());
}

async fn an_install_being_declined_cannot_be_confirmed(world: World) {
    let held = world.held((7, 3)).await;
    let claimed = world.claimed("ann", &held).await;
    let gate = world.vendor.gate_at("/oauth/revoke");
    let (vault, handle) = (world.vault.clone(), held.handle.expose_secret().to_owned());
    let declined = tokio::spawn(async move { vault.decline_install("ann", &handle).await });
    gate.arrived.notified().await;
    let confirmed = world.vault.confirm_install("ann", held.handle.expose_secret()).await;
    assert_eq!(confirmed.expect_err("its grant is being given back").kind(), ErrorKind::NotFound);
    assert_eq!(world.vault.get("ann", &claimed.connection.id).await.expect_err("it is gone").kind(), ErrorKind::NoConnection);
    gate.open();
    assert_eq!(declined.await.expect("no panic").expect("declined"), Revocation::Yes);
    // And the other way round: what was confirmed is not declined any more.
    let held = world.held((7, 3)).await;
    world.claimed("ann", &held).await;
    let made = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("confirmed");
    assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect_err("too late").kind(), ErrorKind::NotFound);
    world.vault.test("ann", &made.id).await.expect("its grant lives");
}

async fn keeps_a_grant_that_another_owner_has_claimed(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    let held = world.held((7, 3)).await;
    world.claimed("bob", &held).await;
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("removed"), Revocation::StillUsed);
    let confirmed = world.vault.confirm_install("bob", held.handle.expose_secret()).await.expect("confirmed");
    world.vault.test("bob", &confirmed.id).await.expect("its grant lives");
    assert_eq!(world.vault.remove("bob", &confirmed.id).await.expect("removed"), Revocation::Yes);
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (1, 0));
    let words = serde_json::to_value([Revocation::Yes, Revocation::NothingToRevoke, Revocation::No, Revocation::StillUsed]).expect("words");
    assert_eq!(words, serde_json::json!(["yes", "nothingToRevoke", "no", "stillUsed"]));
}

async fn revokes_a_grant_once_its_account_is_known(world: World) {
    world.vendor.state().no_identity = Some(503);
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("begun");
    let back = world.vault.finish_authorization(BROWSER, &state_of(&begun.url), world.vendor.code((7, 1))).await;
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("begun");
    world.vendor.state().no_identity = Some(429);
    let exchanged = world.vault.exchange("ann", &begun.connection.id, world.vendor.code((7, 2))).await;
    let held = world.held((7, 3)).await;
    let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.map(|claimed| claimed.connection);
    for (failed, kind) in [(back, ErrorKind::UpstreamError), (exchanged, ErrorKind::RateLimited), (claimed, ErrorKind::RateLimited)] {
        let error = failed.expect_err("nobody says whose it is");
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "the code is used: the same call cannot succeed");
        assert!(error.hint().expect("a hint").starts_with("Begin again"), "{error}");
    }
    let again = world.vault.claim_install("ann", held.handle.expose_secret()).await;
    assert_eq!((again.expect_err("its code is used").kind(), world.leftovers().await), (ErrorKind::NotFound, 3));

    world.swept().await;
    assert_eq!(world.vendor.revoked(), 0, "it may be settling yet");
    world.clock.advance(Duration::from_mins(5));
    world.swept().await;
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (0, 3), "nobody says whose it is");
    world.vendor.state().no_identity = None;
    world.clock.advance(Duration::from_mins(5));
    world.swept().await;
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (3, 0));
}

async fn gives_up_a_grant_whose_account_stays_unknown(world: World) {
    let made = world.connected("bob", (7, 3)).await;
    world.vendor.state().no_identity = Some(503);
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("begun");
    world.vault.exchange("ann", &begun.connection.id, world.vendor.code((7, 3))).await.expect_err("nobody says whose it is");
    world.clock.advance(Duration::from_hours(2));
    assert_eq!((world.swept().await, world.leftovers().await), (0, 1));
    // Its token is dead by now, and it stays unknown whose it was: it is let go, since it may be bob's install.
    world.vendor.forget_access_tokens();
    world.vendor.state().no_identity = None;
    world.clock.advance(Duration::from_hours(22));
    assert_eq!((world.swept().await, world.leftovers().await, world.vendor.revoked()), (1, 0, 0));
    world.vault.test("bob", &made.id).await.expect("its grant lives");
}

async fn revokes_one_of_two_concurrent_codes(world: World) {
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("begun");
    let gate = world.vendor.gate();
    let exchanges = [1, 2].map(|user| {
        let (vault, id, code) = (world.vault.clone(), begun.connection.id.clone(), world.vendor.code((7, user)));
        tokio::spawn(async move { vault.exchange("ann", &id, code).await })
    });
    for _ in 0..2 {
        gate.arrived.notified().await;
    }
    gate.open();
    let [one, other] = exchanges;
    let (one, other) = (one.await.expect("no panic"), other.await.expect("no panic"));
    let (Ok(made), Err(late)) = (if one.is_ok() { (one, other) } else { (other, one) }) else { panic!("one of two is first") };
    assert_eq!(late.kind(), ErrorKind::Conflict);
    assert_eq!((world.vendor.exchanged(), world.vendor.revoked(), world.leftovers().await), (2, 1, 0));
    world.vault.test("ann", &made.id).await.expect("the first one's grant lives");
}

async fn keeps_a_held_code_while_the_vendor_fails(world: World) {
    let held = world.held((7, 3)).await;
    for fault in [Fault::Answers(503, "{}"), Fault::HangsUp, Fault::Answers(429, "{}")] {
        world.vendor.state().fails = Some(fault);
        let error = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("the server fails");
        assert_eq!(error.retry(), Retry::Later, "{error}");
    }
    world.vendor.state().fails = Some(Fault::Answers(400, r#"{"error": "invalid_client"}"#));
    let error = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("this host's trouble");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    world.vendor.state().fails = None;
    world.claimed("ann", &held).await;

    let held = world.held((7, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(400, r#"{"error": "invalid_grant"}"#));
    let refused = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("the code is refused");
    assert_eq!((refused.kind(), refused.retry()), (ErrorKind::Gone, Retry::Never));
    world.vendor.state().fails = None;
    assert_eq!(world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("it is gone").kind(), ErrorKind::NotFound);
}

async fn a_link_opened_late_can_still_be_finished(world: World) {
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("begun");
    let link = world.vault.create_link("ann", &begun.connection.id).await.expect("a link");
    world.clock.advance(Duration::from_hours(24) - Duration::from_mins(2));
    let late = world.vault.create_link("ann", &begun.connection.id).await.expect("a link");
    let opened = world.vault.open_link(link.expose_secret(), BROWSER).await.expect("in time");
    world.clock.advance(Duration::from_mins(9));
    assert_eq!(world.vault.sweep().await.expect("swept").connections, 0, "somebody is at it");
    let made = world.vault.finish_authorization(BROWSER, &state_of(&opened.url), world.vendor.code((7, 3))).await.expect("granted");
    assert_eq!(made.id, begun.connection.id);
    let finished = world.vault.open_link(late.expose_secret(), BROWSER).await.expect_err("it is finished");
    assert_eq!(finished.kind(), ErrorKind::Conflict);
}

async fn retries_a_revocation_for_a_day(world: World) {
    let gone = world.connected("ann", (7, 1)).await;
    let stays = world.connected("ann", (7, 2)).await;
    let renewed = world.connected("ann", (7, 3)).await;
    let declined = world.held((7, 4)).await;
    let expired = world.held((7, 5)).await;
    world.claimed("ann", &declined).await;
    world.claimed("ann", &expired).await;
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &gone.id).await.expect("removed"), Revocation::No);
    assert_eq!(world.vault.remove("ann", &renewed.id).await.expect("removed"), Revocation::No);
    assert_eq!(world.vault.decline_install("ann", declined.handle.expose_secret()).await.expect("declined"), Revocation::No);
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(world.vault.sweep().await.expect("swept").connections, 1);
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (0, 4));
    assert_eq!(world.vault.list("ann", None, None).await.expect("a list"), std::slice::from_ref(&stays), "nothing of it is seen");

    world.vendor.state().fails = None;
    let renewed = world.connected("ann", (7, 3)).await;
    world.clock.advance(Duration::from_mins(5));
    world.another().await.sweep().await.expect("swept");
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (3, 0), "all but what was connected again");
    world.vault.test("ann", &renewed.id).await.expect("its grant lives");

    world.vendor.state().fails = Some(Fault::HangsUp);
    assert_eq!(world.vault.remove("ann", &stays.id).await.expect("removed"), Revocation::No);
    world.clock.advance(Duration::from_hours(23));
    assert_eq!((world.swept().await, world.leftovers().await), (0, 1));
    world.clock.advance(Duration::from_hours(1));
    assert_eq!((world.swept().await, world.leftovers().await), (1, 0), "a day was not enough");
}

async fn revokes_nothing_while_the_account_is_being_connected(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    let begun = world.vault.begin("bob", "acme", BeginOptions::default()).await.expect("begun");
    let gate = world.vendor.gate_at("/v1/me");
    let (vault, id, code) = (world.vault.clone(), begun.connection.id.clone(), world.vendor.code((7, 3)));
    let exchange = tokio::spawn(async move { vault.exchange("bob", &id, code).await });
    gate.arrived.notified().await;
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("removed"), Revocation::No, "it is not known whose bob's grant is");
    gate.open();
    let made = exchange.await.expect("no panic").expect("connected");
    world.vault.test("bob", &made.id).await.expect("its grant lives");
    world.clock.advance(Duration::from_mins(5));
    world.swept().await;
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (0, 0), "bob's connection lives by it");
}

async fn revokes_a_grant_once(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    let gate = world.vendor.gate_at("/oauth/revoke");
    let vault = world.vault.clone();
    let removed = tokio::spawn(async move { vault.remove("ann", &made.id).await });
    gate.arrived.notified().await;
    // Another one would wait at the gate too.
    let other = world.another().await;
    let swept = tokio::time::timeout(Duration::from_secs(20), other.sweep()).await;
    gate.open();
    swept.expect("nobody else gives it back").expect("swept");
    assert_eq!(removed.await.expect("no panic").expect("removed"), Revocation::Yes);
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (1, 0));
}

async fn leaves_grants_to_a_process_with_a_client(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("removed"), Revocation::No);
    world.vendor.state().fails = None;
    world.clock.advance(Duration::from_mins(5));
    let app = App::new(&super::vendor::ACME).expect("an app").with_sandbox(&world.vendor.url).expect("on this machine");
    let builder = Vault::builder(world.place.store().await, Key::parse(super::HEX_KEY).expect("a key"), &super::http());
    let without = builder.app(app).clock(world.clock.clone()).open().await.expect("the vault opens");
    without.sweep().await.expect("swept");
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (0, 1));
    world.swept().await;
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (1, 0));
}

async fn sends_a_token_to_its_own_vendor_alone(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    // As it is where this process is set up for a sandbox over a store that knows the vendor.
    let metadata = serde_json::json!({"company": {}, "user": {}, "scopes": null, "api_domain": "https://seven.acme.example"}).to_string();
    world
        .vault
        .context()
        .store()
        .rows(sql!("UPDATE connector_connection SET metadata = $2 WHERE id = $1", &made.id, metadata))
        .await
        .expect("set");
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("removed"), Revocation::No);
    world.clock.advance(Duration::from_mins(5));
    world.swept().await;
    assert_eq!((world.vendor.revoked(), world.leftovers().await), (0, 1), "the sandbox got the vendor's token");
}

async fn counts_a_grant_that_the_vendor_forgot_as_revoked(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(400, r#"{"error": "invalid_grant"}"#));
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("removed"), Revocation::Yes);
    assert_eq!(world.leftovers().await, 0);
}

async fn one_of_two_concurrent_removals_revokes_the_grant(world: World) {
    let hosts = [world.vault.clone(), world.another().await];
    for round in 0..5 {
        let connections = [world.connected("ann", (7, round)).await, world.connected("bob", (7, round)).await];
        let removals: Vec<_> = hosts
            .iter()
            .zip(connections)
            .map(|(host, one)| {
                let host = host.clone();
                tokio::spawn(async move { host.remove(&one.owner, &one.id).await.expect("removed") })
            })
            .collect();
        let mut revoked = Vec::new();
        for removal in removals {
            revoked.push(removal.await.expect("no panic"));
        }
        assert!(revoked.contains(&Revocation::Yes), "nobody gave it back: {revoked:?}");
    }
    assert_eq!(world.vendor.revoked(), 5);
}
