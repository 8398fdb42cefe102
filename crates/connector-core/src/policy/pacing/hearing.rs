//! The facts about limits in the head of an answer.

use std::time::{Duration, SystemTime};

use crate::declare::limits::Limits;
use crate::policy::pacing::budget::BudgetFacts;
use crate::policy::pacing::queue::Block;
use crate::policy::pacing::window::WindowFacts;
use crate::value::retry_after::read_retry_after;

/// The facts about limits in the head of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) window: WindowFacts,
    pub(crate) budget: BudgetFacts,
    pub(crate) block: Option<Block>,
}

impl Heard {
    /// Reads the facts. A sandbox names the length of its window; that of an account is the documented one.
    pub(crate) fn read<'a>(limits: &Limits, status: u16, header: impl Fn(&str) -> Option<&'a str>, is_sandbox: bool) -> Self {
        let mut heard = Self::default();
        let mut reset = None;
        if let Some(names) = &limits.headers {
            heard.window.limit = header(names.limit).and_then(read_number);
            if heard.window.limit.is_some() || status == 429 {
                heard.window.left = header(names.left).and_then(read_number);
                reset = header(names.reset).and_then(read_seconds);
                heard.window.length = reset.filter(|length| is_sandbox && !length.is_zero());
            }
        }
        if let Some(names) = &limits.budget {
            heard.budget.left = header(names.left).and_then(read_number);
            heard.budget.limit = heard.budget.left.and_then(|_| header(names.limit)).and_then(read_number);
        }
        let named =
            || header("retry-after").and_then(|value| read_retry_after(value, header("date"), SystemTime::now)).map(Duration::from_millis);
        match status {
            429 if heard.budget.left == Some(0) => (heard.budget.is_refusal, heard.budget.wait) = (true, named()),
            429 => heard.window.wait = Some(named().or(reset).unwrap_or(limits.window)),
            403 if limits.blocks_by_page && header("content-type").is_some_and(|media| media.trim_start().starts_with("text/html")) => {
                heard.block = Some(Block { named: named() });
            }
            _ => {}
        }
        heard
    }
}

fn read_number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// Reads seconds, perhaps with decimals. A length that no clock can hold is none.
fn read_seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(read_number(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits::within(Duration::from_secs(2)).with_window("limit", "left", "reset").with_budget("day", "day-left").blocking_by_page();

    fn read(status: u16, headers: &[(&str, &'static str)], is_sandbox: bool) -> Heard {
        Heard::read(&LIMITS, status, |name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value), is_sandbox)
    }

    #[test]
    fn absent_headers_say_nothing() {
        assert_eq!(read(200, &[], false), Heard::default());
        assert_eq!(read(403, &[("content-type", "application/json")], false), Heard::default());
        assert_eq!(read(200, &[("limit", "many"), ("day-left", "-1")], false), Heard::default());
    }

    #[test]
    fn window_of_an_account_has_the_documented_length() {
        let headers = [("limit", "20"), ("left", "7"), ("reset", "0.1"), ("day", "100"), ("day-left", "5")];
        let window = WindowFacts { limit: Some(20), left: Some(7), length: None, wait: None };
        assert_eq!(read(200, &headers, false).window, window);
        assert_eq!(read(200, &headers, true).window.length, Some(Duration::from_millis(100)));
        assert_eq!(read(200, &headers, false).budget, BudgetFacts { left: Some(5), limit: Some(100), is_refusal: false, wait: None });
    }

    #[test]
    fn refusal_names_its_wait_or_has_that_of_a_window() {
        for (headers, seconds) in [
            (&[("retry-after", "3"), ("reset", "1")][..], 3),
            (&[("reset", "1")], 1),
            (&[], 2),
            (&[("reset", "1e300")], 2),
            (&[("reset", "-5")], 2),
        ] {
            assert_eq!(read(429, headers, false).window.wait, Some(Duration::from_secs(seconds)), "{headers:?}");
        }
        let spent = read(429, &[("day-left", "0"), ("retry-after", "60")], false);
        assert_eq!((spent.window.wait, spent.budget.is_refusal), (None, true));
        assert_eq!(spent.budget.wait, Some(Duration::from_mins(1)));
    }

    #[test]
    fn page_in_place_of_a_refusal_is_a_block() {
        let page = ("content-type", "text/html; charset=UTF-8");
        assert_eq!(read(403, &[page], false).block, Some(Block { named: None }));
        assert_eq!(read(403, &[page, ("retry-after", "9")], false).block, Some(Block { named: Some(Duration::from_secs(9)) }));
        assert_eq!(read(404, &[page], false).block, None);
    }
}
