use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{KeyBy, PerKey, Readied, Refuse, RequestHead, Respond, WallClock};
use tower_layer::Layer;

use crate::backend::QuotaFor;
use crate::cost::Costs;
use crate::gate::{Gate, GateLine};
use crate::limiter::MAX_WAIT;
use crate::line::Line;
use crate::service::{Config, RateLimit};
use crate::{InMemory, Quota, RateLimiter};

/// Sends no more than a quota allows, in the order in which calls came, and heeds what the server says of its own quotas.
///
/// ```
/// use bartizan_rate_limit::{Quota, RateLimitLayer};
///
/// let layer = RateLimitLayer::new(Quota::per_second(50)?);
/// # let _ = layer;
/// # Ok::<(), bartizan_rate_limit::InvalidQuota>(())
/// ```
pub struct RateLimitLayer<F = Refuse, H = (), B = InMemory> {
    config: Config<H, B>,
    rebuild: Rebuild,
    face: PhantomData<fn() -> F>,
}

/// What the buckets in memory are made of.
#[derive(Clone)]
struct Rebuild {
    quota: Option<Quota>,
    quota_for: Option<QuotaFor>,
    key: KeyBy,
    max_keys: NonZeroUsize,
}

/// About a megabyte and a half, if all are in use.
pub(crate) const MAX_KEYS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

impl RateLimitLayer {
    /// A bucket for each origin.
    pub fn new(quota: Quota) -> Self {
        Self::of(Some(quota))
    }

    /// 60 tokens, of which one comes back each second: [`Quota::classic`].
    pub fn classic() -> Self {
        Self::new(Quota::classic())
    }

    /// No quota of its own: heeds what the server says, and nothing else.
    pub fn without_quota() -> Self {
        Self::of(None)
    }

    /// Lets everything through and heeds nothing. The same type, for configuration.
    pub fn disabled() -> Self {
        Self::without_quota().without_feedback()
    }

    fn of(quota: Option<Quota>) -> Self {
        let rebuild = Rebuild { quota, quota_for: None, key: KeyBy::origin(), max_keys: MAX_KEYS };
        let config = Config {
            backend: rebuild.build(),
            gates: Some(gates(MAX_KEYS)),
            pauses_on_503: true,
            costs: Costs::default(),
            max_wait: MAX_WAIT,
            hook: (),
            wall_clock: WallClock::system(),
            is_server: false,
        };
        Self { config, rebuild, face: PhantomData }
    }
}

impl<F, H> RateLimitLayer<F, H> {
    /// What calls have in common that share a bucket. Their origin by default; on the server side see [`Peers`](crate::Peers). The buckets are
    /// new ones.
    #[must_use]
    pub fn key_by(mut self, key: KeyBy) -> Self {
        self.rebuild.key = key;
        self.renewed()
    }

    /// Buckets are kept for at most so many keys beside the first. Of the others those make room that are full, which is as good as new; keys that
    /// find none share one bucket. 10,000 by default. The buckets are new ones.
    #[must_use]
    pub fn max_keys(mut self, most: NonZeroUsize) -> Self {
        self.rebuild.max_keys = most;
        self.renewed()
    }

    /// Another quota for some: asked when a key is first met. `None` means that of the layer, which all have by default. The buckets are new ones.
    #[must_use]
    pub fn quota_for<Q>(mut self, quota_for: Q) -> Self
    where
        Q: Fn(&RequestHead<'_>) -> Option<Quota> + Send + Sync + 'static,
    {
        self.rebuild.quota_for = Some(Arc::new(quota_for));
        self.renewed()
    }

    /// The buckets that there are by now, as handles.
    pub fn limiters(&self) -> Vec<RateLimiter> {
        self.config.backend.limiters()
    }

    fn renewed(mut self) -> Self {
        self.config.backend = self.rebuild.build();
        self
    }
}

impl<F, H, B> RateLimitLayer<F, H, B> {
    /// What calls have in common that share a bucket in memory; `None` if there is no quota.
    pub fn key(&self) -> Option<&KeyBy> {
        let Rebuild { quota, quota_for, key, .. } = &self.rebuild;
        (quota.is_some() || quota_for.is_some()).then_some(key)
    }

