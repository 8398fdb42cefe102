//! `connector stats`: the metrics of a running host, as a table that is renewed or as JSON.

use std::io::IsTerminal as _;
use std::time::Duration;

use connector_core::run::Http;
use connector_core::wording::count_of;
use secrecy::SecretString;
use serde::Serialize;

use crate::setup::http::build_client;
use crate::terminal::arguments::DEFAULT_URL;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::metrics::{ActionMetrics, HostMetrics};
use crate::terminal::stop::wait_for_stop;
use crate::terminal::{env, render, stdout};

/// The time between two views of the table.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(super) struct StatsArguments {
    /// The URL of the running host
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL)]
    url: String,
    /// Print JSON once, on a terminal too
    #[arg(long)]
    json: bool,
}

/// The metrics, with the host that they are of.
#[derive(Serialize)]
struct Printed<'a> {
    url: &'a str,
    #[serde(flatten)]
    metrics: HostMetrics,
}

pub(super) async fn run(arguments: StatsArguments) -> Result<Exit, Failure> {
    let http = build_client()?;
    let key = env::variable(env::OPERATOR_KEY).map(SecretString::from);
    let url = arguments.url.trim_end_matches('/');
    let metrics = read_metrics(&http, url, key.as_ref()).await?;
    if arguments.json || !std::io::stdout().is_terminal() {
        return stdout::print_json(&Printed { url, metrics });
    }
    watch(&http, url, key.as_ref(), metrics).await
}

async fn read_metrics(http: &Http, url: &str, key: Option<&SecretString>) -> Result<HostMetrics, Failure> {
    let answer = http.fetch(&format!("{url}/metrics"), key).await;
    let answer = answer.map_err(|error| Failure::host(format!("{url}: {} Does `connector serve` run there?", error.message())))?;
    match answer.status {
        200 => Ok(HostMetrics::from_text(&String::from_utf8_lossy(&answer.body))),
        401 | 403 => Err(Failure::usage(format!(
            "{url} shows its metrics to operators alone: set {} to a key that `connector keys create --operator` made",
            env::OPERATOR_KEY
        ))),
        status => Err(Failure::host(format!("{url}/metrics answers {status}: is it a host of `connector serve`?"))),
    }
}

/// Shows the table, renewed each second until Ctrl-C. The last one stays on the terminal.
async fn watch(http: &Http, url: &str, key: Option<&SecretString>, first: HostMetrics) -> Result<Exit, Failure> {
    const OTHER_SCREEN: &[u8] = b"\x1b[?1049h\x1b[?25l";
    const OWN_SCREEN: &[u8] = b"\x1b[?25h\x1b[?1049l";
    let mut stop = std::pin::pin!(wait_for_stop());
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let (mut before, mut now) = (None, first);
    stdout::write(OTHER_SCREEN)?;
    let ended = loop {
        let table = write_table(url, &now, before.as_ref(), find_size());
        if let Err(failure) = stdout::write(format!("\x1b[H{}\x1b[J", table.replace('\n', "\x1b[K\n")).as_bytes()) {
            break Err(failure);
        }
        tokio::select! {
            () = &mut stop => break Ok(()),
            _ = ticks.tick() => {}
        }
        match read_metrics(http, url, key).await {
            Ok(next) => before = Some(std::mem::replace(&mut now, next)),
            Err(failure) => break Err(failure),
        }
    };
    stdout::write(OWN_SCREEN)?;
    ended?;
    stdout::write(write_table(url, &now, before.as_ref(), (find_size().0, usize::MAX)).as_bytes())?;
    Ok(Exit::Ok)
}

/// Finds the columns and rows of the terminal.
fn find_size() -> (usize, usize) {
    terminal_size::terminal_size().map_or((80, 24), |(width, height)| (width.0.into(), height.0.into()))
}

