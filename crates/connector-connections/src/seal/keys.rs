//! Keys that seal secrets with XChaCha20-Poly1305, each secret bound to its record and column.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind as Io, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use connector_core::{Error, ErrorKind};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::seal::files;
use crate::value::random;

const ID: usize = 8;
const NONCE: usize = 24;

/// Key of 256 bits that seals secrets. Its id tells keys apart and reveals nothing of them.
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    id: [u8; ID],
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl Key {
    /// Generates a new key.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::new(Zeroizing::new(random::generate_bytes()?)))
    }

    /// Parses a key that is written as 64 hexadecimal digits, or in Base64.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bytes = Zeroizing::new(match text.len() {
            64 => (0..64).step_by(2).map_while(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect(),
            _ => {
                let plain = Zeroizing::new(text.replace('-', "+").replace('_', "/"));
                STANDARD_NO_PAD.decode(plain.trim_end_matches('=')).unwrap_or_default()
            }
        });
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
            Error::new(ErrorKind::Bug, "The store's key cannot be read.")
                .with_hint("Give 32 bytes, as 64 hexadecimal digits or in Base64; `openssl rand -hex 32` makes some.")
        })?;
        Ok(Self::new(Zeroizing::new(bytes)))
    }

    /// Loads the key of a file, which is created for its owner alone if it does not exist.
    ///
    /// A file is never overwritten, and one that others can read or change is refused.
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        let failed = |what: &str, error: std::io::Error| {
            Error::new(ErrorKind::Bug, format!("The key file {} cannot be {what}: {error}.", path.display()))
                .with_hint("Check the folder and its permissions.")
        };
        match files::is_open_to_others(path) {
            Ok(true) => {
                let message = format!("Other users of this machine can read or change the key file {}.", path.display());
                return Err(
                    Error::new(ErrorKind::Bug, message).with_hint("Run chmod 600 on it. If it may have been copied, change the key.")
                );
            }
            Ok(false) => return Self::parse(&Zeroizing::new(std::fs::read_to_string(path).map_err(|error| failed("read", error))?)),
            Err(error) if error.kind() == Io::NotFound => {}
            Err(error) => return Err(failed("read", error)),
        }
        create_file(path, &Self::generate()?).map_err(|error| failed("created", error))?;
        // Another process may have created the file first, so it is read in any case.
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| failed("read", error))?);
        Self::parse(&text)
    }

    /// Returns the id.
    pub fn id(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        let digest = random::digest(&[b"connector key id".as_slice(), bytes.as_slice()].concat());
        let mut id = [0; ID];
        id.copy_from_slice(&digest[..ID]);
        Self { bytes, id }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new_from_slice(self.bytes.as_slice()).expect("a key has 32 bytes")
    }

    /// Seals a secret for a column of a record: `key id ‖ nonce ‖ ciphertext`.
    pub(crate) fn seal(&self, record: &str, column: &str, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random::generate_bytes::<NONCE>()?;
        let bound = bind(record, column);
        let payload = Payload { msg: secret, aad: bound.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::new(ErrorKind::Bug, "A secret cannot be sealed."))?;
        Ok([self.id.as_slice(), nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Seals a secret text for a column of a record.
    pub(crate) fn seal_text(&self, record: &str, column: &str, secret: &SecretString) -> Result<Vec<u8>, Error> {
        self.seal(record, column, secret.expose_secret().as_bytes())
    }
}

/// Creates the key file whole or not at all.
///
/// It is written under another name, then linked to its own, which fails if a file has that name.
fn create_file(path: &Path, key: &Key) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        files::create_private_folder(folder)?;
    }
    let draft = path.with_extension(format!("new-{}", random::hash(&key.id()).get(..8).unwrap_or_default()));
    let mut file: File = files::make_private(OpenOptions::new().write(true).create_new(true)).open(&draft)?;
    let text = Zeroizing::new(STANDARD.encode(key.bytes.as_slice()) + "\n");
    let linked = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != Io::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Keys of a store: the one to use, former ones that still open their secrets, and which one seals now.
pub(crate) struct KeyRing {
    keys: Vec<Key>,
    sealing: AtomicUsize,
}

impl KeyRing {
    /// Builds the ring; the first key is the one to use.
    pub(crate) fn new(keys: Vec<Key>) -> Self {
        Self { keys, sealing: AtomicUsize::new(0) }
    }

    /// Returns the key that the store is to use in the end.
    pub(crate) fn wanted(&self) -> &Key {
        &self.keys[0]
    }

    /// Returns the key that the store is sealed with now.
    pub(crate) fn sealing(&self) -> &Key {
        &self.keys[self.sealing.load(Ordering::SeqCst)]
    }

    /// Seals from now on with the key of this id, which the store names.
    pub(crate) fn switch_to(&self, id: &str) -> Result<(), Error> {
        let at = self.keys.iter().position(|key| key.id() == id).ok_or_else(|| {
            let known: Vec<String> = self.keys.iter().map(Key::id).collect();
            Error::new(ErrorKind::Bug, format!("The store is sealed with the key {id}, and the key given is {}.", known.join(", ")))
                .with_hint("Give the key that the store was made with; after a change of keys, give the old one as the former key.")
        })?;
        self.sealing.store(at, Ordering::SeqCst);
        Ok(())
    }

    /// Opens a secret of a column of a record with whichever key sealed it.
    pub(crate) fn open(&self, record: &str, column: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let refused = || Error::new(ErrorKind::Bug, format!("The {column} of {record} was not sealed here, or was changed."));
        let (id, rest) = sealed.split_at_checked(ID).ok_or_else(refused)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or_else(refused)?;
        let key = self.keys.iter().find(|key| key.id == id).ok_or_else(refused)?;
        let nonce = XNonce::from(<[u8; NONCE]>::try_from(nonce).map_err(|_| refused())?);
        let bound = bind(record, column);
        let payload = Payload { msg: sealed, aad: bound.as_bytes() };
        key.cipher().decrypt(&nonce, payload).map(Zeroizing::new).map_err(|_| refused())
    }
}

/// Builds the text that binds a secret to its column and record.
fn bind(record: &str, column: &str) -> String {
    format!("{column}\n{record}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> KeyRing {
        KeyRing::new(vec![Key::generate().expect("random bytes")])
    }

    #[test]
    fn a_secret_opens_in_its_own_record_and_column_alone() {
        let keys = keys();
        let sealed = keys.sealing().seal("one", "access_token", b"hunter2").expect("sealed");
        assert_eq!(keys.open("one", "access_token", &sealed).expect("opens").as_slice(), b"hunter2");
        assert!(keys.open("two", "access_token", &sealed).is_err(), "another record opened it");
        assert!(keys.open("one", "refresh_token", &sealed).is_err(), "another column opened it");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open("one", "access_token", &changed).is_err(), "opened with byte {at} changed");
            assert!(keys.open("one", "access_token", &sealed[..at]).is_err(), "opened when cut at {at}");
        }
        assert_ne!(keys.sealing().seal("one", "access_token", b"hunter2").expect("sealed"), sealed, "a nonce was used twice");
    }

    #[test]
    fn parses_hexadecimal_and_base64() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
        let id = Key::parse(hex).expect("hexadecimal").id();
        for same in ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=\n", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8"] {
            assert_eq!(Key::parse(same).expect(same).id(), id);
        }
        for bad in ["", "hunter2", &hex[2..], &hex.replace('f', "g")] {
            assert!(!Key::parse(bad).expect_err(bad).to_string().contains("hunter2"));
        }
    }

    #[test]
    fn creates_a_key_file_once_and_never_overwrites_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("below").join("key");
        let ids: Vec<String> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| Key::load_or_create(&path).expect("a key").id())).collect();
            made.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "threads that started at once got several keys: {ids:?}");
        let left: Vec<_> = std::fs::read_dir(path.parent().expect("a folder")).expect("it is read").collect();
        assert_eq!(left.len(), 1, "other files were left: {left:?}");
        files::tests::assert_private(&path, 0o600);
        files::tests::assert_private(path.parent().expect("a folder"), 0o700);
        #[cfg(unix)]
        for mode in [0o620, 0o604, 0o602] {
            let permissions = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&path, permissions(mode)).expect("changed");
            let error = Key::load_or_create(&path).expect_err("others may read or change the file");
            assert!(error.to_string().contains("chmod 600"), "{error}");
            std::fs::set_permissions(&path, permissions(0o600)).expect("changed back");
        }
        std::fs::write(&path, "no key").expect("written");
        Key::load_or_create(&path).expect_err("the file holds no key");
        assert_eq!(std::fs::read_to_string(&path).expect("it is read"), "no key");
    }
}
