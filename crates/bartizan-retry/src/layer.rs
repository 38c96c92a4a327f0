use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Chance, KeyBy, WallClock};
use http::HeaderName;
use tower_layer::Layer;

use crate::service::{Config, Retry};
use crate::spending::Accounts;
use crate::{Backoff, Budget, MaxAttempts, Schedule, Standard};

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
    /// 3 attempts of idempotent requests, with full jitter, `Retry-After` and a budget. See the [crate's docs](crate#defaults).
    pub fn new() -> Self {
        Self::with_policy(Standard::default())
    }

    /// As many write it by hand, for those who port such code: three retries after the first attempt, 1 s, 2 s and 4 s apart without
    /// jitter, after 408, 429, 500, 502, 503, 504 and transport errors, and without a budget. It goes with an
    /// `AttemptTimeoutLayer` of 30 s inside.
    ///
    /// What stays is the rule of methods: a POST is not sent twice. Callers who fail together come back together, and an origin that
    /// is down gets four times the load; go on to [`new`](Self::new) when you can.
    pub fn classic() -> Self {
        Self::with_policy(Standard::CLASSIC)
            .max_attempts(MaxAttempts::CLASSIC)
            .backoff(Backoff::CLASSIC)
            .throttled_backoff(Backoff::CLASSIC)
            .budget(Budget::none())
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
            accounts: Accounts::new(Budget::new(), KeyBy::origin()),
            wall_clock: WallClock::system(),
            spent_field: None,
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

    /// How many retries all calls to one origin make together. [`Budget::new`] by default: a fifth of the successes.
    ///
    /// The state belongs to this layer: all services that it and its clones make share it.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.config.accounts = Accounts::new(budget, self.config.accounts.key_by().clone());
        self
    }

    /// What calls have in common that share a budget. Their origin by default. A circuit breaker should go by the same.
    #[must_use]
    pub fn key_by(mut self, key: KeyBy) -> Self {
        self.config.accounts = Accounts::new(self.config.accounts.budget(), key);
        self
    }

    /// A header field that tells tiers in other processes that retries are spent: this layer writes it into a failed answer that it
    /// gives back after several attempts, for want of a budget, or because a tier below has spent its own, and does not send a
    /// request again whose failed answer has it. No field by default, and there is no standard one; both sides have to
    /// agree on a name.
    ///
    /// Within a process no field is needed, see [`RetriesSpent`](bartizan_core::RetriesSpent).
    #[must_use]
    pub fn spent_field(mut self, name: HeaderName) -> Self {
        self.config.spent_field = Some(name);
        self
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
        let Config { enabled, policy, schedule, accounts, wall_clock, spent_field, .. } = self.config;
        RetryLayer { config: Config { enabled, policy, hook, schedule, accounts, wall_clock, spent_field } }
    }

    /// The longest waits between attempts after failures, one after the other, where the origin asks for none: as many as there are retries, none if
    /// it is [`disabled`](RetryLayer::disabled).
    pub fn longest_waits(&self) -> impl Iterator<Item = Duration> {
        let schedule = self.config.enabled.then_some(&self.config.schedule);
        schedule.into_iter().flat_map(Schedule::longest_waits)
    }

    /// What calls have in common that share a budget; `None` if there is none.
    pub fn key(&self) -> Option<&KeyBy> {
        let accounts = &self.config.accounts;
        accounts.budget().is_limited.then(|| accounts.key_by())
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
