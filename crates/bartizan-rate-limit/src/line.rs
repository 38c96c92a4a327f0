//! Those who wait for something, in the order in which they came.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use tokio::time::Instant;

/// What a line stands before: tokens, a gate, or slots.
pub(crate) trait Source {
    /// Whether a turn may come later than it was told, for other reasons than those of the line.
    const CAN_BE_PUT_OFF: bool;

    /// Takes `cost` if there is as much, and nobody waits or `who` is first in line.
    fn take(&self, who: Who, cost: NonZeroU32) -> bool;

    /// When there will be as much, if nobody else takes; `None` if nobody knows.
    fn due(&self, cost: u64) -> Option<Instant>;

    /// How many may stand in line.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Puts back what was taken and not used.
    fn give_back(&self, cost: NonZeroU32);

    /// Whether newcomers find a line before them. Written under the line's lock alone.
    fn set_queued(&self, queued: bool);

    /// As it was set last.
    fn is_queued(&self) -> bool;
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Somebody who finds nothing if others wait.
    Newcomer,
    /// The first of so many in line.
    First(usize),
}

/// A source, and the line before it. Nobody in it is passed, whatever he needs.
///
/// Each who waits has a timer of his own, so that one who is not polled holds up nobody for longer than he was told, or, where nothing can be
/// told, for longer than he wanted to wait.
pub(crate) struct Line<S> {
    source: S,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// By number, from the first.
    line: BTreeMap<u64, Waiter>,
    next: u64,
    /// What all of them need.
    cost: u64,
    /// Who is in line no longer since his time was up, and has not left his place yet.
    out: BTreeSet<u64>,
}

struct Waiter {
    cost: NonZeroU32,
    waker: Waker,
    /// When he is due, and looks again by himself; `None` if nobody knows.
    looks_at: Option<Instant>,
    /// When his time is up instead.
    ends: Option<Instant>,
}

impl Waiter {
    fn is_over(&self) -> bool {
        self.ends.is_some_and(|ends| ends <= Instant::now())
    }
}

/// A place in the line. It has to be left, or to have come to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    number: u64,
    cost: NonZeroU32,
}

/// How it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It was taken.
    Came,
    /// Look again then, or when woken.
    Later(Option<Instant>),
    /// His time is up.
    Never,
}

/// Why somebody does not get what he came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// His turn would come then, and that is too late.
    Late(Instant),
    /// His time is up, and nobody knows when his turn would come.
    TimeUp,
    /// As many wait as may.
    Full,
}

impl Refused {
    /// When his turn would come, if that is known.
    pub(crate) fn due(self) -> Option<Instant> {
        match self {
            Self::Late(due) => Some(due),
            Self::TimeUp | Self::Full => None,
        }
    }
}

impl Waiting {
    /// What he needs who has this number, and those before him.
    fn cost_to(&self, number: u64) -> u64 {
        self.line.range(..=number).map(|(_, waiter)| u64::from(waiter.cost.get())).sum()
    }
}

