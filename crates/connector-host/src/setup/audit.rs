//! The audit: a line of JSON for each call, appended to a file or to stdout by a thread of its own.
//!
//! No line is dropped. While the audit cannot be written, lines wait in memory and the thread tries again; once too many wait,
//! no further call is begun. So a slow disk delays no call, and a full one lets none pass unseen.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use connector_core::embed::{EndedCall, Observer};
use connector_core::{Error, ErrorKind};
use connector_server::{Audit, AuditCounts, AuditedCaller};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::terminal::arguments::LOCAL_OWNER;
use crate::terminal::env;
use crate::terminal::failure::Failure;

/// The lines that may wait before no further call is begun. Those of calls under way still join them.
const MOST_WAITING: usize = 10_000;

/// The time between two attempts to write, and between two looks whether the file was moved away.
const PAUSE: Duration = Duration::from_secs(1);

/// The audit of a process. Clones write to one destination.
#[derive(Clone)]
pub(crate) struct AuditLog {
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<Waiting>,
    changed: Condvar,
}

/// The lines that wait to be written.
#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    counts: AuditCounts,
    /// The reason why the last attempt failed.
    failure: Option<String>,
    /// The time at which the thread gives up, once the process ends.
    until: Option<Instant>,
}

impl AuditLog {
    /// Opens the audit at a path, or on stdout for `-`, and begins to write it.
    pub(crate) fn open(place: &str) -> Result<Self, Failure> {
        let destination = if place == "-" { Destination::Stdout(io::stdout()) } else { Destination::open(Path::new(place))? };
        Ok(Self::begin(destination))
    }

    /// Opens the audit that the environment names for a command whose outcomes go to stdout.
    pub(crate) fn open_for_command() -> Result<Option<Self>, Failure> {
        match env::variable(env::AUDIT) {
            Some(place) if place == "-" => Err(Failure::usage(format!("{}: outcomes alone go to stdout: name a file", env::AUDIT))),
            place => place.map(|place| Self::open(&place)).transpose(),
        }
    }

    fn begin(mut destination: impl Appended + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || write_until_the_end(&of_thread, &mut destination));
        Self { shared, thread: Arc::new(Mutex::new(Some(thread))) }
    }

    /// Waits until all lines are written, or this time is over. Lines that are left are a failure.
    pub(crate) fn close(&self, longest: Duration) -> Result<(), Failure> {
        self.shared.lock().until = Some(Instant::now() + longest);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let deadline = Instant::now() + longest + PAUSE;
            // A write that hangs must not keep the process.
            while !thread.is_finished() && Instant::now() < deadline {
                let state = self.shared.lock();
                drop(self.shared.changed.wait_timeout(state, Duration::from_millis(20)));
            }
        }
        let state = self.shared.lock();
        match (state.lines.len(), &state.failure) {
            (0, _) => Ok(()),
            (left, why) => {
                let why = why.as_deref().unwrap_or("it takes too long");
                Err(Failure::host(format!("the audit lacks the last {left} calls: {why}")))
            }
        }
    }

    fn append(&self, caller: &AuditedCaller<'_>, call: &EndedCall<'_>) {
        let mut line = write_line(caller, call).to_string().into_bytes();
        line.push(b'\n');
        self.shared.lock().lines.push_back(line);
        self.shared.changed.notify_all();
    }
}

impl Audit for AuditLog {
    fn admit(&self) -> Result<(), Error> {
        if self.shared.lock().lines.len() < MOST_WAITING {
            return Ok(());
        }
        Err(Error::new(ErrorKind::RateLimited, "The audit of this host cannot be written now, and no call is begun without it.")
            .with_hint("Whoever runs the host looks whether the disk of its audit is full. Then try again.")
            .with_retry_after_ms(1000))
    }

    fn record(&self, caller: &AuditedCaller<'_>, call: &EndedCall<'_>) {
        self.append(caller, call);
    }

    fn count(&self) -> AuditCounts {
        let state = self.shared.lock();
        AuditCounts::new(state.counts.written, state.lines.len() as u64, state.counts.failed)
    }
}

/// The calls of a command, which are those of the owner of this machine.
impl Observer for AuditLog {
    fn admit(&self) -> Result<(), Error> {
        Audit::admit(self)
    }

