//! The contention of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), with the engine as it is shipped.
//!
//! Clients want to change one and the same row. Each reads it, then writes it back, and the write fails if somebody else
//! has written in between; then it waits and begins anew. Without backoff nearly all of it is in vain.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use bartizan_core::Chance;
use bartizan_retry::{Backoff, Jitter, MaxAttempts, Schedule};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use crate::seeds;

const BASE: Duration = Duration::from_millis(5);
const CAP: Duration = Duration::from_secs(2);

/// How a client waits between its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Not at all.
    None,
    /// Exponentially, with this jitter.
    Exponential(Jitter),
}

impl Waits {
    /// What the document compares.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Exponential(Jitter::None),
        Self::Exponential(Jitter::Equal),
        Self::Exponential(Jitter::Full),
        Self::Exponential(Jitter::Decorrelated),
    ];

    fn backoff(self) -> Backoff {
        match self {
            Self::None => Backoff::fixed(Duration::ZERO),
            Self::Exponential(jitter) => {
                Backoff::exponential(BASE, CAP).expect("5 ms are less than 2 s").jitter(jitter)
            }
        }
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no backoff"),
            Self::Exponential(Jitter::None) => f.write_str("exponential, no jitter"),
            Self::Exponential(jitter) => {
                write!(f, "exponential, {} jitter", format!("{jitter:?}").to_lowercase())
            }
        }
    }
}

/// What it took until all clients had written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Attempts of all clients together.
    pub calls: f64,
    /// Until the last had succeeded.
    pub seconds: f64,
}

/// The mean of as many runs.
pub fn effort(waits: Waits, clients: usize, seeds: u64) -> Effort {
    let runs = seeds::each(seeds, |seed| seeds::in_virtual_time(contend(waits, clients, seed)));
    let mean = |of: fn(&Effort) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
    Effort { calls: mean(|run| run.calls), seconds: mean(|run| run.seconds) }
}

async fn contend(waits: Waits, clients: usize, seed: u64) -> Effort {
    let (start, chance) = (Instant::now(), Chance::from_seed(seed));
    let schedule = Schedule::new()
        .max_attempts(MaxAttempts::new(u32::MAX).expect("not zero"))
        .backoff(waits.backoff())
        .chance(Chance::from_seed(chance.next_u64()));
    let (row, calls) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(0_u64)));
    let all = LocalSet::new();
    for _ in 0..clients {
        let (row, calls, chance, schedule) = (row.clone(), calls.clone(), chance.clone(), schedule.clone());
        all.spawn_local(async move {
            let written = schedule.run(|_| {
                let (row, calls, chance) = (row.clone(), calls.clone(), chance.clone());
                async move {
                    calls.set(calls.get() + 1);
                    sleep(way(&chance)).await;
                    let read = row.get();
                    sleep(way(&chance)).await;
                    if row.get() != read {
                        return Err(());
                    }
                    row.set(read + 1);
                    Ok(())
                }
            });
            written.await.expect("there is no end of attempts");
        });
    }
    all.await;
    Effort { calls: calls.get() as f64, seconds: start.elapsed().as_secs_f64() }
}

/// Over the network: about 10 ms, normally distributed with a deviation of 2 ms (the sum of twelve draws).
fn way(chance: &Chance) -> Duration {
    let normal = (0..12).map(|_| chance.unit()).sum::<f64>() - 6.0;
    Duration::from_secs_f64((0.010 + 0.002 * normal).max(0.0))
}

/// The document, in Markdown.
pub fn document(seeds: u64) -> String {
    let mut text = format!(
        "# What jitter does\n\n\
         Written by `cargo xtask sim jitter`; run it to repeat it. {seeds} seeds, the mean of them.\n\n\
         The experiment of \"Exponential Backoff And Jitter\" (AWS Architecture Blog, 2015), with the engine as it is shipped, in \
         virtual time: clients contend for one row, of which each reads the version and writes it back if it is still the same; \
         each way takes 10 ms, give or take 2. The waits begin with {BASE:?} and end with {CAP:?}.\n\n\
         *Calls* is what all clients together needed until the last of them had written, *time* how long that took.\n\n\
         | clients | |  calls | time |\n|--:|---|--:|--:|\n"
    );
    for clients in [10, 30, 100] {
        for waits in Waits::ALL {
            let Effort { calls, seconds } = effort(waits, clients, seeds);
            let _ = writeln!(text, "| {clients} | {waits} | {calls:.0} | {seconds:.2} s |");
        }
    }
    text
}
