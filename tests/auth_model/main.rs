//! Tokens that are fetched, against a small model of what must never happen, on random schedules of calls, refusals, cancellations, failures, and
//! what people set and clear meanwhile.
//!
//! The endpoint exchanges each refresh token once, and the API takes what is neither revoked nor at its end. Held are:
//!
//! - no token that was refused is sent again, none that has ended, and none from before it was set or cleared;
//! - no two fetches at a time for one session, and each with the newest refresh token that there is;
//! - who waits is not forgotten, and once all is well again calls succeed.

#![allow(missing_docs, unreachable_pub)]

mod drive;
mod schedule;
mod store;
mod world;

use std::collections::BTreeMap;

use schedule::Schedule;

/// So many are held in an ordinary run; `AUTH_SCHEDULES` in the environment asks for another number.
const SCHEDULES: u64 = 2500;

/// What has to happen often, since what never happens is not held.
const WAYS: [&str; 19] = [
    "answered",
    "refused",
    "sent again",
    "no credential",
    "cancelled",
    "cancelled during a fetch",
    "fetched",
    "exchanged",
    "failed",
    "failed for good",
    "given up",
    "panicked",
    "set",
    "set during a fetch",
    "cleared",
    "cleared during a fetch",
    "saved",
    "not saved",
    "found",
];

type Ways = BTreeMap<&'static str, u64>;

/// Runs the schedules of these seeds, and shows the first that fails as short as it can be made.
fn hold(seeds: impl Iterator<Item = u64>) -> Ways {
    let mut ways = Ways::new();
    for seed in seeds {
        let schedule = Schedule::of(seed);
        match drive::run(&schedule) {
            Ok(happened) => {
                for (way, times) in happened {
                    *ways.entry(way).or_default() += times;
                }
            }
            Err(wrong) => {
                let (least, wrong) = schedule.shrunk(wrong, |schedule| drive::run(schedule).err());
                panic!("seed {seed}: {wrong}\n{least:#?}");
            }
        }
    }
    ways
}

#[test]
fn no_interleaving_loses_a_session_or_sends_a_token_that_is_no_good() {
    let schedules =
        std::env::var("AUTH_SCHEDULES").map_or(SCHEDULES, |number| number.parse().expect("a number"));
    // Two threads, since there are two cores at least.
    let halves = [0, 1].map(|first| std::thread::spawn(move || hold((first..schedules).step_by(2))));
    let mut ways = Ways::new();
    for half in halves {
        let half = half.join().unwrap_or_else(|wrong| std::panic::resume_unwind(wrong));
        for (way, times) in half {
            *ways.entry(way).or_default() += times;
        }
    }
    println!("{schedules} schedules: {ways:?}");
    for way in WAYS {
        let least = schedules / 20;
        assert!(ways.get(way).is_some_and(|&times| times >= least), "{way} in {ways:?}");
    }
}
