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
mod words;

use std::collections::BTreeMap;

use history::History;

/// Runs the histories of these seeds, and shows the first that fails as short as it can be made.
fn hold(seeds: impl Iterator<Item = u64>) -> BTreeMap<judge::Way, usize> {
    let mut ways = BTreeMap::new();
    for seed in seeds {
        let history = History::of(seed);
        let run = drive::run(&history);
        if let Some(fault) = &run.fault {
            let (least, fault) = shrink::shrink(history, fault);
            panic!("seed {seed}: {fault:?}\n{least}");
        }
        for way in run.ways {
            *ways.entry(way).or_default() += 1;
        }
    }
    ways
}

#[test]
fn survey() {
    let mut kinds: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let n: u64 = std::env::var("N").map_or(2000, |n| n.parse().unwrap());
    let start: u64 = std::env::var("FROM").map_or(0, |n| n.parse().unwrap());
    let mut ways: BTreeMap<judge::Way, usize> = BTreeMap::new();
    for seed in start..start + n {
        let history = History::of(seed);
        let run = drive::run(&history);
        for way in run.ways {
            *ways.entry(way).or_default() += 1;
        }
        if let Some(fault) = &run.fault {
            let text = format!("{fault:?}");
            let kind: String = text.chars().take(60).collect();
            if let Some(entry) = kinds.get_mut(&kind) {
                entry.0 += 1;
                continue;
            }
            let (least, fault) = shrink::shrink(history, fault);
            kinds.insert(kind, (1, format!("seed {seed}: {fault:?}\n{least}")));
        }
    }
    println!("{ways:?}");
    let mut all: Vec<_> = kinds.into_iter().collect();
    all.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    for (_, (n, text)) in all.iter().take(14) {
        println!("==== {n}x {text}");
    }
}

#[test]
fn what_the_cache_answers_it_may_and_what_it_promises_it_answers() {
    println!("{:?}", hold(0..5000));
}
