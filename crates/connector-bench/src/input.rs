//! What an invocation costs before anything is sent: read, found, checked.

use async_trait::async_trait;
use connector_core::{Access, Connection, Connections, Credential, Error, ErrorKind, Invocation, OneConnection, Runtime};
use pipedrive_connector::CONNECTOR;
use serde_json::json;

use crate::measure::{Series, Watch, met};
use crate::{Failure, Rounds, bodies};

/// Connections that end a call where its input has been checked, and nothing else has been done.
struct None;

#[async_trait]
impl Connections for None {
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
    let ending = Runtime::builder().connectors(&[&CONNECTOR]).connections(None).build()?;
    let connection = OneConnection::new("bench", "http://127.0.0.1:1", Credential::bearer("a-token-of-the-bench"))?;
    let whole = Runtime::builder().connectors(&[&CONNECTOR]).connections(connection).build()?;
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    one_thread.block_on(async {
        let ended = ending.invoke_json(plain.as_bytes()).await;
        if ended.error().map(Error::kind) != Some(ErrorKind::NoConnection) {
            return Err(format!("the input was not taken: {ended:?}").into());
        }
        let (mut read, mut checked, mut built) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds.calls {
            let watch = Watch::start();
            for _ in 0..CALLS {
                drop(std::hint::black_box(Invocation::from_json(plain.as_bytes())));
            }
            read.push(watch.taken(CALLS).cpu);
            let watch = Watch::start();
            for _ in 0..CALLS {
                drop(std::hint::black_box(ending.invoke_json(plain.as_bytes()).await));
            }
            checked.push(watch.taken(CALLS).cpu);
            let watch = Watch::start();
            for _ in 0..CALLS {
                drop(std::hint::black_box(whole.invoke_json(dry.as_bytes()).await));
            }
            built.push(watch.taken(CALLS).cpu);
        }
        println!("{:<52} {:>7} {:>13}   goal", "an input of 10 fields", "µs", "spread");
        let line = |what: &str, numbers: Vec<f64>, goal: Option<f64>| {
            let numbers = Series::of(numbers);
            let goal = goal.map_or_else(String::new, |most| format!("≤ {most} µs: {}", met(numbers.median() <= most)));
            println!("{what:<52} {:>7.2} {:>13}   {goal}", numbers.median(), numbers.spread(2));
        };
        line("Invocation::from_json", read, Option::None);
        line("read, found, checked; ended at its connection", checked, Some(4.0));
        line("a whole dry run, which also tells the request", built, Option::None);
        println!();
        Ok(())
    })
}
