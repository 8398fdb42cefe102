//! Reads definitions once for all calls in flight, and keeps them in memory and in the engine's cache.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tracing::debug;

use crate::declare::action::Declaration;
use crate::declare::page::{CURSOR, LIMIT, is_limit};
use crate::embed::cache::{Cache, CacheEntry, CacheKey};
use crate::exchange::schema;
use crate::runtime::call::{Call, CheckedInput, DefinitionReader};
use crate::runtime::catalogue::Catalogue;
use crate::runtime::naming::definitions::{Definitions, Freshness, ListOf, is_fresh};
use crate::runtime::operation::Action;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::estimate::{Cost, CostBound};
use crate::value::raw_json::RawJson;

/// The first and the longest wait between two looks at a list that another process reads.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// The most pages of a list.
const MOST_PAGES: usize = 400;

/// The most bytes of all lists in memory.
const MOST_BYTES: usize = 64 << 20;

/// A keeper of lists that accounts define, in memory and in the engine's cache.
#[derive(Clone)]
pub(crate) struct Keeper {
    catalogue: Arc<Catalogue>,
    memory: Arc<Memory>,
    cache: Option<Arc<dyn Cache>>,
}

/// The lists in memory, of all owners and accounts.
#[derive(Default)]
struct Memory(Mutex<HashMap<(String, CacheKey), Arc<Slot>>>);

/// A list in memory.
#[derive(Default)]
struct Slot {
    kept: Mutex<Option<Arc<Definitions>>>,
    /// Held by the call that reads the list. The others wait for it.
    reading: tokio::sync::Mutex<()>,
}

/// A claim to read a list, which ends with the call that made it.
struct Reading<'a> {
    cache: Option<&'a Arc<dyn Cache>>,
    key: &'a CacheKey,
}

impl Keeper {
    /// Builds a keeper that has nothing in memory.
    pub(crate) fn new(catalogue: &Arc<Catalogue>, cache: Option<Arc<dyn Cache>>) -> Self {
        Self { catalogue: Arc::clone(catalogue), memory: Arc::default(), cache }
    }

    /// Builds a keeper with the same memory. Without another cache it shares that too.
    pub(crate) fn with_cache(&self, cache: Option<Box<dyn Cache>>) -> Self {
        let cache = cache.map(Arc::from).or_else(|| self.cache.clone());
        Self { catalogue: Arc::clone(&self.catalogue), memory: Arc::clone(&self.memory), cache }
    }

    /// Takes a list from the cache, or reads it from the vendor if no other process does.
    async fn load_or_read(&self, call: &Call<'_>, of: ListOf, key: &CacheKey, freshness: Freshness) -> Result<Definitions, Stop> {
        let mut wait = LOOKS.0;
        let mut cache = self.cache.as_ref();
        while let Some(shared) = cache {
            match load(shared, key, freshness).await {
                Ok(Some(loaded)) => return Ok(loaded),
                Ok(None) => {}
                Err(error) => {
                    debug!(%error, "the cache of definitions failed");
                    cache = None;
                    break;
                }
            }
            match shared.claim(key).await {
                Ok(true) => break,
                Ok(false) => tokio::time::sleep(wait).await,
                Err(error) => {
                    debug!(%error, "the cache of definitions failed");
                    cache = None;
                }
            }
            wait = (wait * 2).min(LOOKS.1);
        }
        let reading = Reading { cache, key };
        // Another process may have stored the list just before the claim.
        if let Some(Ok(Some(loaded))) = match cache {
            Some(shared) => Some(load(shared, key, freshness).await),
            None => None,
        } {
            return Ok(loaded);
        }
        let read_at = SystemTime::now();
        let before = call.session.count_sent();
        let list = self.catalogue.find_action(call.connector, of.list)?;
        let (text, pages) = read_list(list, of, call).await?;
        reading.end(CacheEntry::new(text.as_bytes(), read_at)).await;
        // A page that was asked for twice does not tell what the list costs.
        let (requests, tokens) = call.session.count_sent();
        let path = list.declaration().endpoint.map_or("", |endpoint| endpoint.path);
        let cost = Cost::in_lane(call.connector.limits.find_lane(path), pages, (tokens - before.1).into());
        Ok(Definitions::new(text, read_at).with_cost((u64::from(requests - before.0) == pages).then_some(cost)))
    }

    /// Finds a list that is fresh enough, in memory or elsewhere.
    async fn find(&self, call: &Call<'_>, of: ListOf, freshness: Freshness) -> Result<Arc<Definitions>, Stop> {
        let key = CacheKey::new(call.connector.key, call.connection.identity(), &call.connection.origin, of.name());
        let owner = self.cache.as_ref().map(|cache| cache.owner()).unwrap_or_default();
        let slot = self.memory.find_slot(owner, &key);
        let fresh = || slot.get().filter(|kept| kept.is_fresh(freshness));
        if let Some(kept) = fresh() {
            return Ok(kept);
        }
        let _turn = slot.reading.lock().await;
        if let Some(kept) = fresh() {
            return Ok(kept);
        }
        let read = Arc::new(self.load_or_read(call, of, &key, freshness).await?);
        self.memory.keep(&slot, &read);
        Ok(read)
    }

