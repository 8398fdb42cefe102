//! Look-ups: the ID of a record that an input names.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::declare::action::Declaration;
use crate::declare::data_source::Finding;
use crate::declare::field::Place;
use crate::embed::connections::Connection;
use crate::exchange::choices::read_text;
use crate::exchange::references::{ME, Reference};
use crate::exchange::request::Request;
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::data_source::DataSource;
use crate::runtime::derived::DerivedSource;
use crate::runtime::estimate::planned::{BatchPlan, KnownLookUp};
use crate::runtime::naming::definitions::Missed;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::fault::{Candidate, FaultCode};
use crate::value::raw_json::RawJson;
use crate::value::wording::{find_nearest, shorten};

/// The most records that a search found which are read and compared.
const MOST_READ: usize = 10;

/// The most things that a fault lists.
const MOST_CANDIDATES: usize = 10;

/// The most names that a fault suggests.
const MOST_NEAREST: usize = 3;

/// The characters that a message quotes of a caller's value.
const LONGEST_QUOTE: usize = 200;

/// Finds the ID of the only record that a reference names, among those that a data source offers for an input.
///
/// The outer error is one of a request. The inner one is a fault of the reference: it names nothing, or several records.
pub(super) async fn look_up(
    call: &Call<'_>,
    source: &DerivedSource,
    reference: &Reference,
    input: &Map<String, Value>,
) -> Result<Result<Value, FaultCode>, Stop> {
    match source.derivation().finding {
        Finding::InKeptList => find_in_list(call, source, reference, input).await,
        Finding::AtVendor | Finding::InPages => match call.session.batch() {
            None => find_by_search(call, source, reference).await,
            Some(batch) => Box::pin(find_for_batch(&batch, call, source, reference)).await,
        },
    }
}

/// Finds a record in a list that the account defines. If there is none, the list is read again, once.
async fn find_in_list(
    call: &Call<'_>,
    source: &DerivedSource,
    reference: &Reference,
    input: &Map<String, Value>,
) -> Result<Result<Value, FaultCode>, Stop> {
    let (of, path) = (source.list_of(), find_path(source, reference));
    let kept = call.definitions(of).await?;
    let mut found = choose(source, &source.select(kept.records(), input), path, &reference.text);
    if found.is_err() {
        let name = format!("{path}={}", reference.text);
        if let Some(again) = call.definitions_after_miss(of, &kept, Missed::Given(&name)).await? {
            found = choose(source, &source.select(again.records(), input), path, &reference.text);
        }
    }
    Ok(found)
}

/// Returns the path of the member that a reference is compared with. That of the user of the connection is true.
fn find_path(source: &DerivedSource, reference: &Reference) -> &'static str {
    let derivation = source.derivation();
    match derivation.me {
        Some(path) if reference.word == ME => path,
        _ => derivation.named.iter().find(|(word, _)| *word == reference.word).map_or("", |(_, path)| path),
    }
}

/// Finds the only record whose member is a text: exactly, else in any case.
fn choose(source: &DerivedSource, records: &[&RawValue], path: &str, text: &str) -> Result<Value, FaultCode> {
    let text = if Some(path) == source.derivation().me { "true" } else { text };
    let matches = compare(records, path, text);
    match matches.as_slice() {
        [only] => Ok(read_id(source, only)),
        [] => {
            let names: Vec<String> = records.iter().flat_map(|record| read_texts(record, path)).collect();
            let nearest = find_nearest(text, names.iter().map(String::as_str), MOST_NEAREST);
            Err(explain_nothing(source, text, nearest.into_iter().map(str::to_owned).collect()))
        }
        several => Err(explain_several(source, text, several)),
    }
}

/// Returns the records whose member is a text exactly, else those whose member is it in any case.
fn compare<'r>(records: &[&'r RawValue], path: &str, text: &str) -> Vec<&'r RawValue> {
    let having = |is_it: &dyn Fn(&str) -> bool| -> Vec<&'r RawValue> {
        records.iter().copied().filter(|record| read_texts(record, path).iter().any(|known| is_it(known))).collect()
    };
    let exact = having(&|known| known == text);
    if !exact.is_empty() {
        return exact;
    }
    let text = text.trim().to_lowercase();
    having(&|known| known.trim().to_lowercase() == text)
}

/// Reads the texts of a member. One that is a list has those of its items, or of their values.
fn read_texts(record: &RawValue, path: &str) -> Vec<String> {
    let text = read_text(record, path);
    if !text.starts_with('[') {
        return vec![text];
    }
    let items: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|_| vec![text.into()]);
    items.iter().filter_map(|item| item.as_str().or_else(|| item["value"].as_str()).map(str::to_owned)).collect()
}

/// Reads the value that the input is given: as the record has it, a number or a text.
pub(in crate::runtime) fn read_id(source: &DerivedSource, record: &RawValue) -> Value {
    let text = read_text(record, source.derivation().value);
    let parsed: Value = serde_json::from_str(record.get()).unwrap_or_default();
    let paths = source.derivation().value.split('|');
    let value = paths.map(|path| path.split('.').fold(&parsed, |value, name| &value[name])).find(|value| !value.is_null());
    value.filter(|value| value.is_number()).cloned().unwrap_or_else(|| text.into())
}

