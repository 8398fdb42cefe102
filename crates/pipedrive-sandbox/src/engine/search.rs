//! Full-text search in the places that a table's row names.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Value, json};

use crate::engine::collection::{Call, Collection, Search, SearchPlace};
use crate::engine::envelope::wrap_page;
use crate::engine::fields;
use crate::engine::paging::{cut_page, read_cursor, read_limit, write_cursor};
use crate::engine::shape::shape_nested;
use crate::engine::state::State;
use crate::facts::api::{Schema, api};
use crate::value::failure::Failure;
use crate::value::record::{Record, read_handle, read_id, read_text, to_text};

/// Parameters that narrow a search to records with a value, and the field with that value.
const NARROWING: &[(&str, &str)] = &[("person_id", "person_id"), ("organization_id", "org_id"), ("status", "status")];

struct Term {
    text: String,
    exact: bool,
}

/// A record that was found. Its score is in thousandths, as an order by integers is total.
struct Hit<'a> {
    score: u64,
    row: &'a Record,
    custom_fields: Vec<String>,
    /// The texts of other records about this one in which the term was found.
    about: Vec<String>,
}

pub(crate) fn search(state: &State, call: &Call, collection: &Collection) -> Result<Value, Failure> {
    let search = collection.search.ok_or_else(|| Failure::not_found(collection.label))?;
    let term = Term::new(call)?;
    let chosen = call.tokens("fields");
    let places: Vec<(usize, SearchPlace)> = (search.fields.iter().enumerate())
        .filter(|(_, (name, _))| chosen.as_ref().is_none_or(|chosen| chosen.contains(name)))
        .map(|(index, (_, place))| (index, *place))
        .collect();
    let narrowing: Vec<_> =
        NARROWING.iter().filter_map(|(parameter, field)| Some((*parameter, *field, call.parameter(parameter)?))).collect();
    let narrowed = |row: &&Record| {
        let read = |parameter, field| row.get(field).or_else(|| row.get(parameter)).map(to_text);
        narrowing.iter().all(|(parameter, field, want)| read(*parameter, *field).as_deref() == Some(*want))
    };
    let is_indexed = |row: &&Record| call.found_until.as_ref().is_none_or(|until| read_text(row, "add_time") <= until.as_str());
    let rows = state.live(collection.name).filter(narrowed).filter(is_indexed);
    let texts = Texts::new(state, collection, &places);
    let mut hits: Vec<Hit> = rows.filter_map(|row| term.find(&texts, &places, row)).collect();
    hits.sort_by_key(Hit::rank);

    let shape = call.shape(&["data", "items", "item"]);
    let items = |hits: &[Hit]| -> Value {
        let shown =
            |hit: &Hit| json!({ "result_score": hit.score_to_show(), "item": shape_item(state, call, collection, search, hit, shape) });
        json!({ "items": hits.iter().map(shown).collect::<Value>() })
    };
    if call.operation.parameter("start").is_some() {
        let (hits, pagination) = cut_page(call, &hits);
        return Ok(wrap_page(items(hits), json!({ "pagination": pagination })));
    }
    let name = format!("{}:{}:{}", call.operation.id, term.exact, term.text);
    if let Some(cursor) = call.parameter("cursor") {
        let (score, id) = read_cursor(cursor, &name)?;
        let after = (std::cmp::Reverse(score.as_u64().unwrap_or(0)), id);
        hits.retain(|hit| hit.rank() > after);
    }
    let more = hits.len() > read_limit(call);
    hits.truncate(read_limit(call));
    let next = hits.last().filter(|_| more).map(|hit| write_cursor(&name, &(hit.score.into(), read_id(hit.row).unwrap_or(0))));
    Ok(wrap_page(items(&hits), json!({ "next_cursor": next })))
}

impl Term {
    fn new(call: &Call) -> Result<Self, Failure> {
        let text = call.parameter("term").unwrap_or_default().trim().to_lowercase();
        let exact = call.asks_for("exact_match");
        let least = if exact { 1 } else { 2 };
        if text.chars().count() < least {
            return Err(Failure::invalid("term", format!("must have at least {least} characters")));
        }
        Ok(Self { text, exact })
    }

    fn find<'a>(&self, texts: &Texts, places: &[(usize, SearchPlace)], row: &'a Record) -> Option<Hit<'a>> {
        let mut hit = Hit { score: 0, row, custom_fields: Vec::new(), about: Vec::new() };
        for (index, place) in places {
            for text in texts.list(*place, row) {
                // The first place is a record's name, which counts more than other texts.
                let Some(score) = self.score(&text).map(|score| if *index == 0 { score } else { score / 2 }) else {
                    continue;
                };
                hit.score = hit.score.max(score);
                match place {
                    SearchPlace::About(..) => hit.about.push(text.into_owned()),
                    SearchPlace::CustomFields => hit.custom_fields.push(text.into_owned()),
                    SearchPlace::Field(_) => {}
                }
            }
        }
        (hit.score > 0).then_some(hit)
    }

    fn score(&self, text: &str) -> Option<u64> {
        let text = text.to_lowercase();
        if text == self.text {
            Some(1200)
        } else if self.exact {
            None
        } else if text.starts_with(&self.text) {
            Some(800)
        } else {
            text.contains(&self.text).then_some(500)
        }
    }
}

