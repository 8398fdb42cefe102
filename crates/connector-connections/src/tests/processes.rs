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
pub(crate) fn reach(step: &str) {
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

/// Where a process is killed.
#[derive(Clone, Copy, Debug)]
enum Killed {
    /// It stands at this step.
    At(&'static str),
    /// The vendor has carried its request out, and the answer is not sent yet.
    Answering,
    /// Wherever it is after it said some of its steps; each of those that run at once is somewhere else.
    Anywhere(usize),
}

/// What the store and the vendor hold after it.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// The tokens of before.
    Old,
    /// The vendor has given new ones, and the store has those of before.
    Lost,
    /// New ones.
    New,
    /// One of these.
    Any,
}

const STEPS: [&str; 6] = ["waits", "locked", "asks", "answered", "written", "stored"];
const KILLS: usize = 200;
const AT_ONCE: usize = 10;

impl Killed {
    fn all() -> impl Iterator<Item = Self> {
        STEPS.map(Self::At).into_iter().chain([Self::Answering]).chain([0, 50, 500].map(Self::Anywhere))
    }

    fn leaves(self, place: &Place) -> Left {
        match (self, place) {
            (Self::At("waits" | "locked" | "asks"), _) => Left::Old,
            (Self::At("answered") | Self::Answering, _) => Left::Lost,
            // What was written is kept when the lock is released, which is the end of its transaction.
            #[cfg(feature = "postgres")]
            (Self::At("written"), Place::Schema(_)) => Left::Lost,
            (Self::At(_), _) => Left::New,
            (Self::Anywhere(_), _) => Left::Any,
        }
    }

    /// Kills the child that is the nth of those that run at once, when it has come there.
    fn kill(self, nth: usize, mut child: Child) {
        let mut steps = said(&mut child).filter(|line| line.starts_with("at "));
        match self {
            Self::At(step) => assert!(steps.any(|line| line == format!("at {step}")), "the process comes to {step}"),
            Self::Answering => {}
            Self::Anywhere(turns) => {
                steps.nth(nth % STEPS.len()).expect("it comes to every step");
                (0..nth * turns).for_each(|_| std::thread::yield_now());
            }
        }
        child.kill().expect("killed");
        child.wait().expect("it ends");
    }
}

async fn a_killed_process_leaves_no_dead_token(world: World) {
    let mut kills = 0;
    for (at, (rotates, killed)) in
        [true, false].into_iter().flat_map(|rotates| Killed::all().map(move |killed| (rotates, killed))).enumerate()
    {
        world.vendor.state().rotates = rotates;
        let mut made = Vec::new();
        for user in at * AT_ONCE..(at + 1) * AT_ONCE {
            made.push(world.connected("ann", (7, i64::try_from(user).expect("small"))).await.id);
        }
        world.hour();
        let before = world.refreshed();
        kills += kill_at_once(&world, &made, killed).await;

        let left = killed.leaves(&world.place);
        let mut alive = Vec::new();
        for id in &made {
            alive.extend(alive_after(&world, id, left, rotates).await);
        }
        let (refreshed, lost) = (world.refreshed() - before, made.len() - alive.len());
        let (fewest, most, lose) = match (left, rotates) {
            (Left::Old | Left::New, _) => (AT_ONCE, AT_ONCE, 0..=0),
            // The answer died with the process, and the token that it replaced is dead: nothing else can be said.
            (Left::Lost, true) => (AT_ONCE, AT_ONCE, AT_ONCE..=AT_ONCE),
            (Left::Lost, false) => (2 * AT_ONCE, 2 * AT_ONCE, 0..=0),
            (Left::Any, true) => (AT_ONCE, AT_ONCE, 0..=AT_ONCE),
            (Left::Any, false) => (AT_ONCE, 2 * AT_ONCE, 0..=0),
        };
        assert!(
            (fewest..=most).contains(&refreshed) && lose.contains(&lost),
            "{killed:?}, rotates: {rotates}: {refreshed} refreshed, {lost} lost"
        );

        // What is stored is in force: the next refresh is by it.
        world.hour();
        for (id, former) in alive {
            let token = token(&world.access("ann", id).await.expect("a credential"));
            assert!(token != former && world.vendor.takes(&token), "{killed:?}, rotates: {rotates}");
        }
    }
    assert_eq!(kills, KILLS);
}

/// Lets a process refresh each of these, and kills them all; how many.
async fn kill_at_once(world: &World, made: &[String], killed: Killed) -> usize {
    let test = named(&world.place, "a_killed_process_leaves_no_dead_token");
    let stands_at = if let Killed::At(step) = killed { step } else { "" };
    let gate = matches!(killed, Killed::Answering).then(|| world.vendor.gate());
    let asked = world.vendor.asked();
    let children: Vec<Child> = made.iter().map(|id| start(&test, world, id, 1, stands_at)).collect();
    if let Some(gate) = &gate {
        while world.vendor.asked() - asked < children.len() {
            gate.arrived.notified().await;
        }
    }
    let ends: Vec<_> =
        children.into_iter().enumerate().map(|(nth, child)| tokio::task::spawn_blocking(move || killed.kill(nth, child))).collect();
    for end in ends {
        end.await.expect("killed");
    }
    gate.inspect(|gate| gate.open());
    made.len()
}

/// A connection's id and token, if a process that was killed has left it alive; else it says that it is not.
async fn alive_after<'a>(world: &World, id: &'a str, left: Left, rotates: bool) -> Option<(&'a str, String)> {
    let access = world.access("ann", id).await;
    let now = world.vault.get("ann", id).await.expect("kept");
    match access {
        Ok(access) => {
            let token = token(&access);
            assert_eq!((now.status, world.vendor.whose(&token).1.to_string()), (Status::Active, now.metadata.user.id.expect("a user")));
            assert!(world.vendor.takes(&token), "{left:?}, rotates: {rotates}");
            Some((id, token))
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ReconnectRequired, "{left:?}, rotates: {rotates}: {error}");
            assert_eq!((now.status, now.reason), (Status::Failed, Some(Reason::NeedsReconnect)));
            None
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
by_processes!(many_processes_make_one_refresh, a_killed_process_leaves_no_dead_token);