/// Finds a record for an estimate of a batch. Other lines may look for the same one, which is then searched once.
async fn find_for_batch(
    batch: &BatchPlan,
    call: &Call<'_>,
    source: &DerivedSource,
    reference: &Reference,
) -> Result<Result<Value, FaultCode>, Stop> {
    let Connection { origin, .. } = call.connection;
    let (key, text) = (source.declaration().key, reference.text.trim());
    let name = json!([call.connector.key, call.connection.identity(), origin, key, reference.word, text]).to_string();
    let Some(place) = batch.find_look_up(&name) else { return find_by_search(call, source, reference).await };
    let before = call.session.count_planned();
    let search = async || {
        let found = find_by_search(call, source, reference).await?;
        Ok::<_, Stop>(KnownLookUp { found, cost: call.session.count_planned() - before })
    };
    let known = place.get_or_try_init(search).await?;
    // A line that did not search itself does so when it is run.
    call.session.take_planned(before);
    call.session.plan_cost(known.cost);
    Ok(known.found.clone())
}

/// Finds a record by the vendor's search.
///
/// The records that it found are read and compared, since a search is not exact and lags.
async fn find_by_search(call: &Call<'_>, source: &DerivedSource, reference: &Reference) -> Result<Result<Value, FaultCode>, Stop> {
    let derivation = source.derivation();
    let (Some(search), Some(read)) = (derivation.search, derivation.read) else {
        return Err(Error::new(ErrorKind::Bug, "A data source names records by a search that it does not have.").into());
    };
    let (search, read, path, text) = (search(), read(), find_path(source, reference), reference.text.trim());
    let before = call.session.count_sent();
    let mut input = Map::from_iter([(derivation.term.to_owned(), Value::from(text))]);
    if let Some(exact) = derivation.exact {
        input.insert(exact.to_owned(), true.into());
    }
    let checked = CheckedInput { input, ..CheckedInput::default() };
    let helper = call.as_helper(&checked);
    let answer = helper.send(helper.request(search)).await?.into_answer(search)?;
    let records = source.places()?.search.read(&answer.data).unwrap_or_default();
    let is_likely = |record: &&RawValue| {
        // A record that a search found may lack the member.
        let texts = read_texts(record, path);
        let wanted = text.to_lowercase();
        texts.iter().all(String::is_empty) || texts.iter().any(|known| known.trim().to_lowercase() == wanted)
    };
    let likely: Vec<&RawValue> = records.into_iter().filter(is_likely).collect();
    let found = if likely.len() > MOST_READ {
        Err(explain_several(source, text, &likely))
    } else {
        let mut bodies = Vec::new();
        for record in likely {
            let name = read.fields().find(|field| field.place == Place::Path).map_or("", |field| field.name);
            bodies.extend(read_record(call, read, Map::from_iter([(name.to_owned(), read_id(source, record))])).await?);
        }
        let records: Vec<&RawValue> = bodies.iter().filter_map(|body| serde_json::from_str(body.as_str()).ok()).collect();
        choose(source, &source.select(records, &Map::new()), path, text)
    };
    call.session.record_look_up(search.key, before, None);
    Ok(found.map_err(|code| match code {
        // Names that a search did not find are not known.
        FaultCode::NothingNamed { noun, value, .. } => FaultCode::NothingNamed { noun, value, nearest: Vec::new() },
        code => code,
    }))
}

/// Reads one record by the inputs of its path. It returns none for one that is gone.
pub(in crate::runtime) async fn read_record(
    call: &Call<'_>,
    read: &'static Declaration,
    ids: Map<String, Value>,
) -> Result<Option<RawJson>, Stop> {
    if !read.fields().filter(|field| field.place == Place::Path).all(|field| ids.contains_key(field.name)) {
        return Err(Error::new(ErrorKind::Bug, format!("The action {} reads no record by what is known of it.", read.key)).into());
    }
    let checked = CheckedInput { input: ids, ..CheckedInput::default() };
    let request = Request::build(read, &checked.input, &checked.files);
    match call.as_helper(&checked).send(request).await {
        Ok(response) => Ok(Some(response.into_answer(read)?.data)),
        Err(Stop::Failed(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone) => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn explain_nothing(source: &DerivedSource, text: &str, nearest: Vec<String>) -> FaultCode {
    FaultCode::NothingNamed { noun: source.noun(), value: quote_name(text), nearest }
}

fn explain_several(source: &DerivedSource, text: &str, records: &[&RawValue]) -> FaultCode {
    let candidate = |record: &&RawValue| Candidate { id: read_id(source, record), label: source.write_label(record) };
    FaultCode::Ambiguous { value: quote_name(text), candidates: records.iter().take(MOST_CANDIDATES).map(candidate).collect() }
}

fn quote_name(text: &str) -> String {
    shorten(&Value::from(text).to_string(), LONGEST_QUOTE)
}
