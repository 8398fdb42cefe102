//! A process that is started for the bench, tells its URL and is ended with it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::Failure;

/// A process that serves at a URL until it is dropped.
pub(crate) struct Helper {
    process: Child,
    pub(crate) url: String,
}

impl Helper {
    /// Starts a process that writes its URL to stdout or stderr.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (tell, told) = mpsc::channel();
        for output in [process.stdout.take().map(readable), process.stderr.take().map(readable)].into_iter().flatten() {
            let tell = tell.clone();
            // It reads on to the end, so that a process that says more does not wait for a reader.
            thread::spawn(move || {
                for url in output.lines().map_while(Result::ok).filter_map(|line| url(&line)) {
                    // Only the first is waited for.
                    drop(tell.send(url));
                }
            });
        }
        drop(tell);
        let mut helper = Self { process, url: String::new() };
        helper.url = told.recv_timeout(Duration::from_secs(10)).map_err(|_| "it was started and told no URL within 10 s")?;
        Ok(helper)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn readable(output: impl Read + Send + 'static) -> BufReader<Box<dyn Read + Send>> {
    BufReader::new(Box::new(output))
}

fn url(line: &str) -> Option<String> {
    let from = line.find("http://127.0.0.1:")?;
    let rest = &line[from..];
    let digits = rest["http://127.0.0.1:".len()..].bytes().take_while(u8::is_ascii_digit).count();
    Some(rest[.."http://127.0.0.1:".len() + digits].to_owned())
}
