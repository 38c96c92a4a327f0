//! What an inner service is told to do, and the state that all its clones share.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use http::StatusCode;
use tokio::sync::Semaphore;

/// How an instance of [`Inner`](super::Inner) becomes ready, from its first `poll_ready` to its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// At the first poll.
    Now,
    /// Pending until it was woken this many times by [`Probe::release`](super::Probe::release).
    After(usize),
    /// Fails with [`NotReady`], for good.
    Fails,
    /// Pending for ever.
    Never,
}

/// How one call of [`Inner`](super::Inner) ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A response with this status, at the first poll.
    Now(StatusCode),
    /// The same, once woken this many times by [`Probe::release`](super::Probe::release).
    After(usize, StatusCode),
    /// Fails with [`CallFailed`] once woken this many times; zero means at the first poll.
    Fails(usize),
    /// Pending for ever.
    Never,
}

/// The error of [`Readiness::Fails`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NotReady;

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scripted inner failed in poll_ready")
    }
}

impl std::error::Error for NotReady {}

/// The error of [`Answer::Fails`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallFailed;

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scripted inner failed its call")
    }
}

impl std::error::Error for CallFailed {}

/// A call that [`Inner`](super::Inner) should not have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The instance was not polled since it was made, or since its last call.
    Unpolled,
    /// Its last answer to `poll_ready` was `Pending`.
    Pending,
    /// Its `poll_ready` had failed.
    Failed,
}

/// A queue of scripted steps, and what comes when it has run out.
#[derive(Clone, Debug)]
pub(super) struct Script<T> {
    pub(super) steps: VecDeque<T>,
    pub(super) then: T,
}

impl<T: Copy> Script<T> {
    pub(super) fn always(then: T) -> Self {
        Self { steps: VecDeque::new(), then }
    }

    fn next(&mut self) -> T {
        self.steps.pop_front().unwrap_or(self.then)
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) readiness: Script<Readiness>,
    pub(super) answers: Script<Answer>,
    pub(super) misuses: Vec<Misuse>,
    parked: BTreeMap<u64, Parked>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Parked {
    /// Wake-ups still to come; `None` for a wait without end.
    left: Option<usize>,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) semaphore: Arc<Semaphore>,
    pub(super) capacity: usize,
    pub(super) calls: AtomicUsize,
    pub(super) clones: AtomicUsize,
    pub(super) failed_polls: AtomicUsize,
    pub(super) live_futures: Arc<AtomicUsize>,
    pub(super) live_responses: Arc<AtomicUsize>,
}

impl Shared {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            readiness: Script::always(Readiness::Now),
            answers: Script::always(Answer::Now(StatusCode::OK)),
            misuses: Vec::new(),
            parked: BTreeMap::new(),
            next_ticket: 0,
        };
        Self {
            state: Mutex::new(state),
            semaphore: Arc::new(Semaphore::new(capacity)),
            capacity,
            calls: AtomicUsize::new(0),
            clones: AtomicUsize::new(0),
            failed_polls: AtomicUsize::new(0),
            live_futures: Arc::default(),
            live_responses: Arc::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_readiness(&self) -> Readiness {
        self.lock().readiness.next()
    }

    pub(super) fn next_answer(&self) -> Answer {
        self.lock().answers.next()
    }

    /// Wakes everything that waits and can get on; `false` when there is no such thing.
    pub(super) fn release(&self) -> bool {
        let wakers: Vec<Waker> = self.lock().parked.values_mut().filter_map(Parked::release).collect();
        let any = !wakers.is_empty();
        // Outside the lock, since a waker may run code of ours.
        wakers.into_iter().for_each(Waker::wake);
        any
    }
}

impl Parked {
    fn release(&mut self) -> Option<Waker> {
        let left = self.left.as_mut()?;
        let waker = self.waker.take()?;
        *left = left.saturating_sub(1);
        Some(waker)
    }
}

/// A place among those that wait to be released, given up when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    shared: Arc<Shared>,
    id: u64,
}

impl Ticket {
    pub(super) fn new(shared: &Arc<Shared>, left: Option<usize>) -> Self {
        let mut state = shared.lock();
        let id = state.next_ticket;
        state.next_ticket += 1;
        state.parked.insert(id, Parked { left, waker: None });
        drop(state);
        Self { shared: Arc::clone(shared), id }
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.shared.lock();
        let parked = state.parked.get_mut(&self.id).expect("a ticket is parked for as long as it lives");
        if parked.left == Some(0) {
            return Poll::Ready(());
        }
        let superseded = parked.waker.replace(cx.waker().clone());
        drop(state);
        drop(superseded);
        Poll::Pending
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let parked = self.shared.lock().parked.remove(&self.id);
        drop(parked);
    }
}

/// Adds one to a counter for as long as it lives.
#[derive(Debug)]
pub(super) struct Live(Arc<AtomicUsize>);

impl Live {
    pub(super) fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
