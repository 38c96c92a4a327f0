//! One fetch for all who miss the same at once: the first leads, and the others wait for what becomes of it.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::fields::Variant;
use crate::growing::Growing;
use crate::key::StoredKey;
use crate::store::Kept;
use crate::stored::Stored;

/// The fetches under way, by the digest of their key.
#[derive(Default)]
pub(crate) struct Flights(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Of one target as many as there are variants.
    flying: HashMap<u128, Vec<Arc<Flight>>>,
    /// Until when nobody waits for these, since what came of the last fetch was not for others.
    alone: Marks,
    /// Until when these are not fetched in the background, since the last time it was in vain.
    in_vain: Marks,
}

/// Some targets, each until when.
#[derive(Default)]
struct Marks(HashMap<u128, Instant>);

struct Flight {
    /// For whom it goes, as far as was known when it went.
    expected: Option<Variant>,
    /// When it went, in the order of [`Changes`](crate::changes::Changes).
    asked: u64,
    state: Mutex<State>,
}

struct State {
    began: Instant,
    grows: Option<Grows>,
    landed: Option<Landed>,
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

/// A response whose head has come, and whose body is stored as it comes.
#[derive(Clone)]
pub(crate) struct Grows {
    pub(crate) head: Arc<Stored>,
    pub(crate) body: Weak<Growing>,
}

/// What became of a fetch.
#[derive(Clone)]
pub(crate) enum Landed {
    Grows(Grows),
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
    in_background: bool,
}

/// Waits for what becomes of a fetch that somebody else makes.
pub(crate) struct Follow {
    flight: Arc<Flight>,
    place: Option<u64>,
    patience: Option<Pin<Box<Sleep>>>,
}

/// A request that is to go, unless somebody has gone for the same.
pub(crate) struct Goes<'a> {
    pub(crate) key: &'a StoredKey,
    pub(crate) request: &'a HeaderMap,
    /// For whom the answer will be, as far as what is stored lets one guess.
    pub(crate) like: Option<Variant>,
    /// In the order of [`Changes`](crate::changes::Changes).
    pub(crate) asked: u64,
}

pub(crate) enum Role {
    Leads(Lead),
    Follows(Follow),
    /// Nobody waits for anybody.
    Alone,
}

/// So long somebody waits for a head. Whoever leads may have stopped polling, and even wait for those who wait for him.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// So long nobody waits for what was not for others the last time, and nothing is fetched in the background that was not to be had.
const ALONE: Duration = Duration::from_secs(10);
/// So many targets are remembered for that.
const REMEMBERED: usize = 1024;

impl Flights {
    /// To wait for what went already, if nothing has changed since, and else to go.
    pub(crate) fn join(self: &Arc<Self>, goes: Goes<'_>, kept: &Kept, now: Instant) -> Role {
        let Goes { key, request, like, asked } = goes;
        let mut known = self.lock();
        if known.alone.has(key.digest, now) {
            return Role::Alone;
        }
        let flying = known.flying.entry(key.digest).or_default();
        if let Some(flight) = flying.iter().find(|flight| flight.is_for(request, key, kept)) {
            return Role::Follows(Follow { flight: flight.clone(), place: None, patience: None });
        }
        let like = flying.iter().find_map(|flight| flight.like(request)).or(like);
        Role::Leads(self.lead(key.digest, flying, Flight::new(like, asked, now), false))
    }

    /// To go although nobody waits for it, unless somebody goes already, or has gone in vain.
    pub(crate) fn refresh(self: &Arc<Self>, goes: Goes<'_>, kept: &Kept, now: Instant) -> Option<Lead> {
        let Goes { key, request, like, asked } = goes;
        let mut known = self.lock();
        if known.in_vain.has(key.digest, now) {
            return None;
        }
        let flying = known.flying.entry(key.digest).or_default();
        let is_fetched = flying.iter().any(|flight| flight.is_for(request, key, kept));
        (!is_fetched).then(|| self.lead(key.digest, flying, Flight::new(like, asked, now), true))
    }

    fn lead(
        self: &Arc<Self>,
        digest: u128,
        flying: &mut Vec<Arc<Flight>>,
        flight: Flight,
        in_background: bool,
    ) -> Lead {
        let flight = Arc::new(flight);
        flying.push(flight.clone());
        Lead { flights: self.clone(), digest, flight, in_background }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    fn has(&self, digest: u128, now: Instant) -> bool {
        self.0.get(&digest).is_some_and(|until| now < *until)
    }

    fn add(&mut self, digest: u128, now: Instant) {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, until| now < *until);
        }
        if self.0.len() < REMEMBERED {
            self.0.insert(digest, now + ALONE);
        }
    }
}

impl Lead {
    /// The head has come, and the body is stored as it is read. Those who waited are to be woken.
    pub(crate) fn grows(&self, head: Arc<Stored>, body: &Arc<Growing>) -> Vec<Waker> {
        let mut state = self.flight.lock();
        state.grows = Some(Grows { head, body: Arc::downgrade(body) });
        state.waiting()
    }

    pub(crate) fn in_background(&self) -> bool {
        self.in_background
    }

