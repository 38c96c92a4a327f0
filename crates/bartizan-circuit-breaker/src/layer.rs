use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_core::{ByStatus, KeyBy, Readied, Refuse, Respond, WallClock};
use tower_layer::Layer;

use crate::circuits::Circuits;
use crate::service::{CircuitBreakerService, Judge};
use crate::{CircuitBreaker, GateLayer, OnTransition, Settings};

/// Stops calling an origin that fails, and finds out when it is well again.
///
/// One circuit for each origin (scheme, host and port) or other key, which all services share that this layer and its clones make.
///
/// ```
/// use bartizan_circuit_breaker::{CircuitBreakerLayer, Settings, Trip};
/// use std::time::Duration;
///
/// let layer = CircuitBreakerLayer::new();
/// let eager = CircuitBreakerLayer::with_settings(
///     Settings::new().trip(Trip::rate(0.2, 20, Duration::from_secs(10))?).open_for(Duration::from_secs(1)),
/// );
/// # let _ = (layer, eager);
/// # Ok::<(), bartizan_circuit_breaker::InvalidTrip>(())
/// ```
pub struct CircuitBreakerLayer<C = ByStatus, F = Refuse, H = ()> {
    circuits: Arc<Circuits<H>>,
    judge: Judge<C>,
    key: KeyBy,
    max_keys: NonZeroUsize,
    face: PhantomData<fn() -> F>,
}

/// So many keys beside the first: far more origins than most clients have.
const MAX_KEYS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

impl CircuitBreakerLayer {
    /// With the default [`Settings`].
    pub fn new() -> Self {
        Self::with_settings(Settings::new())
    }

    /// With other settings.
    pub fn with_settings(settings: Settings) -> Self {
        let circuits = Arc::new(Circuits::per_key(settings, (), KeyBy::origin(), MAX_KEYS));
        let judge = Judge { classifier: ByStatus, wall_clock: WallClock::system(), head_only: false };
        Self { circuits, judge, key: KeyBy::origin(), max_keys: MAX_KEYS, face: PhantomData }
    }

    /// Lets everything through and counts nothing. The same type, for configuration.
    pub fn disabled() -> Self {
        let mut layer = Self::new();
        layer.circuits = Arc::new(Circuits::none(Settings::new(), ()));
        layer
    }
}

impl<H: OnTransition + Clone> CircuitBreakerLayer<ByStatus, Refuse, H> {
    /// All calls share this one circuit, wherever they go.
    pub fn shared(breaker: CircuitBreaker<H>) -> Self {
        let (settings, hook) = (breaker.settings().clone(), breaker.hook().clone());
        let circuits = Arc::new(Circuits::shared(breaker, settings, hook));
        let judge = Judge { classifier: ByStatus, wall_clock: WallClock::system(), head_only: false };
        Self { circuits, judge, key: KeyBy::origin(), max_keys: MAX_KEYS, face: PhantomData }
    }
}

impl<C, F, H: OnTransition + Clone> CircuitBreakerLayer<C, F, H> {
    /// By another classifier, which may be the one that retry has. By default 408, 500, 502, 503, 504 and errors are failures.
    pub fn classifier<D>(self, classifier: D) -> CircuitBreakerLayer<D, F, H> {
        let Self { circuits, judge, key, max_keys, face } = self;
        let Judge { wall_clock, head_only, .. } = judge;
        CircuitBreakerLayer {
            circuits,
            judge: Judge { classifier, wall_clock, head_only },
            key,
            max_keys,
            face,
        }
    }

    /// A good head is a success at once, whatever becomes of the body. By default a body that breaks off is a failure.
    #[must_use]
    pub fn head_only(mut self) -> Self {
        self.judge.head_only = true;
        self
    }

    /// Tells `hook` of each change of each circuit. By default nobody is told. The circuits are new ones, one for each key.
    pub fn on_transition<G: OnTransition + Clone>(self, hook: G) -> CircuitBreakerLayer<C, F, G> {
        let Self { circuits, judge, key, max_keys, face } = self;
        let circuits = Arc::new(circuits.renewed(hook, key.clone(), max_keys));
        CircuitBreakerLayer { circuits, judge, key, max_keys, face }
    }

    /// What calls have in common that share a circuit. Their origin by default. The circuits are new ones.
    #[must_use]
    pub fn key_by(mut self, key: KeyBy) -> Self {
        self.key = key;
        self.renew()
    }

    /// Circuits are kept for at most so many keys beside the first; of the others only closed and idle ones make room, and a key that
    /// finds none goes without. 1,024 by default. The circuits are new ones.
    #[must_use]
    pub fn max_keys(mut self, most: NonZeroUsize) -> Self {
        self.max_keys = most;
        self.renew()
    }

    fn renew(mut self) -> Self {
        let hook = self.circuits.hook().clone();
        self.circuits = Arc::new(self.circuits.renewed(hook, self.key.clone(), self.max_keys));
        self
    }

    /// What a date in `Retry-After` is measured against when the answer has no `Date`. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.judge.wall_clock = clock;
        self
    }

    /// Answers 503 with problem details and `Retry-After` in place of an error, the default, and keeps the inner error type. For the server
    /// side.
    pub fn respond(self) -> CircuitBreakerLayer<C, Respond, H> {
        let Self { circuits, judge, key, max_keys, .. } = self;
        CircuitBreakerLayer { circuits, judge, key, max_keys, face: PhantomData }
    }

    /// A second layer for further out, which only looks: while a circuit is open and not due it refuses, so that nobody queues for a
    /// token, or fetches one, for a call that will be refused. It never lets a call through that this layer would not.
    pub fn gate(&self) -> GateLayer<F, H> {
        GateLayer { circuits: self.circuits.clone(), face: PhantomData }
    }

    /// What calls have in common that share a circuit; `None` if all share one, or there is none.
    pub fn key(&self) -> Option<&KeyBy> {
        self.circuits.is_per_key().then_some(&self.key)
    }

    /// The circuits that there are by now, as handles.
    pub fn circuits(&self) -> Vec<CircuitBreaker<H>> {
        self.circuits.all()
    }
}

impl Default for CircuitBreakerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clone, F, H> Clone for CircuitBreakerLayer<C, F, H> {
    fn clone(&self) -> Self {
        Self {
            circuits: self.circuits.clone(),
            judge: self.judge.clone(),
            key: self.key.clone(),
            max_keys: self.max_keys,
            face: PhantomData,
        }
    }
}

impl<S, C: Clone, F, H> Layer<S> for CircuitBreakerLayer<C, F, H> {
    type Service = CircuitBreakerService<S, C, F, H>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreakerService {
            inner: Readied::new(inner),
            circuits: self.circuits.clone(),
            judge: self.judge.clone(),
            face: PhantomData,
        }
    }
}

impl<C, F, H: OnTransition + Clone> fmt::Debug for CircuitBreakerLayer<C, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerLayer")
            .field("key_by", &self.key)
            .field("settings", self.circuits.settings())
            .finish_non_exhaustive()
    }
}
