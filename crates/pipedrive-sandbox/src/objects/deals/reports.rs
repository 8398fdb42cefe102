//! Reports over deals: their summary and their timeline.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Date, Duration};

use crate::engine::collection::Call;
use crate::engine::envelope::wrap;
use crate::engine::filters;
use crate::engine::shape::shape_record;
use crate::engine::state::State;
use crate::objects::deals::worth::{sum_by_currency, weigh, write_sums};
use crate::objects::users::find_currency;
use crate::value::clock::{format_date, parse_date};
use crate::value::failure::Failure;
use crate::value::money;
use crate::value::record::{Record, read_flag, read_text, to_text};

const MAX_INTERVALS: u32 = 366;

/// Fields of deals by which a timeline can group.
const DATES: &[&str] = &["add_time", "update_time", "stage_change_time", "won_time", "lost_time", "close_time", "expected_close_date"];

/// Lists the deals that a report's parameters select, without archived and deleted ones.
fn list_deals<'a>(state: &'a State, call: &'a Call) -> Result<Vec<&'a Record>, Failure> {
    let filter =
        call.parameter("filter_id").map(|id| filters::find(state, call.tables, call.tables.collection("deals"), id)).transpose()?;
    let fits = |row: &Record, field: &str, parameter: &str| {
        call.parameter(parameter).is_none_or(|wanted| row.get(field).map(to_text).as_deref() == Some(wanted))
    };
    let deals = state.live("deals").filter(|row| !read_flag(row, "is_archived")).filter(|row| {
        [("owner_id", "user_id"), ("pipeline_id", "pipeline_id"), ("stage_id", "stage_id"), ("status", "status")]
            .iter()
            .all(|(field, parameter)| fits(row, field, parameter))
    });
    Ok(deals
        .filter(|row| filter.is_none_or(|filter| filters::matches(state, call, call.tables.collection("deals"), row, filter)))
        .collect())
}

pub(super) fn summarize(state: &State, call: &Call) -> Result<Value, Failure> {
    let deals = list_deals(state, call)?;
    let target = find_currency(state, call);
    let mut values: BTreeMap<&str, (f64, f64, usize)> = BTreeMap::new();
    for deal in &deals {
        let sum = values.entry(read_text(deal, "currency")).or_default();
        *sum = (sum.0 + money::read_amount(deal), sum.1 + weigh(state, deal), sum.2 + 1);
    }
    let mut data = json!({ "values_total": {}, "weighted_values_total": {}, "total_count": deals.len() });
    let (mut total, mut weighted_total) = (0.0, 0.0);
    for (code, (value, weighted, count)) in values {
        let converted = money::convert(value, code, target);
        total += converted;
        weighted_total += money::convert(weighted, code, target);
        data["values_total"][code] = json!({
            "value": money::to_json(value),
            "count": count,
            "value_converted": money::to_json(converted),
            "value_formatted": money::format(value, code),
            "value_converted_formatted": money::format(converted, target),
        });
        data["weighted_values_total"][code] =
            json!({ "value": money::to_json(weighted), "count": count, "value_formatted": money::format(weighted, code) });
    }
    for (name, value) in [("total", total), ("total_weighted", weighted_total)] {
        data[format!("{name}_currency_converted_value")] = money::to_json(value);
        data[format!("{name}_currency_converted_value_formatted")] = money::format(value, target).into();
    }
    Ok(wrap(data))
}

