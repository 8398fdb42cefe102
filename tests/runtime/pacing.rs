//! Calls that wait for the limits of a vendor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::embed::{Credential, Lease, LeaseReport, Meter, MeteredWindow, OneConnection};
use connector_core::run::{Invocation, Outcome, Priority, Runtime};
use connector_core::{Error, ErrorKind};
use pipedrive_sandbox::{Clock, DEMO_API_TOKEN, LimitCount, Options, Sandbox};
use serde_json::json;

use crate::support::runtime::build;
use crate::support::sandbox::{bind, sandbox_options, serve_sandbox};

const WINDOW: Duration = Duration::from_millis(100);

/// Starts a sandbox whose windows have 100 ms, by the clock of this machine.
async fn start(options: Options) -> (Sandbox, Runtime) {
    let (listener, url) = bind().await;
    let sandbox = serve_sandbox(listener, Options { clock: Clock::system(), burst_window: WINDOW, ..options });
    let account = OneConnection::new("sandbox", &url, Credential::api_token(DEMO_API_TOKEN)).expect("a URL of this machine");
    (sandbox, build(Runtime::builder().connections(account.mark_as_sandbox())))
}

/// Carries out invocations, so many at once, and returns their outcomes.
async fn run_at_once(runtime: &Runtime, jobs: usize, invocations: impl IntoIterator<Item = Invocation>) -> Vec<Outcome> {
    let mut invocations = invocations.into_iter();
    let mut running = tokio::task::JoinSet::new();
    let mut outcomes = Vec::new();
    loop {
        while running.len() < jobs
            && let Some(invocation) = invocations.next()
        {
            running.spawn(runtime.invoke(invocation));
        }
        match running.join_next().await {
            Some(outcome) => outcomes.push(outcome.expect("a call does not panic")),
            None => return outcomes,
        }
    }
}

fn read_stage() -> Invocation {
    Invocation::new("getStage").input(json!({"stageId": 1}))
}

