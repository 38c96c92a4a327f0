use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bartizan_core::WallClock;
use http::HeaderName;
use http::header::AUTHORIZATION;
use http::uri::Authority;
use tower_layer::Layer;

use crate::engine::{Engine, Rules};
use crate::key::Keys;
use crate::service::Cache;
use crate::status::Telling;
use crate::store::Kept;
use crate::{Hook, Memory, Store};

/// Answers from memory what has been asked before, as far as the origin allows it.
///
/// ```
/// use bartizan_cache::CacheLayer;
///
/// let browser_like = CacheLayer::rfc9111();
/// let before_an_app = CacheLayer::rfc9111().shared();
/// let five_minutes = CacheLayer::classic();
/// # let _ = (browser_like, before_an_app, five_minutes);
/// ```
///
/// All services that a layer makes, and its clones, share what is stored. A setter makes it a new, empty cache.
#[derive(Clone)]
pub struct CacheLayer {
    rules: Rules,
    place: Place,
    max_body: Option<usize>,
    principals: Vec<HeaderName>,
    authority: Option<Authority>,
    wall_clock: WallClock,
    hook: Option<Arc<dyn Hook>>,
    /// Made when it is first needed.
    engine: Arc<OnceLock<Arc<Engine>>>,
}

/// Where it keeps what it keeps.
#[derive(Clone)]
enum Place {
    Memory { bytes: u64, entries: Option<u64> },
    Other(Arc<dyn Store>),
}

/// 64 MiB: some ten thousand answers of an API.
const BYTES: u64 = 64 * 1024 * 1024;
/// No single body takes more than that, and than an eighth of the whole.
const MOST: usize = 8 * 1024 * 1024;
/// What an answer of an API takes, generously.
const ENTRY: u64 = 16 * 1024;
/// A day: what is older is news to nobody.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

impl CacheLayer {
    /// A private cache by RFC 9111: each principal has its own.
    pub fn rfc9111() -> Self {
        Self::of(None, Some(STALE))
    }

    /// Keeps 200s to GET for `ttl`, whatever they say but `no-store`, for APIs that say nothing of freshness. At most so many entries, in 64 MiB or
    /// 16 KiB for each, whichever is more; one that takes more than its share counts for several.
    pub fn ttl_lru(ttl: Duration, entries: u32) -> Self {
        let mut layer = Self::of(Some(ttl), None);
        let entries = u64::from(entries);
        layer.place = Place::Memory { bytes: BYTES.max(entries * ENTRY), entries: Some(entries) };
        layer
    }

    /// Five minutes, a hundred entries: what many have written by hand.
    pub fn classic() -> Self {
        Self::ttl_lru(Duration::from_secs(300), 100)
    }

    /// One cache for all who ask, which by default is private: nothing that is `private`, or was asked for with `Authorization` and is not `public`, is stored.
    #[must_use]
    pub fn shared(self) -> Self {
        self.with(|layer| layer.rules.is_shared = true)
    }

    /// At most so many bytes of heads and bodies, the least recently used makes room. 64 MiB by default.
    #[must_use]
    pub fn max_bytes(self, most: u64) -> Self {
        self.with(|layer| match &mut layer.place {
            Place::Memory { bytes, .. } => *bytes = most,
            place @ Place::Other(_) => *place = Place::Memory { bytes: most, entries: None },
        })
    }

    /// Bodies that are longer pass, and are forgotten. 8 MiB by default, and an eighth of [`max_bytes`](Self::max_bytes) at most.
    #[must_use]
    pub fn max_body(self, most: usize) -> Self {
        self.with(|layer| layer.max_body = Some(most))
    }

    /// Keeps what it keeps there; by default in a [`Memory`] of its own.
    #[must_use]
    pub fn store(self, store: impl Store) -> Self {
        self.with(|layer| layer.place = Place::Other(Arc::new(store)))
    }

    /// For how long a response is fresh that says nothing of it and has no `Last-Modified` to guess from. By default it is asked for each time.
    #[must_use]
    pub fn default_ttl(self, ttl: Duration) -> Self {
        self.with(|layer| layer.rules.default_ttl = Some(ttl))
    }

    /// For how long a stale response answers if the origin is not reached, where neither side says how long. A day by default; `None` for
    /// never, as with [`ttl_lru`](Self::ttl_lru).
    #[must_use]
    pub fn stale_if_unreachable(self, bound: Option<Duration>) -> Self {
        self.with(|layer| layer.rules.stale_if_unreachable = bound)
    }

