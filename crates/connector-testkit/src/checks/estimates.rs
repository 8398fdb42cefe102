//! The estimate of every fixture, beside what the call after it cost.

use connector_core::declare::{Declaration, Effect};
use connector_core::embed::Connections;
use connector_core::run::{FieldNames, Invocation};
use serde_json::{Value, json};

use crate::checks::answers::fill_cursor;
use crate::kit::{Kit, find_entry, is_upsert};
use crate::report::assert_none;
use crate::trial::Trial;

/// A way in which an input is called.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// As it is, which an estimate is certain of.
    Plain,
    /// As it is, in an upsert: what it costs depends on what it finds.
    Upsert,
    /// With the names of custom fields.
    Named,
    /// As a list that is read whole.
    Whole,
    /// As a list of at most three records.
    Short,
}

impl Kit {
    /// Estimates every input of every fixture over HTTP, then makes the call, and compares what it cost.
    ///
    /// An estimate of a single call is certain. One of an upsert, of a list that is read whole, or of custom fields by name, need not
    /// be, but is never wrong about what it says: the most, or the least. [`Kit::check_answers`] tells of `connect`.
    pub async fn check_estimates<C: Connections + 'static>(&self, connect: impl AsyncFn() -> C) {
        let catalogue = self.build_catalogue();
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            let entry = find_entry(&catalogue, fixture.key);
            let is_list = entry.effect() == Effect::Read && entry.declaration().is_none_or(Declaration::is_list);
            for input in fixture.inputs() {
                let ways: &[Way] = if is_upsert(entry) {
                    &[Way::Upsert]
                } else if is_list {
                    &[Way::Plain, Way::Named, Way::Whole, Way::Short]
                } else {
                    &[Way::Plain, Way::Named]
                };
                let mut trial = Trial::new(self, connect().await);
                for way in ways {
                    let difference = match fill_cursor(&trial, &fixture, input).await {
                        Ok(input) => find_difference(&trial, *way, Invocation::new(fixture.key).input(input)).await,
                        Err(fault) => Some(fault),
                    };
                    if entry.effect() != Effect::Read {
                        trial = Trial::new(self, connect().await);
                    }
                    found.extend(difference.map(|difference| format!("{}: {way:?}: {input}: {difference}", fixture.key)));
                }
            }
        }
        assert_none(&found, "code sends its own request last, by `send` or `send_instead`, and what it reads before that by `send_helper`");
    }
}

/// Estimates a call, makes it, and says what they differ in.
async fn find_difference(trial: &Trial, way: Way, invocation: Invocation) -> Option<String> {
    let invocation = match way {
        Way::Plain | Way::Upsert => invocation,
        Way::Named => invocation.fields(FieldNames::Names),
        Way::Whole => invocation.all_pages(None),
        Way::Short => invocation.all_pages(3),
    };
    let estimated = trial.run(invocation.clone().estimate()).await;
    let made = trial.run(invocation).await;
    compare(way, &estimated, &made).map(|fault| {
        format!("{fault}: {} estimated, {} made", estimated, json!({"ok": made["ok"], "error": made["error"], "meta": made["meta"]}))
    })
}

fn compare(way: Way, estimated: &Value, made: &Value) -> Option<&'static str> {
    if estimated["ok"] != made["ok"] {
        return Some("one of them fails");
    }
    if estimated["ok"] != true {
        return (estimated["error"] != made["error"]).then_some("they fail otherwise");
    }
    let [requests, tokens] = ["requests", "tokens"].map(|name| (estimated["data"][name].as_u64(), made["meta"][name].as_u64()));
    let (is_file, is_certain) = (made["data"]["contentType"].is_string(), estimated["data"]["certain"] == true);
    match estimated["data"]["bound"].as_str() {
        // The redirects of a file cost nothing.
        None if is_certain && is_file => (tokens.0 != tokens.1).then_some("the tokens differ"),
        None if is_certain => (requests.0 != requests.1 || tokens.0 != tokens.1).then_some("they differ"),
        _ if matches!(way, Way::Plain) => Some("it is not certain"),
        Some("most") => (requests.0 < requests.1 || tokens.0 < tokens.1).then_some("it is too low for the most"),
        Some("least") => (requests.0 > requests.1 || tokens.0 > tokens.1).then_some("it is too high for the least"),
        _ => Some("it says nothing"),
    }
}
