//! What came of it, in figures and as a table.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::counts::Counted;
use crate::run::{NAMES, Outcome};
use crate::scenario::{Kind, Scenario};
use crate::server::Log;

/// What one run came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) calls: usize,
    pub(crate) good: usize,
    /// Good ones in a hundred of the calls that may be repeated, and of the POSTs without key.
    pub(crate) goodput_by_kind: (f64, f64),
    /// Requests that reached the server.
    pub(crate) seen: usize,
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
            seen: log.arrivals.len(),
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

/// What the demonstration promised and did not show.
pub(crate) fn complaint([_, naive, stack]: &[Figures; 3]) -> Option<String> {
    if stack.goodput() < naive.goodput() {
        let (stack, naive) = (stack.goodput(), naive.goodput());
        return Some(format!(
            "the stack's goodput of {stack:.1} % is below that of naive retries, {naive:.1} %"
        ));
    }
    (stack.reached_twice > 0)
        .then(|| format!("the stack sent {} POSTs without a key more than once", stack.reached_twice))
}

/// The three runs side by side.
pub(crate) struct Table<'a>(pub(crate) &'a [Figures; 3]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |what: &str, cells: [String; 3]| {
            let [bare, naive, stack] = cells;
            writeln!(f, "{what:<42}{bare:>10}{naive:>10}{stack:>10}")
        };
        let each = |cell: &dyn Fn(&Figures) -> String| self.0.each_ref().map(cell);
        row("", NAMES.map(str::to_owned))?;
        row("calls", each(&|run| run.calls.to_string()))?;
        row("good: complete, 2xx, within 3 s", each(&|run| format!("{:.1} %", run.goodput())))?;
        row("  GETs, and POSTs with a key", each(&|run| format!("{:.1} %", run.goodput_by_kind.0)))?;
        row("  POSTs without a key", each(&|run| format!("{:.1} %", run.goodput_by_kind.1)))?;
        row("requests that the server saw", each(&|run| run.seen.to_string()))?;
        row("POSTs without a key sent again", each(&|run| run.reached_twice.to_string()))?;
        row("POSTs without a key worked on twice", each(&|run| run.worked_twice.to_string()))?;
        row("latency of good calls, p50", each(&|run| format!("{} ms", run.p50.as_millis())))?;
        row("latency of good calls, p99", each(&|run| format!("{} ms", run.p99.as_millis())))?;

        let stack = &self.0[2].counted;
        writeln!(f, "\nwhat the stack's layers did")?;
        let mut line =
            |layer: &str, what: &str, number: u64| writeln!(f, "{layer:<18}{what:<34}{number:>20}");
        line("retry", "sent again after its backoff", stack.retries_after_backoff)?;
        line("", "sent again when Retry-After said", stack.retries_as_asked)?;
        for (why, number) in &stack.stops {
            let mut what = String::new();
            write!(what, "not sent again: {why}")?;
            line("", &what, *number)?;
        }
        line("attempt timeout", "attempts ended after 1 s", stack.attempts_timed_out)?;
        line("deadline", "calls ended after 2.9 s", stack.deadlines_exceeded)
    }
}
