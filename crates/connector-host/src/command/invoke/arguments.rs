//! The arguments of `connector invoke`.

use std::path::PathBuf;

use connector_core::run::{DryRun, FieldNames, Pages, TimeZone, View};

use crate::command::batch::BatchFlags;
use crate::command::rows::RowFlags;
use crate::setup::accounts::AccountArguments;
use crate::terminal::arguments::{build_dry_run_parser, build_fields_parser, build_pages_parser, build_view_parser};

#[derive(clap::Args)]
pub(crate) struct InvokeArguments {
    /// The action or data source to run, also as CONNECTOR/KEY. Without one, invocations are read from stdin, one
    /// JSON object per line
    pub(super) action: Option<String>,
    /// Inputs by name: title=Rocket gives a text, or what the input takes from one, as a number, or a list by commas;
    /// labelIds:=[1] gives JSON; dots reach into objects, as customFields.Tier=Gold. They go over those of --input
    #[arg(value_name = "NAME=TEXT|NAME:=JSON")]
    pub(super) inputs: Vec<String>,
    /// The connector of the action, where several connectors have its key
    #[arg(long, value_name = "KEY", requires = "action")]
    pub(super) connector: Option<String>,
    /// The input: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", requires = "action")]
    pub(super) input: Option<String>,
    /// The connection to use
    #[arg(long, value_name = "NAME", requires = "action")]
    pub(super) connection: Option<String>,
    /// A file for an input, as file=offer.pdf; repeat the flag for other inputs
    #[arg(long, value_name = "INPUT=PATH", requires = "action")]
    pub(super) file: Vec<String>,
    /// The file to fetch into; the outcome then holds its name, type and size alone
    #[arg(long, value_name = "FILE", requires = "action")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) accounts: AccountArguments,
    /// The shape of the data: the vendor's own, or one flat shape. By default the connection's, else the vendor's
    #[arg(long, value_parser = build_view_parser(), requires = "action")]
    pub(super) view: Option<View>,
    /// The names of custom fields in the data: their keys, their names with the labels of options, or both
    #[arg(long, value_parser = build_fields_parser(), requires = "action")]
    pub(super) fields: Option<FieldNames>,
    /// The zone of the times in the input that name none, as Europe/Tallinn
    #[arg(long, value_name = "ZONE", requires = "action")]
    pub(super) time_zone: Option<TimeZone>,
    /// The values that the record must have before it is changed, by input: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", requires = "action")]
    pub(super) expect: Option<String>,
    #[command(flatten)]
    pub(super) list: ListFlags,
    #[command(flatten)]
    pub(super) plan: PlanFlags,
    #[command(flatten)]
    pub(super) rows: RowFlags,
    /// Indent the outcome
    #[arg(long)]
    pub(super) pretty: bool,
    #[command(flatten)]
    pub(super) batch: BatchFlags,
}

#[derive(clap::Args)]
pub(super) struct PlanFlags {
    /// Write nothing, and show the request that would be sent; with =diff also what it would change in the record
    #[arg(long, value_name = "SHOWN", num_args = 0..=1, require_equals = true, default_missing_value = "requests",
          value_parser = build_dry_run_parser(), requires = "action")]
    pub(super) dry_run: Option<DryRun>,
    /// Show what it would cost, and send at most what is needed to know it: of the action, or of all invocations from
    /// stdin
    #[arg(long, conflicts_with_all = ["dry_run", "stream", "resume"])]
    pub(super) estimate: bool,
}

impl PlanFlags {
    /// Checks that the calls themselves are not made.
    pub(super) fn is_given(&self) -> bool {
        self.dry_run.is_some() || self.estimate
    }
}

#[derive(clap::Args)]
pub(super) struct ListFlags {
    /// The pages of a list to read: the one that the input asks for, or that and all that follow, joined
    #[arg(long, value_parser = build_pages_parser(), requires = "action")]
    pub(super) pages: Option<Pages>,
    /// The most records of a list that is read whole; the last page asks only for what is left
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "pages", requires = "action")]
    pub(super) max_items: Option<u64>,
    /// Write one record a line as pages arrive, and a summary last; with --pages all
    #[arg(long, requires = "action", conflicts_with_all = ["pretty", "output"])]
    pub(super) stream: bool,
}

impl InvokeArguments {
    /// Lists the flags that go with outcomes, and not with rows, and whether each was given.
    pub(super) fn list_flags_of_outcomes(&self) -> [(&'static str, bool); 7] {
        [
            ("--stream", self.list.stream),
            ("--output", self.output.is_some()),
            ("--dry-run", self.plan.dry_run.is_some()),
            ("--estimate", self.plan.estimate),
            ("--pretty", self.pretty),
            ("--view", self.view.is_some()),
            ("--fields", self.fields.is_some()),
        ]
    }
}
