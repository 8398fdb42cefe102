//! Measures the cold start of `connector` to its first outcome, beside Node's and an empty program's.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::measure::{Failure, Rounds, Series, describe_goal};
use crate::server_process::ServerProcess;

pub(crate) fn compare(rounds: Rounds) -> Result<(), Failure> {
    let connector = std::env::current_exe()?.with_file_name("connector");
    if !connector.exists() {
        println!("cold start: skipped: {} is not built; `cargo build --release -p connector-host` builds it", connector.display());
        return Ok(());
    }
    let sandbox = ServerProcess::start(Command::new(&connector).args(["sandbox", "--memory", "--port", "0"]))?;
    let invoke = || {
        let mut command = Command::new(&connector);
        command.args(["invoke", "getDeal", "--input", r#"{"dealId":1}"#]).env("CONNECTOR_SANDBOX", &sandbox.url);
        command
    };
    let first = invoke().output()?;
    if !first.status.success() {
        let words = [first.stdout, first.stderr].concat();
        return Err(format!("the sandbox answered {}", String::from_utf8_lossy(&words).trim()).into());
    }
    let node = || {
        let mut command = Command::new("node");
        command.args(["-e", "1"]);
        command
    };
    let has_node = node().output().is_ok_and(|output| output.status.success());
    let floor = Path::new("/bin/true");
    let (mut ours, mut nodes, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.starts {
        ours.extend(time_run(invoke())?);
        if has_node {
            nodes.extend(time_run(node())?);
        }
        if floor.exists() {
            floors.extend(time_run(Command::new(floor))?);
        }
    }
    let refused = rounds.starts - ours.len();
    let (ours, nodes, floors) = (Series::new(ours), Series::new(nodes), Series::new(floors));
    println!("{:<52} {:>7} {:>13}   goal", format!("cold start, {} runs", rounds.starts), "ms", "spread");
    println!(
        "{:<52} {:>7.1} {:>13}   ≤ 12 ms: {}",
        "connector invoke getDeal",
        ours.median(),
        ours.spread(1),
        describe_goal(ours.median() <= 12.0)
    );
    if has_node {
        let tenth = describe_goal(ours.median() <= nodes.median() / 10.0);
        println!("{:<52} {:>7.1} {:>13}   ours ≤ 1/10 of it: {tenth}", "node -e 1", nodes.median(), nodes.spread(1));
    }
    if floor.exists() {
        println!("{:<52} {:>7.1} {:>13}", "/bin/true, the floor", floors.median(), floors.spread(1));
    }
    if refused > 0 {
        println!("{refused} of the runs failed and are not counted");
    }
    Ok(())
}

/// Runs a program and returns its time in ms; none if it failed.
fn time_run(mut command: Command) -> Result<Option<f64>, Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let before = Instant::now();
    let status = command.status()?;
    let taken = before.elapsed().as_secs_f64() * 1e3;
    Ok(status.success().then_some(taken))
}
