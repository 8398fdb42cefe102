//! Measures the cost of an invocation before anything is sent: reading, finding, checking.

use async_trait::async_trait;
use connector_core::embed::{Access, Connection, Connections, Credential, OneConnection};
use connector_core::run::{Invocation, Runtime};
use connector_core::{Error, ErrorKind};
use pipedrive_connector::CONNECTOR;
use serde_json::json;

use crate::bodies;
use crate::measure::{Failure, Rounds, Series, Watch, describe_goal};

/// An engine without connections: a call ends right after its input was checked.
struct NoConnections;

#[async_trait]
impl Connections for NoConnections {
    async fn choose(&self, _connector: &str, _named: Option<&str>) -> Result<Connection, Error> {
        Err(Error::new(ErrorKind::NoConnection, String::new()))
    }

    async fn access(&self, _connection: &Connection) -> Result<Access, Error> {
        Err(Error::new(ErrorKind::NoConnection, String::new()))
    }
}

pub(crate) fn compare(rounds: Rounds) -> Result<(), Failure> {
    const CALLS: usize = 2_000;
    let text = |options: serde_json::Value| {
        json!({"id": "step-17", "action": "addDeal", "input": bodies::new_deal(), "options": options}).to_string()
    };
    let (plain, dry) = (text(json!({})), text(json!({"dryRun": true})));
    let ending = Runtime::builder().connectors(&[&CONNECTOR]).connections(NoConnections).build()?;
    let connection = OneConnection::new("bench", "http://127.0.0.1:1", Credential::bearer("a-token-of-the-bench"))?;
    let whole = Runtime::builder().connectors(&[&CONNECTOR]).connections(connection).build()?;
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    one_thread.block_on(async {
        let ended = ending.invoke_json(plain.as_bytes()).await;
        if ended.error().map(Error::kind) != Some(ErrorKind::NoConnection) {
            return Err(format!("the input was refused: {ended:?}").into());
        }
        let (mut read, mut checked, mut built) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds.calls {
            let watch = Watch::start();
            for _ in 0..CALLS {
                drop(std::hint::black_box(Invocation::from_json(plain.as_bytes())));
            }
            read.push(watch.time_per_call(CALLS).cpu);
            let watch = Watch::start();
            for _ in 0..CALLS {
                drop(std::hint::black_box(ending.invoke_json(plain.as_bytes()).await));
            }
            checked.push(watch.time_per_call(CALLS).cpu);
            let watch = Watch::start();
            for _ in 0..CALLS {
                drop(std::hint::black_box(whole.invoke_json(dry.as_bytes()).await));
            }
            built.push(watch.time_per_call(CALLS).cpu);
        }
        println!("{:<52} {:>7} {:>13}   goal", "an input of 10 fields", "µs", "spread");
        let line = |what: &str, numbers: Vec<f64>, goal: Option<f64>| {
            let numbers = Series::new(numbers);
            let goal = goal.map_or_else(String::new, |most| format!("≤ {most} µs: {}", describe_goal(numbers.median() <= most)));
            println!("{what:<52} {:>7.2} {:>13}   {goal}", numbers.median(), numbers.spread(2));
        };
        line("Invocation::from_json", read, None);
        line("read, found and checked; ends without a connection", checked, Some(4.0));
        line("a whole dry run, which also answers the request", built, None);
        println!();
        Ok(())
    })
}