    /// Answers a 504 if the origin is not reached and nothing that is stored may answer, as RFC 9111 section 5.2.2.2 asks of a proxy. By default
    /// the inner's error passes.
    #[must_use]
    pub fn respond(self) -> Self {
        self.with(|layer| layer.rules.responds = true)
    }

    /// Fields that are heeded in the place of `Cache-Control` and `Expires`, the first that is there and valid (RFC 9213). Needs the feature
    /// `targeted-fields`. None by default.
    #[must_use]
    pub fn targets(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.with(|layer| layer.rules.targets = names.into_iter().collect())
    }

    /// What dates are measured against. The system's clock by default.
    #[must_use]
    pub fn wall_clock(self, clock: WallClock) -> Self {
        self.with(|layer| layer.wall_clock = clock)
    }

    /// Fields of a request that name a principal, whom a private cache answers with nothing that another got. `Authorization` by default; not
    /// heeded in a shared cache. Their values are kept as seeded hashes alone.
    #[must_use]
    pub fn principals(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.with(|layer| layer.principals = names.into_iter().collect())
    }

    /// Whose targets those of requests are that name no origin, as servers get them. By default their `Host`, which a stranger chooses, tells them
    /// apart.
    #[must_use]
    pub fn authority(self, authority: Authority) -> Self {
        self.with(|layer| layer.authority = Some(authority))
    }

    /// Tells what it did in the extensions of each response: a [`CacheStatus`](crate::CacheStatus). By default it does not, which would cost each hit
    /// some allocations.
    #[must_use]
    pub fn status(self) -> Self {
        self.with(|layer| layer.rules.telling.in_extensions = true)
    }

    /// Tells what it did in the `Cache-Status` field of each response, under this name (RFC 9211). By default it does not: strangers learn from it what
    /// others have asked for.
    #[must_use]
    pub fn status_field(self, name: HeaderName) -> Self {
        self.with(|layer| layer.rules.telling.name = Some(name))
    }

    /// Told of what it does. Nobody by default.
    #[must_use]
    pub fn hook(self, hook: impl Hook + 'static) -> Self {
        self.with(|layer| layer.hook = Some(Arc::new(hook)))
    }

    fn of(ttl: Option<Duration>, stale_if_unreachable: Option<Duration>) -> Self {
        let rules = Rules {
            is_shared: false,
            ttl,
            default_ttl: None,
            stale_if_unreachable,
            responds: false,
            most: MOST,
            targets: Vec::new(),
            telling: Telling::default(),
        };
        Self {
            rules,
            place: Place::Memory { bytes: BYTES, entries: None },
            max_body: None,
            principals: vec![AUTHORIZATION],
            authority: None,
            wall_clock: WallClock::system(),
            hook: None,
            engine: Arc::default(),
        }
    }

    fn with(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self.engine = Arc::default();
        self
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        self.engine.get_or_init(|| {
            let principals = if self.rules.is_shared { Vec::new() } else { self.principals.clone() };
            let (kept, most) = self.place.open(self.max_body);
            Arc::new(Engine {
                rules: Rules { most, ..self.rules.clone() },
                keys: Keys::new(principals, self.authority.clone()),
                kept,
                flights: Arc::default(),
                hook: self.hook.clone(),
                wall_clock: self.wall_clock.clone(),
            })
        })
    }
}

impl Place {
    /// What is kept there, of which a body has so many bytes at most.
    fn open(&self, max_body: Option<usize>) -> (Kept, usize) {
        match self {
            Self::Memory { bytes, entries } => {
                let eighth = usize::try_from(bytes / 8).unwrap_or(usize::MAX);
                // A 64th of the memory tells what has changed.
                let slots = usize::try_from(bytes / 512).unwrap_or(usize::MAX).clamp(1024, 1 << 20);
                let rest = bytes - bytes / 64;
                let memory = match entries {
                    Some(entries) => Memory::entries(*entries, rest),
                    None => Memory::lru(rest),
                };
                let most = max_body.unwrap_or(MOST).min(eighth);
                (Kept::new(Box::new(memory), slots, 2 * eighth), most)
            }
            Self::Other(store) => {
                let most = max_body.unwrap_or(MOST);
                (Kept::new(Box::new(store.clone()), 1 << 17, most.saturating_mul(2)), most)
            }
        }
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Cache<S> {
        Cache { inner, engine: self.engine().clone() }
    }
}

impl fmt::Debug for CacheLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("CacheLayer");
        debug.field("rules", &self.rules);
        if let Place::Memory { bytes, .. } = &self.place {
            debug.field("bytes", bytes);
        }
        debug.finish_non_exhaustive()
    }
}
