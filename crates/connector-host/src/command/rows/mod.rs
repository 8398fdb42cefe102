//! `connector invoke --format`: the records of an outcome as rows.

mod columns;
mod form;
mod record;
mod references;

use connector_core::declare::Effect;
use connector_core::run::{FieldNames, Invocation, Outcome, Page, Pages, Runtime, Streamed, View};
use connector_core::wording::count_of;
use serde_json::value::RawValue;

use crate::command::rows::columns::{ColumnPlace, RecordColumn, RecordSchema, check_found, split_names};
pub(super) use crate::command::rows::form::Format;
use crate::command::rows::form::{choose_filled, write_csv, write_table};
use crate::command::rows::record::{Members, split_records, write_cell};
use crate::command::rows::references::References;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::{Failure, exit_for};
use crate::terminal::{render, stdout};

#[derive(clap::Args)]
pub(super) struct RowFlags {
    /// The form of what is written. CSV and tables have the flat view, by name; what is not ok goes to stderr
    #[arg(long, value_name = "FORM", value_enum, default_value_t, requires = "action")]
    format: Format,
    /// The columns of the records, by commas: title,customFields.Tier. Dots reach into objects, and on to the record
    /// that an ID stands for, as personId.email; each such record is read once, and stderr tells the cost
    #[arg(long, value_name = "A,B.C", requires = "action")]
    columns: Option<String>,
}

impl RowFlags {
    /// Checks that records are written, and not the outcome.
    pub(super) fn are_rows(&self) -> bool {
        self.format != Format::Json
    }

    /// Names a flag that does not go together with rows, if one was given.
    pub(super) fn check(&self, given: &[(&str, bool)]) -> Result<(), Failure> {
        let form = self.format.name();
        if !self.are_rows() {
            return match self.columns {
                Some(_) => Err(Failure::usage("--columns is for records: give --format csv, table or ndjson too")),
                None => Ok(()),
            };
        }
        let refused = |flag: &str| matches!(flag, "--view" | "--fields") && !self.is_flat();
        match given.iter().find(|(flag, is_given)| *is_given && !refused(flag)) {
            None => Ok(()),
            Some((flag @ "--stream", _)) => {
                Err(Failure::usage(format!("{flag}: --format {form} streams by itself with --pages all: leave {flag} out")))
            }
            Some((flag @ "--output", _)) => {
                Err(Failure::usage(format!("{flag} is for a file that an action fetches: write --format {form} > FILE")))
            }
            Some((flag @ ("--view" | "--fields"), _)) => Err(Failure::usage(format!(
                "{flag}: columns are those of the flat view, by name: leave {flag} out, or write --format ndjson without --columns"
            ))),
            Some((flag, _)) => Err(Failure::usage(format!("{flag} goes with outcomes: leave out --format {form}"))),
        }
    }

    /// Checks that the records are in the flat view, with the names of custom fields.
    fn is_flat(&self) -> bool {
        self.format != Format::Ndjson || self.columns.is_some()
    }

    /// Carries out an invocation, and writes its records. An outcome that is not ok goes to stderr.
    pub(super) async fn write_rows(&self, runtime: &Runtime, mut invocation: Invocation) -> Result<Exit, Failure> {
        let Ok(entry) = runtime.catalogue().find(invocation.connector.as_deref(), &invocation.action) else {
            return Ok(report(&runtime.invoke(invocation).await));
        };
        let (schema, mut references) = (RecordSchema::read(entry), References::default());
        let names = self.columns.as_deref().map(split_names).transpose()?;
        let columns = names.map(|names| schema.choose(&names, (runtime.catalogue(), entry), &mut references)).transpose()?;
        if self.is_flat() {
            let is_declared = |column: &RecordColumn| !matches!(column.place, ColumnPlace::Record { is_declared: false, .. });
            // The names of the fields that the account defines are read only where they may be needed.
            let has_names = columns.as_ref().is_none_or(|columns| !columns.iter().all(is_declared));
            invocation = invocation.view(View::Flat).fields(if has_names { FieldNames::Names } else { FieldNames::Keys });
        }
        let mut frame = Invocation::new(entry.key());
        (frame.connector, frame.connection) = (Some(entry.connector().key.to_owned()), invocation.connection.clone());
        frame.options.timeout = invocation.options.timeout;
        let is_read = entry.effect() == Effect::Read;
        let mut rows = Rows { runtime, format: self.format, columns, schema, references, frame, is_read, has_begun: false };
        let written = match invocation.options.pages {
            Pages::All => rows.write_stream(invocation).await?,
            _ => rows.write_outcome(runtime.invoke(invocation).await).await?,
        };
        match written {
            Ok(()) => {
                rows.end()?;
                Ok(Exit::Ok)
            }
            Err(outcome) => Ok(report(&outcome)),
        }
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Table => "table",
        }
    }
}

