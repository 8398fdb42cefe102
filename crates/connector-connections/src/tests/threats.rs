//! Attacks and mistakes that must fail.

use std::collections::HashSet;
use std::time::Duration;

use connector_core::ErrorKind;
use connector_core::embed::Connections;
use secrecy::{ExposeSecret, SecretString};

use super::vendor::{ACME, Vendor};
use super::{BROWSER, World, on_both, state_of, token};
use crate::{BeginOptions, Status};

on_both!(
    accepts_a_state_once_in_time_from_its_own_browser,
    accepts_a_handle_once_in_time,
    rejects_ids_of_another_owner,
    mixed_calls_see_only_their_own_tokens,
    shows_and_stores_no_secret,
    limits_unclaimed_installs,
    limits_unfinished_connections_of_an_owner,
    rejects_owners_that_are_not_plain_text,
    rejects_a_used_state_on_a_host_whose_clock_is_behind,
);

async fn accepts_a_state_once_in_time_from_its_own_browser(world: World) {
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    let state = state_of(&begun.url);
    let back = |browser: &'static str, state: String| {
        let (vault, code) = (world.vault.clone(), world.vendor.code((7, 3)));
        async move { vault.finish_authorization(browser, &state, code).await.map(|made| made.id).map_err(|error| error.kind()) }
    };
    let mut bytes = state.clone().into_bytes();
    bytes[40] = if bytes[40] == b'A' { b'B' } else { b'A' };
    let link = world.vault.create_link("ann", &begun.connection.id).await.expect("a link");
    for forged in [String::from_utf8(bytes).expect("it is text"), String::new(), "state".to_owned(), link.expose_secret().to_owned()] {
        assert_eq!(back(BROWSER, forged).await, Err(ErrorKind::Forbidden), "accepted a state that was forged or made for another purpose");
    }
    assert_eq!(back("another browser's token", state.clone()).await, Err(ErrorKind::Forbidden), "accepted another browser");
    assert_eq!(back("", state.clone()).await, Err(ErrorKind::Forbidden), "accepted no browser");
    assert_eq!(back(BROWSER, state.clone()).await, Ok(begun.connection.id), "refused its own browser");
    assert_eq!(back(BROWSER, state).await, Err(ErrorKind::Forbidden), "accepted a used state");

    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(back(BROWSER, state_of(&begun.url)).await, Err(ErrorKind::Forbidden), "accepted an expired state");
    assert_eq!(world.vendor.exchanges(), 1, "a code of a refused state was exchanged");
    assert!(world.vault.authorize("ann", "acme", None, "short").await.is_err(), "accepted a browser's token that can be guessed");
}

async fn accepts_a_handle_once_in_time(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    let handle = held.handle.expose_secret();
    let guessed = handle.chars().rev().collect::<String>();
    assert_eq!(world.vault.claim_install("ann", &guessed).await.expect_err("the handle is guessed").kind(), ErrorKind::NotFound);
    world.vault.claim_install("ann", handle).await.expect("it is claimed");
    for owner in ["ann", "bob"] {
        assert_eq!(world.vault.claim_install(owner, handle).await.expect_err("it was used").kind(), ErrorKind::NotFound);
    }
    assert_eq!(world.vault.confirm_install("bob", handle).await.expect_err("it is another owner's").kind(), ErrorKind::NotFound);
    assert_eq!(world.vault.decline_install("bob", handle).await.expect_err("it is another owner's").kind(), ErrorKind::NotFound);
    world.vault.confirm_install("ann", handle).await.expect("it is confirmed");

    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("too late").kind(), ErrorKind::NotFound);
}

async fn rejects_ids_of_another_owner(world: World) {
    let made = world.connect("ann", (7, 3)).await;
    let (vault, id) = (&world.vault, made.id.as_str());
    let owned = vault.for_owner("ann");
    let chosen = owned.choose("acme", None).await.expect("the only one");
    let access = owned.access(&chosen).await.expect("a credential");
    let waiting = vault.begin("ann", "acme", BeginOptions::default()).await.expect("it begins").connection.id;
    owned.access(&chosen).await.expect("a credential");
    let tried = [
        // The credential is in the cache for its owner, from the line before.
        vault.for_owner("bob").access(&chosen).await.map(|_| ()),
        vault.get("bob", id).await.map(|_| ()),
        vault.rename("bob", id, "mine").await.map(|_| ()),
        vault.set_default("bob", id).await.map(|_| ()),
        vault.remove("bob", id).await.map(|_| ()),
        vault.test("bob", id).await.map(|_| ()),
        vault.create_link("bob", id).await.map(|_| ()),
        vault.exchange("bob", &waiting, world.vendor.code((7, 3))).await.map(|_| ()),
        vault.for_owner("bob").choose("acme", Some(id)).await.map(|_| ()),
        vault.for_owner("bob").choose("acme", Some(&made.name)).await.map(|_| ()),
        vault.for_owner("bob").choose("acme", None).await.map(|_| ()),
        vault.for_owner("bob").renew(&chosen, &access).await.map(|_| ()),
    ];
    for (at, tried) in tried.into_iter().enumerate() {
        assert_eq!(tried.expect_err(&format!("the attempt {at}")).kind(), ErrorKind::NoConnection, "the attempt {at}");
    }
    assert!(vault.list("bob", None, None).await.expect("a list").is_empty());
    assert_eq!(vault.get("ann", id).await.expect("it is unchanged"), made);
    assert_eq!(world.refreshes(), 0);
}

