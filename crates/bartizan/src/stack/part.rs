use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bartizan_auth::{AuthLayer, Authorizer, IdentityLayer};
use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::{CircuitBreakerLayer, GateLayer, OnTransition};
use bartizan_core::{KeyBy, Refuse};
use bartizan_rate_limit::RateLimitLayer;
use bartizan_retry::RetryLayer;
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use tower_layer::{Identity, Layer};

use super::shown::seconds;

/// What may stand in a place of a [`Stack`](super::Stack): the layers of bartizan, any other in [`Own`], and [`Identity`] for nothing.
pub trait Part {
    /// What it has to have further out: the outer half of auth, the gate of a breaker; else [`Identity`].
    type Outer;

    /// That.
    fn outer(&self) -> Self::Outer;

    /// What has to be known to check a stack and to show it.
    fn facts(&self) -> Facts;
}

/// What is known of a [`Part`].
#[derive(Clone, Debug)]
pub struct Facts {
    /// As it is shown, with what it is set to.
    pub(super) shown: Cow<'static, str>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Nothing,
    Other,
    Auth,
    Cache,
    Deadline(Option<Duration>),
    AttemptTimeout(Option<Duration>),
    Retry {
        /// The first ones, and whether there are more.
        waits: Vec<Duration>,
        has_more: bool,
        key: Option<KeyBy>,
    },
    Limit(Option<KeyBy>),
    Breaker(Option<KeyBy>),
}

/// So many are looked at: nobody has more.
const WAITS: usize = 16;

impl Facts {
    /// Of a layer that this crate does not know: a name to be shown.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self { shown: name.into(), kind: Kind::Other }
    }

    fn new(shown: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self { shown: shown.into(), kind }
    }
}

/// Any layer. Nothing is known of it, and so nothing is checked.
///
/// ```
/// use bartizan::{Own, Stack};
/// use tower::limit::ConcurrencyLimitLayer;
///
/// let stack = Stack::standard().limit(Own(ConcurrencyLimitLayer::new(10))).build()?;
/// # let _ = stack;
/// # Ok::<(), bartizan::InvalidStack>(())
/// ```
#[derive(Clone, Copy)]
pub struct Own<L>(pub L);

impl<S, L: Layer<S>> Layer<S> for Own<L> {
    type Service = L::Service;

    fn layer(&self, inner: S) -> L::Service {
        self.0.layer(inner)
    }
}

impl<L> fmt::Debug for Own<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name_of::<L>())
    }
}

/// Without the path and what it is generic over.
fn name_of<L>() -> Cow<'static, str> {
    let path = std::any::type_name::<L>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path).into()
}

impl<L> Part for Own<L> {
    type Outer = Identity;

    fn outer(&self) -> Identity {
        Identity::new()
    }

    fn facts(&self) -> Facts {
        Facts::named(name_of::<L>())
    }
}

impl Part for Identity {
    type Outer = Self;

    fn outer(&self) -> Self {
        Self::new()
    }

    fn facts(&self) -> Facts {
        Facts::new("", Kind::Nothing)
    }
}

impl<A: Authorizer, G> Part for AuthLayer<A, G> {
    type Outer = IdentityLayer<A>;

    fn outer(&self) -> IdentityLayer<A> {
        self.identity_layer()
    }

    fn facts(&self) -> Facts {
        Facts::new("auth", Kind::Auth)
    }
}

impl<C, H: OnTransition + Clone> Part for CircuitBreakerLayer<C, Refuse, H> {
    type Outer = GateLayer<Refuse, H>;

    fn outer(&self) -> GateLayer<Refuse, H> {
        self.gate()
    }

    fn facts(&self) -> Facts {
        let key = self.key().cloned();
        let shown = match &key {
            Some(key) => format!("circuit breaker by {key:?}"),
            None => "circuit breaker, shared or disabled".into(),
        };
        Facts::new(shown, Kind::Breaker(key))
    }
}

/// Those that have nothing further out.
macro_rules! parts {
    ($([$($param:ident)*] $Layer:ty => |$layer:ident| $facts:expr;)*) => {$(
        impl<$($param),*> Part for $Layer {
            type Outer = Identity;

            fn outer(&self) -> Identity {
                Identity::new()
            }

            fn facts(&self) -> Facts {
                let $layer = self;
                $facts
            }
        }
    )*};
}

parts! {
    [] CacheLayer => |_layer| Facts::new("cache", Kind::Cache);
    [H] DeadlineLayer<Refuse, H> => |layer| match layer.total() {
        Some(total) => Facts::new(format!("deadline of {}", seconds(total)), Kind::Deadline(Some(total))),
        None => Facts::new("deadline, if the call has one", Kind::Deadline(None)),
    };
    [H] AttemptTimeoutLayer<Refuse, H> => |layer| match layer.limit() {
        Some(limit) => Facts::new(format!("attempt timeout of {}", seconds(limit)), Kind::AttemptTimeout(Some(limit))),
        None => Facts::new("attempt timeout, disabled", Kind::AttemptTimeout(None)),
    };
    [H] BodyTimeoutLayer<H> => |layer| Facts::new(match layer.idle() {
        Some(idle) => format!("body timeout of {}", seconds(idle)),
        None => "body timeout, disabled".into(),
    }, Kind::Other);
    [P H] RetryLayer<P, H> => |layer| {
        let waits: Vec<_> = layer.longest_waits().take(WAITS).collect();
        let has_more = layer.longest_waits().nth(WAITS).is_some();
        let key = layer.key().cloned();
        let shown = match (waits.len(), &key) {
            (0, _) => "retry, disabled".into(),
            (_, _) if has_more => format!("retry, more than {WAITS} attempts"),
            (retries, Some(key)) => format!("retry, {} attempts, a budget by {key:?}", retries + 1),
            (retries, None) => format!("retry, {} attempts, no budget", retries + 1),
        };
        Facts::new(shown, Kind::Retry { waits, has_more, key })
    };
    [H B] RateLimitLayer<Refuse, H, B> => |layer| {
        let key = layer.key().cloned();
        let shown = match &key {
            Some(key) => format!("rate limit by {key:?}"),
            None => "rate limit, without a quota".into(),
        };
        Facts::new(shown, Kind::Limit(key))
    };
}
