//! Layers over each other: every pair of them in both orders, and the whole stack, while the origin answers, fails, refuses, hangs, throttles and
//! breaks off, and while the caller leaves at any point.
//!
//! Each cell is held against a model that is written from the layers' documentation (`model.rs`): how many requests the origin sees, what the caller gets,
//! how breakers vote, which tokens and retries are spent, and what is stored. When the call is over nothing may be held: no permit, no body, no future of
//! the inner; and the next calls have to find the stack as the model has it.

#![allow(missing_docs, unreachable_pub)]

mod cell;
mod crowd;
mod model;
mod origin;
mod part;
mod stacks;
mod tenants;

use cell::{Cell, Leaves, Script, Stacked};
use origin::Act;
use part::{KINDS, Kind, erased, parts};

const SCRIPTS: [Script; 16] = [
    ("200", &[], Act::Answer),
    ("503", &[], Act::Unavailable),
    ("503 once", &[Act::Unavailable], Act::Answer),
    ("an error", &[], Act::Fail),
    ("an error once", &[Act::Fail], Act::Answer),
    ("refused below", &[], Act::Refuse),
    ("refused below once", &[Act::Refuse], Act::Answer),
    ("503, then refused below", &[Act::Unavailable, Act::Refuse], Act::Answer),
    ("hangs", &[], Act::Hang),
    ("hangs once", &[Act::Hang], Act::Answer),
    ("a body that breaks off", &[], Act::Break),
    ("a body that falls silent", &[], Act::Stall),
    ("401", &[], Act::Unauthorized),
    ("401 once", &[Act::Unauthorized], Act::Answer),
    ("429", &[], Act::Throttle),
    ("429 once", &[Act::Throttle], Act::Answer),
];

/// Those that are left at each poll.
const LEFT: [&str; 7] = [
    "200",
    "503 once",
    "an error once",
    "refused below once",
    "a body that breaks off",
    "401 once",
    "429 once",
];

#[derive(Default)]
struct Table {
    cells: usize,
    left: usize,
    wrong: Vec<String>,
}

impl Table {
    fn add(&mut self, cell: &Cell<'_>) -> bool {
        self.cells += 1;
        match cell.run() {
            Ok(is_over) => is_over,
            Err(wrong) => {
                self.wrong.push(format!("{cell}: {wrong}"));
                true
            }
        }
    }

    /// All cells of one stack.
    fn add_all(&mut self, stack: &Stacked<'_>) {
        for script in SCRIPTS {
            for is_post in [false, true] {
                self.add(&Cell { stack, script, is_post, leaves: Leaves::Never });
            }
            if LEFT.contains(&script.0) {
                for poll in 0.. {
                    let is_over =
                        self.add(&Cell { stack, script, is_post: false, leaves: Leaves::AtPoll(poll) });
                    if is_over {
                        break;
                    }
                    self.left += 1;
                }
            }
            // Before and after the time from which on a breaker takes that for a failure.
            if script.0 == "hangs" {
                for time in [4_000, 6_000] {
                    self.add(&Cell { stack, script, is_post: false, leaves: Leaves::After(time) });
                }
            }
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.cells += other.cells;
        self.left += other.left;
        self.wrong.extend(other.wrong);
        self
    }

    /// At least so many, of which at least so many were left, and none of them wrong.
    fn hold(self, cells: usize, left: usize) {
        println!("{} cells, {} of which the caller left", self.cells, self.left);
        let few = &self.wrong[..self.wrong.len().min(40)];
        assert!(
            self.wrong.is_empty(),
            "{} of {} cells are wrong:\n{}",
            self.wrong.len(),
            self.cells,
            few.join("\n")
        );
        assert!(self.cells >= cells, "{} cells are fewer than {cells}", self.cells);
        assert!(self.left >= left, "{} that were left are fewer than {left}", self.left);
    }
}

fn pair(outer: Kind, inner: Kind) -> Table {
    let mut table = Table::default();
    table.add_all(&Stacked {
        kinds: &[outer, inner],
        parts: &|| parts(&[outer, inner]),
        make: &|parts, origin| parts.iter().rev().fold(erased(origin), |inner, part| part.around(inner)),
    });
    table
}

#[test]
fn every_pair_of_layers_in_both_orders_is_as_their_docs_say() {
    let pairs: Vec<_> = KINDS.iter().flat_map(|outer| KINDS.map(|inner| (*outer, inner))).collect();
    // Two threads, since there are two cores at least.
    let halves = [0, 1].map(|first| {
        let pairs = pairs.clone();
        std::thread::spawn(move || {
            let half = pairs.into_iter().skip(first).step_by(2);
            half.map(|(outer, inner)| pair(outer, inner)).fold(Table::default(), Table::and)
        })
    });
    let tables = halves.map(|half| half.join().unwrap_or_else(|wrong| std::panic::resume_unwind(wrong)));
    tables.into_iter().fold(Table::default(), Table::and).hold(10_000, 5_000);
}
