use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{KeyBy, Readied, Refuse, Respond};
use tower_layer::Layer;

use super::Bulkhead;
use super::bulkheads::Bulkheads;
use super::service::{BulkheadService, Config};
use crate::layer::MAX_KEYS;
use crate::limiter::MAX_WAIT;

/// At most so many calls under way for each origin (scheme, host and port) or other key, until the end of their answers' bodies.
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
/// use bartizan_rate_limit::bulkhead::BulkheadLayer;
///
/// # let layer = || -> Option<BulkheadLayer> {
/// let twenty = NonZeroUsize::new(20)?;
/// let layer = BulkheadLayer::new(twenty).queue(100).max_wait(Duration::from_secs(2));
/// # Some(layer) };
/// # assert!(layer().is_some());
/// ```
pub struct BulkheadLayer<F = Refuse, H = ()> {
    config: Config<H>,
    rebuild: Rebuild,
    face: PhantomData<fn() -> F>,
}

/// What the bulkheads are made of.
#[derive(Clone)]
struct Rebuild {
    /// `None` where there are none.
    limit: Option<NonZeroUsize>,
    queue: usize,
    key: KeyBy,
    max_keys: NonZeroUsize,
}

impl BulkheadLayer {
    /// At most `limit` calls at once for each origin.
    pub fn new(limit: NonZeroUsize) -> Self {
        Self::of(Some(limit))
    }

    /// Lets everything through. The same type, for configuration.
    pub fn disabled() -> Self {
        Self::of(None)
    }

    fn of(limit: Option<NonZeroUsize>) -> Self {
        let rebuild = Rebuild { limit, queue: 0, key: KeyBy::origin(), max_keys: MAX_KEYS };
        let config = Config { bulkheads: rebuild.build(), max_wait: MAX_WAIT, hook: () };
        Self { config, rebuild, face: PhantomData }
    }
}

impl<F, H> BulkheadLayer<F, H> {
    /// How many more calls of each key may wait, in the order in which they came. None by default: they are refused at once. The bulkheads
    /// are new ones.
    #[must_use]
    pub fn queue(mut self, most: usize) -> Self {
        self.rebuild.queue = most;
        self.renewed()
    }

    /// How long a call waits at most. 30 s by default, as long as a whole call has. The call's deadline ends a wait too.
    #[must_use]
    pub fn max_wait(mut self, most: Duration) -> Self {
        self.config.max_wait = most;
        self
    }

    /// What calls have in common that share a bulkhead. Their origin by default; on the server side see [`Peers`](crate::Peers). The
    /// bulkheads are new ones.
    #[must_use]
    pub fn key_by(mut self, key: KeyBy) -> Self {
        self.rebuild.key = key;
        self.renewed()
    }

    /// Bulkheads are kept for at most so many keys beside the first. Of the others those make room that no call is under way in; keys that find
    /// none share one bulkhead. 10,000 by default. The bulkheads are new ones.
    #[must_use]
    pub fn max_keys(mut self, most: NonZeroUsize) -> Self {
        self.rebuild.max_keys = most;
        self.renewed()
    }

    /// Tells `hook` of refusals and waits. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> BulkheadLayer<F, G> {
        let Self { config: Config { bulkheads, max_wait, .. }, rebuild, face } = self;
        BulkheadLayer { config: Config { bulkheads, max_wait, hook }, rebuild, face }
    }

    /// For the server side: answers 503 with problem details in place of an error, the default, and keeps the inner error type.
    pub fn respond(self) -> BulkheadLayer<Respond, H> {
        let Self { config, rebuild, .. } = self;
        BulkheadLayer { config, rebuild, face: PhantomData }
    }

    /// The bulkheads that there are by now, as handles.
    pub fn bulkheads(&self) -> Vec<Bulkhead> {
        let all = self.config.bulkheads.iter().flat_map(|bulkheads| bulkheads.all());
        all.map(|bulkhead| bulkhead.max_wait(self.config.max_wait)).collect()
    }

    fn renewed(mut self) -> Self {
        self.config.bulkheads = self.rebuild.build();
        self
    }
}

impl Rebuild {
    fn build(&self) -> Option<Arc<Bulkheads>> {
        let Self { limit, queue, key, max_keys } = self.clone();
        limit.map(|limit| Arc::new(Bulkheads::new(limit, queue, key, max_keys)))
    }
}

impl<F, H: Clone> Clone for BulkheadLayer<F, H> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), rebuild: self.rebuild.clone(), face: PhantomData }
    }
}

impl<S, F, H: Clone> Layer<S> for BulkheadLayer<F, H> {
    type Service = BulkheadService<S, F, H>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService {
            inner: Readied::new(inner),
            config: Arc::new(self.config.clone()),
            face: PhantomData,
        }
    }
}

impl<F, H> fmt::Debug for BulkheadLayer<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rebuild { limit, queue, key, .. } = &self.rebuild;
        let mut debug = f.debug_struct("BulkheadLayer");
        match limit {
            Some(limit) => debug.field("limit", limit),
            None => debug.field("limit", &format_args!("none")),
        };
        debug.field("queue", queue).field("max_wait", &self.config.max_wait).field("key_by", key);
        debug.finish_non_exhaustive()
    }
}
