//! The work of an estimate: the way of a call up to its own request, and how often that is made.

use std::sync::Arc;

use crate::embed::ledger::Ledger;
use crate::runtime::call::Call;
use crate::runtime::catalogue::Entry;
use crate::runtime::keyed::plan::plan_once;
use crate::runtime::pages::PageWalk;
use crate::value::error::Error;
use crate::value::estimate::CostBound;
use crate::value::options::{FieldNames, Options, Pages};
use crate::value::outcome::Answer;
use crate::value::raw_json::RawJson;

/// The reason of a list whose greatest length alone is known.
const MAY_BE_SHORTER: &str = "The list may be shorter, or end at options.maxItems: it costs this at most.";

/// Plans a call: it is carried out up to its own request, which is counted. The answer has nothing.
///
/// Of two calls, the second has the names in its input resolved as far as they are by now.
pub(in crate::runtime) async fn plan_call(
    entry: &Entry,
    (call, resolved): (&Call<'_>, &Call<'_>),
    options: &Options,
    (ledger, key): (&Arc<dyn Ledger>, Option<&str>),
    work: impl Future<Output = Result<Answer, Error>>,
) -> Result<Answer, Error> {
    let planned = match key {
        Some(key) => plan_once(ledger, (key, options.resolve), (call, resolved), work).await,
        // A dry run shows the request of the first page.
        None if options.pages == Pages::All && !options.dry_run.is_asked() => plan_pages(entry, resolved, options.max_items, work).await,
        None => work.await.map(drop),
    };
    call.session.record_paces(call.pacer.find_paces(call.connector, call.connection));
    planned?;
    Ok(Answer::new(RawJson::null()))
}

/// Plans to read a list page after page. Where nothing tells how many there are, the first one is read.
async fn plan_pages(
    entry: &Entry,
    call: &Call<'_>,
    max_items: Option<u64>,
    work: impl Future<Output = Result<Answer, Error>>,
) -> Result<(), Error> {
    let session = call.session;
    let helper = Call { fields: FieldNames::Keys, ..call.as_helper(call.checked) };
    let mut walk = PageWalk::new(entry, &helper, max_items);
    let before = session.count_planned();
    let pages = match walk.count_most_pages() {
        Some(most) => {
            work.await?;
            if most > 1 && session.sends_own() {
                session.doubt(CostBound::Most, MAY_BE_SHORTER);
            }
            most
        }
        None => {
            let page = walk.read_page(walk.count_left()).await?.1.unwrap_or_default();
            let is_whole = page.next.is_none() || max_items.is_some_and(|most| page.count >= most);
            match page.pages_after {
                // An estimate in a batch reads no more.
                _ if is_whole || !session.sends_own() => 1,
                Some(after) => {
                    if max_items.is_some() {
                        session.doubt(CostBound::Most, MAY_BE_SHORTER);
                    }
                    1 + after
                }
                // A list that is kept costs nothing, however many pages of it are read.
                None if session.count_planned() == before => 1,
                None => {
                    session.doubt(CostBound::Least, "More pages follow the first, and nothing tells how many: it costs this at least.");
                    2
                }
            }
        }
    };
    let page = session.take_planned(before);
    session.plan_cost(page * pages);
    Ok(())
}
