//! The memory of a list that streams, counted by the allocator: it does not grow with the list but for the IDs.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Runtime, Streamed, View};
use peak_alloc::PeakAlloc;
use pipedrive_connector::CONNECTOR;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The number of records of a page.
const SIZE: u64 = 500;

/// Starts a vendor whose deals have no end. Returns its URL.
fn start_vendor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || drop(serve(&stream)));
        }
    });
    url
}

fn serve(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(target) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let first = target.split("cursor=").nth(1).and_then(|rest| rest.split(' ').next()).map_or(1, |first| first.parse().unwrap_or(1));
        let deals: Vec<String> = (first..first + SIZE)
            .map(|id| format!(r#"{{"id":{id},"title":"Forty chairs","value":12500.5,"is_deleted":false,"custom_fields":{{}}}}"#))
            .collect();
        let next = first + SIZE;
        let body = format!(r#"{{"success":true,"data":[{}],"additional_data":{{"next_cursor":"{next}"}}}}"#, deals.join(","));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head, body].concat().into_bytes())?;
    }
    Ok(())
}

/// Streams so many records, and returns the most bytes that were allocated above the start.
async fn measure(runtime: &Runtime, view: View, records: u64) -> usize {
    let start = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut call = Invocation::new("getDeals").input(json!({"limit": SIZE})).view(view).all_pages(records);
    call.options.timeout = Duration::from_mins(10);
    let (mut list, mut line, mut count) = (runtime.stream(call), Vec::new(), 0);
    while let Some(streamed) = list.next().await {
        line.clear();
        streamed.write_line(&mut line);
        match streamed {
            Streamed::Record(_) => count += 1,
            Streamed::Summary(summary) => assert!(summary.is_ok() && summary.page().count == count, "{summary:?}"),
            other => panic!("a stream has records and a summary: {other:?}"),
        }
    }
    assert_eq!(count, records);
    ALLOCATOR.peak_usage().saturating_sub(start)
}

#[test]
fn long_list_streams_in_little_memory() {
    let url = start_vendor();
    let connection = OneConnection::new("vendor", &url, Credential::bearer("a-token-of-the-test")).expect("loopback is allowed");
    let runtime = Runtime::builder().connectors(&[&CONNECTOR]).connections(connection).build().expect("the runtime builds");
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread");
    one_thread.block_on(async {
        for view in View::ALL {
            // A first call builds parts that stay, and are not the list's.
            measure(&runtime, view, SIZE).await;
            let (short, long) = (measure(&runtime, view, 4 * SIZE).await, measure(&runtime, view, 100_000).await);
            assert!(long <= 8 << 20, "100,000 records took {long} bytes in the {view} view");
            // A table of IDs that grows is there twice for a moment.
            assert!(long <= short + 100_000 * 30, "4 pages took {short} bytes, and 200 pages {long}, in the {view} view");
        }
    });
}
