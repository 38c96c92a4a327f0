//! What came of it, in figures and as a table.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use bartizan_circuit_breaker::State;

use crate::counts::Counted;
use crate::run::{CLIENTS, NAMES, Outcome};
use crate::scenario::{Kind, Scenario, Weather};
use crate::server::Log;

/// What one run came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) calls: usize,
    pub(crate) good: usize,
    /// Good ones in a hundred of the calls that may be repeated, and of the POSTs without key.
    pub(crate) goodput_by_kind: (f64, f64),
    /// Good ones in a hundred of the GETs that came while it was meant to be down.
    pub(crate) reads_while_down: f64,
    /// Requests that reached the server.
    pub(crate) seen: usize,
    /// Those of them that came while it was down.
    pub(crate) seen_while_down: usize,
    /// Calls with a POST without key that reached the server more than once.
    pub(crate) reached_twice: usize,
    /// Those that the server also worked on more than once: orders placed twice.
    pub(crate) worked_twice: usize,
    /// Of the good calls' latencies: the median, and what 99 in 100 stay below.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) counted: Counted,
    /// By the second of their arrival: calls, and how many of them were good.
    pub(crate) calls_by_second: Vec<(usize, usize)>,
    pub(crate) seen_by_second: Vec<usize>,
}

impl Figures {
    pub(crate) fn new(scenario: &Scenario, outcomes: &[Outcome], log: &Log, counted: Counted) -> Self {
        let good: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.is_good).collect();
        let mut latencies: Vec<Duration> = good.iter().map(|outcome| outcome.took).collect();
        latencies.sort_unstable();
        let posts_without_key =
            || scenario.calls.iter().filter(|call| call.kind == Kind::Post).map(|call| log.calls[call.id]);
        let seconds = scenario.lasts().as_secs_f64().ceil() as usize;
        let mut calls_by_second = vec![(0, 0); seconds];
        for outcome in outcomes {
            let (calls, good) = &mut calls_by_second[outcome.call.at.as_secs() as usize];
            *calls += 1;
            *good += usize::from(outcome.is_good);
        }
        let mut seen_by_second = vec![0; seconds];
        for at in &log.arrivals {
            if let Some(seen) = seen_by_second.get_mut(at.as_secs() as usize) {
                *seen += 1;
            }
        }
        Self {
            calls: outcomes.len(),
            good: good.len(),
            goodput_by_kind: (
                goodput(outcomes, |kind| kind != Kind::Post),
                goodput(outcomes, |kind| kind == Kind::Post),
            ),
            reads_while_down: {
                let is_meant = |outcome: &&Outcome| {
                    outcome.call.kind == Kind::Get && scenario.weather(outcome.call.at) == Weather::Down
                };
                let reads: Vec<_> = outcomes.iter().filter(is_meant).collect();
                percent(reads.iter().filter(|outcome| outcome.is_good).count(), reads.len())
            },
            seen: log.arrivals.len(),
            seen_while_down: log.arrivals.iter().filter(|at| scenario.weather(**at) == Weather::Down).count(),
            reached_twice: posts_without_key().filter(|seen| seen.requests > 1).count(),
            worked_twice: posts_without_key().filter(|seen| seen.worked > 1).count(),
            p50: quantile(&latencies, 0.5),
            p99: quantile(&latencies, 0.99),
            counted,
            calls_by_second,
            seen_by_second,
        }
    }

    /// Good calls in a hundred.
    pub(crate) fn goodput(&self) -> f64 {
        percent(self.good, self.calls)
    }
}

/// Good calls in a hundred of those that `counts`.
fn goodput(outcomes: &[Outcome], counts: impl Fn(Kind) -> bool) -> f64 {
    let of_kind = || outcomes.iter().filter(|outcome| counts(outcome.call.kind));
    percent(of_kind().filter(|outcome| outcome.is_good).count(), of_kind().count())
}

pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((part * last as f64).round() as usize).copied().unwrap_or_default()
}

/// How long a server must be down for a circuit breaker to be judged. At a third of that the outage is over when the circuit has
/// just opened, and what comes after it is hardly longer than the time that it takes to close.
pub(crate) const LONG_ENOUGH: Duration = Duration::from_secs(8);

/// By how many points two runs over sockets may differ by chance.
const CHANCE: f64 = 1.0;

/// Good ones in a hundred of the GETs with a cache while the server is down: all of them have been read before.
const READS: f64 = 99.0;