impl<S: Source> Line<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, waiting: Mutex::default() }
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// Takes it now, if nobody waits. No lock.
    pub(crate) fn take(&self, cost: NonZeroU32) -> bool {
        self.source.take(Who::Newcomer, cost)
    }

    /// When a newcomer would have his turn, if that is known.
    pub(crate) fn due(&self, cost: NonZeroU32) -> Option<Instant> {
        let before = self.lock().cost;
        self.source.due(before.saturating_add(u64::from(cost.get())))
    }

    /// Stands in line, unless it is there now.
    ///
    /// # Errors
    /// When there is no room, or it is known that his turn would come after `latest`.
    pub(crate) fn join(
        &self,
        cost: NonZeroU32,
        latest: Option<Instant>,
        cx: &Context<'_>,
    ) -> Result<Option<Place>, Refused> {
        let waker = cx.waker().clone();
        let mut woken = Vec::new();
        let mut waiting = self.lock();
        self.serve(&mut waiting, None, &mut woken);
        let joined = self.join_line(&mut waiting, cost, latest, waker);
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
        joined
    }

    fn join_line(
        &self,
        waiting: &mut Waiting,
        cost: NonZeroU32,
        latest: Option<Instant>,
        waker: Waker,
    ) -> Result<Option<Place>, Refused> {
        if waiting.line.len() >= self.source.room() {
            return Err(Refused::Full);
        }
        let is_first = waiting.line.is_empty();
        if is_first {
            // From here on nobody takes past us; what was taken before is seen.
            self.source.set_queued(true);
            if self.source.take(Who::First(1), cost) {
                self.source.set_queued(false);
                return Ok(None);
            }
        }
        let due = self.source.due(waiting.cost.saturating_add(u64::from(cost.get())));
        if let (Some(due), Some(latest)) = (due, latest)
            && due > latest
        {
            if is_first {
                self.source.set_queued(false);
            }
            return Err(Refused::Late(due));
        }
        let ends = if due.is_none() { latest } else { None };
        let number = waiting.next;
        waiting.next += 1;
        waiting.cost += u64::from(cost.get());
        waiting.line.insert(number, Waiter { cost, waker, looks_at: due, ends });
        Ok(Some(Place { number, cost }))
    }

    /// Looks whether his turn has come.
    pub(crate) fn poll(&self, place: &Place, cx: &Context<'_>) -> Turn {
        let waker = cx.waker().clone();
        let mut woken = Vec::new();
        let mut waiting = self.lock();
        self.serve(&mut waiting, Some(place.number), &mut woken);
        Self::send_away(&mut waiting, place);
        let turn = self.turn(&mut waiting, place, waker);
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
        turn
    }

    fn turn(&self, waiting: &mut Waiting, place: &Place, waker: Waker) -> Turn {
        // What was due by now is not there: somebody has put off him, and those before him.
        let looks_at = waiting.line.get(&place.number).and_then(|waiter| waiter.looks_at);
        let is_late = looks_at.is_some_and(|looks_at| looks_at <= Instant::now());
        let put_off = if is_late { self.source.due(waiting.cost_to(place.number)) } else { None };
        match waiting.line.get_mut(&place.number) {
            None if waiting.out.contains(&place.number) => Turn::Never,
            None => Turn::Came,
            Some(waiter) => {
                waiter.waker = waker;
                waiter.looks_at = put_off.or(waiter.looks_at);
                Turn::Later(waiter.looks_at.or(waiter.ends))
            }
        }
    }

    /// His timer has rung.
    pub(crate) fn ring(&self, place: &Place) {
        let mut woken = Vec::new();
        let mut waiting = self.lock();
        self.serve(&mut waiting, None, &mut woken);
        // It was not his turn: he has to set his timer anew, or to go.
        woken.extend(waiting.line.get(&place.number).map(|waiter| waiter.waker.clone()));
        Self::send_away(&mut waiting, place);
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Leaves the line. What had come by then is given back.
    pub(crate) fn leave(&self, place: &Place) {
        let mut woken = Vec::new();
        let mut waiting = self.lock();
        if waiting.line.remove(&place.number).is_some() {
            waiting.cost -= u64::from(place.cost.get());
        } else if !waiting.out.remove(&place.number) {
            self.source.give_back(place.cost);
        }
        self.serve(&mut waiting, None, &mut woken);
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Puts back what was taken and not used.
    pub(crate) fn give_back(&self, cost: NonZeroU32) {
        self.source.give_back(cost);
        self.look();
    }

    /// Something has changed for those who wait, if any do. Who joins later sees it himself.
    pub(crate) fn look(&self) {
        if !self.source.is_queued() {
            return;
        }
        let mut woken = Vec::new();
        self.serve(&mut self.lock(), None, &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    /// All turns will come later than they were told.
    pub(crate) fn look_anew(&self) {
        let mut woken = Vec::new();
        let mut waiting = self.lock();
        let mut cost = 0;
        for waiter in waiting.line.values_mut() {
            cost += u64::from(waiter.cost.get());
            waiter.looks_at = self.source.due(cost);
            woken.push(waiter.waker.clone());
        }
        drop(waiting);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock().line.len()
    }

    /// Leaves, if his time is up. The first is seen to whenever the line is served.
    fn send_away(waiting: &mut Waiting, place: &Place) {
        if waiting.line.get(&place.number).is_some_and(Waiter::is_over) {
            waiting.line.remove(&place.number);
            waiting.cost -= u64::from(place.cost.get());
            waiting.out.insert(place.number);
        }
    }

    /// Gives to the first as long as there is enough, and tells the next when to look. `asks` needs no waking.
    fn serve(&self, waiting: &mut Waiting, asks: Option<u64>, woken: &mut Vec<Waker>) {
        loop {
            let many = waiting.line.len();
            let Some(mut first) = waiting.line.first_entry() else {
                self.source.set_queued(false);
                return;
            };
            let cost = first.get().cost;
            let is_over = first.get().is_over();
            if is_over || self.source.take(Who::First(many), cost) {
                let number = *first.key();
                let waiter = first.remove();
                if is_over {
                    waiting.out.insert(number);
                }
                waiting.cost -= u64::from(cost.get());
                if asks != Some(number) {
                    woken.push(waiter.waker);
                }
                continue;
            }
            let due = self.source.due(u64::from(cost.get()));
            if due < first.get().looks_at {
                first.get_mut().looks_at = due;
                if asks != Some(*first.key()) {
                    woken.push(first.get().waker.clone());
                }
            }
            return;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics under it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: fmt::Debug + Source> fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("source", &self.source).field("waiting", &self.waiting()).finish()
    }
}

#[cfg(test)]
mod tests;
