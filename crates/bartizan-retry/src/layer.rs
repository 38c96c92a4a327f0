use std::fmt;
use std::sync::Arc;

use bartizan_core::{Chance, WallClock};
use tower_layer::Layer;

use crate::service::{Config, Retry};
use crate::{Backoff, MaxAttempts, Schedule, Standard};

/// Sends a request again when that may help and can do no harm.
///
/// ```
/// use std::time::Duration;
/// use bartizan_retry::{Backoff, MaxAttempts, RetryLayer};
///
/// let layer = RetryLayer::new()
///     .max_attempts(MaxAttempts::new(5)?)
///     .backoff(Backoff::exponential(Duration::from_millis(10), Duration::from_secs(1))?);
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RetryLayer<P = Standard, H = ()> {
    config: Config<P, H>,
}

impl RetryLayer {
    /// 3 attempts of idempotent requests, with full jitter and `Retry-After`. See the [crate's docs](crate#defaults).
    pub fn new() -> Self {
        Self::with_policy(Standard::default())
    }

    /// Sends everything once. The same type as [`new`](Self::new), for configuration; beside a policy of your own
    /// `max_attempts` of 1 does the same.
    pub fn disabled() -> Self {
        let mut layer = Self::new();
        layer.config.enabled = false;
        layer
    }
}

impl<P> RetryLayer<P> {
    /// By another policy: a closure, a [`Standard`] with another classifier, or your own.
    pub fn with_policy(policy: P) -> Self {
        let config = Config {
            enabled: true,
            policy,
            hook: (),
            schedule: Schedule::new(),
            wall_clock: WallClock::system(),
        };
        Self { config }
    }
}

impl<P, H> RetryLayer<P, H> {
    /// At most so many attempts in all, the first included. 3 by default ([`MaxAttempts::DEFAULT`]).
    #[must_use]
    pub fn max_attempts(self, attempts: MaxAttempts) -> Self {
        self.reschedule(|schedule| schedule.max_attempts(attempts))
    }

    /// The waits after failures. [`Backoff::TRANSIENT`] by default: 50 ms, doubled up to 20 s.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.reschedule(|schedule| schedule.backoff(backoff))
    }

    /// The waits after 425 and 429 without `Retry-After`. [`Backoff::THROTTLED`] by default: 1 s, doubled up to 20 s.
    #[must_use]
    pub fn throttled_backoff(self, backoff: Backoff) -> Self {
        self.reschedule(|schedule| schedule.throttled_backoff(backoff))
    }

    /// Where jitter comes from: a seed makes a test repeatable. Seeded from the operating system by default.
    #[must_use]
    pub fn chance(self, chance: Chance) -> Self {
        self.reschedule(|schedule| schedule.chance(chance))
    }

    /// What a date in `Retry-After` is measured against when the answer has no `Date`. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.config.wall_clock = clock;
        self
    }

    /// Tells `hook` of every retry and of every failure that is not retried. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> RetryLayer<P, G> {
        let Config { enabled, policy, schedule, wall_clock, .. } = self.config;
        RetryLayer { config: Config { enabled, policy, hook, schedule, wall_clock } }
    }

    fn reschedule(mut self, change: impl FnOnce(Schedule) -> Schedule) -> Self {
        self.config.schedule = change(self.config.schedule);
        self
    }
}

impl Default for RetryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, P: Clone, H: Clone> Layer<S> for RetryLayer<P, H> {
    type Service = Retry<S, P, H>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry { inner, config: Arc::new(self.config.clone()) }
    }
}

impl<P, H> fmt::Debug for RetryLayer<P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RetryLayer").field(&self.config).finish()
    }
}
