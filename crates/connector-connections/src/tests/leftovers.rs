//! Grants without a connection: none is lost, and none is taken from another connection.

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
    async fn hold(&self, who: super::Who) -> HeldInstall {
        self.vault.hold_install("acme", self.vendor.code(who)).await.expect("it is held")
    }

    async fn claim(&self, owner: &str, held: &HeldInstall) -> ClaimedInstall {
        self.vault.claim_install(owner, held.handle.expose_secret()).await.expect("it is claimed")
    }

    /// Counts the grants that wait to be revoked.
    async fn count_leftovers(&self) -> usize {
        self.vault.context().store().rows(sql!("SELECT id FROM connector_leftover")).await.expect("rows").len()
    }

    async fn sweep(&self) -> usize {
        self.vault.sweep().await.expect("the sweep runs").not_revoked
    }
}

async fn keeps_a_grant_that_another_connection_uses(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let shared = world.connect("bob", (7, 3)).await;
    assert_eq!(world.vault.remove("bob", &shared.id).await.expect("it is removed"), Revocation::StillUsed);
    world.vault.test("ann", &made.id).await.expect("it still works");
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("it is removed"), Revocation::No);
    assert!(world.vault.list("ann", None, None).await.expect("a list").is_empty());
}

async fn an_install_being_declined_cannot_be_confirmed(world: World) {
    let held = world.hold((7, 3)).await;
    let claimed = world.claim("ann", &held).await;
    let gate = world.vendor.close_gate_at("/oauth/revoke");
    let (vault, handle) = (world.vault.clone(), held.handle.expose_secret().to_owned());
    let declined = tokio::spawn(async move { vault.decline_install("ann", &handle).await });
    gate.arrived.notified().await;
    let confirmed = world.vault.confirm_install("ann", held.handle.expose_secret()).await;
    assert_eq!(confirmed.expect_err("its grant is being revoked").kind(), ErrorKind::NotFound);
    assert_eq!(world.vault.get("ann", &claimed.connection.id).await.expect_err("it is gone").kind(), ErrorKind::NoConnection);
    gate.open();
    assert_eq!(declined.await.expect("no panic").expect("it is declined"), Revocation::Yes);
    // The other way round, a confirmed install can no longer be declined.
    let held = world.hold((7, 3)).await;
    world.claim("ann", &held).await;
    let made = world.vault.confirm_install("ann", held.handle.expose_secret()).await.expect("it is confirmed");
    assert_eq!(world.vault.decline_install("ann", held.handle.expose_secret()).await.expect_err("too late").kind(), ErrorKind::NotFound);
    world.vault.test("ann", &made.id).await.expect("its grant is in force");
}

async fn keeps_a_grant_that_another_owner_has_claimed(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let held = world.hold((7, 3)).await;
    world.claim("bob", &held).await;
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("it is removed"), Revocation::StillUsed);
    let confirmed = world.vault.confirm_install("bob", held.handle.expose_secret()).await.expect("it is confirmed");
    world.vault.test("bob", &confirmed.id).await.expect("its grant is in force");
    assert_eq!(world.vault.remove("bob", &confirmed.id).await.expect("it is removed"), Revocation::Yes);
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (1, 0));
    let words =
        serde_json::to_value([Revocation::Yes, Revocation::NothingToRevoke, Revocation::No, Revocation::StillUsed, Revocation::NotOffered])
            .expect("words");
    assert_eq!(words, serde_json::json!(["yes", "nothingToRevoke", "no", "stillUsed", "notOffered"]));
}

async fn revokes_a_grant_once_its_account_is_known(world: World) {
    world.vendor.state().no_identity = Some(503);
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    let back = world.vault.finish_authorization(BROWSER, &state_of(&begun.url), world.vendor.code((7, 1))).await;
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("it begins");
    world.vendor.state().no_identity = Some(429);
    let exchanged = world.vault.exchange("ann", &begun.connection.id, world.vendor.code((7, 2))).await;
    let held = world.hold((7, 3)).await;
    let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.map(|claimed| claimed.connection);
    for (failed, kind) in [(back, ErrorKind::UpstreamError), (exchanged, ErrorKind::RateLimited), (claimed, ErrorKind::RateLimited)] {
        let error = failed.expect_err("its account is unknown");
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "the code is used, so that a retry cannot succeed");
        assert!(error.hint().expect("a hint").starts_with("Begin again"), "{error}");
    }
    let again = world.vault.claim_install("ann", held.handle.expose_secret()).await;
    assert_eq!((again.expect_err("its code is used").kind(), world.count_leftovers().await), (ErrorKind::NotFound, 3));

    world.sweep().await;
    assert_eq!(world.vendor.revocations(), 0, "a grant was revoked that may still settle");
    world.clock.advance(Duration::from_mins(5));
    world.sweep().await;
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (0, 3), "a grant was revoked whose account is unknown");
    world.vendor.state().no_identity = None;
    world.clock.advance(Duration::from_mins(5));
    world.sweep().await;
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (3, 0));
}