async fn mixed_calls_see_only_their_own_tokens(world: World) {
    const CALLS: usize = 10_000;
    const AT_ONCE: usize = 50;
    let owners = [("ann", 7_i64), ("bob", 8)];
    // Both owners use the same names.
    let names = ["first", "second"];
    world.vendor.state().rotates = true;
    for (owner, company) in owners {
        for (name, user) in names.into_iter().zip(1..) {
            let made = world.connect(owner, (company, user)).await;
            world.vault.rename(owner, &made.id, name).await.expect("it is renamed");
        }
    }
    let mut tasks = Vec::new();
    for task in 0..AT_ONCE {
        let (vault, clock) = (world.vault.clone(), world.clock.clone());
        tasks.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for call in 0..CALLS / AT_ONCE {
                let (at, user) = ((task + call) % 2, call / 2 % 2);
                let owned = vault.for_owner(owners[at].0);
                let chosen = owned.choose("acme", Some(names[user])).await.expect("it is there");
                let access = owned.access(&chosen).await.expect("a credential");
                seen.push((at, user, token(&access)));
                if call % 50 == task {
                    clock.advance(Duration::from_mins(10));
                }
                if call % 100 == task {
                    // The call was refused with a 401.
                    let fresh = owned.renew(&chosen, &access).await.expect("it is renewed").expect("there is another");
                    seen.push((at, user, token(&fresh)));
                }
            }
            seen
        }));
    }
    let mut seen = Vec::new();
    for task in tasks {
        seen.extend(task.await.expect("no panic"));
    }
    assert!(seen.len() > CALLS, "{}", seen.len());
    let mut tokens = HashSet::new();
    for (at, user, token) in seen {
        let who = (owners[at].1, i64::try_from(user + 1).expect("it is small"));
        assert_eq!(world.vendor.account_of(&token), who, "{token}");
        tokens.insert((who, token));
    }
    for who in [(7, 1), (7, 2), (8, 1), (8, 2)] {
        assert!(tokens.iter().filter(|(other, _)| *other == who).count() > 10, "the tokens of {who:?} were hardly refreshed");
    }
}

async fn shows_and_stores_no_secret(world: World) {
    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (9, 1));
    let made = world.connect("ann", (7, 3)).await;
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("it is claimed");
    let by_token =
        world.vault.add_api_token("ann", "acme", None, None, &world.vendor.url, "hunter2-api".into()).await.expect("it is stored");
    let key = world.vault.create_api_key(&crate::Holder::Operator, "ours", None).await.expect("it is created");
    let owned = world.vault.for_owner("ann");
    let chosen = owned.choose("acme", Some(&made.id)).await.expect("it exists");
    let access = owned.access(&chosen).await.expect("a credential");
    let bad =
        world.vault.finish_authorization(BROWSER, "forged", SecretString::from("hunter2-code")).await.expect_err("the state is forged");
    let refused = world
        .vault
        .add_api_token("ann", "acme", None, None, &world.vendor.url, "hunter2-bad".into())
        .await
        .expect_err("it belongs to nobody");
    let shown = format!(
        "{made:?}{begun:?}{held:?}{claimed:?}{by_token:?}{key:?}{owned:?}{chosen:?}{access:?}{bad:?}{refused:?}{:?}{:?}",
        world.vault,
        world.vendor.app(),
    );
    let secrets = [
        Vendor::MARK,
        "hunter2",
        super::HEX_KEY,
        held.handle.expose_secret(),
        begun.url.expose_secret(),
        &state_of(&begun.url),
        key.secret.expose_secret(),
    ];
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is shown in {shown}");
    }
    world.place.assert_holds_none_of(&secrets).await;
}

