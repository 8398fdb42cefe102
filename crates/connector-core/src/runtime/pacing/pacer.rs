//! The pace of all connections: each request passes here before it is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::declare::connector::Connector;
use crate::declare::limits::{Lane, Limits};
use crate::embed::connections::Connection;
use crate::embed::meter::{Meter, MeteredWindow};
use crate::policy::pacing::budget::{BudgetSpent, DailyBudget};
use crate::policy::pacing::queue::PaceQueue;
use crate::policy::pacing::window::{PaceTime, Window};
use crate::policy::seconds::LanePace;
use crate::runtime::pacing::leasing::{demand_permits, end_leases};
use crate::runtime::pacing::paced_line::{Ask, Leasing, LineState, PacedLine, Verdict, lock};
use crate::runtime::pacing::permit::Permit;
use crate::value::error::{Error, ErrorKind};

/// The time before the deadline of a caller in which nothing is sent any more.
const MARGIN: Duration = Duration::from_millis(5);

/// The number of connections above which those that are idle are forgotten.
const MANY: usize = 1024;

/// The pace of all connections of a process.
pub(crate) struct Pacer {
    /// The time from which moments are counted.
    start: Instant,
    known: Mutex<Known>,
    /// The permits that hosts share, if they do.
    meter: Option<Arc<dyn Meter>>,
}

/// The connections and accounts that are known, by the key of the connector.
#[derive(Default)]
struct Known {
    accounts: HashMap<&'static str, HashMap<String, Arc<Mutex<DailyBudget>>>>,
    /// By the connection, and then by its host.
    lines: HashMap<&'static str, HashMap<String, Vec<Arc<PacedLine>>>>,
    count: usize,
    /// The number of the line that was begun last.
    last_number: u64,
    /// The number at which idle ones are looked for.
    next_sweep: usize,
}

impl Pacer {
    /// Builds the pace of a process. With a meter, it shares limits with other hosts.
    pub(crate) fn new(meter: Option<Arc<dyn Meter>>) -> Self {
        Self { start: Instant::now(), known: Mutex::default(), meter }
    }

    /// Waits until a request may be sent. If that is not before its deadline, it is refused at once.
    pub(crate) async fn admit(&self, ask: Ask<'_>) -> Result<Permit, Error> {
        let line = self.find_line(ask.connector, ask.connection);
        let began = self.now();
        lock(&line.budget).admit(ask.cost, began).map_err(|spent| explain_spent(ask.connector, spent))?;
        let lane = line.limits.find_lane(ask.path);
        let latest = ask.until.saturating_duration_since(self.start).saturating_sub(MARGIN);
        let (ticket, verdict) = match line.ask(lane, ask, latest, self.start) {
            (ticket, Ok(verdict)) => (ticket, verdict),
            (ticket, Err(seat)) => {
                demand_permits(&line, lane, self.start);
                (ticket, seat.wait(self.start, latest).await)
            }
        };
        let is_paced = match verdict {
            Verdict::Go => false,
            Verdict::GoAfterWait => true,
            Verdict::TooLate(wait) => return Err(explain_late(ask.connector, wait)),
            Verdict::Untold => return Err(explain_silence(ask.connector)),
        };
        let now = if is_paced { self.now() } else { began };
        let permit = Permit {
            line,
            lane,
            start: self.start,
            began: now,
            is_sandbox: ask.connection.sandbox,
            is_settled: false,
            ticket,
            waited: now.saturating_sub(began),
        };
        if is_paced {
            let admitted = lock(&permit.line.budget).admit(ask.cost, now);
            if let Err(spent) = admitted {
                permit.withdraw();
                return Err(explain_spent(ask.connector, spent));
            }
        }
        Ok(permit)
    }

    /// Finds the pace of each lane of a connection, as far as it is known.
    pub(crate) fn find_paces(&self, connector: &'static Connector, connection: &Connection) -> Vec<LanePace> {
        let line = self.find_line(connector, connection);
        let state = lock(&line.state);
        (0..state.queue.count_lanes()).map(|lane| state.queue.window(lane).pace()).collect()
    }

    /// Gives back the permits that this host leased. After that it sends nothing that hosts share a limit of.
    pub(crate) async fn give_back(&self) {
        if self.meter.is_none() {
            return;
        }
        let lines: Vec<_> = lock(&self.known).lines.values().flat_map(HashMap::values).flatten().cloned().collect();
        for line in lines {
            end_leases(&line, self.now()).await;
        }
    }