async fn gives_up_a_grant_whose_account_stays_unknown(world: World) {
    let made = world.connect("bob", (7, 3)).await;
    world.vendor.state().no_identity = Some(503);
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("it begins");
    world.vault.exchange("ann", &begun.connection.id, world.vendor.code((7, 3))).await.expect_err("its account is unknown");
    world.clock.advance(Duration::from_hours(2));
    assert_eq!((world.sweep().await, world.count_leftovers().await), (0, 1));
    // Its token has expired and its account stays unknown. It is given up, since it may be of bob's install.
    world.vendor.forget_access_tokens();
    world.vendor.state().no_identity = None;
    world.clock.advance(Duration::from_hours(22));
    assert_eq!((world.sweep().await, world.count_leftovers().await, world.vendor.revocations()), (1, 0, 0));
    world.vault.test("bob", &made.id).await.expect("its grant is in force");
}

async fn revokes_one_of_two_concurrent_codes(world: World) {
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("it begins");
    let gate = world.vendor.close_gate();
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
    assert_eq!((world.vendor.exchanges(), world.vendor.revocations(), world.count_leftovers().await), (2, 1, 0));
    world.vault.test("ann", &made.id).await.expect("the grant of the first is in force");
}

async fn keeps_a_held_code_while_the_vendor_fails(world: World) {
    let held = world.hold((7, 3)).await;
    for fault in [Fault::Answers(503, "{}"), Fault::HangsUp, Fault::Answers(429, "{}")] {
        world.vendor.state().fails = Some(fault);
        let error = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("the server fails");
        assert_eq!(error.retry(), Retry::Later, "{error}");
    }
    world.vendor.state().fails = Some(Fault::Answers(400, r#"{"error": "invalid_client"}"#));
    let error = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("this host's trouble");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    world.vendor.state().fails = None;
    world.claim("ann", &held).await;

    let held = world.hold((7, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(400, r#"{"error": "invalid_grant"}"#));
    let refused = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("the code is refused");
    assert_eq!((refused.kind(), refused.retry()), (ErrorKind::Gone, Retry::Never));
    world.vendor.state().fails = None;
    assert_eq!(world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("it is gone").kind(), ErrorKind::NotFound);
}

async fn a_link_opened_late_can_still_be_finished(world: World) {
    let begun = world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("it begins");
    let link = world.vault.create_link("ann", &begun.connection.id).await.expect("a link");
    world.clock.advance(Duration::from_hours(24) - Duration::from_mins(2));
    let late = world.vault.create_link("ann", &begun.connection.id).await.expect("a link");
    let opened = world.vault.open_link(link.expose_secret(), BROWSER).await.expect("in time");
    world.clock.advance(Duration::from_mins(9));
    assert_eq!(world.vault.sweep().await.expect("the sweep runs").connections, 0, "a connection was removed while somebody finishes it");
    let made = world.vault.finish_authorization(BROWSER, &state_of(&opened.url), world.vendor.code((7, 3))).await.expect("it is connected");
    assert_eq!(made.id, begun.connection.id);
    let finished = world.vault.open_link(late.expose_secret(), BROWSER).await.expect_err("it is finished");
    assert_eq!(finished.kind(), ErrorKind::Conflict);
}

async fn retries_a_revocation_for_a_day(world: World) {
    let gone = world.connect("ann", (7, 1)).await;
    let stays = world.connect("ann", (7, 2)).await;
    let renewed = world.connect("ann", (7, 3)).await;
    let declined = world.hold((7, 4)).await;
    let expired = world.hold((7, 5)).await;
    world.claim("ann", &declined).await;
    world.claim("ann", &expired).await;
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &gone.id).await.expect("it is removed"), Revocation::No);
    assert_eq!(world.vault.remove("ann", &renewed.id).await.expect("it is removed"), Revocation::No);
    assert_eq!(world.vault.decline_install("ann", declined.handle.expose_secret()).await.expect("it is declined"), Revocation::No);
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(world.vault.sweep().await.expect("the sweep runs").connections, 1);
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (0, 4));
    assert_eq!(world.vault.list("ann", None, None).await.expect("a list"), std::slice::from_ref(&stays), "a leftover is listed");

    world.vendor.state().fails = None;
    let renewed = world.connect("ann", (7, 3)).await;
    world.clock.advance(Duration::from_mins(5));
    world.open_another().await.sweep().await.expect("the sweep runs");
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (3, 0), "all are revoked but the one that was connected again");
    world.vault.test("ann", &renewed.id).await.expect("its grant is in force");

    world.vendor.state().fails = Some(Fault::HangsUp);
    assert_eq!(world.vault.remove("ann", &stays.id).await.expect("it is removed"), Revocation::No);
    world.clock.advance(Duration::from_hours(23));
    assert_eq!((world.sweep().await, world.count_leftovers().await), (0, 1));
    world.clock.advance(Duration::from_hours(1));
    assert_eq!((world.sweep().await, world.count_leftovers().await), (1, 0), "the grant was not given up after a day");
}

async fn revokes_nothing_while_the_account_is_being_connected(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let begun = world.vault.begin("bob", "acme", BeginOptions::default()).await.expect("it begins");
    let gate = world.vendor.close_gate_at("/v1/me");
    let (vault, id, code) = (world.vault.clone(), begun.connection.id.clone(), world.vendor.code((7, 3)));
    let exchange = tokio::spawn(async move { vault.exchange("bob", &id, code).await });
    gate.arrived.notified().await;
    assert_eq!(
        world.vault.remove("ann", &made.id).await.expect("it is removed"),
        Revocation::No,
        "the account of bob's grant is still unknown"
    );
    gate.open();
    let made = exchange.await.expect("no panic").expect("it is connected");
    world.vault.test("bob", &made.id).await.expect("its grant is in force");
    world.clock.advance(Duration::from_mins(5));
    world.sweep().await;
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (0, 0), "bob's connection uses the grant");
}

