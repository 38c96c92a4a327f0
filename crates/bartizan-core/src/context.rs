use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Extensions;

/// What the layers of one call know about it: its deadline, its overrides, whose it is.
///
/// It travels in the request's extensions as *one* value, because the first insertion into [`Extensions`] allocates.
/// Whoever must speak first puts it in with [`CallContext::edit`]; all others read it with [`CallContext::of`].
///
/// ```
/// use bartizan_core::CallContext;
///
/// let mut request = http::Request::new(());
/// CallContext::edit(request.extensions_mut()).retry_mut().safe_to_repeat = true;
/// assert!(CallContext::of(request.extensions()).is_some_and(|call| call.retry().safe_to_repeat));
/// ```
#[derive(Clone, Default)]
pub struct CallContext {
    deadline: Option<Deadline>,
    retry: RetryOverride,
    cache: CacheOverride,
    attempt: Option<NonZeroU32>,
    partition: Option<Arc<str>>,
    through_body: Option<ThroughBody>,
}

impl CallContext {
    /// The context of a call, if a layer or the caller has set one.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// The context of a call, put in first if there is none.
    pub fn edit(extensions: &mut Extensions) -> &mut Self {
        extensions.get_or_insert_default()
    }

    /// For work that the call sets off and does not wait for: whose it is, without the call's deadline and attempt.
    #[must_use]
    pub fn outliving(&self) -> Self {
        let partition = self.partition.clone();
        Self { retry: self.retry, cache: self.cache, partition, ..Self::default() }
    }

    /// When the whole call must be over.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// Sets the deadline, unless an earlier one is set already: a deadline is only ever shortened.
    pub fn shorten_deadline(&mut self, deadline: Deadline) {
        if self.deadline.is_none_or(|earlier| deadline.at < earlier.at) {
            self.deadline = Some(deadline);
        }
    }

    /// Whether the deadline bounds the response's body too, if somebody has a say in that.
    pub fn through_body(&self) -> Option<&ThroughBody> {
        self.through_body.as_ref()
    }

    /// The switch for that, put in first if there is none, and off until somebody turns it on.
    pub fn through_body_mut(&mut self) -> &ThroughBody {
        self.through_body.get_or_insert_default()
    }

    /// What the caller said about retries of this one call.
    pub fn retry(&self) -> RetryOverride {
        self.retry
    }

    /// What the caller says about retries of this one call.
    pub fn retry_mut(&mut self) -> &mut RetryOverride {
        &mut self.retry
    }

    /// What the caller said about the cache for this one call.
    pub fn cache(&self) -> CacheOverride {
        self.cache
    }

    /// What the caller says about the cache for this one call.
    pub fn cache_mut(&mut self) -> &mut CacheOverride {
        &mut self.cache
    }

    /// Which attempt this is, from the second on. The first attempt carries no number: `None`.
    pub fn attempt(&self) -> Option<NonZeroU32> {
        self.attempt
    }

    /// Numbers the attempt. For layers that send more than once.
    pub fn set_attempt(&mut self, number: NonZeroU32) {
        self.attempt = Some(number);
    }

    /// Whose call it is: entries of one partition are never shown to another.
    pub fn partition(&self) -> Option<&str> {
        self.partition.as_deref()
    }

    /// Sets whose call it is. Printed by nobody: `Debug` shows `..`.
    pub fn set_partition(&mut self, partition: impl Into<Arc<str>>) {
        self.partition = Some(partition.into());
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext")
            .field("deadline", &self.deadline)
            .field("retry", &self.retry)
            .field("cache", &self.cache)
            .field("attempt", &self.attempt)
            .field("partition", &self.partition.as_ref().map(|_| format_args!("..")))
            .field("through_body", &self.through_body)
            .finish()
    }
}

/// An instant by which a call must have its answer, and when its time began to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadline {
    /// When the call began.
    pub started: Instant,
    /// When it must be over.
    pub at: Instant,
}

impl Deadline {
    /// `total` after `started`; `None` where that is beyond what the clock can show.
    pub fn after(started: Instant, total: Duration) -> Option<Self> {
        Some(Self { started, at: started.checked_add(total)? })
    }

    /// What is left at `now`; zero once it is over.
    pub fn left(&self, now: Instant) -> Duration {
        self.at.saturating_duration_since(now)
    }

    /// The whole of the time that was given.
    pub fn total(&self) -> Duration {
        self.at.saturating_duration_since(self.started)
    }
}

