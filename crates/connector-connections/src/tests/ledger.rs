//! Idempotency keys across processes and owners.

use std::time::Duration;

use connector_core::ErrorKind;
use connector_core::embed::{Claim, Kept, KeyedCall, LEASE, Ledger};
use connector_core::run::{Answer, RawJson};

use super::{HEX_KEY, START, World, http, on_both};
use crate::{Key, KeyState, OwnerVault, Resolution, Vault};

on_both!(
    claims_a_key_once_and_returns_its_outcome_later,
    claim_of_a_process_that_died_is_unknown_until_a_person_says,
    nothing_of_an_earlier_holder_touches_a_key,
    jumps_of_the_clock_end_no_key_early,
    owner_with_too_many_keys_gets_no_more,
    record_is_made_under_one_key,
    key_that_is_freed_while_others_claim_it_is_claimed_by_one_of_them,
);

fn call(key: &str) -> KeyedCall {
    let mut call = KeyedCall::new(key, "the call");
    (call.connector, call.action, call.connection) = ("acme".to_owned(), "addDeal".to_owned(), "company7".to_owned());
    call
}

async fn claim(ledger: &OwnerVault, key: &str) -> Claim {
    ledger.claim(&call(key)).await.expect("the store answers")
}

async fn claims_a_key_once_and_returns_its_outcome_later(world: World) {
    let vaults = [world.vault.clone(), world.open_another().await];
    let claims: Vec<_> = (0..32)
        .map(|at| {
            let (ledger, call) = (vaults[at % 2].for_owner("ann"), call("run-1"));
            tokio::spawn(async move { (ledger.claim(&call).await.expect("it is claimed"), call) })
        })
        .collect();
    let mut fresh = Vec::new();
    for claim in claims {
        match claim.await.expect("no panic") {
            (Claim::Fresh, call) => fresh.push(call),
            (other, _) => assert_eq!(other, Claim::Running),
        }
    }
    let [holder] = &fresh[..] else { panic!("{} callers carried out the call", fresh.len()) };
    let (here, there) = (vaults[0].for_owner("ann"), vaults[1].for_owner("ann"));
    let other = KeyedCall::new("run-1", "another call");
    assert_eq!(there.claim(&other).await.expect("it is claimed"), Claim::OtherCall);
    assert_eq!(vaults[0].for_owner("bob").claim(&other).await.expect("it is claimed"), Claim::Fresh, "owners share a key");
    here.finish(holder, Kept::new(*b"hunter2-answer")).await.expect("it is stored");
    let finished = Claim::Finished(b"hunter2-answer".to_vec());
    assert_eq!(claim(&there, "run-1").await, finished);
    here.release(holder).await.expect("nothing fails");
    here.abandon(holder).await.expect("nothing fails");
    assert_eq!(claim(&here, "run-1").await, finished, "a finished key was freed");
    world.place.assert_holds_none_of(&["hunter2-answer", "the call", "run-1", "addDeal"]).await;

    let second = call("run-2");
    here.claim(&second).await.expect("it is claimed");
    here.release(&second).await.expect("it is released");
    assert_eq!(claim(&there, "run-2").await, Claim::Fresh);
    here.finish(&call("run-3"), Kept::new("")).await.expect_err("it was never claimed");
}

