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

use cell::{Before, Cell, Leaves, Script, Stacked};
use origin::Act;
use part::{KINDS, Kind, erased, parts};

const SCRIPTS: [Script; 17] = [
    ("200", &[], Act::Answer),
    ("503", &[], Act::Unavailable),
    ("503 once", &[Act::Unavailable], Act::Answer),
    ("an error", &[], Act::Fail),
    ("an error once", &[Act::Fail], Act::Answer),
    ("refused below", &[], Act::Refuse),
    ("refused below once", &[Act::Refuse], Act::Answer),
    ("503, then refused below", &[Act::Unavailable], Act::Refuse),
    ("503, then refused below once", &[Act::Unavailable, Act::Refuse], Act::Answer),
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

/// Those that also come when the caller has been answered before.
const AFTER: [&str; 4] = ["200", "503", "hangs", "401"];

/// Those that also come when there is little time left, or none.
const HURRIED: [&str; 5] = ["200", "503", "refused below once", "hangs", "429 once"];

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
            let (is_post, before, leaves) = (false, Before::Nothing, Leaves::Never);
            let cell = Cell { stack, script, is_post, before, leaves };
            for is_post in [false, true] {
                self.add(&Cell { is_post, ..cell });
                if AFTER.contains(&script.0) {
                    self.add(&Cell { is_post, before: Before::Answer, ..cell });
                }
            }
            if HURRIED.contains(&script.0) {
                for left in [0, 500] {
                    self.add(&Cell { before: Before::Left(left), ..cell });
                }
            }
            // The whole stack in any case: there are few of those.
            if LEFT.contains(&script.0) || stack.kinds.len() > 2 {
                for poll in 0.. {
                    let is_over = self.add(&Cell { leaves: Leaves::AtPoll(poll), ..cell });
                    if is_over {
                        break;
                    }
                    self.left += 1;
                    self.cells -= 1;
                }
            }
            // Before and after the time from which on a breaker takes that for a failure.
            if script.0 == "hangs" {
                for time in [4_000, 6_000] {
                    self.add(&Cell { leaves: Leaves::After(time), ..cell });
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

    /// So many in which the caller stays, or leaves at a given time, at least so many in which he leaves at a poll, and none of them wrong.
    fn hold(self, cells: usize, left: usize) {
        println!("{} cells, and {} for a poll at which the caller leaves", self.cells, self.left);
        let few = &self.wrong[..self.wrong.len().min(40)];
        let all = self.cells + self.left;
        assert!(few.is_empty(), "{} of {all} cells are wrong:\n{}", self.wrong.len(), few.join("\n"));
        assert_eq!(self.cells, cells);
        assert!(self.left >= left, "{} polls at which the caller leaves are fewer than {left}", self.left);
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
    tables.into_iter().fold(Table::default(), Table::and).hold(19_764, 5_000);
}
