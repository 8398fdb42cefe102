//! Measures whole calls at one upstream: raw reqwest reading bytes, and the runtime with JSON in and out.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use connector_core::embed::{Credential, OneConnection};
use connector_core::run::{Invocation, Runtime};
use pipedrive_connector::CONNECTOR;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bodies;
use crate::measure::{CallTime, Failure, Rounds, Series, Watch, describe_goal};
use crate::one_core::{CorePosition, OneCore};
use crate::server_process::ServerProcess;

/// A kind of call to measure.
struct Scenario {
    name: &'static str,
    target: &'static str,
    /// The body that raw reqwest posts; without one, it sends a GET.
    post: Option<String>,
    action: &'static str,
    input: Value,
    at_once: usize,
    /// The number of calls in a batch: about 20 ms of work.
    calls: usize,
    /// The largest ratio of CPU time, and the most µs added.
    goal: Option<(f64, Option<f64>)>,
    /// The least ratio of calls per second.
    throughput: Option<f64>,
}

/// A way to make a call.
#[derive(Clone)]
enum Way {
    /// Raw reqwest, which reads the bytes of the body.
    Raw(Arc<Raw>),
    /// JSON text in, JSON text out, as an engine calls; the goals are set for this way.
    Json(Runtime, Bytes),
    /// An invocation in, an outcome out, as a program that embeds the runtime calls.
    Values(Runtime, Box<Invocation>),
}

struct Raw {
    client: reqwest::Client,
    url: String,
    post: Option<Bytes>,
    bearer: HeaderValue,
}

/// The processes and clients that all calls share.
pub(crate) struct Setup {
    upstream: ServerProcess,
    client: reqwest::Client,
    pub(crate) runtime: Runtime,
    pub(crate) one_thread: tokio::runtime::Runtime,
    _core: Option<OneCore>,
}

/// Prints the CPU time and the throughput of each scenario.
pub(crate) fn compare(rounds: Rounds) -> Result<(), Failure> {
    let setup = Setup::new()?;
    println!(
        "{:<24} {:>9} {:>9} {:>7} {:>10} {:>13} {:>12}   goal",
        "scenario", "raw µs", "ours µs", "ratio", "added µs", "spread", "as values µs"
    );
    let mut throughput = Vec::new();
    for scenario in scenarios() {
        let ways = setup.build_ways(&scenario)?;
        let taken = setup.one_thread.block_on(run_rounds(&scenario, &ways, rounds.calls))?;
        println!("{}", format_cpu(&scenario, &taken));
        throughput.extend(format_throughput(&scenario, &taken));
    }
    println!("\n{:<24} {:>9} {:>9} {:>7} {:>13} {:>8}   goal", "calls a second", "raw", "ours", "ratio", "spread", "by CPU");
    for line in throughput {
        println!("{line}");
    }
    println!();
    Ok(())
}

/// Runs one way of one scenario alone, for a profiler: `only get ours 20000`.
pub(crate) fn run_only(words: &[String]) -> Result<(), Failure> {
    let [name, way, calls] = words else { return Err("give a scenario, a way and the number of calls: only get ours 20000".into()) };
    let scenarios = scenarios();
    let names: Vec<String> = scenarios.iter().map(Scenario::label).collect();
    let scenario = scenarios.iter().find(|scenario| scenario.label() == *name).ok_or_else(|| format!("the scenarios are {names:?}"))?;
    let at = ["raw", "ours", "values"].iter().position(|known| known == way).ok_or("the ways are raw, ours and values")?;
    let setup = Setup::new()?;
    let ways = setup.build_ways(scenario)?;
    let taken = setup.one_thread.block_on(run_batch(&ways[at], scenario.at_once, calls.parse()?))?;
    println!("{:.1} µs of CPU and {:.1} µs of wall time a call", taken.cpu, taken.wall);
    Ok(())
}

impl Setup {
    pub(crate) fn new() -> Result<Self, Failure> {
        let upstream = ServerProcess::start(Command::new(std::env::current_exe()?).arg("upstream"))?;
        let core = OneCore::pin(CorePosition::First);
        let runtime = Runtime::builder()
            .connectors(&[&CONNECTOR])
            .connections(OneConnection::new("bench", &upstream.url, Credential::bearer("a-token-of-the-bench"))?)
            .build()?;
        let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { upstream, client: build_client()?, runtime, one_thread, _core: core })
    }

    fn build_ways(&self, scenario: &Scenario) -> Result<[Way; 3], Failure> {
        let text = json!({"id": "step-17", "action": scenario.action, "connection": "bench", "input": scenario.input}).to_string();
        let invocation = Invocation::from_json(text.as_bytes()).map_err(|refused| format!("{refused:?}"))?;
        let raw = Raw {
            client: self.client.clone(),
            url: format!("{}{}", self.upstream.url, scenario.target),
            post: scenario.post.clone().map(Bytes::from),
            bearer: HeaderValue::from_static("Bearer a-token-of-the-bench"),
        };
        Ok([Way::Raw(Arc::new(raw)), Way::Json(self.runtime.clone(), text.into()), Way::Values(self.runtime.clone(), Box::new(invocation))])
    }
}

