//! Threads that take, stand in line, look, leave and give back as it comes.

use std::sync::Barrier;
use std::thread;

use bartizan_core::Chance;

use super::*;

const THREADS: u64 = 3;
const SLOTS: u64 = 4;

/// What one thread has.
#[derive(Default)]
struct Has {
    taken: Vec<NonZeroU32>,
    waits: Vec<Somebody>,
}

impl Has {
    fn step(&mut self, line: &Line<Slots>, chance: &Chance) {
        let some = |many: usize| (chance.unit() * many as f64) as usize;
        let cost = NonZeroU32::MIN.saturating_add(some(3) as u32);
        match some(6) {
            0 if line.take(cost) => self.taken.push(cost),
            1 => match Somebody::joins(line, cost) {
                Some(somebody) => self.waits.push(somebody),
                None => self.taken.push(cost),
            },
            2 if !self.waits.is_empty() => {
                let who = some(self.waits.len());
                self.look(who, line);
            }
            3 if !self.waits.is_empty() => {
                let who = some(self.waits.len());
                line.leave(&self.waits.swap_remove(who).place);
            }
            4.. if !self.taken.is_empty() => {
                let what = some(self.taken.len());
                line.give_back(self.taken.swap_remove(what));
            }
            _ => {}
        }
    }

    fn look(&mut self, who: usize, line: &Line<Slots>) {
        // Before he looks: what comes afterwards wakes him again.
        self.waits[who].task.was_woken();
        if self.waits[who].has_come(line) {
            self.taken.push(self.waits.swap_remove(who).place.cost);
        }
    }
}

/// All threads rest. Nobody is before slots that are enough for him, and whoever has his own knows.
fn check(line: &Line<Slots>, all: &[Has]) {
    let waiting = line.lock();
    let first = waiting.line.first_key_value();
    assert!(first.is_none_or(|(_, first)| u64::from(first.cost.get()) > line.source().free()));
    assert_eq!(line.source().is_queued(), first.is_some());
    let in_line: u64 = waiting.line.values().map(|waiter| u64::from(waiter.cost.get())).sum();
    assert_eq!(waiting.cost, in_line);
    let mut taken = line.source().free();
    for has in all {
        taken += has.taken.iter().map(|cost| u64::from(cost.get())).sum::<u64>();
        for Somebody { place, task } in &has.waits {
            if !waiting.line.contains_key(&place.number) {
                assert!(task.0.load(Ordering::Acquire), "it came, and nobody was told");
                taken += u64::from(place.cost.get());
            }
        }
    }
    assert_eq!(taken, SLOTS);
}

/// Whoever has something gives it back, and whoever was woken looks. Nobody else does anything.
fn drain(line: &Line<Slots>, mut all: Vec<Has>) {
    let mut is_over = false;
    while !is_over {
        is_over = true;
        for has in &mut all {
            is_over &= has.taken.is_empty();
            has.taken.drain(..).for_each(|cost| line.give_back(cost));
            for who in (0..has.waits.len()).rev() {
                if has.waits[who].task.was_woken() {
                    has.look(who, line);
                    is_over = false;
                }
            }
        }
    }
    assert!(all.iter().all(|has| has.taken.is_empty() && has.waits.is_empty()), "somebody waits for ever");
    assert_eq!((line.source().free(), line.waiting(), line.source().is_queued()), (SLOTS, 0, false));
}

#[test]
fn threads_lose_neither_slots_nor_wakes() {
    let line = Slots::line(SLOTS);
    // What one look misses the next makes good, so they rest often.
    for round in 0..1500 {
        let start = Barrier::new(THREADS as usize);
        let play = |seed| {
            let (chance, mut has) = (Chance::from_seed(seed), Has::default());
            start.wait();
            (0..50).for_each(|_| has.step(&line, &chance));
            has
        };
        let all: Vec<Has> = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..THREADS).map(|thread| scope.spawn(move || play(round * THREADS + thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        check(&line, &all);
        drain(&line, all);
    }
}
