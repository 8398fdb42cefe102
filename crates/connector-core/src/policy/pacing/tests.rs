//! Lines under a simulated clock, before a vendor that counts on its own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use crate::policy::pacing::queue::{Block, PaceQueue, Reply, Ticket};
use crate::policy::pacing::window::{PaceTime, Window, WindowFacts};
use crate::value::options::Priority;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
pub(super) const WINDOW: Duration = Duration::from_secs(2);
const FAR: PaceTime = Duration::from_secs(1_000_000);

/// A vendor that counts the requests of the last window, whoever sends them.
pub(super) struct Vendor {
    limit: u32,
    taken: VecDeque<PaceTime>,
    /// All that it took, in order.
    log: Vec<PaceTime>,
    pub(super) refused: u32,
}

impl Vendor {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, taken: VecDeque::new(), log: Vec::new(), refused: 0 }
    }

    pub(super) fn receive(&mut self, at: PaceTime) -> WindowFacts {
        while self.taken.front().is_some_and(|taken| at.saturating_sub(*taken) >= WINDOW) {
            self.taken.pop_front();
        }
        let mut facts = WindowFacts { limit: Some(self.limit), ..WindowFacts::default() };
        if self.taken.len() >= self.limit as usize {
            self.refused += 1;
            (facts.left, facts.wait) = (Some(0), Some(WINDOW));
            return facts;
        }
        self.taken.push_back(at);
        self.log.push(at);
        facts.left = Some(self.limit - u32::try_from(self.taken.len()).expect("few"));
        facts
    }

    /// Counts the requests of each window, as they open one after the other with the first request after the last.
    fn count_windows(&self) -> Vec<u32> {
        let (mut windows, mut opened) = (Vec::new(), None);
        for at in &self.log {
            match opened {
                Some(since) if at.saturating_sub(since) < WINDOW => *windows.last_mut().expect("one is open") += 1,
                _ => {
                    opened = Some(*at);
                    windows.push(1);
                }
            }
        }
        windows
    }
}

/// A source of numbers that are as good as random, and the same each time.
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A request arrives at the vendor: the line that sent it, and when.
    Arrives(usize, PaceTime),
    /// Its answer arrives here.
    Answers(usize, PaceTime, usize),
    /// A line looks at the clock.
    Looks(usize),
}

/// Runs lines that each have a number of requests waiting, over one vendor each, until all are sent.
fn run(limits: &[u32], requests: &[u32], latency: (u64, u64)) -> (Vec<Vendor>, Vec<PaceTime>) {
    let mut numbers = Numbers::new(7);
    let mut vendors: Vec<_> = limits.iter().map(|limit| Vendor::new(*limit)).collect();
    let mut lines: Vec<_> = limits.iter().map(|_| PaceQueue::new([Window::new(WINDOW, Some(10))])).collect();
    let mut events = BinaryHeap::new();
    let mut looks = vec![PaceTime::ZERO; limits.len()];
    let (mut facts, mut ended) = (Vec::new(), vec![PaceTime::ZERO; limits.len()]);
    let mut left: Vec<u32> = requests.to_vec();
    for (number, count) in requests.iter().enumerate() {
        for _ in 0..*count {
            let ticket = lines[number].take_ticket(Priority::Batch);
            if lines[number].ask(0, ticket, FAR, PaceTime::ZERO) == Reply::Go {
                events.push(Reverse((Duration::from_micros(numbers.next(1000)), Event::Arrives(number, PaceTime::ZERO))));
            }
        }
    }
    while let Some(Reverse((now, event))) = events.pop() {
        let number = match event {
            Event::Arrives(number, began) => {
                facts.push(vendors[number].receive(now));
                let way_back = Duration::from_millis(latency.0 + numbers.next(latency.1 - latency.0 + 1)) / 2;
                events.push(Reverse((now + way_back, Event::Answers(number, began, facts.len() - 1))));
                continue;
            }
            Event::Answers(number, began, at) => {
                lines[number].hear(0, &facts[at], None, began, now);
                left[number] -= u32::from(facts[at].wait.is_none());
                ended[number] = now;
                number
            }
            Event::Looks(number) => number,
        };
        for _ in lines[number].grant(0, now) {
            let way = Duration::from_millis(latency.0 + numbers.next(latency.1 - latency.0 + 1)) / 2;
            events.push(Reverse((now + way, Event::Arrives(number, now))));
        }
        let change = lines[number].find_change(0, now).filter(|_| lines[number].first(0).is_some());
        if let Some(change) = change.filter(|change| *change > now && *change != looks[number]) {
            looks[number] = change;
            events.push(Reverse((change, Event::Looks(number))));
        }
    }
    assert!(left.iter().all(|left| *left == 0), "all requests are sent once: {left:?}");
    (vendors, ended)
}

