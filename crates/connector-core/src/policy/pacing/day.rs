//! A simulated day of a thousand companies, whose figures and picture stand in the docs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::policy::pacing::budget::{BudgetFacts, DailyBudget};
use crate::policy::pacing::queue::{PaceQueue, Reply, Ticket};
use crate::policy::pacing::tests::{Numbers, Vendor, WINDOW};
use crate::policy::pacing::window::{PaceTime, Window, WindowFacts};
use crate::value::options::Priority;

const COMPANIES: usize = 1000;
const DAY: u64 = 86_400;
/// The parts of the day for which the picture shows one point each.
const PARTS: usize = 96;
/// The cost of a call in tokens of the daily budget.
const COST: u32 = 10;
/// The limit of a window, and the tokens of a day for each seat, by plan.
const PLANS: [(u32, u64); 4] = [(80, 30_000), (160, 60_000), (400, 150_000), (480, 210_000)];

/// One company over the day.
struct Company {
    queue: PaceQueue,
    budget: DailyBudget,
    vendor: Vendor,
    left: u64,
    numbers: Numbers,
    /// The calls that wait: the time at which each was asked for.
    waiting: BTreeMap<Ticket, PaceTime>,
    looks: PaceTime,
    sums: Sums,
}

/// The sums of one company.
#[derive(Default)]
struct Sums {
    sent: u64,
    too_late: u64,
    spent: u64,
    /// The waits of interactive calls and of those of batches, in milliseconds, with the part of the day.
    waits: [Vec<(usize, u64)>; 2],
    /// The tokens that were left at the end of each part of the day.
    left: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Asks(usize, Priority),
    Arrives(usize, PaceTime),
    Answers(usize, PaceTime, WindowFacts, u64, bool),
    Looks(usize),
    Ends(usize),
}

impl Company {
    fn new(number: usize) -> Self {
        let (limit, per_seat) = PLANS[if number == 0 { 3 } else { number % 4 }];
        let seats = match number {
            0 => 60,
            _ if has_night_job(number) => 1,
            _ => 1 + number as u64 % 7,
        };
        Self {
            queue: PaceQueue::new([Window::new(WINDOW, Some(20))]),
            budget: DailyBudget::default(),
            vendor: Vendor::new(limit),
            left: per_seat * seats,
            numbers: Numbers::new(number as u64 + 1),
            waiting: BTreeMap::new(),
            looks: PaceTime::ZERO,
            sums: Sums::default(),
        }
    }

    /// Lists the calls of the day: single ones, and bursts of a batch. The first company sends as much as all others.
    fn list_calls(&mut self, number: usize) -> Vec<(PaceTime, Priority)> {
        let mut calls = Vec::new();
        for _ in 0..40 {
            calls.push((Duration::from_millis(self.numbers.next(DAY * 1000)), Priority::Interactive));
        }
        let (bursts, most) = match number {
            0 => (24, 13_000),
            _ if has_night_job(number) => (3, 3000),
            _ => (3, 60),
        };
        for _ in 0..bursts {
            let at = Duration::from_millis(self.numbers.next(DAY * 1000));
            for _ in 0..most / 2 + self.numbers.next(most) {
                calls.push((at, Priority::Batch));
            }
        }
        calls
    }
}

/// Picks the companies that have batches which their budget has no room for.
fn has_night_job(number: usize) -> bool {
    number % 100 == 5
}

