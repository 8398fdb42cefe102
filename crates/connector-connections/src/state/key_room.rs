//! Room for idempotency keys: each owner has so many, counted now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Room that owners have for further idempotency keys, as this process knows it.
#[derive(Debug)]
pub(crate) struct KeyRoom {
    /// The most keys of an owner.
    most: u64,
    /// The claims that each owner may make before its keys are counted again.
    left: Mutex<HashMap<String, u64>>,
}

/// The most claims of an owner between two counts. Hosts that share a store exceed the limit by so many at most.
const MOST_UNCOUNTED: u64 = 1000;

/// The most owners that are remembered.
const MOST_OWNERS: usize = 10_000;

impl KeyRoom {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, left: Mutex::default() }
    }

    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Takes room for one key, if the last count left any.
    pub(crate) fn take(&self, owner: &str) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match left.get_mut(owner) {
            Some(0) | None => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Takes room for one key after the owner's keys were counted.
    pub(crate) fn take_counted(&self, owner: &str, count: u64) -> bool {
        let free = self.most.saturating_sub(count).min(MOST_UNCOUNTED);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= MOST_OWNERS {
            left.clear();
        }
        left.insert(owner.to_owned(), free.saturating_sub(1));
        free > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_again_after_so_many_claims_and_refuses_beyond_the_limit() {
        let room = KeyRoom::new(1002);
        assert!(!room.take("ann"), "nothing was counted yet");
        assert!(room.take_counted("ann", 0));
        assert_eq!((0..2000).take_while(|_| room.take("ann")).count(), 999);
        assert!(room.take_counted("ann", 1000) && room.take("ann") && !room.take("ann"));
        assert!(!room.take_counted("ann", 1002) && !room.take("ann"));
        assert!(room.take_counted("bob", 5));
    }
}