#[test]
fn no_window_is_exceeded_and_none_is_under_nine_tenths_while_calls_wait() {
    for (limit, latency) in [(480, (20, 180)), (80, (50, 150)), (24, (0, 4)), (20, (100, 100)), (10, (1, 200))] {
        let (vendors, ended) = run(&[limit], &[limit * 20], latency);
        assert_eq!(vendors[0].refused, 0, "a limit of {limit} is exceeded under a latency of {latency:?} ms");
        let windows = vendors[0].count_windows();
        // The first window begins with the request that learns the limit. The last one has what is left.
        let full = &windows[..windows.len() - 1];
        assert!(full.iter().all(|count| count * 10 >= limit * 9), "of a limit of {limit}, under {latency:?} ms: {windows:?}");
        assert!(windows.iter().all(|count| *count <= limit), "{windows:?}");
        // The time between two windows is at most that of an answer.
        let longest = WINDOW * 20 + Duration::from_millis(latency.1 + 40) * 20;
        assert!(ended[0] <= longest, "a limit of {limit} took {:?} under {latency:?} ms, and {longest:?} is enough", ended[0]);
    }
}

#[test]
fn requests_of_others_under_the_same_token_are_seen_in_the_headers() {
    let mut vendor = Vendor::new(20);
    let mut line = PaceQueue::new([Window::new(WINDOW, Some(10))]);
    for _ in 0..15 {
        vendor.receive(PaceTime::ZERO);
    }
    let mut now = MS;
    for number in 0..5 {
        let ticket = line.take_ticket(Priority::Interactive);
        assert_eq!(line.ask(0, ticket, FAR, now), Reply::Go, "request {number}");
        let facts = vendor.receive(now);
        line.hear(0, &facts, None, now, now + MS);
        now += 2 * MS;
    }
    let ticket = line.take_ticket(Priority::Interactive);
    assert_eq!(line.ask(0, ticket, FAR, now), Reply::Wait, "the window is full, though five of twenty were ours");
    assert_eq!(vendor.refused, 0);
}

#[test]
fn first_answer_tells_the_limit_and_a_slow_one_leaves_the_documented() {
    let mut line = PaceQueue::new([Window::new(WINDOW, Some(10))]);
    let tickets: Vec<_> = (0..30).map(|_| line.take_ticket(Priority::Interactive)).collect();
    let asked: Vec<_> = tickets.into_iter().map(|ticket| line.ask(0, ticket, FAR, MS)).collect();
    assert_eq!(asked.iter().filter(|reply| **reply == Reply::Go).count(), 1);
    assert_eq!(line.grant(0, SECOND).len(), 0, "nothing is known yet");
    assert_eq!(line.find_change(0, SECOND), Some(MS + WINDOW));
    assert_eq!(line.grant(0, MS + WINDOW).len(), 9, "the smallest documented limit holds");
    line.hear(0, &WindowFacts { limit: Some(24), left: Some(14), ..WindowFacts::default() }, None, MS, 3 * SECOND);
    assert_eq!(line.grant(0, 3 * SECOND).len(), 14);
}

#[test]
fn vendor_that_tells_no_limit_has_none() {
    let mut line = PaceQueue::new([Window::new(WINDOW, Some(10))]);
    let ticket = line.take_ticket(Priority::Interactive);
    assert_eq!(line.ask(0, ticket, FAR, MS), Reply::Go);
    line.hear(0, &WindowFacts::default(), None, MS, 2 * MS);
    for _ in 0..1000 {
        let ticket = line.take_ticket(Priority::Interactive);
        assert_eq!(line.ask(0, ticket, FAR, 3 * MS), Reply::Go);
    }
    line.hear(0, &WindowFacts { wait: Some(SECOND), ..WindowFacts::default() }, None, 3 * MS, 4 * MS);
    let ticket = line.take_ticket(Priority::Interactive);
    assert_eq!(line.ask(0, ticket, FAR, 5 * MS), Reply::Wait, "a refusal is waited out all the same");
    assert_eq!(line.grant(0, 4 * MS + SECOND), [ticket]);
}

/// Builds a line whose window of ten is full until the moment that is returned.
fn fill_line() -> (PaceQueue, PaceTime) {
    let mut line = PaceQueue::new([Window::new(WINDOW, Some(10))]);
    let first = line.take_ticket(Priority::Interactive);
    assert_eq!(line.ask(0, first, FAR, MS), Reply::Go);
    line.hear(0, &WindowFacts { limit: Some(10), left: Some(9), ..WindowFacts::default() }, None, MS, MS);
    for left in (0..9).rev() {
        let ticket = line.take_ticket(Priority::Interactive);
        assert_eq!(line.ask(0, ticket, FAR, MS), Reply::Go);
        line.hear(0, &WindowFacts { limit: Some(10), left: Some(left), ..WindowFacts::default() }, None, MS, MS);
    }
    let change = line.find_change(0, 2 * MS).expect("the window is full");
    (line, change)
}

