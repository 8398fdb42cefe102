//! Custom fields by name, in an input and in an answer: which definitions are read for them, and when again.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::declare::fields::{FieldLayout, FieldWords, FieldsOf};
use crate::declare::method::Effect;
use crate::exchange::fields::naming::{NamedFields, name_fields};
use crate::exchange::fields::plan::FieldPlan;
use crate::exchange::fields::resolve::{
    DefinitionNeed, FindInput, ResolvedFields, judge_need, may_be_outdated, resolve_keys, resolve_values,
};
use crate::exchange::fields::set::FieldSet;
use crate::runtime::call::Call;
use crate::runtime::catalogue::Entry;
use crate::runtime::naming::definitions::{Definitions, ListOf, Missed};
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::estimate::CostBound;
use crate::value::fault::Fault;
use crate::value::options::{DryRun, FieldNames};
use crate::value::outcome::Answer;
use crate::value::raw_json::RawJson;

/// The reason why an estimate of a call that names custom fields is not certain.
const MAY_READ_AGAIN: &str = "A custom field or option of a record may be none of those that are kept: then their list is read again.";

/// Resolves an object of custom fields by name or code.
///
/// It returns none where the values travel as they are given.
/// The outer error is one of a request. The inner one has the faults of the input.
pub(super) async fn resolve_field_values(
    call: &Call<'_>,
    words: FieldWords,
    (of, layout): (&'static FieldsOf, FieldLayout),
    given: &Map<String, Value>,
    at: &str,
    drops_nulls: bool,
    find_input: FindInput<'_>,
) -> Result<Option<Result<ResolvedFields, Vec<Fault>>>, Stop> {
    let need = judge_need(&words, given, layout);
    if need == DefinitionNeed::None {
        return Ok(None);
    }
    if need == DefinitionNeed::Helpful && call.session.dry_run == DryRun::Requests {
        call.warn("Labels of options that stand under keys of custom fields are looked up when the call is sent.");
        return Ok(None);
    }
    let resolve = |set: &FieldSet| resolve_values(set, given, at, layout, drops_nulls, find_input);
    match resolve_by(call, words, of, resolve).await {
        Ok(resolved) => Ok(Some(resolved)),
        Err(Stop::Failed(error)) if need == DefinitionNeed::Helpful => {
            call.session.doubt(CostBound::Open, "Definitions of custom fields could not be read: the call tries again.");
            call.warn(format!(
                "The definitions of custom fields could not be read, and values went as they were given: {}",
                error.message()
            ));
            Ok(None)
        }
        Err(stop) => Err(stop),
    }
}

/// Resolves the names or codes of custom fields to codes.
pub(super) async fn resolve_field_keys(
    call: &Call<'_>,
    words: FieldWords,
    of: &'static FieldsOf,
    given: &Value,
    at: &str,
    find_input: FindInput<'_>,
) -> Result<Result<Value, Vec<Fault>>, Stop> {
    let is_code = |name: &Value| name.as_str().is_some_and(words.is_code);
    let are_codes = given.as_array().map_or_else(|| is_code(given), |names| names.iter().all(is_code));
    if are_codes {
        return Ok(Ok(given.clone()));
    }
    resolve_by(call, words, of, |set| resolve_keys(set, given, at, find_input)).await
}

/// Resolves the name or code of one field of any kind to its code.
pub(super) async fn resolve_field_key(
    call: &Call<'_>,
    words: FieldWords,
    of: &'static FieldsOf,
    name: &str,
    at: &str,
) -> Result<Result<String, Vec<Fault>>, Stop> {
    if (words.is_code)(name) {
        return Ok(Ok(name.to_owned()));
    }
    resolve_by(call, words, of, |set| match set.find_any(name) {
        Ok(field) => Ok(field.code.clone()),
        Err(code) => Err(vec![Fault::at(at, code)]),
    })
    .await
}

/// Resolves names by definitions. If they lack a name, they are read again, once.
pub(in crate::runtime) async fn resolve_by<T>(
    call: &Call<'_>,
    words: FieldWords,
    of: &'static FieldsOf,
    resolve: impl Fn(&FieldSet) -> Result<T, Vec<Fault>>,
) -> Result<Result<T, Vec<Fault>>, Stop> {
    let of = ListOf::from(of);
    let kept = call.definitions(of).await?;
    let resolved = resolve(kept.fields(words));
    let Some(faults) = resolved.as_ref().err().filter(|faults| may_be_outdated(faults)) else { return Ok(resolved) };
    let name: String = faults.iter().map(|fault| format!("{}: {}\n", fault.path(), fault.code())).collect();
    match call.definitions_after_miss(of, &kept, Missed::Given(&name)).await? {
        Some(again) => Ok(resolve(again.fields(words))),
        None => Ok(resolved),
    }
}

/// Writes the custom fields of an answer by name, if the caller asked for that.
///
/// A write that was carried out is not reported as a failure: its answer keeps the codes where the definitions cannot be read.
pub(in crate::runtime) async fn name_fields_or_warn(entry: &Entry, call: &Call<'_>, answer: Answer) -> Result<Answer, Error> {
    let how = match call.fields {
        FieldNames::Keys => return Ok(answer),
        FieldNames::Names => NamedFields::Instead,
        FieldNames::Both => NamedFields::Beside,
    };
    let (Some(plan), Some(words)) = (entry.field_plan(), call.connector.fields) else { return Ok(answer) };
    match write_names(call, plan, words, how, &answer.data).await {
        Ok(data) => Ok(Answer { data, ..answer }),
        Err(Stop::Failed(error)) if entry.effect() == Effect::Read => Err(error),
        Err(Stop::Failed(error)) => {
            call.session.doubt(CostBound::Open, "Definitions of custom fields could not be read: the call tries again.");
            call.warn(format!("The custom fields have their keys, since their definitions could not be read: {}", error.message()));
            Ok(answer)
        }
        Err(Stop::Planned(_)) => Err(Error::new(ErrorKind::Bug, "A dry run has no answer to name fields in.")),
    }
}

async fn write_names(call: &Call<'_>, plan: &FieldPlan, words: FieldWords, how: NamedFields, data: &RawJson) -> Result<RawJson, Stop> {
    let mut kept: Vec<Arc<Definitions>> = Vec::new();
    for of in plan.fields() {
        call.session.doubt(CostBound::Least, MAY_READ_AGAIN);
        kept.push(call.definitions(ListOf::from(*of)).await?);
    }
    let name = |kept: &[Arc<Definitions>]| {
        let sets: Vec<&FieldSet> = kept.iter().map(|kept| kept.fields(words)).collect();
        name_fields(plan, &sets, data, how)
    };
    let mut named = name(&kept);
    if !named.missed.is_empty() {
        let mut is_newer = false;
        for (at, of) in plan.fields().iter().enumerate() {
            if let Some(again) = call.definitions_after_miss(ListOf::from(*of), &kept[at], Missed::Shown(&named.missed)).await? {
                (kept[at], is_newer) = (again, true);
            }
        }
        if is_newer {
            named = name(&kept);
        }
    }
    Ok(named.data)
}
