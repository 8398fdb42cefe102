//! Faults that a vendor found, led into the input as the caller gave it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::declare::fields::Naming;
use crate::exchange::fault_paths::{lead_into_given, list_codes};
use crate::runtime::call::Call;
use crate::runtime::catalogue::Entry;
use crate::runtime::deadline::Deadline;
use crate::runtime::naming::definitions::ListOf;
use crate::value::error::Error;
use crate::value::fault::Fault;

/// Leads the faults of a refusal into the input as the caller gave it, with its names of custom fields.
///
/// The call is the one before its names were resolved. Any other error stays as it is.
pub(in crate::runtime) async fn lead_faults(entry: &Entry, call: &Call<'_>, deadline: &Deadline<'_>, error: Error) -> Error {
    if error.upstream().is_none() || error.faults().is_empty() {
        return error;
    }
    let mut given = call.input().clone();
    given.extend(call.checked.taken.iter().map(|taken| (taken.field.name.to_owned(), taken.given.clone())));
    // Without the names the codes stay: a refusal is not hidden by another failure.
    let names = deadline.enforce(async { Ok(find_names(entry, call, &given, error.faults()).await) }).await.unwrap_or_default();
    let fields = entry.fields();
    let lead = |fault: &Fault| fault.clone().moved_to(lead_into_given(fault.path(), &given, &fields, &names));
    let faults = error.faults().iter().map(lead).collect();
    error.with_faults(faults)
}

/// Finds the names that the caller gave to the custom fields which faults name by their codes.
///
/// Their definitions were read to resolve the names, and are kept.
async fn find_names(entry: &Entry, call: &Call<'_>, given: &Map<String, Value>, faults: &[Fault]) -> HashMap<String, String> {
    let mut names = HashMap::new();
    let Some(words) = call.connector.fields else { return names };
    let fields = entry.fields();
    for (input, code) in list_codes(faults.iter().map(Fault::path), given) {
        let naming = fields.iter().find(|field| field.name == input).and_then(|field| field.shape.naming);
        let (Some(Naming::Values(of, _)), Some(members)) = (naming, given[input].as_object()) else { continue };
        let Ok(known) = call.definitions(ListOf::from(of)).await else { continue };
        let set = known.fields(words);
        let Some(owner) = set.find_owner(code) else { continue };
        let is_owner = |name: &&String| set.find_custom(name).is_ok_and(|field| field.code == owner.code);
        names.extend(members.keys().find(is_owner).map(|name| (code.to_owned(), name.clone())));
    }
    names
}
