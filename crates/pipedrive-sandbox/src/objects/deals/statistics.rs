//! Statistics of a pipeline: conversion between stages, moved deals, and their time in each stage.

use serde_json::{Value, json};

use crate::engine::collection::Call;
use crate::engine::envelope::wrap;
use crate::engine::state::State;
use crate::objects::deals::worth::{sum_by_currency, write_sums};
use crate::value::clock::{parse_time, stamp};
use crate::value::failure::Failure;
use crate::value::money;
use crate::value::record::{Record, read_flag, read_id, read_text};

/// The field with the stages that a deal has left, each with the time at which it came there.
///
/// The deal's own fields have the stage in which it is now.
pub(crate) const PAST_STAGES: &str = "past_stages";

/// Records the stage that a deal leaves.
pub(crate) fn record_stage(before: &Record, deal: &mut Record) {
    let stay = json!({ "stage_id": before.get("stage_id"), "since": read_since(before) });
    if let Some(past) = deal.entry(PAST_STAGES).or_insert_with(|| json!([])).as_array_mut() {
        past.push(stay);
    }
}

fn read_since(deal: &Record) -> &str {
    deal.get("stage_change_time").and_then(Value::as_str).unwrap_or_else(|| read_text(deal, "add_time"))
}

/// The stay of a deal in a stage, until it left the stage or was closed.
struct Stay<'a> {
    stage: u64,
    from: &'a str,
    until: Option<&'a str>,
}

/// A deal, and its stays in stages in their order.
struct DealHistory<'a> {
    deal: &'a Record,
    stays: Vec<Stay<'a>>,
}

impl<'a> DealHistory<'a> {
    fn read(deal: &'a Record) -> Self {
        let past = deal.get(PAST_STAGES).and_then(Value::as_array).into_iter().flatten();
        let mut stays: Vec<Stay> = past
            .filter_map(|stay| Some(Stay { stage: stay.get("stage_id")?.as_u64()?, from: stay.get("since")?.as_str()?, until: None }))
            .collect();
        if let Some(stage) = deal.get("stage_id").and_then(Value::as_u64) {
            stays.push(Stay { stage, from: read_since(deal), until: None });
        }
        for index in 1..stays.len() {
            stays[index - 1].until = Some(stays[index].from);
        }
        if let Some(last) = stays.last_mut() {
            last.until = deal.get("close_time").and_then(Value::as_str);
        }
        Self { deal, stays }
    }
}

/// The period of a report, with its first and its last day.
struct Period<'a> {
    start: &'a str,
    end: &'a str,
}

impl Period<'_> {
    fn has(&self, time: &str) -> bool {
        let day = cut_day(time);
        !day.is_empty() && self.start <= day && day <= self.end
    }

    fn touches(&self, stay: &Stay) -> bool {
        cut_day(stay.from) <= self.end && stay.until.is_none_or(|until| cut_day(until) >= self.start)
    }

    fn is_open_at_end(&self, stay: &Stay) -> bool {
        cut_day(stay.from) <= self.end && stay.until.is_none_or(|until| cut_day(until) > self.end)
    }
}

fn cut_day(time: &str) -> &str {
    time.get(..10).unwrap_or_default()
}

/// A pipeline with the deals of one user: the user of the token, or the one that a parameter names.
struct PipelineView<'a> {
    period: Period<'a>,
    /// Its stages in their order, without deleted ones.
    stages: Vec<u64>,
    /// Its stages, with deleted ones.
    all_stages: Vec<u64>,
    histories: Vec<DealHistory<'a>>,
}

impl<'a> PipelineView<'a> {
    fn new(state: &'a State, call: &'a Call) -> Result<Self, Failure> {
        let pipeline = state.get_live("pipelines", call.id()).ok_or_else(|| Failure::not_found("Pipeline"))?;
        let user = call.parameter("user_id").map_or(Some(call.user), |id| id.parse().ok()).unwrap_or(0);
        let user = state.get("users", user).ok_or_else(Failure::no_user)?;
        let [start, end] = ["start_date", "end_date"].map(|name| call.parameter(name).unwrap_or_default());
        if start > end {
            return Err(Failure::invalid("end_date", "is before start_date"));
        }
        let inside = |stage: &&Record| stage.get("pipeline_id") == pipeline.get("id");
        let mut stages: Vec<&Record> = state.live("stages").filter(inside).collect();
        stages.sort_by_key(|stage| stage.get("order_nr").and_then(Value::as_u64));
        let deals = state.live("deals").filter(|deal| !read_flag(deal, "is_archived") && deal.get("owner_id") == user.get("id"));
        Ok(Self {
            period: Period { start, end },
            stages: stages.into_iter().filter_map(read_id).collect(),
            all_stages: state.rows("stages").filter(inside).filter_map(read_id).collect(),
            histories: deals.map(DealHistory::read).collect(),
        })
    }

    fn has(&self, stay: &Stay) -> bool {
        self.all_stages.contains(&stay.stage)
    }

    fn find_place(&self, stay: &Stay) -> Option<usize> {
        self.stages.iter().position(|stage| *stage == stay.stage)
    }

    /// Tells whether a deal got a status in this pipeline and in the period.
    fn has_ended(&self, history: &DealHistory, status: &str, time: &str) -> bool {
        read_text(history.deal, "status") == status
            && self.period.has(read_text(history.deal, time))
            && history.stays.last().is_some_and(|stay| self.has(stay))
    }

