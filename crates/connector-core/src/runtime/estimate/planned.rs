//! The requests that calls would make, as an estimate finds them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::OnceCell;

use crate::exchange::seen::TextHash;
use crate::policy::seconds::LanePace;
use crate::value::estimate::{Cost, CostBound};
use crate::value::fault::FaultCode;
use crate::value::options::Options;

/// The most idempotency keys of a batch that are told from each other.
const MOST_KEYS: usize = 1 << 18;

/// The most look-ups of a batch that are remembered.
const MOST_LOOK_UPS: usize = 10_000;

/// The most connections of a batch whose costs are told apart.
const MOST_CONNECTIONS: usize = 1_000;

/// The requests that one call would make.
#[derive(Default)]
pub(in crate::runtime) struct PlannedCall {
    pub(in crate::runtime) cost: Cost,
    pub(in crate::runtime) bound: CostBound,
    /// The pace of the connection, by its lanes.
    pub(in crate::runtime) paces: Vec<LanePace>,
    /// `true` if the call would send its own request: a dry run would not.
    pub(in crate::runtime) sends_own: bool,
    /// `true` if the call would read the lists that it needs again.
    pub(in crate::runtime) refreshes: bool,
    /// The lists that were counted since the call would read them again.
    pub(in crate::runtime) lists: HashSet<String>,
    /// The batch that the call is a line of.
    pub(in crate::runtime) batch: Option<Arc<BatchPlan>>,
}

/// The requests that the lines of a batch would make. Its size does not grow with the number of lines.
#[derive(Default)]
pub(in crate::runtime) struct BatchPlan {
    hashes: TextHash,
    /// The idempotency keys so far, and the call of each.
    keys: Mutex<HashMap<u128, u128>>,
    /// The look-ups so far. A line that needs one which another line makes waits for it.
    found: Mutex<HashMap<u128, Arc<OnceCell<KnownLookUp>>>>,
    sums: Mutex<BatchSums>,
}

/// The sums over the lines of a batch.
#[derive(Clone, Default)]
pub(in crate::runtime) struct BatchSums {
    pub(in crate::runtime) bound: CostBound,
    /// The cost of each connection, by its name.
    pub(in crate::runtime) costs: BTreeMap<String, PacedCost>,
    /// The cost of all connections beyond the most that are told apart.
    pub(in crate::runtime) others: PacedCost,
    /// The number of lines of which a sentence says why they are not certain.
    pub(in crate::runtime) doubts: BTreeMap<&'static str, u64>,
    /// `true` if a line needs a list that is kept.
    pub(in crate::runtime) uses_lists: bool,
    /// `true` if a line reads a list again that is kept.
    pub(in crate::runtime) refreshes: bool,
}

/// The cost of all lines of a connection, and the pace of that.
#[derive(Clone, Default)]
pub(in crate::runtime) struct PacedCost {
    pub(in crate::runtime) cost: Cost,
    pub(in crate::runtime) paces: Vec<LanePace>,
}

/// A look-up that a line of a batch made, and what the same look-up costs each time.
#[derive(Clone)]
pub(in crate::runtime) struct KnownLookUp {
    pub(in crate::runtime) found: Result<Value, FaultCode>,
    pub(in crate::runtime) cost: Cost,
}

/// The use of an idempotency key by the lines of a batch before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum KeyUse {
    /// No line has used it.
    First,
    /// A line has used it for the same call.
    Again,
    /// A line has used it for another call.
    OtherCall,
    /// Nobody knows: there are too many keys.
    Unknown,
}

impl PlannedCall {
    /// Begins an estimate, if the options or a batch ask for one.
    pub(in crate::runtime) fn begin(options: &Options, batch: Option<&Arc<BatchPlan>>) -> Option<Box<Self>> {
        if !options.estimate && batch.is_none() {
            return None;
        }
        // A line of a batch that is an estimate or a dry run itself sends the reads of one alone.
        let sends_own = batch.is_none() || !options.sends_nothing_of_its_own();
        let (refreshes, batch) = (options.refreshes_definitions, batch.map(Arc::clone));
        Some(Box::new(Self { sends_own, refreshes, batch, ..Self::default() }))
    }
}

impl BatchPlan {
    /// Records that a line uses an idempotency key for a call, unless it only asks what that would cost.
    pub(in crate::runtime) fn enter_key(&self, key: &str, call: &str, is_used: bool) -> KeyUse {
        let (key, call) = (self.hash(key), self.hash(call));
        let mut keys = lock(&self.keys);
        match keys.get(&key) {
            Some(known) if *known == call => KeyUse::Again,
            Some(_) => KeyUse::OtherCall,
            None if !is_used => KeyUse::First,
            None if keys.len() >= MOST_KEYS => KeyUse::Unknown,
            None => {
                keys.insert(key, call);
                KeyUse::First
            }
        }
    }

    /// Removes the key of a line that fails: it stays free.
    pub(in crate::runtime) fn leave_key(&self, key: &str) {
        lock(&self.keys).remove(&self.hash(key));
    }

    /// Returns the place of a look-up, which lines share. There is none if there are too many.
    pub(in crate::runtime) fn find_look_up(&self, name: &str) -> Option<Arc<OnceCell<KnownLookUp>>> {
        let mut found = lock(&self.found);
        let has_room = found.len() < MOST_LOOK_UPS;
        let name = self.hash(name);
        if has_room { Some(Arc::clone(found.entry(name).or_default())) } else { found.get(&name).cloned() }
    }

    /// Changes the sums.
    pub(in crate::runtime) fn change_sums(&self, change: impl FnOnce(&mut BatchSums)) {
        change(&mut lock(&self.sums));
    }

    /// Returns the sums so far.
    pub(in crate::runtime) fn sums(&self) -> BatchSums {
        lock(&self.sums).clone()
    }

    fn hash(&self, text: &str) -> u128 {
        self.hashes.hash(text.as_bytes())
    }
}

impl BatchSums {
    /// Adds the cost of a line to that of its connection.
    pub(in crate::runtime) fn add(&mut self, connection: &str, cost: Cost, paces: &[LanePace]) {
        let has_room = self.costs.len() < MOST_CONNECTIONS;
        let known = match self.costs.get_mut(connection) {
            Some(known) => known,
            None if has_room => self.costs.entry(connection.to_owned()).or_default(),
            None => &mut self.others,
        };
        known.cost = known.cost + cost;
        // The last one knows most of the vendor.
        if !paces.is_empty() {
            known.paces.clear();
            known.paces.extend_from_slice(paces);
        }
    }

    /// Adds a reason why a line is not certain.
    pub(in crate::runtime) fn doubt(&mut self, bound: CostBound, why: &'static str) {
        self.bound = self.bound.join(bound);
        *self.doubts.entry(why).or_default() += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
