//! Resolves the names in an input to IDs, before the request is built.

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place, SourceInput};
use crate::declare::fields::{FieldLayout, FieldWords, FieldsOf, Naming, PairedField};
use crate::declare::rule::Rule;
use crate::exchange::fields::resolve::{ResolvedFields, Want, WantedField};
use crate::exchange::later::LaterChange;
use crate::exchange::references::{GivenItem, IdForm, Named, Reference, TakenInput, apply_change};
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::{Catalogue, Entry};
use crate::runtime::naming::fields::{resolve_field_key, resolve_field_keys, resolve_field_values};
use crate::runtime::naming::look_up::look_up;
use crate::runtime::naming::record::ChangedRecord;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::fault::{Fault, FaultCode, JsonType};
use crate::value::wording::shorten;

/// Values whose names are being resolved.
struct Resolution<'a> {
    catalogue: &'a Catalogue,
    call: &'a Call<'a>,
    /// The inputs that the values are for.
    fields: &'a [&'static Field],
    /// The record that the action changes. Without one no list of it can be changed.
    record: Option<&'a ChangedRecord>,
    /// `true` if null means that a value is absent.
    drops_nulls: bool,
    input: Map<String, Value>,
    faults: Vec<Fault>,
    /// The changes to lists of a record that is found later, if there is one.
    later: Option<Vec<LaterChange>>,
}

/// Resolves the names in the input of a call. It returns none where there are no names.
pub(in crate::runtime) async fn resolve_names(
    catalogue: &Catalogue,
    entry: &Entry,
    call: &Call<'_>,
    record: &ChangedRecord,
) -> Result<Option<CheckedInput>, Error> {
    if !has_names(entry, call) {
        return Ok(None);
    }
    let (fields, drops_nulls) = (entry.fields(), entry.takes_null_as_absent());
    let (input, faults) = (call.input().clone(), Vec::new());
    let later = entry.upsert().map(|_| Vec::new());
    let mut work = Resolution { catalogue, call, fields: &fields, record: Some(record), drops_nulls, input, faults, later };
    work.resolve(&call.checked.taken).await?;
    let Resolution { input, faults, later, .. } = work;
    let checked = check_resolved(entry, call, input, faults)?;
    Ok(Some(CheckedInput { later: later.unwrap_or_default(), ..checked }))
}