    fn observe(&self, call: &EndedCall<'_>) {
        self.append(&AuditedCaller::new(Some(LOCAL_OWNER), None), call);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the line of a call. It has nothing of what was given or answered.
fn write_line(caller: &AuditedCaller<'_>, call: &EndedCall<'_>) -> Value {
    let mut line = Map::new();
    let mut set = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    set("time", call.began_in_utc().into());
    set("owner", caller.owner.into());
    set("key", caller.key.into());
    set("connector", call.connector.into());
    set("action", call.action.into());
    if let Some(request) = call.request {
        set("request", json!({"method": request.method.as_str(), "path": request.template}));
    }
    set("connection", call.connection.map(|connection| json!({"id": connection.id, "name": connection.name})).into());
    set("effect", call.effect.map(connector_core::declare::Effect::as_str).into());
    set("result", call.result().into());
    set("status", call.meta.status.into());
    set("requests", call.meta.requests.into());
    set("tokens", call.meta.tokens.into());
    set("retries", call.retries.into());
    set("refreshes", call.refreshes.into());
    set("queuedMs", call.meta.queued_ms.into());
    set("elapsedMs", call.meta.elapsed_ms.into());
    if call.is_planned {
        set("planned", true.into());
    }
    if call.meta.replayed {
        set("replayed", true.into());
    }
    if let Some(key) = call.idempotency_key {
        set("idempotencyKey", digest(caller.owner.unwrap_or_default(), key).into());
    }
    line.into()
}

/// Digests an idempotency key, which is a word of the caller's. Equal keys of an owner have equal digests.
fn digest(owner: &str, key: &str) -> String {
    let digest = Sha256::new().chain_update(owner).chain_update(b"\0").chain_update(key).finalize();
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A place to which lines are appended.
trait Appended: Send {
    /// Appends bytes by one write, and returns how many were taken.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// The file of the audit, or stdout.
enum Destination {
    Stdout(io::Stdout),
    File { path: PathBuf, file: File, looked: Instant },
}

impl Destination {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = open_to_append(path).map_err(|error| Failure::host(format!("the audit {}: {error}", path.display())))?;
        Ok(Self::File { path: path.to_owned(), file, looked: Instant::now() })
    }
}

/// Opens a file that only its owner may read, or one that exists as it is.
fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

impl Appended for Destination {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => {
                let mut stdout = stdout.lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush()).map(|()| bytes.len())
            }
            Self::File { path, file, looked } => {
                if looked.elapsed() >= PAUSE {
                    *looked = Instant::now();
                    // A file that was moved away is complete: a new one takes its place.
                    let known = file.metadata()?;
                    if !std::fs::metadata(&*path).is_ok_and(|now| (now.dev(), now.ino()) == (known.dev(), known.ino())) {
                        *file = open_to_append(path)?;
                    }
                }
                file.write(bytes)
            }
        }
    }
}

