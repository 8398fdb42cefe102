//! The choice of a request's fault: a pure function of the rules, the counts so far and the request.

use time::Duration;

use crate::edge::fault_kind::FaultKind;
use crate::edge::fault_spec::{CERTAIN, Chance, FaultRule, Faults, is_api_path};
use crate::value::random::Random;

/// A request, as the choice of its fault sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultTarget<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
}

/// The requests that were counted so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultCounts {
    /// Requests that at least one rule is about.
    all: u64,
    /// Requests that each rule is about.
    by_rule: Vec<u64>,
}

/// The fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChosenFault {
    pub(crate) kind: FaultKind,
    pub(crate) duration: Duration,
}

/// Chooses a request's fault, and counts the request.
///
/// The rules about the request have shares of one draw next to each other, so that each has its rate. A rule for one
/// request of a number precedes.
pub(crate) fn choose(faults: &Faults, counts: &mut FaultCounts, target: FaultTarget) -> Option<ChosenFault> {
    counts.by_rule.resize(faults.rules.len(), 0);
    let (mut numbered, mut drawn) = (None, None);
    // Drawn for the first rule about the request. Each request that is counted has its own place in the row of draws.
    let mut left = None;
    for (rule, count) in faults.rules.iter().zip(&mut counts.by_rule) {
        if !is_about(rule, target) {
            continue;
        }
        *count += 1;
        let draw = left.get_or_insert_with(|| Random::from_seed(faults.seed, counts.all).draw_below(CERTAIN));
        match rule.chance {
            Chance::Only(number) if number == *count => numbered = numbered.or(Some(rule)),
            Chance::Only(_) => {}
            Chance::Rate(rate) if drawn.is_none() && *draw < rate => drawn = Some(rule),
            Chance::Rate(rate) => *draw = draw.saturating_sub(rate),
        }
    }
    counts.all += u64::from(left.is_some());
    numbered.or(drawn).map(|rule| ChosenFault { kind: rule.kind, duration: rule.duration })
}

fn is_about(rule: &FaultRule, target: FaultTarget) -> bool {
    let is_meant = match &rule.endpoint {
        Some(endpoint) => endpoint.takes(target.method, target.path),
        None => is_api_path(target.path),
    };
    is_meant && rule.kind.concerns(target.path, target.query)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: FaultTarget = FaultTarget { method: "GET", path: "/api/v2/deals", query: "" };
    const POST: FaultTarget = FaultTarget { method: "POST", path: "/api/v2/deals", query: "" };

    fn choose_row(spec: &str, targets: impl IntoIterator<Item = FaultTarget<'static>>) -> Vec<Option<FaultKind>> {
        let faults = spec.parse().expect("the test's faults are valid");
        let mut counts = FaultCounts::default();
        targets.into_iter().map(|target| choose(&faults, &mut counts, target).map(|fault| fault.kind)).collect()
    }

    fn count(row: &[Option<FaultKind>], kind: FaultKind) -> usize {
        row.iter().filter(|chosen| **chosen == Some(kind)).count()
    }

    #[test]
    fn each_fault_has_its_rate() {
        let row = choose_row("seed=3,500=1%,503=2%,reset-before=10%,cut=0%", std::iter::repeat_n(GET, 100_000));
        for (kind, expected) in [(FaultKind::ErrorBefore, 1000), (FaultKind::Maintenance, 2000), (FaultKind::ResetBefore, 10_000)] {
            let got = count(&row, kind);
            assert!(got.abs_diff(expected) < expected / 8, "{kind:?} should come about {expected} times, not {got}");
        }
        assert_eq!(count(&row, FaultKind::Cut), 0);
        assert_eq!(count(&choose_row("500=always,503=always", [GET; 100]), FaultKind::ErrorBefore), 100, "the first should be chosen");
    }

    #[test]
    fn same_seed_and_requests_give_the_same_faults() {
        let targets = || (0..5000).map(|n| if n % 3 == 0 { GET } else { POST });
        let spec = "500=5%,cut=5%@read,reset-after=5%@POST";
        let row = choose_row(&format!("seed=1,{spec}"), targets());
        assert_eq!(row, choose_row(&format!("seed=1,{spec}"), targets()));
        assert_ne!(row, choose_row(&format!("seed=2,{spec}"), targets()));
    }

    #[test]
    fn rules_are_about_their_endpoints() {
        let row = choose_row("cut=always@POST,500=always@read", [GET, POST, GET]);
        assert_eq!(row, [Some(FaultKind::ErrorBefore), Some(FaultKind::Cut), Some(FaultKind::ErrorBefore)]);
        let token = FaultTarget { method: "POST", path: "/oauth/token", query: "" };
        assert_eq!(choose_row("500=always", [token]), [None], "a rule without an endpoint should be about the API alone");
        assert_eq!(choose_row("500=always@/oauth/token", [token]), [Some(FaultKind::ErrorBefore)]);
    }

    #[test]
    fn numbered_request_has_its_fault_alone() {
        let row = choose_row("reset-after=#2@POST,500=#1@GET", [POST, GET, POST, GET, POST]);
        assert_eq!(row, [None, Some(FaultKind::ErrorBefore), Some(FaultKind::ResetAfter), None, None]);
        assert_eq!(choose_row("500=always,cut=#2", [GET; 3])[1], Some(FaultKind::Cut), "a number should precede a rate");
    }

    #[test]
    fn other_requests_do_not_shift_the_draws() {
        let alone = choose_row("seed=9,500=20%@POST", [POST; 200]);
        let mixed: Vec<_> = choose_row("seed=9,500=20%@POST", (0..400).map(|n| if n % 2 == 0 { GET } else { POST }));
        let of_posts: Vec<_> = mixed.into_iter().skip(1).step_by(2).collect();
        assert_eq!(alone, of_posts);
    }
}
