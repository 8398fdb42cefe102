//! Idempotency keys across processes and owners.

use std::time::Duration;

use connector_core::embed::{Claim, Ledger};

use super::{World, on_both};

on_both!(claims_a_key_once_and_returns_its_outcome_later);

async fn claims_a_key_once_and_returns_its_outcome_later(world: World) {
    let vaults = [world.vault.clone(), world.open_another().await];
    let claims: Vec<_> = (0..32)
        .map(|at| {
            let ledger = vaults[at % 2].for_owner("ann");
            tokio::spawn(async move { ledger.claim("run-1", "the call").await.expect("it is claimed") })
        })
        .collect();
    let mut fresh = 0;
    for claim in claims {
        match claim.await.expect("no panic") {
            Claim::Fresh => fresh += 1,
            other => assert_eq!(other, Claim::Unfinished),
        }
    }
    assert_eq!(fresh, 1, "several callers carried out the call");
    let (here, there) = (vaults[0].for_owner("ann"), vaults[1].for_owner("ann"));
    assert_eq!(there.claim("run-1", "another call").await.expect("it is claimed"), Claim::OtherCall);
    assert_eq!(vaults[0].for_owner("bob").claim("run-1", "another call").await.expect("it is claimed"), Claim::Fresh, "owners share a key");
    here.finish("run-1", b"hunter2-answer".to_vec()).await.expect("it is stored");
    let finished = Claim::Finished(b"hunter2-answer".to_vec());
    assert_eq!(there.claim("run-1", "the call").await.expect("it is claimed"), finished);
    there.release("run-1").await.expect("nothing fails");
    assert_eq!(here.claim("run-1", "the call").await.expect("it is claimed"), finished, "a finished key was released");
    world.place.assert_holds_none_of(&["hunter2-answer", "the call", "run-1"]).await;

    there.claim("run-0", "the call").await.expect("it is claimed");
    let long = there.finish("run-0", vec![b' '; (1 << 20) + 1]).await.expect_err("more than is kept");
    assert!(long.message().contains("1048577 bytes"), "{long}");
    assert_eq!(here.claim("run-0", "the call").await.expect("it is claimed"), Claim::Unfinished, "the call would be carried out again");

    here.claim("run-2", "the call").await.expect("it is claimed");
    here.release("run-2").await.expect("it is released");
    assert_eq!(there.claim("run-2", "the call").await.expect("it is claimed"), Claim::Fresh);
    here.finish("run-3", Vec::new()).await.expect_err("it was never claimed");
    world.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(here.claim("run-1", "the call").await.expect("it is claimed"), Claim::Fresh, "the key is kept for longer than a week");
}
