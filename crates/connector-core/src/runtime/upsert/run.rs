//! Carries out an upsert: looks for the record, then changes it, leaves it, or adds one.

use std::sync::Arc;

use serde_json::Value;

use crate::declare::action::{Declaration, Upsert};
use crate::embed::register::{MatchMemory, MatchRegister};
use crate::exchange::comparing::{Comparison, OtherMembers};
use crate::exchange::files::Files;
use crate::exchange::request::Request;
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::{Catalogue, Entry};
use crate::runtime::stop::Stop;
use crate::runtime::upsert::find::{MatchedRecord, Matches, write_id};
use crate::runtime::upsert::holding::Holding;
use crate::runtime::upsert::wanted::MatchValues;
use crate::runtime::upsert::work::{UpsertWork, write_members};
use crate::value::error::{Error, ErrorKind, Retry};
use crate::value::estimate::{Cost, CostBound};
use crate::value::fault::Candidate;
use crate::value::outcome::Answer;

/// The reason why the estimate of an upsert is not certain.
const DEPENDS_ON_FOUND: &str = "The requests after the search depend on what it finds: the call costs this at least.";

/// The effects of an upsert, as `meta.effect` names them.
const CREATED: &str = "created";
const UPDATED: &str = "updated";
const UNCHANGED: &str = "unchanged";

/// Carries out an upsert. A dry run reads and compares, and ends at the request that would write.
pub(in crate::runtime) async fn run_upsert(
    catalogue: &Catalogue,
    register: &Arc<dyn MatchRegister>,
    (entry, upsert): (&Entry, &'static Upsert),
    call: &Call<'_>,
) -> Result<Answer, Stop> {
    let work = UpsertWork::begin(catalogue, entry, upsert, call)?;
    let wanted = work.find_wanted().await?;
    if call.session.is_estimate {
        work.plan(&wanted);
        return Err(Stop::Planned(Value::Null));
    }
    let claim = work.build_claim(&wanted);
    if call.session.is_dry_run() {
        let memory = register.peek(&claim.values).await?;
        return work.carry_out(&wanted, &memory, &mut None).await.map(|(answer, _)| answer);
    }
    let (holding, memory) = Holding::take(register, claim, call.session, call.until).await?;
    let extending = holding.extend_for_ever();
    let mut holding = Some(holding);
    let carrying_out = async {
        let result = work.carry_out(&wanted, &memory, &mut holding).await;
        let (answer, record) = match result {
            Ok((answer, record)) => (Ok(answer), record),
            Err(stop) => (Err(stop), None),
        };
        let is_lost = matches!(&answer, Err(Stop::Failed(error)) if error.retry() == Retry::Unsafe);
        if let Some(holding) = holding.take()
            && let Err(error) = holding.end(record, is_lost).await
        {
            // The next upsert of the values waits until the lease is over.
            call.warn(format!("The upsert could not be remembered: {}", error.message()));
        }
        answer
    };
    tokio::select! {
        answer = carrying_out => answer,
        never = extending => match never {},
    }
}

impl UpsertWork<'_> {
    /// Counts what the upsert costs at least: its searches, and the cheapest request after them.
    fn plan(&self, wanted: &[MatchValues]) {
        let limits = &self.call.connector.limits;
        let cost_of = |action: &Declaration| {
            let path = action.endpoint.map_or("", |endpoint| endpoint.path);
            Cost::in_lane(limits.find_lane(path), 1, action.cost.unwrap_or(0).into())
        };
        for _ in wanted.iter().flat_map(MatchValues::list_terms) {
            self.call.session.plan_request(cost_of(self.search), false);
        }
        let cheapest = [self.read, (self.upsert.add)()].into_iter().min_by_key(|action| action.cost).unwrap_or(self.read);
        self.call.session.plan_request(cost_of(cheapest), true);
        self.call.session.doubt(CostBound::Least, DEPENDS_ON_FOUND);
    }

    /// Looks for the record, and does what follows. It returns the answer, and the ID of the record.
    async fn carry_out(
        &self,
        wanted: &[MatchValues],
        memory: &MatchMemory,
        holding: &mut Option<Holding<'_>>,
    ) -> Result<(Answer, Option<String>), Stop> {
        match self.find(wanted, &memory.records).await? {
            Matches::Several(candidates) => Err(explain_several(candidates).into()),
            Matches::One(found) => {
                let id = write_id(&found.id);
                Ok((self.change(*found, wanted).await?, Some(id)))
            }
            Matches::Nothing if memory.unsure_for.is_some() => Err(explain_unsure().into()),
            Matches::Nothing => {
                let checked = self.build_added()?;
                if let Some(holding) = holding {
                    holding.begin_add().await?;
                }
                let answer = self.send(self.add, &checked, CREATED).await?;
                let id = self.read_added(&answer.data);
                Ok((answer, id))
            }
        }
    }

    /// Changes a record that was found, unless it has all values already.
    async fn change(&self, found: MatchedRecord, wanted: &[MatchValues]) -> Result<Answer, Stop> {
        let checked = self.build_changed(&found.id, &found.record, wanted)?;
        let comparison = Comparison { words: &self.call.connector.flat, others: OtherMembers::Open };
        if !comparison.has_all(&write_members(self.update, &checked.input), &found.record) {
            return self.send(self.update, &checked, UPDATED).await;
        }
        if self.call.session.is_dry_run() {
            return Ok(Answer::from_data(&[Value::Null; 0]));
        }
        self.call.session.lock().meta.effect = Some(UNCHANGED);
        Ok(Answer::new(found.body))
    }

    /// Sends the request of one of the two actions as that of the upsert.
    async fn send(&self, action: &Entry, checked: &CheckedInput, effect: &'static str) -> Result<Answer, Stop> {
        let Some(declaration) = action.declaration() else {
            return Err(Error::new(ErrorKind::Bug, "An upsert is made of actions.").into());
        };
        let request = Request::build(declaration, &checked.input, &Files::default());
        let answer = self.call.send(request).await?.into_answer(declaration)?;
        self.call.session.lock().meta.effect = Some(effect);
        Ok(answer)
    }
}

fn explain_several(candidates: Vec<Candidate>) -> Error {
    Error::new(ErrorKind::Conflict, format!("Several records match: {}, and none was changed.", candidates.len()))
        .with_hint("Match by a value that one of them alone has, update it by its ID, or merge them.")
        .with_candidates(candidates)
}

fn explain_unsure() -> Error {
    let message = "An upsert of the same value may have added a record that the search does not find yet.";
    Error::new(ErrorKind::OutcomeUnknown, message)
        .with_retry(Retry::Later)
        .with_hint("Nothing was sent now, and none is added twice. Try again later: the search is believed ten minutes after that upsert.")
}
