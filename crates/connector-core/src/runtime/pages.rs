//! Lists read page after page, within the deadline of one call.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::declare::action::Declaration;
use crate::declare::method::Effect;
use crate::declare::page::{CURSOR, LIMIT, Paging, is_limit};
use crate::exchange::files::Files;
use crate::exchange::joining::{JoinedList, ListPlace};
use crate::exchange::response::bad_answer;
use crate::exchange::schema;
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::{Entry, EntryKind};
use crate::runtime::data_source::Choices;
use crate::runtime::deadline::Deadline;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::invocation::{Options, Pages};
use crate::value::outcome::{Answer, Page};

/// The page size that is asked for where nobody knows the greatest one: all vendors allow it.
const MODEST_PAGE: u64 = 20;

/// Carries out an action or data source once: of a list, one page.
pub(super) async fn run_once_through(entry: &Entry, call: &Call<'_>) -> Result<Answer, Error> {
    let result = match entry.kind() {
        EntryKind::Action(action) => action.run(call).await,
        EntryKind::DataSource(source) => source.list_choices(call).await.map(Choices::into_answer),
    };
    let result = result.or_else(|stop| match stop {
        Stop::Planned(request) => Ok(Answer::from_data(&[request])),
        Stop::Failed(error) => Err(error),
    });
    if let Ok(answer) = &result {
        warn_of_doubtful_end(entry, call, answer);
    }
    // A ledger stores an answer as it is shown.
    call.session.redact(result)
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

/// Checks that the options about pages fit together, and the action.
pub(super) fn check_options(entry: &Entry, options: &Options) -> Result<(), Error> {
    let refuse = |message: String, hint: &str| Err(Error::new(ErrorKind::InvalidInvocation, message).with_hint(hint));
    let lists = entry.declaration().is_none_or(|declaration| declaration.is_list() && declaration.effect() == Effect::Read);
    match (options.pages, options.max_items) {
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
    let result = deadline.enforce(walk.read()).await;
    result.map_err(|error| walk.explain_where(error))
}

/// A walk over the pages of a list. It outlives the work, so that a timeout can tell how far it came.
struct PageWalk<'a> {
    entry: &'a Entry,
    call: &'a Call<'a>,
    /// The action that lists the records, if it is known.
    lister: Option<&'static Declaration>,
    max_items: Option<u64>,
    /// The input of the page that is read next.
    input: Map<String, Value>,
    /// The page size that the caller gave, and the least and the greatest that the list takes.
    size: Option<PageSize>,
    list: JoinedList,
    pages: u64,
    cursors: HashSet<String>,
}

/// The sizes of a page that a list takes.
#[derive(Clone, Copy)]
struct PageSize {
    given: Option<u64>,
    least: u64,
    greatest: Option<u64>,
}

impl<'a> PageWalk<'a> {
    fn new(entry: &'a Entry, call: &'a Call<'a>, max_items: Option<u64>) -> Self {
        let input = call.input().clone();
        let lister = entry.find_lister(&input);
        let place = match entry.declaration() {
            Some(declaration) => ListPlace { search: declaration.envelope().search, id: "id" },
            None => ListPlace { search: None, id: "key" },
        };
        // The sizes matter only if the last page may have to be smaller.
        let size = max_items.and(lister).and_then(|lister| PageSize::find(lister, &input));
        Self { entry, call, lister, max_items, input, size, list: JoinedList::new(place), pages: 0, cursors: HashSet::new() }
    }

    async fn read(&mut self) -> Result<Answer, Error> {
        let end = loop {
            let left = self.max_items.map(|most| most - self.list.count);
            self.ask_for_what_is_left(left);
            let checked = CheckedInput { input: self.input.clone(), files: Files::default() };
            let mut answer = run_once_through(self.entry, &self.call.with_input(&checked)).await?;
            self.call.session.end_page();
            let Some(page) = answer.page.take() else {
                if self.pages == 0 {
                    // A dry run answers the request of the first page.
                    return Ok(answer);
                }
                return Err(bad_answer("The answer holds no list, as the pages before it do.", Effect::Read));
            };
            if let Some(end) = self.add(&answer, page, left) {
                break end;
            }
        };
        self.warn_of_gaps_and_doubles();
        let list = std::mem::replace(&mut self.list, JoinedList::new(ListPlace { search: None, id: "" }));
        Ok(Answer { page: Some(Page { count: list.count, ..end }), ..list.into_answer() })
    }

    /// Adds a page to the list. It returns the page of the whole if nothing more is to be read.
    fn add(&mut self, answer: &Answer, page: Page, left: Option<u64>) -> Option<Page> {
        let end = |complete, next| Some(Page { count: 0, complete, next });
        let most = self.call.transport.largest_answer();
        let bytes =
            |answer: &Answer| answer.extra.iter().map(|(_, value)| value.as_bytes().len()).sum::<usize>() + answer.data.as_bytes().len();
        if self.pages > 0 && self.list.size() + bytes(answer) > most {
            self.call.warn(format!("The list is longer than {most} bytes, and ends early: `page.next` goes on from there."));
            return end(false, self.cursor().map(str::to_owned));
        }
        let added = self.list.add(answer, left);
        self.pages += 1;
        if added.cut > 0 {
            return end(false, self.find_next_after_cut(added.taken, added.cut));
        }
        let Some(next) = page.next else { return end(page.complete, None) };
        if self.max_items == Some(self.list.count) {
            return end(false, Some(next));
        }
        if added.new == 0 || !self.cursors.insert(next.clone()) {
            let what = if added.new == 0 { "A page brought no new record" } else { "A page named itself as the next one" };
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

    fn cursor(&self) -> Option<&str> {
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
            let usual = size.given.or(size.greatest).unwrap_or(MODEST_PAGE);
            self.input.insert(LIMIT.to_owned(), usual.min(left).max(size.least).into());
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
        self.call.warn(format!("The last page had {cut} records more than options.maxItems allows: {how}."));
        next
    }

    fn warn_of_gaps_and_doubles(&self) {
        if self.list.dropped > 0 {
            let (count, noun) = (self.list.dropped, if self.list.dropped == 1 { "record" } else { "records" });
            self.call.warn(format!("{count} {noun} came on two pages, and are here once: the data changed while it was read."));
        }
        if self.list.frames_differ {
            self.call.warn("The pages differ in what stands beside their records: that of the first is here.");
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
    fn explain_where(&self, error: Error) -> Error {
        let Some(cursor) = self.cursor().filter(|_| self.pages > 0) else { return error };
        let (count, pages) = (self.list.count, self.pages);
        let before = error.hint().map(|hint| format!("{hint} ")).unwrap_or_default();
        let hint = format!(
            "{before}Page {} failed; the {count} records of the pages before it are not in this outcome. To go on from there, give the input `cursor` {}.",
            pages + 1,
            Value::from(cursor)
        );
        error.with_hint(hint)
    }
}

impl PageSize {
    /// Finds the page size in the inputs of a list.
    fn find(lister: &'static Declaration, input: &Map<String, Value>) -> Option<Self> {
        let field = lister.fields().find(|field| is_limit(field))?;
        let schema = schema::build_fields(std::iter::once(field));
        let number = |word: &str| schema["properties"][LIMIT][word].as_u64();
        let given = input.get(LIMIT).and_then(Value::as_u64);
        Some(Self { given, least: number("minimum").unwrap_or(1), greatest: number("maximum") })
    }
}
