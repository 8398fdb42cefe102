//! Limits that hosts share, over both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use connector_core::embed::{Lease, LeaseReport, Meter, MeteredWindow, PERMIT_LEASE};

use super::{START, World, on_both};
use crate::Vault;
use crate::store::statement::sql;

on_both!(
    hosts_share_a_window_and_give_back_what_others_are_due,
    permits_of_many_hosts_are_never_more_than_the_limit,
    permits_of_a_host_that_died_are_free_after_its_lease,
    permits_of_a_host_that_ends_are_free_after_two_windows,
    host_that_stops_waiting_is_left_nothing,
    limit_that_one_host_was_told_counts_for_all,
    block_of_one_host_counts_for_all,
    windows_are_shared_apart,
    lease_stamped_by_a_clock_that_was_ahead_holds_nobody_up,
    sweep_deletes_what_nobody_uses,
);

const LENGTH: Duration = Duration::from_secs(2);
const LIMIT: u32 = 24;

fn window() -> MeteredWindow {
    MeteredWindow::new("acme", "connection-7", "https://company7.acme.example", 0)
}

/// Settles what a host holds and wants of a window that is known to take 24 requests.
async fn settle(host: &Vault, held: u32, wanted: u32) -> Lease {
    report(host, &window(), &LeaseReport::new(LIMIT, LENGTH, held, wanted).mark_told()).await
}

async fn report(host: &Vault, window: &MeteredWindow, report: &LeaseReport) -> Lease {
    host.settle(window, report).await.expect("the store answers")
}

/// Settles, and returns the permits held, those that others want, and the number of hosts.
async fn share(host: &Vault, held: u32, wanted: u32) -> (u32, u32, u32) {
    let lease = settle(host, held, wanted).await;
    assert_eq!((lease.limit, lease.is_told), (LIMIT, true));
    (lease.held, lease.wanted_by_others, lease.hosts)
}

async fn count_rows(host: &Vault, table: &'static str) -> i64 {
    let count = match table {
        "meter" => sql!("SELECT COUNT(*) FROM connector_meter"),
        _ => sql!("SELECT COUNT(*) FROM connector_permit"),
    };
    host.context().store().rows(count).await.expect("the store answers")[0].integer(0).expect("a number")
}

async fn hosts_share_a_window_and_give_back_what_others_are_due(world: World) {
    let (first, second, third) = (&world.vault, &world.open_another().await, &world.open_another().await);
    assert_eq!(share(first, 0, 64).await, (24, 0, 1), "a host alone has all");
    assert_eq!(share(second, 0, 64).await, (0, 0, 2), "nothing is free yet");
    assert_eq!(share(first, 24, 40).await, (24, 12, 2), "the first is told what the second is due");
    assert_eq!(share(first, 20, 44).await, (20, 8, 2), "what it gives back is kept for the second");
    assert_eq!(share(second, 0, 64).await, (4, 0, 2));
    assert_eq!(share(first, 12, 52).await, (12, 0, 2));
    assert_eq!(share(second, 4, 60).await, (12, 0, 2));
    assert_eq!(share(third, 0, 3).await, (0, 0, 3));
    assert_eq!(share(first, 12, 52).await, (12, 2, 3), "the third is due three, and the first keeps ten");
    assert_eq!(share(second, 12, 52).await, (12, 2, 3));
    assert_eq!(share(first, 10, 54).await, (10, 0, 3));
    assert_eq!(share(second, 11, 53).await, (11, 0, 3));
    assert_eq!(share(third, 0, 3).await, (3, 0, 3));
}

