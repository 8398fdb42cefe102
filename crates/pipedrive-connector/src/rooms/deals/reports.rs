//! Totals over deals.

use connector_core::declare::{Date, Flag, Id, MapOf, Text, UtcTime};
use connector_core::{action, record};

use super::deal::DealStatus;
use super::old::TimelineDeal;
use crate::data_sources::{SelectDealDateField, SelectFilter, SelectPipeline, SelectStage, SelectUser};

/// Get Deals Summary
///
/// Get deals summary
#[action(get("/api/v1/deals/summary"), scopes("deals:read", "deals:full"), cost = 40, returns(DealsSummary))]
struct GetDealsSummary {
    /// Only deals of this status. Left out, those of all.
    status: Option<DealStatus>,
    /// A filter of the account; it overrides the user. Left out, none applies.
    #[overrides(user_id)]
    #[source(SelectFilter, type = "deals")]
    filter_id: Option<Id>,
    /// Only deals of this user. Left out, those of all.
    #[source(SelectUser)]
    user_id: Option<Id>,
    /// Only deals in this pipeline. Left out, those in all.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
    /// Only deals in this stage. Left out, those in all.
    #[source(SelectStage, pipeline_id)]
    stage_id: Option<Id>,
}

/// Get Deals Timeline
///
/// Get deals timeline
#[action(get("/api/v1/deals/timeline"), scopes("deals:read", "deals:full"), cost = 20, returns(DealsTimeline))]
struct GetDealsTimeline {
    /// The day on which the first interval starts.
    start_date: Date,
    /// The length of an interval.
    interval: Interval,
    /// The number of intervals to read.
    amount: i64,
    /// The key of the date field that puts a deal into an interval, as add_time or expected_close_date.
    #[source(SelectDealDateField)]
    field_key: Text,
    /// Only deals of this user. Left out, those of all.
    #[source(SelectUser)]
    user_id: Option<Id>,
    /// Only deals in this pipeline. Left out, those in all.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
    /// A filter of the account. Left out, none applies.
    #[source(SelectFilter, type = "deals")]
    filter_id: Option<Id>,
    /// True to leave out the deals and give the totals alone. Left out, the deals are there.
    exclude_deals: Option<Flag>,
    /// The three-letter code of a currency to convert the totals to. Left out, they are not converted.
    totals_convert_currency: Option<Text>,
}

/// The length of an interval of a timeline.
#[record]
enum Interval {
    Day,
    Week,
    Month,
    Quarter,
}

/// Totals over deals.
#[record]
struct DealsSummary {
    /// The values, by currency.
    values_total: Option<MapOf<CurrencyTotal>>,
    /// The values times their probabilities, by currency.
    weighted_values_total: Option<MapOf<CurrencyTotal>>,
    /// The number of deals.
    total_count: Option<i64>,
    /// All values in the default currency of the company.
    total_currency_converted_value: Option<f64>,
    /// All weighted values in the default currency of the company.
    total_weighted_currency_converted_value: Option<f64>,
    /// All values as text, with the currency.
    total_currency_converted_value_formatted: Option<String>,
    /// All weighted values as text, with the currency.
    total_weighted_currency_converted_value_formatted: Option<String>,
}

/// The total in one currency.
#[record]
struct CurrencyTotal {
    /// The sum, in the currency.
    value: Option<f64>,
    /// The number of deals in the sum.
    count: Option<i64>,
    /// The sum in the default currency of the company.
    value_converted: Option<f64>,
    /// The sum as text, with the currency.
    value_formatted: Option<String>,
    /// The converted sum as text, with the currency.
    value_converted_formatted: Option<String>,
}

/// Deals by the interval that they fall into.
#[record]
struct DealsTimeline {
    /// The time at which the period starts, in UTC.
    period_start: Option<UtcTime>,
    /// The time at which the period ends, in UTC.
    period_end: Option<UtcTime>,
    /// The deals of the period, in the older shape.
    deals: Option<Vec<TimelineDeal>>,
    /// The totals of the period.
    totals: Option<TimelineTotals>,
}

/// The totals of a period.
#[record]
struct TimelineTotals {
    /// The number of deals.
    count: Option<i64>,
    /// Their values, by currency.
    values: Option<MapOf<f64>>,
    /// Their values times their probabilities, by currency.
    weighted_values: Option<MapOf<f64>>,
    /// The number of those that are open.
    open_count: Option<i64>,
    /// The values of those that are open, by currency.
    open_values: Option<MapOf<f64>>,
    /// The weighted values of those that are open, by currency.
    weighted_open_values: Option<MapOf<f64>>,
    /// The number of those that are won.
    won_count: Option<i64>,
    /// The values of those that are won, by currency.
    won_values: Option<MapOf<f64>>,
}
