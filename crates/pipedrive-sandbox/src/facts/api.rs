//! Facts of Pipedrive's API documents: operations, their parameters, and the shapes of bodies and answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use http::StatusCode;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../../spec/pipedrive/api.json");

#[derive(Debug, Deserialize)]
pub(crate) struct Api {
    types: BTreeMap<String, Schema>,
    operations: Vec<Operation>,
    out_of_support: Vec<Retired>,
    /// The places of the operations whose paths have so many segments.
    #[serde(skip)]
    by_length: BTreeMap<usize, Vec<usize>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    pub(crate) method: String,
    /// The template, such as `/api/v2/deals/{id}`.
    pub(crate) path: String,
    pub(crate) id: String,
    status: String,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    pub(crate) cost: Option<u64>,
    #[serde(default)]
    pub(crate) path_params: Vec<Parameter>,
    #[serde(default)]
    pub(crate) query: Vec<Parameter>,
    pub(crate) body: Option<RequestBody>,
    #[serde(default)]
    answers: BTreeMap<String, Schema>,
    /// The fields that records carry only on request.
    #[serde(skip)]
    pub(crate) includable: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Retired {
    method: String,
    path: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) required: bool,
    /// Comma-separated.
    #[serde(default)]
    pub(crate) list: bool,
    /// Ignored when this other parameter is given.
    pub(crate) overridden_by: Option<String>,
    #[serde(flatten)]
    pub(crate) schema: Schema,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RequestBody {
    pub(crate) media: String,
    #[serde(flatten)]
    pub(crate) schema: Schema,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema {
    #[serde(rename = "$type")]
    named: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Kind>,
    #[serde(default)]
    pub(crate) nullable: bool,
    #[serde(default, rename = "enum")]
    pub(crate) values: Vec<Value>,
    pub(crate) format: Option<String>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    #[serde(default, deserialize_with = "deserialize_in_order")]
    pub(crate) properties: Vec<(String, Schema)>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    pub(crate) items: Option<Box<Schema>>,
    #[serde(default)]
    pub(crate) one_of: Vec<Schema>,
    /// Takes properties beside the named ones.
    #[serde(default)]
    pub(crate) open: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Array,
    Boolean,
    Integer,
    Number,
    Object,
    String,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "an array",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::String => "a string",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

pub(crate) enum Route {
    Found { operation: &'static Operation, variables: BTreeMap<&'static str, String> },
    Retired,
    OtherMethod,
    Unknown,
}

pub(crate) fn api() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| {
        let mut api: Api = serde_json::from_str(DOCUMENT).expect("the embedded document is of this shape");
        api.index();
        api
    })
}

impl Api {
    /// Finds once what each request would have to look for.
    fn index(&mut self) {
        let includable: Vec<_> = self.operations.iter().map(|operation| self.list_includable(operation)).collect();
        for (place, (operation, includable)) in self.operations.iter_mut().zip(includable).enumerate() {
            operation.includable = includable;
            self.by_length.entry(count_segments(&operation.path)).or_default().push(place);
        }
    }

    /// Finds the operation of a path. Literal segments beat variables.
    pub(crate) fn route(&'static self, method: &str, path: &str) -> Route {
        let path = if path.starts_with("/v1/") { format!("/api{path}") } else { path.to_owned() };
        let of_length = self.by_length.get(&count_segments(&path)).into_iter().flatten().map(|place| &self.operations[*place]);
        let found = of_length.filter(|o| o.method == method).filter_map(|o| Some((o, match_path(&o.path, &path)?)));
        if let Some((operation, variables)) = found.min_by_key(|(_, variables)| variables.len()) {
            if operation.status != "current" {
                return Route::Retired;
            }
            return Route::Found { operation, variables };
        }
        let retired = |r: &Retired| match_path(&r.path, &path).is_some();
        if self.out_of_support.iter().any(|r| r.method == method && retired(r)) {
            Route::Retired
        } else if self.operations.iter().any(|o| match_path(&o.path, &path).is_some()) || self.out_of_support.iter().any(retired) {
            Route::OtherMethod
        } else {
            Route::Unknown
        }
    }

