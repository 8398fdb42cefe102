//! Starts the server processes that the bench calls, and ends them with it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::measure::Failure;

/// A process that serves at a URL until it is dropped.
pub(crate) struct ServerProcess {
    process: Child,
    pub(crate) url: String,
}

impl ServerProcess {
    /// Starts a process that writes its URL to stdout or stderr.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, receiver) = mpsc::channel();
        for output in [process.stdout.take().map(buffer), process.stderr.take().map(buffer)].into_iter().flatten() {
            let sender = sender.clone();
            // Reading goes on to the end, so that a process that prints more does not block.
            thread::spawn(move || {
                for url in output.lines().map_while(Result::ok).filter_map(|line| find_url(&line)) {
                    // Only the first URL is awaited.
                    drop(sender.send(url));
                }
            });
        }
        drop(sender);
        let mut server = Self { process, url: String::new() };
        server.url = receiver.recv_timeout(Duration::from_secs(10)).map_err(|_| "the process printed no URL within 10 s")?;
        Ok(server)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // The process may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn buffer(output: impl Read + Send + 'static) -> BufReader<Box<dyn Read + Send>> {
    BufReader::new(Box::new(output))
}

fn find_url(line: &str) -> Option<String> {
    let from = line.find("http://127.0.0.1:")?;
    let rest = &line[from..];
    let digits = rest["http://127.0.0.1:".len()..].bytes().take_while(u8::is_ascii_digit).count();
    Some(rest[.."http://127.0.0.1:".len() + digits].to_owned())
}
