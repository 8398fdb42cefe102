//! The faults that a person asks for in text, as `seed=7,latency=1%:200ms,500=2%@POST /api/v2/deals`.

use std::fmt;
use std::str::FromStr;

use time::Duration;

use crate::edge::fault_kind::{FAULT_WORDS, FaultKind};
use crate::edge::faults::{Gate, TokenFault};
use crate::facts::api::api;
use crate::value::nearest::find_nearest;

/// Certainty, in the unit of a [`Chance::Rate`].
pub(crate) const CERTAIN: u64 = 1_000_000_000;

/// A rule's duration is at most as long as this, so that times stay within their range.
const LONGEST: Duration = Duration::days(366);

/// The faults that a sandbox makes on purpose: none by default, else parsed from a text.
///
/// ```
/// use pipedrive_sandbox::Faults;
/// let faults: Faults = "seed=7, latency=1%:200ms, reset-after=#1@POST /api/v2/deals".parse().expect("these are faults");
/// let error = "lateny=1%".parse::<Faults>().expect_err("there is no such fault");
/// assert!(error.to_string().contains("latency"));
/// # drop(faults);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub(crate) seed: u64,
    pub(crate) rules: Vec<FaultRule>,
    /// Faults of the first requests to the token endpoint, one for each request, in this order.
    pub(crate) token: Vec<TokenFault>,
}

/// A kind of fault, with the requests that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultRule {
    pub(crate) kind: FaultKind,
    pub(crate) chance: Chance,
    /// The duration, zero for kinds that take none.
    pub(crate) duration: Duration,
    pub(crate) endpoint: Option<Endpoint>,
}

/// The share of requests that have a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chance {
    /// So many of [`CERTAIN`] requests.
    Rate(u64),
    /// The request of this number alone, counted from 1.
    Only(u64),
}

/// A pattern of methods and paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    methods: MethodPattern,
    /// The parts of a path; none takes any path of the API.
    path: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum MethodPattern {
    Any,
    Read,
    Write,
    One(String),
}

const METHOD_WORDS: &[&str] = &["get", "post", "put", "patch", "delete", "read", "write"];
/// A part of a pattern that takes any one part of a path.
const ANY_PART: &str = "*";
/// The last part of a pattern that takes any rest of a path.
const ANY_REST: &str = "**";
/// Paths beside those of the API that a rule can name.
const OAUTH_PATHS: &[&str] = &["/oauth/token", "/oauth/revoke", "/oauth/authorize"];

/// The reason for which a text does not name faults.
#[derive(Debug)]
pub struct FaultSpecError(String);

impl fmt::Display for FaultSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultSpecError {}

impl FromStr for Faults {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, FaultSpecError> {
        let mut faults = Self::default();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        for item in lines.flat_map(|line| line.split(',')).map(str::trim).filter(|item| !item.is_empty()) {
            faults.add_item(item)?;
        }
        Ok(faults)
    }
}

impl Faults {
    fn add_item(&mut self, item: &str) -> Result<(), FaultSpecError> {
        let (name, value) = item.split_once('=').map_or((item, ""), |(name, value)| (name.trim(), value.trim()));
        match name {
            "seed" => self.seed = value.parse().map_err(|_| refuse(item, "write seed=7, a whole number"))?,
            "token" => self.token.push(parse_token_fault(item, value)?),
            _ => self.rules.push(parse_rule(item, name, value)?),
        }
        Ok(())
    }
}

fn refuse(item: &str, reason: impl fmt::Display) -> FaultSpecError {
    FaultSpecError(format!("{item:?}: {reason}"))
}

fn parse_token_fault(item: &str, value: &str) -> Result<TokenFault, FaultSpecError> {
    match value {
        "drop" => Ok(TokenFault::ConnectionDropped),
        "drop-answer" => Ok(TokenFault::ResponseLost),
        // The gate never opens.
        "hang" => Ok(TokenFault::Held(Gate::closed())),
        status => match status.parse() {
            Ok(status) if (400..=599).contains(&status) => Ok(TokenFault::Status(status)),
            _ => Err(refuse(item, "write token=STATUS (400 to 599), token=drop, token=drop-answer or token=hang")),
        },
    }
}

fn parse_rule(item: &str, name: &str, value: &str) -> Result<FaultRule, FaultSpecError> {
    let names = || FAULT_WORDS.iter().map(|word| word.name);
    let word = FAULT_WORDS.iter().find(|word| word.name == name).ok_or_else(|| {
        let all: Vec<&str> = names().chain(["seed", "token"]).collect();
        let nearest = find_nearest(name, all.iter().copied()).unwrap_or_default();
        refuse(item, format!("there is no fault {name:?}; the nearest is {nearest}. There are: {}", all.join(", ")))
    })?;
    let (amount, endpoint) = value.split_once('@').map_or((value, None), |(amount, endpoint)| (amount.trim(), Some(endpoint)));
    let (rate, duration) = amount.split_once(':').map_or((amount, None), |(rate, duration)| (rate.trim(), Some(duration.trim())));
    let duration = match (duration, word.duration) {
        (None, default) => default.unwrap_or_default(),
        (Some(given), None) => return Err(refuse(item, format!("{name} takes no duration such as {given:?}"))),
        (Some(given), Some(_)) => parse_duration(given)
            .filter(|duration| duration.is_positive() || word.kind == FaultKind::Skew)
            .ok_or_else(|| refuse(item, format!("{given:?} is no duration: write 200ms, 2s, 5m or 1h, at most a year")))?,
    };
    let chance = parse_chance(rate)
        .ok_or_else(|| refuse(item, format!("{rate:?} is no rate: write {name}=1%, {name}=always, or {name}=#3 for the third request")))?;
    let endpoint = endpoint.map(|text| Endpoint::parse(item, text)).transpose()?;
    Ok(FaultRule { kind: word.kind, chance, duration, endpoint })
}

