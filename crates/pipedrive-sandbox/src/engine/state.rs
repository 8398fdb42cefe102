//! The records of one company.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::record::{Record, UUID, is_deleted, read_id, to_text};

/// The company of an API token or a state file that names no other.
pub(crate) const FIRST_COMPANY: u64 = 1;
/// The user of an API token, who is the admin of each demo company.
pub(crate) const FIRST_USER: u64 = 1;

/// Every record of a company, by table.
///
/// Clones are cheap, and share each table until one of them changes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// A file of the first version has one company and no such field.
    #[serde(default = "first_company")]
    company: u64,
    tables: BTreeMap<Arc<str>, Arc<Table>>,
    /// The rows as they were before a change that has not ended yet, in the order of the writes.
    #[serde(skip)]
    journal: Option<Vec<RowBefore>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Table {
    last_id: u64,
    rows: BTreeMap<u64, Arc<Record>>,
}

/// A row before a write, and the last id of its table.
#[derive(Clone, Debug)]
struct RowBefore {
    table: Arc<str>,
    id: u64,
    row: Option<Arc<Record>>,
    last_id: u64,
}

/// The tables of a company that differ from those of a base, by name.
pub(crate) type StateChanges<'a> = BTreeMap<Cow<'a, str>, TableChanges<'a>>;

/// The rows of a table that differ from those of a base; none is one that was removed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableChanges<'a> {
    last_id: u64,
    rows: BTreeMap<u64, Option<Cow<'a, Record>>>,
}

impl State {
    pub(crate) fn new(company: u64) -> Self {
        Self { company, tables: BTreeMap::new(), journal: None }
    }

    /// Builds the state of another company, with the same records.
    pub(crate) fn share_with(&self, company: u64) -> Self {
        Self { company, tables: self.tables.clone(), journal: None }
    }

    /// Tells whether the records of both companies are the same.
    pub(crate) fn has_records_of(&self, other: &Self) -> bool {
        self.tables == other.tables
    }

    /// Lists the rows that are not those of a base.
    pub(crate) fn list_changes(&self, base: &Self) -> StateChanges<'_> {
        let is_new = |(name, table): &(&Arc<str>, &Arc<Table>)| base.tables.get(*name).is_none_or(|other| !Arc::ptr_eq(table, other));
        let changed = self.tables.iter().filter(is_new);
        changed.map(|(name, table)| (Cow::Borrowed(&**name), table.list_changes(base.tables.get(name).map(Arc::as_ref)))).collect()
    }

    /// Changes rows as listed by [`State::list_changes`].
    pub(crate) fn apply_changes(&mut self, changes: StateChanges) {
        for (name, changes) in changes {
            let table = Arc::make_mut(self.tables.entry(Arc::from(&*name)).or_default());
            table.last_id = changes.last_id;
            for (id, row) in changes.rows {
                match row {
                    Some(row) => drop(table.rows.insert(id, Arc::new(row.into_owned()))),
                    None => drop(table.rows.remove(&id)),
                }
            }
        }
    }

    /// Begins a change that can be taken back.
    pub(crate) fn begin(&mut self) {
        self.journal.get_or_insert_default();
    }

    /// Ends a change, and keeps it.
    pub(crate) fn commit(&mut self) {
        self.journal = None;
    }

    /// Takes back what was written since the change began, the last write first.
    pub(crate) fn roll_back(&mut self) {
        for before in self.journal.take().into_iter().flatten().rev() {
            let table = Arc::make_mut(self.tables.entry(before.table).or_default());
            table.last_id = before.last_id;
            match before.row {
                Some(row) => drop(table.rows.insert(before.id, row)),
                None => drop(table.rows.remove(&before.id)),
            }
        }
    }

    /// Writes or removes one row. All writes take this path, so that each can be taken back.
    fn write(&mut self, name: &str, id: u64, row: Option<Arc<Record>>) {
        let name = self.tables.get_key_value(name).map_or_else(|| Arc::from(name), |(name, _)| Arc::clone(name));
        let table = Arc::make_mut(self.tables.entry(Arc::clone(&name)).or_default());
        let last_id = table.last_id;
        let before = match row {
            Some(row) => {
                table.last_id = last_id.max(id);
                table.rows.insert(id, row)
            }
            None => table.rows.remove(&id),
        };
        if let Some(journal) = &mut self.journal {
            journal.push(RowBefore { table: name, id, row: before, last_id });
        }
    }

    pub(crate) fn company(&self) -> u64 {
        self.company
    }

    pub(crate) fn rows(&self, table: &str) -> impl Iterator<Item = &Record> {
        self.tables.get(table).into_iter().flat_map(|t| t.rows.values()).map(Arc::as_ref)
    }

    /// Lists the records whose ids are within a range, in the order of their ids.
    pub(crate) fn rows_within(&self, table: &str, ids: impl RangeBounds<u64>) -> impl DoubleEndedIterator<Item = &Record> {
        self.tables
            .get(table)
            .into_iter()
            .flat_map(move |t| t.rows.range((ids.start_bound().cloned(), ids.end_bound().cloned())))
            .map(|(_, row)| row.as_ref())
    }

    /// Counts the records of a table.
    pub(crate) fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, |table| table.rows.len())
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
        let id = self.tables.get(table).map_or(0, |table| table.last_id).saturating_add(1);
        let mut numbered = Record::new();
        numbered.insert("id".to_owned(), id.into());
        numbered.extend(row);
        self.write(table, id, Some(Arc::new(numbered)));
        id
    }

    /// Stores a record under the id that it has.
    pub(crate) fn put(&mut self, table: &str, row: Record) {
        if let Some(id) = read_id(&row) {
            self.write(table, id, Some(Arc::new(row)));
        }
    }

    /// Removes a record for good. No other may point to it.
    pub(crate) fn forget(&mut self, table: &str, id: u64) {
        if self.get(table, id).is_some() {
            self.write(table, id, None);
        }
    }

    /// Changes each record of a table for which `concerns` is true.
    pub(crate) fn change(&mut self, table: &str, concerns: impl Fn(&Record) -> bool, change: impl Fn(&mut Record)) {
        let concerned = self.tables.get(table).into_iter().flat_map(|table| &table.rows).filter(|(_, row)| concerns(row));
        let concerned: Vec<(u64, Record)> = concerned.map(|(id, row)| (*id, Record::clone(row))).collect();
        for (id, mut row) in concerned {
            change(&mut row);
            self.write(table, id, Some(Arc::new(row)));
        }
    }
}