async fn limits_unclaimed_installs(world: World) {
    let long = world.vault.hold_install("acme", "x".repeat(1025).into()).await.expect_err("no code is so long");
    assert_eq!(long.kind(), ErrorKind::InvalidInput);
    for _ in 0..1_000 {
        world.vault.hold_install("acme", "code".into()).await.expect("it is held");
    }
    let full = world.vault.hold_install("acme", "code".into()).await.expect_err("a thousand wait");
    assert_eq!(full.kind(), ErrorKind::RateLimited);
    world.clock.advance(Duration::from_mins(5));
    world.vault.hold_install("acme", "code".into()).await.expect("expired ones make room");
    assert!(world.vault.list("ann", None, Some(Status::Pending)).await.expect("a list").is_empty());
}

async fn limits_unfinished_connections_of_an_owner(world: World) {
    let held = world.vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    for _ in 0..100 {
        world.vault.begin("ann", "acme", BeginOptions::default()).await.expect("it begins");
    }
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect_err("a hundred wait");
    let claimed = world.vault.claim_install("ann", held.handle.expose_secret()).await.expect_err("a hundred wait");
    for full in [begun, claimed] {
        assert_eq!((full.kind(), full.hint().is_some()), (ErrorKind::RateLimited, true), "{full}");
    }
    assert_eq!(world.vendor.exchanges(), 0, "the code was exchanged");
    world.vault.authorize("bob", "acme", None, BROWSER).await.expect("another owner has room");
    let waiting = world.vault.list("ann", Some("acme"), Some(Status::Pending)).await.expect("a list");
    world.vault.remove("ann", &waiting[0].id).await.expect("it is removed");
    world.vault.claim_install("ann", held.handle.expose_secret()).await.expect("there is room");
    world.clock.advance(Duration::from_hours(24));
    world.vault.authorize("ann", "acme", None, BROWSER).await.expect("expired ones make room");
}

async fn rejects_a_used_state_on_a_host_whose_clock_is_behind(world: World) {
    let begun = world.vault.authorize("ann", "acme", None, BROWSER).await.expect("it begins");
    let state = state_of(&begun.url);
    world.vault.finish_authorization(BROWSER, &state, world.vendor.code((7, 3))).await.expect("it is connected");
    let behind = super::vault(world.place.store().await, &world.vendor.url, &crate::Clock::fixed(super::START)).await;
    world.clock.advance(Duration::from_mins(30));
    world.vault.sweep().await.expect("the sweep runs");
    let replayed = behind.finish_authorization(BROWSER, &state, world.vendor.code((8, 3))).await.expect_err("it was used");
    assert!(replayed.message().contains("was used already"), "{replayed}");
}

async fn rejects_owners_that_are_not_plain_text(world: World) {
    let (vault, url) = (&world.vault, world.vendor.url.as_str());
    let held = vault.hold_install("acme", world.vendor.code((7, 3))).await.expect("it is held");
    for bad in ["", " ann", "ann ", "a\nnn", "ann\u{e9}", &"x".repeat(101)] {
        let tried = [
            vault.create_api_key(&crate::Holder::Owner(bad.to_owned()), "n8n", None).await.map(|_| ()),
            vault.authorize(bad, "acme", None, BROWSER).await.map(|_| ()),
            vault.begin(bad, "acme", BeginOptions::default()).await.map(|_| ()),
            vault.add_api_token(bad, "acme", None, None, url, "hunter2-api".into()).await.map(|_| ()),
            vault.create_sign_in_link(bad).await.map(|_| ()),
            vault.claim_install(bad, held.handle.expose_secret()).await.map(|_| ()),
        ];
        for (at, tried) in tried.into_iter().enumerate() {
            let error = tried.expect_err(&format!("the attempt {at} with {bad:?}"));
            assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::InvalidInput, true), "{error}");
        }
    }
    vault.claim_install("Ann & Co. (42)", held.handle.expose_secret()).await.expect("plain enough");
}

#[test]
fn gives_credentials_to_the_vendor_or_the_sandbox_alone() {
    let bearer = || connector_core::embed::Credential::bearer("hunter2");
    let real = crate::App::new(&ACME).expect("it signs in by OAuth");
    for good in ["https://acme.example", "https://company7.acme.example"] {
        assert!(real.access(good, bearer()).is_ok(), "{good}");
    }
    for bad in [
        "http://company7.acme.example",
        "https://evil.example",
        "https://acme.example.evil.example",
        "https://evilacme.example",
        "http://127.0.0.1:1",
        "https://127.0.0.1",
    ] {
        assert!(real.access(bad, bearer()).is_err(), "{bad}");
    }
    let sandbox = real.clone().with_sandbox("http://127.0.0.1:1").expect("on this machine");
    assert!(sandbox.access("http://127.0.0.1:1", bearer()).is_ok());
    assert!(sandbox.access("https://company7.acme.example", bearer()).is_err(), "a sandbox's token leaves this machine");
    assert!(real.with_sandbox("https://company7.acme.example").is_err());
}
