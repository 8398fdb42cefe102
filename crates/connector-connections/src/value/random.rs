//! Random ids and secrets, and the hashes under which secrets are stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::{Error, ErrorKind};
use sha2::{Digest, Sha256};

/// Generates random bytes from the operating system's generator.
pub(crate) fn generate_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Bug, format!("The operating system gives no random bytes: {error}.")))?;
    Ok(bytes)
}

/// Generates a UUID of version 4.
pub(crate) fn generate_id() -> Result<String, Error> {
    let mut bytes = generate_bytes::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// Generates a secret of 256 random bits, as text for a URL, a cookie or a header.
pub(crate) fn generate_secret() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(generate_bytes::<32>()?))
}

/// Hashes a secret for the store.
///
/// A secret has 256 random bits that nobody can guess. A slow hash would add nothing but a delay to every call.
pub(crate) fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(secret.as_bytes()))
}

/// Computes the SHA-256 digest of `bytes`.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
