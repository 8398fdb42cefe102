//! The records of one company.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::record::{Record, UUID, is_deleted, read_id, to_text};

/// The company of an API token or a state file that names no other.
pub(crate) const FIRST_COMPANY: u64 = 1;
/// The user of an API token, who is the admin of each demo company.
pub(crate) const FIRST_USER: u64 = 1;

/// Every record of a company, by table. Clones are cheap: a write works on a clone, which a failure drops.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// A file of the first version has one company and no such field.
    #[serde(default = "first_company")]
    company: u64,
    tables: BTreeMap<String, Arc<Table>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Table {
    last_id: u64,
    rows: BTreeMap<u64, Arc<Record>>,
}

impl State {
    pub(crate) fn new(company: u64) -> Self {
        Self { company, tables: BTreeMap::new() }
    }

    pub(crate) fn company(&self) -> u64 {
        self.company
    }

    pub(crate) fn rows(&self, table: &str) -> impl Iterator<Item = &Record> {
        self.tables.get(table).into_iter().flat_map(|t| t.rows.values()).map(Arc::as_ref)
    }

    /// Lists the records that are not deleted.
    pub(crate) fn live(&self, table: &str) -> impl Iterator<Item = &Record> {
        self.rows(table).filter(|row| !is_deleted(row))
    }

    pub(crate) fn get(&self, table: &str, id: u64) -> Option<&Record> {
        self.tables.get(table)?.rows.get(&id).map(Arc::as_ref)
    }

    pub(crate) fn get_live(&self, table: &str, id: u64) -> Option<&Record> {
        self.get(table, id).filter(|row| !is_deleted(row))
    }

    /// Finds the record of an id or a UUID.
    pub(crate) fn find(&self, table: &str, id: &str) -> Option<&Record> {
        match id.parse() {
            Ok(id) => self.get(table, id),
            Err(_) => self.rows(table).find(|row| row.get(UUID).and_then(Value::as_str) == Some(id)),
        }
    }

    /// Finds the record to which another one's field points.
    pub(crate) fn find_linked(&self, row: &Record, field: &str, table: &str) -> Option<&Record> {
        self.find(table, &to_text(row.get(field)?))
    }

    /// Stores a record under a new id, and returns that.
    pub(crate) fn insert(&mut self, table: &str, row: Record) -> u64 {
        let table = Arc::make_mut(self.tables.entry(table.to_owned()).or_default());
        table.last_id = table.last_id.saturating_add(1);
        let mut numbered = Record::new();
        numbered.insert("id".to_owned(), table.last_id.into());
        numbered.extend(row);
        table.rows.insert(table.last_id, Arc::new(numbered));
        table.last_id
    }

    /// Stores a record under the id that it has.
    pub(crate) fn put(&mut self, table: &str, row: Record) {
        if let Some(id) = read_id(&row) {
            let table = Arc::make_mut(self.tables.entry(table.to_owned()).or_default());
            table.last_id = table.last_id.max(id);
            table.rows.insert(id, Arc::new(row));
        }
    }

    /// Removes a record for good. No other may point to it.
    pub(crate) fn forget(&mut self, table: &str, id: u64) {
        if let Some(table) = self.tables.get_mut(table) {
            Arc::make_mut(table).rows.remove(&id);
        }
    }

    /// Changes each record of a table for which `concerns` is true.
    pub(crate) fn change(&mut self, table: &str, concerns: impl Fn(&Record) -> bool, change: impl Fn(&mut Record)) {
        let Some(rows) = self.tables.get_mut(table) else {
            return;
        };
        if rows.rows.values().any(|row| concerns(row)) {
            for row in Arc::make_mut(rows).rows.values_mut().filter(|row| concerns(row)) {
                change(Arc::make_mut(row));
            }
        }
    }
}

fn first_company() -> u64 {
    FIRST_COMPANY
}
