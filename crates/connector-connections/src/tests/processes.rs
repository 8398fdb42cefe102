//! Several processes over one store, and processes that are killed. The test program starts itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use connector_core::ErrorKind;

use super::{Place, World, access, open, token, vault};
use crate::{Clock, Moment, Reason, Status};

/// Environment variable with the orders of a process.
///
/// They are the store, the vendor, the time, the connection, the number of callers, and the step at which it stops.
const ORDERS: &str = "CONNECTOR_TEST_ORDERS";
const SEPARATOR: char = '\n';
const PROCESSES: usize = 4;
const CALLERS: usize = 32;

static STOPS_AT: OnceLock<String> = OnceLock::new();

/// Reports the step of a refresh in a process that a test started, and stops there if it was ordered to.
pub(crate) fn reach(step: &str) {
    let Some(stops_at) = STOPS_AT.get() else { return };
    report(&format!("at {step}"));
    if stops_at == step {
        loop {
            std::thread::park();
        }
    }
}

#[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
fn report(line: &str) {
    println!("\nreport {line}");
}

/// Starts this test in another process with orders.
fn start(test: &str, world: &World, id: &str, callers: usize, stops_at: &str) -> Child {
    let orders =
        [&world.place.address(), &world.vendor.url, &world.clock.now().as_micros().to_string(), id, &callers.to_string(), stops_at];
    let orders = orders.join(&SEPARATOR.to_string());
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ORDERS, orders).stdout(Stdio::piped());
    command.spawn().expect("it starts")
}

/// Reads the reports of a process, line by line.
fn read_reports(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let out = BufReader::new(child.stdout.take().expect("its output"));
    out.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("report ").map(str::to_owned))
}

/// Follows the orders of this process. It returns false if there are none.
async fn follow_orders() -> bool {
    let Ok(orders) = std::env::var(ORDERS) else { return false };
    let orders: Vec<&str> = orders.split(SEPARATOR).collect();
    let [store, vendor, now, id, callers, stops_at] = orders.as_slice() else { panic!("{ORDERS} has six parts") };
    STOPS_AT.set((*stops_at).to_owned()).expect("it is set once");
    let clock = Clock::fixed(Moment::from_micros(now.parse().expect("a time")));
    let vault = vault(open(store).await.expect("the store opens"), vendor, &clock).await;
    let callers: Vec<_> = (0..callers.parse().expect("a number"))
        .map(|_: usize| {
            let (vault, id) = (vault.clone(), (*id).to_owned());
            tokio::spawn(async move { access(&vault, "ann", &id).await.map(|access| token(&access)) })
        })
        .collect();
    for caller in callers {
        report(&match caller.await.expect("no panic") {
            Ok(token) => token,
            Err(error) => error.to_string(),
        });
    }
    true
}

/// Returns the full name of a test of this module.
fn full_name(place: &Place, name: &str) -> String {
    let module = match place {
        Place::Folder(_) => "on_sqlite",
        #[cfg(feature = "postgres")]
        Place::Schema(_) => "on_postgres",
    };
    format!("tests::processes::{module}::{name}")
}

async fn many_processes_make_one_refresh(world: World) {
    world.vendor.state().rotates = true;
    let made = world.connect("ann", (7, 3)).await;
    world.expire_tokens();
    let test = full_name(&world.place, "many_processes_make_one_refresh");
    let (gate, asked) = (world.vendor.close_gate(), world.vendor.token_requests());
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| start(&test, &world, &made.id, CALLERS, "")).collect();
    // The first process gets no response until all the others want a refresh too.
    let mut reports: Vec<_> = children.iter_mut().map(read_reports).collect();
    let reports = tokio::task::spawn_blocking(move || {
        for lines in &mut reports {
            lines.find(|line| line == "at waits").expect("it wants a refresh");
        }
        reports
    });
    let reports = reports.await.expect("it is read");
    gate.arrived.notified().await;
    gate.open();
    let lines = tokio::task::spawn_blocking(move || reports.into_iter().flatten().collect::<Vec<_>>()).await.expect("it is read");
    for child in &mut children {
        assert!(child.wait().expect("it ends").success());
    }
    let mut tokens: Vec<String> = lines.into_iter().filter(|line| !line.starts_with("at ")).collect();
    assert_eq!(tokens.len(), PROCESSES * CALLERS, "{tokens:?}");
    tokens.dedup();
    // Requests are counted, since a refused one would go unnoticed: its caller would use the tokens of the first.
    assert_eq!((world.vendor.token_requests() - asked, tokens.len()), (1, 1), "{tokens:?}");
}

