//! Refreshes: one at a time, stored before they are used.

use std::task::{Context, Waker};
use std::time::Duration;

use connector_core::embed::Connections;
use connector_core::{ErrorKind, Retry};
use serde_json::json;

use super::vendor::Fault;
use super::{World, access, on_both, token};
use crate::grants::refresh;
use crate::{Reason, Status};

on_both!(
    refreshes_a_token_ahead_of_its_expiry,
    callers_of_two_hosts_make_one_refresh,
    a_401_refreshes_the_refused_token_once,
    keeps_a_connection_active_while_the_vendor_fails,
    fails_a_connection_whose_grant_ended,
    uses_tokens_that_another_host_refreshed,
    refreshes_a_token_without_expiry_only_after_a_401,
    ignores_a_foreign_host_in_the_token_response,
    a_cancelled_caller_loses_no_token,
    waits_for_running_refreshes_before_exit,
    waiting_callers_share_a_failure,
    no_call_waits_while_its_token_is_valid,
);

async fn refreshes_a_token_ahead_of_its_expiry(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    let first = token(&world.access("ann", &made.id).await.expect("a credential"));
    world.clock.advance(Duration::from_mins(54));
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), first);
    world.clock.advance(Duration::from_mins(1));
    let second = token(&world.access("ann", &made.id).await.expect("a credential"));
    assert_ne!(second, first, "the token was not refreshed five minutes before its expiry");
    assert_eq!(token(&access(&world.open_another().await, "ann", &made.id).await.expect("it is stored")), second);
    world.expire_tokens();
    world.access("ann", &made.id).await.expect("by the refresh token that came with the last one");
    assert_eq!(world.refreshes(), 2);
}

async fn callers_of_two_hosts_make_one_refresh(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    let vaults = [world.vault.clone(), world.open_another().await];
    for _ in 0..3 {
        world.expire_tokens();
        let asked = world.vendor.token_requests();
        let calls: Vec<_> = (0..64)
            .map(|at| {
                let (vault, id) = (vaults[at % 2].clone(), made.id.clone());
                tokio::spawn(async move { token(&access(&vault, "ann", &id).await.expect("a credential")) })
            })
            .collect();
        let mut tokens = std::collections::HashSet::new();
        for call in calls {
            tokens.insert(call.await.expect("no panic"));
        }
        assert_eq!((world.vendor.token_requests() - asked, tokens.len()), (1, 1));
    }
}

async fn a_401_refreshes_the_refused_token_once(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let owned = world.vault.for_owner("ann");
    let chosen = owned.choose("acme", None).await.expect("the only one");
    let refused = owned.access(&chosen).await.expect("a credential");
    world.vendor.forget_access_tokens();
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (owned, chosen, refused) = (owned.clone(), chosen.clone(), refused.clone());
            tokio::spawn(async move { token(&owned.renew(&chosen, &refused).await.expect("it is renewed").expect("there is another")) })
        })
        .collect();
    for call in calls {
        assert_ne!(call.await.expect("no panic"), token(&refused));
    }
    assert_eq!(world.refreshes(), 1, "one refused token was refreshed several times");
    world.vault.test("ann", &made.id).await.expect("the new one works");

    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (8, 1));
    let made = world.vault.add_api_token("ann", "acme", None, None, &world.vendor.url, "hunter2-api".into()).await.expect("it is stored");
    let chosen = owned.choose("acme", Some(&made.id)).await.expect("it exists");
    let refused = owned.access(&chosen).await.expect("a credential");
    assert!(owned.renew(&chosen, &refused).await.expect("nothing fails").is_none(), "an API token was renewed");
}

