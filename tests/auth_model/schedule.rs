//! What happens, in which order.

use std::time::Duration;

use bartizan_core::Chance;

#[derive(Clone, Debug)]
pub struct Schedule {
    pub kept: Kept,
    /// Of each token.
    pub lifetime: Option<Duration>,
    /// Whether each fetch brings another refresh token, and ends the former.
    pub rotates: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    InMemory,
    /// In a store of its own, with a lock or without.
    Stored {
        is_locked: bool,
    },
    /// In a store that another process uses too.
    Shared,
}

#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A call by this process, to which the API takes so long.
    Call {
        who: usize,
        takes: Duration,
    },
    /// One that is dropped after a while.
    Leave {
        who: usize,
        takes: Duration,
        after: Duration,
    },
    Wait(Duration),
    /// The API takes no token any more that was given out before.
    Revoke,
    Set,
    Clear,
    /// Happens to the next fetch.
    Fault(Fault),
    /// So long each fetch takes from now on.
    Fetches(Duration),
    /// The store from now on.
    Store {
        loads: bool,
        saves: bool,
        takes: Duration,
    },
    /// The process starts anew.
    Restart {
        who: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Transient,
    TransientFor(Duration),
    Permanent,
    Hang,
    Panic,
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Schedule {
    pub fn of(seed: u64) -> Self {
        let pick = Pick(Chance::from_seed(seed));
        let kept = pick.one(&[
            Kept::InMemory,
            Kept::Stored { is_locked: true },
            Kept::Stored { is_locked: false },
            Kept::Shared,
        ]);
        let lifetimes = [None, Some(millis(2_000)), Some(millis(20_000)), Some(millis(100_000))];
        let steps = (0..20 + pick.below(100)).map(|_| pick.step(kept)).collect();
        Self { kept, lifetime: pick.one(&lifetimes), rotates: pick.below(4) > 0, steps }
    }

    /// With as few steps as still go wrong.
    pub fn shrunk(self, wrong: String, run: impl Fn(&Self) -> Option<String>) -> (Self, String) {
        let (mut least, mut wrong) = (self, wrong);
        let mut length = least.steps.len() / 2;
        while length > 0 {
            let mut start = 0;
            while start < least.steps.len() {
                let mut fewer = least.clone();
                fewer.steps.drain(start..(start + length).min(least.steps.len()));
                // Chance moves refreshes a little, so once is not always enough.
                match (0..3).find_map(|_| run(&fewer)) {
                    Some(still) => (least, wrong) = (fewer, still),
                    None => start += length,
                }
            }
            length /= 2;
        }
        (least, wrong)
    }
}

struct Pick(Chance);

impl Pick {
    fn below(&self, number: usize) -> usize {
        (self.0.unit() * number as f64) as usize
    }

    fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn step(&self, kept: Kept) -> Step {
        let who = if kept == Kept::Shared { self.below(2) } else { 0 };
        let takes = self.one(&[millis(0), millis(1), millis(700), millis(3_000)]);
        let step = match self.below(24) {
            0..8 => Step::Call { who, takes },
            8..10 => Step::Leave {
                who,
                takes,
                after: self.one(&[millis(0), millis(1), millis(500), millis(1_500)]),
            },
            10..16 => Step::Wait(self.one(&[
                millis(0),
                millis(1),
                millis(300),
                millis(1_000),
                millis(2_500),
                millis(17_000),
                millis(70_000),
            ])),
            16 => Step::Revoke,
            17 => Step::Set,
            18 => Step::Clear,
            19 => Step::Fault(self.one(&[
                Fault::Transient,
                Fault::TransientFor(millis(9_000)),
                Fault::Permanent,
                Fault::Hang,
                Fault::Panic,
            ])),
            20 | 21 => Step::Fetches(self.one(&[millis(0), millis(1), millis(800), millis(4_000)])),
            22 if kept == Kept::Shared => Step::Restart { who },
            // A session in memory ends with its process.
            22 if kept == Kept::InMemory => Step::Revoke,
            _ => Step::Store {
                loads: self.below(4) > 0,
                saves: self.below(3) > 0,
                takes: self.one(&[millis(0), millis(600), millis(4_000), millis(11_000)]),
            },
        };
        match (step, kept) {
            // Of what one process is told the others know nothing, and what is not saved they cannot find.
            (Step::Set | Step::Clear | Step::Fault(Fault::Permanent), Kept::Shared) => {
                Step::Call { who, takes }
            }
            (Step::Store { takes, .. }, Kept::Shared) => {
                Step::Store { loads: true, saves: true, takes: takes.min(millis(600)) }
            }
            (step, _) => step,
        }
    }
}
