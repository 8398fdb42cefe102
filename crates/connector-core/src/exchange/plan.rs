//! Plans of the flat view: the schema of an answer, compiled for a walk over its bytes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::answer::Envelope;
use crate::declare::fields::FieldWords;
use crate::declare::flat::{FlatWords, join_names};
use crate::declare::shape::{FLAT_RULES, find_fields, find_records};
use crate::exchange::schema;

/// The plan of an action's answer in the flat view.
#[derive(Debug)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    pub(crate) root: NodeId,
    pub(crate) words: &'static FlatWords,
    /// The shape of the body, if the answer is a list.
    pub(crate) list: Option<&'static Envelope>,
}

/// The place of a node in a plan.
pub(crate) type NodeId = usize;

/// The shape of a value.
#[derive(Debug)]
pub(crate) enum Node {
    /// A value that is passed on as it is.
    Raw,
    /// A value of unknown shape: its names become camelCase.
    Any,
    /// An object whose names are data.
    Map(NodeId),
    /// A list.
    List(NodeId),
    /// A record.
    Record(RecordPlan),
}

/// The plan of a record.
#[derive(Debug, Default)]
pub(crate) struct RecordPlan {
    pub(crate) members: Vec<MemberPlan>,
    /// All names that the members have in the flat view, sorted.
    pub(crate) names: Vec<String>,
}

/// The plan of a member.
#[derive(Debug)]
pub(crate) struct MemberPlan {
    /// The vendor's name.
    pub(crate) source: String,
    /// The name in the flat view.
    pub(crate) name: String,
    /// The same as JSON, with its colon.
    pub(crate) key: Vec<u8>,
    pub(crate) change: PlannedChange,
    pub(crate) child: NodeId,
    /// `true` if the member is null where the vendor leaves it out, so that all records have one shape.
    pub(crate) is_filled: bool,
}

/// The change to a member. A name that stands beside it is JSON with its colon.
#[derive(Debug)]
pub(crate) enum PlannedChange {
    None,
    Not,
    Flag,
    Primary(Vec<u8>),
    Id(Vec<u8>),
    /// The object's value, which becomes the text, and its other members under their joined names.
    Parts {
        parts: NodeId,
    },
}

/// The number of members of a record that can be filled.
pub(crate) const MOST_FILLED: usize = 128;
/// The node of a value whose shape no record declares.
pub(crate) const ANY: NodeId = 0;
/// The node of a value that no view changes.
pub(crate) const RAW: NodeId = 1;

impl Plan {
    /// Compiles the plan of an action's answer.
    pub(crate) fn build(declaration: &Declaration) -> Self {
        let words = &declaration.connector.flat;
        let schema = schema::build_flat_record(declaration);
        let no_defs = Map::new();
        let defs = schema["$defs"].as_object().unwrap_or(&no_defs);
        let fields = declaration.connector.fields;
        let mut planner = Planner { nodes: vec![Node::Any, Node::Raw], known: HashMap::new(), defs, words, fields };
        let root = planner.plan(&schema);
        let list = declaration.is_list().then_some(declaration.envelope());
        Self { nodes: planner.nodes, root, words, list }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the node of the items of a list. A list where a record was declared holds such records.
    pub(crate) fn item(&self, id: NodeId) -> NodeId {
        match self.node(id) {
            Node::List(item) => *item,
            Node::Record(_) => id,
            Node::Map(_) | Node::Any => ANY,
            Node::Raw => RAW,
        }
    }

    /// Returns the node of a record's member.
    pub(crate) fn member(&self, id: NodeId, source: &str) -> NodeId {
        match self.node(id) {
            Node::Record(record) => record.members.iter().find(|member| member.source == source).map_or(ANY, |member| member.child),
            _ => ANY,
        }
    }
}

struct Planner<'a> {
    nodes: Vec<Node>,
    /// The nodes that are planned, by the schemas of their records: a record may hold itself.
    known: HashMap<Vec<*const Value>, NodeId>,
    defs: &'a Map<String, Value>,
    words: &'static FlatWords,
    fields: Option<FieldWords>,
}