async fn keeps_a_connection_active_while_the_vendor_fails(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let first = token(&world.access("ann", &made.id).await.expect("a credential"));
    let faults = [
        (Fault::Answers(503, "{}"), ErrorKind::UpstreamError),
        (Fault::Answers(500, "<html>"), ErrorKind::UpstreamError),
        (Fault::HangsUp, ErrorKind::Unreachable),
        (Fault::Answers(429, "{}"), ErrorKind::RateLimited),
        (Fault::Answers(200, "{}"), ErrorKind::BadAnswer),
    ];
    world.clock.advance(Duration::from_mins(56));
    for (fault, kind) in faults.clone() {
        world.vendor.state().fails = Some(fault);
        assert_eq!(token(&world.access("ann", &made.id).await.expect("the token is valid for minutes")), first, "{kind}");
        let asked = world.vendor.token_requests();
        world.access("ann", &made.id).await.expect("the token is valid for minutes");
        assert_eq!(world.vendor.token_requests(), asked, "a failing server was asked again at once");
        world.clock.advance(Duration::from_secs(30));
    }
    world.expire_tokens();
    for (fault, kind) in faults {
        world.vendor.state().fails = Some(fault);
        let error = world.access("ann", &made.id).await.expect_err("no credential");
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Later));
        assert_eq!(world.vault.get("ann", &made.id).await.expect("it is stored").status, Status::Active);
    }
    // A refused client of the host says nothing of the grant.
    world.vendor.state().fails = Some(Fault::Answers(401, r#"{"error": "invalid_client"}"#));
    assert_eq!(world.access("ann", &made.id).await.expect_err("no credential").kind(), ErrorKind::Unauthorized);
    assert_eq!(world.vault.get("ann", &made.id).await.expect("it is stored").status, Status::Active);
    world.vendor.state().fails = None;
    world.access("ann", &made.id).await.expect("it works again");
}

async fn fails_a_connection_whose_grant_ended(world: World) {
    for (who, body) in [
        ((7, 1), r#"{"error": "invalid_grant"}"#),
        ((7, 2), r#"{"success": false, "message": "Invalid grant: refresh_token is invalid"}"#),
        ((7, 3), r#"{"error_info": "refresh token expired", "error": "hunter2-refresh-1 is no good"}"#),
    ] {
        let made = world.connect("ann", who).await;
        world.expire_tokens();
        world.vendor.state().fails = Some(Fault::Answers(400, body));
        let error = world.access("ann", &made.id).await.expect_err("the grant ended");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::ReconnectRequired, Retry::Never), "{body}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let failed = world.vault.get("ann", &made.id).await.expect("it is stored");
        assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::NeedsReconnect)), "{body}");
        world.vendor.state().fails = None;
    }
    assert_eq!(world.refreshes(), 0);
}

async fn uses_tokens_that_another_host_refreshed(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    world.expire_tokens();
    let elsewhere = world.open_another().await;
    // The other host refreshed meanwhile, so that the refresh token that this host read is dead.
    refresh::get_access(world.vault.context(), "ann", &made.id).await.expect("a credential");
    world.expire_tokens();
    let theirs = token(&access(&elsewhere, "ann", &made.id).await.expect("a credential"));
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), theirs);
    assert_eq!((world.refreshes(), world.vault.get("ann", &made.id).await.expect("it is stored").status), (2, Status::Active));
}

async fn refreshes_a_token_without_expiry_only_after_a_401(world: World) {
    world.vendor.state().expires_in = Some(json!(null));
    world.connect("ann", (7, 3)).await;
    world.clock.advance(Duration::from_hours(1_000));
    let owned = world.vault.for_owner("ann");
    let chosen = owned.choose("acme", None).await.expect("the only one");
    let first = owned.access(&chosen).await.expect("a credential");
    assert_eq!(world.refreshes(), 0);
    owned.renew(&chosen, &first).await.expect("it is renewed").expect("there is another");
    assert_eq!(world.refreshes(), 1);
}

