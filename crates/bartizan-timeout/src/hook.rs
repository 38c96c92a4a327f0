use std::sync::Arc;

use crate::{AttemptTimedOut, BodyStalled, BodyTooSlow, DeadlineExceeded};

/// Told of every call, and every body, that a timeout layer ended. `()` is told nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bartizan_timeout::{AttemptTimeoutLayer, Hook, TimedOut};
///
/// #[derive(Default)]
/// struct Count(AtomicU64);
///
/// impl Hook for Count {
///     fn timed_out(&self, _: TimedOut<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let count = Arc::new(Count::default());
/// let layer = AttemptTimeoutLayer::default().hook(count.clone());
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_timeout::Hook`",
    note = "a closure is none: implement `timed_out` for a type of your own; an `Arc` of a hook is one too"
)]
pub trait Hook {
    /// Called before the error is returned.
    fn timed_out(&self, event: TimedOut<'_>);
}

impl Hook for () {
    fn timed_out(&self, _: TimedOut<'_>) {}
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn timed_out(&self, event: TimedOut<'_>) {
        (**self).timed_out(event);
    }
}

/// What ended the call, or the reading of its body.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TimedOut<'a> {
    /// An attempt took too long.
    Attempt(&'a AttemptTimedOut),
    /// The whole call took too long, or had no time left to start with.
    Deadline(&'a DeadlineExceeded),
    /// The next frame of a body did not come.
    BodyStalled(&'a BodyStalled),
    /// Too little of a body came.
    BodyTooSlow(&'a BodyTooSlow),
}