/// Frees a key again and again while others ask for it: each of them claims it, or learns that it is running.
async fn key_that_is_freed_while_others_claim_it_is_claimed_by_one_of_them(world: World) {
    let vaults = [world.vault.clone(), world.open_another().await];
    let callers: Vec<_> = (0..16)
        .map(|at| {
            let (ledger, call) = (vaults[at % 2].for_owner("ann"), call("run-1"));
            tokio::spawn(async move {
                for _ in 0..40 {
                    match ledger.claim(&call).await.expect("it is claimed") {
                        Claim::Fresh => ledger.release(&call).await.expect("it is released"),
                        other => assert_eq!(other, Claim::Running),
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    assert_eq!(claim(&world.vault.for_owner("ann"), "run-1").await, Claim::Fresh, "the last one freed it");
}

async fn claim_of_a_process_that_died_is_unknown_until_a_person_says(world: World) {
    let ann = world.vault.for_owner("ann");
    let (died, long) = (call("died"), call("long"));
    for call in [&died, &long] {
        ann.claim(call).await.expect("it is claimed");
    }
    world.clock.advance(LEASE * 9 / 10);
    ann.extend(&long).await.expect("it is extended");
    world.clock.advance(LEASE / 10);
    assert_eq!(claim(&ann, "long").await, Claim::Running);
    let Claim::Unknown { since: Some(since), .. } = claim(&ann, "died").await else { panic!("the outcome is lost") };
    assert_eq!(since.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_micros(), 1_800_000_000_000_000);
    ann.abandon(&long).await.expect("it is given up");
    ann.extend(&long).await.expect("nothing fails");
    assert!(matches!(claim(&ann, "long").await, Claim::Unknown { .. }), "a call that was given up runs again");

    let listed = |only_unknown| {
        let ann = ann.clone();
        async move { ann.list_keys(only_unknown, 10).await.expect("the store answers") }
    };
    let keys = listed(false).await;
    assert_eq!(keys.len(), 2);
    assert_eq!((&*keys[0].action, &*keys[0].connection, keys[0].started, keys[0].state), ("addDeal", "company7", START, KeyState::Unknown));
    assert!(
        world.vault.for_owner("bob").list_keys(false, 10).await.expect("the store answers").is_empty(),
        "another owner's keys are listed"
    );

    ann.resolve_key("died", Resolution::Done(RawJson::from_value(&serde_json::json!({"id": 7})))).await.expect("it is settled");
    assert_eq!(claim(&ann, "died").await, Claim::Finished(Answer::from_data(&serde_json::json!({"id": 7})).to_ledger()));
    ann.resolve_key("long", Resolution::NotDone).await.expect("it is freed");
    assert_eq!(listed(true).await, []);
    assert_eq!(claim(&ann, "long").await, Claim::Fresh);
    for (key, kind) in [("died", ErrorKind::Conflict), ("long", ErrorKind::Conflict), ("never", ErrorKind::NotFound)] {
        let refused = ann.resolve_key(key, Resolution::NotDone).await.expect_err("nothing is unknown");
        assert_eq!(refused.kind(), kind, "{key}: {refused}");
    }
}

async fn nothing_of_an_earlier_holder_touches_a_key(world: World) {
    let ann = world.vault.for_owner("ann");
    let (late, next) = (call("run-1"), call("run-1"));
    ann.claim(&late).await.expect("it is claimed");
    ann.abandon(&late).await.expect("it is given up");
    ann.resolve_key("run-1", Resolution::NotDone).await.expect("it is freed");
    assert_eq!(ann.claim(&next).await.expect("it is claimed"), Claim::Fresh);
    ann.finish(&late, Kept::new("late")).await.expect_err("another call holds the key");
    ann.release(&late).await.expect("nothing fails");
    ann.abandon(&late).await.expect("nothing fails");
    assert_eq!(claim(&ann, "run-1").await, Claim::Running);
    ann.finish(&next, Kept::new("next")).await.expect("it holds the key");
    assert_eq!(claim(&ann, "run-1").await, Claim::Finished(b"next".to_vec()));
}

async fn jumps_of_the_clock_end_no_key_early(world: World) {
    const HOUR: Duration = Duration::from_hours(1);
    let ann = world.vault.for_owner("ann");
    world.vault.sweep().await.expect("the sweep runs");
    let keyed = call("run-1");
    ann.claim(&keyed).await.expect("it is claimed");
    ann.finish(&keyed, Kept::new("kept")).await.expect("it is stored");
    // The clock is set a month ahead, then back, then ahead again.
    for to in [START + 30 * 24 * HOUR, START, START + 60 * 24 * HOUR] {
        world.clock.set(to);
        world.vault.sweep().await.expect("the sweep runs");
    }
    assert_eq!(claim(&ann, "run-1").await, Claim::Finished(b"kept".to_vec()), "a jump ended the key");
    // Two jumps counted for an hour each. The clock of another host, which is behind, adds nothing.
    for hour in 1..7 * 24 - 2_u32 {
        world.clock.set(START + 60 * 24 * HOUR + hour * HOUR);
        world.vault.sweep().await.expect("the sweep runs");
        world.clock.set(START + hour * HOUR);
        world.vault.sweep().await.expect("the sweep runs");
    }
    assert_eq!(claim(&ann, "run-1").await, Claim::Finished(b"kept".to_vec()), "the key ended before seven days");
    world.clock.set(START + 60 * 24 * HOUR + (7 * 24 - 2) * HOUR);
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!(claim(&ann, "run-1").await, Claim::Fresh, "the key is kept for longer than seven days");
}

async fn owner_with_too_many_keys_gets_no_more(world: World) {
    let builder = Vault::builder(world.place.store().await, Key::parse(HEX_KEY).expect("a key"), &http());
    let vault = builder.app(world.vendor.app()).clock(world.clock.clone()).idempotency_keys(2).open().await.expect("the vault opens");
    let ann = vault.for_owner("ann");
    for key in ["run-1", "run-2"] {
        assert_eq!(claim(&ann, key).await, Claim::Fresh);
    }
    let refused = ann.claim(&call("run-3")).await.expect_err("there are two");
    assert_eq!(refused.kind(), ErrorKind::RateLimited, "{refused}");
    assert_eq!(claim(&ann, "run-1").await, Claim::Running, "a key that is there needs no room");
    assert_eq!(claim(&vault.for_owner("bob"), "run-3").await, Claim::Fresh);
}

async fn record_is_made_under_one_key(world: World) {
    let ann = world.vault.for_owner("ann");
    let (made, lost, twin) = (call("made"), call("lost"), call("twin"));
    for call in [&made, &lost, &twin] {
        ann.claim(call).await.expect("it is claimed");
    }
    let of_deal = |answer: &str| Kept::new(answer).with_record("deal/7".to_owned());
    assert!(!ann.has_made("deal/7").await.expect("the store answers"));
    ann.finish(&made, of_deal("made")).await.expect("it is stored");
    assert!(ann.has_made("deal/7").await.expect("the store answers"));
    assert!(!world.vault.for_owner("bob").has_made("deal/7").await.expect("the store answers"));
    ann.abandon(&lost).await.expect("it is given up");
    assert!(!ann.settle(&lost, of_deal("found")).await.expect("the store answers"), "one record was given to two keys");
    assert!(ann.has_twin(&lost).await.expect("the store answers"), "the twin runs");
    ann.release(&twin).await.expect("it is released");
    assert!(!ann.has_twin(&lost).await.expect("the store answers"));
    let other = Kept::new("found").with_record("deal/8".to_owned());
    assert!(ann.settle(&lost, other.clone()).await.expect("the store answers"));
    assert!(!ann.settle(&lost, other).await.expect("the store answers"), "a known outcome was replaced");
    // A look-up took the record of a call that had not finished. Its outcome is stored nevertheless.
    let slow = call("slow");
    ann.claim(&slow).await.expect("it is claimed");
    ann.finish(&slow, Kept::new("slow").with_record("deal/8".to_owned())).await.expect("it is stored");
    assert_eq!(claim(&ann, "slow").await, Claim::Finished(b"slow".to_vec()));
}