async fn revokes_a_grant_once(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let gate = world.vendor.close_gate_at("/oauth/revoke");
    let vault = world.vault.clone();
    let removed = tokio::spawn(async move { vault.remove("ann", &made.id).await });
    gate.arrived.notified().await;
    // A second revocation would wait at the gate too.
    let other = world.open_another().await;
    let swept = tokio::time::timeout(Duration::from_secs(20), other.sweep()).await;
    gate.open();
    swept.expect("nobody else revokes the grant").expect("the sweep runs");
    assert_eq!(removed.await.expect("no panic").expect("it is removed"), Revocation::Yes);
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (1, 0));
}

async fn leaves_grants_to_a_process_with_a_client(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("it is removed"), Revocation::No);
    world.vendor.state().fails = None;
    world.clock.advance(Duration::from_mins(5));
    let app = App::new(&super::vendor::ACME).expect("an app").with_sandbox(&world.vendor.url).expect("on this machine");
    let builder = Vault::builder(world.place.store().await, Key::parse(super::HEX_KEY).expect("a key"), &super::http());
    let without = builder.app(app).clock(world.clock.clone()).open().await.expect("the vault opens");
    without.sweep().await.expect("the sweep runs");
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (0, 1));
    world.sweep().await;
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (1, 0));
}

async fn sends_a_token_to_its_own_vendor_alone(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    // As if the store held connections to the vendor, and this process were set up for a sandbox.
    let metadata = serde_json::json!({"company": {}, "user": {}, "scopes": null, "api_domain": "https://seven.acme.example"}).to_string();
    world
        .vault
        .context()
        .store()
        .rows(sql!("UPDATE connector_connection SET metadata = $2 WHERE id = $1", &made.id, metadata))
        .await
        .expect("it is set");
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("it is removed"), Revocation::No);
    world.clock.advance(Duration::from_mins(5));
    world.sweep().await;
    assert_eq!((world.vendor.revocations(), world.count_leftovers().await), (0, 1), "the sandbox received the vendor's token");
}

async fn counts_a_grant_that_the_vendor_forgot_as_revoked(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(400, r#"{"error": "invalid_grant"}"#));
    assert_eq!(world.vault.remove("ann", &made.id).await.expect("it is removed"), Revocation::Yes);
    assert_eq!(world.count_leftovers().await, 0);
}

async fn one_of_two_concurrent_removals_revokes_the_grant(world: World) {
    let hosts = [world.vault.clone(), world.open_another().await];
    for round in 0..5 {
        let connections = [world.connect("ann", (7, round)).await, world.connect("bob", (7, round)).await];
        let removals: Vec<_> = hosts
            .iter()
            .zip(connections)
            .map(|(host, one)| {
                let host = host.clone();
                tokio::spawn(async move { host.remove(&one.owner, &one.id).await.expect("it is removed") })
            })
            .collect();
        let mut revoked = Vec::new();
        for removal in removals {
            revoked.push(removal.await.expect("no panic"));
        }
        assert!(revoked.contains(&Revocation::Yes), "nobody revoked the grant: {revoked:?}");
    }
    assert_eq!(world.vendor.revocations(), 5);
}