/// What the demonstration promised and did not show.
pub(crate) fn complaint(
    scenario: &Scenario,
    [_, naive, retry, stack, cached]: &[Figures; CLIENTS],
) -> Option<String> {
    let below_naive = |run: &Figures, who: &str| {
        let (run, naive) = (run.goodput(), naive.goodput());
        (run < naive).then(|| {
            format!("the goodput of {who}, {run:.1} %, is below that of naive retries, {naive:.1} %")
        })
    };
    let again = retry.reached_twice + stack.reached_twice + cached.reached_twice;
    if again > 0 {
        return Some(format!("the stack sent {again} POSTs without a key more than once"));
    }
    if let Some(complaint) = below_naive(retry, "retry and timeouts alone") {
        return Some(complaint);
    }
    if scenario.lasts_for(Weather::Down) < LONG_ENOUGH {
        return None;
    }
    let (seen, without) = (stack.seen_while_down, retry.seen_while_down);
    if 2 * seen > without {
        return Some(format!(
            "while down the server saw {seen} requests of the stack, and {without} of retry and timeouts alone"
        ));
    }
    let (goodput, without) = (stack.goodput(), retry.goodput());
    if goodput < without - CHANCE {
        return Some(format!(
            "the stack's goodput of {goodput:.1} % is below that of retry and timeouts alone, {without:.1} %"
        ));
    }
    if cached.reads_while_down < READS {
        return Some(format!(
            "with a cache {:.1} % of the GETs were good while down",
            cached.reads_while_down
        ));
    }
    below_naive(stack, "the stack").or_else(|| below_naive(cached, "the stack with cache"))
}

/// The runs side by side.
pub(crate) struct Table<'a>(pub(crate) &'a [Figures; CLIENTS]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |what: &str, cells: [String; CLIENTS]| {
            let cells = cells.map(|cell| format!("{cell:>10}")).concat();
            writeln!(f, "{what:<42}{cells}")
        };
        let each = |cell: &dyn Fn(&Figures) -> String| self.0.each_ref().map(cell);
        row("", NAMES.map(str::to_owned))?;
        row("calls", each(&|run| run.calls.to_string()))?;
        row("good: complete, 2xx, within 3 s", each(&|run| format!("{:.1} %", run.goodput())))?;
        row("  GETs, and POSTs with a key", each(&|run| format!("{:.1} %", run.goodput_by_kind.0)))?;
        row("  POSTs without a key", each(&|run| format!("{:.1} %", run.goodput_by_kind.1)))?;
        row("  GETs while the server is down", each(&|run| format!("{:.1} %", run.reads_while_down)))?;
        row("requests that the server saw", each(&|run| run.seen.to_string()))?;
        row("requests that the server saw while down", each(&|run| run.seen_while_down.to_string()))?;
        row("POSTs without a key sent again", each(&|run| run.reached_twice.to_string()))?;
        row("POSTs without a key worked on twice", each(&|run| run.worked_twice.to_string()))?;
        row("latency of good calls, p50", each(&|run| format!("{} ms", run.p50.as_millis())))?;
        row("latency of good calls, p99", each(&|run| format!("{} ms", run.p99.as_millis())))?;

        let [_, _, retry, stack, cached] = self.0.each_ref().map(|run| &run.counted);
        let [_, _, names @ ..] = NAMES.map(|name| format!("{name:>10}"));
        writeln!(f, "\n{:<62}{}", "what their layers did", names.concat())?;
        let mut line = |layer: &str, what: &str, number: &dyn Fn(&Counted) -> u64| {
            let [retry, stack, cached] = [retry, stack, cached].map(number);
            writeln!(f, "{layer:<18}{what:<44}{retry:>10}{stack:>10}{cached:>10}")
        };
        line("cache", "answered from memory, fresh", &|run| run.hits)?;
        line("", "answered from memory, stale", &|run| run.stale_hits)?;
        line("retry", "sent again after its backoff", &|run| run.retries_after_backoff)?;
        line("", "sent again when Retry-After said", &|run| run.retries_as_asked)?;
        line("", "sent when the circuit said, after a refusal", &|run| run.waits_for_circuit)?;
        let reasons: BTreeSet<&str> =
            [retry, stack, cached].iter().flat_map(|run| run.stops.keys().copied()).collect();
        for why in reasons {
            let what = format!("not sent again: {why}");
            line("", &what, &|run| run.stops.get(why).copied().unwrap_or_default())?;
        }
        line("rate limit", "pauses that the server asked for", &|run| run.pauses)?;
        line("", "requests that waited for their turn", &|run| run.waits_for_turn)?;
        line("", "requests refused, as the wait was too long", &|run| run.refusals_by_limit)?;
        line("circuit breaker", "requests refused", &|run| run.refusals)?;
        for (from, to) in CHANGES {
            let what = format!("{from} -> {to}");
            line("", &what, &|run| run.times(from, to).count() as u64)?;
        }
        line("attempt timeout", "attempts ended after 1 s", &|run| run.attempts_timed_out)?;
        line("deadline", "calls ended after 2.9 s", &|run| run.deadlines_exceeded)?;

        writeln!(f, "\nwhen the circuit of {} changed, in seconds", NAMES[3])?;
        for (from, to) in CHANGES {
            let times: String = stack.times(from, to).map(|at| format!(" {:.1}", at.as_secs_f64())).collect();
            writeln!(f, "{:<22}{times}", format!("{from} -> {to}"))?;
        }
        Ok(())
    }
}

/// What a circuit can do by itself.
pub(crate) const CHANGES: [(State, State); 4] = [
    (State::Closed, State::Open),
    (State::Open, State::HalfOpen),
    (State::HalfOpen, State::Open),
    (State::HalfOpen, State::Closed),
];
