//! Values by which upserts look for records, over both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connector_core::embed::{MATCH_LEASE, MATCH_MEMORY, MOST_MATCHES, MatchClaim, MatchEnding, MatchMemory, MatchRegister};

use super::{START, World, on_both};
use crate::store::statement::sql;
use crate::{OwnerVault, Vault};

on_both!(
    value_has_one_holder_over_all_hosts,
    value_of_a_holder_that_died_is_free_after_its_lease,
    record_is_remembered_for_ten_minutes_by_all_hosts,
    record_that_may_have_been_added_is_remembered_until_it_is_known,
    holder_whose_lease_is_over_changes_nothing,
    owners_share_no_value,
    lease_stamped_by_a_clock_that_was_ahead_holds_nobody_up,
    sweep_deletes_what_is_over,
);

fn owner(host: &Vault) -> OwnerVault {
    host.for_owner("ann")
}

fn claim(values: &[&str], beside: &[&str]) -> MatchClaim {
    let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    MatchClaim::new(own(values), own(beside))
}

fn memory(records: &[&str], unsure_for: Option<Duration>) -> MatchMemory {
    MatchMemory::new(records.iter().map(|record| (*record).to_owned()).collect(), unsure_for)
}

async fn lease(host: &Vault, claim: &MatchClaim) -> Option<MatchMemory> {
    owner(host).lease(claim).await.expect("the store answers")
}

async fn begin_add(host: &Vault, claim: &MatchClaim) -> bool {
    owner(host).begin_add(claim).await.expect("the store answers")
}

async fn end(host: &Vault, claim: &MatchClaim, ending: MatchEnding) {
    owner(host).end(claim, &ending).await.expect("the store answers");
}

async fn peek(host: &Vault, value: &str) -> MatchMemory {
    owner(host).peek(&[value.to_owned()]).await.expect("the store answers")
}