async fn ignores_a_foreign_host_in_the_token_response(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.vendor.state().api_domain = Some("https://evil.example".to_owned());
    world.expire_tokens();
    let kept = world.access("ann", &made.id).await.expect("a credential");
    assert_eq!(kept.origin(), world.vendor.url, "the host was replaced");
    let begun = world.vault.authorize("ann", "acme", None, super::BROWSER).await.expect("it begins");
    let error = world.vault.finish_authorization(super::BROWSER, &super::state_of(&begun.url), world.vendor.code((8, 1))).await;
    assert_eq!(error.expect_err("a host of others").kind(), ErrorKind::NoConnection);
}

async fn a_cancelled_caller_loses_no_token(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    world.expire_tokens();
    let gate = world.vendor.close_gate();
    let caller = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|_| ()) }
    });
    gate.arrived.notified().await;
    caller.abort();
    caller.await.expect_err("it is gone");
    gate.open();
    world.access("ann", &made.id).await.expect("the tokens of the cancelled caller");
    assert_eq!((world.refreshes(), world.vault.get("ann", &made.id).await.expect("it is stored").status), (1, Status::Active));
}

async fn waits_for_running_refreshes_before_exit(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.vendor.state().rotates = true;
    world.expire_tokens();
    let gate = world.vendor.close_gate();
    let (vault, id) = (world.vault.clone(), made.id.clone());
    let caller = tokio::spawn(async move { access(&vault, "ann", &id).await.map(|_| ()) });
    gate.arrived.notified().await;
    caller.abort();
    let _ = caller.await;
    let mut idle = std::pin::pin!(world.vault.wait_until_idle());
    assert!(tokio::time::timeout(Duration::ZERO, &mut idle).await.is_err(), "the wait ended before the vendor responded");
    gate.open();
    idle.await;
    let other = world.open_another().await;
    access(&other, "ann", &made.id).await.expect("what came was stored");
    assert_eq!(world.refreshes(), 1);
}

async fn waiting_callers_share_a_failure(world: World) {
    world.vendor.state().expires_in = Some(json!(1));
    let made = world.connect("ann", (7, 3)).await;
    world.access("ann", &made.id).await.expect("a credential");
    world.clock.advance(Duration::from_secs(1));
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    let (gate, asked) = (world.vendor.close_gate(), world.vendor.token_requests());
    // All callers wait for a refresh before the first one gets a response.
    let mut callers: Vec<_> = (0..16).map(|_| Box::pin(refresh::get_access(world.vault.context(), "ann", &made.id))).collect();
    for caller in &mut callers {
        assert!(caller.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    gate.arrived.notified().await;
    gate.open();
    for caller in callers {
        assert_eq!(caller.await.expect_err("the server fails").kind(), ErrorKind::UpstreamError);
    }
    assert_eq!(world.vendor.token_requests() - asked, 1, "a failing server was asked once for each caller");
}

async fn no_call_waits_while_its_token_is_valid(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    world.clock.advance(Duration::from_mins(56));
    let gate = world.vendor.close_gate();
    let first = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|access| token(&access)) }
    });
    gate.arrived.notified().await;
    let meanwhile = token(&world.access("ann", &made.id).await.expect("the valid token"));
    gate.open();
    let refreshed = first.await.expect("no panic").expect("a credential");
    assert_ne!(refreshed, meanwhile);
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), refreshed);
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_tokens_that_could_not_be_stored() {
    let world = World::new(super::Place::create_folder()).await;
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    world.expire_tokens();
    let gate = world.vendor.close_gate();
    let caller = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|_| ()) }
    });
    gate.arrived.notified().await;
    // Another program locks the database between the response and the write.
    world.vault.context().store().stop_waiting();
    let other = rusqlite::Connection::open(world.place.address()).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is held");
    gate.open();
    let error = caller.await.expect("no panic").expect_err("tokens are stored before they are used");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TimedOut, Retry::Later));
    other.execute_batch("COMMIT").expect("the lock ends");
    world.access("ann", &made.id).await.expect("stored by the next call");
    world.vault.test("ann", &made.id).await.expect("the vendor takes it");
    assert_eq!(world.refreshes(), 1, "the refresh token can be used once");
}
