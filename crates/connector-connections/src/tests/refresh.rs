//! Refresh: one at a time, stored before it is used, and judged only by what the store says then.

use std::task::{Context, Waker};
use std::time::Duration;

use connector_core::{Connections, ErrorKind, Retry};
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
    let made = world.connected("ann", (7, 3)).await;
    let first = token(&world.access("ann", &made.id).await.expect("a credential"));
    world.clock.advance(Duration::from_mins(54));
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), first);
    world.clock.advance(Duration::from_mins(1));
    let second = token(&world.access("ann", &made.id).await.expect("a credential"));
    assert_ne!(second, first, "five minutes before its end");
    assert_eq!(token(&access(&world.another().await, "ann", &made.id).await.expect("stored")), second);
    world.hour();
    world.access("ann", &made.id).await.expect("by the refresh token that came with the last one");
    assert_eq!(world.refreshed(), 2);
}

async fn callers_of_two_hosts_make_one_refresh(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connected("ann", (7, 3)).await;
    let vaults = [world.vault.clone(), world.another().await];
    for _ in 0..3 {
        world.hour();
        let asked = world.vendor.asked();
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
        assert_eq!((world.vendor.asked() - asked, tokens.len()), (1, 1));
    }
}

async fn a_401_refreshes_the_refused_token_once(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    let owned = world.vault.for_owner("ann");
    let chosen = owned.choose("acme", None).await.expect("the only one");
    let refused = owned.access(&chosen).await.expect("a credential");
    world.vendor.forget_access_tokens();
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (owned, chosen, refused) = (owned.clone(), chosen.clone(), refused.clone());
            tokio::spawn(async move { token(&owned.renew(&chosen, &refused).await.expect("renewed").expect("another")) })
        })
        .collect();
    for call in calls {
        assert_ne!(call.await.expect("no panic"), token(&refused));
    }
    assert_eq!(world.refreshed(), 1, "all were refused the same token");
    world.vault.test("ann", &made.id).await.expect("the new one works");

    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (8, 1));
    let made = world.vault.add_api_token("ann", "acme", None, &world.vendor.url, "hunter2-api".into()).await.expect("kept");
    let chosen = owned.choose("acme", Some(&made.id)).await.expect("there");
    let refused = owned.access(&chosen).await.expect("a credential");
    assert!(owned.renew(&chosen, &refused).await.expect("nothing fails").is_none(), "an API token has no other");
}

async fn keeps_a_connection_active_while_the_vendor_fails(world: World) {
    let made = world.connected("ann", (7, 3)).await;
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
        assert_eq!(token(&world.access("ann", &made.id).await.expect("it lives for minutes yet")), first, "{kind}");
        let asked = world.vendor.asked();
        world.access("ann", &made.id).await.expect("it lives for minutes yet");
        assert_eq!(world.vendor.asked(), asked, "a server that failed is left alone for a while");
        world.clock.advance(Duration::from_secs(30));
    }
    world.hour();
    for (fault, kind) in faults {
        world.vendor.state().fails = Some(fault);
        let error = world.access("ann", &made.id).await.expect_err("no credential");
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Later));
        assert_eq!(world.vault.get("ann", &made.id).await.expect("kept").status, Status::Active);
    }
    // The host's own client is refused: that says nothing of the grant.
    world.vendor.state().fails = Some(Fault::Answers(401, r#"{"error": "invalid_client"}"#));
    assert_eq!(world.access("ann", &made.id).await.expect_err("no credential").kind(), ErrorKind::Unauthorized);
    assert_eq!(world.vault.get("ann", &made.id).await.expect("kept").status, Status::Active);
    world.vendor.state().fails = None;
    world.access("ann", &made.id).await.expect("and it goes on");
}

async fn fails_a_connection_whose_grant_ended(world: World) {
    for (who, body) in [
        ((7, 1), r#"{"error": "invalid_grant"}"#),
        ((7, 2), r#"{"success": false, "message": "Invalid grant: refresh_token is invalid"}"#),
        ((7, 3), r#"{"error_info": "refresh token expired", "error": "hunter2-refresh-1 is no good"}"#),
    ] {
        let made = world.connected("ann", who).await;
        world.hour();
        world.vendor.state().fails = Some(Fault::Answers(400, body));
        let error = world.access("ann", &made.id).await.expect_err("gone");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::ReconnectRequired, Retry::Never), "{body}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let failed = world.vault.get("ann", &made.id).await.expect("kept");
        assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::NeedsReconnect)), "{body}");
        world.vendor.state().fails = None;
    }
    assert_eq!(world.refreshed(), 0);
}

async fn uses_tokens_that_another_host_refreshed(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connected("ann", (7, 3)).await;
    world.hour();
    let elsewhere = world.another().await;
    // What this host read before is old: the other one refreshed since, and its refresh token is dead.
    refresh::get_access(world.vault.context(), "ann", &made.id).await.expect("a credential");
    world.hour();
    let theirs = token(&access(&elsewhere, "ann", &made.id).await.expect("a credential"));
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), theirs);
    assert_eq!((world.refreshed(), world.vault.get("ann", &made.id).await.expect("kept").status), (2, Status::Active));
}

