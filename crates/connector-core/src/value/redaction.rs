//! Redaction: finds secrets in a vendor's texts, however they are quoted, and removes them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::IgnoredAny;

/// Text that stands in for a secret.
pub(crate) const REDACTED: &str = "[redacted]";
/// The fewest characters of a secret that is looked for in data: a shorter text may be a plain word of it.
const FEWEST_IN_DATA: usize = 8;
/// The bytes of a text that is searched in every encoding. A longer one must quote a part plainly.
const LONGEST_SEARCH: usize = 64 * 1024;
/// The fewest characters of Base64 by which a secret is recognized.
const FEWEST_IN_BASE64: usize = 10;

/// Secrets that must not be shown.
///
/// A vendor may quote one as it is, percent-encoded, escaped for JSON or HTML, or in Base64 with other text around it.
#[derive(Default)]
pub struct Redaction {
    needles: Vec<Needle>,
}

/// A text to look for.
#[derive(Clone)]
struct Needle {
    /// The characters, without backslashes: an escape adds some, and a match skips them.
    letters: Vec<char>,
    /// The longest run of letters and digits, which are the same in each encoding.
    run: String,
    /// `true` for a part of a Base64 text, which is removed whole.
    is_base64: bool,
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redaction").field("needles", &self.needles.len()).finish_non_exhaustive()
    }
}

impl Redaction {
    /// Builds the redaction of some secrets. Empty ones are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redaction = Self::default();
        for secret in secrets {
            redaction.add(secret);
            // A header's whole value may be given as the secret: the vendor quotes it without the scheme.
            secret.split_whitespace().filter(|part| *part != secret && part.len() >= FEWEST_IN_DATA).for_each(|part| redaction.add(part));
        }
        redaction
    }

    fn add(&mut self, secret: &str) {
        let plain = Needle::new(secret, false);
        if plain.letters.is_empty() || self.needles.iter().any(|needle| needle.letters == plain.letters) {
            return;
        }
        self.needles.push(plain);
        for url_safe in [false, true] {
            let parts = (0..3).map(|offset| encode_at(offset, secret, url_safe)).filter(|part| part.len() >= FEWEST_IN_BASE64);
            self.needles.extend(parts.map(|part| Needle::new(&part, true)));
        }
    }

    /// Removes the secrets from a text.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for needle in &self.needles {
            if let Some(cleaned) = needle.remove_from(&text) {
                text = Cow::Owned(cleaned);
            }
        }
        text
    }

    /// Checks that a text holds no secret.
    pub(crate) fn is_clean(&self, text: &str) -> bool {
        matches!(self.redact(text), Cow::Borrowed(_))
    }

    /// Removes the secrets from a body. One that is JSON stays JSON.
    pub(crate) fn redact_body<'b>(&self, body: &'b [u8]) -> Cow<'b, [u8]> {
        // A body that is no text is left as it is: nothing reads it.
        let Ok(text) = std::str::from_utf8(body) else { return Cow::Borrowed(body) };
        if self.is_clean(text) {
            return Cow::Borrowed(body);
        }
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Cow::Owned(self.redact_json(text)),
            Err(_) => Cow::Owned(self.redact(text).into_owned().into_bytes()),
        }
    }

    /// Checks quickly whether data may hold a secret. Base64 is not looked for: a file may well hold any text.
    pub(crate) fn may_be_in_data(&self, data: &[u8]) -> bool {
        self.needles_of_data().any(|needle| memchr::memmem::find(data, needle.run.as_bytes()).is_some())
    }

    /// Removes the secrets from JSON data, byte for byte the same otherwise.
    pub(crate) fn redact_data(&self, data: &str) -> Vec<u8> {
        Self { needles: self.needles_of_data().cloned().collect() }.redact_json(data)
    }

    fn needles_of_data(&self) -> impl Iterator<Item = &Needle> {
        self.needles.iter().filter(|needle| !needle.is_base64 && needle.letters.len() >= FEWEST_IN_DATA)
    }

    /// Removes the secrets from the texts and numbers of JSON.
    fn redact_json(&self, json: &str) -> Vec<u8> {
        let bytes = json.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let end = find_end_of_token(bytes, at);
            let token = &json[at..end];
            let cleaned = match bytes[at] {
                b'"' => self.redact_literal(token),
                b'-' | b'0'..=b'9' if !self.is_clean(token) => Some(format!("\"{REDACTED}\"")),
                _ => None,
            };
            out.extend_from_slice(cleaned.as_deref().unwrap_or(token).as_bytes());
            at = end;
        }
        out
    }

    /// Removes the secrets from a JSON text in quotes. It returns none if there is nothing to remove.
    fn redact_literal(&self, literal: &str) -> Option<String> {
        if self.is_clean(literal) {
            return None;
        }
        let text: String = serde_json::from_str(literal).ok()?;
        let cleaned = self.redact(&text);
        Some(serde_json::Value::from(cleaned.as_ref()).to_string())
    }
}