#[test]
fn interactive_requests_go_before_those_of_a_batch_and_repeated_ones_keep_their_place() {
    let (mut line, change) = fill_line();
    let order = [Priority::Batch, Priority::Interactive, Priority::Batch, Priority::Interactive];
    let tickets: Vec<Ticket> = order.into_iter().map(|priority| line.take_ticket(priority)).collect();
    for ticket in tickets.iter().rev() {
        assert_eq!(line.ask(0, *ticket, FAR, 2 * MS), Reply::Wait);
    }
    assert_eq!(line.grant(0, change.saturating_sub(MS)), []);
    assert_eq!(line.grant(0, change), [tickets[1], tickets[3], tickets[0], tickets[2]]);
}

#[test]
fn what_cannot_be_sent_in_time_is_refused_at_once_with_the_time_that_it_needs() {
    let (mut line, change) = fill_line();
    let now = 2 * MS;
    let mut asked = HashMap::new();
    for _ in 0..100 {
        let ticket = line.take_ticket(Priority::Interactive);
        let reply = line.ask(0, ticket, now + 3 * WINDOW, now);
        *asked.entry(reply == Reply::Wait).or_insert(0) += 1;
        if let Reply::TooLate(wait) = reply {
            assert!((3 * WINDOW..=4 * WINDOW).contains(&wait), "it could be sent after {wait:?}");
        }
    }
    assert_eq!((asked[&true], asked[&false]), (20, 80), "two further windows end in time");
    let ticket = line.take_ticket(Priority::Interactive);
    assert_eq!(line.ask(0, ticket, change.saturating_sub(MS), now), Reply::TooLate(line.find_time(0, 20, now).saturating_sub(now)));
}

#[test]
fn block_pauses_the_connection_and_one_request_finds_out_whether_it_ended() {
    let mut line = PaceQueue::new([Window::new(WINDOW, None), Window::new(WINDOW, None)]);
    let go = |line: &mut PaceQueue, lane, at| {
        let ticket = line.take_ticket(Priority::Interactive);
        line.ask(lane, ticket, FAR, at)
    };
    for lane in [0, 0, 1] {
        assert_eq!(go(&mut line, lane, MS), Reply::Go);
    }
    let block = Some(Block::default());
    line.hear(0, &WindowFacts::default(), block, MS, SECOND);
    line.hear(1, &WindowFacts::default(), block, MS, SECOND);
    assert_eq!(line.pause(SECOND), Some(60 * SECOND), "requests that were sent together are blocked once");
    line.hear(0, &WindowFacts::default(), None, MS, 2 * SECOND);
    assert_eq!((go(&mut line, 0, 2 * SECOND), go(&mut line, 1, 2 * SECOND)), (Reply::Wait, Reply::Wait), "each lane is paused");
    let end = 61 * SECOND;
    assert_eq!(line.find_change(0, 2 * SECOND), Some(end));
    assert_eq!((line.grant(0, end).len(), line.grant(1, end).len()), (1, 0), "one finds out");
    line.hear(0, &WindowFacts::default(), block, end, end + SECOND);
    assert_eq!(line.pause(end + SECOND), Some(120 * SECOND), "a pause that was not enough is doubled");
    let end = end + SECOND + 120 * SECOND;
    assert_eq!(line.grant(1, end).len(), 1);
    line.hear(1, &WindowFacts::default(), None, end, end + SECOND);
    assert_eq!((line.pause(end + SECOND), go(&mut line, 0, end + SECOND)), (None, Reply::Go));
}

#[test]
fn request_without_an_answer_counts_for_a_window_and_one_that_was_not_sent_does_not() {
    let (mut line, change) = fill_line();
    let tickets: Vec<_> = (0..11).map(|_| line.take_ticket(Priority::Interactive)).collect();
    for ticket in &tickets {
        assert_eq!(line.ask(0, *ticket, FAR, 2 * MS), Reply::Wait);
    }
    assert_eq!(line.grant(0, change).len(), 10);
    line.withdraw(0);
    assert_eq!(line.grant(0, change), [tickets[10]]);
    line.lose(0, change);
    let ticket = line.take_ticket(Priority::Interactive);
    assert_eq!(line.ask(0, ticket, FAR, change), Reply::Wait);
    assert!(line.find_change(0, change).is_some_and(|at| (change + WINDOW..change + WINDOW + 40 * MS).contains(&at)));
}

#[test]
fn no_line_waits_for_another() {
    let (alone, busy) = (run(&[40], &[400], (20, 180)).1[0], run(&[40, 40], &[4000, 400], (20, 180)).1[1]);
    let difference = alone.abs_diff(busy);
    assert!(difference < WINDOW, "alone it took {alone:?}, beside a noisy one {busy:?}");
}
