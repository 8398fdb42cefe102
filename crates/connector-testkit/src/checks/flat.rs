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
            let faults = self.find_faults_of_view(described.get("outputFlat"), &outcome);
            found.extend(faults.into_iter().map(|fault| format!("{}: {fault}", fixture.key)));
        }
        assert_none(&found, "declare the member in its #[record], so that the flat view knows it");
    }

    /// Lists the faults of an outcome that should be in the flat view, if its entry has one.
    fn find_faults_of_view(&self, output: Option<&Value>, outcome: &Value) -> Vec<String> {
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
        self.find_unchanged_names(data, "", &mut found);
        found
    }

    /// Finds names that are not in camelCase, except the keys of custom fields and all below them, which are data.
    fn find_unchanged_names(&self, data: &Value, at: &str, found: &mut Vec<String>) {
        match data {
            Value::Object(members) => {
                let is_custom = |name: &str| (self.connector.flat.is_custom_key)(name);
                for (name, value) in members.iter().filter(|(name, _)| !is_custom(name)) {
                    if name.contains('_') {
                        found.push(format!("the name {at}/{name} is not in camelCase"));
                    }
                    self.find_unchanged_names(value, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.find_unchanged_names(item, at, found)),
            _ => {}
        }
    }
}
