//! A scanner of JSON that was checked before. It finds where values begin and end, and reads none.

use memchr::memchr2;

/// A place in a JSON text. It is cheap to clone, to look ahead.
#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// Checks whether lists and objects are nested deeper than this in a text.
///
/// A text with few of them, as one record is, costs one search.
pub(crate) fn is_nested_deeper(text: &str, most: usize) -> bool {
    memchr::memchr2_iter(b'[', b'{', text.as_bytes()).nth(most).is_some() && Scanner::new(text).finds_deeper(most)
}

/// The progress through the items of a list or the members of an object.
pub(crate) struct Progress {
    is_first: bool,
}

impl<'a> Scanner<'a> {
    /// Begins at the first value of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        let mut scan = Self { text: text.as_bytes(), at: 0 };
        scan.skip_space();
        scan
    }

    /// Returns the first byte of the next value, or 0 at the end of the text.
    pub(crate) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Returns the number of bytes before the place.
    pub(crate) fn position(&self) -> usize {
        self.at.min(self.text.len())
    }

    /// Steps into a list or an object.
    pub(crate) fn open(&mut self) -> Progress {
        self.at += 1;
        self.skip_space();
        Progress { is_first: true }
    }

    /// Steps to the next item or member. At the end it steps out and returns false.
    pub(crate) fn next_item(&mut self, items: &mut Progress) -> bool {
        match self.peek() {
            b']' | b'}' | 0 => {
                self.at += 1;
                self.skip_space();
                return false;
            }
            b',' if !items.is_first => {
                self.at += 1;
                self.skip_space();
            }
            _ => {}
        }
        items.is_first = false;
        true
    }

    /// Takes the name of a member with its escapes, and steps to its value.
    pub(crate) fn take_key(&mut self) -> &'a [u8] {
        let start = self.at + 1;
        self.skip_text();
        let key = self.text.get(start..self.at.saturating_sub(1)).unwrap_or_default();
        self.skip_space();
        self.at += 1;
        self.skip_space();
        key
    }

    /// Takes the next value as text, and steps past it.
    pub(crate) fn take_value(&mut self) -> &'a [u8] {
        let start = self.at;
        match self.peek() {
            b'"' => self.skip_text(),
            b'{' | b'[' => self.skip_nested(),
            _ => {
                let rest = self.text.get(start..).unwrap_or_default();
                let length = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
                self.at = start + length.unwrap_or(rest.len());
            }
        }
        let value = self.text.get(start..self.at).unwrap_or_default();
        self.skip_space();
        value
    }

    /// Returns the next value as text, and stays before it.
    pub(crate) fn peek_value(&self) -> &'a [u8] {
        self.clone().take_value()
    }

    /// Finds the value of a member of the next object.
    pub(crate) fn find_member(self, name: &[u8]) -> Option<&'a [u8]> {
        self.find_member_at(name).map(|mut found| found.take_value())
    }

    /// Finds the place of a member's value in the next object.
    pub(crate) fn find_member_at(mut self, name: &[u8]) -> Option<Self> {
        let mut members = self.open();
        while self.next_item(&mut members) {
            if self.take_key() == name {
                return Some(self);
            }
            self.take_value();
        }
        None
    }

    /// Finds the value at a JSON pointer below the next value, whose names have no escapes.
    pub(crate) fn find_at(self, pointer: &str) -> Option<&'a str> {
        let mut found = self;
        for name in pointer.split('/').skip(1) {
            found = if found.peek() == b'{' { found.find_member_at(name.as_bytes())? } else { return None };
        }
        std::str::from_utf8(found.take_value()).ok()
    }

    /// Steps through the next value until something is nested deeper than this.
    fn finds_deeper(mut self, most: usize) -> bool {
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'"' => {
                    self.skip_text();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > most {
                return true;
            }
            self.at += 1;
        }
        false
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Steps past a text with its quotes.
    fn skip_text(&mut self) {
        self.at += 1;
        while let Some(found) = self.text.get(self.at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            self.at += found + 1;
            if self.text[self.at - 1] == b'"' {
                return;
            }
            // The byte after a backslash belongs to the escape.
            self.at += 1;
        }
        self.at = self.text.len();
    }

    /// Steps past a list or an object.
    fn skip_nested(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.skip_text();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                0 if self.at >= self.text.len() => return,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_values_with_their_escapes_and_nesting() {
        for value in [r#""a \" b\\""#, r#"{"a]":[1,{"b":"}"}]}"#, "-1.50e+3", "null", "[]", r#""""#] {
            let text = format!(" [ {value} , 7 ] ");
            let mut scan = Scanner::new(&text);
            let mut items = scan.open();
            assert!(scan.next_item(&mut items));
            assert_eq!(scan.take_value(), value.as_bytes());
            assert!(scan.next_item(&mut items));
            assert_eq!(scan.take_value(), b"7");
            assert!(!scan.next_item(&mut items), "the list of {text} ends");
        }
    }

    #[test]
    fn finds_a_member_of_an_object_and_none_of_a_nested_one() {
        let scan = Scanner::new(r#"{ "a" : {"b": 1}, "b" : [2] , "c\"": 3 }"#);
        assert_eq!(scan.clone().find_member(b"b"), Some(&b"[2]"[..]));
        assert_eq!(scan.clone().find_member(br#"c\""#), Some(&b"3"[..]));
        assert_eq!(scan.find_member(b"d"), None);
    }

    #[test]
    fn finds_what_is_nested_deeper_than_allowed() {
        let nest = |depth: usize, within: &str| format!("{}{within}{}", "[{\"a\\\"[\":".repeat(depth), "}]".repeat(depth));
        for (text, depth) in [
            ("7".to_owned(), 0),
            ("[]".to_owned(), 1),
            (r#"{"a":"[[[[[[[["}"#.to_owned(), 1),
            ("[[],[],[{}],[]]".to_owned(), 3),
            (nest(4, "null"), 8),
            (nest(4, "[1]"), 9),
            (format!("[{},{}]", nest(3, "1"), nest(2, "[]")), 7),
        ] {
            assert!(!is_nested_deeper(&text, depth), "{text} is {depth} deep");
            assert!(depth == 0 || is_nested_deeper(&text, depth - 1), "{text} is {depth} deep");
        }
        let hostile = "[".repeat(1 << 20);
        assert!(is_nested_deeper(&hostile, 128), "a text of brackets alone overflows nothing");
    }

    #[test]
    fn ends_at_the_end_of_a_text_that_is_cut_off() {
        let whole = r#"{"a":["b\"",{"c":-1}],"d":null}"#;
        for end in 0..whole.len() {
            let mut scan = Scanner::new(&whole[..end]);
            scan.clone().find_member(b"z");
            scan.take_value();
        }
    }
}
