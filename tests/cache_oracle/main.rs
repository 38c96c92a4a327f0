//! The cache against a second, slow and literal reading of RFC 9111, on random histories of requests and answers.
//!
//! The oracle keeps what was said as plain strings, reads it with parsers of its own and shares nothing with the crate. For each request it says
//! what the cache must not do and what it promises to do.

#![allow(missing_docs, unreachable_pub)]

mod answer;
mod asks;
mod dates;
mod drive;
mod fields;
mod history;
mod judge;
mod message;
mod oracle;
mod origin;
mod preferences;
mod shrink;
mod stored;
mod verdict;
mod words;

use std::collections::BTreeMap;

use history::History;
use verdict::{Fault, Way};

/// So many are held in an ordinary run; `CACHE_HISTORIES` in the environment asks for another number.
const HISTORIES: u64 = 5000;

/// Runs the histories of these seeds, and shows the first that fails as short as it can be made.
fn hold(seeds: impl Iterator<Item = u64>) -> BTreeMap<Way, usize> {
    let mut ways = BTreeMap::new();
    for seed in seeds {
        let history = History::of(seed);
        let mut run = drive::run(&history);
        if matches!(run.fault, Some(Fault::Useless(_))) {
            // Which targets share a slot of what has changed is a matter of chance, and of another one each time.
            run = drive::run(&history);
        }
        if let Some(fault) = &run.fault {
            let (least, fault) = shrink::shrink(history, fault);
            panic!("seed {seed}: {fault}\n{least}");
        }
        for way in run.ways {
            *ways.entry(way).or_default() += 1;
        }
    }
    ways
}

#[test]
fn what_the_cache_answers_it_may_and_what_it_promises_it_answers() {
    let histories =
        std::env::var("CACHE_HISTORIES").map_or(HISTORIES, |number| number.parse().expect("a number"));
    // Two threads, since there are two cores at least.
    let halves = [0, 1].map(|first| std::thread::spawn(move || hold((first..histories).step_by(2))));
    let mut ways = BTreeMap::new();
    for half in halves {
        let half = half.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault));
        for (way, times) in half {
            *ways.entry(way).or_insert(0) += times;
        }
    }
    println!("{histories} histories: {ways:?}");
    // What never happens is not held.
    for way in Way::ALL {
        let least = histories / 100;
        assert!(ways.get(&way).is_some_and(|&times| times as u64 >= least), "{way:?} in {ways:?}");
    }
}