    pub(crate) fn land(self, landed: Landed, now: Instant) {
        if matches!(landed, Landed::NotStored) {
            let mut known = self.flights.lock();
            known.alone.add(self.digest, now);
            if self.in_background {
                known.in_vain.add(self.digest, now);
            }
        }
        self.end(landed);
    }

    fn end(&self, landed: Landed) {
        let mut known = self.flights.lock();
        if let Some(flying) = known.flying.get_mut(&self.digest) {
            flying.retain(|flight| !Arc::ptr_eq(flight, &self.flight));
            if flying.is_empty() {
                known.flying.remove(&self.digest);
            }
        }
        drop(known);
        let mut state = self.flight.lock();
        state.landed.get_or_insert(landed);
        let waiting = state.waiting();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // Nobody has left: it was not to be had.
        if self.in_background && self.flight.lock().landed.is_none() {
            self.flights.lock().in_vain.add(self.digest, Instant::now());
        }
        self.end(Landed::Abandoned);
    }
}

impl Flight {
    fn new(expected: Option<Variant>, asked: u64, began: Instant) -> Self {
        let waiting = BTreeMap::new();
        let state = Mutex::new(State { began, grows: None, landed: None, waiting, next: 0 });
        Self { expected, asked, state }
    }

    /// Whether what it brings will do for this request, as far as is known.
    fn is_for(&self, request: &HeaderMap, key: &StoredKey, kept: &Kept) -> bool {
        match &self.lock().grows {
            Some(Grows { head, .. }) => head.vary.matches(request) && kept.is_valid(key.target_digest, head),
            None => {
                self.expected.as_ref().is_none_or(|expected| expected.matches(request))
                    && kept.changes.is_unchanged(key.target_digest, self.asked)
            }
        }
    }

    /// What this request would have been answered for, if this one tells what the origin looks at.
    fn like(&self, request: &HeaderMap) -> Option<Variant> {
        let state = self.lock();
        let known = state.grows.as_ref().map(|grows| &grows.head.vary);
        known.or(self.expected.as_ref()).map(|vary| vary.of(request))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    fn outcome(&self) -> Option<Landed> {
        self.landed.clone().or_else(|| self.grows.clone().map(Landed::Grows))
    }
}

impl Future for Follow {
    type Output = Landed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landed> {
        let this = self.get_mut();
        let waker = cx.waker().clone();
        let mut state = this.flight.lock();
        if let Some(landed) = state.outcome() {
            return Poll::Ready(landed);
        }
        let place = *this.place.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.waiting.insert(place, waker);
        let until = state.began + HEAD_PATIENCE;
        drop(state);
        let patience = this.patience.get_or_insert_with(|| Box::pin(sleep_until(until)));
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

#[cfg(test)]
mod tests {
    use bartizan_core::RequestHead;
    use http::{Extensions, Method, Uri};

    use super::*;
    use crate::Memory;
    use crate::key::Keys;

    #[tokio::test(start_paused = true)]
    async fn as_many_are_marked_as_are_remembered_and_each_for_ten_seconds() {
        let (mut marks, start) = (Marks::default(), Instant::now());
        let (second, many) = (Duration::from_secs(1), REMEMBERED as u128);
        marks.add(0, start);
        (1..many).for_each(|digest| marks.add(digest, start + second));
        marks.add(many, start + 9 * second);
        let are_marked = |marks: &Marks, now| [0, 1, many, many + 1].map(|digest| marks.has(digest, now));
        assert_eq!(are_marked(&marks, start + 9 * second), [true, true, false, false], "there is no room");
        assert_eq!(are_marked(&marks, start + 10 * second), [false, true, false, false]);
        marks.add(many, start + 10 * second);
        marks.add(many + 1, start + 10 * second);
        assert_eq!(are_marked(&marks, start + 10 * second), [false, true, true, false], "room for one");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_of_what_is_over() {
        let (method, uri, headers) = (Method::GET, Uri::from_static("http://a.example/"), HeaderMap::new());
        let key = Keys::new(Vec::new(), None);
        let key = key.key(&RequestHead::new(&method, &uri, &headers, &Extensions::new(), None)).store();
        let kept = Kept::new(Box::new(Memory::lru(0)), 1, 0);
        let (flights, now) = (Arc::new(Flights::default()), Instant::now());
        let goes = || Goes { key: &key, request: &headers, like: None, asked: kept.changes.now() };
        let Role::Leads(first) = flights.join(goes(), &kept, now) else { panic!("nobody else goes") };
        let Role::Follows(mut follows) = flights.join(goes(), &kept, now) else { panic!("somebody goes") };
        let mut cx = Context::from_waker(Waker::noop());
        assert!(
            Pin::new(&mut follows).poll(&mut cx).is_pending()
                && Pin::new(&mut follows).poll(&mut cx).is_pending()
        );
        assert_eq!(first.flight.lock().waiting.len(), 1);
        drop(follows);
        assert!(first.flight.lock().waiting.is_empty());
        // It is waited for no more, and not over.
        kept.clear();
        let Role::Leads(second) = flights.join(goes(), &kept, now) else { panic!("something has changed") };
        drop(second);
        assert_eq!(flights.lock().flying[&key.digest].len(), 1);
        first.land(Landed::Stored, now);
        assert!(flights.lock().flying.is_empty());
    }
}
