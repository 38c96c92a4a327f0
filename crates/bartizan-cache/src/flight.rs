//! One fetch for all who miss the same at once: the first leads, the others wait for what becomes of it.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The fetches under way, by the digest of their key.
#[derive(Default)]
pub(crate) struct Flights(Mutex<Known>);

#[derive(Default)]
struct Known {
    flying: HashMap<u128, Arc<Flight>>,
    /// Until when nobody waits for these, since what came of the last fetch was not to be stored.
    alone: HashMap<u128, Instant>,
}

struct Flight(Mutex<State>);

struct State {
    began: Instant,
    /// When the head came, and the body began to be stored.
    storing_since: Option<Instant>,
    landed: Option<Landed>,
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

/// What became of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landed {
    Stored,
    /// It is not to be had from here: all go at once.
    NotStored,
    /// Whoever led has left: the next leads.
    Abandoned,
}

/// Who asks the origin. Dropped, the next does.
pub(crate) struct Lead {
    flights: Arc<Flights>,
    digest: u128,
    flight: Arc<Flight>,
}

/// Waits for what becomes of a fetch that somebody else makes.
pub(crate) struct Follow {
    flight: Arc<Flight>,
    place: Option<u64>,
    patience: Option<Pin<Box<Sleep>>>,
}

pub(crate) enum Role {
    Leads(Lead),
    Follows(Follow),
    /// Nobody waits for anybody.
    Alone,
}

/// So long somebody waits for a head. Whoever leads may have stopped polling, and even wait for those who wait for him.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// So long somebody waits for a body that is being stored. Who leads may read it as slowly as he likes.
const PATIENCE: Duration = Duration::from_secs(1);
/// So long nobody waits for what was not to be stored the last time.
const ALONE: Duration = Duration::from_secs(10);
/// So many targets are remembered for that.
const REMEMBERED: usize = 1024;

impl Flights {
    pub(crate) fn join(self: &Arc<Self>, digest: u128, now: Instant) -> Role {
        let mut known = self.lock();
        if known.alone.get(&digest).is_some_and(|until| now < *until) {
            return Role::Alone;
        }
        if let Some(flight) = known.flying.get(&digest) {
            return Role::Follows(Follow { flight: flight.clone(), place: None, patience: None });
        }
        let flight = Arc::new(Flight::new(now));
        known.flying.insert(digest, flight.clone());
        Role::Leads(Lead { flights: self.clone(), digest, flight })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn leave_alone(&mut self, digest: u128, now: Instant) {
        if self.alone.len() >= REMEMBERED {
            self.alone.retain(|_, until| now < *until);
        }
        if self.alone.len() < REMEMBERED {
            self.alone.insert(digest, now + ALONE);
        }
    }
}

impl Lead {
    /// The head has come, and the body is stored as it is read.
    pub(crate) fn stores(&self, now: Instant) {
        let mut state = self.flight.lock();
        state.storing_since = Some(now);
        let waiting = state.wake();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn land(self, landed: Landed, now: Instant) {
        if landed == Landed::NotStored {
            self.flights.lock().leave_alone(self.digest, now);
        }
        self.end(landed);
    }

    fn end(&self, landed: Landed) {
        let mut known = self.flights.lock();
        let is_ours = known.flying.get(&self.digest).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight));
        if is_ours {
            known.flying.remove(&self.digest);
        }
        drop(known);
        let mut state = self.flight.lock();
        state.landed.get_or_insert(landed);
        let waiting = state.wake();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.end(Landed::Abandoned);
    }
}

impl Flight {
    fn new(began: Instant) -> Self {
        let waiting = BTreeMap::new();
        Self(Mutex::new(State { began, storing_since: None, landed: None, waiting, next: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

impl Future for Follow {
    type Output = Landed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landed> {
        let this = self.get_mut();
        let waker = cx.waker().clone();
        let mut state = this.flight.lock();
        if let Some(landed) = state.landed {
            return Poll::Ready(landed);
        }
        let place = *this.place.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.waiting.insert(place, waker);
        let until = state.storing_since.map_or(state.began + HEAD_PATIENCE, |since| since + PATIENCE);
        drop(state);
        let patience = this.patience.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if patience.deadline() != until {
            patience.as_mut().reset(until);
        }
        patience.as_mut().poll(cx).map(|()| Landed::NotStored)
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.flight.lock().waiting.remove(&place);
        }
    }
}
