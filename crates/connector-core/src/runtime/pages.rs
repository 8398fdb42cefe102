//! Lists read page after page, within the deadline of one call.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::field::Field;
use crate::declare::fields::{FieldLayout, Naming};
use crate::declare::method::Effect;
use crate::declare::page::{CURSOR, LIMIT, Paging, is_limit};
use crate::exchange::joining::JoinedList;
use crate::exchange::response::bad_answer;
use crate::exchange::schema;
use crate::exchange::seen::{ListPlace, PageRecords, SeenRecords, TextHash};
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::{Entry, EntryKind};
use crate::runtime::data_source::Choices;
use crate::runtime::deadline::Deadline;
use crate::runtime::naming::name_fields_or_warn;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::options::{FieldNames, Options, Pages};
use crate::value::outcome::{Answer, Page};
use crate::value::wording::{count_of, quote};

/// The page size that is asked for where nobody knows the greatest one: all vendors allow it.
const MODEST_PAGE: u64 = 20;

/// Carries out an action or data source once: of a list, one page.
pub(super) async fn run_once_through(entry: &Entry, call: &Call<'_>) -> Result<Answer, Error> {
    let result = match entry.kind() {
        EntryKind::Action(action) => action.run(call).await,
        EntryKind::DataSource(source) => source.list_choices(call).await.map(Choices::into_answer),
    };
    end_run(entry, call, result)
}

/// Turns the end of an action into an answer, with warnings about it. The request of a dry run is its answer.
pub(super) fn end_run(entry: &Entry, call: &Call<'_>, result: Result<Answer, Stop>) -> Result<Answer, Error> {
    let result = result.or_else(|stop| match stop {
        Stop::Planned(request) => Ok(Answer::from_data(&[request])),
        Stop::Failed(error) => Err(error),
    });
    if let Ok(answer) = &result
        && !call.session.is_estimate
    {
        warn_of_doubtful_end(entry, call, answer);
        warn_of_lost_fields(entry, call, answer);
    }
    // A ledger stores an answer as it is shown.
    call.session.redact(result)
}

/// Warns where a custom field that was sent beside a record's own members is not in the answer.
///
/// A vendor may pass over such a member that it does not know: a field that was deleted meanwhile.
fn warn_of_lost_fields(entry: &Entry, call: &Call<'_>, answer: &Answer) {
    let Some(declaration) = entry.declaration().filter(|declaration| declaration.effect() == Effect::Write) else { return };
    let beside = declaration.fields().filter(|field| matches!(field.shape.naming, Some(Naming::Values(_, FieldLayout::Beside))));
    for given in beside.filter_map(|field| call.input().get(field.name)?.as_object()) {
        for (code, _) in given.iter().filter(|(code, value)| !value.is_null() && !answer.data.as_str().contains(code.as_str())) {
            call.warn(format!(
                "The custom field {} is not in the answer: it may have been deleted, and its value was not kept.",
                quote(code)
            ));
        }
    }
}

/// Warns where more records may follow and nothing asks for them.
fn warn_of_doubtful_end(entry: &Entry, call: &Call<'_>, answer: &Answer) {
    if answer.page.as_ref().is_some_and(|page| !page.complete && page.next.is_none()) {
        call.warn(if answer.data.as_str().starts_with('[') {
            format!("More records follow, and {} does not ask for them.", entry.key())
        } else {
            format!("{} returns a list, and the data of this answer is none.", entry.key())
        });
    }
}

/// Checks that the options about pages fit together, and the action. A stream is a list that is read whole.
pub(super) fn check_options(entry: &Entry, options: &Options, is_stream: bool) -> Result<(), Error> {
    let refuse = |message: String, hint: &str| Err(Error::new(ErrorKind::InvalidInvocation, message).with_hint(hint));
    let lists = entry.declaration().is_none_or(|declaration| declaration.is_list() && declaration.effect() == Effect::Read);
    match (options.pages, options.max_items) {
        _ if is_stream && !lists => {
            refuse(format!("The action {} reads no list, so it has no records to stream.", entry.key()), "Ask for one outcome.")
        }
        _ if is_stream && options.estimate => refuse("An estimate has no records to stream.".to_owned(), "Ask for one outcome."),
        (Pages::One, _) if is_stream => refuse(
            "A stream gives the records of a list that is read whole.".to_owned(),
            "Give options.pages: \"all\", or ask for one outcome.",
        ),
        (Pages::One, Some(_)) => refuse(
            "The option maxItems is for lists that are read whole.".to_owned(),
            "Give options.pages: \"all\" too, or the input `limit` for one page.",
        ),
        (Pages::All, Some(0)) => refuse("The option maxItems is 0.".to_owned(), "Give a whole number from 1."),
        (Pages::All, _) if !lists => refuse(format!("The action {} reads no list.", entry.key()), "Leave options.pages out."),
        (Pages::One, None) | (Pages::All, _) => Ok(()),
    }
}

