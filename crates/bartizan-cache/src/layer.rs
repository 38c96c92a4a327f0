use std::fmt;
use std::sync::Arc;
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
use crate::store::Store;

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
#[derive(Clone)]
pub struct CacheLayer {
    rules: Rules,
    bytes: u64,
    principals: Vec<HeaderName>,
    authority: Option<Authority>,
    wall_clock: WallClock,
    engine: Arc<Engine>,
}

/// 64 MiB: some ten thousand answers of an API.
const BYTES: u64 = 64 * 1024 * 1024;
/// No single one takes more than an eighth of that.
const MOST: usize = 8 * 1024 * 1024;
/// A day: what is older is news to nobody.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

impl CacheLayer {
    /// A private cache by RFC 9111: each principal has its own.
    pub fn rfc9111() -> Self {
        Self::of(Rules {
            is_shared: false,
            ttl: None,
            stale_if_unreachable: Some(STALE),
            most: MOST,
            targets: Vec::new(),
            telling: Telling::default(),
        })
    }

    /// Keeps 200s to GET for `ttl`, whatever they say but `no-store`, for APIs that say nothing of freshness. At most about so many
    /// entries of 16 KiB.
    pub fn ttl_lru(ttl: Duration, entries: u32) -> Self {
        let rules = Rules {
            is_shared: false,
            ttl: Some(ttl),
            stale_if_unreachable: None,
            most: MOST,
            targets: Vec::new(),
            telling: Telling::default(),
        };
        Self::of(rules).max_bytes(u64::from(entries) * 16 * 1024)
    }

    /// Five minutes, a hundred entries: what many have written by hand.
    pub fn classic() -> Self {
        Self::ttl_lru(Duration::from_secs(300), 100)
    }

    /// One cache for all who ask: nothing that is `private`, or was asked for with `Authorization` and is not `public`, is stored.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.rules.is_shared = true;
        self.renewed()
    }

    /// At most so many bytes of heads and bodies. 64 MiB by default. The cache is a new one.
    #[must_use]
    pub fn max_bytes(mut self, most: u64) -> Self {
        self.bytes = most;
        self.renewed()
    }

    /// Fields that are heeded in the place of `Cache-Control` and `Expires`, the first that is there and valid (RFC 9213). Needs the feature
    /// `targeted-fields`. None by default.
    #[must_use]
    pub fn targets(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.rules.targets = names.into_iter().collect();
        self.renewed()
    }

    /// What dates are measured against. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.wall_clock = clock;
        self.renewed()
    }

    /// Fields of a request that name a principal, whom a private cache answers with nothing that another got. `Authorization` by default; not
    /// heeded in a shared cache. Their values are kept as seeded hashes alone.
    #[must_use]
    pub fn principals(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.principals = names.into_iter().collect();
        self.renewed()
    }

    /// Whose targets those of requests are that name no origin, as servers get them. By default their `Host`, which a stranger chooses, tells them
    /// apart.
    #[must_use]
    pub fn authority(mut self, authority: Authority) -> Self {
        self.authority = Some(authority);
        self.renewed()
    }

    /// Tells what it did in the extensions of each response: a [`CacheStatus`](crate::CacheStatus). By default it does not, which would cost each hit
    /// some allocations.
    #[must_use]
    pub fn status(mut self) -> Self {
        self.rules.telling.in_extensions = true;
        self.renewed()
    }

    /// Tells what it did in the `Cache-Status` field of each response, under this name (RFC 9211). By default it does not: strangers learn from it what
    /// others have asked for.
    #[must_use]
    pub fn status_field(mut self, name: HeaderName) -> Self {
        self.rules.telling.name = Some(name);
        self.renewed()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.engine.store.clear();
    }

    fn of(rules: Rules) -> Self {
        let (principals, wall_clock) = (vec![AUTHORIZATION], WallClock::system());
        let engine = Arc::new(Engine {
            rules: rules.clone(),
            keys: Keys::new(principals.clone(), None),
            store: Store::new(BYTES),
            flights: Arc::default(),
            wall_clock: wall_clock.clone(),
        });
        Self { rules, bytes: BYTES, principals, authority: None, wall_clock, engine }
    }

    fn renewed(mut self) -> Self {
        let principals = if self.rules.is_shared { Vec::new() } else { self.principals.clone() };
        self.engine = Arc::new(Engine {
            rules: self.rules.clone(),
            keys: Keys::new(principals, self.authority.clone()),
            store: Store::new(self.bytes),
            flights: Arc::default(),
            wall_clock: self.wall_clock.clone(),
        });
        self
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Cache<S> {
        Cache { inner, engine: self.engine.clone() }
    }
}

impl fmt::Debug for CacheLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer")
            .field("rules", &self.rules)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