async fn permits_of_many_hosts_are_never_more_than_the_limit(world: World) {
    let mut hosts = vec![world.vault.clone()];
    for _ in 0..5 {
        hosts.push(world.open_another().await);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let turns: Vec<_> = hosts
        .iter()
        .enumerate()
        .map(|(at, host)| {
            let host = host.clone();
            tokio::spawn(async move {
                let mut held = 0;
                for turn in 0..40_u32 {
                    let wanted = (turn * 7 + u32::try_from(at).expect("few") * 5) % 30;
                    let lease = settle(&host, held, wanted).await;
                    held = lease.held - lease.held.min(lease.wanted_by_others + turn % 3);
                }
            })
        })
        .collect();
    let watch = tokio::spawn({
        let (store, is_over) = (world.open_another().await.context().store().clone(), Arc::clone(&is_over));
        async move {
            let mut most = 0;
            while !is_over.load(Ordering::SeqCst) {
                let rows = store.rows(sql!("SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM connector_permit")).await;
                most = most.max(rows.expect("the store answers")[0].integer(0).expect("a number"));
            }
            most
        }
    });
    for turn in turns {
        turn.await.expect("no panic");
    }
    is_over.store(true, Ordering::SeqCst);
    let most = watch.await.expect("no panic");
    assert!(most <= i64::from(LIMIT) && most > i64::from(LIMIT / 2), "{most} permits were held of {LIMIT}");
}

async fn permits_of_a_host_that_died_are_free_after_its_lease(world: World) {
    let (dies, lives) = (&world.vault, &world.open_another().await);
    assert_eq!(share(dies, 0, 64).await, (24, 0, 1));
    assert_eq!(share(lives, 0, 5).await, (0, 0, 2));
    world.clock.advance(PERMIT_LEASE + Duration::from_micros(1_999_999));
    assert_eq!(share(lives, 0, 5).await, (0, 0, 2), "requests at the end of its lease count for another window");
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(share(lives, 0, 64).await, (24, 0, 1));
    assert_eq!(share(dies, 24, 0).await, (0, 0, 2), "a host that was taken for dead has lost its permits");
}

async fn permits_of_a_host_that_ends_are_free_after_two_windows(world: World) {
    let (ends, lives) = (&world.vault, &world.open_another().await);
    assert_eq!(share(ends, 0, 64).await, (24, 0, 1));
    let last = report(ends, &window(), &LeaseReport::new(LIMIT, LENGTH, 20, 0).mark_told().mark_last()).await;
    assert_eq!(last.held, 20, "what is in the window is its own until it has left");
    assert_eq!(share(lives, 0, 64).await, (4, 0, 2), "the rest is free at once");
    world.clock.advance(LENGTH * 2);
    assert_eq!(share(lives, 4, 64).await, (24, 0, 1));
}

async fn host_that_stops_waiting_is_left_nothing(world: World) {
    let (busy, waits) = (&world.vault, &world.open_another().await);
    share(busy, 0, 64).await;
    share(waits, 0, 64).await;
    assert_eq!(share(busy, 12, 52).await, (12, 0, 2), "the other is due the rest");
    world.clock.advance(LENGTH * 4);
    assert_eq!(share(busy, 12, 52).await, (24, 0, 1), "it has not asked again for four windows");
    assert_eq!(share(waits, 0, 1).await, (0, 0, 2));
    assert_eq!(share(busy, 24, 0).await, (24, 1, 2));
    assert_eq!(share(busy, 23, 0).await, (23, 0, 2));
    assert_eq!(share(waits, 0, 1).await, (1, 0, 2));
    assert_eq!(share(waits, 0, 0).await, (0, 0, 2), "it gives all back");
    assert_eq!(share(busy, 23, 41).await, (24, 0, 1));
}

async fn limit_that_one_host_was_told_counts_for_all(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    let untold = LeaseReport::new(20, LENGTH, 0, 1);
    let told = |limit: u32| LeaseReport::new(limit, LENGTH, 0, 1).mark_told();
    let see = async |host: &Vault, said: LeaseReport| {
        let lease = report(host, &window(), &said).await;
        (lease.limit, lease.is_told)
    };
    assert_eq!(see(first, untold.clone()).await, (20, false), "the smallest that is documented, until an answer tells another");
    assert_eq!(see(second, told(80)).await, (80, true));
    assert_eq!(see(first, untold).await, (80, true));
    assert_eq!(see(first, told(160)).await, (160, true), "the account has a larger plan now");
    assert_eq!(see(second, told(80)).await, (160, true), "the second repeats what it was told before that");
    assert_eq!(see(second, told(40)).await, (40, true), "a smaller one");
    assert_eq!(see(first, told(160)).await, (40, true));
}

async fn block_of_one_host_counts_for_all(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(START.as_micros().unsigned_abs());
    let blocked = |seconds: u64| LeaseReport::new(LIMIT, LENGTH, 0, 0).blocked_until(Some(now + Duration::from_secs(seconds)));
    assert_eq!(settle(first, 0, 0).await.blocked_until, None);
    assert_eq!(report(first, &window(), &blocked(61)).await.blocked_until, Some(now + Duration::from_secs(61)));
    assert_eq!(settle(second, 0, 1).await.blocked_until, Some(now + Duration::from_secs(61)));
    assert_eq!(report(second, &window(), &blocked(30)).await.blocked_until, Some(now + Duration::from_secs(61)), "the later time counts");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(settle(first, 0, 1).await.blocked_until, None, "it is over");
}

async fn windows_are_shared_apart(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    let said = LeaseReport::new(LIMIT, LENGTH, 0, 64);
    assert_eq!(report(first, &window(), &said).await.held, 24);
    for other in [
        MeteredWindow::new("other", "connection-7", "https://company7.acme.example", 0),
        MeteredWindow::new("acme", "connection-8", "https://company7.acme.example", 0),
        MeteredWindow::new("acme", "connection-7", "https://company8.acme.example", 0),
        MeteredWindow::new("acme", "connection-7", "https://company7.acme.example", 1),
        MeteredWindow::new("acme", "connection-7h", "ttps://company7.acme.example", 0),
    ] {
        let lease = report(second, &other, &said).await;
        assert_eq!((lease.held, lease.hosts), (24, 1), "{other:?}");
    }
    assert_eq!(report(second, &window(), &said).await.held, 0);
    world.place.assert_holds_none_of(&["company7.acme.example", "connection-7"]).await;
}

async fn lease_stamped_by_a_clock_that_was_ahead_holds_nobody_up(world: World) {
    let (ahead, other) = (&world.vault, &world.open_another().await);
    world.clock.advance(Duration::from_hours(2));
    share(ahead, 0, 64).await;
    world.clock.set(START);
    assert_eq!(share(other, 0, 64).await, (24, 0, 1));
}

async fn sweep_deletes_what_nobody_uses(world: World) {
    let (first, second) = (&world.vault, &world.open_another().await);
    share(first, 0, 12).await;
    share(second, 0, 12).await;
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!((count_rows(first, "meter").await, count_rows(first, "permit").await), (1, 2));
    world.clock.advance(Duration::from_hours(1) + PERMIT_LEASE + LENGTH);
    share(second, 12, 0).await;
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!((count_rows(first, "meter").await, count_rows(first, "permit").await), (1, 1), "the first host is gone");
    world.clock.advance(Duration::from_hours(3));
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!((count_rows(first, "meter").await, count_rows(first, "permit").await), (0, 0));
    assert_eq!(share(first, 0, 64).await, (24, 0, 1), "it begins anew");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn clock_of_the_database_tells_the_time() {
    let Some(place) = super::Place::create_schema().await else { return };
    let host = super::vault(place.store().await, "http://127.0.0.1:1", &crate::Clock::system()).await;
    assert_eq!(share(&host, 0, 64).await, (24, 0, 1));
    let left = sql!("SELECT held_until - CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) FROM connector_permit");
    let left = host.context().store().rows(left).await.expect("the store answers")[0].integer(0).expect("a number");
    let longest = i64::try_from((PERMIT_LEASE + LENGTH).as_micros()).expect("some seconds");
    assert!(left <= longest && left > longest / 2, "{left} of {longest} microseconds are left");
}