fn parse_chance(text: &str) -> Option<Chance> {
    if let Some(number) = text.strip_prefix('#') {
        return number.parse().ok().filter(|number| *number > 0).map(Chance::Only);
    }
    if text == "always" {
        return Some(Chance::Rate(CERTAIN));
    }
    let percent: f64 = text.strip_suffix('%')?.parse().ok().filter(|percent| (0.0..=100.0).contains(percent))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to CERTAIN, which is exact"
    )]
    let rate = (percent / 100.0 * CERTAIN as f64).round() as u64;
    Some(Chance::Rate(rate))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: i64 = text[..at].parse().ok()?;
    let unit = match &text[at..] {
        "ms" => Duration::MILLISECOND,
        "s" => Duration::SECOND,
        "m" => Duration::MINUTE,
        "h" => Duration::HOUR,
        _ => return None,
    };
    let milliseconds = number.checked_mul(i64::try_from(unit.whole_milliseconds()).ok()?)?;
    Some(Duration::milliseconds(milliseconds)).filter(|duration| duration.abs() <= LONGEST)
}

impl Endpoint {
    fn parse(item: &str, text: &str) -> Result<Self, FaultSpecError> {
        let (mut methods, mut path) = (MethodPattern::Any, None);
        for (index, word) in text.split_whitespace().enumerate() {
            if word.starts_with('/') && path.is_none() {
                path = Some(parse_path(item, word)?);
            } else if index == 0 {
                methods = parse_methods(item, word)?;
            } else {
                return Err(refuse(item, format!("{word:?} is one word too many: write @METHOD, @/path or @METHOD /path")));
            }
        }
        if methods == MethodPattern::Any && path.is_none() {
            return Err(refuse(item, "name an endpoint after @, as @POST /api/v2/deals"));
        }
        Ok(Self { methods, path })
    }

    /// Tells whether a request is meant. A pattern without a path means the API alone.
    pub(crate) fn takes(&self, method: &str, path: &str) -> bool {
        let has_method = match &self.methods {
            MethodPattern::Any => true,
            MethodPattern::Read => method == "GET",
            MethodPattern::Write => method != "GET",
            MethodPattern::One(one) => one == method,
        };
        has_method
            && match &self.path {
                None => is_api_path(path),
                Some(wanted) => fits(wanted, &mut split_path(path), |want, part| want == part),
            }
    }
}

/// Tells whether a path is one of the API, and not one of the OAuth server or the storage host.
pub(crate) fn is_api_path(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/v1/")
}

fn parse_methods(item: &str, word: &str) -> Result<MethodPattern, FaultSpecError> {
    match METHOD_WORDS.iter().find(|known| known.eq_ignore_ascii_case(word)) {
        Some(&"read") => Ok(MethodPattern::Read),
        Some(&"write") => Ok(MethodPattern::Write),
        Some(method) => Ok(MethodPattern::One(method.to_ascii_uppercase())),
        None => {
            let nearest = find_nearest(&word.to_ascii_lowercase(), METHOD_WORDS.iter().copied()).unwrap_or_default();
            let all = METHOD_WORDS.join(", ");
            Err(refuse(item, format!("{word:?} is neither a method nor a path; the nearest is {nearest}. There are: {all}")))
        }
    }
}

/// Parses a pattern of paths, which must fit the path of at least one endpoint.
fn parse_path(item: &str, word: &str) -> Result<Vec<String>, FaultSpecError> {
    let parts: Vec<String> =
        split_path(word).map(|part| if part.starts_with('{') { ANY_PART.to_owned() } else { part.to_owned() }).collect();
    let known = || api().paths().chain(OAUTH_PATHS.iter().copied());
    let is_alike = |want: &str, part: &str| want == part || part.starts_with('{');
    if known().any(|path| fits(&parts, &mut split_path(path), is_alike)) {
        return Ok(parts);
    }
    let nearest = find_nearest(word, known()).unwrap_or_default();
    Err(refuse(item, format!("no endpoint has the path {word:?}; the nearest is {nearest}")))
}

/// Splits a path into its parts. `/v1` is another name of `/api/v1`.
fn split_path(path: &str) -> impl Iterator<Item = &str> {
    let (prefix, rest) = if path.starts_with("/v1/") { (Some("api"), path) } else { (None, path) };
    prefix.into_iter().chain(rest.split('/').skip(1))
}

