//! The records of one list as a stream of lines, in place of one outcome.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use connector_core::run::{RecordStream, Streamed};
use futures_util::stream;

use crate::conduct::call::Call;
use crate::wire::response::{JSON, NDJSON};

/// The bytes of lines that are sent at once.
const CHUNK: usize = 32 << 10;

/// A list under way. Dropping it ends its work.
struct ListUnderWay {
    call: Call,
    /// The list, until its summary was sent.
    list: Option<RecordStream>,
}

/// Checks that a caller prefers a stream of records to one outcome. Who takes both alike gets the outcome.
pub(crate) fn prefers_records(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let (mut records, mut outcome) = (0.0, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        match media {
            _ if media.eq_ignore_ascii_case(NDJSON) => records = quality,
            _ if media.eq_ignore_ascii_case(JSON) => outcome = quality,
            _ => {}
        }
    }
    records > outcome
}

/// Sends the records of a list as they come, and at last its summary.
///
/// The list ends when the client leaves or the API key is revoked.
pub(crate) fn stream_records(call: Call, list: RecordStream) -> Body {
    let list = ListUnderWay { call, list: Some(list) };
    Body::from_stream(stream::unfold((list, true), async |(mut list, is_first)| {
        let lines = list.read_lines(is_first).await;
        (!lines.is_empty()).then_some((Ok::<_, Infallible>(lines), (list, false)))
    }))
}

impl ListUnderWay {
    /// Reads the lines that are there, after a wait for the first of them. At the end there are none.
    async fn read_lines(&mut self, is_first: bool) -> Vec<u8> {
        let mut lines = Vec::new();
        let Some(list) = &mut self.list else { return lines };
        if !is_first
            && list.count_ready() == 0
            && let Err(refusal) = self.call.caller.check_again(&self.call.host, &self.call.head).await
        {
            // No further page is given. A store that fails just now also ends the list.
            list.stop(refusal.into_error());
        }
        while let Some(streamed) = list.next().await {
            streamed.write_line(&mut lines);
            if matches!(streamed, Streamed::Summary(_)) {
                self.list = None;
                break;
            }
            if list.count_ready() == 0 || lines.len() >= CHUNK {
                break;
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn records_are_sent_to_callers_who_prefer_them() {
        for (accept, prefers) in [
            (&[][..], false),
            (&["*/*"], false),
            (&["application/json"], false),
            (&["application/x-ndjson"], true),
            (&["Application/X-NDJSON; charset=utf-8"], true),
            (&["application/x-ndjson, */*;q=0.1"], true),
            (&["application/json, application/x-ndjson"], false),
            (&["application/json;q=0.5, application/x-ndjson"], true),
            (&["application/json;q=0.5", "application/x-ndjson;q=0.4"], false),
            (&["application/x-ndjson;q=0"], false),
        ] {
            let headers = accept.iter().map(|accept| (ACCEPT, HeaderValue::from_static(accept))).collect();
            assert_eq!(prefers_records(&headers), prefers, "{accept:?}");
        }
    }
}
