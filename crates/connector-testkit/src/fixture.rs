//! Fixtures: for each key an input, what came back for it, and what reads a write back.

use std::path::Path;

use serde_json::{Map, Value, json};

/// The members that a fixture may have.
const MEMBERS: [&str; 5] = ["input", "data", "more", "then", "untried"];

/// The content of `<key>.json`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fixture {
    /// The key of the action or data source.
    pub key: &'static str,
    /// An input.
    pub input: Value,
    /// The data that came back for the input.
    pub data: Value,
    /// Further inputs that go together.
    pub more: Vec<Value>,
    /// The action and the input that read a write back, and the data to find there.
    pub then: Value,
    /// The inputs that the vendor's server cannot serve, each with the reason.
    pub untried: Map<String, Value>,
}

impl Fixture {
    /// Reads the fixture of a key, or says what is wrong with it.
    pub(crate) fn read(file: &Path, key: &'static str) -> Result<Self, String> {
        let explain = |fault: String| format!("{}: {fault}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| explain(error.to_string()))?;
        Self::parse(&text, key).map_err(explain)
    }

    fn parse(text: &str, key: &'static str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let Value::Object(mut members) = value else { return Err("it is not a JSON object".to_owned()) };
        // A misspelt member would be lost when the fixture is rewritten.
        if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(format!("{unknown:?} is no member of a fixture; write one of {}", MEMBERS.join(", ")));
        }
        let mut take = |name: &str| members.remove(name).unwrap_or_default();
        let (input, data, then) = (take("input"), take("data"), take("then"));
        if !input.is_object() {
            return Err("its \"input\" is not an object of inputs by name".to_owned());
        }
        let more = match take("more") {
            Value::Null => Vec::new(),
            Value::Array(more) => more,
            _ => return Err("its \"more\" is not a list of inputs".to_owned()),
        };
        let untried = match take("untried") {
            Value::Null => Map::new(),
            Value::Object(untried) => untried,
            _ => return Err("its \"untried\" is not an object of reasons by input".to_owned()),
        };
        Ok(Self { key, input, data, more, then, untried })
    }

    /// Returns the first input in `"<next of {…}>"`, where that stands for the cursor of an input.
    pub(crate) fn find_first_input(input: &Value) -> Option<&str> {
        input["cursor"].as_str()?.strip_prefix("<next of ")?.strip_suffix('>')
    }

    /// Lists all inputs of the fixture.
    pub fn inputs(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.input).chain(&self.more)
    }

    /// Writes the fixture with other data, in one step: other tests read it at the same time.
    pub(crate) fn write(&self, file: &Path, data: &Value) {
        let mut members = json!({"input": self.input, "data": data});
        if !self.more.is_empty() {
            members["more"] = self.more.clone().into();
        }
        if !self.then.is_null() {
            members["then"] = self.then.clone();
        }
        if !self.untried.is_empty() {
            members["untried"] = self.untried.clone().into();
        }
        let text = serde_json::to_string_pretty(&members).expect("a fixture is JSON") + "\n";
        let hidden = file.with_file_name(format!(".{}.new", self.key));
        let written = std::fs::write(&hidden, text).and_then(|()| std::fs::rename(&hidden, file));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_member_that_would_be_lost_or_misread() {
        let whole = r#"{"input": {}, "data": [], "more": [{}], "then": {}, "untried": {}}"#;
        assert_eq!(Fixture::parse(whole, "getThing").map(|fixture| fixture.inputs().count()), Ok(2));
        for (text, fault) in [
            (r#"{"input": {}, "extra": []}"#, "\"extra\" is no member of a fixture; write one of input, data, more, then, untried"),
            (r#"{"data": []}"#, "its \"input\" is not an object of inputs by name"),
            (r#"{"input": {}, "more": {}}"#, "its \"more\" is not a list of inputs"),
            (r#"{"input": {}, "untried": []}"#, "its \"untried\" is not an object of reasons by input"),
            ("[]", "it is not a JSON object"),
            ("{", "it is not JSON: EOF while parsing an object at line 1 column 1"),
        ] {
            assert_eq!(Fixture::parse(text, "getThing").map(|_| ()), Err(fault.to_owned()), "{text}");
        }
    }
}
