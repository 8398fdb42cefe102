//! The flat view loses nothing, and the record view changes no byte: data of every shape, in both views.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use connector_core::declare::{Declaration, Envelope, Method};
use connector_core::run::{Entry, Invocation, View};
use serde_json::{Map, Value, json};

use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry};
use crate::loopback::serve;
use crate::report::assert_none;
use crate::trial::Trial;

/// The answers that are tried for each action.
const ROUNDS: usize = 4;

impl Kit {
    /// Serves data of every shape, with members that no record declares, and compares both views of it.
    ///
    /// The record view is what the vendor sent, to the byte. In the flat view each value is still there. No server of the vendor is
    /// needed: the data are those of the fixtures, changed, in the envelope that the action declares.
    pub async fn check_flat_view(&self) {
        let body = Arc::new(Mutex::new(String::new()));
        let served = Arc::clone(&body);
        let url = serve(move |_, _| ("200 OK", served.lock().expect("no test panics while it writes a body").clone())).await;
        let trial = Trial::at(self, &url);
        let catalogue = self.build_catalogue();
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            let entry = find_entry(&catalogue, fixture.key);
            let Some(declaration) = entry.declaration() else { continue };
            if !answers_its_own_data(&trial, entry, &fixture).await {
                continue;
            }
            for _ in 0..ROUNDS {
                let data = random.change(&fixture.data, 0);
                let envelope = declaration.envelope.unwrap_or(&self.connector.envelope);
                body.lock().expect("no test panics while it writes a body").clone_from(&wrap(envelope, &data));
                if let Err(fault) = compare_views(&trial, &fixture, &data).await {
                    found.push(format!("{}: {fault}", fixture.key));
                }
            }
        }
        assert_none(&found, "correct the view, which must not lose a value or change what the vendor sent");
    }
}

/// Returns true for an action whose data is the answer to its one request.
async fn answers_its_own_data(trial: &Trial, entry: &Entry, fixture: &Fixture) -> bool {
    let has_body = |declaration: &Declaration| {
        declaration.endpoint.is_some_and(|endpoint| endpoint.method != Method::Head) && !declaration.returns.is_file()
    };
    let is_parts = fixture.data.is_object() || fixture.data.is_array();
    if !is_parts || !entry.declaration().is_some_and(has_body) {
        return false;
    }
    // An action that begins with a helper composes its data of several answers.
    let outcome = trial.dry_run(fixture.key, fixture.input.clone()).await;
    outcome["data"][0].get("helper").is_none()
}

/// Writes a response body whose data is a JSON text.
fn wrap(envelope: &Envelope, data: &str) -> String {
    let names = envelope.data.strip_prefix('/').into_iter().flat_map(|path| path.rsplit('/'));
    let names = names.map(|name| name.replace("~1", "/").replace("~0", "~"));
    let body = names.fold(data.to_owned(), |body, name| format!("{{{}:{body}}}", json!(name)));
    match (envelope.success, body.strip_prefix('{')) {
        (Some(success), Some(members)) => format!("{{{}:true,{members}", json!(success)),
        _ => body,
    }
}

/// Fails if the record view differs from what was sent, or the flat view lacks a value of it.
async fn compare_views(trial: &Trial, fixture: &Fixture, data: &str) -> Result<(), String> {
    let mut texts = Vec::new();
    for view in View::ALL {
        let outcome = trial.run_raw(Invocation::new(fixture.key).input(fixture.input.clone()).view(view)).await;
        let text = outcome.data().map(|data| data.as_str().to_owned());
        texts.push(text.ok_or_else(|| format!("in the {view:?} view\n{data}\ngives {outcome:?}"))?);
    }
    if texts[0] != data {
        return Err(format!("the record view of\n{data}\nis\n{}", texts[0]));
    }
    find_loss(&texts[0], &texts[1]).map_or(Ok(()), Err)
}

/// Says which text, number, null or boolean of the record view is missing in the flat view.
fn find_loss(record: &str, flat: &str) -> Option<String> {
    if let Err(error) = serde_json::from_str::<Value>(flat) {
        return Some(format!("{error} in {flat}"));
    }
    let (before, after) = (count_leaves(record), count_leaves(flat));
    before.iter().find_map(|(leaf, count)| {
        let now = after.get(leaf).copied().unwrap_or(0);
        (now < *count).then(|| format!("{leaf} is there {count} times in\n{record}\nand {now} times in\n{flat}"))
    })
}

