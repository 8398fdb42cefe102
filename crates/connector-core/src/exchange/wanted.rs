//! Keys and operations found by the words of a caller, who may say `create` where a key says `add`.

use crate::declare::connector::Connector;

/// The longest text that is read: each of its words is compared with each word of the catalogue.
const LONGEST: usize = 128;

/// The verbs of callers, and those of keys that they may mean, the likeliest first.
const VERBS: &[(&str, &[&str])] = &[
    ("change", &["update"]),
    ("combine", &["merge"]),
    ("create", &["add"]),
    ("destroy", &["delete"]),
    ("drop", &["delete"]),
    ("edit", &["update"]),
    ("erase", &["delete"]),
    ("fetch", &["get"]),
    ("find", &["search", "get"]),
    ("insert", &["add"]),
    ("list", &["get"]),
    ("lookup", &["search", "get"]),
    ("make", &["add"]),
    ("modify", &["update"]),
    ("new", &["add"]),
    ("patch", &["update"]),
    ("put", &["update"]),
    ("query", &["search"]),
    ("read", &["get"]),
    ("register", &["add"]),
    ("remove", &["delete"]),
    ("retrieve", &["get"]),
    ("set", &["update"]),
    ("show", &["get"]),
    ("upload", &["add"]),
    ("view", &["get"]),
];

/// Words that say nothing of an action.
const EMPTY: &[&str] = &["a", "all", "an", "by", "for", "from", "in", "of", "on", "or", "the", "to"];

/// A caller's text, read as words.
#[derive(Debug)]
pub(crate) struct Wanted {
    terms: Vec<Term>,
}

/// Distance of a text from the words of a key: words that it lacks, unlikely meanings, and other numbers.
pub(crate) type Distance = (usize, usize, usize);

/// A word of the caller.
#[derive(Debug)]
struct Term {
    said: String,
    /// The words that may be meant, in the singular, the likeliest first.
    meant: Vec<String>,
}

impl Wanted {
    /// Reads the words of a caller. A text that is too long has none.
    pub(crate) fn read(text: &str, connectors: &[&Connector]) -> Self {
        if text.len() > LONGEST {
            return Self { terms: Vec::new() };
        }
        let mut said = split_words(text);
        said.retain(|word| !EMPTY.contains(&word.as_str()) && !connectors.iter().any(|connector| connector.key == word));
        let synonyms = || connectors.iter().flat_map(|connector| connector.synonyms);
        let terms = said.into_iter().map(|said| {
            let singular = fold_number(&said);
            let nouns = synonyms().filter(|(word, _)| *word == singular).map(|(_, meant)| (*meant).to_owned());
            let verbs = VERBS.iter().filter(|(word, _)| *word == said).flat_map(|(_, meant)| meant.iter().copied().map(str::to_owned));
            let mut meant: Vec<String> = nouns.chain(verbs).collect();
            meant.insert(0, singular);
            Term { said, meant }
        });
        Self { terms: terms.collect() }
    }

    /// Writes the text with the verb of keys in place of the caller's, to compare it letter by letter.
    pub(crate) fn to_key(&self) -> String {
        self.terms.iter().map(|term| if term.meant.len() > 1 { &term.meant[1] } else { &term.said }).map(String::as_str).collect()
    }

    /// Measures how far the text is from some words; not at all where it has a word that they lack.
    pub(crate) fn measure(&self, words: &[String]) -> Option<Distance> {
        let mut left: Vec<&String> = words.iter().collect();
        let (mut unlikely, mut other_number) = (0, 0);
        for term in &self.terms {
            let found = term.meant.iter().enumerate();
            let (rank, at) = found.clone().find_map(|(rank, meant)| {
                let exact = left.iter().position(|word| **word == term.said && rank == 0);
                exact.or_else(|| left.iter().position(|word| fold_number(word) == *meant)).map(|at| (rank, at))
            })?;
            unlikely += rank;
            other_number += usize::from(is_plural(left.remove(at)) != is_plural(&term.said));
        }
        (!self.terms.is_empty()).then_some((left.len(), unlikely, other_number))
    }

    /// Finds the operation of a vendor that the text means, for the action that sends any request.
    pub(crate) fn find_operation(&self, connector: &Connector) -> Option<(&'static str, &'static str)> {
        let operations = (connector.raw?.operations)();
        let measured = operations.into_iter().filter_map(|(method, path)| {
            let (lacking, unlikely, _) = self.measure(&name_operation(connector, method, path))?;
            // `getProject` wants one, and so does each change; `getProjects` and an addition do not name one.
            let wants_one = method != "POST" && (method != "GET" || self.terms.last().is_some_and(|term| !is_plural(&term.said)));
            let names_one = path.ends_with('}');
            Some((lacking, unlikely, wants_one != names_one, path.matches('{').count(), std::cmp::Reverse(path), method))
        });
        measured.min().map(|(.., std::cmp::Reverse(path), method)| (method, path))
    }
}