fn fits<'a>(wanted: &[String], parts: &mut impl Iterator<Item = &'a str>, is_alike: impl Fn(&str, &str) -> bool) -> bool {
    for want in wanted {
        if want == ANY_REST {
            return true;
        }
        match parts.next() {
            Some(part) if want == ANY_PART || is_alike(want, part) => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Faults {
        text.parse().unwrap_or_else(|error| panic!("{text} should parse: {error}"))
    }

    #[test]
    fn parses_rates_durations_and_endpoints() {
        let faults =
            parse("# planned\nseed=7, latency=1%:200ms\n500 = 0.5% @ post /api/v2/deals,budget=#3\nskew=always:-2h@read,token=503");
        assert_eq!((faults.seed, faults.token.len()), (7, 1));
        let shown: Vec<_> = faults.rules.iter().map(|rule| (rule.kind, rule.chance, rule.duration.whole_milliseconds())).collect();
        let expected = [
            (FaultKind::Latency, Chance::Rate(10_000_000), 200),
            (FaultKind::ErrorBefore, Chance::Rate(5_000_000), 0),
            (FaultKind::BudgetSpent, Chance::Only(3), 60_000),
            (FaultKind::Skew, Chance::Rate(CERTAIN), -7_200_000),
        ];
        assert_eq!(shown, expected);
        assert_eq!(faults.rules[1].endpoint, Some(Endpoint::parse("", "POST /api/v2/deals").expect("an endpoint")));
        assert!(parse("").rules.is_empty());
    }

    #[test]
    fn parses_each_fault_of_the_token_endpoint() {
        let faults = parse("token=503,token=drop,token=drop-answer,token=hang").token;
        let [TokenFault::Status(503), TokenFault::ConnectionDropped, TokenFault::ResponseLost, TokenFault::Held(_)] = &faults[..] else {
            panic!("each should be parsed, in order: {faults:?}");
        };
    }

    #[test]
    fn endpoints_take_methods_and_paths() {
        let takes = |pattern: &str, method: &str, path: &str| Endpoint::parse("", pattern).expect(pattern).takes(method, path);
        for (pattern, method, path) in [
            ("/api/v2/deals", "GET", "/api/v2/deals"),
            ("POST", "POST", "/v1/notes"),
            ("write", "DELETE", "/api/v2/deals/1"),
            ("read /api/v2/deals/*", "GET", "/api/v2/deals/17"),
            ("/api/v2/deals/{id}", "PATCH", "/api/v2/deals/17"),
            ("/api/v2/deals/17", "GET", "/api/v2/deals/17"),
            ("/api/v2/**", "GET", "/api/v2/deals/17/products"),
            ("/v1/notes", "GET", "/api/v1/notes"),
            ("/api/v1/notes", "GET", "/v1/notes"),
            ("POST /oauth/token", "POST", "/oauth/token"),
        ] {
            assert!(takes(pattern, method, path), "{pattern} should take {method} {path}");
        }
        for (pattern, method, path) in [
            ("/api/v2/deals", "GET", "/api/v2/deals/17"),
            ("/api/v2/deals/*", "GET", "/api/v2/deals"),
            ("/api/v2/deals/17", "GET", "/api/v2/deals/18"),
            ("POST", "GET", "/v1/notes"),
            ("POST", "POST", "/oauth/token"),
            ("write", "GET", "/api/v2/deals"),
            ("read", "POST", "/api/v2/deals"),
        ] {
            assert!(!takes(pattern, method, path), "{pattern} should not take {method} {path}");
        }
    }

    #[test]
    fn errors_name_the_word_and_the_nearest() {
        for (text, parts) in [
            ("lateny=1%", &["\"lateny=1%\"", "nearest is latency", "reset-before"][..]),
            ("sed=1", &["nearest is seed"]),
            ("500", &["\"\" is no rate", "500=1%"]),
            ("500=101%", &["\"101%\" is no rate"]),
            ("500=2", &["\"2\" is no rate", "500=always"]),
            ("500=#0", &["is no rate"]),
            ("500=1%:2s", &["500 takes no duration"]),
            ("latency=1%:2", &["\"2\" is no duration"]),
            ("latency=1%:-2s", &["\"-2s\" is no duration"]),
            ("skew=1%:99999h", &["at most a year"]),
            ("seed=x", &["seed=7"]),
            ("token=200", &["token=STATUS", "token=drop,", "token=drop-answer", "token=hang"]),
            ("500=1%@", &["name an endpoint"]),
            ("500=1%@PSOT /api/v2/deals", &["\"PSOT\"", "nearest is post"]),
            ("500=1%@POST /api/v2/deal", &["\"/api/v2/deal\"", "nearest is /api/v2/deals"]),
            ("500=1%@POST GET", &["one word too many"]),
        ] {
            let error = text.parse::<Faults>().expect_err(text).to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{text} should be refused with {parts:?}: {error}");
        }
    }
}
