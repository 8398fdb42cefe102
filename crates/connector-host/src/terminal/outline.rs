//! The outline of a schema: its members, each followed by those of the objects in it.

use serde_json::Value;

/// A member of an object.
#[derive(Debug)]
pub(crate) struct Member<'s> {
    pub(crate) name: &'s str,
    /// The names from the outermost member on, as `emails[].value`. `.*` stands for the key of an entry.
    pub(crate) path: String,
    /// The number of members that it lies in.
    pub(crate) depth: usize,
    pub(crate) schema: &'s Value,
    pub(crate) is_required: bool,
}

/// Lists the members of a schema with all that is nested in them.
///
/// `root` has the definitions. A member whose own members are told elsewhere is listed without them.
pub(crate) fn list_members<'s>(schema: &'s Value, root: &'s Value, is_told_elsewhere: &dyn Fn(&Value) -> bool) -> Vec<Member<'s>> {
    let mut outline = Outline { root, is_told_elsewhere, within: Vec::new(), found: Vec::new() };
    outline.add(schema, "", 0);
    outline.found
}

/// Returns the name of the definition that a schema refers to.
pub(crate) fn read_reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

struct Outline<'s, 'f> {
    root: &'s Value,
    is_told_elsewhere: &'f dyn Fn(&Value) -> bool,
    /// The definitions around the current place.
    within: Vec<&'s str>,
    found: Vec<Member<'s>>,
}

impl<'s> Outline<'s, '_> {
    /// Adds the members of an object, of the items of a list, or of the entries of an object by keys.
    fn add(&mut self, schema: &'s Value, path: &str, depth: usize) {
        if let Some(name) = read_reference(schema) {
            // A record may hold itself.
            if !self.within.contains(&name) {
                self.within.push(name);
                self.add(&self.root["$defs"][name], path, depth);
                self.within.pop();
            }
        } else if let Some(properties) = schema["properties"].as_object().filter(|properties| !properties.is_empty()) {
            let required = &schema["required"];
            for (name, member) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let is_required = required.as_array().is_some_and(|names| names.iter().any(|other| other == name));
                self.found.push(Member { name, path: path.clone(), depth, schema: member, is_required });
                if !(self.is_told_elsewhere)(member) {
                    self.add(member, &path, depth + 1);
                }
            }
        } else if schema["items"].is_object() {
            self.add(&schema["items"], &format!("{path}[]"), depth);
        } else if schema["additionalProperties"].is_object() {
            self.add(&schema["additionalProperties"], &format!("{path}.*"), depth);
        } else {
            self.add_parts(schema, path, depth);
        }
    }

    /// Adds the members of all parts of a record, and of the first of its alternatives that has any.
    fn add_parts(&mut self, schema: &'s Value, path: &str, depth: usize) {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.add(part, path, depth);
        }
        let before = self.found.len();
        for alternative in schema["anyOf"].as_array().into_iter().flatten() {
            self.add(alternative, path, depth);
            if self.found.len() > before {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn assert_paths(schema: &Value, is_told_elsewhere: &dyn Fn(&Value) -> bool, expected: &[&str]) {
        let members = list_members(schema, schema, is_told_elsewhere);
        assert_eq!(members.iter().map(|member| member.path.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn members_of_lists_objects_parts_and_alternatives_are_listed_in_place() {
        let schema = json!({
            "properties": {
                "emails": {"type": "array", "items": {"$ref": "#/$defs/Email"}},
                "totals": {"additionalProperties": {"properties": {"count": {}}}},
                "owner": {"anyOf": [{"type": "integer"}, {"allOf": [{"properties": {"id": {}}}, {"properties": {"name": {}}}]}, {"type": "null"}]},
            },
            "$defs": {"Email": {"properties": {"value": {}, "label": {}}}},
        });
        let all = ["emails", "emails[].value", "emails[].label", "totals", "totals.*.count", "owner", "owner.id", "owner.name"];
        assert_paths(&schema, &|_| false, &all);
        let is_list = |member: &Value| member["type"] == "array";
        assert_paths(&schema, &is_list, &["emails", "totals", "totals.*.count", "owner", "owner.id", "owner.name"]);
        let depths: Vec<usize> = list_members(&schema, &schema, &|_| false).iter().map(|member| member.depth).collect();
        assert_eq!(depths, [0, 1, 1, 0, 1, 0, 1, 1]);
    }

    #[test]
    fn record_that_holds_itself_is_listed_once() {
        let schema =
            json!({"$ref": "#/$defs/Part", "$defs": {"Part": {"properties": {"name": {}, "parts": {"items": {"$ref": "#/$defs/Part"}}}}}});
        assert_paths(&schema, &|_| false, &["name", "parts"]);
    }
}
