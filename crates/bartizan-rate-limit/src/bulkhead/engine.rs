use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::Subject;
use tokio::time::Instant;

use super::BulkheadFull;
use super::error::Why;
use super::slots::{ONE, Slots};
use crate::Within;
use crate::limiter::MAX_WAIT;
use crate::line::{Line, Refused, Source};
use crate::wait::{Lined, TooLong, Wait};

/// So many permits and no more, with a line before them, which clones share: the engine without HTTP.
///
/// A permit is free again when it is dropped, and goes to whoever has waited longest.
///
/// ```
/// use std::num::NonZeroUsize;
/// use bartizan_rate_limit::bulkhead::Bulkhead;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let one = NonZeroUsize::MIN;
/// let bulkhead = Bulkhead::with_queue(one, 10);
/// let permit = bulkhead.try_acquire()?;
/// let refused = bulkhead.try_acquire().unwrap_err();
/// assert_eq!(refused.to_string(), "bulkhead is full (at most 1 at once and 10 in line), nothing was sent");
/// drop(permit);
/// let permit = bulkhead.acquire().await?;
/// # drop(permit);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Bulkhead {
    shared: Arc<Shared>,
    max_wait: Duration,
}

struct Shared {
    line: Line<Slots>,
    subject: Subject,
}

impl Bulkhead {
    /// At most `limit` at once, and nobody waits.
    pub fn new(limit: NonZeroUsize) -> Self {
        Self::with_queue(limit, 0)
    }

    /// At most `limit` at once, and at most `queue` more wait.
    pub fn with_queue(limit: NonZeroUsize, queue: usize) -> Self {
        Self::of(Subject::ALL, limit, queue)
    }

    pub(crate) fn of(subject: Subject, limit: NonZeroUsize, queue: usize) -> Self {
        let line = Line::new(Slots::new(limit, queue));
        Self { shared: Arc::new(Shared { line, subject }), max_wait: MAX_WAIT }
    }

    /// How long [`acquire`](Self::acquire) of this handle waits at most. 30 s by default.
    #[must_use]
    pub fn max_wait(mut self, most: Duration) -> Self {
        self.max_wait = most;
        self
    }

    /// Takes a permit now, or none.
    ///
    /// # Errors
    /// When all are taken, or others wait for one.
    pub fn try_acquire(&self) -> Result<Permit, BulkheadFull> {
        self.take().ok_or_else(|| self.full(Why::Full))
    }

    /// Waits for a permit. It stands in line from its first poll on; dropped, it leaves the line, and a permit that had come goes to the next.
    ///
    /// # Errors
    /// At once when as many wait as may, else when no permit has come in time.
    pub fn acquire(&self) -> Acquire {
        self.acquire_within(Within::new(self.max_wait, None))
    }

    /// The same, and not beyond a deadline.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire), and when the deadline is over.
    pub fn acquire_before(&self, deadline: std::time::Instant) -> Acquire {
        self.acquire_within(Within::new(self.max_wait, Some(deadline)))
    }

    fn acquire_within(&self, within: Within) -> Acquire {
        Acquire { within, wait: Wait::New(self.clone()) }
    }

    /// How many may be taken at once.
    pub fn limit(&self) -> NonZeroUsize {
        self.shared.line.source().limit()
    }

    /// How many may wait.
    pub fn queue(&self) -> usize {
        self.shared.line.source().room()
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.shared.line.source().taken()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.shared.line.waiting()
    }

    /// Whose it is.
    pub fn subject(&self) -> &Subject {
        &self.shared.subject
    }

    /// As good as a new one.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.line.source().is_idle()
    }

    pub(crate) fn take(&self) -> Option<Permit> {
        self.shared.line.take(ONE).then(|| self.taken_one())
    }

    /// For what was taken from the line.
    pub(crate) fn taken_one(&self) -> Permit {
        Permit { shared: self.shared.clone() }
    }

    pub(crate) fn full(&self, why: Why) -> BulkheadFull {
        BulkheadFull::new(&self.shared.subject, self.limit(), self.queue(), why)
    }

    /// Why nothing has come of a wait, at `now`.
    pub(crate) fn too_long(&self, refused: Refused, now: Instant, within: Within) -> BulkheadFull {
        let is_over = |deadline: std::time::Instant| deadline <= now.into_std();
        self.full(match refused {
            Refused::Full => Why::Full,
            _ if within.deadline.is_some_and(is_over) => Why::Deadline,
            _ => Why::MaxWait { most: within.max_wait },
        })
    }
}

impl Lined for Bulkhead {
    type Source = Slots;

    fn line(&self) -> &Line<Slots> {
        &self.shared.line
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead")
            .field("subject", &self.shared.subject)
            .field("limit", &self.limit())
            .field("taken", &self.taken())
            .field("queue", &self.queue())
            .field("waiting", &self.waiting())
            .finish()
    }
}

/// Leave for one. Dropped, it is free for the next.
#[must_use = "dropped, it is free for the next"]
pub struct Permit {
    shared: Arc<Shared>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.line.give_back(ONE);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({})", self.shared.subject)
    }
}

/// The future of [`Bulkhead::acquire`].
#[derive(Debug)]
#[must_use = "it stands in line from its first poll on"]
pub struct Acquire {
    within: Within,
    wait: Wait<Bulkhead>,
}

impl Future for Acquire {
    type Output = Result<Permit, BulkheadFull>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { within, wait } = self.get_mut();
        wait.poll(ONE, *within, cx).map(|result| match result {
            Ok(bulkhead) => Ok(bulkhead.taken_one()),
            Err(TooLong { line, refused, now }) => Err(line.too_long(refused, now, *within)),
        })
    }
}