impl Table {
    fn list_changes(&self, base: Option<&Self>) -> TableChanges<'_> {
        let in_base = |id: &u64| base.and_then(|base| base.rows.get(id));
        let changed = self.rows.iter().filter(|(id, row)| in_base(id).is_none_or(|other| !Arc::ptr_eq(row, other)));
        let removed = base.into_iter().flat_map(|base| base.rows.keys()).filter(|id| !self.rows.contains_key(id));
        let changed = changed.map(|(id, row)| (*id, Some(Cow::Borrowed(&**row))));
        TableChanges { last_id: self.last_id, rows: changed.chain(removed.map(|id| (*id, None))).collect() }
    }
}

fn first_company() -> u64 {
    FIRST_COMPANY
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn build_row(fields: &Value) -> Record {
        fields.as_object().cloned().expect("the test's rows are objects")
    }

    fn read(state: &State) -> Value {
        serde_json::to_value(state).expect("a state can be written")
    }

    /// Builds a state with a table that has the rows 1 and 2.
    fn build_state() -> State {
        let mut state = State::new(1);
        for name in ["one", "two"] {
            state.insert("things", build_row(&json!({ "name": name })));
        }
        state
    }

    fn write_everywhere(state: &mut State) {
        state.put("things", build_row(&json!({ "id": 1, "name": "changed" })));
        state.insert("things", build_row(&json!({ "name": "three" })));
        state.forget("things", 2);
        state.change("things", |row| read_id(row) == Some(1), |row| drop(row.insert("name".to_owned(), "again".into())));
    }

    #[test]
    fn change_can_be_taken_back() {
        let (mut state, before) = (build_state(), read(&build_state()));
        state.begin();
        write_everywhere(&mut state);
        assert_eq!((state.get("things", 1).map(|row| &row["name"]), state.count("things")), (Some(&json!("again")), 2));
        state.roll_back();
        assert_eq!(read(&state), before);

        state.begin();
        write_everywhere(&mut state);
        state.commit();
        state.roll_back();
        assert_eq!(state.rows("things").filter_map(read_id).collect::<Vec<_>>(), [1, 3], "a change that was kept should stay");
        assert_eq!(state.insert("things", Record::new()), 4);
    }

    #[test]
    fn companies_share_rows_until_one_changes_them() {
        let base = build_state();
        let mut other = base.share_with(2);
        assert!(other.list_changes(&base).is_empty() && other.has_records_of(&base));
        write_everywhere(&mut other);
        assert_eq!(base.get("things", 1).map(|row| &row["name"]), Some(&json!("one")));
        let changes = serde_json::to_value(other.list_changes(&base)).expect("changes can be written");
        let rows = json!({ "1": { "id": 1, "name": "again" }, "2": null, "3": { "id": 3, "name": "three" } });
        assert_eq!(changes, json!({ "things": { "last_id": 3, "rows": rows } }));
        let mut again = base.share_with(2);
        again.apply_changes(serde_json::from_value(changes).expect("changes can be read"));
        assert_eq!(read(&again), read(&other));
    }

    #[test]
    fn lists_the_rows_of_a_range_from_both_ends() {
        let mut state = build_state();
        write_everywhere(&mut state);
        let ids = |rows: &mut dyn Iterator<Item = &Record>| rows.filter_map(read_id).collect::<Vec<_>>();
        assert_eq!(ids(&mut state.rows_within("things", 2..)), [3]);
        assert_eq!(ids(&mut state.rows_within("things", ..).rev()), [3, 1]);
        assert_eq!(ids(&mut state.rows_within("others", ..)), [0; 0]);
    }
}
