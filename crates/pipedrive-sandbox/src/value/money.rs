//! Sums of money: conversion at fixed rates, and Pipedrive's way to write them.

use serde_json::Value;

use crate::value::record::Record;

/// The currency of a user who has set no other.
pub(crate) const CURRENCY: &str = "EUR";

/// Units for one euro. Other currencies have the rate of the euro.
const RATES: &[(&str, f64)] = &[("EUR", 1.0), ("USD", 1.1), ("GBP", 0.85)];

const SYMBOLS: &[(&str, &str)] = &[("EUR", "€"), ("USD", "US$"), ("GBP", "£")];

pub(crate) fn convert(value: f64, from: &str, to: &str) -> f64 {
    let rate = |currency: &str| RATES.iter().find(|(c, _)| *c == currency).map_or(1.0, |(_, rate)| *rate);
    if from == to { value } else { round(value / rate(from) * rate(to)) }
}

/// Rounds to cents.
pub(crate) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Formats a sum such as `€5,000` and `US$11.10`.
pub(crate) fn format(value: f64, currency: &str) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if cents != "00" {
        grouped.push('.');
        grouped.push_str(cents);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    match SYMBOLS.iter().find(|(c, _)| *c == currency) {
        Some((_, symbol)) => format!("{sign}{symbol}{grouped}"),
        None => format!("{sign}{currency} {grouped}"),
    }
}

/// Reads the amount of a record's `value`, which is a number or an object with an `amount`.
pub(crate) fn read_amount(row: &Record) -> f64 {
    row.get("value").and_then(|value| value.get("amount").unwrap_or(value).as_f64()).unwrap_or(0.0)
}

/// Rounds the amount of a record's `value` to an integer, if there is a value.
pub(crate) fn round_amount(row: &Record) -> Option<Value> {
    row.get("value")?;
    #[expect(clippy::cast_possible_truncation, reason = "rounded before; a sum beyond the integers is cut to the largest")]
    let whole = read_amount(row).round() as i64;
    Some(whole.into())
}

/// Writes a sum to cents, as an integer if it is whole.
pub(crate) fn to_json(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = round(value);
    if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and exact")]
        let whole = value as i64;
        whole.into()
    } else {
        value.into()
    }
}