    fn now(&self) -> PaceTime {
        self.start.elapsed()
    }

    /// Finds the line of a connection, or begins one.
    fn find_line(&self, connector: &'static Connector, connection: &Connection) -> Arc<PacedLine> {
        let mut known = lock(&self.known);
        let lines = known.lines.get(connector.key).and_then(|lines| lines.get(connection.identity()));
        if let Some(line) = lines.and_then(|lines| lines.iter().find(|line| line.origin == connection.origin)) {
            return Arc::clone(line);
        }
        known.add_line(connector, connection, self.meter.as_ref(), self.now())
    }
}

impl Known {
    fn add_line(
        &mut self,
        connector: &'static Connector,
        connection: &Connection,
        meter: Option<&Arc<dyn Meter>>,
        now: PaceTime,
    ) -> Arc<PacedLine> {
        if self.count >= self.next_sweep.max(MANY) {
            self.forget_idle(now);
        }
        let account = connection.account.as_ref().unwrap_or(&connection.origin);
        let accounts = self.accounts.entry(connector.key).or_default();
        let budget = Arc::clone(accounts.entry(account.clone()).or_default());
        let limits: &'static Limits = &connector.limits;
        let least = |lane: &Lane| if connection.api_token { lane.least_by_token } else { lane.least_by_oauth };
        let documented = limits.headers.map(|_| limits.lanes.iter().map(least).collect::<Vec<_>>()).unwrap_or_default();
        let windows: Vec<_> = match documented.as_slice() {
            [] => vec![Window::new(limits.window, None)],
            lanes => lanes.iter().map(|least| Window::new(limits.window, Some(*least))).collect(),
        };
        let count = windows.len();
        let mut queue = PaceQueue::new(windows);
        // Without a limit there is nothing that hosts could share.
        let leasing = meter.filter(|_| !documented.is_empty()).map(|meter| {
            (0..count).for_each(|lane| queue.lease(lane, 0, PaceTime::ZERO));
            let window = |lane| MeteredWindow::new(connector.key, connection.identity(), &connection.origin, lane);
            Leasing::new(Arc::clone(meter), (0..count).map(window))
        });
        let state = Mutex::new(LineState::new(queue));
        self.last_number += 1;
        let (origin, number) = (connection.origin.clone(), self.last_number);
        let line = Arc::new(PacedLine { origin, number, limits, budget, state, leasing });
        let lines = self.lines.entry(connector.key).or_default();
        lines.entry(connection.identity().to_owned()).or_default().push(Arc::clone(&line));
        self.count += 1;
        line
    }

    /// Forgets the connections of which nothing is known that a later call needs.
    fn forget_idle(&mut self, now: PaceTime) {
        let is_idle =
            |line: &Arc<PacedLine>| Arc::strong_count(line) == 1 && lock(&line.state).queue.is_idle(now) && lock(&line.budget).is_idle();
        for lines in self.lines.values_mut() {
            lines.retain(|_, lines| {
                lines.retain(|line| !is_idle(line));
                !lines.is_empty()
            });
        }
        for accounts in self.accounts.values_mut() {
            accounts.retain(|_, budget| Arc::strong_count(budget) > 1);
        }
        self.count = self.lines.values().flat_map(HashMap::values).map(Vec::len).sum();
        self.next_sweep = self.count * 2;
    }
}

fn explain_late(connector: &Connector, wait: Duration) -> Error {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let message = format!("{}'s limit lets the call go in {} ms, which is after its deadline.", connector.label, milliseconds);
    Error::new(ErrorKind::RateLimited, message)
        .with_hint("Nothing was sent: try again later, make fewer calls at once, or raise options.timeoutMs.")
        .with_retry_after_ms(milliseconds)
}

fn explain_silence(connector: &Connector) -> Error {
    let message = format!("The first answer of {}, which tells the limit of the connection, did not come in time.", connector.label);
    Error::new(ErrorKind::TimedOut, message).with_hint("Nothing was sent: try again, or raise options.timeoutMs.")
}

fn explain_spent(connector: &Connector, spent: BudgetSpent) -> Error {
    let error = Error::new(ErrorKind::BudgetExhausted, format!("The account's daily budget of {} is spent.", connector.label))
        .with_hint("Nothing was sent: try again when the budget is renewed.");
    match spent.0 {
        Some(wait) => error.with_retry_after_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        None => error,
    }
}