    /// Tokens are kept elsewhere; by default in memory. Feedback and waiting for it stay in this process.
    pub fn backend<C>(self, backend: C) -> RateLimitLayer<F, H, C> {
        let Self {
            config: Config { gates, pauses_on_503, costs, max_wait, hook, wall_clock, is_server, .. },
            rebuild,
            ..
        } = self;
        let config = Config { backend, gates, pauses_on_503, costs, max_wait, hook, wall_clock, is_server };
        RateLimitLayer { config, rebuild, face: PhantomData }
    }

    /// How many tokens a request costs. By default what [`Cost`](crate::Cost) in its extensions says, or one. Zero costs nothing.
    #[must_use]
    pub fn cost<C>(mut self, cost: C) -> Self
    where
        C: Fn(&RequestHead<'_>) -> u32 + Send + Sync + 'static,
    {
        self.config.costs = Costs::Closure(Arc::new(cost));
        self
    }

    /// How long a call waits at most, for tokens and before a closed gate together. 30 s by default, as long as a whole call has; nothing after
    /// [`respond`](Self::respond).
    #[must_use]
    pub fn max_wait(mut self, most: Duration) -> Self {
        self.config.max_wait = most;
        self
    }

    /// What the server says of its quotas, which by default is heeded, is not, and a 429 is none of this layer's business.
    #[must_use]
    pub fn without_feedback(mut self) -> Self {
        self.config.gates = None;
        self
    }

    /// A 503 with `Retry-After` pauses nothing, which by default it does: it is left to retry and the circuit breaker. For servers that are overloaded
    /// rather than down, where all who waited for the end of the pause would overload them again. A 429 pauses as before.
    #[must_use]
    pub fn without_pause_on_503(mut self) -> Self {
        self.config.pauses_on_503 = false;
        self
    }

    /// What dates and epochs are measured against when the answer has no `Date`. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.config.wall_clock = clock;
        self
    }

    /// Tells `hook` of refusals, waits and pauses. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> RateLimitLayer<F, G, B> {
        let Self {
            config: Config { backend, gates, pauses_on_503, costs, max_wait, wall_clock, is_server, .. },
            rebuild,
            ..
        } = self;
        let config = Config { backend, gates, pauses_on_503, costs, max_wait, hook, wall_clock, is_server };
        RateLimitLayer { config, rebuild, face: PhantomData }
    }

    /// For the server side: answers 429 with problem details and `Retry-After` in place of an error, the default, tells in every answer how it stands
    /// (`RateLimit-Policy`, `RateLimit`), keeps the inner error type, waits for nothing and heeds no answers.
    pub fn respond(self) -> RateLimitLayer<Respond, H, B> {
        let Self { mut config, rebuild, .. } = self;
        config.gates = None;
        config.max_wait = Duration::ZERO;
        config.is_server = true;
        RateLimitLayer { config, rebuild, face: PhantomData }
    }
}

impl Rebuild {
    fn build(&self) -> InMemory {
        let Self { quota, quota_for, key, max_keys } = self.clone();
        quota.map_or(InMemory::unlimited(), |quota| InMemory::new(quota, quota_for, key, max_keys))
    }
}

/// One for each origin and partition: what the server says to one tenant need not be true of another.
fn gates(max_keys: NonZeroUsize) -> Arc<PerKey<GateLine>> {
    Arc::new(PerKey::new(KeyBy::partition(), max_keys, |line| line.source().is_idle()))
}

pub(crate) fn open_gate() -> GateLine {
    Line::new(Gate::default())
}

impl<F, H: Clone, B: Clone> Clone for RateLimitLayer<F, H, B> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), rebuild: self.rebuild.clone(), face: PhantomData }
    }
}

impl<S, F, H: Clone, B: Clone> Layer<S> for RateLimitLayer<F, H, B> {
    type Service = RateLimit<S, F, H, B>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit { inner: Readied::new(inner), config: Arc::new(self.config.clone()), face: PhantomData }
    }
}

impl<F, H, B: fmt::Debug> fmt::Debug for RateLimitLayer<F, H, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("backend", &self.config.backend)
            .field("max_wait", &self.config.max_wait)
            .field("heeds_feedback", &self.config.gates.is_some())
            .finish_non_exhaustive()
    }
}