/// Writes the lines in their order until the process ends. A line leaves the queue once it is written.
fn write_until_the_end(shared: &Shared, destination: &mut impl Appended) {
    let mut begun = 0;
    loop {
        let line = {
            let mut state = shared.lock();
            while state.lines.is_empty() && state.until.is_none() {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            match state.lines.front() {
                Some(line) => line[begun..].to_vec(),
                None => return,
            }
        };
        let taken = match destination.append(&line) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            taken => taken,
        };
        let mut state = shared.lock();
        match taken {
            Ok(taken) if taken == line.len() => {
                begun = 0;
                state.lines.pop_front();
                state.counts.written += 1;
                if state.failure.take().is_some() {
                    tracing::info!("the audit is written again");
                }
            }
            Ok(taken) => begun += taken,
            Err(error) => {
                state.counts.failed += 1;
                if state.failure.is_none() {
                    tracing::warn!(%error, waiting = state.lines.len(), "the audit cannot be written: its lines wait");
                }
                state.failure = Some(error.to_string());
                if state.until.is_some_and(|until| Instant::now() >= until) {
                    return;
                }
                drop(shared.changed.wait_timeout(state, PAUSE));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use connector_core::run::Meta;

    use super::*;

    /// A disk that takes as many bytes at once as it is told, and fails where that is none.
    struct Disk {
        room: mpsc::Receiver<usize>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Appended for Disk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room.recv().unwrap_or(usize::MAX).min(bytes.len());
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().expect("no test fails while it holds the lock").extend_from_slice(&bytes[..room]);
            Ok(room)
        }
    }

    fn begin() -> (AuditLog, mpsc::Sender<usize>, Arc<Mutex<Vec<u8>>>) {
        let (sender, room) = mpsc::channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        (AuditLog::begin(Disk { room, written: Arc::clone(&written) }), sender, written)
    }

    fn read(written: &Mutex<Vec<u8>>) -> Vec<Value> {
        let text = String::from_utf8(written.lock().expect("no test fails while it holds the lock").clone()).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("each line is whole")).collect()
    }

    #[test]
    fn line_that_was_cut_by_a_full_disk_is_completed_and_none_is_lost() {
        let (audit, room, written) = begin();
        let meta = Meta::default();
        for kind in [ErrorKind::NotFound, ErrorKind::Conflict] {
            audit.record(&AuditedCaller::new(Some("acme"), Some("k1")), &EndedCall::new(Some(kind), &meta));
        }
        for step in [0, 30, 0] {
            room.send(step).expect("the disk is asked");
        }
        drop(room);
        audit.close(Duration::from_secs(30)).expect("all is written");
        let lines = read(&written);
        assert_eq!((&lines[0]["result"], &lines[1]["result"], lines.len()), (&json!("not_found"), &json!("conflict"), 2));
        assert_eq!((&lines[0]["owner"], &lines[0]["key"]), (&json!("acme"), &json!("k1")));
        assert_eq!(audit.count(), AuditCounts::new(2, 0, 2));
    }

    #[test]
    fn audit_that_cannot_be_written_admits_no_further_call_and_says_at_the_end_what_it_lacks() {
        let (audit, room, _) = begin();
        let meta = Meta::default();
        for _ in 0..MOST_WAITING {
            Audit::admit(&audit).expect("there is room");
            Observer::observe(&audit, &EndedCall::new(None, &meta));
        }
        let refused = Audit::admit(&audit).expect_err("no call passes unseen");
        assert_eq!((refused.kind(), refused.retry_after_ms()), (ErrorKind::RateLimited, Some(1000)));
        // A call under way is still noted.
        Observer::observe(&audit, &EndedCall::new(None, &meta));
        assert_eq!(audit.count().waiting, MOST_WAITING as u64 + 1);
        room.send(0).expect("the disk is asked");
        room.send(0).expect("the disk is asked");
        let failure = audit.close(Duration::ZERO).expect_err("nothing was written");
        assert!(failure.message().starts_with("the audit lacks the last 10001 calls: "), "{}", failure.message());
    }

    #[test]
    fn digest_of_a_key_is_the_same_for_one_owner_alone() {
        assert_eq!(digest("acme", "order-7"), digest("acme", "order-7"));
        assert_ne!(digest("acme", "order-7"), digest("other", "order-7"));
        assert_eq!(digest("acme", "order-7").len(), 32);
    }

    #[test]
    fn file_that_was_moved_away_is_followed_by_a_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("audit.jsonl"), folder.path().join("audit.1"));
        let mut destination = Destination::open(&path).unwrap_or_else(|failure| panic!("{}", failure.message()));
        destination.append(b"one\n").expect("it is written");
        std::fs::rename(&path, &moved).expect("it is moved");
        if let Destination::File { looked, .. } = &mut destination {
            *looked = Instant::now().checked_sub(PAUSE).expect("the machine runs for a second");
        }
        destination.append(b"two\n").expect("it is written");
        let read = |path: &Path| std::fs::read_to_string(path).expect("it is there");
        assert_eq!((read(&moved).as_str(), read(&path).as_str()), ("one\n", "two\n"));
        let mode = std::fs::metadata(&path).expect("it is there").mode();
        assert_eq!(mode & 0o777, 0o600, "others must not read it");
        // Lines that are there are never overwritten.
        Destination::open(&path).unwrap_or_else(|failure| panic!("{}", failure.message())).append(b"three\n").expect("it is written");
        assert_eq!(read(&path), "two\nthree\n");
    }
}
