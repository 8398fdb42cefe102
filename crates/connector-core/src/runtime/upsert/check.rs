//! Checks of an upsert's declaration, when the catalogue is built.

use crate::declare::action::{Declaration, Upsert};
use crate::declare::field::Place;
use crate::declare::match_key::{MATCH_BY, MatchKind};
use crate::runtime::derived::DerivedSource;
use crate::value::error::{Error, ErrorKind};

/// Checks that an upsert has what it needs: a search, a read, `matchBy`, and inputs that its actions take.
pub(in crate::runtime) fn check_upsert(declaration: &Declaration, upsert: &Upsert, source: &DerivedSource) -> Result<(), Error> {
    let fault = |what: String, hint: &str| {
        Err(Error::new(ErrorKind::Bug, format!("The upsert {} {what}: at {}.", declaration.key, declaration.line)).with_hint(hint))
    };
    let (Some(search), Some(read)) = (source.derivation().search, source.derivation().read) else {
        return fault(
            format!("finds records by {}, which does not search and read", upsert.source),
            "Give the data source `search(…)` and `read(…)`.",
        );
    };
    if !declaration.fields().any(|field| field.name == MATCH_BY && field.place == Place::Own && field.shape.required) {
        return fault(format!("has no input `{MATCH_BY}`"), "Add `#[own] match_by: MatchBy`.");
    }
    let (add, update) = ((upsert.add)(), (upsert.update)());
    for field in declaration.fields().filter(|field| field.name != MATCH_BY) {
        let is_other = |action: &Declaration| action.fields().any(|known| known.name == field.name && known.wire != field.wire);
        if !add.fields().any(|known| known.name == field.name) || is_other(add) || is_other(update) {
            let what = format!("takes `{}`, which {} does not take so", field.name, add.key);
            return fault(what, "Take the input out: an upsert takes what the action that adds takes.");
        }
    }
    for key in upsert.keys.iter().filter(|key| !matches!(key.kind, MatchKind::Custom(_) | MatchKind::Refused(_))) {
        if !declaration.fields().any(|field| field.wire == key.member) {
            return fault(format!("matches by `{}`, and has no input for `{}`", key.word, key.member), "Name the member of an input.");
        }
    }
    for (name, _) in upsert.keys.iter().flat_map(|key| key.narrowed) {
        if !search().fields().any(|field| field.name == *name) {
            return fault(format!("gives `{name}`, an input that {} does not have", search().key), "Correct `narrowed_by`.");
        }
    }
    for scopes in [search(), read(), add, update].into_iter().flat_map(Declaration::scope_lists) {
        if !declaration.scope_lists().any(|own| own == scopes) {
            return fault(format!("does not name the scopes {}", scopes.join(" or ")), "Give each list of its actions in `scopes_all`.");
        }
    }
    Ok(())
}
