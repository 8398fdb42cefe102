//! Lists that accounts define, across processes and owners.

use std::time::{Duration, SystemTime};

use connector_core::embed::{Cache, CacheEntry, CacheKey, FRESH, READING};

use super::{HEX_KEY, START, World, http, on_both};
use crate::state::rows::definitions;
use crate::{Key, OwnerVault, Vault};

on_both!(
    one_of_many_callers_reads_a_list_and_the_others_load_it,
    list_of_a_process_that_died_is_read_by_another,
    list_that_was_read_earlier_replaces_none,
    lists_go_with_their_connection_and_by_the_sweep,
    owner_with_too_many_bytes_loses_the_oldest_lists,
    change_of_keys_gives_all_lists_up,
    clock_that_is_set_back_holds_nobody_up,
);

const FIELDS: &str = r#"[{"field_name": "Contract type", "field_code": "hunter2-code"}]"#;

fn key(list: &str) -> CacheKey {
    CacheKey::new("acme", "connection-7", "https://company7.acme.example", list)
}

/// Returns the moment so long after the start of the test, as the machine's clock has it.
fn at(span: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(START.as_micros().unsigned_abs()) + span
}

async fn claim(cache: &OwnerVault, list: &str) -> bool {
    cache.claim(&key(list)).await.expect("the store answers")
}

async fn store(cache: &OwnerVault, list: &str, text: &str, read_at: SystemTime) {
    cache.store(&key(list), &CacheEntry::new(text, read_at)).await.expect("it is stored");
}

async fn load(cache: &OwnerVault, list: &str) -> Option<(String, SystemTime)> {
    let entry = cache.load(&key(list)).await.expect("the store answers")?;
    Some((String::from_utf8(entry.text).expect("it is text"), entry.read_at))
}

async fn one_of_many_callers_reads_a_list_and_the_others_load_it(world: World) {
    let vaults = [world.vault.clone(), world.open_another().await];
    let callers: Vec<_> = (0..32)
        .map(|at| {
            let cache = vaults[at % 2].for_owner("ann");
            tokio::spawn(async move { claim(&cache, "getDealFields").await.then_some(at % 2) })
        })
        .collect();
    let mut readers = Vec::new();
    for caller in callers {
        readers.extend(caller.await.expect("no panic"));
    }
    let [reader] = readers[..] else { panic!("{} callers read the list", readers.len()) };
    let (here, there, bob) = (vaults[reader].for_owner("ann"), vaults[1 - reader].for_owner("ann"), vaults[reader].for_owner("bob"));
    assert_eq!(load(&there, "getDealFields").await, None, "nothing was read yet");
    let read_at = at(Duration::from_micros(7));
    store(&here, "getDealFields", FIELDS, read_at).await;
    for cache in [&here, &there] {
        assert_eq!(load(cache, "getDealFields").await, Some((FIELDS.to_owned(), read_at)));
        assert!(Cache::owner(cache) == "ann");
    }
    assert_eq!(load(&bob, "getDealFields").await, None, "owners share a list");
    assert_eq!(load(&here, "getPersonFields").await, None, "lists share a place");
    for other in [
        CacheKey::new("other", "connection-7", "https://company7.acme.example", "getDealFields"),
        CacheKey::new("acme", "connection-8", "https://company7.acme.example", "getDealFields"),
        CacheKey::new("acme", "connection-7", "https://company8.acme.example", "getDealFields"),
        CacheKey::new("acme", "connection-7", "https://company7.acme.exampleg", "etDealFields"),
    ] {
        assert!(here.load(&other).await.expect("the store answers").is_none(), "{other:?}");
    }
    assert!(claim(&bob, "getDealFields").await && claim(&there, "getDealFields").await, "the claim ended");
    assert!(!claim(&here, "getDealFields").await, "another process reads it again");
    there.release(&key("getDealFields")).await.expect("it is released");
    assert!(claim(&here, "getDealFields").await);
    assert_eq!(load(&here, "getDealFields").await, Some((FIELDS.to_owned(), read_at)), "a claim hides what is there");
    world.place.assert_holds_none_of(&["Contract type", "hunter2-code", "getDealFields", "company7.acme.example"]).await;
}

async fn list_of_a_process_that_died_is_read_by_another(world: World) {
    let (died, other) = (world.vault.for_owner("ann"), world.open_another().await.for_owner("ann"));
    assert!(claim(&died, "getStages").await);
    world.clock.advance(READING * 9 / 10);
    assert!(!claim(&other, "getStages").await, "its time is not over");
    world.clock.advance(READING / 10);
    assert!(claim(&other, "getStages").await);
    // The process was slow, and not dead: it ends no claim but its own.
    died.release(&key("getStages")).await.expect("nothing fails");
    assert!(!claim(&died, "getStages").await, "the claim of another was ended");
    store(&died, "getStages", "[1]", at(Duration::ZERO)).await;
    assert!(!claim(&died, "getStages").await, "the claim of another was ended");
    store(&other, "getStages", "[2]", at(READING)).await;
    assert_eq!(load(&died, "getStages").await, Some(("[2]".to_owned(), at(READING))));
    assert!(claim(&died, "getStages").await);
}

