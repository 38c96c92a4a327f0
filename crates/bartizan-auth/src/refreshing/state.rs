//! What all clones of a token share, and when it is fetched.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bartizan_core::{Chance, WallClock};
use http::HeaderValue;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::TokenEvent;
use super::doubts::Doubts;
use super::flight::Flight;
use crate::lifetime::Lifetime;
use crate::{NotPrepared, Secret, Token, TokenError, TokenSource, TokenStore, trace};

pub(super) type Hook = dyn Fn(&TokenEvent<'_>) + Send + Sync;

pub(super) struct Shared {
    pub(super) current: ArcSwapOption<Current>,
    pub(super) slow: Mutex<Slow>,
    pub(super) source: Box<dyn TokenSource>,
    pub(super) store: Option<Box<dyn TokenStore>>,
    /// Held by who writes into the store: what is saved last is what is used.
    pub(super) saving: tokio::sync::Mutex<()>,
    pub(super) hook: Option<Box<Hook>>,
    /// Whether a 401 that does not say why may cost a token.
    pub(super) any_401: bool,
    pub(super) wall_clock: WallClock,
    pub(super) chance: Chance,
    pub(super) identity: Arc<str>,
    /// So many tokens were refused one after the other, with no success between.
    pub(super) refused_in_row: AtomicU32,
}

/// A token that is in use.
pub(super) struct Current {
    pub(super) generation: u64,
    pub(super) header: HeaderValue,
    pub(super) refresh: Option<Instant>,
    pub(super) end: Option<Instant>,
    /// Somebody sees to the next one.
    pub(super) is_seen_to: AtomicBool,
}

impl Current {
    pub(super) fn is_good(&self, now: Instant) -> bool {
        self.end.is_none_or(|end| now < end)
    }
}

/// What is only looked at where there is no token at hand.
#[derive(Default)]
pub(super) struct Slow {
    /// Counts what people set: what was asked for before is not to replace it.
    pub(super) set: u64,
    pub(super) generation: u64,
    pub(super) refresh_token: Option<Secret>,
    /// The one that was published last.
    pub(super) last: Option<HeaderValue>,
    /// What is saved is older than what somebody has set or cleared, or than what could not be saved.
    pub(super) ignores_saved: bool,
    /// Nobody fetched it: somebody has set it.
    pub(super) is_by_hand: bool,
    pub(super) flight: Option<watch::Receiver<()>>,
    pub(super) failed: Option<Failed>,
    pub(super) failures: u32,
    pub(super) doubts: Doubts,
}

pub(super) struct Failed {
    pub(super) error: TokenError,
    /// `None`: until somebody sets a token.
    pub(super) until: Option<Instant>,
}

impl Failed {
    pub(super) fn refusal(&self, now: Instant) -> NotPrepared {
        let refused = NotPrepared::because(self.error.clone());
        match self.until {
            Some(until) => refused.retry_in(until.saturating_duration_since(now)),
            None => refused,
        }
    }
}

/// After a failure the next try waits so long, twice as long each time, and no longer than a minute.
const FIRST_WAIT: Duration = Duration::from_secs(1);
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(super) fn wait_after(failures: u32) -> Duration {
    (FIRST_WAIT * 2_u32.saturating_pow(failures.min(10))).min(LONGEST_WAIT)
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Slow> {
        // Nothing panics under it.
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has it from elsewhere.
    pub(super) fn set(&self, token: Token, sent: Instant, is_saved: bool) {
        let mut slow = self.lock();
        slow.set += 1;
        slow.doubts = Doubts::default();
        slow.ignores_saved = !is_saved;
        self.publish(&mut slow, token, sent);
        slow.is_by_hand = !is_saved;
    }

    /// It came of a request that went at `sent`.
    pub(super) fn publish(&self, slow: &mut Slow, token: Token, sent: Instant) {
        slow.generation += 1;
        slow.failed = None;
        slow.failures = 0;
        slow.flight = None;
        slow.is_by_hand = false;
        slow.last = Some(token.header.clone());
        slow.refresh_token = token.refresh;
        let lifetime = token.lifetime.map(|life| Lifetime::new(life, self.chance.unit()));
        self.current.store(Some(Arc::new(Current {
            generation: slow.generation,
            header: token.header,
            refresh: lifetime.and_then(|lifetime| sent.checked_add(lifetime.refresh)),
            end: lifetime.and_then(|lifetime| sent.checked_add(lifetime.end)),
            is_seen_to: AtomicBool::new(false),
        })));
    }

    pub(super) fn failed(&self, slow: &mut Slow, error: TokenError, now: Instant) {
        let wait = wait_after(slow.failures);
        slow.failures = slow.failures.saturating_add(1);
        let wait = wait.max(error.retry_in().unwrap_or_default());
        let until = if error.is_permanent() { None } else { now.checked_add(wait) };
        slow.failed = Some(Failed { error, until });
        slow.flight = None;
        if let Some(current) = &*self.current.load() {
            current.is_seen_to.store(false, Ordering::Release);
        }
    }

    /// Who fetches already, or goes now; an error if that failed just now.
    pub(super) fn fetch(
        self: &Arc<Self>,
        slow: &mut Slow,
        now: Instant,
    ) -> Result<watch::Receiver<()>, NotPrepared> {
        if let Some(flight) = &slow.flight {
            return Ok(flight.clone());
        }
        if let Some(failed) = &slow.failed
            && failed.until.is_none_or(|until| now < until)
        {
            return Err(failed.refusal(now));
        }
        let Ok(runtime) = Handle::try_current() else {
            return Err(NotPrepared::because("a token is fetched on a runtime of tokio, and there is none"));
        };
        let (done, flight) = watch::channel(());
        slow.flight = Some(flight.clone());
        let (known, ignores_saved) = (slow.refresh_token.clone(), slow.ignores_saved);
        runtime.spawn(Flight::new(self.clone(), slow.set, done).run(known, ignores_saved));
        Ok(flight)
    }

    pub(super) fn tell(&self, event: &TokenEvent<'_>) {
        trace::token(event);
        if let Some(hook) = &self.hook {
            hook(event);
        }
    }
}
