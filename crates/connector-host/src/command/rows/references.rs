//! References: the records that the IDs of a column stand for, each read once.

use std::collections::{HashMap, HashSet};

use connector_core::ErrorKind;
use connector_core::run::{FieldNames, Invocation, Outcome, Reader, ReaderInput, Runtime, View};
use connector_core::wording::count_of;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::command::rows::record::{Members, split_records};
use crate::terminal::render;

/// The references of the columns.
#[derive(Debug, Default)]
pub(super) struct References(Vec<Reference>);

/// A member whose values are IDs, and what is shown of the records that they stand for.
#[derive(Debug)]
struct Reference {
    member: String,
    reader: Reader,
    /// The paths that are shown of each record.
    paths: Vec<String>,
    /// The values at these paths, by ID. One that was looked for and is not there has none.
    found: HashMap<String, Vec<String>>,
    is_read_whole: bool,
    /// False if no path leads to what the account defines: then the names of its fields are not read.
    has_names: bool,
    cost: ReadingCost,
}

/// The cost of reading records.
#[derive(Debug, Default)]
struct ReadingCost {
    requests: u32,
    tokens: u32,
}

impl References {
    /// Adds a path that is shown of the records that a member's values stand for. Returns its index.
    ///
    /// A path that is not declared may hold the name of a custom field.
    pub(super) fn add(&mut self, member: String, reader: Reader, path: &str, is_declared: bool) -> usize {
        let known = self.0.iter().position(|reference| reference.member == member);
        let at = known.unwrap_or_else(|| {
            self.0.push(Reference {
                member,
                reader,
                paths: Vec::new(),
                found: HashMap::new(),
                is_read_whole: false,
                has_names: false,
                cost: ReadingCost::default(),
            });
            self.0.len() - 1
        });
        self.0[at].has_names |= !is_declared;
        let paths = &mut self.0[at].paths;
        if !paths.iter().any(|other| other == path) {
            paths.push(path.to_owned());
        }
        at
    }

    /// Reads the records that some rows refer to, and that were not read before.
    ///
    /// `frame` has the connector and the connection.
    pub(super) async fn read(&mut self, runtime: &Runtime, frame: &Invocation, rows: &[Members<'_>]) -> Result<(), Box<Outcome>> {
        for reference in &mut self.0 {
            let mut seen = HashSet::new();
            let ids = rows.iter().filter_map(|row| read_id(&row.find(&reference.member)?));
            let new: Vec<Value> = ids.filter(|id| !reference.found.contains_key(&write_key(id)) && seen.insert(write_key(id))).collect();
            reference.read(runtime, frame, &new).await?;
        }
        Ok(())
    }

    /// Finds the value of a column in the record that a row refers to.
    pub(super) fn find(&self, reference: usize, path: &str, row: &Members<'_>) -> Option<&str> {
        let Reference { member, paths, found, .. } = &self.0[reference];
        let values = found.get(&write_key(&read_id(&row.find(member)?)?))?;
        values.get(paths.iter().position(|other| other == path)?).map(String::as_str)
    }

    /// Says what the reading cost.
    pub(super) fn say_cost(&self) {
        for Reference { member, reader, found, cost, .. } in self.0.iter().filter(|reference| reference.cost.requests > 0) {
            let count = found.values().filter(|values| !values.is_empty()).count();
            let (records, requests) = (count_of(count as u64, "record"), count_of(cost.requests.into(), "request"));
            let tokens = count_of(cost.tokens.into(), "token");
            render::say(&format!("{member}: {records} read by {}, with {requests} for {tokens}.", reader.action));
        }
    }
}

impl Reference {
    async fn read(&mut self, runtime: &Runtime, frame: &Invocation, new: &[Value]) -> Result<(), Box<Outcome>> {
        let most = match self.reader.input {
            ReaderInput::Several(_, most) => most,
            ReaderInput::One(_) => 1,
            _ => usize::MAX,
        };
        for ids in new.chunks(most) {
            if self.is_read_whole {
                break;
            }
            let fields = if self.has_names { FieldNames::Names } else { FieldNames::Keys };
            let call = Invocation::new(self.reader.action).view(View::Flat).fields(fields);
            let mut call = match self.reader.input {
                ReaderInput::Several(input, _) => call.input(json!({input: ids})).all_pages(None),
                ReaderInput::One(input) => call.input(json!({input: ids[0]})),
                _ => call.all_pages(None),
            };
            (call.connector, call.connection) = (frame.connector.clone(), frame.connection.clone());
            call.options.timeout = frame.options.timeout;
            let outcome = runtime.invoke(call).await;
            self.cost.requests += outcome.meta().requests;
            self.cost.tokens += outcome.meta().tokens;
            match (outcome.data(), outcome.error()) {
                (Some(data), _) => {
                    let data: &RawValue = serde_json::from_str(data.as_str()).unwrap_or(RawValue::NULL);
                    self.keep(&split_records(data, outcome.page().is_some()));
                }
                (None, Some(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone) => {}
                _ => return Err(Box::new(outcome)),
            }
            self.is_read_whole = self.reader.input == ReaderInput::Whole;
            // A record that was not found is not looked for again.
            for id in ids {
                self.found.entry(write_key(id)).or_default();
            }
        }
        Ok(())
    }

    fn keep(&mut self, records: &[&RawValue]) {
        for record in records {
            let members = Members::read(record);
            let Some(id) = members.find(&self.reader.id).and_then(|id| read_id(&id)) else { continue };
            let values = self.paths.iter().map(|path| members.find(path).map_or_else(|| "null".to_owned(), std::borrow::Cow::into_owned));
            self.found.insert(write_key(&id), values.collect());
        }
    }
}

/// Reads an ID: a number or a text.
fn read_id(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok().filter(|id: &Value| id.is_number() || id.is_string())
}

/// Writes an ID as it is compared: a vendor may give it as a number in one record, and as a text in another.
fn write_key(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
