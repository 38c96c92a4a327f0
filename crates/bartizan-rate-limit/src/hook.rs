use std::sync::Arc;
use std::time::Duration;

use bartizan_core::Subject;

use crate::RateLimited;
use crate::bulkhead::BulkheadFull;

/// Told of what a rate limit or a bulkhead does beyond letting calls through. `()` is told nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_rate_limit::Hook`",
    note = "a closure `|event: &Event<'_>|` is one, and so is an `Arc` of one"
)]
pub trait Hook {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call is not let through.
    Refused(&'a RateLimited),
    /// A call is not let through, since as many are under way as may be.
    BulkheadFull(&'a BulkheadFull),
    /// A call is let through after a wait.
    Waited(Duration),
    /// An answer has closed the gate for all calls of a quota.
    #[non_exhaustive]
    Paused {
        /// Whose gate.
        subject: &'a Subject,
        /// For how long.
        lasts: Duration,
    },
}

impl Hook for () {
    fn event(&self, _: &Event<'_>) {}
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn event(&self, event: &Event<'_>) {
        (**self).event(event);
    }
}

impl<F: Fn(&Event<'_>)> Hook for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}
