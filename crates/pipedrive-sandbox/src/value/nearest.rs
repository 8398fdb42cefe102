//! The nearest of several words to one that was mistyped.

/// Finds the candidate with the fewest differing letters.
pub(crate) fn find_nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates.into_iter().min_by_key(|candidate| count_differences(word, candidate))
}

/// Counts the letters that must be added, removed or replaced to make one word of another.
fn count_differences(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (place, wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *wanted);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{count_differences, find_nearest};

    #[test]
    fn counts_the_letters_that_differ() {
        for (one, other, differences) in [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("drip", "dirp", 2)] {
            assert_eq!(count_differences(one, other), differences, "{one} {other}");
        }
        assert_eq!(find_nearest("lateny", ["drip", "latency", "late"]), Some("latency"));
        assert_eq!(find_nearest("x", []), None);
    }
}
