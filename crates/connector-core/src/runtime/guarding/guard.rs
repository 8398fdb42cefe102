//! The look at the record before a call changes it, if the caller asks for one.

use serde_json::{Value, json};

use crate::declare::action::Declaration;
use crate::declare::method::Effect;
use crate::exchange::record_form::{CheckedExpectation, RecordForm};
use crate::runtime::call::Call;
use crate::runtime::catalogue::{Catalogue, Entry};
use crate::runtime::guarding::changes::{RecordChange, find_changes};
use crate::runtime::guarding::expectation::{ExpectedValue, compare, explain_misfit, resolve_expected};
use crate::runtime::naming::ChangedRecord;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::options::{DryRun, Options};
use crate::value::outcome::Answer;

/// A look at the record before a call changes it.
pub(in crate::runtime) struct Guard<'a> {
    form: Option<&'a RecordForm>,
    expected: Option<CheckedExpectation>,
    /// The action whose changes are shown.
    shown: Option<&'static Declaration>,
}

impl<'a> Guard<'a> {
    /// Begins with what the options ask for. It fails where no record can be looked at.
    pub(in crate::runtime) fn begin(catalogue: &'a Catalogue, entry: &'a Entry, options: &Options) -> Result<Self, Error> {
        let is_diff = options.dry_run == DryRun::Diff;
        if options.expect.is_none() && !is_diff {
            return Ok(Self { form: None, expected: None, shown: None });
        }
        let declaration = entry.declaration().filter(|declaration| declaration.effect() != Effect::Read);
        let form = declaration.and_then(|_| catalogue.record_form(entry));
        let expected = match (&options.expect, form) {
            (None, _) => None,
            (Some(given), Some(form)) => {
                let read = form.read(given, options.time_zone.as_ref());
                Some(read.map_err(|faults| explain_misfit(entry.key(), faults))?)
            }
            (Some(_), None) => return Err(refuse_expectation(entry, declaration)),
        };
        match declaration.filter(|_| is_diff) {
            Some(declaration) if form.is_none() && !declaration.adds() => Err(refuse_diff(entry, Some(declaration))),
            None if is_diff => Err(refuse_diff(entry, None)),
            shown => Ok(Self { form, expected, shown }),
        }
    }

    /// Checks that there is nothing to look at.
    pub(in crate::runtime) fn is_idle(&self) -> bool {
        self.expected.is_none() && self.shown.is_none()
    }

    /// Resolves the names in what is expected.
    pub(in crate::runtime) async fn resolve(&self, catalogue: &Catalogue, call: &Call<'_>) -> Result<ResolvedGuard<'_>, Error> {
        let expected = match (&self.expected, self.form) {
            (Some(expected), Some(form)) => resolve_expected(catalogue, call, form, expected).await?,
            _ => Vec::new(),
        };
        Ok(ResolvedGuard { guard: self, expected })
    }
}

/// A look at the record, with the names in what is expected of it resolved.
pub(in crate::runtime) struct ResolvedGuard<'a> {
    guard: &'a Guard<'a>,
    expected: Vec<ExpectedValue>,
}

impl ResolvedGuard<'_> {
    /// Looks at the record, and fails if it is not as expected. It returns the changes that are to be shown.
    ///
    /// The vendor's own request must follow at once: what another changes between the two is not seen.
    pub(in crate::runtime) async fn look(&self, call: &Call<'_>, record: &ChangedRecord) -> Result<Option<Vec<RecordChange>>, Error> {
        let Guard { form, shown, .. } = self.guard;
        let no_record = Value::Null;
        let record = match form {
            Some(_) => record.read(call, call.input()).await.map_err(Stop::into_error)?,
            None => &no_record,
        };
        compare(call, &self.expected, record)?;
        match shown {
            Some(declaration) => find_changes(call, declaration, *form, record).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Puts the changes beside the requests that a dry run answers.
pub(in crate::runtime) fn show_changes(call: &Call<'_>, answer: &Answer, changes: &[RecordChange]) -> Result<Answer, Error> {
    let shown = json!({"requests": answer.data.to_value()?, "changes": changes});
    call.session.redact(Ok(Answer::from_data(&shown)))
}

fn refuse_expectation(entry: &Entry, declaration: Option<&Declaration>) -> Error {
    let key = entry.key();
    let why = match declaration {
        None => format!("The action {key} changes nothing, so that options.expect has nothing to hold back."),
        Some(declaration) if declaration.adds() => {
            format!("The action {key} adds something, and there is no record yet for options.expect.")
        }
        Some(_) => format!("No action reads the record that {key} changes, so that it cannot be held against options.expect."),
    };
    Error::new(ErrorKind::InvalidInvocation, why).with_hint("Leave options.expect out.")
}

fn refuse_diff(entry: &Entry, declaration: Option<&Declaration>) -> Error {
    let key = entry.key();
    let why = match declaration {
        None => format!("The action {key} changes nothing, so that a dry run has no change to show."),
        Some(_) => format!("No action reads the record that {key} changes, so that a dry run cannot show what would change."),
    };
    Error::new(ErrorKind::InvalidInvocation, why).with_hint("Give options.dryRun as true: it shows the request.")
}
