//! Quoted texts, lists of names and suggestions for messages, alike in every crate.

/// The characters that [`quote`] keeps of a text.
const QUOTED: usize = 80;

/// The longest name that [`find_nearest`] compares: the distance is quadratic in length.
const LONGEST_NAME: usize = 64;

/// Quotes a caller's text for a message, cut after 80 characters.
pub fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Cuts a text after `most` characters, and marks the cut with `…`.
pub fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Lists names in backticks, `last` before the last one: `` `a`, `b` or `c` ``.
pub fn list_names(names: &[&str], last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        Some((end, _)) => end.clone(),
        None => String::new(),
    }
}

/// Writes a number with its noun: `1 record`, `2 records`.
pub fn count_of(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Writes that there are more of something than may be.
pub(crate) fn count_over(count: u64, maximum: u64, noun: &str) -> String {
    format!("has {}, and at most {maximum} {} allowed", count_of(count, noun), if maximum == 1 { "is" } else { "are" })
}

/// Finds up to `most` known names that are near enough to `name` to be meant, the nearest first.
pub fn find_nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    if name.chars().count() > LONGEST_NAME {
        return Vec::new();
    }
    let folded = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .map(|other| (strsim::normalized_damerau_levenshtein(&folded, &other.to_lowercase()), other))
        .filter(|(score, _)| *score >= 0.4)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(most).map(|(_, other)| other).collect()
}

/// Finds the listed value, as JSON, that is meant by a text with quotes around it, or in another case.
pub(crate) fn find_listed<'a>(value: &str, allowed: &'a [String]) -> Option<&'a String> {
    let inner: String = serde_json::from_str(value).ok()?;
    let bare = |text: &str| text.trim().trim_matches('"').to_lowercase();
    allowed.iter().find(|known| bare(known) == bare(&inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name_whatever_its_case() {
        let known = ["getDeal", "getDeals", "mergeDeals", "addPerson"];
        assert_eq!(find_nearest("getdael", known.into_iter(), 3)[0], "getDeal");
        assert!(find_nearest(&"x".repeat(10_000), known.into_iter(), 3).is_empty());
        assert!(find_nearest("", known.into_iter(), 3).is_empty());
    }

    #[test]
    fn finds_the_listed_value_whatever_its_quotes_and_its_case() {
        let allowed = ["\"open\"".to_owned(), "3".to_owned()];
        for (value, meant) in [
            (r#""Open""#, Some("\"open\"")),
            (r#""\"open\"""#, Some("\"open\"")),
            (r#"" open ""#, Some("\"open\"")),
            (r#""3""#, Some("3")),
            (r#""gone""#, None),
            ("7", None),
        ] {
            assert_eq!(find_listed(value, &allowed).map(String::as_str), meant, "{value}");
        }
    }

    #[test]
    fn cuts_between_characters_and_marks_the_cut() {
        assert_eq!(quote("Łódź"), "\"Łódź\"");
        assert_eq!(quote(&"ł".repeat(81)), format!("\"{}\"…", "ł".repeat(80)));
        assert_eq!(shorten("Łódź", 4), "Łódź");
        assert_eq!(shorten("Łódź", 3), "Łód…");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|number| count_of(number, "record")), ["0 records", "1 record", "2 records"]);
    }

    #[test]
    fn lists_names_with_a_word_before_the_last() {
        assert_eq!(list_names(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(list_names(&["a"], "or"), "`a`");
    }
}