/// Runs the day of some companies, each by its number, beside one another.
fn run_day(numbers: &[usize]) -> BTreeMap<usize, Company> {
    let mut companies: BTreeMap<_, _> = numbers.iter().map(|number| (*number, Company::new(*number))).collect();
    let mut events = BinaryHeap::new();
    let mut order = 0_u64;
    let mut push = |events: &mut BinaryHeap<_>, at: PaceTime, event: Event| {
        order += 1;
        events.push(Reverse((at, order, event)));
    };
    for (number, company) in &mut companies {
        for (at, priority) in company.list_calls(*number) {
            push(&mut events, at, Event::Asks(*number, priority));
        }
        for part in 1..=PARTS {
            push(&mut events, Duration::from_secs(DAY * part as u64 / PARTS as u64), Event::Ends(*number));
        }
    }
    while let Some(Reverse((now, _, event))) = events.pop() {
        let (Event::Asks(number, _) | Event::Arrives(number, _) | Event::Answers(number, ..) | Event::Looks(number) | Event::Ends(number)) =
            event;
        let company = companies.get_mut(&number).expect("it is one of them");
        let mut going = Vec::new();
        match event {
            Event::Asks(_, priority) => {
                if company.budget.admit(COST, now).is_err() {
                    company.sums.spent += 1;
                    continue;
                }
                let patience = if priority == Priority::Batch { Duration::from_mins(15) } else { Duration::from_secs(30) };
                let ticket = company.queue.take_ticket(priority);
                match company.queue.ask(0, ticket, now + patience, now) {
                    Reply::Go => going.push((ticket, now)),
                    Reply::Wait => {
                        company.waiting.insert(ticket, now);
                    }
                    Reply::TooLate(_) => company.sums.too_late += 1,
                }
            }
            Event::Arrives(_, began) => {
                let mut facts = company.vendor.receive(now);
                let is_refused = facts.wait.is_some() || company.left < u64::from(COST);
                if !is_refused {
                    company.left -= u64::from(COST);
                    company.sums.sent += 1;
                } else if facts.wait.is_none() {
                    company.sums.spent += 1;
                    facts.wait = None;
                }
                let way = Duration::from_millis(10 + company.numbers.next(80));
                push(&mut events, now + way, Event::Answers(number, began, facts, company.left, is_refused));
                continue;
            }
            Event::Answers(_, began, facts, left, is_refused) => {
                let reset = Duration::from_secs(DAY).saturating_sub(now);
                let heard = BudgetFacts { left: Some(left), limit: None, is_refusal: is_refused && left == 0, wait: Some(reset) };
                company.budget.hear(&heard, now, || SystemTime::UNIX_EPOCH);
                company.queue.hear(0, &facts, None, began, now);
            }
            Event::Ends(_) => company.sums.left.push(company.left),
            Event::Looks(_) => {}
        }
        let mut granted = company.queue.grant(0, now);
        while !granted.is_empty() {
            for ticket in std::mem::take(&mut granted) {
                let asked = company.waiting.remove(&ticket).expect("it waits");
                if company.budget.admit(COST, now).is_ok() {
                    going.push((ticket, asked));
                } else {
                    company.queue.withdraw(0);
                    company.sums.spent += 1;
                }
            }
            granted = company.queue.grant(0, now);
        }
        for (ticket, asked) in going {
            let waited = u64::try_from(now.saturating_sub(asked).as_millis()).expect("a day is short");
            let part = usize::try_from(asked.as_secs() * PARTS as u64 / DAY).expect("few").min(PARTS - 1);
            company.sums.waits[usize::from(ticket.priority == Priority::Batch)].push((part, waited));
            let way = Duration::from_millis(10 + company.numbers.next(80));
            push(&mut events, now + way, Event::Arrives(number, now));
        }
        let change = company.queue.find_change(0, now).filter(|_| company.queue.first(0).is_some());
        if let Some(change) = change.filter(|change| *change > now && *change != company.looks) {
            company.looks = change;
            push(&mut events, change, Event::Looks(number));
        }
    }
    companies
}

