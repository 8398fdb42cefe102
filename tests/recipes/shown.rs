//! An output as a page shows it: with parts left out.

/// The sign that stands for any text.
const ANYTHING: char = '…';

/// An output as a page shows it.
pub(super) struct Shown {
    text: String,
    is_json: bool,
}

impl Shown {
    pub(super) fn parse(language: &str, text: &str) -> Self {
        let is_json = language == "json";
        let text = if is_json { compact(text) } else { text.trim_end().to_owned() };
        Self { text, is_json }
    }

    /// Checks that an output is what is shown.
    ///
    /// The white space of JSON may differ, and so may the ends of lines, which CSV writes as `\r\n`.
    pub(super) fn fits(&self, printed: &str) -> bool {
        let printed = if self.is_json { compact(printed) } else { printed.trim_end().replace("\r\n", "\n") };
        let mut parts: Vec<&str> = self.text.split(ANYTHING).collect();
        let (first, last) = (parts.remove(0), parts.pop());
        let Some(mut rest) = printed.strip_prefix(first) else { return false };
        let Some(last) = last else { return rest.is_empty() };
        for part in parts {
            let Some((_, behind)) = rest.split_once(part) else { return false };
            rest = behind;
        }
        rest.ends_with(last)
    }
}

/// Takes white space out of JSON, or out of several values, but not out of texts.
fn compact(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let keep = |letter: &char| {
        let is_kept = in_text || !letter.is_whitespace();
        in_text ^= *letter == '"' && !is_escaped;
        is_escaped = in_text && *letter == '\\' && !is_escaped;
        is_kept
    };
    json.chars().filter(keep).collect()
}