    /// Finds a list for an estimate.
    ///
    /// The call finds it kept, so that it costs nothing then. A call that reads all lists again pays for it once.
    async fn find_for_estimate(&self, call: &Call<'_>, of: ListOf, freshness: Freshness) -> Result<Arc<Definitions>, Stop> {
        let before = call.session.count_planned();
        let mut found = self.find(call, of, freshness).await?;
        call.session.take_planned(before);
        if call.session.reads_again(of.name()) {
            if found.cost().is_none() {
                found = self.find(call, of, Freshness::ReadSince(SystemTime::now())).await?;
                call.session.take_planned(before);
            }
            match found.cost() {
                Some(cost) => call.session.plan_cost(cost),
                None => call.session.doubt(CostBound::Least, "What it costs to read a list again is not known."),
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl DefinitionReader for Keeper {
    async fn get(&self, call: &Call<'_>, of: ListOf, freshness: Freshness) -> Result<Arc<Definitions>, Stop> {
        let before = call.session.count_sent();
        let found = if call.session.is_estimate {
            Box::pin(self.find_for_estimate(call, of, freshness)).await?
        } else {
            self.find(call, of, freshness).await?
        };
        call.session.record_look_up(of.list, before, Some(found.age()));
        Ok(found)
    }
}

impl Memory {
    fn find_slot(&self, owner: String, key: &CacheKey) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry((owner, key.clone())).or_default())
    }

    /// Keeps a list in memory, and gives up the oldest ones where there are too many.
    fn keep(&self, slot: &Slot, read: &Arc<Definitions>) {
        slot.set(Arc::clone(read));
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sizes: Vec<_> = slots
            .iter()
            .map(|(key, slot)| {
                let kept = slot.get();
                (kept.as_ref().map(|kept| kept.read_at()), kept.map_or(0, |kept| kept.text().len()), key.clone())
            })
            .collect();
        let mut bytes: usize = sizes.iter().map(|(_, size, _)| size).sum();
        if bytes <= MOST_BYTES {
            return;
        }
        sizes.sort_by_key(|(read_at, ..)| *read_at);
        for (_, size, key) in sizes {
            if bytes <= MOST_BYTES / 2 {
                break;
            }
            bytes -= size;
            slots.remove(&key);
        }
    }
}

impl Slot {
    fn get(&self) -> Option<Arc<Definitions>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, read: Arc<Definitions>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
    }
}

/// Loads a list from the cache if it is fresh enough.
async fn load(cache: &Arc<dyn Cache>, key: &CacheKey, freshness: Freshness) -> Result<Option<Definitions>, Error> {
    let Some(entry) = cache.load(key).await?.filter(|entry| is_fresh(entry.read_at, freshness)) else { return Ok(None) };
    // An entry that is no list of records is read again.
    let is_list = serde_json::from_slice::<Vec<&RawValue>>(&entry.text).is_ok();
    Ok(is_list.then(|| Definitions::new(RawJson::from_text(entry.text), entry.read_at)))
}

impl Reading<'_> {
    /// Stores what was read.
    async fn end(mut self, entry: CacheEntry) {
        if let Some(cache) = self.cache.take()
            && let Err(error) = cache.store(self.key, &entry).await
        {
            debug!(%error, "the cache of definitions failed");
        }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let (Some(cache), Ok(runtime)) = (self.cache.take(), tokio::runtime::Handle::try_current()) else { return };
        let (cache, key) = (Arc::clone(cache), self.key.clone());
        runtime.spawn(async move { cache.release(&key).await });
    }
}

/// Reads all pages of a list, and counts them.
async fn read_list(action: &dyn Action, of: ListOf, call: &Call<'_>) -> Result<(RawJson, u64), Stop> {
    let list = action.declaration();
    let given = of.input.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let mut input: Map<String, Value> = given.collect();
    if let Some(most) = find_greatest_page(list) {
        input.insert(LIMIT.to_owned(), most.into());
    }
    let mut text = vec![b'['];
    let mut pages = 0;
    for _ in 0..MOST_PAGES {
        pages += 1;
        let checked = CheckedInput { input: input.clone(), ..CheckedInput::default() };
        let answer = action.run(&call.as_helper(&checked)).await?;
        let records: Option<Vec<&RawValue>> = serde_json::from_str(answer.data.as_str()).map_err(|error| {
            Error::new(ErrorKind::BadAnswer, format!("The answer to {} is no list of records.", list.key)).with_source(error)
        })?;
        for record in records.unwrap_or_default() {
            if text.len() > 1 {
                text.push(b',');
            }
            text.extend_from_slice(record.get().as_bytes());
        }
        match answer.page.and_then(|page| page.next) {
            Some(next) if input.get(CURSOR).is_none_or(|before| *before != *next) => input.insert(CURSOR.to_owned(), next.into()),
            _ => break,
        };
    }
    text.push(b']');
    Ok((RawJson::from_text(text), pages))
}

/// Finds the greatest page that a list takes.
fn find_greatest_page(list: &Declaration) -> Option<u64> {
    let field = list.fields().find(|field| is_limit(field))?;
    schema::build_fields(std::iter::once(field))["properties"][LIMIT]["maximum"].as_u64()
}