/// A column of the table: its heading, and its cell for an action.
type Column = (&'static str, fn(&ActionMetrics, Option<&ActionMetrics>) -> String);

/// The columns, most important first. Those that do not fit into a narrow terminal are left out.
const COLUMNS: [Column; 11] = [
    ("ACTION", |now, _| format!("{}/{}", now.connector, now.action)),
    ("CALLS", |now, _| now.calls.to_string()),
    ("PER S", |now, before| before.map_or_else(|| "-".to_owned(), |before| now.calls.saturating_sub(before.calls).to_string())),
    ("FAILED", |now, _| now.count_failed().to_string()),
    ("P95 MS", |now, _| format!("{:.0}", now.p95_ms)),
    ("TOKENS", |now, _| now.tokens.to_string()),
    ("MOST FAILURES", |now, _| now.find_most_frequent_failure().unwrap_or("-").to_owned()),
    ("P50 MS", |now, _| format!("{:.0}", now.p50_ms)),
    ("QUEUED MS", |now, _| format!("{:.0}", now.queued_ms)),
    ("RETRIES", |now, _| now.retries.to_string()),
    ("REQUESTS", |now, _| now.requests.to_string()),
];

/// Writes the table within a number of columns and rows. A word is never broken: what does not fit is left out.
fn write_table(url: &str, now: &HostMetrics, before: Option<&HostMetrics>, (width, height): (usize, usize)) -> String {
    let mut busiest: Vec<&ActionMetrics> = now.actions.iter().collect();
    busiest.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| (&a.connector, &a.action).cmp(&(&b.connector, &b.action))));
    let tail = write_tail(now, width);
    // The title, the headings, the line of what is left out, and the last line, on which the cursor stands.
    let room = height.saturating_sub(4 + tail.len()).max(1);
    let shown = &busiest[..busiest.len().min(room)];
    let (mut headings, mut rows, mut used) = (Vec::new(), vec![Vec::new(); shown.len()], 0);
    for (heading, write_cell) in COLUMNS {
        let find_before = |now: &ActionMetrics| {
            let all = &before?.actions;
            all.iter().find(|other| other.connector == now.connector && other.action == now.action)
        };
        let cells: Vec<String> = shown.iter().map(|now| write_cell(now, find_before(now))).collect();
        let widest = cells.iter().map(String::len).chain([heading.len()]).max().unwrap_or(0);
        if !headings.is_empty() && used + 2 + widest > width {
            continue;
        }
        used += widest + if headings.is_empty() { 0 } else { 2 };
        headings.push(heading);
        rows.iter_mut().zip(cells).for_each(|(row, cell): (&mut Vec<String>, String)| row.push(cell));
    }
    let mut out =
        fit(&[url.to_owned(), format!("{} in flight", count_of(now.in_flight, "request")), "Ctrl-C ends".to_owned()], width) + "\n";
    out += &if rows.is_empty() { "No call was made yet.\n".to_owned() } else { render::align(&headings, &rows) };
    if shown.len() < busiest.len() {
        out += &fit(&[count_of((busiest.len() - shown.len()) as u64, "more action")], width);
        out.push('\n');
    }
    tail.iter().fold(out, |out, line| out + line + "\n")
}

/// Writes the lines below the table: the refreshes of tokens, and the budgets that are nearest to their end.
fn write_tail(now: &HostMetrics, width: usize) -> Vec<String> {
    const MOST_BUDGETS: usize = 3;
    let refreshes = now.refreshes.iter().map(|refresh| {
        let results: Vec<String> = refresh.results.iter().map(|(result, count)| format!("{count} {result}")).collect();
        fit(&[format!("token refreshes of {}", refresh.connector), results.join(" + ")], width)
    });
    let mut budgets: Vec<_> = now.budgets.iter().collect();
    budgets.sort_by_key(|budget| budget.left);
    let budgets = budgets.into_iter().take(MOST_BUDGETS).map(|budget| {
        let limit = budget.limit.map_or_else(String::new, |limit| format!(" of {limit}"));
        fit(&[format!("{} tokens{limit} left", budget.left), format!("{} connection {}", budget.connector, budget.connection)], width)
    });
    refreshes.chain(budgets).collect()
}

/// Joins the parts that fit into a line.
fn fit(parts: &[String], width: usize) -> String {
    let mut line = String::new();
    for part in parts {
        let gap = if line.is_empty() { "" } else { "  " };
        if line.len() + gap.len() + part.len() <= width {
            line = line + gap + part;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"connector_http_requests_in_flight 1
connector_invocations_total{connector="vendor",action="getDeals",result="ok"} 30
connector_invocations_total{connector="vendor",action="addDeal",result="ok"} 70
connector_invocations_total{connector="vendor",action="addDeal",result="rate_limited"} 2
connector_upstream_tokens_total{connector="vendor",action="addDeal"} 350
connector_refreshes_total{connector="vendor",result="ok"} 5
connector_budget_left_tokens{connector="vendor",connection="c-1"} 12
"#;

    #[test]
    fn table_fits_its_terminal_and_breaks_no_word() {
        let now = HostMetrics::from_text(TEXT);
        let before = HostMetrics::from_text(&TEXT.replace("} 70", "} 60"));
        let wide = write_table("http://h", &now, Some(&before), (200, 24));
        let rows: Vec<&str> = wide.lines().collect();
        assert_eq!(rows[0], "http://h  1 request in flight  Ctrl-C ends");
        assert!(rows[1].contains("ACTION") && rows[1].contains("REQUESTS"), "{wide}");
        let words: Vec<&str> = rows[2].split_whitespace().collect();
        assert_eq!(words[..7], ["vendor/addDeal", "72", "10", "2", "0", "350", "rate_limited"], "{wide}");
        assert_eq!(rows[4..], ["token refreshes of vendor  5 ok", "12 tokens left  vendor connection c-1"]);
        let known: Vec<&str> = wide.split_whitespace().collect();
        for width in 20..120 {
            let narrow = write_table("http://h", &now, Some(&before), (width, 24));
            let plain = anstream::adapter::strip_str(&narrow).to_string();
            assert!(plain.lines().all(|line| line.len() <= width), "{width}:\n{plain}");
            assert!(narrow.split_whitespace().all(|word| known.contains(&word)), "{width}:\n{narrow}");
        }
        let low = write_table("http://h", &now, None, (80, 7));
        assert!(low.contains("1 more action") && low.lines().count() < 7, "{low}");
        assert!(write_table("http://h", &HostMetrics::default(), None, (80, 24)).contains("No call was made yet."));
    }
}