fn scenarios() -> Vec<Scenario> {
    let get = |at_once, calls| Scenario {
        name: "get",
        target: "/api/v2/deals/1",
        post: None,
        action: "getDeal",
        input: json!({"dealId": 1}),
        at_once,
        calls,
        goal: None,
        throughput: None,
    };
    let list = |at_once, calls| Scenario {
        name: "list of 100",
        target: "/api/v2/deals?limit=100",
        action: "getDeals",
        input: json!({"limit": 100}),
        goal: Some((4.0, None)),
        ..get(at_once, calls)
    };
    let post = |at_once, calls| Scenario {
        name: "post",
        target: "/api/v2/deals",
        post: Some(bodies::new_deal_on_the_wire()),
        action: "addDeal",
        input: bodies::new_deal(),
        ..get(at_once, calls)
    };
    vec![
        Scenario { goal: Some((1.35, Some(12.0))), ..get(1, 300) },
        list(1, 50),
        post(1, 300),
        Scenario { throughput: Some(0.80), ..get(64, 64 * 8) },
        list(64, 64),
        post(64, 64 * 8),
    ]
}

impl Scenario {
    fn label(&self) -> String {
        if self.at_once == 1 { self.name.to_owned() } else { format!("{}, {} at once", self.name, self.at_once) }
    }
}

/// Builds a client with the same settings as the runtime's.
fn build_client() -> Result<reqwest::Client, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    // The upstream speaks plain HTTP, so no certificate is checked.
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(64)
        .user_agent("connector/bench");
    Ok(client.build()?)
}

/// Measures each way in each round. The ways take turns, so that a drift of the machine hits all of them.
async fn run_rounds(scenario: &Scenario, ways: &[Way; 3], rounds: usize) -> Result<Vec<[CallTime; 3]>, Failure> {
    for way in ways {
        run_batch(way, scenario.at_once, scenario.calls).await?;
    }
    let mut all = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let mut taken = [CallTime { cpu: 0.0, wall: 0.0 }; 3];
        for turn in 0..ways.len() {
            let at = (round + turn) % ways.len();
            taken[at] = run_batch(&ways[at], scenario.at_once, scenario.calls).await?;
        }
        all.push(taken);
    }
    Ok(all)
}

async fn run_batch(way: &Way, at_once: usize, calls: usize) -> Result<CallTime, Failure> {
    let watch = Watch::start();
    if at_once == 1 {
        for _ in 0..calls {
            way.call().await?;
        }
    } else {
        let mut tasks = JoinSet::new();
        for _ in 0..at_once {
            let way = way.clone();
            tasks.spawn(async move {
                for _ in 0..calls / at_once {
                    way.call().await?;
                }
                Ok::<(), Failure>(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
    }
    Ok(watch.time_per_call(calls))
}

impl Way {
    async fn call(&self) -> Result<(), Failure> {
        match self {
            Self::Raw(raw) => raw.call().await,
            Self::Json(runtime, text) => {
                let outcome = runtime.invoke_json(text).await;
                black_box(outcome.to_json());
                check_outcome(&outcome)
            }
            Self::Values(runtime, invocation) => check_outcome(&black_box(runtime.invoke(Invocation::clone(invocation)).await)),
        }
    }
}

impl Raw {
    async fn call(&self) -> Result<(), Failure> {
        let request = match &self.post {
            Some(body) => self.client.post(&self.url).header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => self.client.get(&self.url),
        };
        let response = request.header(AUTHORIZATION, self.bearer.clone()).send().await?;
        let response = response.error_for_status()?;
        black_box(response.bytes().await?);
        Ok(())
    }
}

fn check_outcome(outcome: &connector_core::run::Outcome) -> Result<(), Failure> {
    outcome.error().map_or(Ok(()), |error| Err(error.to_string().into()))
}

fn format_cpu(scenario: &Scenario, taken: &[[CallTime; 3]]) -> String {
    let cpu = |at: usize| Series::new(taken.iter().map(|round| round[at].cpu)).median();
    let ratios = Series::new(taken.iter().map(|round| round[1].cpu / round[0].cpu));
    let added = Series::new(taken.iter().map(|round| round[1].cpu - round[0].cpu)).median();
    let goal = scenario.goal.map_or_else(String::new, |(ratio, most)| match most {
        Some(most) => format!("≤ {ratio}× and ≤ {most} µs added: {}", describe_goal(ratios.median() <= ratio && added <= most)),
        None => format!("≤ {ratio}×: {}", describe_goal(ratios.median() <= ratio)),
    });
    let (raw, ours, values) = (cpu(0), cpu(1), cpu(2));
    format!(
        "{:<24} {raw:>9.1} {ours:>9.1} {:>6.2}× {added:>10.1} {:>12}× {values:>12.1}   {goal}",
        scenario.label(),
        ratios.median(),
        ratios.spread(2)
    )
}

fn format_throughput(scenario: &Scenario, taken: &[[CallTime; 3]]) -> Option<String> {
    if scenario.at_once == 1 {
        return None;
    }
    let a_second = |at: usize| Series::new(taken.iter().map(|round| 1e6 / round[at].wall)).median();
    let ratios = Series::new(taken.iter().map(|round| round[0].wall / round[1].wall));
    let goal = scenario.throughput.map_or_else(String::new, |least| format!("≥ {least:.2}: {}", describe_goal(ratios.median() >= least)));
    // On a shared machine other work shows in the wall time, and less in the CPU time of a call.
    let by_cpu = Series::new(taken.iter().map(|round| round[0].cpu / round[1].cpu)).median();
    let (label, raw, ours) = (scenario.label(), a_second(0), a_second(1));
    let (ratio, spread) = (ratios.median(), ratios.spread(2));
    Some(format!("{label:<24} {raw:>9.0} {ours:>9.0} {ratio:>7.2} {spread:>13} {by_cpu:>8.2}   {goal}"))
}