/// Reads a list page after page, and joins the pages.
pub(super) async fn read_all_pages(
    entry: &Entry,
    call: &Call<'_>,
    max_items: Option<u64>,
    deadline: &Deadline<'_>,
) -> Result<Answer, Error> {
    let mut walk = PageWalk::new(entry, call, max_items);
    let result = deadline.enforce(join_pages(&mut walk)).await;
    result.map_err(|error| walk.explain_where(error, "are not in this outcome"))
}

async fn join_pages(walk: &mut PageWalk<'_>) -> Result<Answer, Error> {
    let mut list = JoinedList::default();
    let end = loop {
        let left = walk.count_left();
        let (answer, page) = walk.read_page(left).await?;
        // A dry run answers the request of the first page.
        let Some(page) = page else { return Ok(answer) };
        if let Some(end) = walk.end_before_too_long(list.size(), &answer) {
            break end;
        }
        let records = walk.seen.add(&answer.data, left);
        list.add(&answer, &records);
        if let Some(end) = walk.step(&records, page) {
            break end;
        }
    };
    if list.frames_differ {
        walk.call.warn("The pages differ in what stands beside their records: that of the first is here.");
    }
    walk.warn_of_gaps_and_doubles();
    Ok(Answer { page: Some(Page { count: walk.seen.count, ..end }), ..list.into_answer() })
}

/// A walk over the pages of a list. It outlives the work, so that a timeout can tell how far it came.
pub(super) struct PageWalk<'a> {
    entry: &'a Entry,
    pub(super) call: &'a Call<'a>,
    /// The action that lists the records, if it is known.
    lister: Option<&'static Declaration>,
    max_items: Option<u64>,
    /// The input of the page that is read next.
    input: Map<String, Value>,
    /// The page size that the caller gave, and the least and the greatest that the list takes.
    size: Option<PageSize>,
    pub(super) seen: SeenRecords,
    pages: u64,
    /// The cursors of the pages so far, as hashes.
    cursors: HashSet<u128>,
    hashes: TextHash,
}

/// The sizes of a page that a list takes.
#[derive(Clone, Copy)]
struct PageSize {
    given: Option<u64>,
    least: u64,
    greatest: Option<u64>,
}

impl<'a> PageWalk<'a> {
    pub(super) fn new(entry: &'a Entry, call: &'a Call<'a>, max_items: Option<u64>) -> Self {
        let input = call.input().clone();
        let lister = entry.find_lister(&input);
        let place = match entry.declaration() {
            Some(declaration) => ListPlace { search: declaration.envelope().search, id: "id" },
            None => ListPlace { search: None, id: "key" },
        };
        // The sizes matter only if the last page may have to be smaller.
        let fields = || lister.map_or_else(|| entry.fields(), |lister| lister.fields().collect());
        let size = max_items.and_then(|_| PageSize::find(&fields(), &input));
        let (seen, cursors, hashes) = (SeenRecords::new(place), HashSet::new(), TextHash::default());
        Self { entry, call, lister, max_items, input, size, seen, pages: 0, cursors, hashes }
    }

    /// Returns the most pages that the list can have, if that is known before one is read.
    pub(super) fn count_most_pages(&self) -> Option<u64> {
        if self.lister?.paging().is_none() {
            return Some(1);
        }
        let size = self.size.filter(|_| !self.entry.may_have_empty_pages())?;
        Some(self.max_items?.div_ceil(size.usual().max(1)))
    }

    /// Counts the records that may still be added, if there is a limit.
    pub(super) fn count_left(&self) -> Option<u64> {
        self.max_items.map(|most| most - self.seen.count)
    }

    /// Reads the next page, of at most so many records. A dry run answers the request of the first, which is no page.
    pub(super) async fn read_page(&mut self, left: Option<u64>) -> Result<(Answer, Option<Page>), Error> {
        self.ask_for_what_is_left(left);
        let checked = CheckedInput { input: self.input.clone(), ..CheckedInput::default() };
        let mut answer = run_once_through(self.entry, &self.call.with_input(&checked)).await?;
        if self.call.fields != FieldNames::Keys {
            answer = Box::pin(name_fields_or_warn(self.entry, self.call, answer)).await?;
        }
        self.call.session.end_page();
        let page = answer.page.take();
        if page.is_none() && self.pages > 0 {
            return Err(bad_answer("The answer holds no list, as the pages before it do.", Effect::Read));
        }
        Ok((answer, page))
    }

    /// Ends the list before a page with which it would be longer than the longest answer.
    fn end_before_too_long(&self, so_far: usize, answer: &Answer) -> Option<Page> {
        let most = self.call.transport.largest_answer();
        let bytes = answer.extra.iter().map(|(_, value)| value.as_bytes().len()).sum::<usize>() + answer.data.as_bytes().len();
        if self.pages == 0 || so_far + bytes <= most {
            return None;
        }
        self.call.warn(format!("The list is longer than {most} bytes, and ends early: `page.next` goes on from there."));
        Some(Page { next: self.cursor().map(str::to_owned), ..Page::default() })
    }