impl Needle {
    fn new(text: &str, is_base64: bool) -> Self {
        let longest = text.split(|letter: char| !letter.is_ascii_alphanumeric()).max_by_key(|run| run.len());
        Self { letters: text.chars().filter(|letter| *letter != '\\').collect(), run: longest.unwrap_or_default().to_owned(), is_base64 }
    }

    /// Removes all quotations from a text. It returns none if there is none.
    fn remove_from(&self, text: &str) -> Option<String> {
        if text.len() > LONGEST_SEARCH && !self.has_run(text.as_bytes()) {
            return None;
        }
        let mut out: Option<String> = None;
        let (mut kept, mut at) = (0, 0);
        while at < text.len() {
            match self.find_end(text.as_bytes(), at) {
                None => at += 1,
                Some(end) => {
                    let (start, end) = if self.is_base64 { widen(text.as_bytes(), kept, at, end) } else { (at, end) };
                    let out = out.get_or_insert_with(String::new);
                    out.push_str(&text[kept..start]);
                    out.push_str(REDACTED);
                    (kept, at) = (end, end);
                }
            }
        }
        out.map(|out| out + &text[kept..])
    }

    /// Checks that the longest run of letters and digits stands in a text, in whatever case.
    fn has_run(&self, text: &[u8]) -> bool {
        let run = self.run.as_bytes();
        let Some(first) = run.first() else { return true };
        let mut starts = memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
        starts.any(|start| text.get(start..start + run.len()).is_some_and(|part| part.eq_ignore_ascii_case(run)))
    }

    /// Finds the end of a quotation that begins at `start`.
    fn find_end(&self, text: &[u8], start: usize) -> Option<usize> {
        // An encoded text can be read in two ways, as `%25` of a secret with `%25`: all ends are followed.
        let mut ends = read_letter(text, start, self.letters[0]);
        for letter in &self.letters[1..] {
            if ends.is_empty() {
                return None;
            }
            let mut next: Vec<usize> = ends.iter().flat_map(|end| read_letter(text, *end, *letter)).collect();
            next.sort_unstable();
            next.dedup();
            ends = next;
        }
        ends.into_iter().max()
    }
}

/// Lists the places at which a letter that begins at `start` may end.
fn read_letter(text: &[u8], start: usize, letter: char) -> Vec<usize> {
    let mut ends = Vec::new();
    let slashes = skip_backslashes(&text[start..]);
    let rest = &text[start + slashes..];
    let Some(first) = rest.first() else { return ends };
    let mut buffer = [0; 4];
    let plain = letter.encode_utf8(&mut buffer).as_bytes();
    // The name of a host is written in lower case.
    if rest.get(..plain.len()).is_some_and(|part| part.eq_ignore_ascii_case(plain)) {
        ends.push(plain.len());
    }
    match first {
        b'+' if letter == ' ' => ends.push(1),
        b'%' => ends.extend(read_percent(rest, plain)),
        b'u' if slashes > 0 => ends.extend(read_escape(rest, letter)),
        b'&' => ends.extend(read_entity(rest, letter)),
        _ => {}
    }
    ends.iter_mut().for_each(|end| *end += start + slashes);
    ends
}