async fn refreshes_a_token_without_expiry_only_after_a_401(world: World) {
    world.vendor.state().expires_in = Some(json!(null));
    world.connected("ann", (7, 3)).await;
    world.clock.advance(Duration::from_hours(1_000));
    let owned = world.vault.for_owner("ann");
    let chosen = owned.choose("acme", None).await.expect("the only one");
    let first = owned.access(&chosen).await.expect("a credential");
    assert_eq!(world.refreshed(), 0);
    owned.renew(&chosen, &first).await.expect("renewed").expect("another");
    assert_eq!(world.refreshed(), 1);
}

async fn ignores_a_foreign_host_in_the_token_response(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.vendor.state().api_domain = Some("https://evil.example".to_owned());
    world.hour();
    let kept = world.access("ann", &made.id).await.expect("a credential");
    assert_eq!(kept.origin(), world.vendor.url, "the host stays what it was");
    let begun = world.vault.authorize("ann", "acme", None, super::BROWSER).await.expect("begun");
    let error = world.vault.finish_authorization(super::BROWSER, &super::state_of(&begun.url), world.vendor.code((8, 1))).await;
    assert_eq!(error.expect_err("a host of others").kind(), ErrorKind::NoConnection);
}

async fn a_cancelled_caller_loses_no_token(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connected("ann", (7, 3)).await;
    world.hour();
    let gate = world.vendor.gate();
    let caller = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|_| ()) }
    });
    gate.arrived.notified().await;
    caller.abort();
    caller.await.expect_err("it is gone");
    gate.open();
    world.access("ann", &made.id).await.expect("what came for the caller who went away");
    assert_eq!((world.refreshed(), world.vault.get("ann", &made.id).await.expect("kept").status), (1, Status::Active));
}

async fn waits_for_running_refreshes_before_exit(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.vendor.state().rotates = true;
    world.hour();
    let gate = world.vendor.gate();
    let (vault, id) = (world.vault.clone(), made.id.clone());
    let caller = tokio::spawn(async move { access(&vault, "ann", &id).await.map(|_| ()) });
    gate.arrived.notified().await;
    caller.abort();
    let _ = caller.await;
    let mut settled = std::pin::pin!(world.vault.wait_until_idle());
    assert!(tokio::time::timeout(Duration::ZERO, &mut settled).await.is_err(), "the vendor has not answered yet");
    gate.open();
    settled.await;
    let other = world.another().await;
    access(&other, "ann", &made.id).await.expect("what came was stored");
    assert_eq!(world.refreshed(), 1);
}

async fn waiting_callers_share_a_failure(world: World) {
    world.vendor.state().expires_in = Some(json!(1));
    let made = world.connected("ann", (7, 3)).await;
    world.access("ann", &made.id).await.expect("a credential");
    world.clock.advance(Duration::from_secs(1));
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    let (gate, asked) = (world.vendor.gate(), world.vendor.asked());
    // Each of them has asked for a refresh before the first of them gets an answer.
    let mut callers: Vec<_> = (0..16).map(|_| Box::pin(refresh::get_access(world.vault.context(), "ann", &made.id))).collect();
    for caller in &mut callers {
        assert!(caller.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    gate.arrived.notified().await;
    gate.open();
    for caller in callers {
        assert_eq!(caller.await.expect_err("the server fails").kind(), ErrorKind::UpstreamError);
    }
    assert_eq!(world.vendor.asked() - asked, 1, "a server that is down is asked once for all who wait");
}

async fn no_call_waits_while_its_token_is_valid(world: World) {
    let made = world.connected("ann", (7, 3)).await;
    world.clock.advance(Duration::from_mins(56));
    let gate = world.vendor.gate();
    let first = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|access| token(&access)) }
    });
    gate.arrived.notified().await;
    let meanwhile = token(&world.access("ann", &made.id).await.expect("the one that lives"));
    gate.open();
    let refreshed = first.await.expect("no panic").expect("a credential");
    assert_ne!(refreshed, meanwhile);
    assert_eq!(token(&world.access("ann", &made.id).await.expect("a credential")), refreshed);
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_tokens_that_could_not_be_stored() {
    let world = World::at(super::Place::folder()).await;
    world.vendor.state().rotates = true;
    let made = world.connected("ann", (7, 3)).await;
    world.hour();
    let gate = world.vendor.gate();
    let caller = tokio::spawn({
        let (vault, id) = (world.vault.clone(), made.id.clone());
        async move { access(&vault, "ann", &id).await.map(|_| ()) }
    });
    gate.arrived.notified().await;
    // Between the answer and the store another program takes the database.
    world.vault.context().store().stop_waiting();
    let other = rusqlite::Connection::open(world.place.word()).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    gate.open();
    let error = caller.await.expect("no panic").expect_err("nothing is used that is not stored");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TimedOut, Retry::Later));
    other.execute_batch("COMMIT").expect("let go");
    world.access("ann", &made.id).await.expect("stored by the next call");
    world.vault.test("ann", &made.id).await.expect("the vendor takes it");
    assert_eq!(world.refreshed(), 1, "its refresh token was worth one");
}
