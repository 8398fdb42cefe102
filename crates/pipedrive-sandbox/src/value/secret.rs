//! Secrets: random values, stored as digests, compared in constant time.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Computes the SHA-256 in hexadecimal digits. That is enough for secrets, which are random and long.
pub(crate) fn hash(secret: &str) -> String {
    let mut text = String::new();
    for byte in digest(&SHA256, secret.as_bytes()).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Compares two secrets by their digests, so that the time taken does not show how far they agree.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    digest(&SHA256, one).as_ref() == digest(&SHA256, other).as_ref()
}

/// Draws random bytes, and writes them as text that needs no escaping in a URL.
pub(crate) fn draw_secret(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    SystemRandom::new().fill(&mut random).expect("the system has random bytes");
    URL_SAFE_NO_PAD.encode(random)
}