async fn value_has_one_holder_over_all_hosts(world: World) {
    let mut hosts = vec![world.vault.clone()];
    for _ in 0..3 {
        hosts.push(world.open_another().await);
    }
    let (holders, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let turns: Vec<_> = hosts
        .into_iter()
        .map(|host| {
            let (holders, done) = (Arc::clone(&holders), Arc::clone(&done));
            tokio::spawn(async move {
                // Two values in two orders: nobody waits for the other.
                for at in 0..20 {
                    let claim = if at % 2 == 0 { claim(&["a", "b"], &[]) } else { claim(&["b", "a"], &["c"]) };
                    while lease(&host, &claim).await.is_none() {
                        tokio::task::yield_now().await;
                    }
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold one value");
                    tokio::task::yield_now().await;
                    holders.fetch_sub(1, Ordering::SeqCst);
                    end(&host, &claim, MatchEnding::AsBefore).await;
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for turn in turns {
        turn.await.expect("a turn does not panic");
    }
    assert_eq!(done.load(Ordering::SeqCst), 80);
}

async fn value_of_a_holder_that_died_is_free_after_its_lease(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    let (dead, next) = (claim(&["a"], &[]), claim(&["a", "b"], &[]));
    assert_eq!(lease(first, &dead).await, Some(memory(&[], None)));
    assert_eq!(lease(second, &next).await, None);
    assert_eq!(lease(second, &claim(&["b"], &[])).await, Some(memory(&[], None)), "nothing of a claim that failed is leased");
    world.clock.advance(MATCH_LEASE / 2);
    owner(first).extend(&dead).await.expect("the store answers");
    world.clock.advance(MATCH_LEASE / 2);
    assert_eq!(lease(second, &next).await, None, "it was extended");
    world.clock.advance(MATCH_LEASE);
    assert_eq!(lease(second, &next).await, Some(memory(&[], None)));
}

async fn record_is_remembered_for_ten_minutes_by_all_hosts(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    for record in ["7", "8"] {
        let added = claim(&["a"], &["b"]);
        assert!(lease(first, &added).await.is_some());
        assert!(begin_add(first, &added).await);
        end(first, &added, MatchEnding::Record(record.to_owned())).await;
    }
    let both = lease(second, &claim(&["a"], &[])).await.expect("it is free");
    assert_eq!((both.records.len(), both.unsure_for), (2, None), "{both:?}");
    assert_eq!(peek(second, "b").await.records.len(), 2, "it is remembered under its other values");
    for record in 0..MOST_MATCHES {
        end(first, &claim(&[], &["b"]), MatchEnding::Record(format!("more {record}"))).await;
    }
    assert_eq!(peek(second, "b").await.records.len(), MOST_MATCHES, "of very many some are remembered");
    world.clock.advance(MATCH_MEMORY);
    assert_eq!(peek(second, "b").await, memory(&[], None));
    world.place.assert_holds_none_of(&["ann"]).await;
}

async fn record_that_may_have_been_added_is_remembered_until_it_is_known(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    let lost = claim(&["a"], &["b"]);
    assert!(lease(first, &lost).await.is_some());
    assert!(begin_add(first, &lost).await);
    // The first host dies here.
    assert_eq!(lease(second, &claim(&["b"], &[])).await, Some(memory(&[], Some(MATCH_MEMORY))));
    world.clock.advance(MATCH_LEASE);
    let next = claim(&["a"], &["b"]);
    assert_eq!(lease(second, &next).await, Some(memory(&[], Some(MATCH_MEMORY.saturating_sub(MATCH_LEASE)))));
    end(second, &next, MatchEnding::AsBefore).await;
    assert_eq!(peek(first, "a").await.unsure_for, Some(MATCH_MEMORY.saturating_sub(MATCH_LEASE)), "a look does not end the doubt");
    let refused = claim(&["c"], &[]);
    assert!(lease(first, &refused).await.is_some());
    assert!(begin_add(first, &refused).await);
    end(first, &refused, MatchEnding::NotAdded).await;
    assert_eq!(peek(first, "c").await, memory(&[], None));
    let found = claim(&["a"], &["b"]);
    assert!(lease(second, &found).await.is_some());
    end(second, &found, MatchEnding::Record("7".to_owned())).await;
    assert_eq!(peek(first, "a").await, memory(&["7"], None), "the record that was found ends the doubt");
}

async fn holder_whose_lease_is_over_changes_nothing(world: World) {
    let (late, next) = (claim(&["a"], &[]), claim(&["a"], &[]));
    assert!(lease(&world.vault, &late).await.is_some());
    world.clock.advance(MATCH_LEASE);
    assert!(lease(&world.vault, &next).await.is_some());
    assert!(!begin_add(&world.vault, &late).await, "it may not add what another one looks for");
    assert!(begin_add(&world.vault, &next).await);
    owner(&world.vault).extend(&late).await.expect("the store answers");
    end(&world.vault, &late, MatchEnding::NotAdded).await;
    assert_eq!(peek(&world.vault, "a").await.unsure_for, Some(MATCH_MEMORY), "the doubt is that of another");
    assert_eq!(lease(&world.vault, &claim(&["a"], &[])).await, None, "the lease is that of another");
}

async fn owners_share_no_value(world: World) {
    let (ann, ben) = (world.vault.for_owner("ann"), world.vault.for_owner("ben"));
    let (first, second) = (claim(&["a"], &[]), claim(&["a"], &[]));
    assert!(ann.lease(&first).await.expect("the store answers").is_some());
    assert!(ben.lease(&second).await.expect("the store answers").is_some());
    ann.end(&first, &MatchEnding::Record("7".to_owned())).await.expect("the store answers");
    assert_eq!(ben.peek(&["a".to_owned()]).await.expect("the store answers"), memory(&[], None));
}

async fn lease_stamped_by_a_clock_that_was_ahead_holds_nobody_up(world: World) {
    world.clock.advance(Duration::from_hours(2));
    let ahead = claim(&["a"], &[]);
    assert!(lease(&world.vault, &ahead).await.is_some());
    assert!(begin_add(&world.vault, &ahead).await);
    world.clock.set(START);
    assert_eq!(lease(&world.vault, &claim(&["a"], &[])).await, Some(memory(&[], None)));
}

async fn sweep_deletes_what_is_over(world: World) {
    let count = async || {
        let count = sql!("SELECT (SELECT COUNT(*) FROM connector_match) + (SELECT COUNT(*) FROM connector_match_record)");
        world.vault.context().store().rows(count).await.expect("the store answers")[0].integer(0).expect("a number")
    };
    let added = claim(&["a"], &["b"]);
    assert!(lease(&world.vault, &added).await.is_some());
    end(&world.vault, &added, MatchEnding::Record("7".to_owned())).await;
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!(count().await, 2, "the records stay, and the leases are over");
    world.clock.advance(Duration::from_hours(2));
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!(count().await, 0);
}