/// Writes an outcome that is not ok to stderr: stdout has rows alone.
pub(super) fn report(outcome: &Outcome) -> Exit {
    render::say(&String::from_utf8_lossy(&outcome.to_json()));
    exit_for(outcome.error())
}

/// The result of writing some rows: the outcome that ended it, if one was not ok.
type Written = Result<(), Box<Outcome>>;

/// Rows under way.
struct Rows<'a> {
    runtime: &'a Runtime,
    format: Format,
    /// The columns, once they are known: those that were named, or those of the first records.
    columns: Option<Vec<RecordColumn>>,
    schema: RecordSchema,
    references: References,
    /// The connector and the connection of the calls that read references.
    frame: Invocation,
    is_read: bool,
    has_begun: bool,
}

impl Rows<'_> {
    /// Writes the records of one outcome.
    async fn write_outcome(&mut self, outcome: Outcome) -> Result<Written, Failure> {
        let Some(data) = outcome.data().filter(|_| outcome.is_ok()) else { return Ok(Err(Box::new(outcome))) };
        let data: &RawValue = serde_json::from_str(data.as_str()).unwrap_or(RawValue::NULL);
        let records = split_records(data, outcome.page().is_some());
        let written = self.write(&records).await?;
        if written.is_ok() {
            say_rest(&outcome, "--pages all reads all of them");
        }
        Ok(written)
    }

    /// Writes the records of a list as its pages arrive.
    async fn write_stream(&mut self, invocation: Invocation) -> Result<Written, Failure> {
        let mut list = self.runtime.stream(invocation);
        let mut page = Vec::new();
        while let Some(streamed) = list.next().await {
            match streamed {
                Streamed::Record(record) => page.push(record),
                Streamed::Summary(summary) => {
                    let outcome = summary.into_outcome();
                    if !outcome.is_ok() {
                        return Ok(Err(Box::new(outcome)));
                    }
                    say_rest(&outcome, "--max-items ended the list");
                }
                _ => {}
            }
            if list.count_ready() > 0 || page.is_empty() {
                continue;
            }
            let records = page.iter().map(|record| serde_json::from_str(record.as_str()).unwrap_or(RawValue::NULL));
            if let Err(outcome) = self.write(&records.collect::<Vec<_>>()).await? {
                return Ok(Err(outcome));
            }
            page.clear();
            // The next page arrives on this thread too.
            tokio::task::yield_now().await;
        }
        Ok(Ok(()))
    }

    async fn write(&mut self, records: &[&RawValue]) -> Result<Written, Failure> {
        if records.is_empty() {
            return Ok(Ok(()));
        }
        let mut out = Vec::new();
        if self.format == Format::Ndjson && self.columns.is_none() {
            for record in records {
                out.extend_from_slice(record.get().as_bytes());
                out.push(b'\n');
            }
            stdout::write(&out)?;
            return Ok(Ok(()));
        }
        let members: Vec<Members<'_>> = records.iter().map(|record| Members::read(record)).collect();
        if let Some(columns) = self.columns.as_ref().filter(|_| !self.has_begun && self.is_read) {
            check_found(columns, &members, &self.frame.action)?;
        }
        if let Err(outcome) = self.references.read(self.runtime, &self.frame, &members).await {
            return Ok(Err(outcome));
        }
        self.write_cells(&members, &mut out);
        stdout::write(&out)?;
        Ok(Ok(()))
    }

    /// Writes rows of cells. The first ones decide the columns where none are named.
    fn write_cells(&mut self, members: &[Members<'_>], out: &mut Vec<u8>) {
        let columns = self.columns.take().unwrap_or_else(|| self.choose_columns(members));
        let find = |column: &RecordColumn, row: &Members<'_>| match &column.place {
            ColumnPlace::Record { path, .. } => row.find(path).map(std::borrow::Cow::into_owned),
            ColumnPlace::Referenced { reference, path } => self.references.find(*reference, path, row).map(str::to_owned),
        };
        if self.format == Format::Ndjson {
            for row in members {
                write_object(columns.iter().map(|column| (column.heading.as_str(), find(column, row))), out);
            }
        } else {
            let text = |column, row| find(column, row).map_or_else(String::new, |value| write_cell(&value).into_owned());
            let rows: Vec<Vec<String>> = members.iter().map(|row| columns.iter().map(|column| text(column, row)).collect()).collect();
            let headings: Vec<&str> = columns.iter().map(|column| column.heading.as_str()).collect();
            if self.format == Format::Table {
                write_table(&headings, rows, out);
            } else {
                if !self.has_begun {
                    write_csv(headings.into_iter(), out);
                }
                rows.iter().for_each(|row| write_csv(row.iter().map(String::as_str), out));
            }
        }
        (self.columns, self.has_begun) = (Some(columns), true);
    }

    /// Chooses the columns where none are named: those of the records, else those that are declared.
    fn choose_columns(&self, members: &[Members<'_>]) -> Vec<RecordColumn> {
        let columns = RecordColumn::list_all(members);
        if self.format != Format::Table {
            return if columns.is_empty() { RecordColumn::from_names(&self.schema.list_single_values()) } else { columns };
        }
        let text = |column: &RecordColumn, row: &Members<'_>| {
            row.find(&column.heading).map_or_else(String::new, |value| write_cell(&value).into_owned())
        };
        let rows: Vec<Vec<String>> = members.iter().map(|row| columns.iter().map(|column| text(column, row)).collect()).collect();
        let chosen = choose_filled(&rows);
        columns.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, column)| column).collect()
    }

    /// Writes the headings where there was no record, and says what the references cost.
    fn end(&mut self) -> Result<(), Failure> {
        match self.format {
            Format::Csv if !self.has_begun => {
                let mut out = Vec::new();
                self.write_cells(&[], &mut out);
                stdout::write(&out)?;
            }
            Format::Table if !self.has_begun => render::say("There are no records."),
            _ => {}
        }
        self.references.say_cost();
        Ok(())
    }
}

/// Writes an object of JSON on a line of its own.
fn write_object<'a>(members: impl Iterator<Item = (&'a str, Option<String>)>, out: &mut Vec<u8>) {
    let written = members.map(|(name, value)| {
        let name = serde_json::to_string(name).expect("a text is written to memory");
        format!("{name}:{}", value.as_deref().unwrap_or("null"))
    });
    let line = format!("{{{}}}\n", written.collect::<Vec<_>>().join(","));
    out.extend_from_slice(line.as_bytes());
}

/// Says what rows do not show: the warnings of the call, and that more records follow.
fn say_rest(outcome: &Outcome, why: &str) {
    outcome.meta().warnings.iter().for_each(|warning| render::say(&format!("warning: {warning}")));
    if let Some(Page { count, .. }) = outcome.page().filter(|page| !page.complete) {
        render::say(&format!("{}, and more follow: {why}.", count_of(*count, "record")));
    }
}