/// Resolves the names in values for some inputs, which are no input of a call. The inner error has the faults.
pub(in crate::runtime) async fn resolve_values_for(
    catalogue: &Catalogue,
    call: &Call<'_>,
    fields: &[&'static Field],
    (input, taken): (Map<String, Value>, &[TakenInput]),
) -> Result<Result<Map<String, Value>, Vec<Fault>>, Error> {
    let mut work = Resolution { catalogue, call, fields, record: None, drops_nulls: false, input, faults: Vec::new(), later: None };
    work.resolve(taken).await?;
    Ok(if work.faults.is_empty() { Ok(work.input) } else { Err(work.faults) })
}

/// Checks whether anything may have to be resolved in the input of a call.
pub(in crate::runtime) fn has_names(entry: &Entry, call: &Call<'_>) -> bool {
    let has_fields = |field: &Field| field.shape.naming.is_some() && call.input().contains_key(field.name);
    !call.checked.taken.is_empty() || entry.declaration().is_some_and(|declaration| declaration.fields().any(has_fields))
}

/// Checks the whole input, now that it has IDs.
fn check_resolved(entry: &Entry, call: &Call<'_>, input: Map<String, Value>, faults: Vec<Fault>) -> Result<CheckedInput, Error> {
    if !faults.is_empty() {
        return Err(Error::invalid_input(entry.key(), faults));
    }
    let rules: Vec<&Rule> = entry.declaration().into_iter().flat_map(Declaration::rules).collect();
    let input = entry.checks().read(input, &entry.fields(), &rules, entry.takes_null_as_absent(), None, &[]);
    let input = input.map_err(|faults| Error::invalid_input(entry.key(), faults))?;
    Ok(CheckedInput { input, files: call.checked.files.clone(), ..CheckedInput::default() })
}

impl Resolution<'_> {
    /// Resolves all names. Faults of them are recorded.
    async fn resolve(&mut self, taken: &[TakenInput]) -> Result<(), Error> {
        let resolved = async {
            self.resolve_taken(taken).await?;
            self.resolve_fields().await
        };
        resolved.await.map_err(Stop::into_error)
    }

    /// Resolves the names of custom fields, and those in their values.
    async fn resolve_fields(&mut self) -> Result<(), Stop> {
        let Some(words) = self.call.connector.fields else { return Ok(()) };
        let fields = self.fields;
        let find_input = |code: &str| Some(fields.iter().find(|field| field.wire == code && field.instead_of.is_none())?.name);
        for (field, naming) in fields.iter().filter_map(|field| Some((*field, field.shape.naming?))) {
            let Some(given) = self.input.get(field.name).filter(|given| !given.is_null()).cloned() else { continue };
            let at = format!("/{}", field.name);
            match (naming, given) {
                (Naming::Values(of, layout), Value::Object(given)) => {
                    let found = resolve_field_values(self.call, words, (of, layout), &given, &at, self.drops_nulls, &find_input).await?;
                    match found {
                        None => {}
                        Some(Ok(resolved)) => {
                            let values = self.complete_fields(words, (field, layout), resolved).await?;
                            self.input.insert(field.name.to_owned(), values.into());
                        }
                        Some(Err(faults)) => self.faults.extend(faults),
                    }
                }
                (Naming::Pair(of, pair), Value::String(name)) if !(pair.is_known)(&name) => {
                    match resolve_field_key(self.call, words, of, &name, &at).await? {
                        Ok(code) => self.resolve_pair(words, of, (field, pair), code).await?,
                        Err(faults) => self.faults.extend(faults),
                    }
                }
                (Naming::Keys(of), given) => match resolve_field_keys(self.call, words, of, &given, &at, &find_input).await? {
                    Ok(codes) => drop(self.input.insert(field.name.to_owned(), codes)),
                    Err(faults) => self.faults.extend(faults),
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Resolves the value of a field that another input named.
    async fn resolve_pair(
        &mut self,
        words: FieldWords,
        of: &'static FieldsOf,
        (field, pair): (&'static Field, PairedField),
        code: String,
    ) -> Result<(), Stop> {
        self.input.insert(field.name.to_owned(), code.clone().into());
        let Some(value) = self.input.get(pair.value).filter(|_| (words.is_code)(&code)).cloned() else { return Ok(()) };
        let given = Map::from_iter([(code.clone(), value)]);
        match resolve_field_values(self.call, words, (of, pair.layout), &given, "", false, &|_| None).await? {
            None => {}
            Some(Ok(resolved)) => {
                let mut values = self.complete_fields(words, (field, pair.layout), resolved).await?;
                self.input.extend(values.shift_remove(&code).map(|value| (pair.value.to_owned(), value)));
            }
            Some(Err(faults)) => {
                let before = format!("/{code}");
                let moved = |fault: Fault| {
                    let path = fault.path().replacen(&before, &format!("/{}", pair.value), 1);
                    fault.moved_to(path)
                };
                self.faults.extend(faults.into_iter().map(moved));
            }
        }
        Ok(())
    }

    /// Adds the values of custom fields that must be looked up first.
    async fn complete_fields(
        &mut self,
        words: FieldWords,
        (field, layout): (&'static Field, FieldLayout),
        resolved: ResolvedFields,
    ) -> Result<Map<String, Value>, Stop> {
        let ResolvedFields { mut values, wanted } = resolved;
        for WantedField { path, code, want } in wanted {
            let value = match want {
                Want::Reference { source, reference } => {
                    let offered = self.catalogue.find_derived_source(self.call.connector, source)?;
                    let read = Reference::read(&reference, path.clone()).filter(|read| offered.takes_word(&read.word));
                    let Some(read) = read else {
                        let value = shorten(&reference.to_string(), 200);
                        let expected = vec![JsonType::Integer, JsonType::Object];
                        self.faults.push(Fault::at(path, FaultCode::WrongType { value, expected }));
                        continue;
                    };
                    self.look_up(source, &read, &Map::new()).await?
                }
                Want::Options(change) if self.later.is_some() => {
                    self.later.get_or_insert_default().push(LaterChange::Options { field, code, change, layout });
                    continue;
                }
                // The record cannot be read by an ID that is not known.
                Want::Options(_) if !self.faults.is_empty() => continue,
                Want::Options(change) if self.record.is_some_and(ChangedRecord::is_readable) => {
                    let record = self.read_record().await?;
                    Some(change.apply(match layout {
                        FieldLayout::Nested => &record[words.values][&code],
                        FieldLayout::Beside => &record[&code],
                    }))
                }
                Want::Options(change) => Some(change.apply(&Value::Null)),
            };
            values.extend(value.map(|value| (code, value)));
        }
        Ok(values)
    }

    /// Resolves the inputs that were taken out. One on which others depend comes before them.
    async fn resolve_taken(&mut self, taken: &[TakenInput]) -> Result<(), Stop> {
        let mut taken: Vec<&TakenInput> = taken.iter().collect();
        taken.sort_by_key(|taken| {
            let depends = taken.field.source_inputs.iter().any(|(_, given)| matches!(given, SourceInput::Input(_)));
            (taken.field.place != Place::Path, matches!(taken.named, Named::Change { .. }), depends)
        });
        for TakenInput { field, id, named, .. } in taken {
            let value = match named {
                Named::One(item) => self.resolve_item(field, *id, item).await?,
                Named::List(items) => self.resolve_items(field, *id, items).await?.map(Value::from),
                Named::Change { add, remove } => {
                    match (self.resolve_items(field, *id, add).await?, self.resolve_items(field, *id, remove).await?) {
                        (Some(add), Some(remove)) if self.later.is_some() => {
                            self.later.get_or_insert_default().push(LaterChange::List { field, add, remove });
                            None
                        }
                        (Some(add), Some(remove)) if self.faults.is_empty() => Some(self.change_list(field, &add, &remove).await?),
                        _ => None,
                    }
                }
            };
            if let Some(value) = value {
                self.input.insert(field.name.to_owned(), value);
            }
        }
        Ok(())
    }

    async fn resolve_items(&mut self, field: &'static Field, id: IdForm, items: &[GivenItem]) -> Result<Option<Vec<Value>>, Stop> {
        let mut values = Vec::new();
        for item in items {
            values.push(self.resolve_item(field, id, item).await?);
        }
        Ok(values.into_iter().collect())
    }

    async fn resolve_item(&mut self, field: &'static Field, id: IdForm, item: &GivenItem) -> Result<Option<Value>, Stop> {
        let reference = match item {
            GivenItem::Value(value) => return Ok(Some(value.clone())),
            GivenItem::Reference(reference) => reference,
        };
        let Some(key) = field.source else {
            return Err(Error::new(ErrorKind::Bug, format!("The input {} takes names, and has no data source.", field.name)).into());
        };
        let beside = self.find_inputs_of_source(field);
        let found = self.look_up(key, reference, &beside).await?;
        Ok(found.map(|value| if id == IdForm::Number || value.is_string() { value } else { value.to_string().into() }))
    }

    /// Finds the inputs of a data source that other inputs of the action give.
    fn find_inputs_of_source(&self, field: &Field) -> Map<String, Value> {
        let given = field.source_inputs.iter().filter_map(|(name, given)| {
            let value = match given {
                SourceInput::Input(input) => self.input.get(*input).filter(|value| !value.is_null())?.clone(),
                SourceInput::Text(text) => Value::from(*text),
            };
            Some(((*name).to_owned(), value))
        });
        given.collect()
    }

    /// Finds the ID that a reference stands for. A fault is recorded, and there is none.
    async fn look_up(&mut self, key: &str, reference: &Reference, beside: &Map<String, Value>) -> Result<Option<Value>, Stop> {
        let source = self.catalogue.find_derived_source(self.call.connector, key)?;
        match look_up(self.call, source, reference, beside).await? {
            Ok(id) => Ok(Some(id)),
            Err(code) => {
                self.faults.push(Fault::at(&reference.pointer, code));
                Ok(None)
            }
        }
    }

    /// Changes a list that the record has. It returns the whole list, which replaces that of the record.
    async fn change_list(&mut self, field: &Field, add: &[Value], remove: &[Value]) -> Result<Value, Stop> {
        let record = self.read_record().await?;
        let current = record[field.wire].as_array().cloned().unwrap_or_default();
        Ok(apply_change(&current, add, remove).unwrap_or(current).into())
    }

    /// Reads the record that the action changes.
    async fn read_record(&self) -> Result<&Value, Stop> {
        match self.record {
            Some(record) => record.read(self.call, &self.input).await,
            None => Err(Error::new(ErrorKind::Bug, "A list is changed, and there is no record that has it.").into()),
        }
    }
}