/// Counts the values of a JSON text that have no parts. Booleans, and the 0 and 1 that become some, count as one.
fn count_leaves(text: &str) -> BTreeMap<String, usize> {
    let mut leaves = BTreeMap::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| !matches!(letter, '{' | '}' | '[' | ']' | ',' | ':' | ' ' | '\t')) {
        rest = &rest[start..];
        let end = if rest.starts_with('"') {
            let mut quoted = rest.char_indices().skip(1);
            loop {
                match quoted.next().expect("a text ends with a quote") {
                    (_, '\\') => drop(quoted.next()),
                    (at, '"') => break at + 1,
                    _ => {}
                }
            }
        } else {
            rest.find([',', '}', ']', ' ', '\t']).unwrap_or(rest.len())
        };
        let (leaf, after) = rest.split_at(end);
        rest = after;
        if !(leaf.starts_with('"') && after.trim_start().starts_with(':')) {
            let leaf = if matches!(leaf, "true" | "false" | "0" | "1") { "a boolean" } else { leaf };
            *leaves.entry(leaf.to_owned()).or_default() += 1;
        }
    }
    leaves
}

/// Numbers that look random and are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("it has 31 bits") % most
    }

    /// Writes a value with other leaves, members that no record declares, and spaces.
    fn change(&mut self, value: &Value, depth: usize) -> String {
        const LEAVES: [&str; 12] = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-0.10",
            "1e-7",
            "12345678901234567890123",
            r#""""#,
            r#""a \" \\ {b: [\u00e9""#,
            "\"größe\"",
            r#""2026-01-31""#,
        ];
        let space = [" ", "", "", "\t"][self.below(4)];
        match value {
            Value::Object(members) => {
                let mut written: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}{space}:{space}{}", json!(name), self.change(value, depth + 1)))
                    .collect();
                if depth < 4 && self.below(3) == 0 {
                    let unknown = self.write_unknown(depth);
                    let at = self.below(written.len() + 1);
                    written.insert(at, unknown);
                }
                format!("{{{space}{}{space}}}", written.join(","))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.change(item, depth + 1)).collect();
                format!("[{space}{}]", items.join(", "))
            }
            _ if self.below(3) == 0 => LEAVES[self.below(LEAVES.len())].to_owned(),
            _ => value.to_string(),
        }
    }

    fn write_unknown(&mut self, depth: usize) -> String {
        const NAMES: [&str; 10] =
            ["new_member", "newMember", "x", "Größe_neu", "email", "is_deleted", "active_flag", "address", "a\\u005fb", "results"];
        let mut nested = Map::new();
        for _ in 0..self.below(4) {
            nested.insert(NAMES[self.below(NAMES.len())].to_owned(), json!([7]));
        }
        format!("\"{}\":{}", NAMES[self.below(NAMES.len())], self.change(&nested.into(), depth + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_that_is_missing_in_the_flat_view_is_found() {
        for (record, flat, lost) in [
            (r#"{"a_b": 1, "c": [true, null]}"#, r#"{"aB": true, "c": [false, null]}"#, None),
            (r#"{"a": "x", "b": "x"}"#, r#"{"a": "x"}"#, Some("\"x\" is there 2 times")),
            (r#"{"a": 1.50}"#, r#"{"a": 1.5}"#, Some("1.50 is there 1 times")),
            (r#"{"a": null}"#, "{}", Some("null is there 1 times")),
            (r#"{"a": "\" , x"}"#, r#"{"a": "\" , x"}"#, None),
            ("[]", "[", Some("EOF while parsing a list")),
        ] {
            let found = find_loss(record, flat);
            let is_right = match (&found, lost) {
                (None, None) => true,
                (Some(found), Some(lost)) => found.starts_with(lost),
                _ => false,
            };
            assert!(is_right, "{record} {flat}: {found:?}");
        }
    }

    #[test]
    fn body_has_the_data_where_the_envelope_says() {
        let confirmed = Envelope::at("/data").with_success("ok");
        for (envelope, body) in
            [(Envelope::BARE, "[1]"), (Envelope::at("/a/b~1c"), r#"{"a":{"b/c":[1]}}"#), (confirmed, r#"{"ok":true,"data":[1]}"#)]
        {
            assert_eq!(wrap(&envelope, "[1]"), body);
        }
    }

    #[test]
    fn changed_data_is_json_with_members_that_no_record_declares() {
        let mut random = Random(7);
        let texts: Vec<String> = (0..50).map(|_| random.change(&json!({"a": [{"b": "c"}]}), 0)).collect();
        let values: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).expect("it is JSON")).collect();
        assert!(values.iter().any(|value| value.as_object().is_some_and(|members| members.len() > 1)));
        assert!(values.iter().any(|value| value["a"][0]["b"] == "c") && values.iter().any(|value| value["a"][0]["b"] != "c"));
    }
}
