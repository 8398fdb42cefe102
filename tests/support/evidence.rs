//! Evidence that no secret leaks: the suite's secrets, and all that its hosts showed or kept.
//!
//! Both are written where `CONNECTOR_TEST_EVIDENCE` names a folder. CI then looks for the one in the other.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn find_folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("CONNECTOR_TEST_EVIDENCE")?);
    std::fs::create_dir_all(folder.join("shown")).expect("the folder of evidence can be created");
    Some(folder)
}

/// Returns the file that holds one secret a line.
pub(crate) fn find_secrets_file() -> Option<PathBuf> {
    Some(find_folder()?.join("secrets"))
}

/// Records a text that nothing may show, in each form in which it could appear.
pub(crate) fn record_secret(secret: &str) {
    let Some(file) = find_secrets_file() else { return };
    assert!(secret.len() >= 16, "record a longer secret than {secret:?}, which could appear by chance");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Base64 as it is if the secret stands alone or first.
    let mut lines = [secret.to_owned(), hex, STANDARD.encode(secret).trim_end_matches('=').to_owned()].join("\n");
    lines.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the file of secrets can be opened");
    file.write_all(lines.as_bytes()).expect("the file of secrets can be written");
}

/// Records bytes that a host showed or kept: a log, an outcome, a file of its store.
pub(crate) fn record_shown(kind: &str, text: &[u8]) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(folder) = find_folder() else { return };
    let name = format!("{kind}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    std::fs::write(folder.join("shown").join(name), text).expect("evidence can be written");
}

/// Records all files below a folder as shown, except its key: that is a secret.
pub(crate) fn record_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            record_files(&path);
        } else if path.extension().is_some_and(|extension| extension == "key") {
            record_secret(std::fs::read_to_string(&path).expect("a key is text").trim());
        } else {
            record_shown("store", &std::fs::read(&path).expect("a file of the store can be read"));
        }
    }
}

/// Records the secrets that a response hands out by design.
pub(crate) fn record_handed_out(headers: &[(String, String)], body: &str) {
    let cookies = headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies = cookies.filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('=').map(|(_, value)| value));
    let texts = headers.iter().filter(|(name, _)| name == "location").map(|(_, to)| to.as_str()).chain([body]);
    let words = texts.flat_map(|text| text.split(['?', '&', '"', '\n', ' ']));
    let parameters =
        words.filter_map(|word| ["code=", "state=", "link=", "install=", "token="].iter().find_map(|name| word.strip_prefix(name)));
    cookies.chain(parameters).filter(|value| value.len() >= 32 && !is_uuid(value)).for_each(record_secret);
}

/// Returns true for a UUID. It is no secret: a platform may send a connection's id as its state.
fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| if [8, 13, 18, 23].contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}
