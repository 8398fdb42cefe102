//! Changes to lists of a record that is not known yet. Pure.

use serde_json::{Map, Value};

use crate::declare::field::Field;
use crate::declare::fields::FieldLayout;
use crate::exchange::fields::resolve::OptionChange;
use crate::exchange::references::apply_change;

/// A change to a list of a record, which is applied once the record is known.
#[derive(Clone, Debug)]
pub(crate) enum LaterChange {
    /// Items of a list to add, and to remove.
    List {
        /// The input that takes the list.
        field: &'static Field,
        add: Vec<Value>,
        remove: Vec<Value>,
    },
    /// Options of a custom field to add, and to remove.
    Options {
        /// The input that takes the custom fields.
        field: &'static Field,
        code: String,
        change: OptionChange,
        layout: FieldLayout,
    },
}

impl LaterChange {
    /// Writes the list that a record has after the change into an input. A record that is not there has none.
    ///
    /// `values` is the member of a record that has its custom fields.
    pub(crate) fn apply(&self, input: &mut Map<String, Value>, record: &Value, values: &str) {
        match self {
            Self::List { field, add, remove } => {
                let current = record[field.wire].as_array().map(Vec::as_slice).unwrap_or_default();
                // Without a change nothing is sent.
                if let Some(list) = apply_change(current, add, remove) {
                    input.insert(field.name.to_owned(), list.into());
                }
            }
            Self::Options { field, code, change, layout } => {
                let current = match layout {
                    FieldLayout::Nested => &record[values][code],
                    FieldLayout::Beside => &record[code],
                };
                let left = change.apply(current);
                let fields = input.entry(field.name).or_insert_with(|| Map::new().into());
                if let Some(fields) = fields.as_object_mut() {
                    fields.insert(code.clone(), left);
                }
            }
        }
    }
}
