//! The answers to every fixture in the flat view.

use connector_core::embed::Connections;
use connector_core::run::{Invocation, View};
use serde_json::{Value, json};

use crate::checks::answers::find_misfits;
use crate::kit::{Kit, find_entry};
use crate::report::assert_none;
use crate::trial::Trial;

/// The members of a list in the flat view.
const PAGE_MEMBERS: [&str; 4] = ["results", "hasMore", "nextCursor", "nextStart"];

impl Kit {
    /// Invokes every fixture over HTTP in the flat view, whose data fits the schema `outputFlat`.
    ///
    /// A list, and nothing else, has its page in it, and each name is in camelCase but the keys of custom fields.
    /// [`Kit::check_answers`] tells of `connect`.
    pub async fn check_flat_answers<C: Connections + 'static>(&self, connect: impl AsyncFn() -> C) {
        let catalogue = self.build_catalogue();
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            let described = find_entry(&catalogue, fixture.key).describe(|_| None);
            let trial = Trial::new(self, connect().await);
            let outcome = trial.run(Invocation::new(fixture.key).input(fixture.input.clone()).view(View::Flat)).await;
            let faults = find_faults_of_view(described.get("outputFlat"), &outcome, self.connector.flat.is_custom_key);
            found.extend(faults.into_iter().map(|fault| format!("{}: {fault}", fixture.key)));
        }
        assert_none(&found, "declare the member in its #[record], so that the flat view knows it");
    }
}

/// Lists the faults of an outcome that should be in the flat view, if its entry has one.
fn find_faults_of_view(output: Option<&Value>, outcome: &Value, is_custom: fn(&str) -> bool) -> Vec<String> {
    let Some(output) = output else {
        let has_view = !outcome["meta"]["view"].is_null();
        return has_view.then(|| format!("it has one view, and its outcome names another: {outcome}")).into_iter().collect();
    };
    if (&outcome["ok"], &outcome["meta"]["view"]) != (&json!(true), &json!("flat")) {
        return vec![format!("it fails in the flat view: {outcome}")];
    }
    let data = &outcome["data"];
    let mut found: Vec<String> =
        find_misfits(output, data).into_iter().map(|misfit| format!("it does not fit outputFlat: {misfit}")).collect();
    let is_framed = PAGE_MEMBERS.iter().all(|name| data.get(name).is_some());
    if is_framed != outcome.get("page").is_some() {
        found.push(format!("a list, and nothing else, has {} in it: {outcome}", PAGE_MEMBERS.join(", ")));
    }
    find_unchanged_names(data, "", is_custom, &mut found);
    found
}

/// Finds names that are not in camelCase, except the keys of custom fields and all below them, which are data.
fn find_unchanged_names(data: &Value, at: &str, is_custom: fn(&str) -> bool, found: &mut Vec<String>) {
    match data {
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| !is_custom(name)) {
                if name.contains('_') {
                    found.push(format!("the name {at}/{name} is not in camelCase"));
                }
                find_unchanged_names(value, &format!("{at}/{name}"), is_custom, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_unchanged_names(item, at, is_custom, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(output: Option<&Value>, outcome: &Value) -> Vec<String> {
        find_faults_of_view(output, outcome, |name| name.starts_with("cf_"))
    }

    #[test]
    fn outcome_of_another_view_is_found() {
        let (flat, record) = (json!({"ok": true, "data": {}, "meta": {"view": "flat"}}), json!({"ok": true, "data": {}, "meta": {}}));
        assert_eq!((find(Some(&json!({})), &flat), find(None, &record)), (vec![], vec![]));
        assert!(find(Some(&json!({})), &record)[0].starts_with("it fails in the flat view"));
        assert!(find(None, &flat)[0].starts_with("it has one view"));
    }

    #[test]
    fn page_belongs_into_a_list_alone() {
        let list = json!({"results": [], "hasMore": false, "nextCursor": null, "nextStart": null});
        for (data, page, is_fault) in [(&list, true, false), (&list, false, true), (&json!({}), true, true), (&json!({}), false, false)] {
            let mut outcome = json!({"ok": true, "data": data, "meta": {"view": "flat"}});
            if page {
                outcome["page"] = json!({});
            }
            assert_eq!(find(Some(&json!({})), &outcome).len(), usize::from(is_fault), "{outcome}");
        }
    }

    #[test]
    fn names_are_in_camel_case_but_those_of_custom_fields() {
        let data = json!({"aB": [{"a__b": 1, "cf_a": {"c_d": 2}}]});
        let outcome = json!({"ok": true, "data": data, "meta": {"view": "flat"}});
        assert_eq!(find(Some(&json!({})), &outcome), ["the name /aB/a__b is not in camelCase"]);
    }
}
