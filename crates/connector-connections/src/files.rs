//! Files and folders that their owner alone may read.

use std::fs::{DirBuilder, OpenOptions};
use std::path::Path;

/// Makes a folder with all above it, for its owner alone. One that stands is left as it is.
pub(crate) fn private_folder(path: &Path) -> std::io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// How to open a file so that, where it is made, its owner alone may read it.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Whether anybody on the machine may read or change a file, or its group change it. That a group reads it is how secrets
/// are mounted for a process that does not own them.
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
    pub(crate) fn is_private(path: &Path, mode: u32) {
        let found = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).expect("it is there").permissions());
        assert_eq!(found & 0o777, mode, "{}", path.display());
    }

    #[cfg(not(unix))]
    pub(crate) fn is_private(_path: &Path, _mode: u32) {}
}
