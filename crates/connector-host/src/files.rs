//! Files of this machine: one to send for an input, one to fetch into.

use std::io;
use std::path::{Path, PathBuf};

use connector_core::{Fault, Invocation, Outcome, Source, Upload};
use tempfile::NamedTempFile;
use tokio::io::AsyncRead;

use crate::command::Failure;

/// A file that is read while it is sent.
struct OnDisk {
    path: PathBuf,
    size: u64,
}

impl Source for OnDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn open(&self) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        let file = std::fs::File::open(&self.path)?;
        Ok(Box::new(tokio::fs::File::from_std(file)))
    }
}

/// The invocation with a file for an input, from `INPUT=PATH`; what is wrong with the file is a fault of that input.
pub(crate) fn attach(invocation: Invocation, given: &str) -> Result<Invocation, Failure> {
    let (input, path) = given
        .split_once('=')
        .filter(|(input, path)| !input.is_empty() && !path.is_empty())
        .ok_or_else(|| Failure::usage(format!("--file {given}: write INPUT=PATH, as file=offer.pdf")))?;
    Ok(match on_disk(Path::new(path)) {
        Ok(upload) => invocation.file(input, upload),
        Err(why) => invocation.fault(Fault::new(format!("/{input}"), format!("{path}: {why}"))),
    })
}

fn on_disk(path: &Path) -> Result<Upload, String> {
    let told = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if told.is_dir() {
        return Err("is a folder".to_owned());
    }
    if !told.is_file() {
        return Err("is no file whose length is known".to_owned());
    }
    // Said now and not by half a request: whether it can be read.
    std::fs::File::open(path).map_err(|error| error.to_string())?;
    let name = path.file_name().ok_or("has no name")?.to_string_lossy().into_owned();
    Ok(Upload::source(name, OnDisk { path: path.to_owned(), size: told.len() }))
}

/// Where a fetched file goes: beside its place until all of it is there, so that half a file is never taken for one.
pub(crate) struct Fetched {
    part: NamedTempFile,
    path: PathBuf,
}

impl Fetched {
    pub(crate) fn into(path: &Path) -> Result<Self, Failure> {
        let unwritable = |error: io::Error| Failure::usage(format!("--output {}: {error}", path.display()));
        if path.is_dir() {
            return Err(Failure::usage(format!("--output {}: is a folder; name the file", path.display())));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let part = NamedTempFile::new_in(folder).map_err(unwritable)?;
        Ok(Self { part, path: path.to_owned() })
    }

    pub(crate) fn of(&self, invocation: Invocation) -> Result<Invocation, Failure> {
        let file = self.part.reopen().map_err(|error| self.failed(&error))?;
        Ok(invocation.fetch_into(tokio::fs::File::from_std(file)))
    }

    /// Puts the file in its place where it was fetched.
    pub(crate) fn keep(self, outcome: &Outcome, dry_run: bool) -> Result<(), Failure> {
        if dry_run || !outcome.ok() {
            return Ok(());
        }
        let Self { part, path } = self;
        part.persist(&path).map(|_| ()).map_err(|error| Failure::host(format!("--output {}: {}", path.display(), error.error)))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::host(format!("--output {}: {error}", self.path.display()))
    }
}
