//! Several processes over one store, and processes that are killed: the test program starts itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use connector_core::ErrorKind;

use super::{Place, World, access, open, token, vault};
use crate::{Clock, Moment, Reason, Status};

/// What a process is to do: store, vendor, time, connection, how many callers, and the step at which it stands still.
const TOLD: &str = "CONNECTOR_TEST_TOLD";
const SEPARATOR: char = '\n';
const PROCESSES: usize = 4;
const CALLERS: usize = 32;

static STANDS_AT: OnceLock<String> = OnceLock::new();

/// Where a refresh has come to: a process that was started by a test says it, and stands there until it is killed if
/// it was told to.
pub(crate) fn reached(step: &str) {
    let Some(stands_at) = STANDS_AT.get() else { return };
    say(&format!("at {step}"));
    if stands_at == step {
        loop {
            std::thread::park();
        }
    }
}

#[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
fn say(line: &str) {
    println!("\ntold {line}");
}

/// Starts this test once more, to do what it is told.
fn start(test: &str, world: &World, id: &str, callers: usize, stands_at: &str) -> Child {
    let told = [&world.place.word(), &world.vendor.url, &world.clock.now().as_micros().to_string(), id, &callers.to_string(), stands_at];
    let told = told.join(&SEPARATOR.to_string());
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(TOLD, told).stdout(Stdio::piped());
    command.spawn().expect("it starts")
}

/// What a process said, line by line.
fn said(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let out = BufReader::new(child.stdout.take().expect("its output"));
    out.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("told ").map(str::to_owned))
}

/// Does what this process was told, if it was started to; whether it was.
async fn as_told() -> bool {
    let Ok(told) = std::env::var(TOLD) else { return false };
    let told: Vec<&str> = told.split(SEPARATOR).collect();
    let [store, vendor, now, id, callers, stands_at] = told.as_slice() else { panic!("{TOLD} has six parts") };
    STANDS_AT.set((*stands_at).to_owned()).expect("once");
    let clock = Clock::fixed(Moment::from_micros(now.parse().expect("a time")));
    let vault = vault(open(store).await.expect("the store opens"), vendor, &clock).await;
    let callers: Vec<_> = (0..callers.parse().expect("a number"))
        .map(|_: usize| {
            let (vault, id) = (vault.clone(), (*id).to_owned());
            tokio::spawn(async move { access(&vault, "ann", &id).await.map(|access| token(&access)) })
        })
        .collect();
    for caller in callers {
        say(&match caller.await.expect("no panic") {
            Ok(token) => token,
            Err(error) => error.to_string(),
        });
    }
    true
}

/// The name by which the test program knows a test of this module.
fn named(place: &Place, name: &str) -> String {
    let of = match place {
        Place::Folder(_) => "on_sqlite",
        #[cfg(feature = "postgres")]
        Place::Schema(_) => "on_postgres",
    };
    format!("tests::processes::{of}::{name}")
}

async fn many_processes_make_one_refresh(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connected("ann", (7, 3)).await;
    world.hour();
    let test = named(&world.place, "many_processes_make_one_refresh");
    let (gate, asked) = (world.vendor.gate(), world.vendor.asked());
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| start(&test, &world, &made.id, CALLERS, "")).collect();
    // The first has asked for a refresh, and gets no answer until all the others want one too.
    let mut says: Vec<_> = children.iter_mut().map(said).collect();
    let says = tokio::task::spawn_blocking(move || {
        for said in &mut says {
            said.find(|line| line == "at waits").expect("it wants a refresh");
        }
        says
    });
    let says = says.await.expect("read");
    gate.arrived.notified().await;
    gate.open();
    let said = tokio::task::spawn_blocking(move || says.into_iter().flatten().collect::<Vec<_>>()).await.expect("read");
    for child in &mut children {
        assert!(child.wait().expect("it ends").success());
    }
    let mut tokens: Vec<String> = said.into_iter().filter(|line| !line.starts_with("at ")).collect();
    assert_eq!(tokens.len(), PROCESSES * CALLERS, "{tokens:?}");
    tokens.dedup();
    // Every request counts: one that is refused would be mended by what the first one stored, and not be seen.
    assert_eq!((world.vendor.asked() - asked, tokens.len()), (1, 1), "{tokens:?}");
}

async fn a_process_that_is_killed_leaves_no_dead_token(world: World) {
    let test = named(&world.place, "a_process_that_is_killed_leaves_no_dead_token");
    for (at, (rotates, step, refreshes, lives)) in [
        (true, "locked", 1, true),
        // The answer died with the process, and the token that it replaced is dead: nothing else can be said.
        (true, "answered", 1, false),
        (false, "answered", 2, true),
        (true, "stored", 1, true),
    ]
    .into_iter()
    .enumerate()
    {
        world.vendor.state().rotates = rotates;
        let made = world.connected("ann", (7, 3 + i64::try_from(at).expect("small"))).await;
        world.hour();
        let before = world.refreshed();
        let mut child = start(&test, &world, &made.id, 1, step);
        let mut lines = said(&mut child);
        let there = format!("at {step}");
        let found = tokio::task::spawn_blocking(move || lines.any(|line| line == there)).await.expect("read");
        assert!(found, "the process comes to {step}");
        child.kill().expect("killed");
        child.wait().expect("it ends");

        let access = world.access("ann", &made.id).await;
        let now = world.vault.get("ann", &made.id).await.expect("kept");
        assert_eq!(world.refreshed() - before, refreshes, "{step}, rotates: {rotates}");
        if lives {
            let token = token(&access.expect("a credential"));
            assert_eq!((now.status, world.vendor.whose(&token).0), (Status::Active, 7), "{step}, rotates: {rotates}");
            world.vault.test("ann", &made.id).await.expect("the vendor takes it");
        } else {
            assert_eq!(access.expect_err("the grant is gone").kind(), ErrorKind::ReconnectRequired);
            assert_eq!((now.status, now.reason), (Status::Failed, Some(Reason::NeedsReconnect)));
        }
    }
}

/// As `on_both`, but a process that was started by one of these does what it was told instead.
macro_rules! by_processes {
    ($($name:ident),*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if !super::as_told().await {
                    super::$name(super::World::at(super::Place::folder()).await).await;
                }
            })*
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if !super::as_told().await && let Some(place) = super::Place::schema().await {
                    super::$name(super::World::at(place).await).await;
                }
            })*
        }
    };
}
by_processes!(many_processes_make_one_refresh, a_process_that_is_killed_leaves_no_dead_token);
