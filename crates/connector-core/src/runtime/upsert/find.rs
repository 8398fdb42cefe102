//! Finds the records that have the values of an upsert: what a search found is read and compared.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::declare::field::Place;
use crate::declare::page::CURSOR;
use crate::runtime::call::CheckedInput;
use crate::runtime::naming::{read_id, read_record};
use crate::runtime::stop::Stop;
use crate::runtime::upsert::wanted::{MatchValues, SearchTerm};
use crate::runtime::upsert::work::UpsertWork;
use crate::value::error::{Error, ErrorKind};
use crate::value::fault::Candidate;
use crate::value::raw_json::RawJson;
use crate::value::wording::quote;

/// The most records that are read and compared. Of more than that, none is chosen anyway.
const MOST_READ: usize = 10;

/// The most pages of a search that are looked through.
const MOST_PAGES: usize = 5;

/// The records that have the values.
pub(super) enum Matches {
    Nothing,
    One(Box<MatchedRecord>),
    Several(Vec<Candidate>),
}

/// A record that has the values.
pub(super) struct MatchedRecord {
    pub(super) id: Value,
    /// The record as the vendor sent it.
    pub(super) body: RawJson,
    pub(super) record: Value,
}

impl UpsertWork<'_> {
    /// Finds the records that have one of the values, by search and among those that are remembered.
    pub(super) async fn find(&self, wanted: &[MatchValues], remembered: &[String]) -> Result<Matches, Stop> {
        let mut likely: Vec<Candidate> = Vec::new();
        for one in wanted {
            for term in one.list_terms() {
                self.search(one, &term, &mut likely).await?;
            }
        }
        if likely.len() > MOST_READ {
            likely.truncate(MOST_READ);
            return Ok(Matches::Several(likely));
        }
        let mut ids: Vec<Value> = likely.into_iter().map(|candidate| candidate.id).collect();
        for id in remembered {
            if !ids.iter().any(|known| write_id(known) == *id) {
                ids.push(id.as_str().into());
            }
        }
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.read_matching(id, wanted).await?);
            if found.len() == MOST_READ {
                break;
            }
        }
        Ok(match found.pop() {
            None => Matches::Nothing,
            Some(only) if found.is_empty() => Matches::One(Box::new(only)),
            Some(last) => {
                found.push(last);
                Matches::Several(found.iter().filter_map(|found| self.describe(&found.body)).collect())
            }
        })
    }

    /// Adds the records that a search finds, but for those that show that they are others.
    async fn search(&self, wanted: &MatchValues, term: &SearchTerm, likely: &mut Vec<Candidate>) -> Result<(), Stop> {
        let mut checked = CheckedInput { input: self.build_search(wanted, term), ..CheckedInput::default() };
        for _ in 0..MOST_PAGES {
            let (helper, before) = (self.call.as_helper(&checked), self.call.session.count_sent());
            let answer = helper.send(helper.request(self.search)).await?.into_answer(self.search)?;
            self.call.session.record_look_up(self.search.key, before, None);
            for hit in self.source.places()?.search.read(&answer.data).unwrap_or_default() {
                let may_match = serde_json::from_str(hit.get()).is_ok_and(|shown: Value| wanted.may_match(&shown));
                let candidate = Candidate { id: read_id(self.source, hit), label: self.source.write_label(hit) };
                if may_match && !likely.iter().any(|known| known.id == candidate.id) {
                    likely.push(candidate);
                }
            }
            match answer.page.and_then(|page| page.next) {
                Some(next) if likely.len() <= MOST_READ => drop(checked.input.insert(CURSOR.to_owned(), next.into())),
                _ => return Ok(()),
            }
        }
        let message = format!("The search finds too many records by {} to tell whether one of them matches.", quote(&term.text));
        Err(Error::new(ErrorKind::Conflict, message).with_hint("Nothing was changed: match by a value that fewer records have.").into())
    }

    /// Reads a record, if it is there and has one of the values.
    async fn read_matching(&self, id: Value, wanted: &[MatchValues]) -> Result<Option<MatchedRecord>, Stop> {
        let variable = self.read.fields().find(|field| field.place == Place::Path);
        let ids = variable.map(|field| (field.name.to_owned(), id)).into_iter().collect();
        let Some(body) = read_record(self.call, self.read, ids).await? else { return Ok(None) };
        let Ok(raw) = serde_json::from_str::<&RawValue>(body.as_str()) else { return Ok(None) };
        // A record that was deleted is none.
        if self.source.select(vec![raw], &Map::new()).is_empty() {
            return Ok(None);
        }
        let record = body.to_value()?;
        let id = read_id(self.source, raw);
        Ok(wanted.iter().any(|wanted| wanted.matches(&record)).then_some(MatchedRecord { id, body, record }))
    }

    fn describe(&self, body: &RawJson) -> Option<Candidate> {
        let raw: &RawValue = serde_json::from_str(body.as_str()).ok()?;
        Some(Candidate { id: read_id(self.source, raw), label: self.source.write_label(raw) })
    }

    /// Reads the ID of a record that was added, as a text.
    pub(super) fn read_added(&self, body: &RawJson) -> Option<String> {
        let raw: &RawValue = serde_json::from_str(body.as_str()).ok()?;
        Some(write_id(&read_id(self.source, raw))).filter(|id| !id.is_empty())
    }
}

/// Writes an ID as a text.
pub(super) fn write_id(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
