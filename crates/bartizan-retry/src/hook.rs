use std::sync::Arc;
use std::time::Duration;

use crate::{Attempt, Stop};

/// Told of every retry, and of every failure that was not sent again. `()` is told nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bartizan_retry::{Hook, RetryLayer, Retrying};
///
/// #[derive(Default)]
/// struct Count(AtomicU64);
///
/// impl Hook for Count {
///     fn retrying(&self, _: &Retrying<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let count = Arc::new(Count::default());
/// let layer = RetryLayer::new().hook(count.clone());
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_retry::Hook`",
    note = "a closure is none: implement `retrying` or `stopped` for a type of your own; \
            an `Arc` of a hook is one too"
)]
pub trait Hook {
    /// An attempt failed, and there will be another after the wait.
    fn retrying(&self, event: &Retrying<'_>) {
        let _ = event;
    }

    /// An attempt failed, and its result goes to the caller.
    fn stopped(&self, event: &Stopped<'_>) {
        let _ = event;
    }
}

impl Hook for () {}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn retrying(&self, event: &Retrying<'_>) {
        (**self).retrying(event);
    }

    fn stopped(&self, event: &Stopped<'_>) {
        (**self).stopped(event);
    }
}

/// There will be another attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Retrying<'a> {
    /// The attempt that failed.
    pub attempt: Attempt<'a>,
    /// How long until the next.
    pub wait: Duration,
    /// What called for it.
    pub cause: Cause,
    /// How many retries its budget pays for now; `None` without one.
    pub budget_left: Option<u32>,
}

/// Why there will be another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The attempt failed.
    Failed,
    /// A layer below refused, and is waited for. Nothing was sent, so it is no attempt.
    Refused,
    /// The transport is sure that the request was not processed, so it is no attempt.
    NotProcessed,
    /// A layer below asks for it ([`ReplayNow`](bartizan_core::ReplayNow)).
    Asked,
}

impl Cause {
    /// One word, for metrics and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::NotProcessed => "not_processed",
            Self::Asked => "asked",
        }
    }
}

/// There will be none.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Stopped<'a> {
    /// The attempt that failed.
    pub attempt: Attempt<'a>,
    /// Why it was the last.
    pub why: Stop,
    /// How many retries its budget pays for now; `None` without one.
    pub budget_left: Option<u32>,
}