/// Adds up what a sandbox counted: taken, refused, and the fullest window.
fn add_up(counts: &[LimitCount]) -> (u64, u64, u64) {
    (
        counts.iter().map(|count| count.taken).sum(),
        counts.iter().map(|count| count.refused).sum(),
        counts.iter().map(|count| u64::from(count.fullest)).max().unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_exceed_no_window_and_are_all_answered() {
    let (sandbox, runtime) = start(Options { burst_limit: Some(24), ..sandbox_options() }).await;
    let outcomes = run_at_once(&runtime, 64, (0..2000).map(|_| read_stage())).await;
    let refused: Vec<_> = outcomes.iter().filter_map(Outcome::error).take(3).collect();
    assert!(refused.is_empty(), "calls are not answered: {refused:?}");
    let (taken, refused, fullest) = add_up(&sandbox.limit_counts());
    assert_eq!((taken, refused), (2000, 0), "the fullest window had {fullest} of 24");
    assert!(outcomes.iter().any(|outcome| outcome.meta().queued_ms > 0), "calls that waited say so");
    assert!(outcomes.iter().all(|outcome| outcome.meta().attempts == 1), "no call was sent twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_wait_for_their_own_limit_alone() {
    let (sandbox, runtime) = start(Options { burst_limit: Some(24), search_limit: Some(10), ..sandbox_options() }).await;
    let search = || Invocation::new("searchDeals").input(json!({"term": "deal"}));
    let invocations = (0..200).map(|number| if number % 2 == 0 { search() } else { read_stage() });
    let outcomes = run_at_once(&runtime, 64, invocations).await;
    assert!(outcomes.iter().all(Outcome::is_ok), "{:?}", outcomes.iter().find_map(Outcome::error));
    let counts = sandbox.limit_counts();
    let lanes: Vec<_> = counts.iter().map(|count| (count.lane, count.limit, count.taken, count.refused)).collect();
    assert!(lanes.contains(&("search", 10, 100, 0)) && lanes.contains(&("general", 24, 100, 0)), "{lanes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_that_cannot_be_sent_in_time_is_refused_at_once_and_sends_nothing() {
    let (sandbox, runtime) = start(Options { burst_limit: Some(5), ..sandbox_options() }).await;
    assert!(runtime.invoke(read_stage()).await.is_ok());
    let mut short = read_stage();
    short.options.timeout = 10 * WINDOW;
    let outcomes = run_at_once(&runtime, 1000, (0..1000).map(|_| short.clone())).await;
    let refused: Vec<_> = outcomes.iter().filter(|outcome| outcome.error().map(Error::kind) == Some(ErrorKind::RateLimited)).collect();
    assert!(refused.len() > 900, "only {} of 1000 are refused", refused.len());
    for outcome in refused {
        let error = outcome.error().expect("it is refused");
        assert_eq!((error.retry_after_ms().is_some(), outcome.meta().requests), (true, 0), "{error:?}");
    }
    let (taken, limited, _) = add_up(&sandbox.limit_counts());
    assert_eq!(limited, 0);
    let sent: u64 = outcomes.iter().map(|outcome| u64::from(outcome.meta().requests)).sum();
    assert_eq!(taken, sent + 1, "what was refused was not sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spent_budget_fails_fast_and_says_when_it_is_renewed() {
    let (_, runtime) = start(Options { daily_budget: Some(10), ..sandbox_options() }).await;
    let list = || Invocation::new("getStages");
    let outcomes = [runtime.invoke(list()).await, runtime.invoke(list()).await];
    for (outcome, left) in outcomes.iter().zip([5, 0]) {
        let budget = outcome.meta().budget.expect("the sandbox tells it");
        assert_eq!((outcome.is_ok(), budget.left, budget.limit), (true, left, Some(10)));
    }
    // The first call after that learns when the budget is renewed, and no other is sent.
    for requests in [1, 0, 0] {
        let outcome = runtime.invoke(list()).await;
        let error = outcome.error().expect("nothing is left");
        assert_eq!((error.kind(), outcome.meta().requests), (ErrorKind::BudgetExhausted, requests), "{error:?}");
        assert!(error.retry_after_ms().is_some_and(|wait| wait <= 86_400_000), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interactive_call_goes_before_a_batch_that_waits() {
    let (_, runtime) = start(Options { burst_limit: Some(10), ..sandbox_options() }).await;
    assert!(runtime.invoke(read_stage()).await.is_ok());
    let mut line = read_stage();
    line.options.priority = Priority::Batch;
    let mut batch: tokio::task::JoinSet<_> = (0..200).map(|_| runtime.invoke(line.clone())).collect();
    // Once one of them has its answer, all others wait.
    assert!(batch.join_next().await.is_some_and(|outcome| outcome.is_ok_and(|outcome| outcome.is_ok())));
    assert!(runtime.invoke(read_stage()).await.is_ok());
    let ended = std::iter::from_fn(|| batch.try_join_next()).count();
    assert!(ended <= 60, "{ended} of 200 lines of the batch went before an interactive call");
    batch.abort_all();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_in_place_of_a_refusal_pauses_the_connection() {
    let faults = "403-html=100%".parse().expect("a fault");
    let (sandbox, runtime) = start(Options { faults, ..sandbox_options() }).await;
    for requests in [1, 0] {
        let outcome = runtime.invoke(read_stage()).await;
        let error = outcome.error().expect("the sandbox blocks it");
        assert_eq!((error.kind(), outcome.meta().requests), (ErrorKind::RateLimited, requests), "{error:?}");
        assert!(error.retry_after_ms().is_some_and(|wait| (50_000..=60_000).contains(&wait)), "{error:?}");
    }
    assert_eq!(sandbox.fault_counts().iter().map(|count| count.count).sum::<u64>(), 1);
}

/// A store of permits in this process, as hosts share one in a database.
#[derive(Clone, Default)]
struct SharedMeter {
    windows: Arc<Mutex<HashMap<MeteredWindow, SharedWindow>>>,
    host: usize,
}

/// A window: its limit where it was told, and for each host the permits that it holds and wants.
#[derive(Default)]
struct SharedWindow {
    told: Option<u32>,
    hosts: HashMap<usize, (u32, u32)>,
    most: u32,
}

#[async_trait]
impl Meter for SharedMeter {
    async fn settle(&self, window: &MeteredWindow, report: &LeaseReport) -> Result<Lease, Error> {
        let mut windows = self.windows.lock().expect("no test panics while it holds it");
        let shared = windows.entry(window.clone()).or_default();
        shared.told = shared.told.or(report.is_told.then_some(report.limit));
        let limit = shared.told.unwrap_or(report.limit);
        shared.hosts.insert(self.host, (report.held, report.wanted));
        if report.is_last {
            shared.hosts.remove(&self.host);
            return Ok(Lease::new(0, limit));
        }
        let held: u32 = shared.hosts.values().map(|(held, _)| held).sum();
        let given = report.wanted.min(limit.saturating_sub(held));
        shared.hosts.insert(self.host, (report.held + given, report.wanted - given));
        shared.most = shared.most.max(held + given);
        let wanted_by_others = shared.hosts.iter().filter(|(host, _)| **host != self.host).map(|(_, (_, wanted))| wanted).sum();
        let hosts = shared.hosts.values().filter(|(held, wanted)| held + wanted > 0).count();
        let lease = Lease::new(report.held + given, limit).beside(u32::try_from(hosts).expect("few"), wanted_by_others);
        Ok(if shared.told.is_some() { lease.mark_told() } else { lease })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_share_a_meter_exceed_no_window() {
    let (listener, url) = bind().await;
    let options = Options { clock: Clock::system(), burst_window: WINDOW, burst_limit: Some(24), ..sandbox_options() };
    let sandbox = serve_sandbox(listener, options);
    let meter = SharedMeter::default();
    let build_host = |host| {
        let account = OneConnection::new("sandbox", &url, Credential::api_token(DEMO_API_TOKEN)).expect("a URL of this machine");
        build(Runtime::builder().connections(account.mark_as_sandbox()).meter(SharedMeter { host, ..meter.clone() }))
    };
    let hosts = [build_host(0), build_host(1), build_host(2)];
    // Two hosts have much to do, and one has a call now and then.
    let [busy, other, quiet] = &hosts;
    let quiet = async {
        let mut outcomes = Vec::new();
        for _ in 0..5 {
            outcomes.push(quiet.invoke(read_stage()).await);
        }
        outcomes
    };
    let many = |host| run_at_once(host, 64, (0..500).map(|_| read_stage()));
    let (first, second, third) = tokio::join!(many(busy), many(other), quiet);
    let outcomes: Vec<_> = [first, second, third].into_iter().flatten().collect();
    assert!(outcomes.iter().all(Outcome::is_ok), "{:?}", outcomes.iter().find_map(Outcome::error));
    let (taken, refused, fullest) = add_up(&sandbox.limit_counts());
    assert_eq!((taken, refused), (1005, 0), "the fullest window had {fullest} of 24");
    let most = meter.windows.lock().expect("all hosts are done").values().map(|window| window.most).max();
    assert!(most.is_some_and(|most| most <= 24), "{most:?} permits were held at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn host_that_ends_gives_its_permits_back() {
    let (listener, url) = bind().await;
    let options = Options { clock: Clock::system(), burst_window: WINDOW, burst_limit: Some(2), ..sandbox_options() };
    let sandbox = serve_sandbox(listener, options);
    let meter = SharedMeter::default();
    // Each host has one call, and there are more of them than permits.
    for host in 0..20 {
        let account = OneConnection::new("sandbox", &url, Credential::api_token(DEMO_API_TOKEN)).expect("a URL of this machine");
        let runtime = build(Runtime::builder().connections(account.mark_as_sandbox()).meter(SharedMeter { host, ..meter.clone() }));
        let outcome = runtime.invoke(read_stage()).await;
        assert!(outcome.is_ok(), "host {host}: {:?}", outcome.error());
        runtime.give_back_permits().await;
        let mut late = read_stage();
        late.options.timeout = WINDOW;
        let outcome = runtime.invoke(late).await;
        assert_eq!(outcome.meta().requests, 0, "a host that has ended sends nothing more");
    }
    let held: u32 =
        meter.windows.lock().expect("all hosts are done").values().flat_map(|window| window.hosts.values()).map(|(held, _)| held).sum();
    assert_eq!((held, add_up(&sandbox.limit_counts()).0), (0, 20));
}