impl<'a> Planner<'a> {
    fn plan(&mut self, schema: &'a Value) -> NodeId {
        let records: Vec<&Value> = find_records(schema, self.defs).into_iter().filter(|record| record.get(FLAT_RULES).is_some()).collect();
        if !records.is_empty() {
            let same = records.iter().map(|record| std::ptr::from_ref(*record)).collect();
            if let Some(known) = self.known.get(&same) {
                return *known;
            }
            let id = self.add(Node::Any);
            self.known.insert(same, id);
            // A record of one of several shapes is not filled with the members of the others.
            let is_alternative = records.len() > 1 && schema.get("anyOf").is_some();
            let mut plan = self.plan_record(&records, is_alternative);
            if find_fields(schema).is_some() {
                self.plan_named_fields(&mut plan);
            }
            plan.names.sort_unstable();
            self.nodes[id] = Node::Record(plan);
            return id;
        }
        match (&schema["items"], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(true)) => RAW,
            // An object of any values has the vendor's names; one of values of a shape has data for names.
            (Value::Null, Value::Object(any)) if !any.keys().any(|word| matches!(word.as_str(), "type" | "$ref" | "allOf" | "anyOf")) => {
                ANY
            }
            (Value::Null, Value::Object(_)) => {
                let value = self.plan(&schema["additionalProperties"]);
                self.add(Node::Map(value))
            }
            (Value::Object(_), _) => {
                let item = self.plan(&schema["items"]);
                self.add(Node::List(item))
            }
            _ => ANY,
        }
    }

    fn plan_record(&mut self, records: &[&'a Value], is_alternative: bool) -> RecordPlan {
        let (mut plan, mut has_fields) = (RecordPlan::default(), false);
        for record in records {
            for (source, rule) in record[FLAT_RULES].as_object().into_iter().flatten() {
                if plan.members.iter().any(|member| member.source == *source) {
                    continue;
                }
                let name = rule["name"].as_str().unwrap_or_default();
                let beside = || rule["beside"].as_str().unwrap_or_default();
                let nested = &record["properties"][name];
                let change = match rule["change"].as_str().unwrap_or_default() {
                    "not" => PlannedChange::Not,
                    "flag" => PlannedChange::Flag,
                    "primary" => PlannedChange::Primary(write_key(beside())),
                    "id" => PlannedChange::Id(write_key(beside())),
                    "parts" => PlannedChange::Parts { parts: self.plan_parts(name, record, source, &mut plan.names) },
                    _ => PlannedChange::None,
                };
                if matches!(change, PlannedChange::Primary(_) | PlannedChange::Id(_)) {
                    plan.names.push(beside().to_owned());
                }
                if matches!(change, PlannedChange::Not | PlannedChange::Flag) {
                    // A value that is no boolean stays under its own name.
                    plan.names.push(self.words.rename(source).into_owned());
                }
                plan.names.push(name.to_owned());
                let is_required = record["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
                let is_filled = !is_alternative && !is_required && plan.members.len() < MOST_FILLED;
                let child = if matches!(change, PlannedChange::Parts { .. }) { ANY } else { self.plan(nested) };
                has_fields |= find_fields(nested).is_some() && find_records(nested, self.defs).is_empty();
                plan.members.push(MemberPlan {
                    source: source.clone(),
                    name: name.to_owned(),
                    key: write_key(name),
                    change,
                    child,
                    is_filled,
                });
            }
        }
        if has_fields {
            self.plan_named_fields(&mut plan);
        }
        plan
    }

    /// Plans the members that hold custom fields by name, where they are asked for: names of an account never change.
    fn plan_named_fields(&self, plan: &mut RecordPlan) {
        for source in self.fields.into_iter().flat_map(|words| [words.values, words.by_name]) {
            if !plan.members.iter().any(|member| member.source == source) {
                let (source, name) = (source.to_owned(), self.words.rename(source).into_owned());
                plan.names.push(name.clone());
                let key = write_key(&name);
                plan.members.push(MemberPlan { source, name, key, change: PlannedChange::None, child: RAW, is_filled: false });
            }
        }
    }

    /// Plans the parts of an object that stand beside its text.
    fn plan_parts(&mut self, whole: &str, record: &'a Value, source: &str, names: &mut Vec<String>) -> NodeId {
        let nested = &record[FLAT_RULES][source]["parts"];
        let mut plan = RecordPlan::default();
        for (part, name) in nested.as_object().into_iter().flatten() {
            let name = join_names(whole, name.as_str().unwrap_or_default());
            let (source, key) = (part.clone(), write_key(&name));
            names.push(name.clone());
            plan.members.push(MemberPlan { source, name, key, change: PlannedChange::None, child: ANY, is_filled: false });
        }
        self.add(Node::Record(plan))
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

/// Writes the name of a member as JSON, with its colon.
pub(crate) fn write_key(name: &str) -> Vec<u8> {
    let mut key = serde_json::to_vec(name).unwrap_or_default();
    key.push(b':');
    key
}
