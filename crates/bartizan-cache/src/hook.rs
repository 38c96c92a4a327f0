use std::fmt;
use std::sync::Arc;

use crate::{CacheStatus, NotStored};

/// Told of what a cache does.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bartizan_cache::{CacheLayer, CacheStatus, Event};
///
/// let hits = Arc::new(AtomicU64::new(0));
/// let seen = hits.clone();
/// let layer = CacheLayer::rfc9111().hook(move |event: &Event<'_>| {
///     if let Event::Answered { status: CacheStatus::Hit { .. }, .. } = event {
///         seen.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of the cache",
    label = "needs `bartizan_cache::Hook`",
    note = "a closure `|event: &Event<'_>|` that is `Send + Sync` is one, and so is an `Arc` of one"
)]
pub trait Hook: Send + Sync {
    /// Something happened. It must not panic.
    fn event(&self, event: &Event<'_>);
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call is answered. What is fetched in the background is none.
    #[non_exhaustive]
    Answered {
        /// For what.
        target: Target<'a>,
        /// From where.
        status: CacheStatus,
    },
    /// A response is in the store.
    #[non_exhaustive]
    Stored {
        /// Of what.
        target: Target<'a>,
        /// Length of its body.
        bytes: usize,
    },
    /// A response is not stored.
    #[non_exhaustive]
    NotStored {
        /// Of what.
        target: Target<'a>,
        /// Why.
        why: NotStored,
    },
    /// Nothing of this target that was asked for until now is used any more.
    #[non_exhaustive]
    Invalidated {
        /// Which.
        target: Target<'a>,
    },
    /// What was fetched in the background was not to be had, or is not fresh.
    #[non_exhaustive]
    NotRefreshed {
        /// Which.
        target: Target<'a>,
    },
}

/// What is asked for. `Display` and `Debug` leave out the query, which may hold secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    pub(crate) path_and_query: &'a str,
}

impl<'a> Target<'a> {
    /// `http`, `https`; empty where the request named no origin.
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// The port, if it is not the scheme's own.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path, without the query.
    pub fn path(&self) -> &'a str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}://", self.scheme)?;
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.path())
    }
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn event(&self, event: &Event<'_>) {
        (**self).event(event);
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Hook for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}