impl Hit<'_> {
    fn rank(&self) -> (std::cmp::Reverse<u64>, u64) {
        (std::cmp::Reverse(self.score), read_id(self.row).unwrap_or(0))
    }

    fn score_to_show(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "scores are at most 1200")]
        let score = self.score as f64;
        score / 1000.0
    }
}

/// The texts in which a search looks that do not stand in the searched records themselves.
struct Texts<'a> {
    /// By the table and the handle of the searched record.
    about: HashMap<(&'static str, String), Vec<&'a str>>,
    /// The codes of the custom fields that can be searched.
    codes: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    /// Reads each table once, as a search looks at every record.
    fn new(state: &'a State, collection: &Collection, places: &[(usize, SearchPlace)]) -> Self {
        let mut texts = Self { about: HashMap::new(), codes: Vec::new() };
        for (_, place) in places {
            match place {
                SearchPlace::Field(_) => {}
                SearchPlace::About(table, field) => {
                    for other in state.live(table) {
                        if let (Some(id), Some(text)) = (other.get(collection.foreign_key), other.get(*field).and_then(Value::as_str)) {
                            texts.about.entry((*table, to_text(id))).or_default().push(text);
                        }
                    }
                }
                SearchPlace::CustomFields => {
                    let searchable = fields::list_custom(state, &collection.fields).filter(|field| fields::is_searchable(field));
                    texts.codes = searchable.map(fields::read_code).collect();
                }
            }
        }
        texts
    }

    /// Lists the texts of a record at a place.
    fn list<'r>(&self, place: SearchPlace, row: &'r Record) -> Vec<Cow<'r, str>>
    where
        'a: 'r,
    {
        match place {
            SearchPlace::Field(name) => list_field_texts(row, name).map(Cow::Borrowed).collect(),
            SearchPlace::About(table, _) => {
                let own = row.get(table).and_then(Value::as_str);
                let about = read_handle(row).and_then(|handle| self.about.get(&(table, to_text(handle))));
                own.into_iter().chain(about.into_iter().flatten().copied()).map(Cow::Borrowed).collect()
            }
            SearchPlace::CustomFields => {
                let Some(values) = row.get("custom_fields") else {
                    return Vec::new();
                };
                let value_of = |value: &'r Value| value.get("value").unwrap_or(value);
                self.codes.iter().filter_map(|code| values.get(code)).map(|v| Cow::Owned(to_text(value_of(v)))).collect()
            }
        }
    }
}

/// Lists the texts of a field: its own, that of an object's `value`, or those of a list.
pub(crate) fn list_field_texts<'a>(row: &'a Record, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let items = match row.get(name) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    items.iter().filter_map(|item| item.get("value").unwrap_or(item).as_str())
}

fn shape_item(state: &State, call: &Call, at: &Collection, search: &Search, hit: &Hit, shape: Option<&Schema>) -> Value {
    let mut out = Record::new();
    for (name, schema) in shape.map_or(&[][..], |s| &s.properties) {
        let schema = api().resolve(schema);
        let nested = search.nested.iter().find(|(nested, ..)| nested == name).map(|(_, field, table)| {
            let row = state.find_linked(hit.row, field, table)?;
            Some(shape_nested(state, call, call.tables.find(table)?, row, schema))
        });
        let compute = || search.computed.iter().find(|(field, _)| field == name).map(|(_, compute)| compute(state, hit.row));
        let is_about = search.fields.iter().any(|(field, place)| field == name && matches!(place, SearchPlace::About(..)));
        let value = match (name.as_str(), nested.or_else(compute)) {
            (_, Some(value)) => value,
            _ if is_about => Some(json!(hit.about)),
            ("type", _) => Some(search.kind.into()),
            ("id", _) => read_handle(hit.row).cloned(),
            ("custom_fields", _) => Some(json!(hit.custom_fields)),
            (name, _) => hit.row.get(name).cloned(),
        };
        match value {
            Some(value) => {
                out.insert(name.clone(), value);
            }
            None if schema.nullable => {
                out.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
    let included = call.parameter("include_fields");
    if let Some((_, name, value)) = search.includable.iter().find(|(token, ..)| included == Some(*token)) {
        out.insert((*name).to_owned(), value(state, at, hit.row).unwrap_or_default());
    }
    Value::Object(out)
}