/// Finds the wait that this part of a thousand calls do not exceed.
fn find_quantile(waits: &mut [u64], thousandths: usize) -> u64 {
    waits.sort_unstable();
    waits.get((waits.len() * thousandths / 1000).min(waits.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn write_figures(companies: &BTreeMap<usize, Company>) -> String {
    let sum = |count: fn(&Sums) -> u64| companies.values().map(|company| count(&company.sums)).sum::<u64>();
    let refused: u32 = companies.values().map(|company| company.vendor.refused).sum();
    let noisy = companies[&0].sums.sent;
    let mut text = format!(
        "| | |\n|---|---|\n| companies | {COMPANIES} |\n| calls that were sent | {} |\n| of these by the company with the most | {noisy} |\n\
         | refused by the vendor for its window (429) | {refused} |\n| refused since the daily budget was spent | {} |\n\
         | refused since they could not be sent in time | {} |\n| companies whose budget was spent | {} |\n\n\
         | wait in line, ms | calls | median | 95 % | 99.9 % | longest |\n|---|---|---|---|---|---|\n",
        sum(|sums| sums.sent),
        sum(|sums| sums.spent),
        sum(|sums| sums.too_late),
        companies.values().filter(|company| company.left < u64::from(COST)).count(),
    );
    for (kind, name) in ["interactive calls", "lines of a batch"].into_iter().enumerate() {
        for (who, is_noisy) in [("the company with the most", true), ("all others", false)] {
            let of = companies.iter().filter(|(number, _)| (**number == 0) == is_noisy);
            let mut waits: Vec<u64> = of.flat_map(|(_, company)| company.sums.waits[kind].iter().map(|(_, wait)| *wait)).collect();
            let [median, most, nearly, longest] = [500, 950, 999, 1000].map(|part| find_quantile(&mut waits, part));
            let _ = writeln!(text, "| {name} of {who} | {} | {median} | {most} | {nearly} | {longest} |", waits.len());
        }
    }
    text
}

/// Draws three panels over the day: calls, waits and budgets.
fn draw(companies: &BTreeMap<usize, Company>) -> String {
    let sent = |is_noisy: bool| {
        let mut parts = [0.0_f64; PARTS];
        for (_, company) in companies.iter().filter(|(number, _)| (**number == 0) == is_noisy) {
            company.sums.waits.iter().flatten().for_each(|(part, _)| parts[*part] += 1.0);
        }
        parts.to_vec()
    };
    let waits = |is_noisy: bool, kind: usize| -> Vec<f64> {
        (0..PARTS)
            .map(|part| {
                let of = companies.iter().filter(|(number, _)| (**number == 0) == is_noisy);
                let all = of.flat_map(|(_, company)| &company.sums.waits[kind]).filter(|(at, _)| *at == part);
                let mut all: Vec<u64> = all.map(|(_, wait)| *wait).collect();
                #[expect(clippy::cast_precision_loss, reason = "a wait within a day")]
                let seconds = find_quantile(&mut all, 950) as f64 / 1000.0;
                seconds
            })
            .collect()
    };
    #[expect(clippy::cast_precision_loss, reason = "tokens of a day")]
    let left = |number: usize| companies[&number].sums.left.iter().map(|left| *left as f64).collect::<Vec<_>>();
    let panels = [
        ("Calls sent in a quarter of an hour", vec![("the company with the most", sent(true)), ("all others", sent(false))]),
        (
            "Wait in line, 95 %, seconds",
            vec![("batches of the company with the most", waits(true, 1)), ("interactive calls of all others", waits(false, 0))],
        ),
        ("Tokens left of the day", vec![("company 5", left(5)), ("company 105", left(105))]),
    ];
    let colors = ["#b3541e", "#1f6f8b", "#6b7a2c"];
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 600\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <!-- Written by a test of connector-core, policy/pacing/day.rs: UPDATE_FIXTURES=1 cargo test -p connector-core a_day -->\n\
         <rect width=\"760\" height=\"600\" fill=\"#ffffff\"/>\n",
    );
    for (at, (title, lines)) in panels.iter().enumerate() {
        let top = 30 + at * 190;
        let most = lines.iter().flat_map(|(_, values)| values).fold(1.0_f64, |most, value| most.max(*value));
        let _ = writeln!(svg, "<text x=\"60\" y=\"{}\" fill=\"#222222\">{title}</text>", top - 10);
        let _ = writeln!(svg, "<path d=\"M60 {top}V{0}H740\" fill=\"none\" stroke=\"#888888\"/>", top + 130);
        let _ = writeln!(svg, "<text x=\"54\" y=\"{}\" text-anchor=\"end\" fill=\"#555555\">{most:.0}</text>", top + 10);
        let _ = writeln!(svg, "<text x=\"54\" y=\"{}\" text-anchor=\"end\" fill=\"#555555\">0</text>", top + 130);
        for hour in [0, 6, 12, 18, 24] {
            let x = 60 + 680 * hour / 24;
            let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555555\">{hour}:00</text>", top + 146);
        }
        for (line, (name, values)) in lines.iter().enumerate() {
            let mut path = String::new();
            for (part, value) in values.iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "places in a picture")]
                let (x, y) = (60.0 + 680.0 * (part as f64 + 0.5) / PARTS as f64, top as f64 + 130.0 * (1.0 - value / most));
                let _ = write!(path, "{}{x:.1} {y:.1}", if part == 0 { 'M' } else { 'L' });
            }
            let color = colors[line];
            let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>");
            let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" fill=\"{color}\">{name}</text>", 280 + line * 240, top - 10);
        }
    }
    svg + "</svg>\n"
}

/// Compares a text with that of a page, or writes it there.
fn check_page(name: &str, write: impl FnOnce(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/internals").join(name);
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let text = write(&known);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&path, text).expect("the docs can be written");
    } else {
        assert!(
            known == text,
            "docs/internals/{name} is not what the simulation shows: UPDATE_FIXTURES=1 cargo test -p connector-core a_day"
        );
    }
}

#[test]
fn a_day_of_a_thousand_companies_is_as_the_page_says() {
    let companies = run_day(&(0..COMPANIES).collect::<Vec<_>>());
    for (number, company) in &companies {
        assert_eq!(company.vendor.refused, 0, "company {number} exceeded a window");
        assert_eq!(company.sums.too_late, 0, "company {number} had a call that could not be sent in time");
    }
    // Each company has the day that it would have alone.
    for number in (1..COMPANIES).step_by(40) {
        let alone = run_day(&[number]);
        assert_eq!(alone[&number].sums.waits, companies[&number].sums.waits, "company {number} waited for another");
    }
    check_page("pacing-day.md", |known| {
        let (head, rest) = known.split_once("<!-- figures -->\n").expect("the page marks the place of the figures");
        let (_, tail) = rest.split_once("<!-- end -->").expect("the page marks the end of the figures");
        format!("{head}<!-- figures -->\n{}<!-- end -->{tail}", write_figures(&companies))
    });
    check_page("pacing-day.svg", |_| draw(&companies));
}
