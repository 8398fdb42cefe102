//! Plans of custom fields: the places of an answer that have them, compiled for a walk over its bytes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::fields::{FieldWords, FieldsOf};
use crate::declare::shape::{find_fields, find_records};
use crate::exchange::schema;

/// The places of an action's answer that have custom fields.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    nodes: Vec<FieldNode>,
    pub(super) root: FieldNodeId,
    pub(super) words: FieldWords,
    fields: Vec<&'static FieldsOf>,
}

/// The place of a node in a plan.
pub(super) type FieldNodeId = usize;

/// The shape of a value, as far as it has custom fields.
#[derive(Debug)]
pub(super) enum FieldNode {
    /// A value without custom fields.
    Plain,
    /// A list.
    List(FieldNodeId),
    /// An object whose names are data.
    Map(FieldNodeId),
    /// A record.
    Record {
        /// The members that have custom fields, by name.
        members: Vec<(String, FieldNodeId)>,
        /// The number of the definitions of the fields that the record has beside its own members.
        beside: Option<usize>,
    },
    /// An object of values by code: the number of its definitions.
    Values(usize),
}

/// The node of a value without custom fields.
pub(super) const PLAIN: FieldNodeId = 0;

impl FieldPlan {
    /// Compiles the plan of an action's answer, if it has custom fields.
    pub(crate) fn build(declaration: &Declaration) -> Option<Self> {
        let words = declaration.connector.fields?;
        let (schema, fields) = schema::build_output_with_fields(&declaration.returns);
        let no_defs = Map::new();
        let defs = schema["$defs"].as_object().unwrap_or(&no_defs);
        let mut planner = FieldPlanner { nodes: vec![FieldNode::Plain], known: HashMap::new(), defs, fields: &fields };
        let root = planner.plan(&schema);
        let mut nodes = planner.nodes;
        take_out_plain(&mut nodes);
        let has_fields = !matches!(nodes[root], FieldNode::Plain);
        has_fields.then_some(Self { nodes, root, words, fields })
    }

    /// Lists the definitions that the plan needs, in the order in which the sets of fields are given.
    pub(crate) fn fields(&self) -> &[&'static FieldsOf] {
        &self.fields
    }

    pub(super) fn node(&self, id: FieldNodeId) -> &FieldNode {
        &self.nodes[id]
    }
}

struct FieldPlanner<'a> {
    nodes: Vec<FieldNode>,
    /// The nodes that are planned, by the schemas of their records and their mark: a record may hold itself.
    known: HashMap<(Vec<*const Value>, Option<usize>), FieldNodeId>,
    defs: &'a Map<String, Value>,
    fields: &'a [&'static FieldsOf],
}

impl<'a> FieldPlanner<'a> {
    fn plan(&mut self, schema: &'a Value) -> FieldNodeId {
        let mark = find_fields(schema).and_then(|key| self.fields.iter().position(|fields| fields.list == key));
        let records = find_records(schema, self.defs);
        if !records.is_empty() {
            let same = (records.iter().map(|record| std::ptr::from_ref(*record)).collect(), mark);
            if let Some(known) = self.known.get(&same) {
                return *known;
            }
            let id = self.add(FieldNode::Plain);
            self.known.insert(same, id);
            let mut members: Vec<(String, FieldNodeId)> = Vec::new();
            for (name, member) in records.iter().filter_map(|record| record["properties"].as_object()).flatten() {
                if !members.iter().any(|(known, _)| known == name) {
                    let node = self.plan(member);
                    members.push((name.clone(), node));
                }
            }
            self.nodes[id] = FieldNode::Record { members, beside: mark };
            return id;
        }
        match (mark, &schema["items"], &schema["additionalProperties"]) {
            (Some(mark), _, _) => self.add(FieldNode::Values(mark)),
            (None, items @ Value::Object(_), _) => {
                let item = self.plan(items);
                self.add(FieldNode::List(item))
            }
            (None, _, values @ Value::Object(_)) => {
                let value = self.plan(values);
                self.add(FieldNode::Map(value))
            }
            _ => PLAIN,
        }
    }

    fn add(&mut self, node: FieldNode) -> FieldNodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

/// Makes nodes plain that lead to no custom field, and takes them out of the records.
fn take_out_plain(nodes: &mut [FieldNode]) {
    let mut leads: Vec<bool> =
        nodes.iter().map(|node| matches!(node, FieldNode::Values(_) | FieldNode::Record { beside: Some(_), .. })).collect();
    // Records may hold each other in a circle, so that this goes on until nothing changes.
    loop {
        let found = nodes.iter().enumerate().filter(|(id, node)| !leads[*id] && leads_further(node, &leads)).map(|(id, _)| id);
        let found: Vec<usize> = found.collect();
        if found.is_empty() {
            break;
        }
        found.into_iter().for_each(|id| leads[id] = true);
    }
    for (id, node) in nodes.iter_mut().enumerate() {
        match node {
            _ if !leads[id] => *node = FieldNode::Plain,
            FieldNode::Record { members, .. } => members.retain(|(_, member)| leads[*member]),
            _ => {}
        }
    }
}

fn leads_further(node: &FieldNode, leads: &[bool]) -> bool {
    match node {
        FieldNode::List(inner) | FieldNode::Map(inner) => leads[*inner],
        FieldNode::Record { members, .. } => members.iter().any(|(_, member)| leads[*member]),
        FieldNode::Plain | FieldNode::Values(_) => false,
    }
}