    fn list_deals(&self, fits: impl Fn(&DealHistory) -> bool) -> Vec<&Record> {
        self.histories.iter().filter(|history| fits(history)).map(|history| history.deal).collect()
    }

    /// Computes the share of the deals at `stage` in the period that then came to `next` or a later stage.
    fn compute_conversion(&self, stage: u64, next: usize) -> Value {
        let find_arrival = |history: &DealHistory| history.stays.iter().position(|stay| stay.stage == stage && self.period.has(stay.from));
        let has_moved_on = |history: &DealHistory, from: usize| {
            let later = history.stays.iter().skip(from + 1);
            later.into_iter().any(|stay| self.period.has(stay.from) && self.find_place(stay).is_some_and(|place| place >= next))
        };
        let arrivals: Vec<_> = self.histories.iter().filter_map(|history| Some((history, find_arrival(history)?))).collect();
        compute_percent(arrivals.iter().filter(|(history, from)| has_moved_on(history, *from)).count(), arrivals.len())
    }
}

fn compute_percent(part: usize, whole: usize) -> Value {
    // Adds one half before the division cuts the rest off, so that the result is the nearest.
    (part * 200 + whole).checked_div(whole * 2).unwrap_or(0).into()
}

pub(super) fn report_conversion(state: &State, call: &Call) -> Result<Value, Failure> {
    let view = PipelineView::new(state, call)?;
    let pairs = (1..).zip(view.stages.windows(2));
    let conversions = pairs
        .map(|(next, pair)| json!({ "from_stage_id": pair[0], "to_stage_id": pair[1], "conversion_rate": view.compute_conversion(pair[0], next) }));
    let present = view.list_deals(|history| history.stays.iter().any(|stay| view.has(stay) && view.period.touches(stay)));
    let compute_share =
        |status, time| compute_percent(view.list_deals(|history| view.has_ended(history, status, time)).len(), present.len());
    Ok(wrap(json!({
        "stage_conversions": conversions.collect::<Value>(),
        "won_conversion": compute_share("won", "won_time"),
        "lost_conversion": compute_share("lost", "lost_time"),
    })))
}

pub(super) fn report_movement(state: &State, call: &Call) -> Result<Value, Failure> {
    let view = PipelineView::new(state, call)?;
    let has_moved = |history: &DealHistory| {
        history.stays.windows(2).any(|pair| view.has(&pair[0]) && view.has(&pair[1]) && view.period.has(pair[1].from))
    };
    let moved: Vec<&DealHistory> = view.histories.iter().filter(|history| has_moved(history)).collect();
    let is_new = |history: &DealHistory| {
        view.period.has(read_text(history.deal, "add_time")) && history.stays.first().is_some_and(|stay| view.has(stay))
    };
    let is_open = |history: &DealHistory| history.stays.iter().any(|stay| view.has(stay) && view.period.is_open_at_end(stay));

    let now = stamp(call.now);
    let last = format!("{}T23:59:59Z", view.period.end).min(now);
    let count_days = |from: &str, until: Option<&str>| {
        let until = until.unwrap_or(&last).min(&last);
        Some((parse_time(until)? - parse_time(from)?).whole_days().max(0))
    };
    let ages = moved.iter().filter_map(|history| count_days(read_text(history.deal, "add_time"), history.stays.last()?.until));
    let by_stages = view.stages.iter().filter_map(|stage| {
        let stays = moved.iter().flat_map(|history| &history.stays).filter(|stay| stay.stage == *stage && stay.from <= last.as_str());
        let days: Vec<i64> = stays.filter_map(|stay| count_days(stay.from, stay.until)).collect();
        (!days.is_empty()).then(|| json!({ "stage_id": stage, "value": compute_average(&days) }))
    });
    Ok(wrap(json!({
        "movements_between_stages": { "count": moved.len() },
        "new_deals": sum_deals(&view.list_deals(is_new)),
        "deals_left_open": sum_deals(&view.list_deals(is_open)),
        "won_deals": sum_deals(&view.list_deals(|history| view.has_ended(history, "won", "won_time"))),
        "lost_deals": sum_deals(&view.list_deals(|history| view.has_ended(history, "lost", "lost_time"))),
        "average_age_in_days": { "across_all_stages": compute_average(&ages.collect::<Vec<_>>()), "by_stages": by_stages.collect::<Value>() },
    })))
}

fn compute_average(days: &[i64]) -> i64 {
    let count = i64::try_from(days.len()).unwrap_or(i64::MAX);
    // Adds half of the divisor, so that the result is the nearest.
    (days.iter().sum::<i64>() + count / 2).checked_div(count).unwrap_or(0)
}

fn sum_deals(deals: &[&Record]) -> Value {
    let sums = sum_by_currency(deals, money::read_amount);
    let formatted: Record = sums.iter().map(|(code, sum)| ((*code).to_owned(), money::format(*sum, code).into())).collect();
    json!({
        "count": deals.len(),
        "deals_ids": deals.iter().filter_map(|deal| read_id(deal)).collect::<Vec<_>>(),
        "values": write_sums(&sums),
        "formatted_values": formatted,
    })
}
