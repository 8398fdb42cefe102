//! What the suite's hosts showed and kept, and the secrets that went through them, so that one can be looked for in the
//! other once all is done, as CI does. Written where `CONNECTOR_TEST_EVIDENCE` names a folder.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("CONNECTOR_TEST_EVIDENCE")?);
    std::fs::create_dir_all(folder.join("shown")).expect("the folder can be made");
    Some(folder)
}

/// The file that gets a secret a line.
pub(crate) fn secrets() -> Option<PathBuf> {
    Some(folder()?.join("secrets"))
}

/// Something that nothing may show, in the forms in which it could be.
pub(crate) fn secret(secret: &str) {
    let Some(file) = secrets() else { return };
    assert!(secret.len() >= 16, "{secret:?} is short enough to stand somewhere by chance");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // In Base64 as it is where it stands alone, or first.
    let mut lines = [secret.to_owned(), hex, STANDARD.encode(secret).trim_end_matches('=').to_owned()].join("\n");
    lines.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("it can be written");
    file.write_all(lines.as_bytes()).expect("it is written");
}

/// Something that a host showed or kept: a log, an outcome, a file of its store.
pub(crate) fn shown(kind: &str, text: &[u8]) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(folder) = folder() else { return };
    let name = format!("{kind}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    std::fs::write(folder.join("shown").join(name), text).expect("it is written");
}

/// All files below a folder, but for the key, which is a secret itself and stands nowhere else.
pub(crate) fn kept(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            kept(&path);
        } else if path.extension().is_some_and(|extension| extension == "key") {
            secret(std::fs::read_to_string(&path).expect("a key is text").trim());
        } else {
            shown("store", &std::fs::read(&path).expect("it can be read"));
        }
    }
}

/// The secrets that an answer of a host hands out by design.
pub(crate) fn handed_out(headers: &[(String, String)], body: &str) {
    let cookies = headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies = cookies.filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('=').map(|(_, value)| value));
    let places = headers.iter().filter(|(name, _)| name == "location").map(|(_, to)| to.as_str()).chain([body]);
    let words = places.flat_map(|text| text.split(['?', '&', '"', '\n', ' ']));
    let parameters =
        words.filter_map(|word| ["code=", "state=", "link=", "install=", "token="].iter().find_map(|name| word.strip_prefix(name)));
    cookies.chain(parameters).filter(|value| value.len() >= 32 && !is_id(value)).for_each(secret);
}

/// A UUID, which is no secret: a platform may send a connection's id along as its state.
fn is_id(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| if [8, 13, 18, 23].contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}