/// Switches the deadline of one call on for the response's body too. Off, it ends at the head.
///
/// Clones share the switch. It may be turned when the head is there already, by the one who then knows whether the body is
/// read at once or streamed to somebody who takes his time.
///
/// ```
/// use bartizan_core::CallContext;
///
/// let mut request = http::Request::new(());
/// let through_body = CallContext::edit(request.extensions_mut()).through_body_mut().clone();
/// // ... the request is sent, the head comes ...
/// through_body.turn_on();
/// assert!(through_body.is_on());
/// ```
#[derive(Clone, Default)]
pub struct ThroughBody {
    on: Arc<AtomicBool>,
}

impl ThroughBody {
    /// From now on the deadline bounds the body.
    pub fn turn_on(&self) {
        // It guards no other memory.
        self.on.store(true, Ordering::Relaxed);
    }

    /// Whether the deadline bounds the body.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for ThroughBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ThroughBody").field(&self.is_on()).finish()
    }
}

/// What a caller says about the retries of one call. The default says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryOverride {
    /// Never send this call again.
    pub off: bool,
    /// At most so many attempts in all, the first one included, in place of the policy's number.
    pub attempts: Option<NonZeroU32>,
    /// This request may be sent twice although its method does not promise it.
    pub safe_to_repeat: bool,
}

/// What a caller says about the cache for one call. The default says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheOverride {
    /// What may answer.
    pub mode: CacheMode,
    /// The answer to this call is fresh for so long, whatever it says. What forbids that it is stored stands.
    pub ttl: Option<Duration>,
}

/// What may answer a call, in the words of the Fetch standard's cache modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheMode {
    /// What the request and the response allow.
    #[default]
    Default,
    /// The origin alone, and what it answers is not stored. A change that it confirms is still known to the cache.
    NoStore,
    /// The origin alone, and what it answers is stored.
    Reload,
    /// What is stored, however old it is, unless it forbids that; else the origin.
    ForceCache,
}

/// In a response's extensions: how many attempts were made for it, where there was more than one or no further one was
/// allowed. If the response is a failure, its retries are spent; for an error the mark is
/// [`RetriesSpent`](crate::RetriesSpent).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts(pub NonZeroU32);

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests need some instant to start from")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_deadline_is_only_shortened() {
        let start = Instant::now();
        let of = |total| Deadline::after(start, total).unwrap();
        let mut call = CallContext::default();
        for (offered, kept) in [(5, 5), (9, 5), (5, 5), (2, 2)] {
            call.shorten_deadline(of(offered * SECOND));
            assert_eq!(call.deadline(), Some(of(kept * SECOND)));
        }
        let same = Deadline::after(start + SECOND, SECOND).unwrap();
        call.shorten_deadline(same);
        assert_eq!(call.deadline().unwrap().started, start, "what ends at the same time is no shorter");
    }

    #[test]
    fn what_outlives_the_call_knows_whose_it_is_and_no_deadline() {
        let mut call = CallContext::default();
        call.set_partition("me");
        call.set_attempt(NonZeroU32::MIN);
        call.retry_mut().safe_to_repeat = true;
        call.cache_mut().ttl = Some(SECOND);
        call.shorten_deadline(Deadline::after(Instant::now(), SECOND).unwrap());
        call.through_body_mut().turn_on();
        let work = call.outliving();
        assert_eq!((work.partition(), work.retry().safe_to_repeat), (Some("me"), true));
        assert_eq!(work.cache().ttl, Some(SECOND));
        assert!(work.deadline().is_none() && work.attempt().is_none() && work.through_body().is_none());
    }

    #[test]
    fn what_is_left_ends_at_zero() {
        let start = Instant::now();
        let deadline = Deadline::after(start, 3 * SECOND).unwrap();
        assert_eq!(deadline.left(start + SECOND), 2 * SECOND);
        assert_eq!(deadline.left(start + 9 * SECOND), Duration::ZERO);
        assert_eq!(deadline.total(), 3 * SECOND);
        assert_eq!(Deadline::after(start, Duration::MAX), None);
    }

    #[test]
    fn a_switch_is_shared_by_the_copies_of_a_call() {
        let mut call = CallContext::default();
        assert!(call.through_body().is_none());
        assert!(!call.through_body_mut().is_on());
        let copy = call.clone();
        call.through_body_mut().turn_on();
        assert!(copy.through_body().is_some_and(ThroughBody::is_on));
    }

    #[test]
    fn the_partition_is_not_printed() {
        let mut call = CallContext::default();
        call.set_partition("tenant-of-alice");
        assert!(!format!("{call:?}").contains("alice"));
        assert!(format!("{call:?}").contains(".."));
    }
}
