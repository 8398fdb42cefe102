//! The kinds of faults that a sandbox makes on purpose, with the word for each.

use time::Duration;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Latency,
    Drip,
    ResetBefore,
    ResetAfter,
    Cut,
    WrongLength,
    HalfJson,
    OverLimit,
    OverLimitBare,
    BudgetSpent,
    ErrorBefore,
    ErrorAfter,
    Maintenance,
    HtmlForbidden,
    Skew,
    DuplicatePage,
    ExpiredCursor,
    SearchLag,
}

/// The word for a kind, and what a rule of that kind takes.
#[derive(Debug)]
pub(crate) struct FaultWord {
    pub(crate) name: &'static str,
    pub(crate) kind: FaultKind,
    /// The duration of a rule that names none. Kinds without it take none.
    pub(crate) duration: Option<Duration>,
    /// Tells whether the request is carried out all the same.
    pub(crate) is_carried_out: bool,
}

/// All kinds, in their order within [`FaultKind`].
pub(crate) const FAULT_WORDS: &[FaultWord] = &[
    FaultWord::lasting("latency", FaultKind::Latency, Duration::seconds(1), true),
    FaultWord::lasting("drip", FaultKind::Drip, Duration::seconds(5), true),
    FaultWord::new("reset-before", FaultKind::ResetBefore, false),
    FaultWord::new("reset-after", FaultKind::ResetAfter, true),
    FaultWord::new("cut", FaultKind::Cut, true),
    FaultWord::new("wrong-length", FaultKind::WrongLength, true),
    FaultWord::new("half-json", FaultKind::HalfJson, true),
    FaultWord::lasting("429", FaultKind::OverLimit, Duration::seconds(1), false),
    FaultWord::new("429-bare", FaultKind::OverLimitBare, false),
    FaultWord::lasting("budget", FaultKind::BudgetSpent, Duration::seconds(60), false),
    FaultWord::new("500", FaultKind::ErrorBefore, false),
    FaultWord::new("500-after", FaultKind::ErrorAfter, true),
    FaultWord::new("503", FaultKind::Maintenance, false),
    FaultWord::lasting("403-html", FaultKind::HtmlForbidden, Duration::seconds(60), false),
    FaultWord::lasting("skew", FaultKind::Skew, Duration::seconds(3600), true),
    FaultWord::new("duplicate-page", FaultKind::DuplicatePage, true),
    FaultWord::new("expired-cursor", FaultKind::ExpiredCursor, false),
    FaultWord::lasting("search-lag", FaultKind::SearchLag, Duration::seconds(5), true),
];

impl FaultWord {
    const fn new(name: &'static str, kind: FaultKind, is_carried_out: bool) -> Self {
        Self { name, kind, duration: None, is_carried_out }
    }

    const fn lasting(name: &'static str, kind: FaultKind, duration: Duration, is_carried_out: bool) -> Self {
        Self { duration: Some(duration), ..Self::new(name, kind, is_carried_out) }
    }
}

impl FaultKind {
    pub(crate) fn word(self) -> &'static FaultWord {
        &FAULT_WORDS[self as usize]
    }

    /// Tells whether a fault of this kind has an effect on a request, by its path and query.
    pub(crate) fn concerns(self, path: &str, query: &str) -> bool {
        let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        match self {
            Self::DuplicatePage => has("cursor") || has("start"),
            Self::ExpiredCursor => has("cursor"),
            Self::SearchLag => path.ends_with("/search"),
            _ => true,
        }
    }
}

/// The way to write faults, for the help of a program.
pub const FAULTS_HELP: &str = "\
Faults to make on purpose: FAULT=RATE[:DURATION][@ENDPOINT], several with commas between, or @FILE with one a line.
RATE is 1%, always, or #3 for the third request alone. DURATION is 200ms, 2s, 5m or 1h.
ENDPOINT is a method (or read, write), a path, or both, as @POST /api/v2/deals; * is one part of a path, ** any rest.
One request has at most one fault. The same seed (seed=7) and the same requests give the same faults.

Not carried out: reset-before; 429 (DURATION: its Retry-After) and 429-bare (without headers); 500; 503 (maintenance);
budget (the company's daily budget is spent for DURATION); 403-html (the token is refused for DURATION);
expired-cursor (requests with a cursor).
Carried out: latency (waits first); drip (the response takes DURATION); reset-after (the response is lost);
cut (half the response, then the connection closes); wrong-length (Content-Length is too small);
half-json (half a body, whole by its length); 500-after; skew (the clock is off by DURATION, which may be negative);
duplicate-page (requests with a cursor or start: the next page is the same one again);
search-lag (a search finds nothing that was added within DURATION).

token=503 is a fault of one request to the token endpoint; several stand in a queue. There are: a status of 400 to 599;
token=drop (closes the connection); token=drop-answer (closes it after the work); token=hang (never responds)";

#[cfg(test)]
mod tests {
    use super::{FAULT_WORDS, FAULTS_HELP, FaultKind};

    #[test]
    fn each_kind_has_its_word_and_stands_in_the_help() {
        for word in FAULT_WORDS {
            assert_eq!(word.kind.word().name, word.name, "the words stand in the order of the kinds");
            let (before, carried_out) = FAULTS_HELP.split_once("\nCarried out: ").expect("the help has both parts");
            let part = if word.is_carried_out { carried_out } else { before };
            let is_named = part.split(|c: char| c != '-' && !c.is_alphanumeric()).any(|other| other == word.name);
            assert!(is_named, "the help should name {} where it belongs", word.name);
        }
        assert_eq!(FAULT_WORDS.len(), FaultKind::SearchLag as usize + 1);
    }

    #[test]
    fn kinds_about_lists_concern_those_alone() {
        let concerned = |kind: FaultKind| {
            [
                ("/api/v2/deals", "limit=1"),
                ("/api/v2/deals", "limit=1&cursor=x"),
                ("/api/v1/notes", "start=0"),
                ("/api/v2/deals/search", ""),
            ]
            .map(|(path, query)| kind.concerns(path, query))
        };
        assert_eq!(concerned(FaultKind::DuplicatePage), [false, true, true, false]);
        assert_eq!(concerned(FaultKind::ExpiredCursor), [false, true, false, false]);
        assert_eq!(concerned(FaultKind::SearchLag), [false, false, false, true]);
        assert_eq!(concerned(FaultKind::Cut), [true; 4]);
    }
}