/// Counts the bytes of the backslashes before a letter, each of which may be encoded.
fn skip_backslashes(text: &[u8]) -> usize {
    const MOST: usize = 8;
    let mut at = 0;
    for _ in 0..MOST {
        let rest = &text[at..];
        let length = match rest.first() {
            Some(b'\\') => Some(1),
            Some(b'%') => read_percent(rest, b"\\").pop(),
            Some(b'&') => read_entity(rest, '\\'),
            Some(b'u') if at > 0 => read_escape(rest, '\\'),
            _ => None,
        };
        let Some(length) = length else { break };
        at += length;
    }
    at
}

/// Reads `%2F` or, encoded several times, `%252F`.
fn read_percent(text: &[u8], letter: &[u8]) -> Vec<usize> {
    const MOST_TIMES: usize = 4;
    let mut ends = vec![0];
    for byte in letter {
        let mut next = Vec::new();
        for end in ends {
            let Some(mut rest) = text[end..].strip_prefix(b"%") else { continue };
            for times in 0..MOST_TIMES {
                if rest.get(..2).and_then(read_hex) == Some(u32::from(*byte)) {
                    next.push(end + 3 + 2 * times);
                }
                let Some(inner) = rest.strip_prefix(b"25") else { break };
                rest = inner;
            }
        }
        ends = next;
    }
    ends
}

/// Reads `u002f` or `u{2f}` after a backslash.
fn read_escape(text: &[u8], letter: char) -> Option<usize> {
    let (digits, end) = match text.get(1) {
        Some(b'{') => {
            let length = text.iter().take(9).position(|byte| *byte == b'}')?;
            (&text[2..length], length + 1)
        }
        _ => (text.get(1..5)?, 5),
    };
    (read_hex(digits)? == u32::from(letter)).then_some(end)
}

/// Reads `&amp;`, `&#47;` or `&#x2F;`.
fn read_entity(text: &[u8], letter: char) -> Option<usize> {
    let length = text.iter().take(12).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&text[1..length]).ok()?;
    let code = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => read_hex(digits.as_bytes())?,
            None => number.parse().ok()?,
        },
        None => u32::from(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        }),
    };
    (code == u32::from(letter)).then_some(length + 1)
}

fn read_hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// Encodes a secret that stands `offset` bytes into a group of three.
///
/// The characters that it shares with its neighbours are left out.
fn encode_at(offset: usize, secret: &str, url_safe: bool) -> String {
    let padded = [&[0; 2][..offset], secret.as_bytes()].concat();
    let encoded = STANDARD_NO_PAD.encode(&padded);
    let whole = padded.len() * 8 / 6;
    let own = encoded.get((offset * 8).div_ceil(6)..whole).unwrap_or_default();
    if url_safe { own.replace('+', "-").replace('/', "_") } else { own.to_owned() }
}

/// Widens a part of a Base64 text to the whole, down to `least`.
fn widen(text: &[u8], least: usize, start: usize, end: usize) -> (usize, usize) {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/_-=%".contains(byte);
    let before = text[least..start].iter().rev().take_while(|byte| is_base64(byte) || **byte == b'\\').count();
    (start - before, end + text[end..].iter().take_while(|byte| is_base64(byte)).count())
}

