//! Reads from an input by which values a record is looked for.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::declare::fields::FieldLayout;
use crate::declare::match_key::{MATCH_BY, MatchKey, MatchKind};
use crate::embed::register::MatchClaim;
use crate::exchange::fields::set::FieldSet;
use crate::exchange::later::LaterChange;
use crate::exchange::matching::read_texts;
use crate::runtime::naming::resolve_by;
use crate::runtime::stop::Stop;
use crate::runtime::upsert::wanted::{CustomPlace, MatchValue, MatchValues, SearchTerm};
use crate::runtime::upsert::work::{UpsertWork, write_members};
use crate::value::error::Error;
use crate::value::fault::{Fault, FaultCode};
use crate::value::pointer::escape_segment;
use crate::value::wording::quote;

/// The most values of one input by which a record is looked for.
const MOST_VALUES: usize = 10;

/// A number of the form in which callers write one.
const NUMBER: &str = "+49 30 1234567";

impl UpsertWork<'_> {
    /// Reads by which values the caller wants the record to be found. All faults are found at once.
    pub(super) async fn find_wanted(&self) -> Result<Vec<MatchValues>, Stop> {
        let sent = write_members(self.add, &self.input);
        let (mut wanted, mut faults): (Vec<MatchValues>, Vec<Fault>) = (Vec::new(), Vec::new());
        for (name, pointer) in self.list_names() {
            match self.find_place(&name, &pointer).await? {
                Ok(place) if wanted.iter().any(|known| known.pointer == place.pointer) => {
                    faults.push(Fault::at(pointer, FaultCode::GivenTwice));
                }
                Ok(place) => match self.read_values(place, &sent) {
                    Ok(found) => wanted.push(found),
                    Err(fault) => faults.push(fault),
                },
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(wanted) } else { Err(Error::invalid_input(self.call.key, faults).into()) }
    }

    /// Lists the names that `matchBy` gives, each with its place.
    fn list_names(&self) -> Vec<(String, String)> {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match self.call.input().get(MATCH_BY) {
            Some(Value::Array(names)) => names.iter().enumerate().map(|(at, value)| (name(value), format!("/{MATCH_BY}/{at}"))).collect(),
            Some(value) => vec![(name(value), format!("/{MATCH_BY}"))],
            None => Vec::new(),
        }
    }

    /// Finds where the values that a name stands for are in the input. It has none of them yet.
    async fn find_place(&self, name: &str, pointer: &str) -> Result<Result<MatchValues, Fault>, Stop> {
        let refuse = |why: String| Fault::at(pointer, FaultCode::NotMatchable(why, self.upsert.words().collect()));
        match self.upsert.keys.iter().find(|key| key.word == name && !name.is_empty()) {
            Some(MatchKey { kind: MatchKind::Refused(why), .. }) => return Ok(Err(refuse((*why).to_owned()))),
            Some(key) => return Ok(Ok(self.find_standard(key))),
            None => {}
        }
        let (Some(key), Some((field, of, layout)), Some(words)) =
            (self.upsert.find_custom(), self.find_custom_fields(), self.call.connector.fields)
        else {
            return Ok(Err(refuse(format!("no record can be found by {}", quote(name)))));
        };
        let find = |set: &FieldSet| match set.find_custom(name) {
            Ok(field) => Ok((field.code.clone(), field.kind)),
            Err(code) => Err(vec![Fault::at(pointer, code)]),
        };
        let (code, kind) = match resolve_by(self.call, words, of, find).await? {
            Ok(found) => found,
            Err(faults) => return Ok(Err(faults.into_iter().next().unwrap_or_else(|| refuse(format!("there is no field {name:?}"))))),
        };
        if !matches!(key.kind, MatchKind::Custom(covers) if covers(kind)) {
            return Ok(Err(refuse(format!("no search covers the type of the custom field {}", quote(name)))));
        }
        let within = (layout == FieldLayout::Nested).then_some(field.wire);
        Ok(Ok(MatchValues {
            key,
            custom: Some(CustomPlace { code, kind, within }),
            pointer: format!("/{}/{}", field.name, escape_segment(name)),
            inputs: vec![field.name],
            values: Vec::new(),
        }))
    }

    /// Finds the inputs of a value that every account has.
    fn find_standard(&self, key: &'static MatchKey) -> MatchValues {
        let inputs: Vec<&'static str> =
            self.entry.fields().into_iter().filter(|field| field.wire == key.member).map(|field| field.name).collect();
        let named = inputs.iter().copied().find(|name| self.input.contains_key(*name) || *name == key.word);
        let pointer = format!("/{}", named.or(inputs.first().copied()).unwrap_or(key.word));
        MatchValues { key, custom: None, pointer, inputs, values: Vec::new() }
    }

    /// Reads the values at a place, and checks that each of them can be searched for.
    fn read_values(&self, mut wanted: MatchValues, sent: &Map<String, Value>) -> Result<MatchValues, Fault> {
        let mut texts = read_texts(wanted.find_in(sent));
        for change in &self.call.checked.later {
            if let LaterChange::List { field, add, .. } = change
                && wanted.custom.is_none()
                && field.wire == wanted.key.member
            {
                texts.extend(read_texts(&add.clone().into()));
            }
        }
        texts.retain(|text| !text.trim().is_empty());
        if texts.is_empty() {
            let why = format!("has no value, and `{MATCH_BY}` names it");
            return Err(Fault::at(wanted.pointer, FaultCode::NotMatchable(why, self.upsert.words().collect())));
        }
        if texts.len() > MOST_VALUES {
            let code = FaultCode::TooManyItems { count: texts.len() as u64, maximum: MOST_VALUES as u64 };
            return Err(Fault::at(wanted.pointer, code));
        }
        for text in texts {
            let Some(normal) = wanted.normalize(&text) else {
                return Err(Fault::at(wanted.pointer, FaultCode::WrongForm { value: quote(&text), example: NUMBER.to_owned() }));
            };
            let input = self.build_search(&wanted, &SearchTerm { text: text.clone(), is_exact: true });
            if let Some(fault) = self.search.rules().find_map(|rule| rule.find_fault(&input)) {
                return Err(fault.moved_to(wanted.pointer));
            }
            if !wanted.values.iter().any(|known| known.normal == normal) {
                wanted.values.push(MatchValue { text, normal });
            }
        }
        Ok(wanted)
    }

    /// Builds the input of a search for a text.
    pub(super) fn build_search(&self, wanted: &MatchValues, term: &SearchTerm) -> Map<String, Value> {
        let derivation = self.source.derivation();
        let mut input = Map::from_iter([(derivation.term.to_owned(), term.text.trim().into())]);
        if let Some(exact) = derivation.exact.filter(|_| term.is_exact) {
            input.insert(exact.to_owned(), true.into());
        }
        input.extend(wanted.key.narrowed.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
        input
    }

    /// Builds the claim of the upsert: the values by which it looks, and the others by which another one could.
    pub(super) fn build_claim(&self, wanted: &[MatchValues]) -> MatchClaim {
        let sent = write_members(self.add, &self.input);
        let values = wanted.iter().flat_map(|wanted| wanted.values.iter().map(|value| self.hash(wanted, &value.normal))).collect();
        let standard = self.upsert.keys.iter().filter(|key| !matches!(key.kind, MatchKind::Custom(_) | MatchKind::Refused(_)));
        let beside = standard.map(|key| self.find_standard(key)).flat_map(|wanted| {
            let normals: Vec<String> = read_texts(wanted.find_in(&sent)).iter().filter_map(|text| wanted.normalize(text)).collect();
            normals.iter().map(|normal| self.hash(&wanted, normal)).collect::<Vec<_>>()
        });
        MatchClaim::new(values, beside.collect())
    }

    /// Computes the digest of a value of an account. Several connections to one account share it.
    fn hash(&self, wanted: &MatchValues, normal: &str) -> String {
        let connection = self.call.connection;
        // Where all accounts have one host, the connection tells them apart.
        let account = if self.call.connector.host.is_some() { connection.identity() } else { "" };
        let place = wanted.custom.as_ref().map_or(wanted.key.member, |custom| &custom.code);
        let mut digest = Sha256::new();
        for part in [self.call.connector.key, &connection.origin, account, (self.upsert.add)().key, place, normal] {
            // With its length before it, no part runs into the next.
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
