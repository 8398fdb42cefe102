//! Rules for the names of owners and connections.

use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};

/// Checks that `owner` is 1 to 100 visible ASCII characters, which a header and a log can carry.
pub fn check_owner(owner: &str) -> Result<(), Error> {
    let plain = owner.bytes().all(|byte| matches!(byte, b' '..=b'~')) && owner.trim() == owner;
    if plain && (1..=100).contains(&owner.len()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, format!("{} cannot be an owner.", quote(owner)))
        .with_hint("An owner is 1 to 100 visible ASCII characters, with no space at its ends."))
}

/// Checks that `name` is one line and cannot be mistaken for an id.
pub fn check_name(name: &str) -> Result<(), Error> {
    let plain = !name.is_empty() && name.len() <= 100 && name.trim() == name && !name.chars().any(char::is_control);
    let id_like = name.len() == 36 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if plain && !id_like {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, format!("{} cannot be a name.", quote(name)))
        .with_hint("A name is one line of at most 100 bytes, with no space at its ends, and not the form of an id."))
}