/// Builds a timeline.
/// The document has one period as `data`: it is the whole span, and several periods stand inside it.
pub(super) fn list_timeline(state: &State, call: &Call) -> Result<Value, Failure> {
    let start = call.parameter("start_date").and_then(parse_date).ok_or_else(|| Failure::invalid("start_date", "is required"))?;
    let amount = call.parameter("amount").and_then(|a| a.parse().ok()).filter(|a| (1..=MAX_INTERVALS).contains(a));
    let amount: u32 = amount.ok_or_else(|| Failure::invalid("amount", format!("must be between 1 and {MAX_INTERVALS}")))?;
    let field = call.parameter("field_key").unwrap_or_default();
    let is_custom_date = |row: &Record| read_text(row, "field_code") == field && read_text(row, "field_type").starts_with("date");
    if !DATES.contains(&field) && !state.live("dealFields").any(is_custom_date) {
        return Err(Failure::invalid("field_key", "is not a date field of deals"));
    }
    let interval = call.parameter("interval").unwrap_or_default();
    let bounds = (0..=amount).map(|n| find_start(start, interval, n)).collect::<Option<Vec<Date>>>();
    let bounds = bounds.ok_or_else(|| Failure::invalid("amount", "leads to dates beyond the calendar"))?;
    let deals: Vec<(String, &Record)> = list_deals(state, call)?
        .into_iter()
        .filter(|deal| matches!(read_text(deal, "status"), "open" | "won"))
        .filter_map(|deal| Some((find_date(deal, field)?, deal)))
        .collect();
    let period = |from: Date, until: Date| {
        let (from, until) = (format_date(from), format_date(until));
        let inside = deals.iter().filter(|(date, _)| *date >= from && *date < until).map(|(_, deal)| *deal);
        build_period(state, call, &from, &until, &inside.collect::<Vec<_>>())
    };
    let mut data = period(bounds[0], bounds[bounds.len() - 1]);
    if amount > 1 {
        data["periods"] = bounds.windows(2).map(|pair| period(pair[0], pair[1])).collect();
    }
    Ok(wrap(data))
}

fn build_period(state: &State, call: &Call, from: &str, until: &str, deals: &[&Record]) -> Value {
    let last_day = parse_date(until).and_then(Date::previous_day).map_or_else(String::new, format_date);
    let mut period = json!({ "period_start": format!("{from} 00:00:00"), "period_end": format!("{last_day} 23:59:59") });
    if !call.asks_for("exclude_deals")
        && let Some(shape) = call.shape(&["data", "deals"])
    {
        period["deals"] = deals.iter().map(|deal| shape_record(state, call, call.tables.collection("deals"), deal, shape)).collect();
    }
    let of = |status: &str| deals.iter().copied().filter(|deal| read_text(deal, "status") == status).collect::<Vec<_>>();
    let (open, won) = (of("open"), of("won"));
    let plain_value = |deal: &Record| money::read_amount(deal);
    let weighted_value = |deal: &Record| weigh(state, deal);
    period["totals"] = json!({
        "count": deals.len(),
        "values": write_sums(&sum_by_currency(deals, plain_value)),
        "weighted_values": write_sums(&sum_by_currency(deals, weighted_value)),
        "open_count": open.len(),
        "open_values": write_sums(&sum_by_currency(&open, plain_value)),
        "weighted_open_values": write_sums(&sum_by_currency(&open, weighted_value)),
        "won_count": won.len(),
        "won_values": write_sums(&sum_by_currency(&won, plain_value)),
    });
    if let Some(target) = call.parameter("totals_convert_currency") {
        let target = if target == "default_currency" { find_currency(state, call) } else { target };
        let sum = |deals: &[&Record], value: &dyn Fn(&Record) -> f64| {
            let converted = deals.iter().map(|deal| money::convert(value(deal), read_text(deal, "currency"), target));
            json!({ target: money::to_json(converted.sum()) })
        };
        period["totals_converted"] = json!({
            "count": deals.len(),
            "values": sum(deals, &plain_value),
            "weighted_values": sum(deals, &weighted_value),
            "open_count": open.len(),
            "open_values": sum(&open, &plain_value),
            "weighted_open_values": sum(&open, &weighted_value),
            "won_count": won.len(),
            "won_values": sum(&won, &plain_value),
        });
    }
    period
}

fn find_date(deal: &Record, field: &str) -> Option<String> {
    let value = deal.get(field).or_else(|| deal.get("custom_fields")?.get(field))?;
    value.get("value").unwrap_or(value).as_str()?.get(..10).map(str::to_owned)
}

/// Finds the first day of the `n`th interval.
fn find_start(start: Date, interval: &str, n: u32) -> Option<Date> {
    let months = match interval {
        "day" => return start.checked_add(Duration::days(n.into())),
        "week" => return start.checked_add(Duration::weeks(n.into())),
        "quarter" => n * 3,
        _ => n,
    };
    let month = u32::from(u8::from(start.month())) - 1 + months;
    let year = start.year() + i32::try_from(month / 12).ok()?;
    let month = time::Month::try_from(u8::try_from(month % 12 + 1).ok()?).ok()?;
    // In a month that is too short, the interval ends with the last day.
    Date::from_calendar_date(year, month, start.day().min(month.length(year))).ok()
}
