//! Values by which upserts of one owner look for records: one at a time works on each, across processes.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::Error;
use connector_core::embed::{MATCH_LEASE, MATCH_MEMORY, MOST_MATCHES, MatchClaim, MatchEnding, MatchMemory, MatchRegister};

use crate::owner_vault::OwnerVault;
use crate::state::rows::register::{self, MatchRecordRow, MatchRow};
use crate::store::statement::{Ran, Row, Statement, misread};
use crate::value::clock::Moment;

/// Value of a claim, as its rows say.
struct KnownValue {
    key: String,
    row: MatchRow,
    records: Vec<MatchRecordRow>,
}

impl KnownValue {
    /// Checks that a holder leases the value.
    ///
    /// A lease that ends much later than leases do was made before a clock was set back, and holds nobody up.
    fn is_leased(&self) -> bool {
        self.row.leased_until > self.row.now && self.row.leased_until <= self.row.now + MATCH_LEASE * 2
    }

    /// Checks that a record can be remembered: it is already, or there are few.
    fn has_room_for(&self, record: &str) -> bool {
        let remembered = self.records.iter().filter(|kept| kept.kept_until > kept.now);
        remembered.count() < MOST_MATCHES || self.records.iter().any(|kept| kept.record == record)
    }

    fn is_held_by(&self, holder: &str) -> bool {
        self.is_leased() && self.row.holder == holder
    }

    fn is_held_by_another(&self, holder: &str) -> bool {
        self.is_leased() && self.row.holder != holder
    }
}

impl OwnerVault {
    /// Locks the rows of values, and runs the statements that follow from them in the same transaction.
    ///
    /// They are locked in one order, so that two claims never wait for each other. Of each value its digest is stored, and the owner is a
    /// part of that.
    async fn turn<T: Clone + Send + Sync + 'static>(
        &self,
        values: Vec<String>,
        decide: impl Fn(&[KnownValue]) -> (T, Vec<Statement>) + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let context = self.vault().context();
        let mut keys: Vec<String> = values.iter().map(|value| self.entry(value)).collect();
        keys.sort_unstable();
        keys.dedup();
        loop {
            let first = keys.iter().flat_map(|key| register::select_locked(key, context.shared_now())).collect();
            let decided = Arc::new(OnceLock::new());
            let (keys, decide, result) = (keys.clone(), decide.clone(), Arc::clone(&decided));
            let decide = move |rows: Vec<Vec<Row>>| {
                let (found, statements) = decide(&read_values(keys, &rows)?);
                drop(result.set(found));
                Ok(statements)
            };
            match context.store().run_in_turn(first, Box::new(decide)).await? {
                Ran::All(_) => return decided.get().cloned().ok_or_else(misread),
                // A sweep deleted a row between the two statements.
                Ran::Missed(_) => {}
            }
        }
    }
}

#[async_trait]
impl MatchRegister for OwnerVault {
    async fn lease(&self, claim: &MatchClaim) -> Result<Option<MatchMemory>, Error> {
        let holder = claim.holder.clone();
        let decide = move |known: &[KnownValue]| {
            if known.iter().any(|value| value.is_held_by_another(&holder)) {
                return (None, Vec::new());
            }
            let leases = known.iter().map(|value| register::lease(&value.key, &holder, value.row.now + MATCH_LEASE)).collect();
            (Some(remember(known)), leases)
        };
        self.turn(claim.values.clone(), decide).await
    }

    async fn peek(&self, values: &[String]) -> Result<MatchMemory, Error> {
        let context = self.vault().context();
        let mut known = Vec::new();
        for key in values.iter().map(|value| self.entry(value)) {
            let rows = context.store().run(register::select(&key, context.shared_now()).into()).await?.into_all()?;
            let records = register::read_records(rows.get(1).map_or(&[], Vec::as_slice))?;
            let nobody = MatchRow {
                now: records.first().map_or(context.now(), |record| record.now),
                holder: String::new(),
                leased_until: Moment::from_micros(0),
                unsure_until: Moment::from_micros(0),
            };
            let row = register::read(rows.first().map_or(&[], Vec::as_slice))?.unwrap_or(nobody);
            known.push(KnownValue { key, row, records });
        }
        Ok(remember(&known))
    }

    async fn extend(&self, claim: &MatchClaim) -> Result<(), Error> {
        let holder = claim.holder.clone();
        let decide = move |known: &[KnownValue]| {
            let held = known.iter().filter(|value| value.is_held_by(&holder));
            ((), held.map(|value| register::lease(&value.key, &holder, value.row.now + MATCH_LEASE)).collect())
        };
        self.turn(claim.values.clone(), decide).await
    }

    async fn begin_add(&self, claim: &MatchClaim) -> Result<bool, Error> {
        let holder = claim.holder.clone();
        let leased: Vec<String> = claim.values.iter().map(|value| self.entry(value)).collect();
        let decide = move |known: &[KnownValue]| {
            if known.iter().any(|value| leased.contains(&value.key) && !value.is_held_by(&holder)) {
                return (false, Vec::new());
            }
            (true, known.iter().map(|value| register::doubt(&value.key, value.row.now + MATCH_MEMORY)).collect())
        };
        self.turn(claim.all().cloned().collect(), decide).await
    }

    async fn end(&self, claim: &MatchClaim, ending: &MatchEnding) -> Result<(), Error> {
        let (holder, ending) = (claim.holder.clone(), ending.clone());
        let decide = move |known: &[KnownValue]| {
            let mut statements = Vec::new();
            for value in known {
                statements.push(register::release(&value.key, &holder));
                match &ending {
                    // A record is there, whoever holds the value by now.
                    MatchEnding::Record(record) => {
                        statements.push(register::doubt(&value.key, Moment::from_micros(0)));
                        if value.has_room_for(record) {
                            statements.push(register::keep(&value.key, record, value.row.now + MATCH_MEMORY));
                        }
                    }
                    MatchEnding::NotAdded if !value.is_held_by_another(&holder) => {
                        statements.push(register::doubt(&value.key, Moment::from_micros(0)));
                    }
                    _ => {}
                }
            }
            ((), statements)
        };
        self.turn(claim.all().cloned().collect(), decide).await
    }
}

/// Reads the rows of values, three results for each of them.
fn read_values(keys: Vec<String>, rows: &[Vec<Row>]) -> Result<Vec<KnownValue>, Error> {
    let results = rows.chunks_exact(3);
    keys.into_iter()
        .zip(results)
        .map(|(key, results)| Ok(KnownValue { key, row: register::require(&results[1])?, records: register::read_records(&results[2])? }))
        .collect()
}

/// Returns what is remembered of values.
///
/// A memory that would last much longer than memories do was stamped by a clock that was ahead, and counts for nothing.
fn remember(known: &[KnownValue]) -> MatchMemory {
    let left = |until: Moment, now: Moment| Some(until.since(now)).filter(|left| !left.is_zero() && *left <= MATCH_MEMORY * 2);
    let mut records: Vec<String> = Vec::new();
    let mut unsure_for: Option<Duration> = None;
    for value in known {
        unsure_for = unsure_for.max(left(value.row.unsure_until, value.row.now));
        for kept in value.records.iter().filter(|kept| left(kept.kept_until, kept.now).is_some()) {
            if !records.contains(&kept.record) {
                records.push(kept.record.clone());
            }
        }
    }
    MatchMemory::new(records, unsure_for)
}