async fn list_that_was_read_earlier_replaces_none(world: World) {
    let ann = world.vault.for_owner("ann");
    world.clock.advance(Duration::from_mins(1));
    let (earlier, later) = (at(Duration::from_secs(5)), at(Duration::from_secs(6)));
    store(&ann, "getStages", "[2]", later).await;
    store(&ann, "getStages", "[1]", earlier).await;
    assert_eq!(load(&ann, "getStages").await, Some(("[2]".to_owned(), later)));
    // A list that a clock stamped that was ahead does not stay for that.
    store(&ann, "getUsers", "[9]", at(Duration::from_hours(48))).await;
    store(&ann, "getUsers", "[3]", later).await;
    assert_eq!(load(&ann, "getUsers").await, Some(("[3]".to_owned(), later)));
    // One that is too large is kept by no process, and its claim ends.
    assert!(claim(&ann, "getStages").await);
    store(&ann, "getStages", &" ".repeat((8 << 20) + 1), at(Duration::from_secs(7))).await;
    assert!(claim(&ann, "getStages").await);
    assert_eq!(load(&ann, "getStages").await, Some(("[2]".to_owned(), later)));
}

async fn lists_go_with_their_connection_and_by_the_sweep(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let (ann, bob) = (world.vault.for_owner("ann"), world.vault.for_owner("bob"));
    let own = CacheKey::new("acme", &made.id, "https://company7.acme.example", "getStages");
    let entry = CacheEntry::new("[1]", at(Duration::ZERO));
    ann.store(&own, &entry).await.expect("it is stored");
    bob.store(&own, &entry).await.expect("it is stored");
    store(&ann, "getStages", "[7]", at(Duration::from_secs(1))).await;
    world.vault.remove("ann", &made.id).await.expect("it is removed");
    assert_eq!(ann.load(&own).await.expect("the store answers"), None, "a list outlived its connection");
    assert_eq!(bob.load(&own).await.expect("the store answers"), Some(entry), "the list of another owner was removed");

    world.clock.advance(FRESH + Duration::from_secs(1));
    assert!(claim(&ann, "getUsers").await);
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!(bob.load(&own).await.expect("the store answers"), None, "a list that is too old was kept");
    assert!(load(&ann, "getStages").await.is_some(), "it is an hour old, and no older");
    assert!(!claim(&ann, "getUsers").await, "the sweep ended a claim");
    world.clock.advance(Duration::from_micros(1));
    world.vault.sweep().await.expect("the sweep runs");
    assert_eq!(load(&ann, "getStages").await, None);
}

async fn owner_with_too_many_bytes_loses_the_oldest_lists(world: World) {
    let (ann, bob) = (world.vault.for_owner("ann"), world.vault.for_owner("bob"));
    let text = "x".repeat(1000);
    store(&bob, "getStages", &text, at(Duration::ZERO)).await;
    for (second, list) in ["getUsers", "getStages", "getFilters"].into_iter().enumerate() {
        store(&ann, list, &text, at(Duration::from_secs(second as u64))).await;
    }
    assert!(claim(&ann, "getProducts").await);
    world.vault.context().store().rows(definitions::delete_beyond("ann", 2500)).await.expect("it runs");
    let mut kept = Vec::new();
    for list in ["getUsers", "getStages", "getFilters"] {
        kept.push(load(&ann, list).await.is_some());
    }
    assert_eq!(kept, [false, true, true]);
    assert!(load(&bob, "getStages").await.is_some(), "another owner lost a list");
    assert!(!claim(&ann, "getProducts").await, "a claim has no bytes");
}

async fn change_of_keys_gives_all_lists_up(world: World) {
    const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let ann = world.vault.for_owner("ann");
    store(&ann, "getStages", "[1]", at(Duration::ZERO)).await;
    let parse = |text: &str| Key::parse(text).expect("a key");
    let builder = Vault::builder(world.place.store().await, parse(OTHER_KEY), &http()).former_key(parse(HEX_KEY));
    let changed = builder.app(world.vendor.app()).clock(world.clock.clone()).open().await.expect("the vault opens");
    assert_eq!(load(&changed.for_owner("ann"), "getStages").await, Some(("[1]".to_owned(), at(Duration::ZERO))));
    changed.rekey().await.expect("the key is changed");
    assert_eq!(load(&changed.for_owner("ann"), "getStages").await, None);
    store(&changed.for_owner("ann"), "getStages", "[2]", at(Duration::ZERO)).await;
    assert_eq!(load(&changed.for_owner("ann"), "getStages").await, Some(("[2]".to_owned(), at(Duration::ZERO))));
    ann.load(&key("getStages")).await.expect_err("this process has the old key alone");
}

async fn clock_that_is_set_back_holds_nobody_up(world: World) {
    let (ann, other) = (world.vault.for_owner("ann"), world.open_another().await.for_owner("ann"));
    world.clock.advance(Duration::from_hours(24));
    assert!(claim(&ann, "getStages").await);
    world.clock.set(START);
    assert!(claim(&other, "getStages").await, "a claim of tomorrow holds");
    assert!(!claim(&ann, "getStages").await);
}