/// Moment at which a process is killed.
#[derive(Clone, Copy, Debug)]
enum Killed {
    /// It stopped at this step.
    At(&'static str),
    /// The vendor has carried out its request and has not sent the response.
    Answering,
    /// Anywhere after it reported some steps. Processes that run at once are killed at different steps.
    Anywhere(usize),
}

/// Tokens that the store has after a kill.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// The old tokens, which the vendor accepts.
    Old,
    /// The old tokens, after the vendor issued new ones.
    Lost,
    /// The new tokens.
    New,
    /// Any of these.
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
            // Writes are kept when the lock is released, which commits its transaction.
            #[cfg(feature = "postgres")]
            (Self::At("written"), Place::Schema(_)) => Left::Lost,
            (Self::At(_), _) => Left::New,
            (Self::Anywhere(_), _) => Left::Any,
        }
    }

    /// Kills a child, the nth of those that run at once, when it has reached the moment.
    fn kill(self, nth: usize, mut child: Child) {
        let mut steps = read_reports(&mut child).filter(|line| line.starts_with("at "));
        match self {
            Self::At(step) => assert!(steps.any(|line| line == format!("at {step}")), "the process comes to {step}"),
            Self::Answering => {}
            Self::Anywhere(turns) => {
                steps.nth(nth % STEPS.len()).expect("it comes to every step");
                (0..nth * turns).for_each(|_| std::thread::yield_now());
            }
        }
        child.kill().expect("it is killed");
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
            made.push(world.connect("ann", (7, i64::try_from(user).expect("it is small"))).await.id);
        }
        world.expire_tokens();
        let before = world.refreshes();
        kills += kill_at_once(&world, &made, killed).await;

        let left = killed.leaves(&world.place);
        let mut alive = Vec::new();
        for id in &made {
            alive.extend(find_alive(&world, id, left, rotates).await);
        }
        let (refreshed, lost) = (world.refreshes() - before, made.len() - alive.len());
        let (fewest, most, lose) = match (left, rotates) {
            (Left::Old | Left::New, _) => (AT_ONCE, AT_ONCE, 0..=0),
            // The response died with the process and the old token is dead, so that the account must be connected again.
            (Left::Lost, true) => (AT_ONCE, AT_ONCE, AT_ONCE..=AT_ONCE),
            (Left::Lost, false) => (2 * AT_ONCE, 2 * AT_ONCE, 0..=0),
            (Left::Any, true) => (AT_ONCE, AT_ONCE, 0..=AT_ONCE),
            (Left::Any, false) => (AT_ONCE, 2 * AT_ONCE, 0..=0),
        };
        assert!(
            (fewest..=most).contains(&refreshed) && lose.contains(&lost),
            "{killed:?}, rotates: {rotates}: {refreshed} refreshed, {lost} lost"
        );

        // The stored refresh token is valid, since the next refresh succeeds.
        world.expire_tokens();
        for (id, former) in alive {
            let token = token(&world.access("ann", id).await.expect("a credential"));
            assert!(token != former && world.vendor.accepts(&token), "{killed:?}, rotates: {rotates}");
        }
    }
    assert_eq!(kills, KILLS);
}

/// Lets a process refresh each connection, kills them all, and returns their number.
async fn kill_at_once(world: &World, made: &[String], killed: Killed) -> usize {
    let test = full_name(&world.place, "a_killed_process_leaves_no_dead_token");
    let stops_at = if let Killed::At(step) = killed { step } else { "" };
    let gate = matches!(killed, Killed::Answering).then(|| world.vendor.close_gate());
    let asked = world.vendor.token_requests();
    let children: Vec<Child> = made.iter().map(|id| start(&test, world, id, 1, stops_at)).collect();
    if let Some(gate) = &gate {
        while world.vendor.token_requests() - asked < children.len() {
            gate.arrived.notified().await;
        }
    }
    let ends: Vec<_> =
        children.into_iter().enumerate().map(|(nth, child)| tokio::task::spawn_blocking(move || killed.kill(nth, child))).collect();
    for end in ends {
        end.await.expect("it is killed");
    }
    gate.inspect(|gate| gate.open());
    made.len()
}

/// Returns a connection's id and token, or none if the connection reports that it must be connected again.
async fn find_alive<'a>(world: &World, id: &'a str, left: Left, rotates: bool) -> Option<(&'a str, String)> {
    let access = world.access("ann", id).await;
    let now = world.vault.get("ann", id).await.expect("it is stored");
    match access {
        Ok(access) => {
            let token = token(&access);
            assert_eq!(
                (now.status, world.vendor.account_of(&token).1.to_string()),
                (Status::Active, now.metadata.user.id.expect("a user"))
            );
            assert!(world.vendor.accepts(&token), "{left:?}, rotates: {rotates}");
            Some((id, token))
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ReconnectRequired, "{left:?}, rotates: {rotates}: {error}");
            assert_eq!((now.status, now.reason), (Status::Failed, Some(Reason::NeedsReconnect)));
            None
        }
    }
}

/// Runs tests as `on_both` does, except in a process that has orders.
macro_rules! by_processes {
    ($($name:ident),*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if !super::follow_orders().await {
                    super::$name(super::World::new(super::Place::create_folder()).await).await;
                }
            })*
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if !super::follow_orders().await && let Some(place) = super::Place::create_schema().await {
                    super::$name(super::World::new(place).await).await;
                }
            })*
        }
    };
}
by_processes!(many_processes_make_one_refresh, a_killed_process_leaves_no_dead_token);
