//! Files and folders that only their owner can read.

use std::fs::{DirBuilder, OpenOptions};
use std::path::Path;

/// Creates a folder and its parents for their owner alone. An existing folder is left as it is.
pub(crate) fn create_private_folder(path: &Path) -> std::io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Sets the mode of a file that `open` creates, so that only its owner can read it.
pub(crate) fn make_private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Checks whether other users may read or change a file, or its group may change it.
///
/// Its group may read it, since that is how secrets are mounted for a process that does not own them.
pub(crate) fn is_open_to_others(path: &Path) -> std::io::Result<bool> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions()) & 0o026 != 0);
    #[cfg(not(unix))]
    return std::fs::metadata(path).map(|_| false);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Path;

    #[cfg(unix)]
    pub(crate) fn assert_private(path: &Path, mode: u32) {
        let found = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).expect("the file exists").permissions());
        assert_eq!(found & 0o777, mode, "{}", path.display());
    }

    #[cfg(not(unix))]
    pub(crate) fn assert_private(_path: &Path, _mode: u32) {}
}
