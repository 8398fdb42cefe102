//! The record that a call changes, read at most once.

use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::declare::action::Declaration;
use crate::declare::field::{Field, Place};
use crate::runtime::call::Call;
use crate::runtime::catalogue::Entry;
use crate::runtime::naming::look_up::read_record;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};

/// The record that a call changes. It is read where something must be known of it, and then once.
pub(in crate::runtime) struct ChangedRecord {
    entry: &'static str,
    read: Option<&'static Declaration>,
    /// The inputs in the path of the action, each with that of the action that reads.
    ids: Vec<(&'static Field, &'static Field)>,
    record: OnceCell<Value>,
}

impl ChangedRecord {
    /// Begins with a record that was not read.
    pub(in crate::runtime) fn new(entry: &Entry) -> Self {
        let read = entry.declaration().and_then(|declaration| declaration.record).map(|read| read());
        let fields = entry.fields();
        let is_same = |field: &&&'static Field, of_read: &Field| field.place == Place::Path && field.wire == of_read.wire;
        let of_read = read.into_iter().flat_map(Declaration::fields).filter(|field| field.place == Place::Path);
        let ids = of_read.filter_map(|of_read| Some((*fields.iter().find(|field| is_same(field, of_read))?, of_read))).collect();
        Self { entry: entry.key(), read, ids, record: OnceCell::new() }
    }

    /// Checks that there is a record to read.
    pub(super) fn is_readable(&self) -> bool {
        self.read.is_some()
    }

    /// Reads the record that an input names, unless it was read.
    pub(in crate::runtime) async fn read(&self, call: &Call<'_>, input: &Map<String, Value>) -> Result<&Value, Stop> {
        self.record.get_or_try_init(|| self.fetch(call, input)).await
    }

    async fn fetch(&self, call: &Call<'_>, input: &Map<String, Value>) -> Result<Value, Stop> {
        let Some(read) = self.read else {
            return Err(Error::new(ErrorKind::Bug, format!("The action {} reads no record that it changes.", self.entry)).into());
        };
        let ids = self.ids.iter().filter_map(|(field, of_read)| Some((of_read.name.to_owned(), input.get(field.name)?.clone())));
        let before = call.session.count_sent();
        let record = read_record(call, read, ids.collect()).await?;
        call.session.record_look_up(read.key, before, None);
        let data = record.ok_or_else(|| {
            let error = Error::new(ErrorKind::NotFound, "The record to change is not there.");
            error.with_hint("Nothing was changed: check its ID, and that the connected user may see it.")
        })?;
        Ok(data.to_value()?)
    }
}
