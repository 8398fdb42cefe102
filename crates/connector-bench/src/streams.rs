//! Measures the memory of a list that streams: 100,000 records of 2.2 KB, in both views.

use std::process::Command;

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Runtime, Streamed, View};
use pipedrive_connector::CONNECTOR;
use serde_json::json;

use crate::footprint::{read_peak_memory, read_resident_memory};
use crate::measure::{Failure, describe_goal};
use crate::server_process::ServerProcess;
use crate::upstream::LONG_LIST;

/// The most memory above the start, in MiB.
const MOST: f64 = 8.0;

/// Measures each view in a fresh process.
pub(crate) fn compare() -> Result<(), Failure> {
    for view in View::ALL {
        let output = Command::new(std::env::current_exe()?).args(["stream", view.as_str()]).output()?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    println!();
    Ok(())
}

/// Prints the memory of one stream in this process, above a first call; of both views if none is named.
pub(crate) fn print_own(words: &[String]) -> Result<(), Failure> {
    let [view] = words else { return compare() };
    let view: View = view.parse()?;
    let upstream = ServerProcess::start(Command::new(std::env::current_exe()?).arg("upstream"))?;
    let connection = OneConnection::new("bench", &upstream.url, Credential::bearer("a-token-of-the-bench"))?;
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(connection).build()?;
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // A first call builds and loads parts that are not the list's.
    one_thread.block_on(read_list(&runtime, view, 1))?;
    let start = read_resident_memory();
    let (records, bytes) = one_thread.block_on(read_list(&runtime, view, LONG_LIST))?;
    let what = format!("{records} records ({} MiB) as a stream, {view} view, MiB", bytes >> 20);
    match (start, read_peak_memory()) {
        (Some(start), Some(peak)) => {
            let above = peak - start;
            println!("{what:<64} {above:>7.2}   ≤ {MOST} MiB: {}", describe_goal(above <= MOST && records == LONG_LIST));
        }
        _ => println!("{what}: not measured: this system has no /proc/self/status"),
    }
    Ok(())
}

/// Reads so many records of the list, and returns the number of its records and of their bytes.
async fn read_list(runtime: &Runtime, view: View, most: u64) -> Result<(u64, usize), Failure> {
    let mut call = Invocation::new("getDeals").input(json!({"limit": 500.min(most)})).view(view).all_pages(most);
    call.options.timeout = std::time::Duration::from_mins(10);
    let (mut list, mut lines, mut bytes) = (runtime.stream(call), Vec::new(), 0);
    while let Some(streamed) = list.next().await {
        if let Streamed::Summary(summary) = &streamed {
            return match summary.error() {
                None => Ok((summary.page().count, bytes)),
                Some(error) => Err(error.to_string().into()),
            };
        }
        streamed.write_line(&mut lines);
        // A program writes its lines in parts.
        if lines.len() > 32 << 10 || list.count_ready() == 0 {
            bytes += lines.len();
            lines.clear();
            tokio::task::yield_now().await;
        }
    }
    Err("the stream had no summary".into())
}
