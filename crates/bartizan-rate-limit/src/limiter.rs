use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::Subject;
use tokio::time::Instant;

use crate::error::Why;
use crate::line::{Line, Refused};
use crate::tokens::{Left, Tokens};
use crate::wait::{Lined, TooLong, Wait};
use crate::{Quota, RateLimited, Standing, Within};

/// A token bucket with a line before it, which clones share: the engine without HTTP.
///
/// Who finds no token waits in line, for at most 30 s ([`max_wait`](Self::max_wait)). Nobody is passed, whatever he needs. Whether the wait
/// is short enough is known, and told, at once.
///
/// ```
/// use std::num::NonZeroU32;
/// use bartizan_rate_limit::{Quota, RateLimiter};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = RateLimiter::new(Quota::per_second(2)?);
/// let one = NonZeroU32::MIN;
/// for _ in 0..10 {
///     limiter.acquire(one).await?;
/// }
/// let refused = limiter.try_acquire(one).unwrap_err();
/// assert_eq!(refused.retry_in(), Some(std::time::Duration::from_millis(500)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    shared: Arc<Shared>,
    max_wait: Duration,
}

struct Shared {
    line: Line<Tokens>,
    subject: Subject,
}

/// How long a call may wait where nothing else was said: as long as a whole call has by default.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);

impl RateLimiter {
    /// A full bucket.
    pub fn new(quota: Quota) -> Self {
        Self::of(Subject::ALL, quota)
    }

    pub(crate) fn of(subject: Subject, quota: Quota) -> Self {
        let line = Line::new(Tokens::new(quota));
        Self { shared: Arc::new(Shared { line, subject }), max_wait: MAX_WAIT }
    }

    /// How long [`acquire`](Self::acquire) of this handle waits at most. 30 s by default.
    #[must_use]
    pub fn max_wait(mut self, most: Duration) -> Self {
        self.max_wait = most;
        self
    }

    /// Takes `cost` tokens now, or none.
    ///
    /// # Errors
    /// When there are not as many, or others wait for them.
    pub fn try_acquire(&self, cost: NonZeroU32) -> Result<Acquired, RateLimited> {
        if self.shared.line.take(cost) {
            return Ok(self.acquired(cost));
        }
        let quota = self.quota();
        self.check(cost)?;
        let wait = self.shared.line.due(cost).map(|due| due.saturating_duration_since(Instant::now()));
        Err(RateLimited::new(&self.shared.subject, Why::Quota { quota: Some(quota) }, wait))
    }

    /// Waits for `cost` tokens. It stands in line from its first poll on; dropped, it leaves the line, and nothing was taken.
    ///
    /// # Errors
    /// At once, when it would wait for too long, or costs more than a full bucket has.
    pub fn acquire(&self, cost: NonZeroU32) -> Acquire {
        self.acquire_within(cost, Within::new(self.max_wait, None))
    }

    /// The same, and not beyond a deadline.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub fn acquire_before(&self, cost: NonZeroU32, deadline: std::time::Instant) -> Acquire {
        self.acquire_within(cost, Within::new(self.max_wait, Some(deadline)))
    }

    pub(crate) fn acquire_within(&self, cost: NonZeroU32, within: Within) -> Acquire {
        Acquire { cost, within, wait: Wait::New(self.clone()) }
    }

    /// The quota.
    pub fn quota(&self) -> Quota {
        self.shared.line.source().quota()
    }

    /// How many tokens there are now.
    pub fn tokens(&self) -> u32 {
        self.left().tokens
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.shared.line.waiting()
    }

    pub(crate) fn left(&self) -> Left {
        self.shared.line.source().left()
    }

    /// As good as a new one.
    pub(crate) fn is_idle(&self) -> bool {
        self.left().next.is_none() && self.waiting() == 0
    }

    pub(crate) fn take(&self, cost: NonZeroU32) -> bool {
        self.shared.line.take(cost)
    }

    pub(crate) fn give_back(&self, cost: NonZeroU32) {
        self.shared.line.give_back(cost);
    }

    /// Whose it is.
    pub fn subject(&self) -> &Subject {
        &self.shared.subject
    }

    /// Whether `cost` can ever be had.
    pub(crate) fn check(&self, cost: NonZeroU32) -> Result<(), RateLimited> {
        let quota = self.quota();
        if cost > quota.most_at_once() {
            return Err(RateLimited::new(&self.shared.subject, Why::Cost { cost, quota }, None));
        }
        Ok(())
    }

    /// Why a wait is too long, at `now`.
    pub(crate) fn too_long(&self, refused: Refused, now: Instant, within: Within) -> RateLimited {
        let due = refused.due();
        let why = due.and_then(|due| within.why(due, now));
        let why = why.unwrap_or(Why::Quota { quota: Some(self.quota()) });
        let wait = due.map(|due| due.saturating_duration_since(now));
        RateLimited::new(&self.shared.subject, why, wait).with_standing(self.standing())
    }

    pub(crate) fn standing(&self) -> Standing {
        let Left { tokens, next } = self.left();
        Standing { quota: self.quota(), remaining: tokens, next }
    }

    fn acquired(&self, cost: NonZeroU32) -> Acquired {
        Acquired { limiter: self.clone(), cost }
    }
}

impl Lined for RateLimiter {
    type Source = Tokens;

    fn line(&self) -> &Line<Tokens> {
        &self.shared.line
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("subject", &self.shared.subject)
            .field("quota", &self.quota())
            .field("tokens", &self.tokens())
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl Within {
    /// Until then; `None` for as long as it takes.
    pub(crate) fn latest(&self, now: Instant) -> Option<Instant> {
        let deadline = self.deadline.map(Instant::from_std);
        let by_itself = now.checked_add(self.max_wait);
        by_itself.into_iter().chain(deadline).min()
    }

    /// Which of them `due` is too late for; `None` if no wait is allowed at all.
    pub(crate) fn why(&self, due: Instant, now: Instant) -> Option<Why> {
        if self.max_wait.is_zero() {
            return None;
        }
        Some(match self.deadline.map(Instant::from_std) {
            Some(deadline) if due > deadline => {
                Why::Deadline { left: deadline.saturating_duration_since(now) }
            }
            _ => Why::MaxWait { most: self.max_wait },
        })
    }
}

/// Tokens that were taken. They are spent, unless they are given back.
#[derive(Debug)]
#[must_use = "tokens are spent, unless they are given back"]
pub struct Acquired {
    limiter: RateLimiter,
    cost: NonZeroU32,
}

impl Acquired {
    /// What they were taken for did not happen.
    pub fn give_back(self) {
        self.limiter.give_back(self.cost);
    }
}

/// The future of [`RateLimiter::acquire`].
#[derive(Debug)]
#[must_use = "it stands in line from its first poll on"]
pub struct Acquire {
    cost: NonZeroU32,
    within: Within,
    wait: Wait<RateLimiter>,
}

impl Future for Acquire {
    type Output = Result<Acquired, RateLimited>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { cost, within, wait } = self.get_mut();
        if let Wait::New(limiter) = wait {
            limiter.check(*cost)?;
        }
        wait.poll(*cost, *within, cx).map(|result| match result {
            Ok(limiter) => Ok(limiter.acquired(*cost)),
            Err(TooLong { line, refused, now }) => Err(line.too_long(refused, now, *within)),
        })
    }
}