    /// Follows references to a named type.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Schema) -> &'a Schema {
        let mut schema = schema;
        while let Some(next) = schema.named.as_ref().and_then(|name| self.types.get(name)) {
            schema = next;
        }
        schema
    }

    /// Finds the shape below `path`. An array on the way stands for its items.
    pub(crate) fn find_below<'a>(&'a self, schema: &'a Schema, path: &[&str]) -> Option<&'a Schema> {
        let mut schema = self.resolve_items(schema);
        for name in path {
            schema = self.resolve_items(schema.property(name)?);
        }
        Some(schema)
    }

    fn resolve_items<'a>(&'a self, schema: &'a Schema) -> &'a Schema {
        let schema = self.resolve(schema);
        schema.items.as_deref().map_or(schema, |items| self.resolve(items))
    }

    /// Finds the documented answer of an operation.
    pub(crate) fn find_answer(&self, method: &str, path: &str) -> Option<&Schema> {
        self.operations.iter().find(|o| o.method == method && o.path == path)?.success().1
    }

    /// Lists the fields that records carry only on request. They are documented with the list of the same records.
    fn list_includable(&self, operation: &Operation) -> Vec<String> {
        let path = operation.path.trim_end_matches("/{id}");
        let read = |o: &&Operation| o.method == "GET" && o.path == path;
        let reads = self.operations.iter().find(read);
        let names = reads.and_then(|o| o.parameter("include_fields")).map_or(&[][..], |p| &p.schema.values);
        names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Lists the paths of all operations, with their variables in braces.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.path.as_str())
    }

    #[cfg(test)]
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

impl Operation {
    pub(crate) fn version(&self) -> Version {
        if self.path.starts_with("/api/v2/") { Version::V2 } else { Version::V1 }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.query.iter().find(|p| p.name == name)
    }

    /// Returns the largest page of a list that silently reduces a larger `limit`. Other lists refuse one.
    pub(crate) fn most_on_a_page(&self) -> Option<usize> {
        const IN_PROSE: &[(&str, usize)] = &[("/api/v1/callLogs", 50)];
        let most = self.parameter("limit")?.schema.maximum;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "documented as 100")]
        let most = most.map(|most| most as usize);
        most.or_else(|| IN_PROSE.iter().find(|(path, _)| *path == self.path).map(|(_, most)| *most))
    }

    pub(crate) fn documents(&self, status: StatusCode) -> bool {
        self.answers.contains_key(status.as_str())
    }

    /// Returns the documented status of success, and the answer's shape.
    pub(crate) fn success(&self) -> (u16, Option<&Schema>) {
        self.answers
            .iter()
            .find_map(|(status, schema)| Some((status.parse().ok().filter(|s| (200..300).contains(s))?, Some(schema))))
            .unwrap_or((200, None))
    }
}

impl Schema {
    pub(crate) fn property(&self, name: &str) -> Option<&Schema> {
        self.properties.iter().find(|(n, _)| n == name).map(|(_, schema)| schema)
    }
}

fn count_segments(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

/// Reads the variables of a path, if it matches the template.
fn match_path<'t>(template: &'t str, path: &str) -> Option<BTreeMap<&'t str, String>> {
    let mut wanted = template.split('/');
    let mut given = path.split('/');
    let mut variables = BTreeMap::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(variables),
            (Some(want), Some(got)) => match want.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
                Some(_) if got.is_empty() => return None,
                Some(name) => {
                    let text = percent_encoding::percent_decode_str(got).decode_utf8().ok()?;
                    variables.insert(name, text.into_owned());
                }
                None if want == got => {}
                None => return None,
            },
            _ => return None,
        }
    }
}

/// Deserializes properties in the document's order, which is also the order of answers.
fn deserialize_in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Schema)>, D::Error> {
    struct InOrder;
    impl<'de> Visitor<'de> for InOrder {
        type Value = Vec<(String, Schema)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("properties")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(entry) = map.next_entry()? {
                all.push(entry);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_map(InOrder)
}