/// Finds the end of a text in quotes, a number, or what stands between these.
fn find_end_of_token(json: &[u8], start: usize) -> usize {
    let rest = &json[start + 1..];
    let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let length = match json[start] {
        b'"' => {
            let mut is_escaped = false;
            let close = rest.iter().position(|byte| {
                let ends = *byte == b'"' && !is_escaped;
                is_escaped = *byte == b'\\' && !is_escaped;
                ends
            });
            close.map_or(rest.len(), |close| close + 1)
        }
        b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| is_number(byte)).count(),
        _ => rest.iter().take_while(|byte| **byte != b'"' && **byte != b'-' && !byte.is_ascii_digit()).count(),
    };
    start + 1 + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const SECRET: &str = r#"hun/ter+2="a\b%20&c'"#;

    #[test]
    fn finds_a_secret_however_it_is_quoted() {
        let redaction = Redaction::new([SECRET]);
        let percent = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
        let json = serde_json::Value::from(SECRET).to_string();
        let json = json.trim_matches('"').to_owned();
        let quotations = [
            SECRET.to_owned(),
            percent.clone(),
            percent.to_lowercase(),
            percent.replace('%', "%25"),
            json.clone(),
            json.replace('/', r"\/"),
            json.replace('/', r"\u002F"),
            serde_json::Value::from(json.as_str()).to_string().trim_matches('"').to_owned(),
            format!("{SECRET:?}").trim_matches('"').to_owned(),
            SECRET.replace('&', "&amp;").replace('"', "&quot;").replace('/', "&#x2F;").replace('\'', "&#39;"),
            SECRET.to_uppercase(),
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("client:{SECRET}")),
            STANDARD.encode(format!("me:{SECRET}:end")),
            URL_SAFE.encode(format!("a:{SECRET}")),
            STANDARD.encode(format!("ab:{SECRET}")).replace('/', r"\/"),
        ];
        for quotation in quotations {
            let text = format!("The token {quotation} is bad, {quotation} it is");
            assert_eq!(redaction.redact(&text), "The token [redacted] is bad, [redacted] it is", "{quotation}");
        }
    }

    /// A refusal may be as long as an answer may be: without a secret it costs one search.
    #[test]
    fn finds_a_secret_in_a_long_text_that_quotes_it_plainly() {
        let redaction = Redaction::new([SECRET]);
        let filling = "all is well ".repeat(1 << 16);
        assert!(redaction.is_clean(&filling));
        for quotation in [SECRET.to_owned(), SECRET.to_uppercase(), STANDARD.encode(format!("client:{SECRET}"))] {
            let cleaned = redaction.redact(&format!("{filling}{quotation} it is")).into_owned();
            assert!(cleaned.ends_with("all is well [redacted] it is"), "{quotation}: {}", &cleaned[cleaned.len() - 60..]);
        }
    }

    #[test]
    fn leaves_other_texts_as_they_are() {
        let redaction = Redaction::new(["hunter2/hunter2", ""]);
        for text in ["", "hunter2", "hunter2/hunter", "hunter2%2Ehunter2", r"hunter2\u0020hunter2", "a % b & c \\ d", "&#47;", "%", "\\u"] {
            assert!(matches!(redaction.redact(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn finds_a_token_without_its_scheme() {
        let redaction = Redaction::new(["Bearer hunter2hunter2"]);
        assert_eq!(redaction.redact("no token hunter2hunter2, and no bearer"), "no token [redacted], and no bearer");
    }

    #[test]
    fn json_stays_json() {
        let redaction = Redaction::new([r#"12345678"\9"#, "1234567890"]);
        let body = r#" {"a\u0022": "x 12345678\"\\9 y", "n": [1234567890, -1.5e3, 12345678901], "1234567890": "\\\"", "deep": "{\"t\":\"12345678\\\"\\\\9\"}"} "#;
        let cleaned = redaction.redact_body(body.as_bytes());
        let expected = r#" {"a\u0022": "x [redacted] y", "n": ["[redacted]", -1.5e3, "[redacted]"], "[redacted]": "\\\"", "deep": "{\"t\":\"[redacted]\"}"} "#;
        assert_eq!(String::from_utf8_lossy(&cleaned), expected);
        assert!(redaction.may_be_in_data(body.as_bytes()));
        assert_eq!(redaction.redact_data(body), expected.as_bytes());
        assert!(!Redaction::new(["deep", "a1b2c3d4"]).may_be_in_data(body.as_bytes()), "a word of four letters is no secret");
    }
}
