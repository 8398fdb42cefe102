//! The program `connector serve` as a process: started, killed, started again, and watched.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::plan::Failure;

/// The place of a host's data, and how it is started.
pub(crate) struct HostPlace {
    program: PathBuf,
    data: tempfile::TempDir,
    store: String,
    sandbox: String,
    log: Arc<HostLog>,
}

/// The lines that hosts wrote to stderr, one after the other.
#[derive(Debug)]
pub(crate) struct HostLog {
    file: Mutex<File>,
    pub(crate) panics: AtomicU64,
    pub(crate) warnings: AtomicU64,
}

/// A running host. It is killed when it is dropped.
pub(crate) struct HostProcess {
    child: Child,
    pub(crate) address: String,
}

impl HostPlace {
    /// Prepares a folder of its own, for a host before a sandbox.
    pub(crate) fn create(store: Option<&str>, sandbox: &str, log: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe()?.with_file_name("connector");
        if !program.exists() {
            return Err(
                format!("{} is not built: `cargo build -p connector-host` with the same profile builds it", program.display()).into()
            );
        }
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let data = tempfile::tempdir()?;
        let store = store.map_or_else(|| data.path().join("soak.db").display().to_string(), str::to_owned);
        let log = HostLog { file: File::create(log)?.into(), panics: AtomicU64::new(0), warnings: AtomicU64::new(0) };
        Ok(Self { program, data, store, sandbox: sandbox.to_owned(), log: log.into() })
    }

    pub(crate) fn log(&self) -> &HostLog {
        &self.log
    }

    /// Describes the store without its secrets.
    pub(crate) fn describe_store(&self) -> &'static str {
        if self.store.starts_with("postgres") { "PostgreSQL" } else { "SQLite" }
    }

    /// Measures the file of the store in bytes, with what is not yet merged into it.
    pub(crate) fn measure_store(&self) -> u64 {
        let files = ["", "-wal"].map(|end| std::fs::metadata(format!("{}{end}", self.store)).map_or(0, |file| file.len()));
        files.iter().sum()
    }

    /// Creates an API key.
    pub(crate) fn create_key(&self) -> Result<String, Failure> {
        let output = self.command().args(["keys", "create", "--owner", "soak"]).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
        if !output.status.success() {
            return Err(format!("no API key was created: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Starts the host at a port; 0 takes a free one.
    pub(crate) fn start(&self, port: u16) -> Result<HostProcess, Failure> {
        let mut child = self.command().args(["serve", "--port", &port.to_string()]).stderr(Stdio::piped()).spawn()?;
        let stderr = BufReader::new(child.stderr.take().ok_or("stderr is piped")?);
        let (sender, receiver) = mpsc::channel();
        let log = Arc::clone(&self.log);
        // Reading goes on to the end, so that a host that writes does not block.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                match line.strip_prefix("Listening on http://") {
                    Some(address) => drop(sender.send(address.to_owned())),
                    None => log.append(&line),
                }
            }
        });
        match receiver.recv_timeout(Duration::from_mins(1)) {
            Ok(address) => Ok(HostProcess { child, address }),
            Err(reason) => {
                drop(HostProcess { child, address: String::new() });
                let what = if reason == RecvTimeoutError::Timeout { "did not listen within a minute" } else { "ended before it listened" };
                Err(format!("the host {what}: see the log").into())
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CONNECTOR_")) {
            command.env_remove(name);
        }
        command.env("CONNECTOR_DATA_DIR", self.data.path()).env("CONNECTOR_STORE", &self.store);
        command.env("CONNECTOR_KEY_FILE", self.data.path().join("soak.key")).env("CONNECTOR_SANDBOX", &self.sandbox);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl HostLog {
    fn append(&self, line: &str) {
        let is_panic = line.contains("panicked at");
        if is_panic {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
        // A line for each request that was answered would be a million lines.
        if !line.contains(" INFO ") {
            self.warnings.fetch_add(1, Ordering::Relaxed);
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            // The count above says what a full disk cannot.
            let _ = writeln!(file, "{line}");
        }
    }
}

impl HostProcess {
    /// Kills the host, as a machine that loses its power would.
    pub(crate) fn kill(mut self) -> Result<u16, Failure> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("the host ended by itself: {status}").into());
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(self.address.rsplit(':').next().unwrap_or_default().parse()?)
    }

    /// Checks that the host has not ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<(), Failure> {
        match self.child.try_wait()? {
            Some(status) => Err(format!("the host ended by itself: {status}").into()),
            None => Ok(()),
        }
    }

    /// Reads the memory that the process holds, in KiB. Only Linux tells.
    pub(crate) fn read_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        // The process may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