    /// Goes on to the page after this one. It returns the page of the whole list if nothing more is to be read.
    pub(super) fn step(&mut self, records: &PageRecords<'_>, page: Page) -> Option<Page> {
        let end = |complete, next| Some(Page { complete, next, ..Page::default() });
        self.pages += 1;
        if records.cut > 0 {
            return end(false, self.find_next_after_cut(records.taken, records.cut));
        }
        let Some(next) = page.next else { return end(page.complete, None) };
        if self.max_items == Some(self.seen.count) {
            return end(false, Some(next));
        }
        let is_empty = records.kept.is_empty() && !self.entry.may_have_empty_pages();
        if is_empty || !self.cursors.insert(self.hashes.hash(next.as_bytes())) {
            let what = if is_empty { "A page brought no new record" } else { "A page named itself as the next one" };
            self.call.warn(format!("{what}, so the list ends early. It may hold more: `page.next` goes on from there."));
            return end(false, Some(next));
        }
        self.go_on(next);
        None
    }

    /// Makes the input that of the next page.
    fn go_on(&mut self, next: String) {
        // The vendor's own input for a page excludes the cursor.
        if let Some(own) = self.lister.and_then(Declaration::paging).and_then(Paging::input) {
            self.input.shift_remove(own);
        }
        self.input.insert(CURSOR.to_owned(), next.into());
    }

    /// Returns the cursor of the page that is read next.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.input.get(CURSOR)?.as_str()
    }

    /// Lowers the page size to the number of records that are left.
    ///
    /// Where a page has a number, its size decides which records it holds, so that it stays. The same holds for the page
    /// behind a link, which names its size itself.
    fn ask_for_what_is_left(&mut self, left: Option<u64>) {
        let (Some(left), Some(size)) = (left, self.size) else { return };
        let may_be_lowered = match self.lister.and_then(Declaration::paging) {
            Some(Paging::Page { .. }) => false,
            Some(Paging::Link) => self.cursor().is_none(),
            _ => true,
        };
        if may_be_lowered {
            self.input.insert(LIMIT.to_owned(), size.usual().min(left).max(size.least).into());
        }
    }

    /// Finds where to go on after a page that had more records than were wanted. Nothing may be passed over.
    fn find_next_after_cut(&self, taken: u64, cut: u64) -> Option<String> {
        let paging = self.lister.and_then(Declaration::paging);
        let position = paging.map_or(0, |paging| paging.position(&self.input));
        let next = match paging {
            Some(paging @ Paging::Start { .. }) => return Some(paging.write_cursor(position + taken)),
            Some(paging @ Paging::Page { .. }) => Some(paging.write_cursor(position)),
            _ => self.cursor().map(str::to_owned),
        };
        let how = match next {
            Some(_) => format!("`page.next` reads that page again, with {taken} records that are here already"),
            None => "to read them, raise options.maxItems".to_owned(),
        };
        self.call.warn(format!("The last page had {} more than options.maxItems allows: {how}.", count_of(cut, "record")));
        next
    }

    pub(super) fn warn_of_gaps_and_doubles(&self) {
        if self.seen.dropped > 0 {
            let count = count_of(self.seen.dropped, "record");
            self.call.warn(format!("{count} came on two pages, and are here once: the data changed while it was read."));
        }
        let by = match self.lister.and_then(Declaration::paging) {
            Some(Paging::Start { .. }) => "a start",
            Some(Paging::Page { .. }) => "page numbers",
            _ => return,
        };
        if self.pages > 1 {
            self.call.warn(format!("The list pages by {by}: if its data changed while it was read, records may be missing or doubled."));
        }
    }

    /// Adds to an error how much was read before it, and how to go on.
    pub(super) fn explain_where(&self, error: Error, whereabouts: &str) -> Error {
        let Some(cursor) = self.cursor().filter(|_| self.pages > 0) else { return error };
        let (count, pages) = (self.seen.count, self.pages);
        let before = error.hint().map(|hint| format!("{hint} ")).unwrap_or_default();
        let hint = format!(
            "{before}Page {} failed; the {count} records of the pages before it {whereabouts}. To go on from there, give the input `cursor` {}.",
            pages + 1,
            Value::from(cursor)
        );
        error.with_hint(hint)
    }
}

impl PageSize {
    /// Returns the size of the pages before the last one.
    fn usual(&self) -> u64 {
        self.given.or(self.greatest).unwrap_or(MODEST_PAGE)
    }

    /// Finds the page size in the inputs of a list.
    fn find(fields: &[&'static Field], input: &Map<String, Value>) -> Option<Self> {
        let field = fields.iter().find(|field| is_limit(field))?;
        let schema = schema::build_fields(std::iter::once(*field));
        let number = |word: &str| schema["properties"][LIMIT][word].as_u64();
        let given = input.get(LIMIT).and_then(Value::as_u64);
        Some(Self { given, least: number("minimum").unwrap_or(1), greatest: number("maximum") })
    }
}