/// Names an operation as a key would: a verb for its method, and the literal segments of its path.
fn name_operation(connector: &Connector, method: &str, path: &str) -> Vec<String> {
    let verb = match method {
        "POST" => "add",
        "PUT" | "PATCH" => "update",
        "DELETE" => "delete",
        _ => "get",
    };
    let below = connector.roots.iter().find_map(|root| path.strip_prefix(root)).unwrap_or(path);
    let literals = below.split('/').filter(|segment| !segment.starts_with('{'));
    std::iter::once(verb.to_owned()).chain(literals.flat_map(split_words)).collect()
}

/// Splits a text into words in lower case: `getDeals`, `get_deals` and `Get deals` have the same two.
pub(crate) fn split_words(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut was_lower = false;
    for letter in text.chars() {
        if was_lower && letter.is_uppercase() {
            spaced.push(' ');
        }
        was_lower = !letter.is_uppercase();
        if letter.is_alphanumeric() { spaced.extend(letter.to_lowercase()) } else { spaced.push(' ') }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Writes an English noun in the singular. What it makes of another word is the same each time.
fn fold_number(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) if stem.len() > 1 => format!("{stem}y"),
        (_, Some(stem)) if !stem.ends_with('s') && stem.len() > 1 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

fn is_plural(word: &str) -> bool {
    fold_number(word) != word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::connector::RawAccess;

    static ACME: Connector = Connector::new("acme", "Acme", "Ships.", "1.0.0")
        .with_host("https://api.acme.example")
        .with_roots(&["/v2/", "/v1/"])
        .with_synonyms(&[("vessel", "ship"), ("captain", "person")])
        .with_raw(RawAccess::new("anyRequest", || {
            vec![
                ("GET", "/v1/harbours"),
                ("GET", "/v2/harbours"),
                ("GET", "/v2/harbours/{id}"),
                ("POST", "/v2/harbours"),
                ("POST", "/v2/harbours/{id}/close"),
                ("GET", "/v2/harbours/{id}/crane_tests"),
                ("DELETE", "/v2/harbours/{id}"),
            ]
        }));

    const KEYS: [&str; 8] =
        ["addShip", "addShipFollower", "deletePerson", "getActivities", "getShip", "getShips", "searchShips", "updateShip"];

    fn find_keys(text: &str) -> Vec<&'static str> {
        let wanted = Wanted::read(text, &[&ACME]);
        let mut found: Vec<_> = KEYS.iter().filter_map(|key| Some((wanted.measure(&split_words(key))?, *key))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, key)| key).collect()
    }

    #[test]
    fn words_of_callers_find_the_keys_that_they_mean() {
        for (text, expected) in [
            ("createShip", "addShip"),
            ("new_ship", "addShip"),
            ("acme.create-ship", "addShip"),
            ("Insert a vessel", "addShip"),
            ("findShip", "searchShips"),
            ("listShips", "getShips"),
            ("list ship", "getShip"),
            ("retrieveShips", "getShips"),
            ("editVessel", "updateShip"),
            ("removeCaptain", "deletePerson"),
            ("listActivity", "getActivities"),
        ] {
            assert_eq!(find_keys(text).first(), Some(&expected), "{text}");
        }
        assert_eq!(find_keys("createHarbour"), Vec::<&str>::new());
        assert_eq!(find_keys(""), Vec::<&str>::new());
        assert_eq!(find_keys(&"ship ".repeat(100)), Vec::<&str>::new());
    }

    #[test]
    fn words_of_callers_find_operations_without_an_action() {
        for (text, expected) in [
            ("createHarbour", Some(("POST", "/v2/harbours"))),
            ("listHarbours", Some(("GET", "/v2/harbours"))),
            ("getHarbour", Some(("GET", "/v2/harbours/{id}"))),
            ("removeHarbour", Some(("DELETE", "/v2/harbours/{id}"))),
            ("closeHarbour", Some(("POST", "/v2/harbours/{id}/close"))),
            ("getHarbourCraneTests", Some(("GET", "/v2/harbours/{id}/crane_tests"))),
            ("updateHarbour", None),
            ("", None),
        ] {
            assert_eq!(Wanted::read(text, &[&ACME]).find_operation(&ACME), expected, "{text}");
        }
    }

    #[test]
    fn text_is_written_with_the_verb_of_keys() {
        assert_eq!(Wanted::read("createSihp", &[&ACME]).to_key(), "addsihp");
        assert_eq!(Wanted::read("find vessels", &[&ACME]).to_key(), "searchship");
    }
}
