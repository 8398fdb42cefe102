//! Files of this machine that a command sends or fetches.

use std::io;
use std::path::{Path, PathBuf};

use connector_core::Fault;
use connector_core::run::{Invocation, Outcome, Source, Upload};
use tempfile::NamedTempFile;
use tokio::io::AsyncRead;

use crate::terminal::failure::Failure;

/// A file that is read while it is sent.
struct LocalFile {
    path: PathBuf,
    size: u64,
}

impl Source for LocalFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn open(&self) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        let file = std::fs::File::open(&self.path)?;
        Ok(Box::new(tokio::fs::File::from_std(file)))
    }
}

/// Adds the file of `INPUT=PATH` to an invocation. A file that cannot be sent is a fault of that input.
pub(crate) fn attach_file(invocation: Invocation, argument: &str) -> Result<Invocation, Failure> {
    let (input, path) = argument
        .split_once('=')
        .filter(|(input, path)| !input.is_empty() && !path.is_empty())
        .ok_or_else(|| Failure::usage(format!("--file {argument}: write INPUT=PATH, as file=offer.pdf")))?;
    Ok(match open_upload(Path::new(path)) {
        Ok(upload) => invocation.file(input, upload),
        Err(why) => invocation.fault(Fault::new(format!("/{input}"), format!("{path}: {why}"))),
    })
}

fn open_upload(path: &Path) -> Result<Upload, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("is a folder".to_owned());
    }
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    // A file that cannot be read is found here, and not after half a request.
    std::fs::File::open(path).map_err(|error| error.to_string())?;
    let name = path.file_name().ok_or("has no name")?.to_string_lossy().into_owned();
    Ok(Upload::source(name, LocalFile { path: path.to_owned(), size: metadata.len() }))
}

/// A file that is fetched.
///
/// It stands beside its path until it is complete, so that nobody takes half a file for it.
pub(crate) struct FetchedFile {
    part: NamedTempFile,
    path: PathBuf,
}

impl FetchedFile {
    /// Creates the file beside its path.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let unwritable = |error: io::Error| Failure::usage(format!("--output {}: {error}", path.display()));
        if path.is_dir() {
            return Err(Failure::usage(format!("--output {}: is a folder; name the file", path.display())));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let part = NamedTempFile::new_in(folder).map_err(unwritable)?;
        Ok(Self { part, path: path.to_owned() })
    }

    /// Lets an invocation write into the file.
    pub(crate) fn attach_to(&self, invocation: Invocation) -> Result<Invocation, Failure> {
        let file = self.part.reopen().map_err(|error| self.failed(&error))?;
        Ok(invocation.fetch_into(tokio::fs::File::from_std(file)))
    }

    /// Moves the file to its path, if the invocation fetched it.
    pub(crate) fn keep(self, outcome: &Outcome, is_planned: bool) -> Result<(), Failure> {
        if is_planned || !outcome.is_ok() {
            return Ok(());
        }
        let Self { part, path } = self;
        part.persist(&path).map(|_| ()).map_err(|error| Failure::host(format!("--output {}: {}", path.display(), error.error)))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::host(format!("--output {}: {error}", self.path.display()))
    }
}
