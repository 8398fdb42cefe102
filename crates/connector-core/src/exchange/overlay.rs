//! Inputs that are set one by one, over those that an invocation has.

use serde_json::{Map, Value};

use crate::value::error::{Error, ErrorKind};
use crate::value::invocation::{Invocation, explain_not_json};
use crate::value::pointer::escape_segment;
use crate::value::strict::{find_private, read_strictly};
use crate::value::wording::quote;

impl Invocation {
    /// Sets an input, or a member within an input that is an object. What stands beside it stays.
    ///
    /// Fails where the path leads through what is no object.
    pub fn overlay(mut self, path: &[String], value: Value) -> Result<Self, Error> {
        let Some((last, parents)) = path.split_last() else { return Ok(self) };
        for name in path {
            find_private(name, &value, &mut self.faults, &path[0]);
        }
        let mut members = &mut self.input;
        for (depth, name) in parents.iter().enumerate() {
            members = match members.entry(name.clone()).or_insert_with(|| Map::new().into()) {
                Value::Object(inner) => inner,
                _ => {
                    let outer = path[..=depth].join(".");
                    let message = format!("The input `{outer}` is no object, so that it has no member {}.", quote(&path[depth + 1]));
                    return Err(Error::new(ErrorKind::InvalidInvocation, message).with_hint(format!("Give `{outer}` once, as a whole.")));
                }
            };
        }
        members.insert(last.clone(), value);
        Ok(self)
    }

    /// Sets an input, or a member within it, from JSON text that is read as strictly as an invocation.
    pub fn overlay_json(self, path: &[String], text: &[u8]) -> Result<Self, Error> {
        let (value, faults) = read_strictly(text).map_err(|error| explain_not_json("value", text, &error))?;
        let at = path.iter().fold(String::new(), |at, name| at + "/" + &escape_segment(name));
        let mut overlaid = self.overlay(path, value)?;
        let moved = faults.into_iter().map(|fault| {
            let path = format!("{at}{}", fault.path());
            fault.moved_to(path)
        });
        overlaid.faults.extend(moved);
        Ok(overlaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::fault::Fault;

    #[test]
    fn overlay_keeps_what_stands_beside_it() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let given = Invocation::new("x").input(serde_json::json!({"a": {"b": 1}, "c": 2}));
        let set = given.overlay(&path("a.d"), "text".into()).expect("a is an object");
        let set = set.overlay_json(&path("e.f"), b"[1, null]").expect("it is JSON");
        assert_eq!(Value::Object(set.input.clone()), serde_json::json!({"a": {"b": 1, "d": "text"}, "c": 2, "e": {"f": [1, null]}}));
        let error = set.clone().overlay(&path("c.d"), Value::Null).expect_err("c is a number");
        assert!(error.to_string().contains("`c` is no object"), "{error}");
        let doubled = set.overlay_json(&path("a.g"), br#"{"h": 1, "h": 2}"#).expect("it is JSON");
        assert_eq!(doubled.faults.iter().map(Fault::path).collect::<Vec<_>>(), ["/a/g/h"]);
    }
}
